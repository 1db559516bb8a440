"""Some logs in, staged Parquet files out: the part of ingestion that runs on many processors or hosts.

A landing reads logs from given positions, parses their lines and writes events by UTC date, sorted, plus the
lines that are none. It changes nothing in the lake itself: `ingest.py` removes duplicates of what is already
there and commits. Columns are built whole, not value by value, because that is four times as fast.
"""

from __future__ import annotations

import gc
import uuid
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import compress
from pathlib import Path

import numpy as np
import xxhash

from pharos.lake import data_files, parse
from pharos.lake.columns import Block, Rows
from pharos.lake.data_files import QuarantinedLine
from pharos.lake.ledger import DataFile
from pharos.lake.parse import NotAnEvent, Reason
from pharos.lake.reader import ContentDigest, LineBlocks

CLOCK_TOLERANCE = timedelta(minutes=5)  # a clock may be off by this much before an event is "of the future"
PART_LINES = 150_000
PART_BYTES = 128 << 20  # what is held at once: a landing may read more
TAIL_SAMPLE = 2000  # characters kept of a cut-off last line

OPENING_BRACE, CLOSING_BRACE, LINE_END = b"{}\n"
SHORT_LINE_BYTES = 16  # no event is as short: lines of fewer bytes on average are blank ones, or rubbish
_IS_SPACE = np.isin(np.arange(256), list(b" \t\r\n\x0b\x0c"))
LANDING_BYTES = 2 << 30  # a longer log is landed in several turns, so that a crash loses little


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Where to read on in which log."""

    source: str  # the log's key in the ledger
    name: str  # what the columns `source` say
    path: str
    position: int = 0  # bytes of content already consumed
    lines: int = 0  # lines already consumed
    chain: str = ""  # state of the digest at the last multiple of its step before `position`
    digest: str = ""  # of the content up to `position`
    is_line_open: bool = False  # whether the last consumed line lacked its line end


@dataclass(kw_only=True, eq=False)
class Progress:
    """What one reading found: positions are absolute, counts are those of this reading alone."""

    source: str
    position: int
    is_line_open: bool
    is_finished: bool  # False: more to read in another turn
    chain: str = ""
    digest: str = ""
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
class Landed:
    """All that a landing made, in its own staging folder."""

    progress: list[Progress]
    events: list[DataFile]
    quarantine: list[str]  # files of lines that are none


def land(readings: list[Reading], staging: Path, now: datetime) -> Landed:
    """Read the logs from their positions, write what they hold into a folder of their own below `staging`.

    `now` (UTC, naive) is only there to report events of the future. Bad lines never raise.
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


def retry(lines: list[QuarantinedLine], staging: Path, now: datetime) -> Landed:
    """Judge lines that were no events once more, as `land` does.

    The counts of lines in its progress mean nothing; there is one progress per log, in order of appearance.
    """
    folder = staging / uuid.uuid4().hex
    folder.mkdir(parents=True)
    writer = _Writer(folder, now)
    logs: dict[str, _Lines] = {}
    for line in lines:
        if line.log not in logs:
            progress = Progress(source=line.log, position=0, is_line_open=False, is_finished=True)
            logs[line.log] = _Lines(Reading(source=line.log, name=line.source, path=""), progress, writer)
        logs[line.log].take_again(line)
    writer.flush()
    return Landed([log.progress for log in logs.values()], writer.files, writer.quarantine)


def _read(reading: Reading, writer: _Writer) -> Progress:
    digest = ContentDigest(reading.chain, reading.position - reading.position % ContentDigest.STEP)
    progress = Progress(
        source=reading.source, position=reading.position, is_finished=True, is_line_open=reading.is_line_open
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
    progress.damage = blocks.damage
    progress.position = blocks.position
    if blocks.position > reading.position:
        progress.chain, progress.digest = digest.chain, digest.value
    else:  # the digest may not have been led as far as it was before
        progress.chain, progress.digest = reading.chain, reading.digest
    return progress


class _Lines:
    """Takes the lines of one reading, block by block: counts them, hands events and others to the writer."""

    def __init__(self, reading: Reading, progress: Progress, writer: _Writer) -> None:
        self._reading, self._line = reading, reading.lines
        self.progress, self._writer = progress, writer

    def take(self, block: bytes) -> None:
        """Whole lines, the last one with its line end."""
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
        """The rest of the log, without line end: True if it was consumed, False if it may still grow."""
        if not line.strip():
            return False
        try:
            parse.required_utc(parse.odd_envelope(line)[0].time)
        except NotAnEvent:
            self.progress.tail = line[:TAIL_SAMPLE].decode(errors="replace")
            return False
        self._take(line)
        self.progress.is_line_open = True
        return True

    def take_oversized(self, beginning: bytes) -> None:
        """A line that is too long to be an event; its beginning is kept."""
        self.progress.is_line_open = False
        self._line += 1
        self.progress.lines += 1
        self.progress.quarantined[Reason.TOO_LONG] += 1
        self._writer.refuse(self._reading, self._line, Reason.TOO_LONG, beginning)

    def take_again(self, line: QuarantinedLine) -> None:
        """A line that was no event when it was read first."""
        self._reading = replace(self._reading, name=line.source)
        self._line = line.line - 1
        self._take(line.data)

    def _take_dense(self, lines: bytes) -> None:
        """Very short lines, each with its line end: blank ones, which may be millions, are only counted."""
        kept, numbers = _without_blank(lines)
        blank = lines.count(b"\n") - len(numbers)
        self.progress.blank += blank
        self.progress.lines += blank
        if kept:
            self._take(kept, numbers=[self._line + number for number in numbers])
        self._line += blank

    def _take(self, data: bytes, start: int = 0, numbers: Sequence[int] = ()) -> None:
        """The lines from a position on: new regular events together, what is odd one by one.

        `numbers` are those of the lines in the log, if they do not just follow each other.
        """
        ends, texts = _texts(data, start)
        events, moments = parse.regular_events(texts)
        ids = list(map(xxhash.xxh3_128_digest, texts))
        numbers = numbers or range(self._line + 1, self._line + 1 + len(ids))
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
        for number in odd:
            begin = ends[number - 1] + 1 if number else start
            self._take_odd(block, ids[number], data[begin : ends[number]], numbers[number])
        self._line += len(ids)
        self.progress.lines += len(ids)
        self.progress.duplicates += duplicates
        self.progress.events += duplicates
        if block.events:
            self._report(block)
            self._writer.rows.add(block, self._reading.name)

    def _report(self, block: Block) -> None:
        """Count new events and what is worth a look about them."""
        progress, newest = self.progress, block.times.max()
        progress.events += len(block.times)
        progress.newest = max(newest.item(), progress.newest or datetime.min)  # noqa: DTZ901 - naive UTC
        if newest > self._writer.future:
            progress.future += int((block.times > self._writer.future).sum())
        progress.odd_course += sum([context.is_odd for context in block.contexts])

    def _take_odd(self, block: Block, event_id: bytes, line: bytes, number: int) -> None:
        """Take a line over that is not regular: blank, an event that keeps its text, or no event."""
        if not line.strip():
            self.progress.blank += 1
            return
        if event_id in self._writer.seen:
            self.progress.duplicates += 1
            self.progress.events += 1
            return
        try:
            event, raw = parse.odd_envelope(line)
            utc = parse.required_utc(event.time)
        except NotAnEvent as error:
            self.progress.quarantined[error.reason] += 1
            self._writer.refuse(self._reading, number, error.reason, line)
            return
        self._writer.seen.add(event_id)
        block.append(event_id, event, number, utc, raw)


def _without_blank(lines: bytes) -> tuple[bytes, list[int]]:
    """Lines, each with its line end, without blank ones; and the numbers of those that are left, from 1."""
    if lines.isspace():
        return b"", []
    data = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(data == LINE_END)
    starts = np.concatenate(([0], ends[:-1] + 1))
    is_kept = np.logical_or.reduceat(~_IS_SPACE[data], starts)
    kept = data[np.repeat(is_kept, ends - starts + 1)].tobytes()
    return kept, (np.flatnonzero(is_kept) + 1).tolist()


def _texts(data: bytes, start: int) -> tuple[list[int], list[bytes | memoryview]]:
    """Each line from a position on: its end, and what should be its JSON, from the first `{`."""
    ends: list[int] = []
    texts: list[bytes | memoryview] = []
    view, find = memoryview(data), data.find
    while start < len(data):
        end = find(b"\n", start)
        if end < 0:
            end = len(data)
        brace = start if data[start] == OPENING_BRACE else find(b"{", start, end)
        if brace < 0:
            texts.append(b"")
        elif data[end - 1] == CLOSING_BRACE:
            texts.append(view[brace:end])  # not copied: that takes as long as all else here
        else:
            texts.append(data[brace:end].rstrip())
        ends.append(end)
        start = end + 1
    for number in _not_utf8(data, ends):
        texts[number] = b""
    return ends, texts


def _not_utf8(data: bytes, ends: list[int]) -> Iterator[int]:
    """Which of the lines that end there are not UTF-8."""
    start = len(data) if data.isascii() else 0
    while start < len(data):
        try:
            str(memoryview(data)[start:], "utf-8")
        except UnicodeDecodeError as error:
            number = bisect_left(ends, start + error.start)
            yield number
            start = ends[number] + 1
        else:
            return


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
        """One line that is no event."""
        self._refused.append(QuarantinedLine(reading.source, reading.name, line, reason, data))

    def flush_if_full(self, size: int) -> None:
        """Write a part when enough has come together; `size` is what was taken since the last call."""
        self._bytes += size
        if len(self.rows.ids) >= PART_LINES or self._bytes >= PART_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what has come together: one sorted file per UTC date, one of lines that are no events."""
        rows, self.rows, self._bytes = self.rows, Rows(), 0
        refused, self._refused = self._refused, []
        if refused:
            path = self._staging / f"quarantine-{len(self.quarantine):06d}.parquet"
            data_files.write_quarantine(refused, path)
            self.quarantine.append(str(path))
        if not rows.ids:
            return
        for day, events in rows.days():
            path = self._staging / f"{len(self.files):06d}.parquet"
            self.files.append(data_files.stage(events, path, day))
