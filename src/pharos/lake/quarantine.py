"""The lines that are no events: for a person to look at, and to judge once more after a repair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from pharos.lake import data_files, land
from pharos.lake.data_files import QuarantinedLine
from pharos.lake.ingest import admit
from pharos.lake.known import KnownIds
from pharos.lake.lake import Lake
from pharos.lake.ledger import Commit, Log
from pharos.lake.parse import Reason


def quarantined_lines(lake: Lake) -> Iterator[QuarantinedLine]:
    """All of them, in the order in which they were read; then the cut-off last lines of logs."""
    for path in lake.quarantine():
        yield from data_files.read_quarantine(path)
    for log in lake.state.logs.values():
        if log.tail is not None:
            yield QuarantinedLine(log.key, log.names[-1], log.lines, Reason.INCOMPLETE, log.tail.encode())
        for part in log.parts.values():
            yield QuarantinedLine(log.key, log.names[-1], log.lines, Reason.INCOMPLETE, part)


def retry(lake: Lake, now: datetime) -> int:
    """Judge all lines in quarantine once more; how many of them are events now. The lake must be locked.

    Of a line that was too long only the beginning is there, and a cut-off one is judged when its log grows:
    both stay.
    """
    lines = [line for line in quarantined_lines(lake) if line.reason != Reason.INCOMPLETE]
    cut = [line for line in lines if line.reason == Reason.TOO_LONG]
    landed = land.retry([line for line in lines if line.reason != Reason.TOO_LONG], lake.staging, now)
    if not any(progress.events for progress in landed.progress):
        return 0
    commit = Commit(number=lake.state.number + 1, at=now, quarantine_removed=list(lake.state.quarantine))
    duplicates = admit(lake, landed, commit, KnownIds())
    if cut:
        path, staged = lake.quarantine_file(commit.number, "cut"), lake.staging / "cut.parquet"
        data_files.write_quarantine(cut, staged)
        lake.place.take([(staged, path)])
        commit.quarantine_added.append(path)
    before = Counter((line.log, line.reason) for line in lines if line.reason != Reason.TOO_LONG)
    for progress in landed.progress:
        log = lake.state.logs[progress.source]
        known = progress.duplicates + sum(duplicates[name] for name in log.names)
        commit.logs.append(_after_retry(log, before, progress, known))
    lake.ledger.commit(lake.state, commit)
    lake.clear_leftovers()
    return sum(progress.events for progress in landed.progress)


def _after_retry(log: Log, before: Counter[tuple[str, str]], progress: land.Progress, duplicates: int) -> Log:
    """The log's record, with lines that are events now counted as such."""
    quarantined = Counter(log.quarantined)
    taken = {reason: count for (key, reason), count in before.items() if key == log.key}
    quarantined.subtract(taken)
    quarantined.update(progress.quarantined)
    changed = {name: getattr(log, name) for name in log.__struct_fields__}
    changed |= {
        "lines": log.lines + progress.lines - sum(taken.values()),
        "events": log.events + progress.events - duplicates,
        "duplicates": log.duplicates + duplicates,
        "quarantined": {reason: count for reason, count in quarantined.items() if count},
        "newest": max(filter(None, (log.newest, progress.newest)), default=None),
        "odd_course": log.odd_course + progress.odd_course,
        "without_context": log.without_context + progress.without_context,
        "future": log.future + progress.future,
    }
    return Log(**changed)
