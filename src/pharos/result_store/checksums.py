"""Checksums of rows, computed by the database: equal for equal rows, whatever their order.

A checksum is the number of rows and a sum over them, so deleted and inserted rows can be subtracted and
added. It detects changes made by hand; it does not protect against a deliberate attacker.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

MODULUS = 2**60
FORM = "v2"  # of what a checksum is computed from; earlier releases wrote two numbers alone
PRIME = 1048573  # integers are counted modulo this: every bit of them changes the rest
TEXT_PRIME = 16777213
TEXT = "pharos_text"  # a function of ours on SQLite, which has none that hashes


@dataclass(frozen=True)
class Checksum:
    """The number of some rows and a sum over them."""

    rows: int = 0
    total: int = 0

    def plus(self, other: Checksum) -> Checksum:
        """The checksum of both sets of rows together."""
        return Checksum(self.rows + other.rows, (self.total + other.total) % MODULUS)

    def minus(self, other: Checksum) -> Checksum:
        """The checksum of these rows without `other`, which must be among them."""
        return Checksum(self.rows - other.rows, (self.total - other.total) % MODULUS)

    def __str__(self) -> str:
        return f"{FORM} {self.rows} {self.total:x}"


def parsed(text: str) -> Checksum | None:
    """The checksum in a text; None if another release computed it in another way."""
    form, *numbers = text.split(" ")
    if form != FORM:
        return None
    rows, total = numbers
    return Checksum(int(rows), int(total, 16))


def number_of(text: bytes | None) -> int | None:
    """The SQLite function `TEXT`: a number for a text. Small, because sums of it must fit 64 bits."""
    return None if text is None else zlib.crc32(text) % TEXT_PRIME


def of(
    connection: sa.Connection,
    table: sa.Table,
    columns: Sequence[str],
    source: str | None = None,
    alias: str = "",
    end: str | None = None,
) -> Checksum:
    """The checksum of these columns of a table, or of rows in the same columns.

    `source` is the text after FROM, `alias` the text before each column's name. With `end`, each row is a
    span of days from `date` up to but excluding this column and counts as one row per day.
    """
    sql = _DIALECTS[connection.dialect.name]
    quote = connection.dialect.identifier_preparer.quote
    terms = [
        # Small factors: the sum over a hundred million rows must fit an integer of 64 bits.
        f"coalesce({sql.number(table.c[name], alias + quote(name))}, -1) * {2 * number + 1}"
        for number, name in enumerate(columns)
    ]
    rows, total = "count(*)", f"sum({' + '.join(terms)})"
    if end is not None:
        length = sql.between(f"{alias}{quote('date')}", f"{alias}{quote(end)}")
        # The days of a span are numbers in a row; all its other columns are the same on each of them.
        later = f"{length} * ({length} - 1) / 2 * {2 * columns.index('date') + 1}"
        rows, total = f"coalesce(sum({length}), 0)", f"sum(({' + '.join(terms)}) * {length} + {later})"
    found = connection.exec_driver_sql(f"SELECT {rows}, {total} FROM {source or quote(table.name)}").one()  # noqa: S608 - our own names
    return Checksum(int(found[0]), int(found[1] or 0) % MODULUS)


@dataclass(frozen=True)
class _Dialect:
    """SQL expressions that turn values into numbers on one database, with a placeholder for the column."""

    text: str
    day: str
    moment: str
    days: str  # between two days
    fraction: str
    integer: str = f"MOD({{}}, {PRIME})"

    def number(self, column: sa.Column[object], name: str) -> str:
        """The value of a column as an integer."""
        match column.type:
            case sa.DateTime():
                return self.moment.format(name)
            case sa.Date():
                return self.day.format(name)
            case sa.String():
                return self.text.format(name)
            case sa.Boolean():
                return f"CASE WHEN {name} THEN 1 ELSE 0 END"
            case sa.Integer():
                return self.integer.format(name)
        return self.fraction.format(name)

    def between(self, first: str, last: str) -> str:
        """The number of days from a day to another one."""
        return self.days.format(first, last)


_MYSQL = _Dialect(
    text="CRC32({})",
    day="TO_DAYS({})",
    moment="TIMESTAMPDIFF(SECOND, '2000-01-01', {})",
    days="DATEDIFF({1}, {0})",
    fraction="FLOOR({} * 1000)",
)
_DIALECTS = {
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "postgresql": _Dialect(
        text="abs(hashtext({})::bigint)",
        day="({} - date '2000-01-01')",
        moment="floor(extract(epoch FROM {}))",
        days="({1} - {0})::bigint",
        fraction="floor({} * 1000)",
    ),
    "sqlite": _Dialect(
        text=f"{TEXT}(CAST({{}} AS BLOB))",
        integer=f"({{}} % {PRIME})",
        day="CAST(julianday({}) AS INTEGER)",
        moment="CAST(julianday({}) * 86400 AS INTEGER)",
        days="CAST(julianday({1}) - julianday({0}) AS INTEGER)",
        fraction="CAST({} * 1000 AS INTEGER)",
    ),
}
