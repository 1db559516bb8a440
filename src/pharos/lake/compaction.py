"""Merges files: a day that gets new events every minute must not end as a thousand files.

While a day still grows, files of similar size are merged, so that each event is rewritten only a few times;
once a later day has begun, the smallest files are merged, until few are left. Content and results do not
change: a day's fingerprint is that of its events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from msgspec.structs import replace

from pharos.engine import Workers
from pharos.lake import damage, data_files
from pharos.lake.lake import Lake
from pharos.lake.ledger import Commit, DataFile
from pharos.lake.place import Place

FEW = 4  # files of a finished day that are left alone
LIKE = 8  # files of like size of a growing day that are merged
LARGE_ROWS = 300_000  # a file of so many events is never merged again


@dataclass(frozen=True)
class Merge:
    """Files of one day that become one file."""

    day: date
    files: list[DataFile]


def compact(lake: Lake, workers: Workers, now: datetime) -> int:
    """Merge small files if it is worthwhile; return the number of files saved. The lake must be locked."""
    merges = list(_merges(lake))
    gone = 0
    spread = spread_over(workers, (file for merge in merges for file in merge.files))
    for merge, merged in zip(
        merges, spread(partial(_merge, place=lake.place, staging=lake.staging), merges), strict=True
    ):
        put_in_place(lake, merged, merge.files, now)
        gone += len(merge.files) - 1
    lake.clear_leftovers()
    return gone


def spread_over(workers: Workers, files: Iterable[DataFile]) -> Callable[..., Iterator[Any]]:
    """The function that maps over files to rewrite: plain `map` for few rows, for which workers start too
    slowly.
    """
    return map if sum(file.rows for file in files) < LARGE_ROWS else workers.map


def put_in_place(lake: Lake, staged: DataFile, old: Sequence[DataFile], now: datetime) -> None:
    """Commit a staged file with the same events as the files `old`, which it replaces."""
    number = lake.state.number + 1
    path = lake.events_file(staged.date, number)
    lake.place.take([(Path(staged.path), path)])
    commit = Commit(number=number, at=now, events_removed=[file.path for file in old])
    commit.events_added.append(replace(staged, path=path))
    lake.ledger.commit(lake.state, commit)


def _merges(lake: Lake) -> Iterator[Merge]:
    newest = max((day for day, files in lake.state.events.items() if files), default=None)
    for day, files in sorted(lake.state.events.items()):
        small = [file for file in files if file.rows < LARGE_ROWS]
        if day == newest:
            by_size: dict[int, list[DataFile]] = defaultdict(list)
            for file in small:
                by_size[file.rows.bit_length() // 3].append(file)
            for alike in by_size.values():
                if len(alike) >= LIKE:
                    yield from _bounded(day, alike)
        elif len(small) > FEW:
            # Large ones stay as they are: a few late events must not have a whole day written anew.
            yield from _bounded(day, sorted(small, key=lambda file: file.rows)[: len(small) - FEW + 1])


def _bounded(day: date, files: list[DataFile]) -> Iterator[Merge]:
    """Merges, each with at most about as many events as a large file."""
    group: list[DataFile] = []
    for file in sorted(files, key=lambda file: file.rows):
        if len(group) > 1 and sum(other.rows for other in group) + file.rows > LARGE_ROWS:
            yield Merge(day, group)
            group = []
        group.append(file)
    if len(group) > 1:
        yield Merge(day, group)


def _merge(merge: Merge, place: Place, staging: Path) -> DataFile:
    """One sorted file in the staging folder with the events of several files."""
    damage.check(place, merge.files)
    parts = (data_files.read(place.local(file.path)) for file in merge.files)
    events = pa.concat_tables(parts).unify_dictionaries()
    merged = data_files.in_order(events)
    path = staging / f"merged-{Path(merge.files[0].path).stem}-{merge.day}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    without_addresses = all(file.without_addresses for file in merge.files)
    return replace(data_files.stage(merged, path, merge.day), without_addresses=without_addresses)
