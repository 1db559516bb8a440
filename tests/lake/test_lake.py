"""One writer at a time; full disks, lakes and logs that may not be touched: what the real program says."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.lake.place import AS_ANYBODY, Place
from tests.lake.strategies import regular

from pharos.errors import Busy
from pharos.lake.damage import DataFilesDamaged
from pharos.lake.lake import Lake, LakeNotWritable
from pharos.lake.ledger import LedgerDamaged

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


# --- What is damaged -------------------------------------------------------------------------------------


def snapshot(root: Path) -> dict[str, bytes]:
    """All files of a lake but its locks and staged ones."""
    files = (path for path in sorted(root.glob("[!.]*/**/*")) if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


@pytest.fixture
def filled(place: Place, tmp_path: Path) -> Lake:
    """Six commits, each with a file of events, and one of quarantine."""
    for number in range(6):
        lines = regular(number) + b"\n" + (b"no event\n" if number == 2 else b"")
        (tmp_path / f"tracking.log-{number}").write_bytes(lines)
        place.read(tmp_path / f"tracking.log-{number}")
    return Lake(place.root)


@pytest.mark.parametrize("kept", [0, 1, 3, 5])
def test_a_missing_ledger_file_changes_nothing(filled: Lake, place: Place, tmp_path: Path, kept: int) -> None:
    for path in sorted((filled.root / "ledger").iterdir())[kept:]:
        path.unlink()
    before = snapshot(filled.root)
    with pytest.raises(LedgerDamaged, match="pharos lake rebuild"):
        place.read(tmp_path)
    assert snapshot(filled.root) == before


def test_a_ledger_that_is_older_than_the_data_files_changes_nothing(filled: Lake, place: Place) -> None:
    old = {path: path.read_bytes() for path in (filled.root / "ledger").iterdir()}
    for number in range(6, 9):
        (filled.root.parent / "more.log").write_bytes(log_of(*range(6, number + 1)))
        place.read(filled.root.parent / "more.log")
    shutil.rmtree(filled.root / "ledger")
    (filled.root / "ledger").mkdir()
    for path, data in old.items():
        path.write_bytes(data)
    before = snapshot(filled.root)
    with pytest.raises(LedgerDamaged, match="data files of later ones"):
        place.read()
    assert snapshot(filled.root) == before


@pytest.mark.parametrize("harm", ["is missing", "is empty", "instead of", "does not fit its checksum"])
def test_a_damaged_file_of_events_is_named_with_its_logs(
    filled: Lake, place: Place, tmp_path: Path, harm: str
) -> None:
    file = next(file for files in filled.state.events.values() for file in files)
    data = (filled.root / file.path).read_bytes()
    new = {"is empty": b"", "instead of": data[:-9], "does not fit its checksum": b"\0" * len(data)}
    (filled.root / file.path).unlink()
    if harm in new:
        (filled.root / file.path).write_bytes(new[harm])
    before = snapshot(filled.root)
    again = tmp_path / "again.log"  # has an event of the same time, so that the file must be read
    again.write_bytes(Path(file.sources[0]).read_bytes() + regular(99) + b"\n")
    with pytest.raises(DataFilesDamaged, match=harm) as caught:
        place.read(again)
    assert file.path in str(caught.value)
    assert file.sources[0] in str(caught.value)
    assert "pharos lake repair" in str(caught.value)
    assert snapshot(filled.root) == before


def test_the_events_of_days_are_compared_with_their_checksums(filled: Lake) -> None:
    days = list(filled.state.events)
    assert filled.events(days) == filled.events()
    path = filled.events()[0]
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(DataFilesDamaged, match="does not fit its checksum"):
        filled.events(days)
    assert path in filled.events()


def test_a_missing_file_of_quarantine_is_named(filled: Lake, place: Place) -> None:
    [path] = filled.quarantine()
    path.unlink()
    with pytest.raises(DataFilesDamaged, match=r"quarantine/00000003-0\.parquet is missing"):
        place.read()


def test_a_file_that_no_crash_can_leave_is_moved_aside(filled: Lake, place: Place) -> None:
    [first, *_] = filled.events()
    strays = [first.with_name(name) for name in ("00000004-7.parquet", "mine.parquet")]
    uncommitted = first.with_name(f"{filled.state.number + 1:08d}-3.parquet")
    for path in (*strays, uncommitted):
        path.write_bytes(first.read_bytes())
    place.read()
    aside = filled.root / ".set-aside" / first.parent.relative_to(filled.root)
    assert sorted(path.name for path in aside.iterdir()) == ["00000004-7.parquet", "mine.parquet"]
    assert (aside / "mine.parquet").read_bytes() == first.read_bytes()
    strays[1].write_bytes(b"another")
    place.read()
    assert (aside / "mine.parquet.1").read_bytes() == b"another"
    assert sorted(first.parent.iterdir()) == sorted(filled.events())


def test_a_lake_of_an_earlier_release_goes_on_and_gains_digests(filled: Lake, place: Place) -> None:
    old = filled.state
    for files in old.events.values():
        files[:] = [replace(file, size=0, checksum="", sources=()) for file in files]
    shutil.rmtree(filled.root / "ledger")
    (filled.root / "ledger").mkdir()
    text = msgspec.json.encode(old).replace(b',"removed":[]', b"")
    (filled.root / "ledger" / f"{old.number:010d}.state.json").write_bytes(text)
    before = place.events()
    place.read()
    lake = Lake(filled.root)
    assert lake.ledger.is_sealed
    assert all(file.size for files in lake.state.events.values() for file in files)
    assert place.events() == before


def test_only_what_fails_in_the_lake_is_called_the_lakes(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    for error in (OSError(errno.ENOSPC, "full"), PermissionError(13, "no", str(lake.root / "events"))):
        with pytest.raises(LakeNotWritable), lake.locked():
            raise error
    others = (
        ConnectionRefusedError(errno.ECONNREFUSED, "refused"), TimeoutError("timed out"),
        PermissionError(13, "no", str(tmp_path / "tracking.log")), OSError("engine"),
    )  # fmt: skip
    for error in others:
        with pytest.raises(type(error)) as caught, lake.locked():
            raise error
        assert caught.value is error


LEAVES_WORKERS = """
import sys, time
from pathlib import Path
from pharos.engine.processes import Processes
from pharos.lake.lake import Lake
lake = Lake(Path(sys.argv[1]))
with lake.locked():
    list(Processes(2).map(time.sleep, [600, 601]))
"""


def test_workers_of_a_killed_run_end_themselves_and_hold_nothing(tmp_path: Path) -> None:
    run = subprocess.Popen([sys.executable, "-c", LEAVES_WORKERS, str(tmp_path / "lake")])
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children")

    def workers() -> list[Path]:
        begun = [Path("/proc", pid) for pid in children.read_text().split()]
        return [one for one in begun if b"spawn_main" in (one / "cmdline").read_bytes()]

    while len(found := workers()) < 2:
        assert run.poll() is None
        time.sleep(0.05)
    run.kill()
    run.wait()
    with Lake(tmp_path / "lake").locked():
        pass
    while any(one.exists() for one in found):  # as long as the test may take
        time.sleep(0.05)


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
    (tmp_path / "tracking.log").write_bytes(
        log_of(1, 2) + b'{"name":"x","time":"2024-04-01T00:00:00Z","host":"3"}\n'
    )
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
            b'{"name":"x","host":"%d","time":"2024-03-02T09:00:00+00:00","session":"%0200x"}\n'
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
