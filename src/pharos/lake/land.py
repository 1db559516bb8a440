"""Some logs in, staged Parquet files out: the part of ingestion that runs on many processors or hosts.

A landing reads logs from given positions, parses their lines and writes events by UTC date, sorted, plus the
lines that are none. It changes nothing in the lake itself: `ingest.py` removes duplicates of what is already
there and commits. Columns are built whole, not value by value, because that is four times as fast.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash
from msgspec import UNSET, Raw
from msgspec.structs import astuple

from pharos import keys
from pharos.lake import parse, schema
from pharos.lake.parse import NO_CONTEXT, Context, Envelope, NotAnEvent
from pharos.lake.reader import ContentDigest, LineBlocks

PART_LINES = 100_000
PART_BYTES = 96 << 20
T = TypeVar("T")

SORTED_BY = ("page_course_id", "time", "event_id")
CLOSING_BRACE = ord("}")
LINE_END = ord("\n")
CLOCK_TOLERANCE = timedelta(minutes=5)  # a clock may be off by this much before an event is "of the future"
LANDING_BYTES = 2 << 30  # a longer log is landed in several turns, so that a crash loses little

# Columns whose values repeat; a dictionary for the others costs time and saves nothing.
_REPEATING = [
    "event_type", "name", "event_source", "username", "course_id", "page_course_id", "org_id", "ip",
    "session", "agent", "host", "page", "referer", "accept_language", "absent", "source",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Where to read on in which log."""

    source: str  # the log's key in the ledger
    name: str  # what the columns `source` say
    path: str
    position: int = 0  # bytes of content already consumed
    lines: int = 0  # lines already consumed
    chain: str = ""  # state of the digest at the last multiple of its step before `position`
    is_line_open: bool = False  # whether the last consumed line lacked its line end


@dataclass(kw_only=True, eq=False)
class Progress:
    """What one reading found: positions are absolute, counts are those of this reading alone."""

    source: str
    position: int
    chain: str
    digest: str
    is_line_open: bool
    is_finished: bool  # False: more to read in another turn
    lines: int = 0
    events: int = 0  # parsed; duplicates included
    duplicates: int = 0  # of events of the same landing
    blank: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    tail: str | None = None  # beginning of a last line that is cut off: counted once more when it grows
    odd_course: int = 0
    future: int = 0
    newest: datetime | None = None
    damage: str | None = None


@dataclass(frozen=True)
class DataFile:
    """A Parquet file of events of one UTC date."""

    path: str
    date: date
    rows: int
    oldest: datetime
    newest: datetime
    digest: int  # sum of the event ids modulo 2**64: the same for any order and any split


@dataclass(frozen=True)
class Landed:
    """All that a landing made, in its own staging folder."""

    progress: list[Progress]
    events: list[DataFile]
    quarantine: str | None


def land(readings: list[Reading], staging: Path, now: datetime) -> Landed:
    """Read the logs from their positions, write what they hold below `staging`.

    `now` (UTC, naive) is only there to report events of the future. Bad lines never raise.
    """
    staging.mkdir(parents=True, exist_ok=True)
    writer = _Writer(staging, now)
    progress = [_read(reading, writer) for reading in readings]
    writer.flush()
    return Landed(progress, writer.files, writer.write_quarantine())


def _read(reading: Reading, writer: _Writer) -> Progress:
    known = reading.position - reading.position % ContentDigest.STEP
    digest = ContentDigest(reading.chain, known)
    progress = Progress(
        source=reading.source, position=reading.position, chain=reading.chain, digest="", is_finished=True,
        is_line_open=reading.is_line_open,
    )  # fmt: skip
    lines = _Lines(reading, progress, writer)
    blocks = LineBlocks(Path(reading.path), known)
    skip = reading.position - known
    for block in blocks:
        new = block[skip:] if skip else block
        digest.update(block)
        skip = max(0, skip - len(block))
        lines.take(new)
        if progress.position + len(new) - reading.position >= LANDING_BYTES:
            progress.is_finished = False
        progress.position += len(new)
        if not progress.is_finished:
            break
    else:
        rest = blocks.rest[skip:]
        digest.update(blocks.rest[:skip])
        if rest and lines.take_last(rest):
            digest.update(rest)
            progress.position += len(rest)
        progress.damage = blocks.damage
    progress.chain, progress.digest = digest.chain, digest.value
    return progress


class _Lines:
    """Takes the lines of one reading, block by block: counts them, hands events and others to the writer."""

    def __init__(self, reading: Reading, progress: Progress, writer: _Writer) -> None:
        self._name, self._line = reading.name, reading.lines
        self._progress, self._writer = progress, writer

    def take(self, block: bytes) -> None:
        """Whole lines, the last one with its line end."""
        ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == LINE_END).tolist()
        start = 0
        if self._progress.is_line_open and block:
            # The line that ended the log when it was read last has got its line end since.
            self._progress.is_line_open = False
            if not block[: ends[0]].strip():
                start = ends.pop(0) + 1
        self._take(block, start, ends)

    def take_last(self, line: bytes) -> bool:
        """The rest of the log, without line end: True if it was consumed, False if it may still grow."""
        if line.strip():
            try:
                parse.odd_envelope(line)
            except NotAnEvent:
                self._progress.tail = line[:2000].decode(errors="replace")
                return False
        self._take(line, 0, [len(line)])
        self._progress.is_line_open = True
        return True

    def _take(self, data: bytes, start: int, ends: list[int]) -> None:
        """The hot loop: one turn a line."""
        rows = _Rows()
        view, find, digest = memoryview(data), data.find, xxhash.xxh3_128_digest
        decode, canonical = parse.decode_envelope, parse.canonical_utc
        seen, add_id, add_event = self._writer.seen, rows.ids.append, rows.events.append
        add_time, add_line = rows.times.append, rows.lines.append
        line, blank, duplicates = self._line, 0, 0
        for end in ends:
            line += 1
            brace = find(b"{", start, end)
            if brace < 0:
                if data[start:end].strip():
                    self._take_odd(rows, b"", data[start:end], line)
                else:
                    blank += 1
                start = end + 1
                continue
            json = view[brace:end] if data[end - 1] == CLOSING_BRACE else data[brace:end].rstrip()
            event_id = digest(json)
            if event_id in seen:
                duplicates += 1
            else:
                try:
                    event = decode(json)
                    utc = canonical(event.time)
                except parse.IRREGULAR:
                    self._take_odd(rows, event_id, data[start:end], line)
                else:
                    seen.add(event_id)
                    add_id(event_id)
                    add_event(event)
                    add_time(utc)
                    add_line(line)
            start = end + 1
        progress = self._progress
        progress.lines += line - self._line
        progress.blank += blank
        progress.duplicates += duplicates
        progress.events += duplicates + len(rows.ids)
        self._line = line
        if rows.ids:
            self._writer.add(rows.table(self._name, progress, self._writer.now))

    def _take_odd(self, rows: _Rows, event_id: bytes, line: bytes, number: int) -> None:
        """Take a line over that is not regular: an event that keeps its text, or no event."""
        try:
            event, raw = parse.odd_envelope(line)
            utc = parse.required_utc(event.time)
        except NotAnEvent as error:
            self._progress.quarantined[error.reason] += 1
            self._writer.refuse(self._name, number, error.reason, line)
        else:
            self._writer.seen.add(event_id)
            rows.raws[len(rows.ids)] = raw
            rows.ids.append(event_id)
            rows.events.append(event)
            rows.times.append(utc)
            rows.lines.append(number)


class _Rows:
    """The events of one block, not yet in columns."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self.events: list[Envelope] = []
        self.times: list[str] = []
        self.lines: list[int] = []
        self.raws: dict[int, str] = {}  # row -> the event's own text, for irregular events

    def table(self, name: str, progress: Progress, now: datetime) -> pa.Table:
        """The columns of `schema.EVENTS`; reports what they show to `progress`."""
        times = np.array(self.times, dtype="datetime64[us]")
        members = dict(zip(parse.MEMBERS, zip(*map(astuple, self.events), strict=True), strict=True))
        contexts = [NO_CONTEXT if text is UNSET else parse.context_of(text) for text in members["context"]]
        newest = times.max().astype(datetime)
        progress.newest = max(newest, progress.newest or newest)
        progress.future += int((times > np.datetime64(now + CLOCK_TOLERANCE)).sum())
        progress.odd_course += sum(context.is_odd for context in contexts)
        columns = self._members(members) | _courses(contexts, members)
        columns["event_id"] = _fixed_text(b"".join(self.ids).hex().encode(), 32)
        columns["time"] = pa.array(times)
        columns["user_id"] = pa.array([context.user_id for context in contexts], pa.int64())
        columns["raw"] = pa.array([self.raws.get(row) for row in range(len(times))], pa.string())
        columns["source"] = pa.array([name] * len(times), pa.string())
        columns["line"] = pa.array(self.lines, pa.int64())
        return pa.table([columns[name] for name in schema.EVENTS.names], schema=_unannotated(schema.EVENTS))

    def _members(self, members: dict[str, tuple[Any, ...]]) -> dict[str, pa.Array]:
        """The columns that are members of the envelope, and which members it lacks."""
        absent = np.zeros(len(self.ids), dtype=np.int64)
        for bit, (member, values) in enumerate(members.items()):
            if UNSET in values:
                absent |= np.fromiter((value is UNSET for value in values), np.int64, len(values)) << bit
                members[member] = tuple(None if value is UNSET else value for value in values)
        columns = {member: pa.array(members[member], pa.string()) for member in parse.TEXT_MEMBERS}
        columns["username"] = pa.array(
            [name and (name.strip() or None) for name in members["username"]], pa.string()
        )
        columns["absent"] = _absent(absent)
        columns["context"] = pa.array([text and bytes(text) for text in members["context"]], pa.string())
        columns["payload"], columns["payload_is_text"] = _payload(members["event"])
        return columns


class _Writer:
    """Collects the events of all readings of a landing and writes them in parts."""

    def __init__(self, staging: Path, now: datetime) -> None:
        self.seen: set[bytes] = set()  # ids of the landing's events so far
        self.now = now
        self.files: list[DataFile] = []
        self._staging = staging
        self._tables: list[pa.Table] = []
        self._refused: list[tuple[str, int, str, bytes]] = []

    def add(self, events: pa.Table) -> None:
        """Events to be written with the next part; writes the part when enough has come together."""
        self._tables.append(events)
        if (
            sum(map(len, self._tables)) >= PART_LINES
            or sum(table.nbytes for table in self._tables) >= PART_BYTES
        ):
            self.flush()

    def refuse(self, name: str, line: int, reason: str, data: bytes) -> None:
        """One line that is no event."""
        self._refused.append((name, line, reason, data))

    def flush(self) -> None:
        """Write what has come together: one sorted file per UTC date."""
        if not self._tables:
            return
        table = pa.concat_tables(self._tables)
        self._tables = []
        table = table.append_column(schema.PARTITION, pc.cast(table["time"], pa.date32()))
        order = [(name, "ascending") for name in (schema.PARTITION, *SORTED_BY)]
        table = table.take(pc.sort_indices(table.select([name for name, _ in order]), sort_keys=order))
        for day, start, end in _runs(table[schema.PARTITION].to_pylist()):
            part = table.slice(start, end - start).drop_columns(schema.PARTITION)
            path = self._staging / f"{len(self.files):06d}.parquet"
            write(part, path)
            self.files.append(described(part, path, day))

    def write_quarantine(self) -> str | None:
        """The lines that are no events, as one file; None if there are none."""
        if not self._refused:
            return None
        path = self._staging / "quarantine.parquet"
        columns = list(zip(*self._refused, strict=True))
        pq.write_table(pa.table(columns, schema=_unannotated(schema.QUARANTINE)), path, compression="zstd")
        return str(path)


def described(events: pa.Table, path: Path, day: date) -> DataFile:
    """The record of a data file that holds these events."""
    time = events["time"]
    halves = [int(event_id[:16], 16) for event_id in events["event_id"].to_pylist()]
    return DataFile(
        str(path), day, len(events), pc.min(time).as_py(), pc.max(time).as_py(), sum(halves) % 2**64
    )


def write(events: pa.Table, path: Path) -> None:
    """A data file of the lake."""
    pq.write_table(
        events, path, compression="zstd", compression_level=1, use_dictionary=_REPEATING,
        write_statistics=["event_id", "time", "event_type", "user_id", "page_course_id"],
    )  # fmt: skip


def _courses(contexts: list[Context], members: dict[str, tuple[Any, ...]]) -> dict[str, pa.Array]:
    """The columns that say which course an event belongs to. `spec 01 §1.5 R-COURSE, R-COURSE-URL`."""
    addresses = map(parse.address_of, members["event_source"], members["event_type"], members["page"])
    pages = [
        context.course_id or (context.may_use_url and keys.course_id_of_url(address)) or None
        for context, address in zip(contexts, addresses, strict=True)
    ]
    return {
        "course_id": pa.array([context.course_id for context in contexts], pa.string()),
        "page_course_id": pa.array(pages, pa.string()),
        "org_id": pa.array(map(keys.organisation, pages), pa.string()),
    }


def _payload(values: tuple[Raw | None, ...]) -> tuple[pa.Array, pa.Array]:
    """The member `event` as text and whether it was a JSON string."""
    data = [None if value is None else bytes(value) for value in values]
    is_text = [value is not None and value[:1] == b'"' for value in data]
    texts = [parse.decode_text(value) if value and value[:1] == b'"' else value for value in data]
    return pa.array(texts, pa.string()), pa.array(is_text, pa.bool_())


def _fixed_text(data: bytes, width: int) -> pa.Array:
    """A string array of values that are all `width` bytes long."""
    offsets = np.arange(0, len(data) + 1, width, dtype=np.int32)
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))


def _absent(bits: np.ndarray[Any, np.dtype[np.int64]]) -> pa.Array:
    """Comma-separated names of the members whose bit is set."""
    kinds, codes = np.unique(bits, return_inverse=True)
    names = [
        ",".join(member for bit, member in enumerate(parse.MEMBERS) if kind >> bit & 1)
        for kind in kinds.tolist()
    ]
    return pa.array(names, pa.string()).take(pa.array(codes))


def _runs(values: Sequence[T]) -> Iterator[tuple[T, int, int]]:
    """(value, start, end) of each run of equal neighbours."""
    start = 0
    for end in range(1, len(values) + 1):
        if end == len(values) or (values[end] is not values[start] and values[end] != values[start]):
            yield values[start], start, end
            start = end


def _unannotated(annotated: pa.Schema) -> pa.Schema:
    """The schema without the columns' meanings, which belong into documentation, not into each file."""
    return annotated.remove_metadata()
