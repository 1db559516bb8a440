"""Which files are read: of the original's selection (spec 01 §1.1) the dates in names remain."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from tests.lake.place import AS_ANYBODY

from pharos.config import LogSource
from pharos.lake.logs import NoSuchLogs, PassedOver, discover, name_date, named_sources, passed_over


def names(*sources: LogSource) -> list[str]:
    found = discover({f"source {number}": source for number, source in enumerate(sources)})
    return [Path(file.path).name for file in found]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """What lies in the log folder of a server."""
    folder = tmp_path / "logs"
    for name in [
        "tracking.log", "tracking.log-20240229.gz", "tracking.log-20240318.gz", "app2/tracking.log-20240301",
        "tracking.log-20240401-1711929600.gz", "edx.log-20240318", "error.log", ".tracking.log.swp",
        ".hidden/tracking.log-20240302",
    ]:  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    return folder


def test_a_folder_is_searched_for_what_its_pattern_says(logs: Path) -> None:  # §11 items 28 to 30
    every = [
        "tracking.log-20240229.gz", "tracking.log-20240301", "tracking.log-20240318.gz",
        "tracking.log-20240401-1711929600.gz", "tracking.log",
    ]  # fmt: skip
    assert names(LogSource(paths=[str(logs)])) == every, "by the date in the name, live logs last"
    assert names(LogSource(paths=[str(logs)], pattern=r".*\.gz")) == [name for name in every if ".gz" in name]
    assert names(LogSource(paths=[str(logs)], pattern=r"tracking.*")) == [], "the whole path must match"


def test_old_names_are_skipped_and_what_has_no_date_is_read(logs: Path) -> None:  # §11 item 26
    source = LogSource(paths=[str(logs)], since=date(2024, 3, 1))
    assert names(source) == [
        "tracking.log-20240301", "tracking.log-20240318.gz", "tracking.log-20240401-1711929600.gz",
        "tracking.log",
    ]  # fmt: skip


def test_files_that_no_pattern_matches_are_counted(logs: Path) -> None:
    """Not those that are too old by their name: these are left out by intent."""
    old = LogSource(paths=[str(logs)], since=date(2024, 3, 1))
    assert passed_over({"a": old}) == [
        PassedOver(origin="a", pattern=old.pattern, files=2, example=str(logs / "edx.log-20240318"))
    ]
    others = LogSource(paths=[str(logs)], pattern=r".*/(edx|error)\.log.*")
    assert passed_over({"a": old, "b": others}) == []
    assert passed_over({"command": named_sources([str(logs)])["command line"]}) == []
    single = LogSource(paths=[str(logs / "error.log"), str(logs / "app2")])
    assert passed_over({"a": single}) == []


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("tracking.log-20240318.gz", date(2024, 3, 18)),
        ("tracking.log-2024-03-18", date(2024, 3, 18)),
        ("tracking.log-20240401-1711929600.gz", date(2024, 4, 1)),
        ("tracking.log", None),
        ("tracking.log-1711929600", None),
        ("tracking.log-20240231", None),
        ("tracking.log-120240318", None),
        ("20230101/tracking.log", None),
    ],
)
def test_dates_of_names(name: str, day: date | None) -> None:
    assert name_date(f"/var/log/{name}") == day


def test_what_is_named_is_read_whatever_it_is_called(logs: Path) -> None:
    assert [file.path for file in discover(named_sources([str(logs / "error.log")]))] == [
        str(logs / "error.log")
    ]
    assert len(discover(named_sources([str(logs / "*.gz")]))) == 3
    assert len(discover(named_sources([str(logs / "**" / "tracking.log-20240301")]))) == 1
    odd = logs / "odd[1]*?.log"
    odd.write_text("{}")
    assert [file.path for file in discover(named_sources([str(odd)]))] == [str(odd)]
    (logs / "line\nend.log").write_text("{}")
    assert str(logs / "line\nend.log") in {file.path for file in discover(named_sources([str(logs)]))}


def test_a_file_of_several_sources_is_read_once(logs: Path) -> None:
    (logs / "link.tracking.log").symlink_to(logs / "tracking.log")
    source = LogSource(paths=[str(logs), str(logs / "tracking.log"), str(logs / "app2")])
    found = names(source, source)
    assert sorted(found) == sorted(set(found))
    assert found.count("tracking.log") == 1
    assert "link.tracking.log" not in found


def test_a_folder_without_logs_is_no_mistake(tmp_path: Path) -> None:
    assert discover(named_sources([str(tmp_path)])) == []


def test_a_path_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "file").write_text("")
    for path in ["missing", "missing/*.log", "*.nothing", "pipe", "link", "circle", "file/below"]:
        with pytest.raises(NoSuchLogs, match="nothing was read") as caught:
            discover(named_sources([str(tmp_path / path)]))
        assert str(tmp_path / path) in str(caught.value)


def test_a_path_below_a_closed_folder_is_named(logs: Path) -> None:
    program = f"from pharos.lake.logs import *; discover(named_sources([{str(logs / 'tracking.log')!r}]))"
    logs.chmod(0)
    try:
        ended = subprocess.run(
            [*AS_ANYBODY, sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
    finally:
        logs.chmod(0o755)
    assert "NoSuchLogs" in ended.stderr.splitlines()[-1]
    assert "Permission denied" in ended.stderr.splitlines()[-1]


def test_what_is_no_file_is_passed_over_in_a_folder(logs: Path) -> None:
    os.mkfifo(logs / "tracking.log-pipe")
    (logs / "tracking.log-link").symlink_to(logs / "gone")
    (logs / "tracking.log-circle").symlink_to(logs / "tracking.log-circle")
    (logs / "tracking.log-folder").mkdir()
    found = names(LogSource(paths=[str(logs)]))
    assert not {"tracking.log-pipe", "tracking.log-link", "tracking.log-circle", "tracking.log-folder"} & set(
        found
    )
    assert "tracking.log" in found
