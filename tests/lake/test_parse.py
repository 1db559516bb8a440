"""Every line of the table, read into a lake and read back on both engines."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lake.lines import LINES, Line
from tests.lake.place import Place

from pharos.engine import Engine
from pharos.lake import parse, schema
from pharos.lake.lake import Lake
from pharos.lake.rebuild import original

EVENTS = {number: line for number, line in enumerate(LINES, 1) if line.columns is not None}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "tracking.log"
    path.write_bytes(b"".join(line.data + b"\n" for line in LINES))
    return path


@pytest.fixture
def rows(engine: Engine, log: Path, tmp_path: Path) -> dict[int, dict[str, Any]]:
    """The events that became of the table, by line number, as the engine reads them."""
    place = Place(tmp_path / "lake", engine)
    place.read(log)
    table = engine.read(Lake(place.root).events(), schema.EVENTS)
    return {row["line"]: row for row in engine.fetch(table).to_pylist()}


def test_every_line_becomes_what_the_table_says_on_each_engine(rows: dict[int, dict[str, Any]]) -> None:
    assert sorted(rows) == sorted(EVENTS), "which lines are events"
    columns = set(schema.EVENTS.names) - {"event_id", "absent", "raw", "source", "line"}
    for number, line in EVENTS.items():
        row = rows[number]
        expected = {name: (line.columns or {}).get(name) for name in columns}
        assert {name: row[name] for name in columns} == expected, line.title
        assert (row["raw"] is not None) == line.is_kept_whole, line.title


def test_what_is_no_event_is_counted_and_kept(place: Place, log: Path) -> None:
    result = place.read(log)
    reasons = {number: line.reason for number, line in enumerate(LINES, 1) if line.reason is not None}
    assert {number: reason for number, reason, _ in place.quarantine()} == reasons
    assert {number: data for number, _, data in place.quarantine()} == {
        number: LINES[number - 1].data for number in reasons
    }
    total = place.status.sum
    assert total.lines == len(LINES) == result.lines
    assert total.events == len(EVENTS)
    assert total.quarantined == Counter(reasons.values())
    assert total.duplicates == sum(line.is_duplicate for line in LINES)
    assert total.blank == sum(line.data.strip() == b"" for line in LINES)
    assert total.closes


def test_the_table_is_large_and_has_no_title_twice() -> None:
    assert len(LINES) >= 150
    assert [title for title, count in Counter(line.title for line in LINES).items() if count > 1] == []


def test_each_row_gives_back_the_object_that_was_written(place: Place, log: Path) -> None:
    place.read(log)
    for row in place.events():
        line = LINES[row["line"] - 1]
        if b"7" * 5000 not in line.data and b"1" * 5000 not in line.data:  # more than Python's json reads
            assert written(original(row)) == written(parsed(line)), line.title


def parsed(line: Line) -> Any:
    text = line.data.decode()
    return json.loads(text[text.index("{") :].rstrip())


def written(value: Any) -> str:
    """JSON text, for NaN is not equal to NaN."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"])
def test_time_has_no_beginning_and_no_end_but_the_calendar_s(place: Place, tmp_path: Path, time: str) -> None:
    (tmp_path / "tracking.log").write_text(f'{{"name":"x","time":"{time}+00:00"}}\n')
    place.read(tmp_path / "tracking.log")
    assert [row["time"].isoformat() for row in place.events()] == [time]


# --- The short way for regular events must not differ from the long one ---------------------------------

written_times = st.from_regex(
    r"\A\d{4}[-.]?(\d\d|W\d)-?\d{1,2}[T ]\d\d:?\d\d(:?\d\d)?([.,]\d{0,7})?(Z|[+-]\d\d:?\d\d){0,2}\Z",
    alphabet="0123456789-.:,TWZ+ ",
)


times = written_times | st.datetimes().map(lambda time: time.isoformat() + "+00:00")
names = st.sampled_from(["ana", "", " ana", None])


@given(st.lists(st.tuples(times, names), min_size=1, max_size=4))
def test_an_event_the_short_way_accepts_is_the_same_the_long_way(
    written: list[tuple[str, str | None]],
) -> None:
    lines = [json.dumps({"name": "x", "time": time, "username": name}).encode() for time, name in written]
    events, found = parse.regular_events(lines)
    moments = iter(found.tolist())
    assert events == [parse.regular_events([line])[0][0] for line in lines], "judged together and alone"
    for (time, name), event in zip(written, events, strict=True):
        if event is not None:
            assert (event.time, event.username) == (time, name)
            assert parse.required_utc(time) == next(moments).isoformat(timespec="microseconds")
            assert name is not None
            assert name == name.strip()
    assert not list(moments)


def test_the_usual_event_is_regular() -> None:
    usual = {"event_type": "x", "time": "2024-03-01T09:00:00.000100+00:00", "username": "ana"}
    whole_second = usual | {"time": "2024-03-01T09:00:00+00:00"}
    lines = [json.dumps(event).encode() for event in (usual, whole_second)]
    assert None not in parse.regular_events(lines)[0]


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)), st.integers(-1439, 1439))
def test_offsets_are_converted(utc: datetime, minutes: int) -> None:
    local = utc + timedelta(minutes=minutes)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{local.isoformat()}{sign}{hours:02}:{rest:02}"
    assert parse.utc_text(text) == utc.isoformat(timespec="microseconds")


@given(st.text())
def test_any_text_is_a_time_or_none(text: str) -> None:
    assert parse.utc_text(text) is None or datetime.fromisoformat(str(parse.utc_text(text)))
