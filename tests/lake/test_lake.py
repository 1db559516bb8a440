"""One writer at a time; full disks, lakes and logs that may not be touched: what the real program says."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lake.place import AS_ANYBODY, Place
from tests.lake.strategies import regular

from pharos.errors import Busy
from pharos.lake.lake import Lake

PHAROS = str(Path(sys.executable).with_name("pharos"))


def log_of(*numbers: int) -> bytes:
    return b"".join(regular(number) + b"\n" for number in numbers)


def ingest(home: Path, logs: Path | str, verb: str = "ingest") -> subprocess.CompletedProcess[str]:
    """The program, as a person without special rights starts it."""
    ended = subprocess.run(
        [*AS_ANYBODY, PHAROS, verb, "--home", str(home), "--logs", str(logs)],
        capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "300"},
    )  # fmt: skip
    assert "Traceback" not in ended.stderr
    return ended


def hosts(home: Path, place: Place) -> list[int]:
    return sorted(int(row["host"]) for row in Place(home / "lake", place.engine).events())


# --- One writer ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["ingest", "run"])
def test_a_second_run_leaves_with_75_and_changes_nothing(tmp_path: Path, verb: str) -> None:
    (tmp_path / "tracking.log").write_bytes(log_of(1))
    with Lake(tmp_path / "home" / "lake").locked():
        ended = ingest(tmp_path / "home", tmp_path / "tracking.log", verb)
    assert ended.returncode == 75
    assert "another run is writing" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not Lake(tmp_path / "home" / "lake").state.events
    assert ingest(tmp_path / "home", tmp_path / "tracking.log").returncode == 0


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    with pytest.raises(ZeroDivisionError), lake.locked():
        _ = 1 / 0
    with lake.locked(), pytest.raises(Busy), Lake(tmp_path / "lake").locked():
        pass
    with lake.locked():
        pass


def test_of_two_runs_started_at_once_one_writes(place: Place, tmp_path: Path) -> None:
    (tmp_path / "tracking.log").write_bytes(log_of(*range(20000)))
    command = [PHAROS, "ingest", "--home", str(tmp_path / "home"), "--logs", str(tmp_path / "tracking.log")]
    runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(3)]
    codes = sorted(run.wait() for run in runs)
    assert set(codes) <= {0, 75}
    assert 0 in codes
    assert hosts(tmp_path / "home", place) == list(range(20000))
    assert Place(tmp_path / "home" / "lake", place.engine).status.sum.lines == 20000


# --- What may not be read --------------------------------------------------------------------------------


def test_a_log_that_may_not_be_read_is_told_and_read_later(place: Place, tmp_path: Path) -> None:
    logs, home = tmp_path / "logs", tmp_path / "home"
    logs.mkdir()
    (logs / "tracking.log-1").write_bytes(log_of(1))
    (logs / "tracking.log-2").write_bytes(log_of(2))
    (logs / "tracking.log-1").chmod(0)
    ended = ingest(home, logs)
    assert ended.returncode == 0
    assert "tracking.log-1" in ended.stdout + ended.stderr
    assert "Permission denied" in ended.stdout + ended.stderr
    assert hosts(home, place) == [2]
    (logs / "tracking.log-1").chmod(0o644)  # changes neither size nor time
    ingest(home, logs)
    assert hosts(home, place) == [1, 2]
    assert not Place(home / "lake", place.engine).status.unreadable


def test_a_folder_below_that_may_not_be_listed_is_told_and_read_later(place: Place, tmp_path: Path) -> None:
    logs, home = tmp_path / "logs", tmp_path / "home"
    (logs / "closed").mkdir(parents=True)
    (logs / "tracking.log").write_bytes(log_of(1))
    (logs / "closed" / "tracking.log").write_bytes(log_of(2))
    (logs / "closed").chmod(0)
    ended = ingest(home, logs)
    (logs / "closed").chmod(0o755)
    assert ended.returncode == 0
    assert f"{logs / 'closed'}: cannot be read: Permission denied" in ended.stdout + ended.stderr
    assert hosts(home, place) == [1]
    assert list(Place(home / "lake", place.engine).status.unreadable) == [str(logs / "closed")]
    ingest(home, logs)
    assert hosts(home, place) == [1, 2]
    assert not Place(home / "lake", place.engine).status.unreadable


def test_a_folder_that_may_not_be_listed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "tracking.log").write_bytes(log_of(1))
    (tmp_path / "logs").chmod(0)
    try:
        ended = ingest(tmp_path / "home", tmp_path / "logs")
    finally:
        (tmp_path / "logs").chmod(0o755)
    assert ended.returncode == 1
    assert str(tmp_path / "logs") in ended.stderr
    assert "Permission denied" in ended.stderr


# --- What may not be written -----------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["", "lake", "lake/events", "lake/ledger"])
def test_a_lake_that_may_not_be_written(place: Place, tmp_path: Path, part: str) -> None:
    home = tmp_path / "home"
    (tmp_path / "tracking.log").write_bytes(log_of(1))
    if part:
        assert ingest(home, tmp_path / "tracking.log").returncode == 0
    home.mkdir(exist_ok=True)
    (tmp_path / "tracking.log").write_bytes(log_of(1, 2) + b'{"time":"2024-04-01T00:00:00Z","host":"3"}\n')
    before = hosts(home, place)
    (home / part).chmod(0o555)
    try:
        ended = ingest(home, tmp_path / "tracking.log")
    finally:
        (home / part).chmod(0o755)
    assert ended.returncode == 1
    assert "cannot be written (Permission denied" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert hosts(home, place) == before
    assert ingest(home, tmp_path / "tracking.log").returncode == 0
    assert hosts(home, place) == [1, 2, 3]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing(place: Place, tmp_path: Path, small_disk: Path) -> None:
    home, logs = small_disk / "home", tmp_path / "logs"
    logs.mkdir()
    (logs / "tracking.log-1").write_bytes(log_of(*range(10)))
    assert ingest(home, logs).returncode == 0
    draw = random.Random(1)
    (logs / "tracking.log-2").write_bytes(
        b"".join(
            b'{"host":"%d","time":"2024-03-02T09:00:00+00:00","session":"%0200x"}\n'
            % (number, draw.getrandbits(800))
            for number in range(10, 20000)
        )
    )
    for _ in range(2):
        ended = ingest(home, logs)
        assert ended.returncode == 1
        assert "No space left on device" in ended.stderr
        assert len(ended.stderr.splitlines()) == 1
        assert hosts(home, place) == list(range(10))
    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    assert ingest(home, logs).returncode == 0
    assert hosts(home, place) == list(range(20000))
    assert Place(home / "lake", place.engine).status.sum.lines == 20000
