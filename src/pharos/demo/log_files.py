"""Writes the tracking logs of a simulated campus, in the files that an installation produces.

One folder per server; each day's file is rotated at the following midnight, named with that day's date and
compressed; the last day is still in the live `tracking.log`. Like real logs they hold some damaged lines,
blank lines and lines delivered twice. All lines are counted by kind, so that readers can be checked.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import BufferedIOBase
from pathlib import Path
from random import Random

from pharos.demo.activities import Record
from pharos.demo.behaviour import SERVERS, Simulation
from pharos.demo.campus import Campus
from pharos.demo.log_lines import Entry

DAMAGED_SHARE = 0.0001
BLANK_SHARE = 0.00005
TWICE_SHARE = 0.0005
_CHUNK = 5000  # lines joined before they are compressed
_NOISE = (
    "Traceback (most recent call last):\n",
    "\0" * 64 + "\n",
    '["a list", "is no event"]\n',
    "2026-01-01 00:00:00,000 INFO 7 [tracking] [user None] [ip None] logger.py:41 - \n",
)


@dataclass(slots=True)
class LogSummary:
    """Counts of the lines written by `write_logs`: lines = events + twice + damaged + blank."""

    files: list[Path] = field(default_factory=list, repr=False)
    lines: int = 0
    events: int = 0
    twice: int = 0
    """Exact copies of lines that are counted as events."""
    damaged: int = 0
    blank: int = 0
    late: int = 0
    """Events that stand in the file of a later day than their own."""
    size_bytes: int = 0
    """Of all lines, not compressed."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Events by source and type, like `browser play_video`; all implicit events are `server /`."""
    records: list[Record] = field(default_factory=list, repr=False)
    """Where each learner stands in each course run at the end."""


def write_logs(
    folder: Path, campus: Campus, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> LogSummary:
    """Write all days of the campus below `folder`; `progress` is called with days done and all days."""
    simulation = Simulation(campus)
    summary = LogSummary(records=simulation.records)
    draw = Random(f"log files {campus.seed}")
    again: list[Entry] = []  # delivered once more on the next day
    for day, entries in enumerate(simulation.days()):
        last = day == campus.days - 1
        summary.events += len(entries)
        summary.kinds.update(entry.kind for entry in entries)
        summary.late += sum(entry.late for entry in entries)
        lines, again = _with_blemishes(entries, again, draw, summary, last=last)
        for server, name in enumerate(SERVERS):
            path = folder / name / _file_name(campus, day, last=last)
            path.parent.mkdir(parents=True, exist_ok=True)
            with _opened(path) as file:
                _write(file, lines[server], summary)
            summary.files.append(path)
        progress(day + 1, campus.days)
    return summary


def _file_name(campus: Campus, day: int, *, last: bool) -> str:
    if last:
        return "tracking.log"
    rotation = campus.start + timedelta(days=day + 1)
    return f"tracking.log-{rotation:%Y%m%d}-{int(rotation.timestamp())}.gz"


def _with_blemishes(
    entries: list[Entry], again: list[Entry], draw: Random, summary: LogSummary, *, last: bool
) -> tuple[list[list[str]], list[Entry]]:
    """The day's lines by server, with realistic defects; and the lines to repeat tomorrow."""
    lines: list[list[str]] = [[] for _ in SERVERS]
    for entry in again:
        lines[entry.server].append(entry.line)
    tomorrow: list[Entry] = []
    twice = set(_picked(draw, len(entries), TWICE_SHARE))
    damaged = set(_picked(draw, len(entries), DAMAGED_SHARE))
    blank = set(_picked(draw, len(entries), BLANK_SHARE))
    for index, entry in enumerate(entries):
        own = lines[entry.server]
        own.append(entry.line)
        if index in twice:
            where = draw.randrange(3)
            if where == 0 and not last:
                tomorrow.append(entry)
            else:
                lines[where % len(SERVERS)].append(entry.line)
        if index in damaged:
            own.append(_damaged(draw, entry.line))
        if index in blank:
            own.append("\n")
    summary.twice += len(twice)
    summary.damaged += len(damaged)
    summary.blank += len(blank)
    return lines, tomorrow


def _picked(draw: Random, number: int, share: float) -> list[int]:
    """A share of the places 0 to `number`, at random."""
    wanted = number * share
    count = int(wanted) + (draw.random() < wanted % 1)
    return draw.sample(range(number), min(count, number))


def _damaged(draw: Random, line: str) -> str:
    """A line cut off in its middle, or a line that is not an event."""
    if draw.random() < 0.6:
        return line[: draw.randrange(100, len(line) - 2)].rstrip("}") + "\n"
    return draw.choice(_NOISE)


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    """The file for writing, compressed if its name says so, without a time stamp: same input, same bytes.

    Uses zlib: ISA-L is four times faster, but once gave two different files for the same lines.
    """
    with path.open("wb") as plain:
        if path.suffix != ".gz":
            yield plain
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=plain, compresslevel=1, mtime=0) as file:
            yield file


def _write(file: BufferedIOBase, lines: list[str], summary: LogSummary) -> None:
    summary.lines += len(lines)
    for start in range(0, len(lines), _CHUNK):
        chunk = "".join(lines[start : start + _CHUNK]).encode("ascii")
        summary.size_bytes += len(chunk)
        file.write(chunk)
