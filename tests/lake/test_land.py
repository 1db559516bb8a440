"""No line of any bytes ends a run, alters its neighbours or is missing from the sum."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lake import naive
from tests.lake.place import Place
from tests.lake.strategies import any_lines, regular

from pharos.engine import Engine
from pharos.lake import land, parse, reader
from pharos.lake.parse import Reason

GARBAGE = b"x" * (10 << 20)


def read_log(place: Place, folder: Path, content: bytes) -> None:
    (folder / "tracking.log").write_bytes(content)
    place.read(folder / "tracking.log")


@settings(max_examples=150, deadline=None)
@given(
    drawn=st.lists(any_lines, min_size=1, max_size=12),
    blank=st.sampled_from([b"\n", b" \n", b"\t\r\n", b"\x0b\x0c\n"]) | st.none(),
    is_ended=st.booleans(),
    many=st.sampled_from([0, land.MANY_LINES]),
)
def test_lines_of_any_bytes(
    embedded: Engine, drawn: list[bytes], blank: bytes | None, many: int, *, is_ended: bool
) -> None:
    between = b"" if blank is None else blank * 300  # then lines are short on average
    content = between.join(line + b"\n" for line in [regular(1), *drawn, regular(2)])
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(land, "MANY_LINES", many)
        place = Place(Path(folder) / "lake", embedded)
        read_log(place, Path(folder), content if is_ended else content[:-1])
        expected = naive.count([content])
        events = {row["event_id"]: row for row in place.events()}
        seen = {key: {name: row[name] for name in expected.events[key]} for key, row in events.items()}
        assert seen == expected.events
        total = place.status.sum
        assert (total.lines, total.blank, sum(total.quarantined.values()), total.duplicates) == (
            expected.lines, expected.blank, expected.refused, expected.duplicates,
        )  # fmt: skip
        refused = {number: data for number, _, data in place.quarantine()}
        assert all(content.split(b"\n")[number - 1] == data for number, data in refused.items())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GARBAGE, Reason.NOT_JSON),
        (b"[" * (10 << 20), Reason.NOT_JSON),
        (b"{" * (10 << 20), Reason.NOT_JSON),
        (b'{"a":' * (1 << 20) + b"1" + b"}" * (1 << 20), Reason.NOT_JSON),
        (b"\xff" * (10 << 20), Reason.NOT_UTF8),
        (b"\0" * (10 << 20), Reason.NOT_JSON),
        (b'{"name":"x","time":"2024-03-02T09:00:00+00:00","page":"' + GARBAGE + b'"}', None),
        (b'{"time":"2024-03-02T09:00:00+00:00","event":"' + b"\\u00e9" * (1 << 20) + b'"}', None),
        (b'{"time":"2024-03-02T09:00:00+00:00","event":' + b"9" * (10 << 20) + b"}", None),
        (GARBAGE + b'{"name":"x","time":"2024-03-02T09:00:00+00:00"}', None),
    ],
    ids=[
        "garbage", "brackets", "braces", "nested objects", "not UTF-8", "NUL", "long page", "long payload",
        "long number", "long prefix",
    ],
)  # fmt: skip
def test_a_line_of_ten_megabytes(place: Place, tmp_path: Path, line: bytes, reason: Reason | None) -> None:
    read_log(place, tmp_path, b"\n".join([regular(1), line, regular(2), b""]))
    assert place.status.sum.lines == 3
    assert [row["line"] for row in place.events()] == ([1, 3] if reason else [1, 2, 3])
    assert [(number, why) for number, why, _ in place.quarantine()] == ([(2, reason)] if reason else [])


@pytest.mark.parametrize("blank", [b"\n", b" \r\n"])
def test_millions_of_blank_lines_are_counted_without_being_parsed(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blank: bytes
) -> None:
    """Two hundred megabytes in as many kilobytes; a gigabyte takes five times as long."""
    parsed: list[int] = []
    regular_events = parse.regular_events

    def watched(texts: list[bytes | memoryview]) -> Any:
        parsed.append(len(texts))
        return regular_events(texts)

    monkeypatch.setattr(parse, "regular_events", watched)
    number = (200 << 20) // len(blank)
    with gzip.open(tmp_path / "tracking.log.gz", "wb", compresslevel=1) as log:
        log.write(regular(1) + b"\n")
        for _ in range(100):
            log.write(blank * (number // 100))
        log.write(regular(2) + b"\n")
    place.read(tmp_path / "tracking.log.gz")
    total = place.status.sum
    blanks = number // 100 * 100
    assert (total.lines, total.blank, total.events) == (blanks + 2, blanks, 2)
    assert [row["line"] for row in place.events()] == [1, blanks + 2]
    assert sum(parsed) == 2


@pytest.mark.parametrize("is_ended", [True, False])
def test_a_line_too_long_to_be_kept(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_ended: bool
) -> None:
    monkeypatch.setattr(reader, "LONGEST_LINE_BYTES", 1 << 20)
    end = b"\n" + regular(2) + b"\n" if is_ended else b""
    read_log(place, tmp_path, regular(1) + b"\n" + b"y" * (12 << 20) + end)
    assert [row["line"] for row in place.events()] == ([1, 3] if is_ended else [1])
    assert place.quarantine() == [(2, Reason.TOO_LONG, b"y" * reader.HEAD_BYTES)]
    assert place.status.sum.closes
    assert place.read(tmp_path / "tracking.log").lines == 0


def test_a_log_of_many_parts_and_turns(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small limits in place of a log of gigabytes: nothing is lost or doubled where one part ends."""
    monkeypatch.setattr(land, "PART_LINES", 7)
    monkeypatch.setattr(land, "LANDING_BYTES", 500)
    monkeypatch.setattr(reader, "BLOCK_BYTES", 300)
    content = b"".join(regular(number) + b"\n" for number in [*range(60), *range(20), *range(60, 80)])
    read_log(place, tmp_path, content)
    assert place.lake.state.number > 10
    assert {row["host"] for row in place.events()} == {str(number) for number in range(80)}
    total = place.status.sum
    assert (total.lines, total.events, total.duplicates) == (100, 80, 20)
    (tmp_path / "tracking.log.gz").write_bytes(gzip.compress(content))
    assert place.read(tmp_path / "tracking.log.gz").lines == 0


@pytest.mark.parametrize("content", [b"", b"\n", b"\n\n \n", b"\r\n" * 5, b"   "])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_log_without_anything(place: Place, tmp_path: Path, content: bytes, pack: type[bytes]) -> None:
    read_log(place, tmp_path, pack(content))
    total = place.status.sum
    assert (total.lines, total.blank, total.events) == (content.count(b"\n"), content.count(b"\n"), 0)
    assert place.read(tmp_path / "tracking.log").lines == 0


def test_events_of_the_future_and_of_unknown_courses_are_kept_and_reported(
    place: Place, tmp_path: Path
) -> None:
    read_log(
        place, tmp_path,
        b'{"name":"x","time":"2024-06-01T00:05:00+00:00"}\n'
        b'{"name":"x","time":"2024-06-01T00:05:00.000001+00:00"}\n'
        b'{"name":"x","time":"2024-03-02T09:00:00+00:00","context":{"course_id":"what:is+this"}}\n',
    )  # fmt: skip
    (log,) = place.status.logs
    assert (log.sum.events, log.future, log.odd_course) == (3, 1, 1)


def test_many_short_lines_are_refused_at_once_and_each_is_kept(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a thousand million of them come in a megabyte of gzip: looked at one by one they took hours."""
    pattern = [b"x", b"{}", b"", b"\xff", b"  ", b"null", b"5\r"]
    content = b"\n".join(pattern * 30_000 + [regular(1), b"y", b""])
    monkeypatch.setattr(parse, "regular_events", few_lines(parse.regular_events))
    read_log(place, tmp_path, content)
    expected = [
        (7 * turn + number, reason, line)
        for turn in range(30_000)
        for number, line, reason in (
            (1, b"x", Reason.NOT_JSON), (2, b"{}", Reason.NO_TIME), (4, b"\xff", Reason.NOT_UTF8),
            (6, b"null", Reason.NOT_OBJECT), (7, b"5\r", Reason.NOT_OBJECT),
        )
    ]  # fmt: skip
    assert place.quarantine() == [*expected, (210_002, Reason.NOT_JSON, b"y")]
    total = place.status.sum
    assert (total.lines, total.events, total.blank) == (210_002, 1, 60_000)
    assert total.closes


def few_lines(events: Callable[..., Any]) -> Callable[..., Any]:
    """The parser, which must not be asked about many lines."""

    def asked(texts: list[Any]) -> Any:
        assert len(texts) < 1000
        return events(texts)

    return asked


def test_many_lines_that_are_no_events_are_written_in_pieces(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(land, "REFUSED_LINES", 2)
    lines = [b"rubbish that is long, and the same", b"another one, that is long as well"] * 3
    read_log(place, tmp_path, b"\n".join([*lines, b""]))
    assert len(place.lake.state.quarantine) == 3
    assert [line for _, _, line in place.quarantine()] == lines


def test_the_end_of_a_line_in_parts_may_have_been_rubbish_before(place: Place, tmp_path: Path) -> None:
    """Why a line was refused is remembered, but not of what may belong to another line."""
    first, last = regular(1)[:40], regular(1)[40:]
    head = b"2024-03-05T10:00:01.1Z stdout "
    read_log(
        place, tmp_path, b"\n".join([head + b"F " + last, head + b"P " + first, head + b"F " + last, b""])
    )
    assert len(place.events()) == 1
    assert [number for number, _, _ in place.quarantine()] == [1]
