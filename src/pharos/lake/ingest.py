"""Ingests log files: each event is committed exactly once.

Two checks ensure this. A log that was read before is recognised by its content, even if it was renamed or
compressed since, and reading continues where it ended. And every event that the lake already holds is a
duplicate; two events are the same if their JSON texts are equal byte by byte.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import xxhash
from msgspec.structs import replace

from pharos.engine import Workers
from pharos.lake import data_files
from pharos.lake.compaction import compact
from pharos.lake.known import KnownIds
from pharos.lake.lake import Lake
from pharos.lake.land import Landed, Progress, Reading, land
from pharos.lake.ledger import Commit, DataFile, File, Log
from pharos.lake.logs import LogFile, name_date
from pharos.lake.parse import Reason
from pharos.lake.reader import ContentDigest, LogMoved, begins_with, head, is_compressed
from pharos.lake.storage import is_remote

GROUPS = 12  # landings that much content is divided into, as long as each reads between these two:
SMALLEST_GROUP_BYTES, LARGEST_GROUP_BYTES = 32 << 20, 256 << 20
COMPRESSION = 10  # how much more content than bytes a compressed log is taken to have


@dataclass
class Ingested:
    """The outcome of one ingestion: counts of lines as events, duplicates, quarantined or blank."""

    files: int = 0
    lines: int = 0
    events: int = 0
    duplicates: int = 0
    quarantined: int = 0
    blank: int = 0
    problems: dict[str, str] = field(
        default_factory=dict
    )  # path -> why it could not be read, or not to its end


@dataclass
class _Pending:
    """A file to read, with its log and position."""

    file: LogFile
    log: Log
    head: bytes

    @property
    def reading(self) -> Reading:
        log = self.log
        return Reading(
            source=log.key, name=log.names[-1], path=str(self.file.path), position=log.position,
            lines=log.lines_of_file, chain=log.chain, digest=log.digest, is_line_open=log.is_line_open,
            parts=log.parts,
        )  # fmt: skip


def ingest(
    lake: Lake,
    workers: Workers,
    files: list[LogFile],
    now: datetime,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Ingested:
    """Ingest all content of the files that the lake does not hold yet; the lake must be locked.

    `now` (UTC, naive) dates the commits. `report(done, total)` is called with bytes of files.
    """
    result, known = Ingested(), KnownIds()
    # Duplicates in logs of the same days cost least within one landing: such logs become neighbours.
    waiting = sorted((file for file in files if _has_changed(lake, file)), key=_rotated)
    total = sum(file.size for file in waiting)
    done = 0
    while waiting:
        batch, waiting = _identified(lake, waiting, now, result)
        while batch:
            groups = list(_groups(batch))
            landings = workers.map(partial(land, staging=lake.staging, now=now), [
                [pending.reading for pending in group] for group in groups
            ])  # fmt: skip
            unfinished = []
            for group, landed in zip(groups, landings, strict=True):
                _commit(lake, group, landed, now, result, known)
                unfinished += _unfinished(group, landed)
                done += sum(pending.file.size for pending in group)
                report(min(done, total), total)
            batch = unfinished
    _forget_what_is_gone(lake, files, now)
    compact(lake, workers, now)
    result.files = len(files)
    return result


def _rotated(file: LogFile) -> tuple[date, str]:
    return name_date(file.path) or date.max, file.path


def _has_changed(lake: Lake, file: LogFile) -> bool:
    known = lake.state.files.get(file.path)
    if known is None or (known.log is None and known.problem is not None):  # it may be readable now
        return True
    return (known.size, known.mtime_ns, known.inode) != (
        file.size,
        file.mtime_ns,
        file.inode,
    )


def _identified(
    lake: Lake, files: list[LogFile], now: datetime, result: Ingested
) -> tuple[list[_Pending], list[LogFile]]:
    """Files with the logs they hold, and files that must wait until these are read.

    A file with the same beginning as one about to be read may be a copy of it: it waits until that log is
    known.
    """
    batch: list[_Pending] = []
    later: list[LogFile] = []
    heads: set[bytes] = set()
    nothing = Commit(number=lake.state.number + 1, at=now)
    for file in files:
        try:
            begin, problem = head(file.path)
        except LogMoved as error:  # the next run finds it under its new name
            result.problems[file.path] = str(error)
            continue
        if problem is not None:
            result.problems[file.path] = problem
        if not begin:
            nothing.files[file.path] = _seen(file, None, problem)
        elif begin in heads:
            later.append(file)
        else:
            heads.add(begin)
            batch.append(
                _Pending(file, _known_log(lake, file, begin) or _new_log(lake, file, len(batch)), begin)
            )
    if nothing.files:
        lake.ledger.commit(lake.state, nothing)
    return batch, later


def _forget_what_is_gone(lake: Lake, files: list[LogFile], now: datetime) -> None:
    """Remove recorded problems of files that no longer exist and of folders that can be read again."""
    given = {file.path for file in files}
    gone = Commit(number=lake.state.number + 1, at=now)
    for path, file in lake.state.files.items():
        is_open = path not in given and not is_remote(path) and not Path(path).is_file()
        if file.log is None and file.problem is not None and is_open:
            gone.files[path] = File(size=0, mtime_ns=0, inode=0, log=None, problem=None)
    if gone.files:
        lake.ledger.commit(lake.state, gone)


def _new_log(lake: Lake, file: LogFile, number: int) -> Log:
    return Log(key=f"{lake.state.number + 1:06d}-{number}", origin=file.origin, names=[file.path])


def _known_log(lake: Lake, file: LogFile, begin: bytes) -> Log | None:
    """The known log that this file holds, with the file's path as its current name; None for a new log."""
    path = file.path
    seen = lake.state.files.get(path)
    beginnings = _Beginnings(begin)
    for log in sorted(lake.state.logs.values(), key=lambda log: -log.position):
        is_same_file = seen is not None and seen.log == log.key
        if log.position == 0:
            if not is_same_file:
                continue
        elif log.head_digest != beginnings[log.head_bytes] or not _continues(
            log, file, is_same_file=is_same_file and seen is not None and seen.inode == file.inode
        ):
            continue
        known = Log(**{name: getattr(log, name) for name in log.__struct_fields__})
        known.names = [name for name in log.names if name != path] + [path]
        return known
    return None


class _Beginnings(dict[int, str]):
    """Cache: prefix length -> digest of the content's prefix. Logs are many, but their lengths are few."""

    def __init__(self, begin: bytes) -> None:
        super().__init__()
        self._begin = begin

    def __missing__(self, length: int) -> str:
        digest = self[length] = xxhash.xxh3_128_hexdigest(self._begin[:length])
        return digest


def _continues(log: Log, file: LogFile, *, is_same_file: bool) -> bool:
    """True if the file's content begins with all consumed bytes of the log.

    For a plain file that only grew, the last MiB is compared; for any other file, everything.
    """
    if is_same_file and not is_compressed(file.path):
        since = log.position - log.position % ContentDigest.STEP
        return begins_with(file.path, log.position, log.digest, since=since, chain=log.chain)
    return begins_with(file.path, log.position, log.digest)


def _groups(batch: list[_Pending]) -> Iterator[list[_Pending]]:
    """Groups of neighbouring files, large enough for a landing: many small logs then give few data files."""
    sizes = [_content_bytes(pending) for pending in batch]
    enough = min(max(sum(sizes) // GROUPS, SMALLEST_GROUP_BYTES), LARGEST_GROUP_BYTES)
    group: list[_Pending] = []
    size = 0
    for pending, content in zip(batch, sizes, strict=True):
        if group and size + content > enough:
            yield group
            group, size = [], 0
        group.append(pending)
        size += content
    if group:
        yield group


def _content_bytes(pending: _Pending) -> int:
    """The estimated number of bytes to read."""
    file = pending.file
    content = file.size * (COMPRESSION if is_compressed(file.path) else 1)
    return max(content - pending.log.position, 0)


def _unfinished(group: list[_Pending], landed: Landed) -> list[_Pending]:
    return [
        pending for pending, progress in zip(group, landed.progress, strict=True) if not progress.is_finished
    ]


def _commit(
    lake: Lake, group: list[_Pending], landed: Landed, now: datetime, result: Ingested, known: KnownIds
) -> None:
    """Move a landing's new events into the lake and record the new positions of its logs."""
    commit = Commit(number=lake.state.number + 1, at=now)
    duplicates = admit(lake, landed, commit, known)
    for pending, progress in zip(group, landed.progress, strict=True):
        progress.duplicates += duplicates[pending.log.names[-1]]
        progress.events -= progress.duplicates
        pending.log = _moved_on(pending, progress, result)
        commit.logs.append(pending.log)
        if progress.is_finished and not progress.is_moved:
            commit.files[pending.file.path] = _seen(pending.file, pending.log.key, progress.damage)
    lake.ledger.commit(lake.state, commit)


def admit(lake: Lake, landed: Landed, commit: Commit, known: KnownIds) -> dict[str, int]:
    """Move a landing's files into the lake for this commit; return the number of duplicates by log name."""
    duplicates: dict[str, int] = defaultdict(int)
    moves = []
    for number, file in enumerate(landed.events):
        new = _without_known(lake, file, known, duplicates)
        if new is None:
            continue
        path = lake.events_file(new.date, commit.number, number)
        moves.append((Path(new.path), path))
        known.move(*moves[-1])
        commit.events_added.append(replace(new, path=path))
    for number, name in enumerate(landed.quarantine):
        path = lake.quarantine_file(commit.number, number)
        moves.append((Path(name), path))
        commit.quarantine_added.append(path)
    lake.place.take(moves)
    return duplicates


def _moved_on(pending: _Pending, progress: Progress, result: Ingested) -> Log:
    """The log's record after a reading."""
    log = pending.log
    head_bytes = min(len(pending.head), progress.position)
    quarantined = defaultdict(int, log.quarantined)
    opened = (progress.tail is not None) + len(progress.parts) - log.open_lines
    lines = progress.lines + opened
    quarantined[Reason.INCOMPLETE] += opened
    for reason, number in progress.quarantined.items():
        quarantined[reason] += number
    result.lines += lines
    result.events += progress.events
    result.duplicates += progress.duplicates
    result.blank += progress.blank
    result.quarantined += sum(quarantined.values()) - sum(log.quarantined.values())
    if progress.damage is not None:
        result.problems[pending.file.path] = progress.damage
    newest = max(filter(None, (log.newest, progress.newest)), default=None)
    return Log(
        key=log.key, origin=log.origin, names=log.names, position=progress.position, lines=log.lines + lines,
        chain=progress.chain, digest=progress.digest, head_bytes=head_bytes,
        head_digest=xxhash.xxh3_128_hexdigest(pending.head[:head_bytes]), is_line_open=progress.is_line_open,
        events=log.events + progress.events, duplicates=log.duplicates + progress.duplicates,
        blank=log.blank + progress.blank, quarantined={reason: n for reason, n in quarantined.items() if n},
        tail=progress.tail, parts=progress.parts, file_lines=pending.reading.lines + progress.file_lines,
        odd_course=log.odd_course + progress.odd_course,
        without_context=log.without_context + progress.without_context,
        future=log.future + progress.future, newest=newest,
        damage=None if progress.is_moved else progress.damage,
    )  # fmt: skip


def _without_known(
    lake: Lake, file: DataFile, known: KnownIds, duplicates: dict[str, int]
) -> DataFile | None:
    """The landed file without events that the lake holds; None if no event is left.

    Removed events are added to `duplicates`, by log.
    """
    path = Path(file.path)
    ids = known.of(path)  # also if there are no others: later ones will ask
    is_known = np.zeros(file.rows, np.bool_)
    for other in filter(file.overlaps, lake.state.events.get(file.date, [])):
        is_known |= ids.are_in(known.of_lake(lake.place, other))
    if not is_known.any():
        return file
    known.forget(path)
    events = data_files.read(path)
    for count in events["source"].filter(pa.array(is_known)).value_counts().to_pylist():
        duplicates[count["values"]] += count["counts"]
    new = events.filter(pa.array(~is_known))
    if not len(new):
        return None
    staged = data_files.stage(new, path, file.date)
    known.of(path)
    return staged


def _seen(file: LogFile, log: str | None, problem: str | None) -> File:
    return File(size=file.size, mtime_ns=file.mtime_ns, inode=file.inode, log=log, problem=problem)
