"""Snapshots of LMS tables: per table `lms/<table>/<name>.parquet` and `lms/<table>/snapshot.json`.

The JSON file names the valid Parquet file; replacing it is the commit. A table that could not be read keeps
its last good snapshot, and the JSON file has the problem and its time.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from pharos.errors import PharosError
from pharos.lake.lake import Lake
from pharos.lake.safely import checksum
from pharos.lms.tables import ALL, ANSWERS, TABLES

NEVER = "never imported"
RECORD = "snapshot.json"


class Snapshot(Struct, kw_only=True, frozen=True):
    """A table as read between two moments (UTC)."""

    file: str
    """Parquet file in the table's folder."""
    columns: list[str]
    rows: int
    malformed: int
    """Rows left out or with values read as null, because they did not fit."""
    digest: str
    """Stands for the rows: equal for equal rows in any order."""
    source: str
    """The database, without user and password."""
    started: datetime
    finished: datetime
    newest: datetime | None = None
    """For a table read by changes: the latest `modified` of its rows."""
    compared: datetime | None = None
    """For a table read by changes: when it was last read whole, or its ids compared."""
    remark: str | None = None
    """What a person should know of the rows, though nothing is wrong with them."""
    checksum: str = ""
    """Of the file's bytes; empty if an earlier release wrote it."""


class TableState(Struct, kw_only=True, frozen=True):
    """The snapshot of one table, and the problem of the last import."""

    table: str
    snapshot: Snapshot | None = None
    problem: str | None = None
    """Why the last attempt failed; the snapshot is then an older one.

    Without a snapshot and a problem: the LMS has no such table, and need not have it.
    """
    attempted: datetime | None = None

    def is_newer(self, moment: datetime) -> bool:
        """True if the whole table was read after this moment."""
        return self.problem is None and self.snapshot is not None and self.snapshot.started > moment


class SnapshotDamaged(PharosError):
    """The snapshot of an LMS table is damaged; results are not computed without it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"{self.path} {self.reason}; what is published stays as it is. `pharos import` makes it anew "
            "from the LMS, or put the file back from a backup"
        )


def state(lake: Lake, table: str) -> TableState:
    """The state of a table; a damaged or missing JSON file is its problem."""
    try:
        return _written(lake, table)
    except SnapshotDamaged as damaged:
        return TableState(table=table, problem=f"{folder(table)}/{RECORD} {damaged.reason}; import again")


def _written(lake: Lake, table: str) -> TableState:
    """The state of a table.

    Raises SnapshotDamaged if its JSON file is unreadable, or missing beside rows of the table.
    """
    record = f"{folder(table)}/{RECORD}"
    try:
        return msgspec.json.decode(lake.place.read(record), type=TableState)
    except FileNotFoundError:
        if any(each.endswith(".parquet") for each in lake.place.sizes(folder(table))):
            reason = "is missing, and rows of the table are there"
            raise SnapshotDamaged(f"{lake.place.address}/{record}", reason) from None
        return TableState(table=table)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SnapshotDamaged(f"{lake.place.address}/{record}", f"cannot be read ({error})") from error


def last(lake: Lake, table: str) -> Snapshot | None:
    """The last snapshot of a table, for continuing from it; None if there is none or it is damaged."""
    return None if problem(lake, table) is not None else state(lake, table).snapshot


def name(lake: Lake, table: str) -> str | None:
    """The Parquet file of a table's snapshot; the JSON file if that is unreadable; None without any."""
    try:
        snapshot = _written(lake, table).snapshot
    except SnapshotDamaged:
        return f"{folder(table)}/{RECORD}"
    return None if snapshot is None else f"{folder(table)}/{snapshot.file}"


def local(lake: Lake, table: str, snapshot: Snapshot) -> Path:
    """A snapshot's Parquet file on this machine."""
    return lake.place.local(f"{folder(table)}/{snapshot.file}")


def problem(lake: Lake, table: str) -> str | None:
    """The damage of a table's snapshot; None if it is undamaged or missing. Reads the whole file."""
    try:
        snapshot = _written(lake, table).snapshot
    except SnapshotDamaged as damaged:
        return damaged.reason
    if snapshot is None:
        return None
    try:
        file = local(lake, table, snapshot)
        if not snapshot.checksum:
            pq.read_metadata(file)
        elif checksum(file) != snapshot.checksum:
            return "does not fit its checksum"
    except FileNotFoundError:
        return "is missing"
    except (OSError, pa.ArrowException) as error:
        return f"cannot be read ({' '.join(str(error).split())})"
    return None


def checked(lake: Lake, table: str) -> Path | None:
    """The file of a table's snapshot, compared with its checksum; None if there is no snapshot.

    Raises SnapshotDamaged.
    """
    file, reason = name(lake, table), problem(lake, table)
    if file is not None and reason is not None:
        raise SnapshotDamaged(f"{lake.place.address}/{file}", reason)
    return None if file is None else lake.place.local(file)


def states(lake: Lake) -> list[TableState]:
    """The state of every table that was ever imported or attempted."""
    return [found for table in TABLES | ANSWERS if (found := state(lake, table)).attempted or found.problem]


def problems(tables: Iterable[TableState]) -> dict[str, list[str]]:
    """Reason -> tables that could not be read, or only in part; several tables may have the same reason."""
    found: dict[str, list[str]] = {}
    for table in tables:
        if table.problem:
            found.setdefault(table.problem, []).append(table.table)
    return found


def fingerprint(lake: Lake, table: str) -> str:
    """A fingerprint of rows and columns, for staleness. Raises SnapshotDamaged."""
    snapshot = _written(lake, table).snapshot
    return f"{snapshot.digest} {' '.join(snapshot.columns)}" if snapshot else NEVER


def rows(lake: Lake, table: str) -> pa.Table:
    """The rows of a small snapshot, from which an import continues; see `read`. The lake must be locked.

    A damaged file is moved aside and treated as missing: the import makes it anew.
    """
    schema = ALL[table].schema
    snapshot = last(lake, table)
    if snapshot is None:
        if (damaged := name(lake, table)) is not None:
            with suppress(FileNotFoundError):
                lake.set_aside(damaged)
        return schema.empty_table()
    stored = pq.ParquetFile(local(lake, table, snapshot)).read()
    columns = [
        stored[field.name] if field.name in stored.column_names else pa.nulls(stored.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema.names).cast(schema)


def commit(lake: Lake, snapshot: Snapshot, table: str, problem: str | None = None) -> TableState:
    """Make a file in the table's folder the valid snapshot. `problem`: the part that could not be renewed,
    and why.
    """
    done = TableState(table=table, snapshot=snapshot, problem=problem, attempted=snapshot.started)
    put(lake, done)
    return done


def failed(lake: Lake, table: str, problem: str) -> TableState:
    """Keep the last snapshot of a table and record the reason why there is no new one.

    A damaged JSON file stays: without it the table would count as never imported, and results as complete.
    """
    try:
        snapshot = _written(lake, table).snapshot
    except SnapshotDamaged as damaged:
        return TableState(table=table, problem=f"{folder(table)}/{RECORD} {damaged.reason}; {problem}")
    kept = TableState(table=table, snapshot=snapshot, problem=problem, attempted=now())
    put(lake, kept)
    return kept


def absent(lake: Lake, table: str) -> TableState:
    """Record that the LMS lacks an optional table."""
    found = TableState(table=table, attempted=now())
    put(lake, found)
    return found


def put(lake: Lake, new: TableState) -> None:
    """Write the state of a table, and remove older files."""
    place = folder(new.table)
    lake.ledger.hold.check()
    lake.place.put(f"{place}/{RECORD}", msgspec.json.format(msgspec.json.encode(new)))
    if new.snapshot is not None:
        for other in lake.place.sizes(place):
            if other.endswith(".parquet") and other != f"{place}/{new.snapshot.file}":
                lake.place.remove(other)


def folder(table: str) -> str:
    """Folder of a table, relative to the lake."""
    return f"lms/{table}"


def now() -> datetime:
    """UTC, naive."""
    return datetime.now(UTC).replace(tzinfo=None)
