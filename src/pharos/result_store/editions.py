"""Publishing an edition: the differences of all tables in one transaction.

A reader sees the old edition or the new one, never a part of each. Unchanged rows are not touched. The
publication record of a table holds a checksum of its rows, computed by the database, so that rows changed by
hand are noticed. This module must not know any table by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from pharos.database_causes import plain
from pharos.result_store import checksums, contract, fitting, publications
from pharos.result_store.adoption import Kept, KeptRows
from pharos.result_store.checksums import Checksum
from pharos.result_store.connecting import is_of_one_table
from pharos.result_store.errors import (
    ContractViolation,
    EmptyResult,
    ResultStoreError,
    StoreAltered,
    explained,
)
from pharos.result_store.publications import Publication
from pharos.result_store.staging import END, Stage, columns_of

ROWS_AT_ONCE = 250_000  # of the table, inserted by one statement: so many the database sorts in memory

Batches = Callable[[], Iterator[pa.Table]]
"""Gives rows a piece at a time, as often as it is called."""


def no_rows() -> Iterator[pa.Table]:
    """No batches."""
    return iter(())


@dataclass(frozen=True, kw_only=True)
class Change:
    """The difference between the new rows of a table and its published rows.

    `gone` gives the keys of rows to delete and `new` the rows to insert, in the order of the key. `spans`:
    each row represents one row per day, from `date` up to but excluding the additional column `end`. `stamp`:
    a column with one value for all rows, which the rows themselves omit. `is_whole`: all existing rows are
    deleted first; the table is not touched if the new rows are the same. `allow_empty`: an empty result may
    replace rows. `kept`: the rows of another program that stay in an adopted table.
    """

    table: sa.Table
    publication: Publication
    new: Batches = no_rows
    gone: Batches = no_rows
    spans: bool = False
    stamp: tuple[str, object] | None = None
    is_whole: bool = False
    allow_empty: bool = True
    kept: Kept | None = None

    @property
    def key(self) -> list[str]:
        """The key columns of the rows."""
        return [name for name in self.table.info["key"] if name != self._stamp_name]

    @property
    def columns(self) -> list[str]:
        """The columns of the rows."""
        return columns_of(self.table, self._stamp_name)

    @property
    def _stamp_name(self) -> str | None:
        return self.stamp[0] if self.stamp else None

    def conforming(self, rows: pa.Table) -> pa.Table:
        """The rows in the types of the table. Raises ContractViolation."""
        if not self.spans:
            return contract.conform(self.table, rows, self.columns)
        ends = rows[END].cast(pa.date32())
        return contract.conform(self.table, rows.drop_columns(END), self.columns).append_column(END, ends)


@dataclass(frozen=True, kw_only=True)
class Written:
    """The outcome for one table: its number of rows, rows deleted, inserted and stamped; or the problem."""

    rows: int
    deleted: int = 0
    inserted: int = 0
    stamped: int = 0
    problem: ResultStoreError | None = None

    @property
    def is_changed(self) -> bool:
        """True if rows were written."""
        return bool(self.deleted or self.inserted or self.stamped)


def publish(
    connection: sa.Connection, changes: Sequence[Change], *, together: bool = False
) -> dict[str, Written]:
    """Write the differences of all tables and commit; return the outcome by table.

    If rows do not fit their table, that table is left as it was and the other tables are published, unless
    `together` is set: then the error is raised and nothing is written. Raises StoreAltered if rows to delete
    are missing, because the table was changed since it was published; then nothing is written.
    """
    before = publications.published(connection)
    unfit = _fitted(connection, changes, before)
    changes = [change for change in changes if change.table.name not in unfit]
    stages = [
        Stage(connection, change.table, change.columns, change.key, spans=change.spans) for change in changes
    ]
    kept = [KeptRows(connection, change.table, change.columns, change.kept) for change in changes]
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "PRAGMA cache_size = -65536"
        )  # KB; pages are then written once: 1.4 x as fast
        connection.rollback()
    with connection.begin():
        for stage, staying in zip(stages, kept, strict=True):
            stage.create()
            staying.create()
    try:
        with connection.begin():
            edition = publications.begin(connection)
            before = publications.published(connection)
            written = unfit | {
                change.table.name: _apply(
                    connection, change, stage, staying, edition, before.get(change.table.name)
                )
                for change, stage, staying in zip(changes, stages, kept, strict=True)
            }
            for problem in filter(None, (found.problem for found in written.values())):
                if together:
                    raise problem
            return written
    finally:
        with connection.begin():
            for stage, staying in zip(stages, kept, strict=True):
                stage.drop()
                staying.drop()


def _fitted(
    connection: sa.Connection, changes: Sequence[Change], before: Mapping[str, Publication]
) -> dict[str, Written]:
    """Make tables of another program fit for our rows; those that cannot be, with the problem."""
    unfit = {}
    found = fitting.reflected(connection, [change.table for change in changes])
    connection.rollback()
    for table in (change.table for change in changes if change.table.name in found):
        name = table.name
        try:
            with connection.begin():
                fitting.fit(connection, table, found[name])
        except sa.exc.DBAPIError as error:
            if not is_of_one_table(error, connection.dialect.name):
                raise
            unfit[name] = _left(name, before.get(name), error)
    return unfit


def _left(name: str, before: Publication | None, error: sa.exc.DBAPIError) -> Written:
    """The outcome for a table that the database refuses to change."""
    why = explained(plain(error.orig or error))
    refused = ResultStoreError(f"{name}: not published, the old rows stay: {why}")
    return Written(rows=before.row_count if before else 0, problem=refused)


def _apply(
    connection: sa.Connection, change: Change, stage: Stage, kept: KeptRows, edition: int,
    before: Publication | None,
) -> Written:  # fmt: skip
    """Write one table, in its own savepoint."""
    try:
        with connection.begin_nested():
            written, content = _write(connection, change, stage, kept, edition, before)
            publications.put(
                connection, change.table, change.publication, content,
                edition=edition, before=before, is_changed=written.is_changed,
                history_until=kept.history_until,
            )  # fmt: skip
            return written
    except (ContractViolation, EmptyResult) as problem:
        return Written(rows=before.row_count if before else 0, problem=problem)
    except sa.exc.DBAPIError as error:
        if not is_of_one_table(error, connection.dialect.name):
            raise
        return _left(change.table.name, before, error)


def _write(
    connection: sa.Connection, change: Change, stage: Stage, kept: KeptRows, edition: int,
    before: Publication | None,
) -> tuple[Written, Checksum]:  # fmt: skip
    table, deleted, inserted = change.table, 0, 0
    content = Checksum() if before is None else checksums.parsed(before.content)
    if content is None:  # published by an earlier release
        content = checksums.of(connection, table, change.columns)
    if change.is_whole:
        there = checksums.of(connection, table, change.columns)
        if there.rows:
            wanted = kept.checksum()
            for rows in _pieces(change.new(), spans=change.spans):
                wanted = wanted.plus(stage.checksum_of_new(change.conforming(rows)))
            if wanted == there:
                return Written(rows=there.rows, stamped=_stamp(connection, change, kept)), there
            if not wanted.rows and not change.allow_empty:
                raise EmptyResult(table.name)
            deleted = connection.execute(sa.delete(table)).rowcount
        content = Checksum()
    for keys in _pieces(change.gone(), spans=change.spans):
        found = stage.delete(keys)
        if found.rows != row_count(keys, spans=change.spans):
            raise StoreAltered(table.name)
        content, deleted = content.minus(found), deleted + found.rows
    replaced = kept.remove_replaced()
    content, deleted = content.minus(replaced), deleted + replaced.rows
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    for rows in _pieces(change.new(), spans=change.spans):
        found = stage.insert(
            change.conforming(rows), change.stamp, created=now, first_id=(edition << 32) + inserted
        )
        content, inserted = content.plus(found), inserted + found.rows
    staying = kept.put_all() if change.is_whole else kept.put_back()
    content, inserted = content.plus(staying), inserted + staying.rows
    stamped = _stamp(connection, change, kept)
    return Written(rows=content.rows, deleted=deleted, inserted=inserted, stamped=stamped), content


def _stamp(connection: sa.Connection, change: Change, kept: KeptRows) -> int:
    """Set the stamp in all rows of Pharos; return the number of rows that had another value."""
    if change.stamp is None:
        return 0
    column, value = change.table.c[change.stamp[0]], change.stamp[1]
    is_other = sa.or_(column != value, column.is_(None))
    chosen = sa.update(change.table).where(is_other, kept.is_not_kept())
    return connection.execute(chosen.values({column: value})).rowcount


def row_count(rows: pa.Table, *, spans: bool) -> int:
    """The number of table rows that these rows represent."""
    return int(_lengths(rows).sum()) if spans else rows.num_rows


def _lengths(spans: pa.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The number of days of each span."""
    starts, ends = (spans[name].cast(pa.date32()).cast(pa.int32()).to_numpy() for name in ("date", END))
    return np.asarray(ends - starts, np.int64)


def _pieces(batches: Iterator[pa.Table], *, spans: bool) -> Iterator[pa.Table]:
    """The rows cut and joined into pieces that represent about ROWS_AT_ONCE table rows each."""
    kept: list[pa.Table] = []
    size = 0
    for batch in batches:
        lengths = _lengths(batch) if spans else np.ones(batch.num_rows, np.int64)
        piece = (np.cumsum(lengths) + size - 1) // ROWS_AT_ONCE
        cuts = [0, *(np.flatnonzero(np.diff(piece)) + 1).tolist(), batch.num_rows]
        for start, end in pairwise(cuts):
            if kept and size + lengths[start:end].sum() > ROWS_AT_ONCE:
                yield pa.concat_tables(kept)
                kept, size = [], 0
            kept.append(batch.slice(start, end - start))
            size += int(lengths[start:end].sum())
    if kept:
        yield pa.concat_tables(kept)
