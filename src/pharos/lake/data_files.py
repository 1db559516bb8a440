"""Reads and writes the Parquet files of the lake: files of events, and files of quarantined lines.

A file of events holds events of one UTC date, in the order `schema.SORTED_BY`. While it is staged, the ids of
its events are in a second file beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pharos.lake import safely, schema
from pharos.lake.columns import Numbers, halves
from pharos.lake.ledger import DataFile

# Columns with repeated values; dictionaries of other columns cost time and save nothing.
REPEATING = [
    "event_type", "name", "event_source", "username", "course_id", "page_course_id", "org_id", "ip",
    "session", "agent", "host", "page", "referer", "accept_language", "absent", "source",
]  # fmt: skip

QUARANTINED_AT_ONCE = 1000  # lines of a file, held as objects


@dataclass(frozen=True)
class QuarantinedLine:
    """A line that is not an event: a row of `schema.QUARANTINE`."""

    log: str  # key in the ledger
    source: str  # name of the log when it was read
    line: int
    reason: str
    data: bytes

    @property
    def text(self) -> str:
        """The line for display: bytes that are not UTF-8 become U+FFFD."""
        return self.data.decode(errors="replace")


def read(path: Path) -> pa.Table:
    """The events of a file, with all columns of `schema.EVENTS`; columns that an older file lacks are null.

    Columns of `REPEATING` are read as dictionaries, which need about a tenth of the memory and time.
    """
    events = pq.ParquetFile(path, read_dictionary=REPEATING).read()
    for number, column in enumerate(schema.EVENTS):
        if column.name not in events.column_names:
            nulls = pa.nulls(len(events), column.type)
            events = events.add_column(number, column.remove_metadata(), nulls)
    return events


def write(events: pa.Table, path: Path) -> tuple[int, str]:
    """Write a file of events; return its size in bytes and its checksum."""
    pq.write_table(
        events, path, compression="zstd", compression_level=1, store_schema=False,
        use_dictionary=REPEATING,
        write_statistics=["event_id", "time", "event_type", "user_id", "page_course_id"],
    )  # fmt: skip
    safely.seal(path)
    return path.stat().st_size, safely.checksum(path)


def in_order(events: pa.Table) -> pa.Table:
    """The events in the order of a data file."""
    keys = pa.schema([schema.EVENTS.field(name) for name in schema.SORTED_BY])
    order = pc.sort_indices(
        events.select(keys.names).cast(keys),
        sort_keys=[(name, "ascending", "at_start") for name in schema.SORTED_BY],
    )
    return events.take(order)


def stage(events: pa.Table, path: Path, day: date) -> DataFile:
    """Write a file that does not belong to the lake yet, and its events' ids into a second file beside it."""
    size, checksum = write(events, path)
    time, ids = events["time"], halves(events["event_id"].combine_chunks())
    np.save(_ids_beside(path), ids)
    return DataFile(
        path=str(path), date=day, rows=len(events), oldest=pc.min(time).as_py(), newest=pc.max(time).as_py(),
        digest=digest(ids), size=size, checksum=checksum,
        sources=tuple(sorted(events["source"].unique().to_pylist())),
    )  # fmt: skip


def digest(ids: Numbers) -> int:
    """A digest of events by their ids, independent of their order."""
    return int(ids[:, 0].sum(dtype=np.uint64))


def sources(path: Path) -> tuple[str, ...]:
    """Names of the logs from which the events of a file were read."""
    return tuple(sorted(read_column(path, "source").unique().to_pylist()))


def read_column(path: Path, name: str) -> pa.ChunkedArray:
    """One column of a file of events."""
    return pq.ParquetFile(path).read([name], use_threads=False)[name]


def read_ids(path: Path) -> Numbers:
    """Ids of a file's events as rows of two unsigned halves."""
    try:
        ids: Numbers = np.load(_ids_beside(path))
    except FileNotFoundError:
        ids = halves(read_column(path, "event_id").combine_chunks())
    return ids


def _ids_beside(path: Path) -> Path:
    """The path of a staged file's ids, kept in a second file because that is read about a hundred times
    faster.
    """
    return path.with_suffix(".npy")


def write_quarantine(lines: Sequence[QuarantinedLine], path: Path) -> None:
    """Write a file of quarantined lines."""
    _write_quarantine([[getattr(line, name) for line in lines] for name in schema.QUARANTINE.names], path)


def write_quarantine_of(
    log: str, source: str, lines: Numbers, reasons: pa.Array, data: pa.Array, path: Path
) -> None:
    """As `write_quarantine`, for many lines of one log."""
    names = [pa.repeat(name, len(lines)) for name in (log, source)]
    _write_quarantine([*names, lines, reasons, data.cast(pa.binary())], path)


def _write_quarantine(columns: list[Any], path: Path) -> None:
    # The columns' meanings belong into documentation, not into each file.
    pq.write_table(pa.table(columns, schema=schema.QUARANTINE.remove_metadata()), path, compression="zstd")
    safely.seal(path)


def write_quarantine_rows(lines: pa.Table, path: Path) -> None:
    """As `write_quarantine`, of rows of such files."""
    _write_quarantine(lines.columns, path)


def read_numbers(path: Path) -> pa.Table:
    """The columns `log` and `line` of such a file."""
    with pq.ParquetFile(path) as file:
        return file.read(["log", "line"])


def read_quarantine(path: Path) -> Iterator[QuarantinedLine]:
    """The lines of such a file, in the order in which they were read; few are held at once."""
    with pq.ParquetFile(path) as file:
        for lines in file.iter_batches(QUARANTINED_AT_ONCE, use_threads=False):
            yield from (QuarantinedLine(**row) for row in lines.to_pylist())
