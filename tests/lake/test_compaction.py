from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.lake.place import Place

from pharos.lake.compaction import FEW, LIKE
from pharos.lake.lake import Lake

START = datetime(2024, 3, 1)


def _line(moment: datetime, number: int) -> str:
    event = {"time": f"{moment.isoformat()}+00:00", "event_type": f"e{number}", "event_source": "server",
             "context": {"user_id": number, "course_id": f"a/b/{number % 3}"}, "event": {}}  # fmt: skip
    return json.dumps(event) + "\n"


def _fed(place: Place, folder: Path, ticks: int, step: timedelta) -> Path:
    """A log that grew by two events and was read at each tick."""
    log = folder / "tracking.log"
    for tick in range(ticks):
        with log.open("a", encoding="utf-8") as file:
            for number in range(2):
                file.write(_line(START + tick * step + timedelta(seconds=number), tick * 2 + number))
        place.read(log)
    return log


def _content(place: Place) -> list[dict[str, Any]]:
    return sorted(
        place.events(["event_id", "time", "line", "page_course_id"]), key=lambda row: row["event_id"]
    )


pytestmark = pytest.mark.everywhere


@pytest.mark.folder
def test_a_day_fed_every_few_minutes_ends_with_a_handful_of_files(place: Place, tmp_path: Path) -> None:
    _fed(place, tmp_path, ticks=150, step=timedelta(minutes=10))

    files = {day: len(files) for day, files in place.lake.state.events.items()}
    assert files[START.date()] <= FEW
    assert files[START.date() + timedelta(days=1)] < 3 * LIKE
    assert len(_content(place)) == 300


def test_merging_changes_neither_events_nor_fingerprints(place: Place, tmp_path: Path) -> None:
    log = _fed(place, tmp_path, ticks=LIKE + 2, step=timedelta(minutes=1))
    whole = Place(tmp_path / "whole", place.engine)
    whole.read(log)

    assert _content(place) == _content(whole)
    digests = [
        sum(file.digest for file in Lake(each.root).state.events[START.date()]) % 2**64
        for each in (place, whole)
    ]
    assert digests[0] == digests[1]
    assert place.status.sum == whole.status.sum


def test_rows_of_a_merged_file_are_in_order(place: Place, tmp_path: Path) -> None:
    _fed(place, tmp_path, ticks=LIKE, step=timedelta(minutes=1))

    (file,) = place.lake.state.events[START.date()]
    rows = place.events(["page_course_id", "time", "event_id"])
    assert file.rows == len(rows) == 2 * LIKE
    assert rows == sorted(rows, key=lambda row: (row["page_course_id"], row["time"], row["event_id"]))


def test_files_that_somebody_reads_stay_until_the_next_run(place: Place, tmp_path: Path) -> None:
    log = _fed(place, tmp_path, ticks=LIKE - 1, step=timedelta(minutes=1))
    reader = place.lake
    with reader.reading():
        known = reader.events()
        with log.open("a", encoding="utf-8") as file:
            file.write(_line(START + timedelta(hours=1), 99))
        place.read(log)
        assert len(place.lake.events()) == 1
        assert all(path.exists() for path in known)

    place.read(log)
    assert not any(path.exists() for path in known)


@pytest.mark.folder
def test_data_files_that_no_commit_names_are_cleared_and_never_read(place: Place, tmp_path: Path) -> None:
    """What a kill leaves between moving a data file in and the commit."""
    log = _fed(place, tmp_path, ticks=3, step=timedelta(minutes=1))
    before = _content(place)
    stray = place.lake.events()[0].with_name(f"{place.lake.state.number + 1:08d}-0.parquet")
    stray.write_bytes(place.lake.events()[0].read_bytes())

    assert _content(place) == before
    place.read(log)
    assert not stray.exists()
    assert _content(place) == before


def test_late_events_do_not_have_the_whole_day_written_anew(place: Place, tmp_path: Path) -> None:
    large = tmp_path / "large.log"
    lines = [_line(START + timedelta(seconds=number), number) for number in range(2000)]
    large.write_text("".join(lines), encoding="utf-8")
    place.read(large)
    [before] = place.lake.state.events[START.date()]
    for number in range(2 * FEW):
        late = tmp_path / f"late{number}.log"
        hour, day = (START + step + timedelta(seconds=number) for step in (timedelta(hours=1), timedelta(1)))
        late.write_text(_line(hour, 0) + _line(day, 0), encoding="utf-8")
        place.read(late)
    files = place.lake.state.events[START.date()]
    assert before.path in [file.path for file in files]
    assert len(files) == FEW
    assert sum(file.rows for file in files) == 2000 + 2 * FEW
