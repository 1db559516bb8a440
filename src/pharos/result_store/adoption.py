"""Adopting a store: rows of another program stay in its tables, beside the rows that Pharos publishes.

A copy of an adopted table, `adopted_<table>`, keeps all its earlier rows: the rows that stay are taken from
there, and undoing the adoption puts all of them back. In a table with days or weeks, rows before a first day
stay; in a table without days, rows of course runs for which Pharos has no rows stay. This module must not
know any table by name.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from pharos.result_store import bulk, checksums, contract, fitting
from pharos.result_store.checksums import Checksum
from pharos.result_store.connecting import translated
from pharos.result_store.tables import RESULTS, adoptions, publications

PREFIX = "adopted_"  # of the copy's name
WEEK = "interval_start"  # column of tables by week: its Monday


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """An adopted table and the number of rows it had.

    Rows before `first_day` stay; `first_day` is None if the table has no days.
    """

    table: sa.Table
    first_day: date | None
    row_count: int


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The rows that stay in an adopted table.

    `courses`, `back` and `replaced` apply only to tables without days. Rows of the course runs `courses`
    stay. Of these, `back` must be inserted again, because Pharos has no rows for them any more. Rows of
    `replaced` must be deleted, because Pharos now has rows for them.
    """

    adoption: Adoption
    courses: Collection[str] = ()
    back: Collection[str] = ()
    replaced: Collection[str] = ()


def day_column(table: sa.Table) -> str | None:
    """The column with the day or week of each row; None if all rows describe the same time."""
    if table.info.get("stamp") is not None:
        return None
    return next((name for name in ("date", WEEK) if name in table.c), None)


def has_lasting_rows(table: sa.Table) -> bool:
    """True if rows of another program can stay beside ours, separated by day or by course run.

    A table with neither column (`video_timeline` has only ids of videos) holds only our rows; undoing brings
    the earlier rows back.
    """
    return day_column(table) is not None or "course_id" in table.c


def first_day_of(table: sa.Table, first_day: date) -> date | None:
    """The first day of Pharos's rows, if `first_day` is its first whole day; for weeks the next Monday."""
    match day_column(table):
        case None:
            return None
        case "interval_start":
            return first_day + timedelta(days=-first_day.weekday() % 7)
    return first_day


def read(connection: sa.Connection) -> dict[str, Adoption]:
    """The adopted tables, by name."""
    rows = connection.execute(sa.select(adoptions)).all()
    return {
        row.table_name: Adoption(
            table=RESULTS[row.table_name], first_day=row.first_day, row_count=row.row_count
        )
        for row in rows
        if row.table_name in RESULTS
    }


def adopted(engine: sa.Engine) -> dict[str, Adoption]:
    """The adopted tables, by name. Raises ResultStoreError."""
    with translated(engine) as connection:
        return read(connection)


def adopt(engine: sa.Engine, names: Collection[str], first_day: date) -> list[Adoption]:
    """Adopt these tables; the next publication puts our rows beside theirs. Raises ResultStoreError.

    Each table is adopted completely or not at all, even if this is interrupted.
    """
    with translated(engine) as connection:
        for name in sorted(names):
            table = RESULTS[name]
            copy = _quoted(connection, PREFIX + name)
            source = _quoted(connection, name)
            like = f"LIKE {source}" if _is_mysql(connection) else f"AS SELECT * FROM {source} WHERE 1 = 0"  # noqa: S608 - our own names
            with connection.begin():
                connection.exec_driver_sql(f"DROP TABLE IF EXISTS {copy}")  # of an interrupted adoption
                connection.exec_driver_sql(f"CREATE TABLE {copy} {like}")
            with connection.begin():
                count = connection.exec_driver_sql(f"INSERT INTO {copy} SELECT * FROM {source}").rowcount  # noqa: S608
                connection.execute(
                    sa.insert(adoptions).values(
                        table_name=name,
                        first_day=first_day_of(table, first_day),
                        row_count=count,
                        adopted=datetime.now(UTC).replace(tzinfo=None),
                    )
                )
        found = read(connection)
    return [found[name] for name in sorted(names)]


def undo(engine: sa.Engine) -> list[Adoption]:
    """Put all rows of the other program back, in one transaction; return the tables concerned.

    Raises ResultStoreError; then nothing has changed.
    """
    with translated(engine) as connection:
        with connection.begin():
            found = list(read(connection).values())
            for each in found:
                _restore(connection, each.table.name)
            names = [each.table.name for each in found]
            connection.execute(sa.delete(adoptions).where(adoptions.c.table_name.in_(names)))
            connection.execute(sa.delete(publications).where(publications.c.table_name.in_(names)))
        with connection.begin():
            for name in names:
                fitting.drop_added(connection, RESULTS[name], PREFIX + name)
                connection.exec_driver_sql(f"DROP TABLE {_quoted(connection, PREFIX + name)}")
    return found


def _restore(connection: sa.Connection, name: str) -> None:
    inspector = sa.inspect(connection)
    columns = ", ".join(
        _quoted(connection, column["name"]) for column in inspector.get_columns(PREFIX + name)
    )
    target, copy = _quoted(connection, name), _quoted(connection, PREFIX + name)
    connection.exec_driver_sql(f"DELETE FROM {target}")  # noqa: S608 - our own names, also below
    connection.exec_driver_sql(f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {copy}")  # noqa: S608


def rows_by_course(engine: sa.Engine, adoption: Adoption) -> dict[str, int]:
    """For a table without days: the number of the other program's rows by course run."""
    copy = sa.table(PREFIX + adoption.table.name, sa.column("course_id"))
    counted = sa.select(copy.c.course_id, sa.func.count()).group_by(copy.c.course_id)
    with translated(engine) as connection:
        return {row[0]: row[1] for row in connection.execute(counted).all()}


def rows_before(engine: sa.Engine, adoption: Adoption) -> int:
    """For a table with days: the number of rows that stay."""
    with translated(engine) as connection:
        return int(_before(connection, adoption, sa.func.count()))


def _history_until(connection: sa.Connection, adoption: Adoption) -> date | None:
    """The last day of rows that stay; None if there are none, or the table has no days."""
    name = day_column(adoption.table)
    if name is None:
        return None
    last = _before(connection, adoption, sa.func.max(sa.column(name, adoption.table.c[name].type)))
    if last is None:
        return None
    first = date.fromordinal(last.toordinal())
    return first + timedelta(days=6) if name == WEEK else first


def _before(connection: sa.Connection, adoption: Adoption, what: sa.ColumnElement[Any]) -> Any:
    ours = adoption.table.c[str(day_column(adoption.table))]
    column = sa.column(ours.name, ours.type)
    copy = sa.table(PREFIX + adoption.table.name, column)
    return connection.scalar(sa.select(what).select_from(copy).where(column < adoption.first_day))


class KeptRows:
    """The rows that stay in one table while it is published. `columns`: the columns in its checksum."""

    def __init__(
        self, connection: sa.Connection, table: sa.Table, columns: Sequence[str], kept: Kept | None
    ) -> None:
        self._connection, self._table, self._columns, self._kept = connection, table, columns, kept
        self._has_days = day_column(table) is not None
        self._courses: sa.Table | None = None
        if kept is not None and not self._has_days:
            course = sa.Column("course_id", table.c.course_id.type)
            self._courses = sa.Table(f"kept_{table.name}", sa.MetaData(), course, prefixes=["TEMPORARY"])

    def create(self) -> None:
        """Make the temporary table. Call it outside a transaction, which some databases would end."""
        if self._courses is not None:
            self._connection.execute(sa.schema.CreateTable(self._courses))

    def drop(self) -> None:
        """Remove the temporary table."""
        if self._courses is not None:
            word = "TEMPORARY " if _is_mysql(self._connection) else ""
            name = self._quoted(self._courses.name)
            self._connection.exec_driver_sql(f"DROP {word}TABLE IF EXISTS {name}")

    @property
    def history_until(self) -> date | None:
        """The last day of rows that stay."""
        return _history_until(self._connection, self._kept.adoption) if self._kept else None

    def checksum(self) -> Checksum:
        """The checksum of all rows that stay."""
        if self._kept is None:
            return Checksum()
        return self._checksum(self._chosen(self._kept.courses))

    def put_all(self) -> Checksum:
        """Insert all rows that stay; return their checksum."""
        return self._put(self._kept.courses) if self._kept else Checksum()

    def put_back(self) -> Checksum:
        """Insert the rows of course runs for which Pharos has no rows any more; return their checksum."""
        return self._put(self._kept.back) if self._kept and self._kept.back else Checksum()

    def remove_replaced(self) -> Checksum:
        """Delete the rows of course runs for which Pharos now has rows; return their checksum."""
        if self._kept is None or self._courses is None or not self._kept.replaced:
            return Checksum()
        self._fill(self._kept.replaced)
        within = f"course_id IN (SELECT course_id FROM {self._quoted(self._courses.name)})"  # noqa: S608 - our own names, also below
        name = self._quoted(self._table.name)
        found = checksums.of(
            self._connection, self._table, self._columns, f"{name} AS s WHERE s.{within}", "s."
        )
        self._connection.exec_driver_sql(f"DELETE FROM {name} WHERE {within}")  # noqa: S608
        return found

    def is_not_kept(self) -> sa.ColumnElement[bool]:
        """SQL condition: the row belongs to Pharos."""
        if self._courses is None or self._kept is None:
            return sa.true()
        self._fill(self._kept.courses)
        return self._table.c.course_id.not_in(sa.select(self._courses.c.course_id))

    def _put(self, courses: Collection[str]) -> Checksum:
        source = self._chosen(courses)
        names = [*(column.name for column in contract.columns(self._table)), "created"]
        listed, chosen = (", ".join(prefix + self._quoted(name) for name in names) for prefix in ("", "s."))
        self._connection.exec_driver_sql(
            f"INSERT INTO {self._quoted(self._table.name)} ({listed}) SELECT {chosen} FROM {source}"  # noqa: S608
        )
        return self._checksum(source)

    def _checksum(self, source: str) -> Checksum:
        return checksums.of(self._connection, self._table, self._columns, source, "s.")

    def _chosen(self, courses: Collection[str]) -> str:
        """FROM and WHERE of the copied rows that stay; without days, only those of these course runs."""
        assert self._kept is not None  # noqa: S101 - for the type checker
        copy = f"{fitting.with_lacking(self._connection, self._table, PREFIX + self._table.name)} AS s"
        if self._courses is None:
            column = self._quoted(str(day_column(self._table)))
            return f"{copy} WHERE s.{column} < '{self._kept.adoption.first_day}'"
        self._fill(courses)
        return f"{copy} WHERE s.course_id IN (SELECT course_id FROM {self._quoted(self._courses.name)})"  # noqa: S608

    def _fill(self, courses: Collection[str]) -> None:
        assert self._courses is not None  # noqa: S101 - for the type checker
        self._connection.execute(sa.delete(self._courses))
        if courses:
            bulk.insert(self._connection, self._courses, pa.table({"course_id": sorted(courses)}))

    def _quoted(self, name: str) -> str:
        return _quoted(self._connection, name)


def _is_mysql(connection: sa.Connection) -> bool:
    return connection.dialect.name in {"mysql", "mariadb"}


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
