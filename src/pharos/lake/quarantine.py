"""The lines that are no events: for a person to look at, and to judge once more after a repair."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pharos.lake import damage, data_files, land
from pharos.lake.damage import Damage, DataFilesDamaged
from pharos.lake.data_files import QuarantinedLine
from pharos.lake.ingest import admit
from pharos.lake.known import KnownIds
from pharos.lake.lake import Lake
from pharos.lake.land import Landed
from pharos.lake.ledger import Commit, Log
from pharos.lake.parse import Reason

TURN_LINES, TURN_BYTES = 1_000_000, 256 << 20  # judged before they count: ids of so many events are held
MOST_TURNS = 2  # as many turns in one while parts of lines wait for their ends


def quarantined_lines(lake: Lake) -> Iterator[QuarantinedLine]:
    """All of them, in the order in which they were read; then the cut-off last lines of logs.

    Raises DataFilesDamaged.
    """
    _check(lake)
    for path in lake.quarantine():
        yield from data_files.read_quarantine(path)
    for log in lake.state.logs.values():
        if log.tail is not None:
            yield QuarantinedLine(log.key, log.names[-1], log.lines, Reason.INCOMPLETE, log.tail.encode())
        for part in log.parts.values():
            yield QuarantinedLine(log.key, log.names[-1], log.lines, Reason.INCOMPLETE, part)


@dataclass
class _Turn:
    """Files of quarantine, one after the other, that were judged once more together."""

    files: list[str]
    landed: Landed
    before: Counter[tuple[str, str]]
    """Lines by log and reason, as they were counted; those that stay as they are left out."""


def retry(lake: Lake, now: datetime) -> int:
    """Judge all lines in quarantine once more; how many of them are events now. The lake must be locked.

    Of a line that was too long only the beginning is there, and a cut-off one is judged when its log grows:
    both stay. There is a commit for each turn of about `TURN_LINES` lines. Raises DataFilesDamaged.
    """
    _check(lake)
    known, found = KnownIds(), 0
    waiting = list(lake.state.quarantine)
    while waiting:
        turn = _judged(lake, waiting, now)
        waiting = waiting[len(turn.files) :]
        events = sum(progress.events for progress in turn.landed.progress)
        if events or found:  # once some were written anew, the later ones are as well: they stay in order
            _commit(lake, turn, known, now)
        found += events
        shutil.rmtree(lake.staging, ignore_errors=True)
    if found:
        lake.clear_leftovers()
    return found


def _check(lake: Lake) -> None:
    """Compare all files with their seals: lines of a damaged one may be others. Raises DataFilesDamaged."""
    reasons = {path: damage.problem_of_sealed(lake.place, path) for path in lake.state.quarantine}
    damaged = [Damage(path, reason) for path, reason in reasons.items() if reason is not None]
    if damaged:
        raise DataFilesDamaged(lake.place.address, damaged)


def _judged(lake: Lake, waiting: Sequence[str], now: datetime) -> _Turn:
    """The first files of these, as many as make up a turn.

    It ends between two files, and not while parts of lines are open that the next one may hold the end of,
    unless it has become twice as long meanwhile.
    """
    retrial, files, before = land.Retrial(lake.staging, now), [], Counter[tuple[str, str]]()
    lines = size = 0
    for path in waiting:
        for line in data_files.read_quarantine(lake.place.local(path)):
            lines, size = lines + 1, size + len(line.data)
            if line.reason == Reason.TOO_LONG:
                retrial.keep(line)
            else:
                before[line.log, line.reason] += 1
                retrial.judge(line)
        files.append(path)
        share = max(lines / TURN_LINES, size / TURN_BYTES)
        if share >= 1 and (share >= MOST_TURNS or not retrial.has_parts):
            break
    return _Turn(files, retrial.landed(), before)


def _commit(lake: Lake, turn: _Turn, known: KnownIds, now: datetime) -> None:
    """Put what was judged in the place of the turn's files."""
    commit = Commit(number=lake.state.number + 1, at=now, quarantine_removed=turn.files)
    duplicates = admit(lake, turn.landed, commit, known)
    for progress in turn.landed.progress:
        log = lake.state.logs[progress.source]
        again = progress.duplicates + sum(duplicates[name] for name in log.names)
        commit.logs.append(_after_retry(log, turn.before, progress, again))
    lake.ledger.commit(lake.state, commit)


def _after_retry(log: Log, before: Counter[tuple[str, str]], progress: land.Progress, duplicates: int) -> Log:
    """The log's record, with the lines counted as events that are events now."""
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
