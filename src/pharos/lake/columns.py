"""Parsed events into the lake's columns, many at once.

This is where most of ingestion's time would go if columns were built value by value: members whose values
repeat are collected as numbers of their distinct values, and rows are put in order as numbers, before any
text is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from msgspec import UNSET, Raw, UnsetType

from pharos import keys
from pharos.lake import parse, schema
from pharos.lake.parse import NO_CONTEXT, Context, Envelope

CLOCK_TOLERANCE = timedelta(minutes=5)  # a clock may be off by this much before an event is "of the future"

Numbers: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


class Rows:
    """Events not yet in columns: one entry per event in each list."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self.events: list[Envelope] = []
        self.times: list[str] = []
        self.lines: list[int] = []
        self.names: list[str] = []
        self.contexts: list[Context] = []
        self.raws: dict[bytes, str] = {}  # id -> the event's own text, for irregular events

    def complete(self, name: str) -> tuple[list[str], list[Context]]:
        """Add what belongs to the events added last, all of the log of this name; give times and contexts."""
        first = len(self.names)
        contexts = [
            NO_CONTEXT if event.context is UNSET else parse.context_of(event.context)
            for event in self.events[first:]
        ]
        self.contexts += contexts
        self.names += [name] * len(contexts)
        return self.times[first:], contexts

    def table(self) -> pa.Table:
        """The columns of `schema.EVENTS` and the date, in the order of the date and `schema.SORTED_BY`."""
        times = np.array(self.times, dtype="datetime64[us]")
        days = times.astype("datetime64[D]")
        pages = Distinct(
            context.course_id or (context.may_use_url and _course_of_address(event)) or None
            for context, event in zip(self.contexts, self.events, strict=True)
        )
        ids = np.frombuffer(b"".join(self.ids), np.dtype(">u8")).reshape(-1, 2)
        order = np.lexsort((ids[:, 1], ids[:, 0], times, pages.ranks(), days))
        rows = order.tolist()
        columns = self._members(order, rows)
        columns["event_id"] = _hexadecimal(ids[order])
        columns["time"] = pa.array(times[order])
        columns["user_id"] = pa.array([self.contexts[row].user_id for row in rows], pa.int64())
        columns["course_id"] = Distinct(context.course_id for context in self.contexts).column(order)
        columns["page_course_id"] = pages.column(order)
        columns["org_id"] = pages.column(order, keys.organisation)
        columns["raw"] = pa.array([self.raws.get(self.ids[row]) for row in rows], pa.string())
        columns["source"] = Distinct(self.names).column(order)
        columns["line"] = pa.array(np.array(self.lines, np.int64)[order])
        columns[schema.PARTITION] = pa.array(days[order])
        # All data files must say alike which columns may be null, or they could not be merged.
        fields = [field.with_type(columns[field.name].type).remove_metadata() for field in schema.EVENTS]
        fields.append(pa.field(schema.PARTITION, pa.date32()))
        return pa.table(columns, schema=pa.schema(fields))

    def _members(self, order: Numbers, rows: list[int]) -> dict[str, pa.Array]:
        """The columns that are members of the envelope, and which members it lacks."""
        absent = np.zeros(len(rows), np.int64)
        columns: dict[str, pa.Array] = {}
        for member in parse.TEXT_MEMBERS:
            values = Distinct(map(attrgetter(member), self.events))
            absent |= values.are(UNSET).astype(np.int64) << _bit(member)
            columns[member] = values.column(order, _stripped if member == "username" else _present)
        payload, columns["payload_is_text"] = _payload([self.events[row].event for row in rows])
        columns["context"] = _json_text([self.events[row].context for row in rows])
        columns["payload"] = payload
        for member, column in (("context", columns["context"]), ("event", payload)):
            # A null of these two is a missing member: JSON null is the text `null`.
            absent[order] |= column.is_null().to_numpy(zero_copy_only=False).astype(np.int64) << _bit(member)
        columns["absent"] = Distinct(absent.tolist()).column(order, _member_names)
        return columns


class Distinct:
    """Values as numbers of their distinct values, in order of appearance."""

    def __init__(self, values: Iterable[Any]) -> None:
        numbers = _Numbers()
        self._numbers = np.array(list(map(numbers.__getitem__, values)), np.int32)
        self._values = list(numbers)

    def are(self, value: object) -> Numbers:
        """Where this value stands."""
        found = [number for number, other in enumerate(self._values) if other is value]
        return self._numbers == found[0] if found else np.zeros(len(self._numbers), np.bool_)

    def ranks(self) -> Numbers:
        """The numbers of the values in their order, null as the empty text."""
        texts = [value or "" for value in self._values]
        ranks = {text: rank for rank, text in enumerate(sorted(set(texts)))}
        return np.array([ranks[text] for text in texts], np.int32)[self._numbers]

    def column(self, order: Numbers, change: Callable[[Any], str | None] | None = None) -> pa.Array:
        """A text column in this order of rows, each value changed by `change`."""
        values = self._values if change is None else [change(value) for value in self._values]
        numbers = self._numbers[order]
        # Parquet takes nulls among the rows, not among the distinct values.
        is_null = np.array([value is None for value in values], np.bool_)[numbers]
        texts = pa.array([value or "" for value in values], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(numbers, mask=is_null), texts)


class _Numbers(dict[Any, int]):
    """Gives each new key the next number."""

    def __missing__(self, key: Any) -> int:
        number = self[key] = len(self)
        return number


def _course_of_address(event: Envelope) -> str | None:
    """`spec 01 §1.5 R-COURSE-URL`."""
    return keys.course_id_of_url(parse.address_of(event))


def _present(text: parse.Text) -> str | None:
    return None if text is UNSET else text


def _stripped(name: parse.Text) -> str | None:
    text = _present(name)
    return text.strip() or None if text else None


def _bit(member: str) -> int:
    return parse.MEMBERS.index(member)


def _json_text(texts: list[Raw | UnsetType]) -> pa.Array:
    return pa.array([None if text is UNSET else bytes(text) for text in texts], pa.string())


def _payload(values: list[Raw | UnsetType]) -> tuple[pa.Array, pa.Array]:
    """The member `event` as JSON or as the text it is, and which of both."""
    data = [b"" if value is UNSET else bytes(value) for value in values]
    is_text = [value[:1] == b'"' for value in data]
    texts = [parse.decode_text(value) if value[:1] == b'"' else (value or None) for value in data]
    return pa.array(texts, pa.string()), pa.array(is_text, pa.bool_())


def _member_names(bits: int) -> str:
    return ",".join(member for bit, member in enumerate(parse.MEMBERS) if bits >> bit & 1)


def _hexadecimal(ids: Numbers) -> pa.Array:
    """Event ids of 16 bytes as text of 32 digits."""
    digits = ids.tobytes().hex().encode()
    offsets = np.arange(0, len(digits) + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets), pa.py_buffer(digits))


def is_future(time: str, now: datetime) -> bool:
    """Whether a UTC time, as text, is further ahead of the clock than clocks are usually off."""
    return time > (now + CLOCK_TOLERANCE).isoformat()
