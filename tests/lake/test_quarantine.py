from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from tests.lake.harm import HARMS
from tests.lake.place import NOW, Place

from pharos.lake import collectors, land, parse, quarantine
from pharos.lake.damage import DataFilesDamaged
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
    assert not place.lake.staging.exists()

    sum_ = place.status.sum
    assert (sum_.events, sum_.duplicates, sum_.quarantined) == (
        2, 1, {"cut off at the end of the log": 1, "not JSON": 1},
    )  # fmt: skip
    assert sum_.closes
    events = {event["event_type"]: (event["line"], event["time"]) for event in place.events()}
    assert events["odd"] == (2, datetime(2024, 3, 1))
    assert [reason for _, reason, _ in place.quarantine()] == ["not JSON", "cut off at the end of the log"]
    assert _retry(place) == 0


@pytest.mark.usefixtures("log")
@pytest.mark.folder
@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_file_is_named_and_neither_judged_nor_shown(
    place: Place, harm: Callable[[random.Random, Path], None]
) -> None:
    [path] = place.lake.quarantine()
    for seed in range(20):
        whole = path.read_bytes()
        with pytest.raises(DataFilesDamaged, match=r"pharos lake repair"), place.lake.locked():  # noqa: PT012
            harm(random.Random(seed), path)
            retry(place.lake, NOW)
        with pytest.raises(DataFilesDamaged, match=path.name):
            place.quarantine()
        path.write_bytes(whole)


class _Held:
    """The most of each kind that was held when something was written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events = self.ids = self.lines = 0
        flush, flush_refused = land._Writer.flush, land._Writer._flush_refused  # noqa: SLF001

        def look(writer: land._Writer) -> None:
            self.events = max(self.events, len(writer.rows.ids))
            self.ids = max(self.ids, len(writer.seen))
            self.lines = max(self.lines, len(writer._refused))  # noqa: SLF001

        def looked_at(writer: land._Writer) -> None:
            look(writer)
            flush(writer)

        def looked_at_refused(writer: land._Writer) -> None:
            look(writer)
            flush_refused(writer)

        monkeypatch.setattr(land._Writer, "flush", looked_at)  # noqa: SLF001
        monkeypatch.setattr(land._Writer, "_flush_refused", looked_at_refused)  # noqa: SLF001


def _odd(number: int) -> bytes:
    return b'{"time":"first of March","event_type":"odd %d"}' % number


def test_much_is_judged_in_turns_that_hold_little(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two logs: every third line stays what it is, every line comes twice in the second."""
    monkeypatch.setattr(land, "REFUSED_LINES", 10)
    lines = [b"rubbish %d" % number if number % 3 == 0 else _odd(number) for number in range(300)]
    logs = [tmp_path / "tracking.log", tmp_path / "tracking.log-2"]
    logs[0].write_bytes(b"\n".join(lines) + b"\n")
    logs[1].write_bytes(b"".join(b"%s\n%s\n" % (line, line) for line in lines))
    place.read(*logs)
    before, files = place.quarantine(), len(place.lake.state.quarantine)
    assert (len(before), files) == (900, 90)

    number = place.lake.state.number
    read = parse.utc_text
    monkeypatch.setattr(
        parse, "utc_text", lambda text: "2024-03-01T00:00:00.000000" if text[0] == "f" else read(text)
    )
    monkeypatch.setattr(land, "PART_LINES", 20)
    monkeypatch.setattr(quarantine, "TURN_LINES", 100)
    held = _Held(monkeypatch)
    assert _retry(place) == 600
    assert held.events == 20
    assert held.ids <= 100 * 2 / 3 + 1
    assert held.lines == 10
    assert place.lake.state.number == number + 9
    assert place.quarantine() == [line for line in before if line[1] == "not JSON"]
    sum_ = place.status.sum
    assert (sum_.events, sum_.duplicates, sum_.quarantined) == (200, 400, {"not JSON": 300})
    assert sum_.closes
    assert sorted(event["event_type"] for event in place.events()) == sorted(
        f"odd {number}" for number in range(300) if number % 3
    )
    assert _retry(place) == 0
    assert place.lake.state.number == number + 9


@pytest.mark.parametrize("split", [9, 10])
def test_a_turn_does_not_end_between_the_parts_of_a_line(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: int
) -> None:
    """A release that knows no parts of lines is played by one that finds none."""
    monkeypatch.setattr(land, "REFUSED_LINES", 10)
    event = GOOD.strip()
    parts = [b"2024-03-01T10:00:00Z stdout P " + event[:30], b"2024-03-01T10:00:00Z stdout F " + event[30:]]
    lines = [b"rubbish %d" % number for number in range(30)]
    lines[split:split] = parts
    log = tmp_path / "tracking.log"
    log.write_bytes(b"\n".join(lines) + b"\n")
    with monkeypatch.context() as earlier:
        earlier.setattr(collectors, "part_of", lambda _line: None)
        place.read(log)
    assert len(place.quarantine()) == 32
    monkeypatch.setattr(quarantine, "TURN_LINES", 10)
    assert _retry(place) == 1
    assert [row["event_type"] for row in place.events()] == ["good"]
    assert [data for _, _, data in place.quarantine()] == [b"rubbish %d" % number for number in range(30)]
    sum_ = place.status.sum
    assert sum_.closes
    assert (sum_.events, sum_.lines) == (1, 31)


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
