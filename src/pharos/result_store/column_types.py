"""Column types of the Result Store that differ between databases, with the reason for each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, DateTime, Double, Integer, String, Text, and_
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler, TypeCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

MARIADB_NO_PAD = (10, 2)
MYSQL_NO_PAD = (8, 0, 17)

row_number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only if INTEGER
moment = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")  # keeps microseconds
number: TypeEngine[float] = Double().with_variant(mysql.DOUBLE(asdecimal=False), "mysql", "mariadb")


class Exact(String):
    """Text that is equal only if every character is equal; the default collations of MySQL ignore case.

    Trailing spaces count as well if the server supports it (MariaDB 10.2, MySQL 8.0.17 and later).
    """

    cache_ok = True


@compiles(Exact, "mysql", "mariadb")  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _exact_on_mysql(type_: Exact, compiler: TypeCompiler, **_: object) -> str:
    return f"VARCHAR({type_.length}) CHARACTER SET utf8mb4 COLLATE {collation(compiler.dialect)}"


class LongText(Text):
    """Text of any length, compared as `Exact`."""

    cache_ok = True


@compiles(LongText, "mysql", "mariadb")  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _long_on_mysql(_: LongText, compiler: TypeCompiler, **__: object) -> str:
    return f"LONGTEXT CHARACTER SET utf8mb4 COLLATE {collation(compiler.dialect)}"


long_text = LongText()
token = Exact(64).with_variant(String(64, collation="C"), "postgresql")
"""A word whose beginning is looked for by an index: ordered by its bytes on every database."""


class exactly(FunctionElement[str]):  # noqa: N801 - used like a function
    """SQL expression of a text that is equal only if every byte is equal, in any collation.

    Tables that Pharos did not create may ignore case, accents or trailing blanks in comparisons. This
    expression cannot use an index of the column: compare the plain column as well.
    """

    name = "exactly"
    type = String()
    inherit_cache = True


@compiles(exactly, "sqlite")  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _exactly_on_sqlite(element: exactly, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} COLLATE BINARY)"


@compiles(exactly, "postgresql")  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _exactly_on_postgresql(element: exactly, compiler: SQLCompiler, **options: Any) -> str:
    return f'(CAST({compiler.process(element.clauses, **options)} AS TEXT) COLLATE "C")'


@compiles(exactly, "mysql", "mariadb")  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _exactly_on_mysql(element: exactly, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(CONVERT({compiler.process(element.clauses, **options)} USING utf8mb4) AS BINARY)"


def equal(column: ColumnElement[str], value: ColumnElement[str] | str) -> ColumnElement[bool]:
    """SQL condition: every character is equal, in every collation.

    The plain comparison can use an index; its matches are then compared byte by byte.
    """
    return and_(column == value, _of_same_bytes(column, value))


class _of_same_bytes(FunctionElement[bool]):  # noqa: N801 - used like a function
    name = "of_same_bytes"
    type = Boolean()
    inherit_cache = True


@compiles(_of_same_bytes)  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _of_same_bytes_anywhere(element: _of_same_bytes, compiler: SQLCompiler, **options: Any) -> str:
    column, value = element.clauses
    return f"({compiler.process(exactly(column) == exactly(value), **options)})"


@compiles(_of_same_bytes, "postgresql")  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _of_same_bytes_on_postgresql(*_: Any, **__: Any) -> str:
    return "true"  # it compares so by itself


def collation(dialect: Dialect) -> str:
    """The collation of exact texts on a server of MySQL or MariaDB."""
    version = getattr(dialect, "server_version_info", None) or (0,)
    if getattr(dialect, "is_mariadb", False):
        return "utf8mb4_nopad_bin" if version >= MARIADB_NO_PAD else "utf8mb4_bin"
    return "utf8mb4_0900_bin" if version >= MYSQL_NO_PAD else "utf8mb4_bin"
