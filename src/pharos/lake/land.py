"""Turns logs into staged Parquet files: the part of ingestion that runs on many processors or hosts.

A landing reads logs from given positions, parses their lines and writes events by UTC date, sorted, and the
quarantined lines. It changes nothing in the lake itself: `ingest.py` removes duplicates of events in the lake
and commits. Columns are built whole, because adding one value after the other is slower.
"""

from __future__ import annotations

import gc
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import compress
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import xxhash

from pharos.lake import collectors, data_files, parse
from pharos.lake.columns import Block, Numbers, Rows
from pharos.lake.data_files import QuarantinedLine
from pharos.lake.ledger import DataFile
from pharos.lake.lines import Lines, short_lines, without_blank
from pharos.lake.parse import NotAnEvent, Reason
from pharos.lake.reader import LONGEST_LINE_BYTES, ContentDigest, LineBlocks

CLOCK_TOLERANCE = timedelta(minutes=5)  # a clock may be off by this much before an event is "of the future"
PART_LINES = 150_000
PART_BYTES = 128 << 20  # what is held at once: a landing may read more
TAIL_SAMPLE = 2000  # characters kept of a cut-off last line

SHORT_LINE_BYTES = 16  # no event is as short: lines of fewer bytes on average are blank ones, or rubbish
MANY_LINES = 100_000  # of a block: more are not looked at one by one where they are that short
REFUSED_LINES = 500_000  # of quarantine, held at once
REMEMBERED_LINES, REMEMBERED_BYTES = 10_000, 1000  # distinct lines that are no events, of at most this length
LANDING_BYTES = 2 << 30  # a longer log is landed in several turns, so that a crash loses little


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A log to read, and the position to start from."""

    source: str  # the log's key in the ledger
    name: str  # what the columns `source` say
    path: str
    position: int = 0  # bytes of content already consumed
    lines: int = 0  # lines already consumed
    chain: str = ""  # state of the digest at the last multiple of its step before `position`
    digest: str = ""  # of the content up to `position`
    is_line_open: bool = False  # whether the last consumed line lacked its line end
    parts: dict[str, bytes] = field(default_factory=dict)  # by stream: a line whose last part is to come


@dataclass(kw_only=True, eq=False)
class Progress:
    """The outcome of one reading; positions are absolute, counts are those of this reading alone."""

    source: str
    position: int
    is_line_open: bool
    is_finished: bool  # False: more to read in another turn
    chain: str = ""
    digest: str = ""
    lines: int = 0  # several in one record of a collector are several, the parts of one are one
    file_lines: int = 0
    parts: dict[str, bytes] = field(default_factory=dict)  # by stream: a line whose last part is to come
    events: int = 0  # parsed; duplicates included
    duplicates: int = 0  # of events of the same landing
    blank: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    tail: str | None = None  # beginning of a last line that is cut off: counted once more when it grows
    odd_course: int = 0
    without_context: int = 0
    future: int = 0
    newest: datetime | None = None
    damage: str | None = None
    is_moved: bool = False  # whether the damage is a rotation


@dataclass(frozen=True)
class Landed:
    """The outcome of a landing, with its files in its own staging folder."""

    progress: list[Progress]
    events: list[DataFile]
    quarantine: list[str]  # files of lines that are none


def land(readings: list[Reading], staging: Path, now: datetime) -> Landed:
    """Read the logs from their positions; write their events into a new folder below `staging`.

    `now` (UTC, naive) is used only to report events in the future. Bad lines never raise.
    """
    folder = staging / uuid.uuid4().hex
    folder.mkdir(parents=True)
    was_collecting = gc.isenabled()
    # Millions of short-lived objects without a cycle: looking for cycles costs a tenth of the time.
    gc.disable()
    try:
        writer = _Writer(folder, now)
        progress = [_read(reading, writer) for reading in readings]
        writer.flush()
        return Landed(progress, writer.files, writer.quarantine)
    finally:
        if was_collecting:
            gc.enable()


class Retrial:
    """Judges lines that were no events once more, as `land` does, and holds as little as that at once."""

    def __init__(self, staging: Path, now: datetime) -> None:
        folder = staging / uuid.uuid4().hex
        folder.mkdir(parents=True)
        self._writer = _Writer(folder, now)
        self._logs: dict[str, _Lines] = {}

    @property
    def has_parts(self) -> bool:
        """True if parts of lines wait for their last part."""
        return any(log.progress.parts for log in self._logs.values())

    def judge(self, line: QuarantinedLine) -> None:
        """Take an event from the line, or put it back into quarantine."""
        if line.log not in self._logs:
            progress = Progress(source=line.log, position=0, is_line_open=False, is_finished=True)
            reading = Reading(source=line.log, name=line.source, path="")
            self._logs[line.log] = _Lines(reading, progress, self._writer)
        self._logs[line.log].take_again(line)
        self._writer.flush_if_full(len(line.data))

    def keep(self, line: QuarantinedLine) -> None:
        """Put a line back into quarantine as it is; it is counted nowhere."""
        self._writer.put_back(line)
        self._writer.flush_if_full(len(line.data))

    def landed(self) -> Landed:
        """All that was made, with one progress per log in order of appearance. The end of this retrial."""
        for log in self._logs.values():
            log.abandon_parts()
        self._writer.flush()
        return Landed(
            [log.progress for log in self._logs.values()], self._writer.files, self._writer.quarantine
        )


def _read(reading: Reading, writer: _Writer) -> Progress:
    digest = ContentDigest(reading.chain, reading.position - reading.position % ContentDigest.STEP)
    progress = Progress(
        source=reading.source,
        position=reading.position,
        is_finished=True,
        is_line_open=reading.is_line_open,
        parts=dict(reading.parts),
    )
    lines = _Lines(reading, progress, writer)
    blocks = LineBlocks(reading.path, reading.position, digest, reading.digest)
    for block in blocks:
        if blocks.is_oversized:
            lines.take_oversized(block)
        else:
            lines.take(block)
        if blocks.position - reading.position >= LANDING_BYTES:
            progress.is_finished = False
            break
    if blocks.rest and lines.take_last(blocks.rest):
        blocks.consume_rest()
    progress.damage, progress.is_moved = blocks.damage, blocks.is_moved
    progress.position = blocks.position
    if blocks.position > reading.position:
        progress.chain, progress.digest = digest.chain, digest.value
    else:  # the digest may not have been led as far as it was before
        progress.chain, progress.digest = reading.chain, reading.digest
    return progress


Inner: TypeAlias = tuple[bytes, int, bytes]
"""A line in a collector's record: its bytes, the number of the record's line, what quarantine shall keep."""


class _Lines:
    """Processes the lines of one reading, block by block: counts them, and passes events and refused lines to
    the writer.
    """

    def __init__(self, reading: Reading, progress: Progress, writer: _Writer) -> None:
        self._reading, self._line = reading, reading.lines
        self.progress, self._writer = progress, writer
        self._reasons: dict[bytes, Reason] = {}  # why lines are no events that come again and again

    def take(self, block: bytes) -> None:
        """Process whole lines; the last one has its line end."""
        start = 0
        if self.progress.is_line_open and block:
            # The line that ended the log when it was read last has got its line end since.
            self.progress.is_line_open = False
            end = block.find(b"\n")
            if not block[:end].strip():
                start = end + 1
        if block.count(b"\n") * SHORT_LINE_BYTES > len(block):
            self._take_dense(block[start:])
        else:
            self._take(block, start)
        self._writer.flush_if_full(len(block))

    def take_last(self, line: bytes) -> bool:
        """Process the rest of the log, without a line end: True if consumed, False if it may still grow."""
        if not line.strip():
            return False
        if not _is_complete(line):
            self.progress.tail = line[:TAIL_SAMPLE].decode(errors="replace")
            return False
        self._take(line)
        self.progress.is_line_open = True
        return True

    def take_oversized(self, beginning: bytes) -> None:
        """Refuse a line that is too long to be an event; its beginning is kept."""
        self.progress.is_line_open = False
        self._pass(1)
        self.progress.lines += 1
        self._refuse(Reason.TOO_LONG, self._line, beginning)

    def take_again(self, line: QuarantinedLine) -> None:
        """Parse a line again that was not an event at its first reading."""
        self._reading = replace(self._reading, name=line.source)
        self._line = line.line - 1
        self._take(line.data)

    def _take_dense(self, lines: bytes) -> None:
        """Process very short lines, each with its line end: blank ones, which may be millions, are only
        counted.
        """
        kept, numbers = without_blank(lines)
        count = lines.count(b"\n")
        self.progress.blank += count - len(numbers)
        self.progress.lines += count - len(numbers)
        if len(numbers) > MANY_LINES:
            kept, numbers = self._refuse_short(kept, numbers)
        if kept:
            self._take_lines(Lines(kept), (numbers + self._line).tolist())
        self._pass(count)

    def _refuse_short(self, lines: bytes, numbers: Numbers) -> tuple[bytes, Numbers]:
        """Refuse all lines that are too short for an event; return the remaining lines and their numbers.

        Done for all lines at once: a megabyte of gzip may hold half a thousand million of them.
        """
        short, rest, is_short = short_lines(lines, SHORT_LINE_BYTES)
        reasons = list(map(_reason, short.dictionary.to_pylist()))
        for reason, count in zip(reasons, np.bincount(short.indices).tolist(), strict=True):
            self.progress.quarantined[reason] += count
        self.progress.lines += len(short)
        of_lines = pa.array(reasons, pa.string()).take(short.indices)
        self._writer.refuse_all(self._reading, numbers[is_short] + self._line, of_lines, short)
        return rest, numbers[~is_short]

    def _remember(self, line: bytes, reason: Reason) -> None:
        if len(line) <= REMEMBERED_BYTES and len(self._reasons) < REMEMBERED_LINES:
            self._reasons[line] = reason

    def _take(self, data: bytes, start: int = 0) -> None:
        """Process the lines of a block that starts at a position."""
        lines = Lines(data, start)
        count = len(lines.texts)
        self._take_lines(lines, range(self._line + 1, self._line + 1 + count))
        self._pass(count)

    def _pass(self, lines: int) -> None:
        """Count lines of the file as consumed."""
        self._line += lines
        self.progress.file_lines += lines

    def _take_lines(self, lines: Lines, numbers: Sequence[int], wholes: Sequence[bytes] = ()) -> None:
        """Take new regular events together, and irregular lines one by one.

        `wholes` are the texts to keep in quarantine, if they are longer than the lines themselves.
        """
        texts = lines.texts
        events, moments = parse.regular_events(texts)
        ids = list(map(xxhash.xxh3_128_digest, texts))
        see, seen = self._writer.seen.add, self._writer.seen
        is_new = [
            event is not None and not (event_id in seen or see(event_id))
            for event_id, event in zip(ids, events, strict=True)
        ]
        odd = [number for number, event in enumerate(events) if event is None]
        duplicates = len(moments) - sum(is_new)
        if duplicates:
            is_regular = [event is not None for event in events]
            moments = moments[list(compress(is_new, is_regular))]
        block = Block(
            list(compress(ids, is_new)),
            [event for event in compress(events, is_new) if event is not None],
            list(compress(numbers, is_new)),
            moments,
            list(compress(texts, is_new)),
        )
        if parse.TEXT_CONTEXT in block.contexts:
            odd += self._taken_out(block, list(compress(range(len(texts)), is_new)))
        unwrapped: list[Inner] = []
        for number in odd:
            line = lines.whole(number)
            whole = wholes[number] if wholes else line
            unwrapped += self._take_odd(block, ids[number], line, numbers[number], whole)
        self.progress.lines += len(texts)
        self.progress.duplicates += duplicates
        self.progress.events += duplicates
        if block.events:
            self._report(block)
            self._writer.rows.add(block, self._reading.name)
        if unwrapped:
            inner, at, wholes = zip(*unwrapped, strict=True)
            # A line end in JSON is white space, and a blank the same.
            data = b"\n".join(line.rstrip().replace(b"\n", b" ") for line in inner)
            self._take_lines(Lines(data + b"\n"), at, wholes)

    def _taken_out(self, block: Block, numbers: list[int]) -> list[int]:
        """Remove lines whose context is a text from the block, and forget their ids; return their numbers."""
        positions = [at for at, context in enumerate(block.contexts) if context is parse.TEXT_CONTEXT]
        self._writer.seen.difference_update(block.ids[at] for at in positions)
        block.drop(positions)
        return [numbers[at] for at in positions]

    def _report(self, block: Block) -> None:
        """Count new events, events of the future, and events with an odd or missing context."""
        progress, newest = self.progress, block.times.max()
        progress.events += len(block.times)
        progress.newest = max(newest.item(), progress.newest or datetime.min)  # noqa: DTZ901 - naive UTC
        if newest > self._writer.future:
            progress.future += int((block.times > self._writer.future).sum())
        progress.odd_course += sum([context.is_odd for context in block.contexts])
        progress.without_context += block.contexts.count(parse.NO_CONTEXT)

    def _take_odd(self, block: Block, event_id: bytes, line: bytes, number: int, whole: bytes) -> list[Inner]:
        """Process an irregular line: blank, an event that keeps its text, or not an event.

        A collector's record is not processed: its lines are returned instead.
        """
        if not line.strip():
            self.progress.blank += 1
        elif event_id in self._writer.seen:
            self.progress.duplicates += 1
            self.progress.events += 1
        elif line in self._reasons:
            self._refuse(self._reasons[line], number, whole)
        elif (inner := self._unwrapped(line, number, whole)) is not None:
            self.progress.lines -= 1
            return inner
        else:
            try:
                value, raw = parse.decoded(line)
                event = parse.odd_envelope(value)
                block.append(event_id, event, number, parse.required_utc(event.time), raw)
                self._writer.seen.add(event_id)
            except NotAnEvent as error:
                self._refuse(error.reason, number, whole)
                if collectors.part_of(line) is None:  # which may be the end of another line next time
                    self._remember(line, error.reason)
        return []

    def _unwrapped(self, line: bytes, number: int, whole: bytes) -> list[Inner] | None:
        """The lines in a collector's record; empty for a part of a line; None if the line is not a record."""
        part = collectors.part_of(line)
        if part is not None:
            if part.stream in self.progress.parts or not (part.is_last or _is_complete(part.text)):
                return self._joined(part, number)
            if part.is_record and b'"time"' in part.text:
                return [(part.text, number, whole)]
        try:
            value, _ = parse.decoded(line)
        except NotAnEvent:
            cleaned = collectors.cleaned(line)
            return None if cleaned is None else [(cleaned, number, whole)]
        records = collectors.lines_in(value)
        return [(record, number, whole if len(records) == 1 else record) for record in records] or None

    def _joined(self, part: collectors.Part, number: int) -> list[Inner]:
        """The line that a part completes; empty if more parts must follow."""
        before = self.progress.parts.pop(part.stream, b"")
        if not part.is_last and len(before) <= LONGEST_LINE_BYTES:
            self.progress.parts[part.stream] = before + part.text
            return []
        if before and _is_complete(part.text):  # the rest of what came before was never written
            return [(before, number, before), (part.text, number, part.text)]
        return [(before + part.text, number, before + part.text)]

    def abandon_parts(self) -> None:
        """Quarantine incomplete lines whose last part will not come."""
        for text in self.progress.parts.values():
            self.progress.lines += 1
            self._refuse(Reason.NOT_JSON, self._line, text)
        self.progress.parts = {}

    def _refuse(self, reason: Reason, number: int, line: bytes) -> None:
        self.progress.quarantined[reason] += 1
        self._writer.refuse(self._reading, number, reason, line)


def _reason(line: bytes) -> Reason:
    """The reason why such a short line is not an event."""
    try:
        parse.odd_envelope(parse.decoded(line)[0])
    except NotAnEvent as error:
        return error.reason
    return Reason.NO_EVENT


def _is_complete(line: bytes) -> bool:
    """True if the line holds an event, or a record with an event."""
    try:
        value, _ = parse.decoded(line)
        if not collectors.lines_in(value):
            parse.required_utc(parse.odd_envelope(value).time)
    except NotAnEvent:
        return False
    return True


class _Writer:
    """Collects the events of all readings of a landing and writes them in parts."""

    def __init__(self, staging: Path, now: datetime) -> None:
        self.seen: set[bytes] = set()  # ids of the landing's events so far
        self.future = np.datetime64(now + CLOCK_TOLERANCE, "us")  # later is ahead of any clock
        self.files: list[DataFile] = []
        self.quarantine: list[str] = []
        self.rows = Rows()
        self._bytes = 0
        self._staging = staging
        self._refused: list[QuarantinedLine] = []

    def refuse(self, reading: Reading, line: int, reason: str, data: bytes) -> None:
        """Quarantine one line."""
        self.put_back(QuarantinedLine(reading.source, reading.name, line, reason, data))

    def put_back(self, line: QuarantinedLine) -> None:
        """A line that stays what it is."""
        self._refused.append(line)
        if len(self._refused) >= REFUSED_LINES:
            self._flush_refused()

    def refuse_all(self, reading: Reading, lines: Numbers, reasons: pa.Array, data: pa.Array) -> None:
        """Quarantine many lines."""
        self._flush_refused()
        path = self._quarantine_file()
        data_files.write_quarantine_of(reading.source, reading.name, lines, reasons, data, path)
        self.quarantine.append(str(path))

    def _flush_refused(self) -> None:
        refused, self._refused = self._refused, []
        if refused:
            path = self._quarantine_file()
            data_files.write_quarantine(refused, path)
            self.quarantine.append(str(path))

    def _quarantine_file(self) -> Path:
        return self._staging / f"quarantine-{len(self.quarantine):06d}.parquet"

    def flush_if_full(self, size: int) -> None:
        """Write the collected rows if they are enough; `size` is the number of bytes taken since the last
        call.
        """
        self._bytes += size
        if len(self.rows.ids) >= PART_LINES or self._bytes >= PART_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the collected rows: one sorted file per UTC date, and one file of quarantined lines."""
        rows, self.rows, self._bytes = self.rows, Rows(), 0
        self._flush_refused()
        if not rows.ids:
            return
        for day, events in rows.days():
            path = self._staging / f"{len(self.files):06d}.parquet"
            self.files.append(data_files.stage(events, path, day))
