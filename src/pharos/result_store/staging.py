"""Stages rows to insert or to delete in temporary tables of the database.

Rows that represent many days (spans) are expanded by the database itself: three years of a course are a
handful of spans for the network and a thousand rows for the disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import sqlalchemy as sa

from pharos.result_store import bulk, checksums, contract
from pharos.result_store.checksums import Checksum
from pharos.result_store.tables import days

END = "end"  # of a span: the first day on which it no longer holds


class Stage:
    """The temporary tables for publishing one result table.

    `columns` are the columns of new rows; `key` are the columns that identify rows to delete. `spans`: both
    also have the column `end`, and each row represents one row per day from `date` up to but excluding `end`.
    """

    def __init__(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: Sequence[str],
        key: Sequence[str],
        *,
        spans: bool,
    ) -> None:
        self._connection, self._table = connection, table
        self._columns, self._key, self._spans = list(columns), list(key), spans
        self._new = self._temporary("new", columns)
        self._gone = self._temporary("gone", key)

    def create(self) -> None:
        """Make the temporary tables. Call it outside a transaction, which some databases would end."""
        for table in self._tables():
            self._connection.execute(sa.schema.CreateTable(table))

    def drop(self) -> None:
        """Remove the temporary tables."""
        word = "TEMPORARY " if self._dialect in {"mysql", "mariadb"} else ""
        for table in self._tables():
            self._connection.exec_driver_sql(f"DROP {word}TABLE IF EXISTS {self._quoted(table.name)}")

    def _tables(self) -> list[sa.Table]:
        """The temporary tables. Without a key there is no table of rows to delete."""
        return [self._new, self._gone] if self._key else [self._new]

    def delete(self, keys: pa.Table) -> Checksum:
        """Delete the rows with these keys; return the checksum of the deleted rows."""
        self._fill(self._gone, keys)
        source = self._joined()
        found = checksums.of(self._connection, self._table, self._columns, source, "t.")
        if found.rows:
            self._connection.exec_driver_sql(self._delete())
        return found

    def insert(
        self, rows: pa.Table, stamp: tuple[str, object] | None, *, created: datetime, first_id: int
    ) -> Checksum:
        """Insert rows; their checksum. `stamp`: a further column with this value. `first_id` numbers the rows
        where the database does not do so by itself.
        """
        self._fill(self._new, rows)
        source = self._spread()
        chosen = [self._value(name) for name in self._columns]
        names = [*map(self._quoted, self._columns), "created"]
        own = [f"'{created}'"]
        if stamp is not None:
            names, own = [*names, self._quoted(stamp[0])], [*own, f"'{stamp[1]}'"]
        order = ""
        if self._spans:
            order = f" ORDER BY {', '.join(self._value(name) for name in self._in_order())}"
        if self._dialect == "sqlite" and self._table.info.get("by_day"):
            # One row for each course run, day and span: numbering all rows takes twice the time.
            names, own = [*names, "id"], [*own, f"{first_id} + s.rowid"]
        self._connection.exec_driver_sql(
            f"INSERT INTO {self._quoted(self._table.name)} ({', '.join(names)}) "  # noqa: S608 - our own names
            f"SELECT {', '.join([*chosen, *own])} FROM {source}{order}"
        )
        return self.checksum_of_new()

    def checksum_of_new(self, rows: pa.Table | None = None) -> Checksum:
        """The checksum of the staged new rows."""
        if rows is not None:
            self._fill(self._new, rows)
        source = f"{self._quoted(self._new.name)} AS s"
        end = END if self._spans else None
        return checksums.of(self._connection, self._table, self._columns, source, "s.", end)

    @property
    def _dialect(self) -> str:
        return self._connection.dialect.name

    def _quoted(self, name: str) -> str:
        return self._connection.dialect.identifier_preparer.quote(name)

    def _temporary(self, prefix: str, names: Sequence[str]) -> sa.Table:
        columns = [sa.Column(name, self._table.c[name].type) for name in names]
        if self._spans:
            columns.append(sa.Column(END, sa.Date))
        return sa.Table(f"{prefix}_{self._table.name}", sa.MetaData(), *columns, prefixes=["TEMPORARY"])

    def _fill(self, stage: sa.Table, rows: pa.Table) -> None:
        self._connection.exec_driver_sql(f"DELETE FROM {self._quoted(stage.name)}")  # noqa: S608 - our own names
        bulk.insert(self._connection, stage, rows.select(stage.columns.keys()))

    def _value(self, name: str) -> str:
        """SQL of a column of the rows to insert; for spans, the day is one of many."""
        if self._spans and name == "date":
            return "d.day::date" if self._dialect == "postgresql" else "d.day"
        return f"s.{self._quoted(name)}"

    def _in_order(self) -> list[str]:
        """The key columns in the sort order of the table: course run and day, then group."""
        return [name for name in ("course_id", "date") if name in self._key] + [
            name for name in self._key if name not in {"course_id", "date"}
        ]

    def _spread(self) -> str:
        """FROM: the rows to insert; spans are expanded to one row per day."""
        stage = f"{self._quoted(self._new.name)} AS s"
        if not self._spans:
            return stage
        end = f"s.{self._quoted(END)}"
        if self._dialect == "postgresql":
            return (
                f"{stage} CROSS JOIN LATERAL generate_series(s.date, {end} - 1, interval '1 day') AS d(day)"
            )
        # The order of the join is fixed: from the span to its days, by the key of the days.
        join = "CROSS JOIN" if self._dialect == "sqlite" else "STRAIGHT_JOIN"
        on = "WHERE" if self._dialect == "sqlite" else "ON"
        return f"{stage} {join} {days.name} AS d {on} d.day >= s.date AND d.day < {end}"

    def _joined(self) -> str:
        """FROM: the rows of the table with the staged keys, called t."""
        stage = f"{self._quoted(self._gone.name)} AS s"
        table = f"{self._quoted(self._table.name)} AS t"
        if self._dialect == "postgresql":
            return f"{stage} JOIN {table} ON {self._is_named()}"
        if self._dialect == "sqlite":
            return f"{stage} CROSS JOIN {table} WHERE {self._is_named()}"
        return f"{stage} STRAIGHT_JOIN {table} ON {self._is_named()}"

    def _is_named(self) -> str:
        same = {"postgresql": "IS NOT DISTINCT FROM", "sqlite": "IS"}.get(self._dialect, "<=>")
        tests = []
        for name in self._key:
            column = self._quoted(name)
            if self._spans and name == "date":
                tests.append(f"t.{column} >= s.{column} AND t.{column} < s.{self._quoted(END)}")
            else:
                # An index serves equality; only a column that may be null needs the other test.
                test = same if self._table.c[name].nullable else "="
                tests.append(f"t.{column} {test} s.{column}")
        return " AND ".join(tests)

    def _delete(self) -> str:
        name = self._quoted(self._table.name)
        match self._dialect:
            case "postgresql":
                gone = self._quoted(self._gone.name)
                return f"DELETE FROM {name} AS t USING {gone} AS s WHERE {self._is_named()}"  # noqa: S608
            case "sqlite":
                # A clustered table has no rowid; its primary key is course run, day and id.
                row = ["course_id", "date", "id"] if self._table.info.get("by_day") else ["rowid"]
                return (
                    f"DELETE FROM {name} WHERE ({', '.join(row)}) IN "  # noqa: S608
                    f"(SELECT {', '.join(f't.{part}' for part in row)} FROM {self._joined()})"
                )
        return f"DELETE t FROM {self._joined()}"


def columns_of(table: sa.Table, stamp: str | None) -> list[str]:
    """The columns of result rows: all except the store's own columns and the stamp."""
    return [column.name for column in contract.columns(table) if column.name != stamp]
