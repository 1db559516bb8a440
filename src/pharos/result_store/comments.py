"""Comments of tables and columns inside the database, for people who read it by SQL."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pharos.result_store.tables import metadata

log = logging.getLogger(__name__)

_COMMENT = re.compile(r" COMMENT '(?:[^'\\]|''|\\.)*'")


def refresh(connection: sa.Connection) -> None:
    """Write missing and outdated comments of the contract. SQLite has no comments.

    Tables that the account may not change are named in the log.
    """
    if connection.dialect.name == "sqlite":
        return
    inspector, names = sa.inspect(connection), list(metadata.tables)
    found_texts = inspector.get_multi_table_comment(None, names)
    texts = {name: found["text"] for (_, name), found in found_texts.items()}
    columns = {name: found for (_, name), found in inspector.get_multi_columns(None, names).items()}
    for table in metadata.sorted_tables:
        there = {column["name"]: column.get("comment") for column in columns.get(table.name, ())}
        old = [c for c in table.columns if c.name in there and (c.comment or None) != there[c.name]]
        if there and (old or texts.get(table.name) != table.comment):
            _write(connection, table, old)


def _write(connection: sa.Connection, table: sa.Table, columns: list[sa.Column[Any]]) -> None:
    try:
        if connection.dialect.name == "postgresql":
            with connection.begin_nested():
                connection.execute(sa.schema.SetTableComment(table))
                for column in columns:
                    connection.execute(sa.schema.SetColumnComment(column))
        else:
            _write_on_mysql(connection, table, columns)
    except sa.exc.DBAPIError as error:
        log.warning("%s: no comments could be written: %s", table.name, error.orig)


def _write_on_mysql(connection: sa.Connection, table: sa.Table, columns: list[sa.Column[Any]]) -> None:
    """Write the comments; each column keeps its present definition, so tables of the original keep their
    types.
    """
    quote = connection.dialect.identifier_preparer.quote
    written = definitions(connection, quote(table.name))
    changes = [f"COMMENT = {_text(table.comment)}"]
    changes += [f"MODIFY COLUMN {written[c.name]} COMMENT {_text(c.comment)}" for c in columns]
    # Never by copying the rows, which would take hours.
    connection.exec_driver_sql(
        f"ALTER TABLE {quote(table.name)} {', '.join(changes)}, ALGORITHM=INPLACE, LOCK=NONE"
    )


def definitions(connection: sa.Connection, table: str) -> Mapping[str, str]:
    """The definition of each column, as the database itself writes it, without its comment."""
    text: str = connection.exec_driver_sql(f"SHOW CREATE TABLE {table}").one()[1]
    lines = (line.strip().rstrip(",") for line in text.splitlines())
    return {line.split("`")[1]: _COMMENT.sub("", line) for line in lines if line.startswith("`")}


def _text(comment: str | None) -> str:
    return "'" + (comment or "").replace("\\", "\\\\").replace("'", "''") + "'"
