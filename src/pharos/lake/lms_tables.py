"""Imports the tables of the LMS database into snapshots, and reads snapshots as Ibis tables.

For enrollments it also keeps a history that snapshots do not have: states that changed between two imports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from pharos import keys
from pharos.database_addresses import DatabaseAddress
from pharos.engine import Database, Engine
from pharos.engine.functions import storable
from pharos.lake import snapshots
from pharos.lake.lake import Lake
from pharos.lake.safely import checksum
from pharos.lake.snapshots import Snapshot, TableState, absent, commit, failed, folder, now, state
from pharos.lms.errors import LMSError
from pharos.lms.tables import ALL, TABLES, VALIDATION, LMSTable

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, StringValue

OVERLAP = timedelta(hours=1)  # rows may become visible some time after the moment they carry
IDS_AT_ONCE = 500_000
COMPARE_EVERY = timedelta(days=1)  # how often the ids of a table read by changes are compared with the LMS's
ENROLLMENTS = "student_courseenrollment"

OnProgress = Callable[[int, int], None]


def import_tables(
    lake: Lake,
    engine: Engine,
    address: DatabaseAddress,
    report: OnProgress = lambda _done, _total: None,
    tables: Iterable[LMSTable] = TABLES.values(),
) -> list[TableState]:
    """Bring the snapshots up to date; the lake must be locked.

    Does not raise if the LMS fails: the state of each table has the problem. `report` is called with the
    number of tables done and the number of all tables.
    """
    tables = list(tables)
    states = []
    started = now()  # of all tables: they are read as of the moment at which the database is opened
    try:
        with engine.database(address) as database:
            for number, table in enumerate(tables):
                report(number, len(tables))
                states.append(_import(lake, engine, database, address, table, started))
    except LMSError as error:  # the database could not be opened at all
        states = [failed(lake, table.name, str(error)) for table in tables]
    report(len(tables), len(tables))
    return states


def read(engine: Engine, lake: Lake, table: str) -> ibis.Table:
    """The rows of a snapshot, in the columns and types of `pharos.lms.tables`; empty if never imported.

    A column that the snapshot lacks is null. Texts are adjusted to the Result Store: a mode is cut like that
    of an event, and a row with a course id too long for the LMS is left out.
    """
    columns = _nullable(ALL[table].schema)
    file, snapshot = snapshots.checked(lake, table), state(lake, table).snapshot
    if file is None or snapshot is None:
        return engine.read([], columns)
    stored = pa.schema([field for field in columns if field.name in snapshot.columns])
    rows = engine.read([file], stored)
    missing = ibis.Schema.from_pyarrow(pa.schema(set(columns) - set(stored)))
    return _fitting(
        rows.mutate({name: ibis.null(type_) for name, type_ in missing.items()}).select(columns.names)
    )


def _fitting(rows: ibis.Table) -> ibis.Table:
    """The rows with adjusted texts: SQLite, and databases changed by hand, can hold texts of any length."""
    texts = _texts(rows)
    rows = rows.mutate(texts) if texts else rows
    return rows.filter(_fits(rows)) if "course_id" in rows.columns else rows


def _texts(rows: ibis.Table) -> dict[str, StringValue]:
    """The text columns that may hold values not written by the LMS, in the form that the Result Store can
    hold.
    """
    texts = {}
    if "mode" in rows.columns:
        texts["mode"] = storable(rows["mode"]).left(keys.LONGEST_MODE)
    if "gender" in rows.columns:
        texts["gender"] = storable(rows.gender)
    return texts


def _fits(rows: ibis.Table) -> BooleanValue:
    return rows.course_id.isnull() | (rows.course_id.length() <= keys.LONGEST_COURSE_ID)


def replace(
    lake: Lake,
    engine: Engine,
    table: str,
    new: pa.Table,
    source: str,
    started: datetime,
    *,
    problem: str | None = None,
    remark: str | None = None,
) -> TableState:
    """Make rows in memory the new snapshot. `problem`: the part that could not be renewed, and why."""
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
        remark=remark,
        checksum=checksum(staged),
    )
    lake.place.take([(staged, f"{folder(table)}/{snapshot.file}")])
    return commit(lake, snapshot, table, problem)


def is_of_then(lake: Lake, last_day: date) -> bool:
    """True if there is a snapshot of enrollments, taken no later than the day after `last_day`."""
    snapshot = state(lake, ENROLLMENTS).snapshot
    return snapshot is not None and snapshot.finished.date() <= last_day + timedelta(days=1)


def validations(engine: Engine, lake: Lake, last_day: date) -> ibis.Table:
    """Enrollment states seen by imports, each once: those of the last snapshot, and earlier states.

    The columns are those of `pharos.lms.tables.VALIDATION`. Empty for a run about a past day that the last
    snapshot does not describe: the snapshot must be of the last day or the day after. Source: spec 01 §9.2.1
    """
    snapshot = state(lake, ENROLLMENTS).snapshot
    if snapshot is None or not is_of_then(lake, last_day):
        return engine.read([], _nullable(VALIDATION.schema))
    changed = read(engine, lake, VALIDATION.name)
    last = read(engine, lake, ENROLLMENTS).mutate(
        dump_start=ibis.literal(snapshot.started, "timestamp(6)"),
        dump_end=ibis.literal(snapshot.finished, "timestamp(6)"),
    )
    return changed.union(last.select(changed.columns).cast(changed.schema()))


def validations_fingerprint(lake: Lake) -> str:
    """A fingerprint of the inputs of `validations`."""
    snapshot = state(lake, ENROLLMENTS).snapshot
    moments = f"{snapshot.started} {snapshot.finished}" if snapshot else ""
    rows = [snapshots.fingerprint(lake, table) for table in (ENROLLMENTS, VALIDATION.name)]
    return " ".join([moments, *rows])


def _import(
    lake: Lake,
    engine: Engine,
    database: Database,
    address: DatabaseAddress,
    table: LMSTable,
    started: datetime,
) -> TableState:
    try:
        there = database.columns(table.name)
        if not there and table.is_optional and state(lake, table.name).snapshot is None:
            return absent(lake, table.name)
        missing = [name for name in table.schema.names if name not in there]
        if missing:
            what = f"has no column {', '.join(missing)}" if there else "does not exist"
            return failed(lake, table.name, f"{address}: table {table.name} {what}")
        snapshot = _snapshot(lake, engine, database, address, table, started)
        if table.name == ENROLLMENTS:
            _keep_changed(lake, engine, snapshot)
        return commit(lake, snapshot, table.name)
    except LMSError as error:
        return failed(lake, table.name, str(error))


def _keep_changed(lake: Lake, engine: Engine, new: Snapshot) -> None:
    """Keep the rows of the last snapshot of the same database that differ in the new one.

    Deleted rows are not kept: for the LMS these learners were not enrolled. After a crash before the new
    snapshot is committed, the same rows may be found again; they are kept once.
    """
    last = snapshots.last(lake, ENROLLMENTS)
    table = TABLES[ENROLLMENTS]
    if last is None or last.digest == new.digest or not _can_continue(lake, last, table, new.source):
        return
    columns, learner = _nullable(table.schema), ["course_id", "user_id"]
    before, after = (
        engine.read([snapshots.local(lake, ENROLLMENTS, snapshot)], columns).mutate(
            named=lambda rows: ibis.coalesce(rows["mode"], "")
        )
        for snapshot in (last, new)
    )
    changed = before.semi_join(after, learner).anti_join(after, [*learner, "is_active", "named"])
    changed = changed.mutate(
        dump_start=ibis.literal(last.started, "timestamp(6)"),
        dump_end=ibis.literal(last.finished, "timestamp(6)"),
    )
    found = engine.fetch(changed.select(VALIDATION.schema.names)).cast(VALIDATION.schema)
    known = snapshots.rows(lake, VALIDATION.name)
    rows = pa.concat_tables([known, found]).group_by(VALIDATION.schema.names).aggregate([])
    if rows.num_rows > known.num_rows:
        rows = rows.sort_by([("dump_end", "ascending"), ("course_id", "ascending"), ("user_id", "ascending")])
        replace(lake, engine, VALIDATION.name, rows, new.source, new.started)


def _snapshot(
    lake: Lake,
    engine: Engine,
    database: Database,
    address: DatabaseAddress,
    table: LMSTable,
    started: datetime,
) -> Snapshot:
    """The new snapshot; its file is in the table's folder, but not yet committed."""
    last = snapshots.last(lake, table.name)
    staged = lake.staging / "lms" / f"{table.name}.parquet"
    staged.parent.mkdir(parents=True, exist_ok=True)
    compared: datetime | None = started
    if table.changed_by and last and last.rows and _can_continue(lake, last, table, str(address)):
        compared = last.compared
        before = snapshots.local(lake, table.name, last)
        malformed = _changes(engine, database, table, last, before, staged)
        if compared is None or started - compared >= COMPARE_EVERY:
            _remove_deleted(engine, database, table, staged if staged.exists() else before, staged)
            compared = started
    else:
        malformed = database.copy(table.name, table.schema, staged).malformed
    digest, file, name = _settled(lake, engine, table, last, staged)
    return Snapshot(
        file=name,
        columns=table.schema.names,
        rows=pq.read_metadata(file).num_rows,
        malformed=malformed + _unfitting(engine, table, file),
        digest=digest,
        source=str(address),
        started=started,
        finished=now(),
        newest=_newest(file, table.changed_by) if table.changed_by else None,
        compared=compared if table.changed_by else None,
        checksum=checksum(file),
    )


def _unfitting(engine: Engine, table: LMSTable, file: Path) -> int:
    """The number of rows that `read` leaves out for their course id, or in which it changes a text."""
    names = [name for name in ("course_id", "mode", "gender") if name in table.schema.names]
    if not names:
        return 0
    rows = engine.read([file], pa.schema([table.schema.field(name).with_nullable(True) for name in names]))
    tests = [~_fits(rows)] if "course_id" in names else []
    tests += [rows[name].notnull() & (rows[name] != text) for name, text in _texts(rows).items()]
    # Filtered, then counted: `count(where=…)` of no rows is null on Spark.
    found = engine.fetch(rows.filter(reduce(or_, tests)).agg(count=ibis._.count()))
    return int(found["count"][0].as_py())


def _settled(
    lake: Lake, engine: Engine, table: LMSTable, last: Snapshot | None, staged: Path
) -> tuple[str, Path, str]:
    """Digest of the new rows, their file on this machine, and the file's name in the table's folder.

    If no rows are staged, nothing has changed: the values of the last snapshot.
    """
    if last is not None and not staged.exists():
        return last.digest, snapshots.local(lake, table.name, last), last.file
    digest = engine.digest(staged)
    name = f"{digest}.parquet"
    lake.place.take([(staged, f"{folder(table.name)}/{name}")])
    return digest, lake.place.local(f"{folder(table.name)}/{name}"), name


def _can_continue(lake: Lake, last: Snapshot, table: LMSTable, source: str) -> bool:
    """True if the last snapshot exists, comes from the same database and has the same columns."""
    return (
        last.columns == table.schema.names
        and last.source == source
        and f"{folder(table.name)}/{last.file}" in lake.place.sizes(folder(table.name))
    )


def _changes(
    engine: Engine, database: Database, table: LMSTable, last: Snapshot, before: Path, target: Path
) -> int:
    """Write the last snapshot with the rows changed since, unless nothing changed; return the number of
    malformed rows.
    """
    by = str(table.changed_by)
    since = _since(last, before, by)
    changes, known = target.with_suffix(".changes.parquet"), target.with_suffix(".known.parquet")
    copied = database.copy(table.name, table.schema, changes, since=(by, since))
    columns = _nullable(table.schema)
    ours, changed = engine.read([before], columns), engine.read([changes], columns)
    first = ibis.literal(since) if isinstance(since, int) else ibis.literal(since, "timestamp(6)")
    engine.write(ours.filter(ours[by] >= first), known)
    if engine.digest(known) != engine.digest(changes):
        engine.write(ibis.union(ours.anti_join(changed, "id"), changed), target)
    return copied.malformed


def _remove_deleted(engine: Engine, database: Database, table: LMSTable, file: Path, target: Path) -> None:
    """If the LMS has deleted rows of a file, write the file without them.

    Ids are compared in shares, so that the memory needed does not grow with the table.
    """
    columns = _nullable(table.schema)
    ids, kept = target.with_suffix(".ids.parquet"), target.with_suffix(".kept.parquet")
    database.copy(table.name, pa.schema([table.schema.field("id")]), ids)
    there, ours = engine.read([ids], pa.schema([columns.field("id")])), engine.read([file], columns)
    shares = pq.read_metadata(file).num_rows // IDS_AT_ONCE + 1
    deleted = [target.with_suffix(f".deleted-{share}.parquet") for share in range(shares)]
    for share, part in enumerate(deleted):
        gone = _share(ours.select("id"), share, shares).anti_join(_share(there, share, shares), "id")
        engine.write(gone, part)
    if any(pq.read_metadata(part).num_rows for part in deleted):
        engine.write(ours.anti_join(engine.read(deleted, pa.schema([columns.field("id")])), "id"), kept)
        kept.replace(target)


def _share(ids: ibis.Table, share: int, shares: int) -> ibis.Table:
    """One of several parts of about equal size of a table of ids."""
    return ids.filter(ids.id.abs() % shares == share)


def _since(last: Snapshot, before: Path, by: str) -> datetime | int:
    """The value of `by` from which rows are read again.

    Rows written by a clock that runs ahead must not hide later changes: the value is never later than the
    last import, minus OVERLAP.
    """
    latest = _latest(before, by)
    return latest if isinstance(latest, int) else min(latest or last.started, last.started) - OVERLAP


def _newest(file: Path, by: str) -> datetime | None:
    """The latest time of change; None if changes have no time."""
    latest = _latest(file, by)
    return latest if isinstance(latest, datetime) else None


def _latest(file: Path, column: str) -> datetime | int | None:
    """The largest value of a column, from the file's row-group statistics."""
    found = pq.read_metadata(file)
    if not found.num_rows:
        return None
    place = found.schema.names.index(column)
    groups = (found.row_group(group).column(place).statistics.max for group in range(found.num_row_groups))
    latest: datetime | int = max(groups)
    # One of the engines writes moments with a zone, UTC.
    return latest.replace(tzinfo=None) if isinstance(latest, datetime) else latest


def _nullable(schema: pa.Schema) -> pa.Schema:
    """The schema with all columns nullable, as Ibis expressions have them."""
    return pa.schema([field.with_nullable(nullable=True) for field in schema])
