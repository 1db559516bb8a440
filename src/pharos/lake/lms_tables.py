"""Snapshots of LMS tables: `lms/<table>/<name>.parquet` and, written last, `lms/<table>/snapshot.json`.

The JSON file names the Parquet file that counts; replacing it is the commit. A table that could not be read
keeps its last good snapshot, and the JSON file says what went wrong and when.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ibis
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec import Struct

from pharos.engine import Database, Engine
from pharos.lake.lake import Lake
from pharos.lms.database import DatabaseAddress
from pharos.lms.errors import LMSError
from pharos.lms.tables import ALL, TABLES, LMSTable

OVERLAP = timedelta(hours=1)  # rows may become visible some time after the moment they carry
COMPARE_EVERY = timedelta(days=1)  # how often the ids of a table read by changes are compared with the LMS's
NEVER = "never imported"

Report = Callable[[int, int], None]


class Snapshot(Struct, kw_only=True, frozen=True):
    """A table as it was between two moments (UTC)."""

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


class TableState(Struct, kw_only=True, frozen=True):
    """What is known of one table."""

    table: str
    snapshot: Snapshot | None = None
    problem: str | None = None
    """Why the last attempt failed; the snapshot is then an older one."""
    attempted: datetime | None = None


def import_tables(
    lake: Lake,
    engine: Engine,
    address: DatabaseAddress,
    report: Report = lambda _done, _total: None,
    tables: Iterable[LMSTable] = TABLES.values(),
) -> list[TableState]:
    """Bring the snapshots up to date; the lake must be locked.

    Never raises for what is wrong with the LMS: each table's state says so. `report` is told how many of the
    tables are done.
    """
    tables = list(tables)
    states = []
    try:
        with engine.database(address) as database:
            for number, table in enumerate(tables):
                report(number, len(tables))
                states.append(_import(lake, engine, database, address, table))
    except LMSError as error:  # the database could not be opened at all
        states = [failed(lake, table.name, str(error)) for table in tables]
    report(len(tables), len(tables))
    return states


def state(lake: Lake, table: str) -> TableState:
    """What is known of a table."""
    try:
        return msgspec.json.decode((_folder(lake, table) / "snapshot.json").read_bytes(), type=TableState)
    except FileNotFoundError:
        return TableState(table=table)
    except msgspec.MsgspecError as error:
        return TableState(table=table, problem=f"snapshot.json cannot be read ({error}); import again")


def states(lake: Lake) -> list[TableState]:
    """What is known of every table that was ever asked for."""
    return [found for table in ALL if (found := state(lake, table)).attempted or found.problem]


def read(engine: Engine, lake: Lake, table: str) -> ibis.Table:
    """The rows of a snapshot, in the columns and types of `pharos.lms.tables`; none if never imported.

    A column that the snapshot does not have yet is null.
    """
    columns = _nullable(ALL[table].schema)
    snapshot = state(lake, table).snapshot
    if snapshot is None:
        return engine.read([], columns)
    stored = pa.schema([field for field in columns if field.name in snapshot.columns])
    rows = engine.read([_folder(lake, table) / snapshot.file], stored)
    missing = ibis.Schema.from_pyarrow(pa.schema(set(columns) - set(stored)))
    return rows.mutate({name: ibis.null(type_) for name, type_ in missing.items()}).select(columns.names)


def fingerprint(lake: Lake, table: str) -> str:
    """Changes exactly when the rows or columns do; for staleness."""
    snapshot = state(lake, table).snapshot
    return f"{snapshot.digest} {' '.join(snapshot.columns)}" if snapshot else NEVER


def rows(lake: Lake, table: str) -> pa.Table:
    """The rows of a snapshot in memory, for the small ones; see `read`."""
    schema = ALL[table].schema
    snapshot = state(lake, table).snapshot
    if snapshot is None:
        return schema.empty_table()
    stored = pq.read_table(_folder(lake, table) / snapshot.file)
    columns = [
        stored[field.name] if field.name in stored.column_names else pa.nulls(stored.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema.names).cast(schema)


def replace(
    lake: Lake, engine: Engine, table: str, new: pa.Table, source: str, started: datetime, problem: str | None
) -> TableState:
    """Make rows in memory the snapshot; `problem` says what is not new about them."""
    staged = lake.staging / "lms" / f"{table}.parquet"
    staged.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(new.cast(ALL[table].schema), staged, compression="zstd")
    digest = engine.digest(staged)
    snapshot = Snapshot(
        file=f"{digest}.parquet",
        columns=new.column_names,
        rows=new.num_rows,
        malformed=0,
        digest=digest,
        source=source,
        started=started,
        finished=_now(),
    )
    _folder(lake, table).mkdir(parents=True, exist_ok=True)
    staged.replace(_folder(lake, table) / snapshot.file)
    return _commit(lake, snapshot, table, problem)


def failed(lake: Lake, table: str, problem: str) -> TableState:
    """Keep the last snapshot of a table and say why there is no new one."""
    kept = TableState(table=table, snapshot=state(lake, table).snapshot, problem=problem, attempted=_now())
    _write(lake, kept)
    return kept


def _import(
    lake: Lake, engine: Engine, database: Database, address: DatabaseAddress, table: LMSTable
) -> TableState:
    try:
        there = database.columns(table.name)
        missing = [name for name in table.schema.names if name not in there]
        if missing:
            what = f"has no column {', '.join(missing)}" if there else "does not exist"
            return failed(lake, table.name, f"{address}: table {table.name} {what}")
        return _commit(lake, _snapshot(lake, engine, database, address, table), table.name)
    except LMSError as error:
        return failed(lake, table.name, str(error))


def _snapshot(
    lake: Lake, engine: Engine, database: Database, address: DatabaseAddress, table: LMSTable
) -> Snapshot:
    """The new snapshot, its file in the table's folder but not yet named by anybody."""
    last = state(lake, table.name).snapshot
    started = _now()
    staged = lake.staging / "lms" / f"{table.name}.parquet"
    staged.parent.mkdir(parents=True, exist_ok=True)
    compared: datetime | None = started
    if table.is_incremental and last is not None and _can_continue(lake, last, table, address):
        compared = last.compared
        malformed = _changes(lake, engine, database, table, last, staged)
        if compared is None or started - compared >= COMPARE_EVERY:
            _remove_deleted(engine, database, table, staged)
            compared = started
    else:
        malformed = database.copy(table.name, table.schema, staged).malformed
    digest = engine.digest(staged)
    file = _folder(lake, table.name) / f"{digest}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(file)
    return Snapshot(
        file=file.name,
        columns=table.schema.names,
        rows=pq.read_metadata(file).num_rows,
        malformed=malformed,
        digest=digest,
        source=str(address),
        started=started,
        finished=_now(),
        newest=_newest(file) if table.is_incremental else None,
        compared=compared if table.is_incremental else None,
    )


def _can_continue(lake: Lake, last: Snapshot, table: LMSTable, address: DatabaseAddress) -> bool:
    """Whether what is there is of the same database and has the same columns."""
    return (
        last.columns == table.schema.names
        and last.source == str(address)
        and last.newest is not None
        and (_folder(lake, table.name) / last.file).exists()
    )


def _changes(
    lake: Lake, engine: Engine, database: Database, table: LMSTable, last: Snapshot, target: Path
) -> int:
    """Write the last snapshot with what has changed since; returns the malformed rows among the changes.

    A row from a clock that is ahead must not hide the changes of others: where the newest row is younger than
    the last import, what is read begins before that.
    """
    since = min(last.newest or last.started, last.started) - OVERLAP
    changes = target.with_suffix(".changes.parquet")
    copied = database.copy(table.name, table.schema, changes, since=("modified", since))
    columns = _nullable(table.schema)
    before = engine.read([_folder(lake, table.name) / last.file], columns)
    changed = engine.read([changes], columns)
    engine.write(ibis.union(before.anti_join(changed, "id"), changed), target)
    return copied.malformed


def _remove_deleted(engine: Engine, database: Database, table: LMSTable, staged: Path) -> None:
    """Leave out the rows whose id the LMS no longer has."""
    columns = _nullable(table.schema)
    ids, kept = staged.with_suffix(".ids.parquet"), staged.with_suffix(".kept.parquet")
    database.copy(table.name, pa.schema([table.schema.field("id")]), ids)
    there = engine.read([ids], pa.schema([columns.field("id")]))
    engine.write(engine.read([staged], columns).semi_join(there, "id"), kept)
    kept.replace(staged)


def _newest(file: Path) -> datetime | None:
    """The latest `modified`, group by group."""
    parquet = pq.ParquetFile(file)
    groups = (parquet.read_row_group(group, ["modified"]) for group in range(parquet.num_row_groups))
    # One of the engines writes moments with a zone, UTC.
    latest = [pc.max(group["modified"].cast(pa.timestamp("us"))).as_py() for group in groups]
    return max(filter(None, latest), default=None)


def _commit(lake: Lake, snapshot: Snapshot, table: str, problem: str | None = None) -> TableState:
    done = TableState(table=table, snapshot=snapshot, problem=problem, attempted=snapshot.started)
    _write(lake, done)
    for path in _folder(lake, table).glob("*.parquet"):
        if path.name != snapshot.file:
            path.unlink()
    return done


def _write(lake: Lake, new: TableState) -> None:
    path = _folder(lake, new.table) / "snapshot.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(new)))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _nullable(schema: pa.Schema) -> pa.Schema:
    """The columns as expressions have them: whether they may be null is not part of a type there."""
    return pa.schema([field.with_nullable(nullable=True) for field in schema])


def _folder(lake: Lake, table: str) -> Path:
    return lake.root / "lms" / table


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
