from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.lake.place import NOW, Place

from pharos.lake import land, parse
from pharos.lake.quarantine import retry

GOOD = b'{"time":"2024-03-01T10:00:00+00:00","event_type":"good"}\n'
ODD = b'{"time":"first of March","event_type":"odd"}\n'
LINES = GOOD + ODD + b"rubbish\n" + ODD + b'{"cut'


def _retry(place: Place) -> int:
    lake = place.lake
    with lake.locked():
        return retry(lake, NOW)


@pytest.fixture
def log(place: Place, tmp_path: Path) -> Path:
    path = tmp_path / "tracking.log"
    path.write_bytes(LINES)
    place.read(path)
    return path


pytestmark = pytest.mark.everywhere


def test_lines_are_listed_with_where_they_are_from_and_why(place: Place, log: Path) -> None:
    assert place.quarantine() == [
        (2, "time is not ISO 8601", ODD.strip()),
        (3, "not JSON", b"rubbish"),
        (4, "time is not ISO 8601", ODD.strip()),
        (5, "cut off at the end of the log", b'{"cut'),
    ]
    assert [logged.path for logged in place.status.logs] == [str(log)]


@pytest.mark.usefixtures("log")
def test_judging_again_without_a_repair_changes_nothing(place: Place) -> None:
    before = place.lake.state
    assert _retry(place) == 0
    assert place.lake.state == before


@pytest.mark.usefixtures("log")
def test_lines_that_a_repair_makes_readable_become_events_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release that reads more is played by one more form of time."""
    read = parse.utc_text
    monkeypatch.setattr(
        parse,
        "utc_text",
        lambda text: "2024-03-01T00:00:00.000000" if text == "first of March" else read(text),
    )
    assert _retry(place) == 2

    sum_ = place.status.sum
    assert (sum_.events, sum_.duplicates, sum_.quarantined) == (
        2, 1, {"cut off at the end of the log": 1, "not JSON": 1},
    )  # fmt: skip
    assert sum_.closes
    events = {event["event_type"]: (event["line"], event["time"]) for event in place.events()}
    assert events["odd"] == (2, datetime(2024, 3, 1))
    assert [reason for _, reason, _ in place.quarantine()] == ["not JSON", "cut off at the end of the log"]
    assert _retry(place) == 0


def test_much_that_is_no_event_is_written_in_parts(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(land, "PART_BYTES", 2 << 20)
    path = tmp_path / "tracking.log"
    path.write_bytes(b"".join(b"%099999d\n" % number for number in range(50)))
    place.read(path)
    assert len(place.lake.state.quarantine) > 1
    assert [data for _, _, data in place.quarantine()] == path.read_bytes().splitlines()
    assert place.status.sum.closes
