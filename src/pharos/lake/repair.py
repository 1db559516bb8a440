"""Restores damaged files of events and quarantine from the logs they were read from.

Number and digest of a file's events are known. Restored events must match them exactly; otherwise they are
put into the lake only with a person's consent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

import msgspec.structs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pharos.engine import Workers
from pharos.engine.base import TextFunction
from pharos.lake import addresses, damage, data_files, schema
from pharos.lake.damage import Damage
from pharos.lake.known import KnownIds, in_order
from pharos.lake.lake import Lake
from pharos.lake.land import Landed, Reading, land
from pharos.lake.ledger import Commit, DataFile, Log, Loss
from pharos.lake.logs import LogFile
from pharos.lake.parse import Reason
from pharos.lake.reader import begins_with

OnProgress = Callable[[int, int], None]
ROWS_AT_ONCE, BYTES_AT_ONCE = 150_000, 128 << 20  # of events or of quarantine, held before they are written


@dataclass
class Repaired:
    """The outcome of a repair."""

    damaged: list[Damage] = field(default_factory=list)
    restored: int = 0
    """Events that are in the lake again."""
    lines: int = 0
    """Lines that are in quarantine again."""
    lost: list[Loss] = field(default_factory=list)
    """Days whose events cannot be restored completely."""
    lost_lines: int = 0
    """Lines of quarantine that cannot be restored."""
    missing: list[str] = field(default_factory=list)
    """Logs that are needed for that and were not found."""
    is_accepted: bool = False

    @property
    def is_whole(self) -> bool:
        """True if no damage is left in the lake."""
        return self.is_accepted or not (self.lost or self.lost_lines)


@dataclass(frozen=True)
class _Again:
    """A log to be read once more, as far as it was read before."""

    log: Log
    path: str

    @property
    def lines(self) -> int:
        return self.log.lines_of_file


def repair(
    lake: Lake,
    workers: Workers,
    files: Sequence[LogFile],
    now: datetime,
    *,
    in_place: TextFunction,
    accept_loss: bool = False,
    report: OnProgress = lambda _done, _total: None,
) -> Repaired:
    """Read every data file, and restore the damaged ones. The lake must be held (`Lake.alone`).

    `files` are present logs, in addition to those at paths that the ledger knows. `in_place`: see
    `forget_addresses`. With `accept_loss`, a file that the logs cannot restore completely is replaced by the
    events that they give, and the ledger records the loss; otherwise the file stays as it is. `report` is
    called with the number of logs read again and the number of all logs.
    """
    lake.fence()
    lake.refresh()
    days, quarantine, found = _damaged(lake)
    result = Repaired(damaged=found, is_accepted=accept_loss)
    if not found:
        return result
    wanted = _wanted(lake, days, with_quarantine=bool(quarantine))
    again = [one for log in wanted if (one := _found(log, files)) is not None]
    there = {one.log.key for one in again}
    result.missing = [log.names[-1] for log in wanted if log.key not in there]
    landings = []
    for number, landed in enumerate(workers.map(partial(_landed, staging=lake.staging, now=now), again), 1):
        landings.append(landed)
        report(number, len(again))
    for day, bad in sorted(days.items()):
        _restore_day(lake, day, bad, again, landings, now, in_place, result)
    if quarantine:
        _restore_quarantine(lake, quarantine, again, landings, now, result)
    return result


def _damaged(lake: Lake) -> tuple[dict[date, list[DataFile]], list[str], list[Damage]]:
    """Damaged files of events by day, damaged files of quarantine, and the damage of each file."""
    days: dict[date, list[DataFile]] = defaultdict(list)
    found = []
    for day, files in sorted(lake.state.events.items()):
        for file in files:
            lake.place.let_go(file.path)
            if (reason := damage.problem(lake.place, file)) is not None:
                days[day].append(file)
                found.append(damage.of(file, reason))
    quarantine = []
    for path in lake.state.quarantine:
        lake.place.let_go(path)
        if (reason := damage.problem_of_sealed(lake.place, path)) is not None:
            quarantine.append(path)
            found.append(Damage(path, reason))
    return days, quarantine, found


def _wanted(lake: Lake, days: dict[date, list[DataFile]], *, with_quarantine: bool) -> list[Log]:
    """The logs that may hold the damaged events or lines; an event that is in several logs may be in any of
    them.
    """
    oldest = min((file.oldest for files in days.values() for file in files), default=None)
    return [
        log
        for log in lake.state.logs.values()
        if (oldest is not None and log.newest is not None and log.newest >= oldest)
        or (with_quarantine and set(log.quarantined) - {Reason.INCOMPLETE})
        or (oldest is not None and log.duplicates)
    ]


def _found(log: Log, files: Sequence[LogFile]) -> _Again | None:
    """The present path of a log, recognised by its content; None if it is not found."""
    paths = dict.fromkeys([*reversed(log.names), *(file.path for file in files)])
    for path in paths:
        if begins_with(path, min(log.head_bytes, log.position), log.head_digest) and begins_with(
            path, log.position, log.digest
        ):
            return _Again(log, path)
    return None


def _landed(again: _Again, staging: Path, now: datetime) -> Landed:
    """All that the log holds, in the staging folder. The column `source` has the log's key."""
    reading = Reading(source=again.log.key, name=again.log.key, path=again.path)
    whole = Landed([], [], [])
    while True:
        landed = land([reading], staging, now)
        whole.events.extend(landed.events)
        whole.quarantine.extend(landed.quarantine)
        [progress] = landed.progress
        if progress.is_finished:
            return whole
        reading = replace(
            reading, position=progress.position, lines=reading.lines + progress.file_lines,
            chain=progress.chain, digest=progress.digest, is_line_open=progress.is_line_open,
            parts=progress.parts,
        )  # fmt: skip


def _restore_day(
    lake: Lake,
    day: date,
    bad: list[DataFile],
    again: list[_Again],
    landings: list[Landed],
    now: datetime,
    in_place: TextFunction,
    result: Repaired,
) -> None:
    names = {name for file in bad for name in file.sources}
    found = _of_day(lake, day, bad, names, again, landings)
    rows, digest = sum(file.rows for file in bad), sum(file.digest for file in bad) % 2**64
    lost = rows - sum(file.rows for file in found)
    if sum(file.digest for file in found) % 2**64 != digest:
        lost = lost or rows  # as many, but others: then all are in doubt
    if lost:
        sources = tuple(sorted(names)) or tuple(result.missing)
        result.lost.append(Loss(at=now, date=day, events=lost, sources=sources))
    if lost and not result.is_accepted:
        return
    if all(file.without_addresses for file in bad):
        found = [addresses.rewritten(file, Path(file.path), lake.staging, in_place) for file in found]
    commit = Commit(number=lake.state.number + 1, at=now, events_removed=[file.path for file in bad])
    if lost:
        commit.lost.append(result.lost[-1])
    moves = []
    for part, file in enumerate(found):
        path = lake.events_file(day, commit.number, part)
        moves.append((Path(file.path), path))
        commit.events_added.append(msgspec.structs.replace(file, path=path))
        result.restored += file.rows
    lake.place.take(moves)
    lake.ledger.commit(lake.state, commit)
    _set_aside(lake, commit.events_removed)


def _of_day(
    lake: Lake,
    day: date,
    bad: list[DataFile],
    names: set[str],
    again: list[_Again],
    landings: list[Landed],
) -> list[DataFile]:
    """Staged files of a day's events that the logs give, each once, without those of its whole files."""
    known, staged, held = KnownIds(), list[DataFile](), set[str]()
    whole = [file for file in lake.state.events[day] if file not in bad]

    def write(events: pa.Table) -> None:
        path = lake.staging / f"repaired-{day}-{len(staged)}.parquet"
        staged.append(data_files.stage(data_files.in_order(events), path, day))
        held.clear()

    batch = _Batch(write)
    for one, landed in zip(again, landings, strict=True):
        for file in landed.events:
            if file.date != day:
                continue
            path = Path(file.path)
            ids = in_order(data_files.read_ids(path))
            is_known = np.zeros(file.rows, np.bool_)
            for other in filter(file.overlaps, whole):
                is_known |= ids.are_in(known.of_lake(lake.place, other))
            for other in filter(file.overlaps, staged):
                is_known |= ids.are_in(known.of(Path(other.path)))
            events = _as_read_before(data_files.read(path).filter(pa.array(~is_known)), one, names)
            is_new = [id_ not in held for id_ in events["event_id"].to_pylist()]
            events = events.filter(pa.array(is_new, pa.bool_()))
            held.update(events["event_id"].to_pylist())
            batch.add(events)
    batch.end()
    return staged


class _Batch:
    """Rows that come together until they are worth a file, so that few are held at once."""

    def __init__(self, write: Callable[[pa.Table], None]) -> None:
        self._write = write
        self._tables: list[pa.Table] = []

    def add(self, rows: pa.Table) -> None:
        """Take these as well."""
        if len(rows):
            self._tables.append(rows)
        if (
            sum(map(len, self._tables)) >= ROWS_AT_ONCE
            or sum(table.nbytes for table in self._tables) >= BYTES_AT_ONCE
        ):
            self.end()

    def end(self) -> None:
        """Write what has come together."""
        tables, self._tables = self._tables, []
        if tables:
            self._write(pa.concat_tables(tables, promote_options="permissive").unify_dictionaries())


def _as_read_before(events: pa.Table, again: _Again, names: set[str]) -> pa.Table:
    """The events of lines that were read before, under a name that the log had then."""
    events = events.filter(pc.less_equal(events["line"], again.lines))
    name = next((name for name in again.log.names if name in names), again.log.names[-1])
    place = events.schema.get_field_index("source")
    column = schema.EVENTS.field("source").remove_metadata()
    return events.set_column(place, column, pa.array([name] * len(events), pa.string()))


def _restore_quarantine(
    lake: Lake,
    bad: list[str],
    again: list[_Again],
    landings: list[Landed],
    now: datetime,
    result: Repaired,
) -> None:
    kept, spans = _kept_in_quarantine(lake, bad)
    restored, lines = _of_quarantine(lake, spans, again, landings)
    counted = sum(
        number for log in lake.state.logs.values() for reason, number in log.quarantined.items()
    ) - sum(log.open_lines for log in lake.state.logs.values())
    result.lost_lines = max(counted - kept - lines, 0)
    if result.lost_lines and not result.is_accepted:
        return
    commit = Commit(number=lake.state.number + 1, at=now, quarantine_removed=bad)
    commit.quarantine_added = [lake.quarantine_file(commit.number, part) for part in range(len(restored))]
    lake.place.take(list(zip(restored, commit.quarantine_added, strict=True)))
    result.lines = lines
    lake.ledger.commit(lake.state, commit)
    _set_aside(lake, bad)


@dataclass(frozen=True)
class _Span:
    """A whole file of quarantine holds lines of a log between these two numbers."""

    path: str
    first: int
    last: int


def _kept_in_quarantine(lake: Lake, bad: list[str]) -> tuple[int, dict[str, list[_Span]]]:
    """The number of lines in undamaged files of quarantine; and log key -> its span of lines in each."""
    rows, spans = 0, defaultdict[str, list[_Span]](list)
    for path in lake.state.quarantine:
        if path in bad:
            continue
        lines = data_files.read_numbers(lake.place.local(path))
        rows += len(lines)
        of_logs = lines.group_by("log").aggregate([("line", "min"), ("line", "max")])
        for of_log in of_logs.to_pylist():
            spans[of_log["log"]].append(_Span(path, of_log["line_min"], of_log["line_max"]))
    return rows, spans


def _of_quarantine(
    lake: Lake, spans: dict[str, list[_Span]], again: list[_Again], landings: list[Landed]
) -> tuple[list[Path], int]:
    """Staged files of the lines that the logs give and that no whole file holds; how many there are."""
    staged, restored = list[Path](), 0

    def write(lines: pa.Table) -> None:
        staged.append(lake.staging / f"repaired-{len(staged)}.parquet")
        data_files.write_quarantine_rows(lines, staged[-1])

    batch = _Batch(write)
    for one, landed in zip(again, landings, strict=True):
        for path in landed.quarantine:
            lines = pq.read_table(path)
            lines = lines.filter(pc.less_equal(lines["line"], one.lines))
            numbers = lines["line"].to_numpy()
            is_new = np.ones(len(lines), np.bool_)
            for span in spans.get(one.log.key, []):
                if len(lines) and span.first <= numbers.max() and numbers.min() <= span.last:
                    known = data_files.read_numbers(lake.place.local(span.path))
                    known = known.filter(pc.equal(known["log"], one.log.key))
                    is_new &= ~np.isin(numbers, known["line"].to_numpy())
            lines = lines.filter(pa.array(is_new))
            restored += len(lines)
            batch.add(lines.set_column(1, "source", pa.array([one.log.names[-1]] * len(lines), pa.string())))
    batch.end()
    return staged, restored


def _set_aside(lake: Lake, paths: Sequence[str]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            lake.set_aside(path)
