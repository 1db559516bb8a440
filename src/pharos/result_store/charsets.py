"""Converts tables of another program on MySQL or MariaDB whose texts have an older character set.

latin1 and three-byte utf8 cannot hold a Chinese id or a title with an emoji, and most collations treat
`A/b/c` and `a/b/c` as the same course run. The tables get the character set and collation of Pharos's tables.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import groupby

import sqlalchemy as sa

from pharos.result_store.column_types import Exact, LongText, collation
from pharos.result_store.tables import RESULTS

log = logging.getLogger(__name__)
BYTES = 4  # of a character
LONGEST_INDEX_BYTES = 3072  # of InnoDB, with rows in the format DYNAMIC
OTHER_BYTES = 8  # of a column of an index that is no text, at most
PREFIX = 128  # characters of each text that an index keeps, if it would be too long otherwise

_COLUMNS = sa.text(
    "SELECT table_name AS name, column_name AS col, character_set_name AS charset,"
    " collation_name AS collation, character_maximum_length AS length FROM information_schema.columns"
    " WHERE table_schema = DATABASE() AND character_set_name IS NOT NULL"
)
_INDEXES = sa.text(
    "SELECT index_name AS name, column_name AS col, sub_part AS part FROM information_schema.statistics"
    " WHERE table_schema = DATABASE() AND table_name = :name ORDER BY index_name, seq_in_index"
)


def conversions(connection: sa.Connection) -> dict[str, str]:
    """Table name -> the statement that converts it, for tables that need it; empty on other databases."""
    if connection.dialect.name not in {"mysql", "mariadb"}:
        return {}
    lengths: dict[str, dict[str, int]] = {}
    older = set()
    for row in connection.execute(_COLUMNS):
        if row.name in RESULTS:
            lengths.setdefault(row.name, {})[row.col] = row.length
            column = RESULTS[row.name].columns.get(row.col)
            is_exact = column is not None and isinstance(column.type, Exact | LongText)
            if row.charset != "utf8mb4" or (is_exact and not row.collation.endswith("_bin")):
                older.add(row.name)
    return {name: _statement(connection, name, lengths[name]) for name in sorted(older)}


def convert(connection: sa.Connection) -> None:
    """Convert the tables that need it; a table that cannot be converted stays as it is and `pharos check`
    names it.
    """
    for name, statement in conversions(connection).items():
        try:
            connection.exec_driver_sql(statement)
        except sa.exc.DBAPIError as error:
            log.warning("%s cannot be converted to utf8mb4 (%s): %s", name, error.orig, statement)


def _statement(connection: sa.Connection, table: str, lengths: dict[str, int]) -> str:
    quote = connection.dialect.identifier_preparer.quote
    parts = ["ENGINE=InnoDB", "ROW_FORMAT=DYNAMIC"]
    for index, columns in _too_long(connection, table, lengths):
        listed = ", ".join(
            f"{quote(column)}({PREFIX})" if lengths.get(column, 0) > PREFIX else quote(column)
            for column in columns
        )
        parts += [f"DROP INDEX {quote(index)}", f"ADD INDEX {quote(index)} ({listed})"]
    parts.append(f"CONVERT TO CHARACTER SET utf8mb4 COLLATE {collation(connection.dialect)}")
    return f"ALTER TABLE {quote(table)} {', '.join(parts)}"


def _too_long(
    connection: sa.Connection, table: str, lengths: dict[str, int]
) -> Iterator[tuple[str, list[str]]]:
    """The indexes (name, columns) that exceed InnoDB's limit once a character takes four bytes."""
    rows = connection.execute(_INDEXES, {"name": table}).all()
    for index, members in groupby(rows, key=lambda row: row.name):
        columns = list(members)
        size = sum(
            BYTES * (row.part or lengths[row.col]) if row.col in lengths else OTHER_BYTES for row in columns
        )
        if size > LONGEST_INDEX_BYTES and index != "PRIMARY":
            yield index, [row.col for row in columns]
