"""Tables of another program, made to take the rows of Pharos just before these are published.

Tables of older releases of the original lack columns, or have narrower ones and some that may not be null.
Until Pharos publishes into a table it stays as it is. This module must not know any table by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from pharos.result_store.comments import definitions

OLDER_NAME = "older_name"  # in the info of a column: what it was called, in tables that lack it


def reflected(connection: sa.Connection, tables: Sequence[sa.Table]) -> dict[str, list[Any]]:
    """The columns that the tables really have, by the table's name; without missing tables."""
    found = sa.inspect(connection).get_multi_columns(None, [table.name for table in tables])
    return {name: list(columns) for (_, name), columns in found.items()}


def fit(connection: sa.Connection, table: sa.Table, found: Sequence[Mapping[str, Any]]) -> None:
    """Change the table, whose columns were `found`, as far as it cannot take our rows; mostly not at all."""
    there = {column["name"]: column for column in found}
    lacking = lacking_columns(table, there)
    quote = connection.dialect.identifier_preparer.quote
    changes = [f"ADD COLUMN {_definition(connection, table, column)}" for column in lacking]
    if connection.dialect.name == "postgresql":
        changes += _on_postgresql(connection, table, there)
    elif connection.dialect.name != "sqlite":  # SQLite heeds no lengths, and cannot change columns
        changes += _on_mysql(connection, table, there)
    for change in [", ".join(changes)] if connection.dialect.name != "sqlite" else changes:
        if change:
            connection.exec_driver_sql(f"ALTER TABLE {quote(table.name)} {change}")
    for column in lacking:
        older = column.info.get(OLDER_NAME)
        if older is not None and older in there:
            connection.exec_driver_sql(
                f"UPDATE {quote(table.name)} SET {quote(column.name)} = {quote(older)}"  # noqa: S608 - our own names
            )


def lacking_columns(table: sa.Table, there: Mapping[str, Any]) -> list[sa.Column[Any]]:
    """The columns of the contract that are not there, but for the row number."""
    return [column for column in table.columns if column.name not in there and column.name != "id"]


def with_lacking(connection: sa.Connection, table: sa.Table, name: str) -> str:
    """FROM: the table of this name with all columns of `table`; what it lacks by its older name, or null."""
    quote = connection.dialect.identifier_preparer.quote
    there = {column["name"]: column for column in sa.inspect(connection).get_columns(name)}
    lacking = lacking_columns(table, there)
    if not lacking:
        return quote(name)
    values = {column.name: column.info.get(OLDER_NAME) for column in lacking}
    listed = ", ".join(
        f"{f'c.{quote(older)}' if older in there else _null(connection, table.c[new])} AS {quote(new)}"
        for new, older in values.items()
    )
    return f"(SELECT c.*, {listed} FROM {quote(name)} AS c)"  # noqa: S608 - our own names


def drop_added(connection: sa.Connection, table: sa.Table, like: str) -> None:
    """Remove the columns of the table that the table `like` lacks."""
    quote, inspector = connection.dialect.identifier_preparer.quote, sa.inspect(connection)
    kept = {column["name"] for column in inspector.get_columns(like)}
    for column in inspector.get_columns(table.name):
        if column["name"] not in kept:
            connection.exec_driver_sql(f"ALTER TABLE {quote(table.name)} DROP COLUMN {quote(column['name'])}")


def _null(connection: sa.Connection, column: sa.Column[Any]) -> str:
    """Null of the column's type; PostgreSQL takes one without a type for a text."""
    if connection.dialect.name != "postgresql":
        return "NULL"
    return f"CAST(NULL AS {column.type.compile(connection.dialect)})"


def _on_mysql(
    connection: sa.Connection, table: sa.Table, there: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    written: Mapping[str, str] | None = None
    keys = _primary_key(connection, table, there)
    for name, column in there.items():
        ours = table.columns.get(name)
        if ours is not None and (_is_narrower(column, ours) or _is_stricter(column, ours)):
            yield f"MODIFY COLUMN {_definition(connection, table, ours, nullable=bool(ours.nullable))}"
        elif ours is None and name not in keys and _is_stricter(column, ours):
            quoted = connection.dialect.identifier_preparer.quote(table.name)
            written = written or definitions(connection, quoted)
            yield f"MODIFY COLUMN {written[name].replace(' NOT NULL', ' NULL')}"


def _on_postgresql(
    connection: sa.Connection, table: sa.Table, there: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    quote, keys = connection.dialect.identifier_preparer.quote, _primary_key(connection, table, there)
    for name, column in there.items():
        ours = table.columns.get(name)
        if ours is not None and _is_narrower(column, ours):
            yield f"ALTER COLUMN {quote(name)} TYPE {ours.type.compile(connection.dialect)}"
        if name not in keys and _is_stricter(column, ours):
            yield f"ALTER COLUMN {quote(name)} DROP NOT NULL"


def _primary_key(
    connection: sa.Connection, table: sa.Table, there: Mapping[str, Mapping[str, Any]]
) -> Sequence[str]:
    """Asked for only where a column that we do not know may not be null."""
    if not any(_is_stricter(column, None) for name, column in there.items() if name not in table.columns):
        return ["id"]
    return sa.inspect(connection).get_pk_constraint(table.name)["constrained_columns"]


def _is_stricter(column: Mapping[str, Any], ours: sa.Column[Any] | None) -> bool:
    """True if the column requires a value but our rows may leave it null."""
    if column["nullable"]:
        return False
    return bool(ours.nullable) if ours is not None else column.get("default") is None


def _is_narrower(column: Mapping[str, Any], ours: sa.Column[Any]) -> bool:
    """True if our values may be longer than the column, or fractions while it holds integers."""
    if isinstance(ours.type, sa.Float):
        return isinstance(column["type"], sa.Integer)
    length, wanted = getattr(column["type"], "length", None), getattr(ours.type, "length", None)
    return bool(length and isinstance(ours.type, sa.String) and (wanted is None or length < wanted))


def _definition(
    connection: sa.Connection, table: sa.Table, column: sa.Column[Any], *, nullable: bool = True
) -> str:
    """A column of the contract as SQL; without a value for the rows that are there it may be null."""
    copy = sa.Column(column.name, column.type, nullable=nullable)
    sa.Table(table.name, sa.MetaData(), copy)
    return str(sa.schema.CreateColumn(copy).compile(dialect=connection.dialect))
