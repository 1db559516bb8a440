"""Converts parsed events into the lake's columns, many at once.

Building columns value by value would take most of ingestion's time. Therefore members with repeated values
are collected as numbers of their distinct values, and rows are sorted as numbers, before any text is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import astuple

from pharos import keys
from pharos.lake import parse, schema
from pharos.lake.parse import Envelope
from pharos.lake.payloads import payloads_of

Numbers: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


class Block:
    """Events of neighbouring lines of one log: one entry per event in each list."""

    def __init__(
        self,
        ids: list[bytes],
        events: list[Envelope],
        lines: list[int],
        moments: parse.Moments,
        texts: list[bytes | memoryview],
    ) -> None:
        """A block of regular events, with the JSON text of each."""
        self.ids, self.events, self.lines, self._texts = ids, events, lines, texts
        self._moments, self._odd_times = moments, list[str]()
        self.contexts = parse.contexts_of([event.context for event in events])

    def append(self, event_id: bytes, event: Envelope, line: int, time: str, text: bytes) -> None:
        """Add an irregular event with its UTC time and its JSON text."""
        self.ids.append(event_id)
        self.events.append(event)
        self.lines.append(line)
        self._odd_times.append(time)
        self._texts.append(text)
        self.contexts += parse.contexts_of([event.context])

    def text(self, number: int) -> str:
        """The JSON text of an event."""
        return str(self._texts[number], "utf-8")

    @property
    def irregular(self) -> range:
        """Numbers of the irregular events."""
        return range(len(self._moments), len(self.events))

    def drop(self, positions: Sequence[int]) -> None:
        """Remove regular events."""
        for entries in (self.ids, self.events, self.lines, self._texts, self.contexts):
            for position in reversed(positions):
                del entries[position]
        self._moments = np.delete(self._moments, positions)

    @cached_property
    def times(self) -> parse.Moments:
        """The times of the events (UTC)."""
        return np.concatenate([self._moments, np.array(self._odd_times, "datetime64[us]")])


class Rows:
    """Events in reading order, as columns; each block of a log is converted as soon as it is read."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self.raws: dict[bytes, str] = {}  # id -> the event's own text, for irregular events
        self._times: list[Numbers] = []
        self._lines: list[Numbers] = []
        self._members = {member: Distinct() for member in parse.TEXT_MEMBERS}
        self._actors, self._pages, self._names = Distinct(), Distinct(), Distinct()
        self._payloads: list[pa.Array] = []
        self._payloads_are_text: list[pa.Array] = []
        self._payloads_are_objects: list[pa.Array] = []
        self._contexts: list[pa.Array] = []

    def add(self, block: Block, name: str) -> None:
        """Add the events of a block of the log `name`."""
        events, contexts = block.events, block.contexts
        self.ids += block.ids
        self._times.append(block.times)
        self._lines.append(np.array(block.lines, np.int64))
        for values, texts in zip(
            self._members.values(), zip(*map(astuple, events), strict=True), strict=False
        ):
            values.add(texts)
        self._actors.add(contexts)
        self._pages.add([
            _course_of_event(event) if context.may_use_url else context.course_id
            for context, event in zip(contexts, events, strict=True)
        ])  # fmt: skip
        self._names.add([name] * len(events))
        payloads = payloads_of([event.event for event in events])
        self._payloads.append(pa.array(payloads.texts, pa.string()))
        self._payloads_are_text.append(pa.array(payloads.are_text, pa.bool_()))
        self._payloads_are_objects.append(pa.array(payloads.are_objects, pa.bool_()))
        for number in {*block.irregular, *payloads.rewritten}:
            self.raws[block.ids[number]] = block.text(number)
        self._contexts.append(_json_text([event.context for event in events]))

    def days(self) -> Iterator[tuple[date, pa.Table]]:
        """Each UTC date with its events: the columns of `schema.EVENTS`, in the order `schema.SORTED_BY`."""
        times = np.concatenate(self._times)
        days = times.astype("datetime64[D]")
        ids = np.frombuffer(b"".join(self.ids), np.dtype(">u8")).reshape(-1, 2)
        ranks = self._pages.ranks()
        groups = (days - days.min()).astype(np.int64) * (ranks.max() + 1) + ranks
        order = np.lexsort((ids[:, 0], times, groups))  # the half of an id tells events of one moment apart
        lines = np.concatenate(self._lines)
        payloads, contexts = pa.concat_arrays(self._payloads), pa.concat_arrays(self._contexts)
        are_text = pa.concat_arrays(self._payloads_are_text)
        are_objects = pa.concat_arrays(self._payloads_are_objects)
        absent = self._absent(payloads, contexts)
        for rows in np.split(order, np.flatnonzero(np.diff(days[order])) + 1):
            row_numbers = pa.array(rows)
            columns = {
                member: values.column(rows, _stripped if member == "username" else _present)
                for member, values in self._members.items()
            }
            columns |= {
                "event_id": _hexadecimal(ids[rows]),
                "time": pa.array(times[rows]),
                "user_id": self._actors.integers(rows, attrgetter("user_id")),
                "course_id": self._actors.column(rows, attrgetter("course_id")),
                "page_course_id": self._pages.column(rows),
                "org_id": self._pages.column(rows, keys.organisation),
                "payload": payloads.take(row_numbers),
                "payload_is_text": are_text.take(row_numbers),
                "payload_is_object": are_objects.take(row_numbers),
                "context": contexts.take(row_numbers),
                "absent": absent.column(rows, _member_names),
                "raw": self._raws_of(rows),
                "source": self._names.column(rows),
                "line": pa.array(lines[rows]),
            }
            # All data files must say alike which columns may be null, or they could not be merged.
            fields = [field.with_type(columns[field.name].type).remove_metadata() for field in schema.EVENTS]
            yield days[rows[0]].astype(date), pa.table(columns, schema=pa.schema(fields))

    def _raws_of(self, rows: Numbers) -> pa.Array:
        """The original text of the irregular events among these."""
        if not self.raws:
            return pa.nulls(len(rows), pa.string())
        return pa.array(map(self.raws.get, map(self.ids.__getitem__, rows.tolist())), pa.string())

    def _absent(self, payloads: pa.Array, contexts: pa.Array) -> Distinct:
        """The members that each event lacks, as bits of an integer."""
        absent = np.zeros(len(payloads), np.int64)
        for member, values in self._members.items():
            absent |= values.are(UNSET).astype(np.int64) << _bit(member)
        for member, texts in (("context", contexts), ("event", payloads)):
            # A null of these two is a missing member: JSON null is the text `null`.
            absent |= texts.is_null().to_numpy(zero_copy_only=False).astype(np.int64) << _bit(member)
        return Distinct(absent.tolist())


class Distinct:
    """Values as numbers of their distinct values, in order of appearance."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._number_of = _Numbers()
        self._blocks: list[Numbers] = []
        self.add(values)

    def add(self, values: Iterable[Any]) -> None:
        """Append values."""
        self._blocks.append(np.fromiter(map(self._number_of.__getitem__, values), np.int32))

    @property
    def _numbers(self) -> Numbers:
        self._blocks = [np.concatenate(self._blocks)]
        return self._blocks[0]

    def are(self, value: object) -> Numbers:
        """A boolean per row: true if the row has this value."""
        return np.equal(self._numbers, self._number_of.get(value, -1))

    def ranks(self) -> Numbers:
        """The numbers of the values in their order, null as the empty text."""
        texts = [value or "" for value in self._number_of]
        ranks = {text: rank for rank, text in enumerate(sorted(set(texts)))}
        return np.array([ranks[text] for text in texts], np.int32)[self._numbers]

    def integers(self, rows: Numbers, change: Callable[[Any], int | None]) -> pa.Array:
        """An integer column of these rows, each value changed by `change`."""
        values = pa.array(map(change, self._number_of), pa.int64())
        return values.take(pa.array(self._numbers[rows]))

    def column(self, rows: Numbers, change: Callable[[Any], str | None] | None = None) -> pa.Array:
        """A text column of these rows, each value changed by `change`."""
        numbers, distinct = self._numbers[rows], list(self._number_of)
        is_used = np.zeros(len(distinct), np.bool_)
        is_used[numbers] = True
        values = [distinct[number] for number in np.flatnonzero(is_used).tolist()]
        if change is not None:
            values = list(map(change, values))
        numbers = (np.cumsum(is_used, dtype=np.int32) - np.int32(1))[numbers]
        # Parquet takes nulls among the rows, not among the distinct values.
        is_null = np.array([value is None for value in values], np.bool_)[numbers]
        texts = pa.array([value or "" for value in values], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(numbers, mask=is_null), texts)


class _Numbers(dict[Any, int]):
    """Gives each new key the next number."""

    def __missing__(self, key: Any) -> int:
        number = self[key] = len(self)
        return number


def _course_of_event(event: Envelope) -> str | None:
    """The course of an event whose context has none. `spec 01 §1.5 R-COURSE-URL`"""
    return keys.course_id_of_url(parse.address_of(event)) or parse.course_id_of_payload(event)


def _present(text: parse.Text) -> str | None:
    return None if text is UNSET else text


def _stripped(name: parse.Text) -> str | None:
    text = _present(name)
    return text.strip() or None if text else None


def _bit(member: str) -> int:
    return parse.MEMBERS.index(member)


def _json_text(texts: list[Raw | UnsetType]) -> pa.Array:
    """JSON as it was written; null for a missing member. The bytes are known to be UTF-8."""
    known = [b"" if text is UNSET else text for text in texts]
    lengths = np.fromiter(map(len, known), np.int32)
    offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int32)), dtype=np.int32)
    _, is_there = pa.array(lengths > 0).buffers()
    return pa.StringArray.from_buffers(
        len(known), pa.py_buffer(offsets), pa.py_buffer(b"".join(known)), is_there
    )


def _member_names(bits: int) -> str:
    return ",".join(member for bit, member in enumerate(parse.MEMBERS) if bits >> bit & 1)


def _hexadecimal(ids: Numbers) -> pa.Array:
    """Event ids of 16 bytes as text of 32 digits."""
    digits = ids.tobytes().hex().encode()
    offsets = np.arange(0, len(digits) + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets), pa.py_buffer(digits))


def halves(ids: pa.Array) -> Numbers:
    """Event ids of 32 hexadecimal digits as rows of two unsigned halves."""
    joined = pc.binary_join(pa.ListArray.from_arrays([0, len(ids)], ids), "")
    text = joined[0].as_py() if len(ids) else ""
    return np.frombuffer(bytes.fromhex(text), np.dtype(">u8")).reshape(-1, 2)
