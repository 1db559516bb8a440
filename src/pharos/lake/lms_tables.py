"""Imports the tables of the LMS database into snapshots, and gives snapshots to expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from pharos.engine import Database, Engine
from pharos.lake.lake import Lake
from pharos.lake.snapshots import Snapshot, TableState, commit, failed, folder, now, state
from pharos.lms.database import DatabaseAddress
from pharos.lms.errors import LMSError
from pharos.lms.tables import ALL, TABLES, LMSTable

OVERLAP = timedelta(hours=1)  # rows may become visible some time after the moment they carry
IDS_AT_ONCE = 200_000
COMPARE_EVERY = timedelta(days=1)  # how often the ids of a table read by changes are compared with the LMS's

Report = Callable[[int, int], None]


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


def read(engine: Engine, lake: Lake, table: str) -> ibis.Table:
    """The rows of a snapshot, in the columns and types of `pharos.lms.tables`; none if never imported.

    A column that the snapshot does not have yet is null.
    """
    columns = _nullable(ALL[table].schema)
    snapshot = state(lake, table).snapshot
    if snapshot is None:
        return engine.read([], columns)
    stored = pa.schema([field for field in columns if field.name in snapshot.columns])
    rows = engine.read([folder(lake, table) / snapshot.file], stored)
    missing = ibis.Schema.from_pyarrow(pa.schema(set(columns) - set(stored)))
    return rows.mutate({name: ibis.null(type_) for name, type_ in missing.items()}).select(columns.names)


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
        finished=now(),
    )
    folder(lake, table).mkdir(parents=True, exist_ok=True)
    staged.replace(folder(lake, table) / snapshot.file)
    return commit(lake, snapshot, table, problem)


def _import(
    lake: Lake, engine: Engine, database: Database, address: DatabaseAddress, table: LMSTable
) -> TableState:
    try:
        there = database.columns(table.name)
        missing = [name for name in table.schema.names if name not in there]
        if missing:
            what = f"has no column {', '.join(missing)}" if there else "does not exist"
            return failed(lake, table.name, f"{address}: table {table.name} {what}")
        return commit(lake, _snapshot(lake, engine, database, address, table), table.name)
    except LMSError as error:
        return failed(lake, table.name, str(error))


def _snapshot(
    lake: Lake, engine: Engine, database: Database, address: DatabaseAddress, table: LMSTable
) -> Snapshot:
    """The new snapshot, its file in the table's folder but not yet named by anybody."""
    last = state(lake, table.name).snapshot
    started = now()
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
    file = folder(lake, table.name) / f"{digest}.parquet"
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
        finished=now(),
        newest=_newest(file) if table.is_incremental else None,
        compared=compared if table.is_incremental else None,
    )


def _can_continue(lake: Lake, last: Snapshot, table: LMSTable, address: DatabaseAddress) -> bool:
    """Whether what is there is of the same database and has the same columns."""
    return (
        last.columns == table.schema.names
        and last.source == str(address)
        and last.newest is not None
        and (folder(lake, table.name) / last.file).exists()
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
    before = engine.read([folder(lake, table.name) / last.file], columns)
    changed = engine.read([changes], columns)
    engine.write(ibis.union(before.anti_join(changed, "id"), changed), target)
    return copied.malformed


def _remove_deleted(engine: Engine, database: Database, table: LMSTable, staged: Path) -> None:
    """Leave out the rows whose id the LMS no longer has.

    Ids are compared a share at a time, so that the memory needed does not grow with the table.
    """
    columns = _nullable(table.schema)
    ids, kept = staged.with_suffix(".ids.parquet"), staged.with_suffix(".kept.parquet")
    database.copy(table.name, pa.schema([table.schema.field("id")]), ids)
    there, ours = engine.read([ids], pa.schema([columns.field("id")])), engine.read([staged], columns)
    shares = pq.read_metadata(staged).num_rows // IDS_AT_ONCE + 1
    deleted = pa.concat_tables(
        engine.fetch(_share(ours.select("id"), share, shares).anti_join(_share(there, share, shares), "id"))
        for share in range(shares)
    ).combine_chunks()
    if deleted.num_rows:
        engine.write(ours.anti_join(engine.table(deleted), "id"), kept)
        kept.replace(staged)


def _share(ids: ibis.Table, share: int, shares: int) -> ibis.Table:
    """One of about equally large parts of a table of ids."""
    return ids.filter(ids.id.abs() % shares == share)


def _newest(file: Path) -> datetime | None:
    """The latest `modified`, from the statistics that the file holds of its groups of rows."""
    found = pq.read_metadata(file)
    if not found.num_rows:
        return None
    column = found.schema.names.index("modified")
    latest = (found.row_group(group).column(column).statistics.max for group in range(found.num_row_groups))
    newest: datetime = max(latest)
    return newest.replace(tzinfo=None)  # one of the engines writes moments with a zone, UTC


def _nullable(schema: pa.Schema) -> pa.Schema:
    """The columns as expressions have them: whether they may be null is not part of a type there."""
    return pa.schema([field.with_nullable(nullable=True) for field in schema])
