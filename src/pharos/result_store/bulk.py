"""Inserts many rows into a table, fast, inside the caller's transaction.

Each database has its own fastest method; all of them take the rows column by column from Arrow, because a
Python object per value costs more than the database does. Values must conform, see `contract.conform`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import sqlalchemy as sa
from pymysql.constants import SERVER_STATUS

ROWS_AT_ONCE = 5_000
STATEMENT_BYTES = (
    1_000_000  # below the smallest default of max_allowed_packet, 4 MB, with room for long texts
)


def insert(connection: sa.Connection, table: sa.Table, rows: pa.Table) -> None:
    """Append the rows; their columns are named as the table's."""
    match connection.dialect.name:
        case "postgresql":
            _into_postgresql(connection, table, rows)
        case "sqlite":
            _into_sqlite(connection, table, rows)
        case _:
            _into_mysql(connection, table, rows)


def _target(connection: sa.Connection, table: sa.Table, rows: pa.Table) -> str:
    """`table (column, …)`, quoted."""
    quote = connection.dialect.identifier_preparer.quote
    return f"{quote(table.name)} ({', '.join(quote(name) for name in rows.column_names)})"


def _into_postgresql(connection: sa.Connection, table: sa.Table, rows: pa.Table) -> None:
    """COPY as CSV. All values are quoted, so an unquoted empty field is null."""
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
    raw: Any = connection.connection.driver_connection
    with (
        raw.cursor() as cursor,
        cursor.copy(f"COPY {_target(connection, table, rows)} FROM STDIN (FORMAT csv)") as copy,
    ):
        for batch in rows.to_batches(max_chunksize=ROWS_AT_ONCE):
            text = io.BytesIO()
            pyarrow.csv.write_csv(batch, text, options)
            copy.write(text.getvalue())


def _into_sqlite(connection: sa.Connection, table: sa.Table, rows: pa.Table) -> None:
    """Insert with dates and times as the texts that SQLAlchemy writes."""
    marks = ", ".join("?" * rows.num_columns)
    statement = f"INSERT INTO {_target(connection, table, rows)} VALUES ({marks})"  # noqa: S608 - our own names
    cursor = connection.connection.cursor()
    for batch in rows.to_batches(max_chunksize=ROWS_AT_ONCE):
        columns = [
            column.cast(pa.string()) if pa.types.is_temporal(column.type) else column
            for column in batch.columns
        ]
        cursor.executemany(statement, list(zip(*(column.to_pylist() for column in columns), strict=True)))


def _into_mysql(connection: sa.Connection, table: sa.Table, rows: pa.Table) -> None:
    """INSERT statements of many rows each, whose literals are made column by column."""
    raw: Any = connection.connection.driver_connection
    escapes = not raw.server_status & SERVER_STATUS.SERVER_STATUS_NO_BACKSLASH_ESCAPES
    head = f"INSERT INTO {_target(connection, table, rows)} VALUES "  # noqa: S608 - values are escaped below
    cursor = connection.connection.cursor()
    for batch in rows.to_batches(max_chunksize=ROWS_AT_ONCE):
        literals = [_literals(column, escapes=escapes) for column in batch.columns]
        tuples = pc.binary_join_element_wise("(", pc.binary_join_element_wise(*literals, ","), ")", "")
        for values in _statements(tuples.to_pylist()):
            cursor.execute(head + values)


def _literals(column: pa.Array, *, escapes: bool) -> pa.Array:
    """Each value as SQL text. `escapes`: whether the server reads a backslash as an escape."""
    type_ = column.type
    if pa.types.is_boolean(type_):
        texts = column.cast(pa.int8()).cast(pa.string())
    elif pa.types.is_string(type_) or pa.types.is_temporal(type_):
        texts = column.cast(pa.string())
        if escapes:
            texts = pc.replace_substring(texts, "\\", "\\\\")
        texts = pc.binary_join_element_wise("'", pc.replace_substring(texts, "'", "''"), "'", "")
    else:
        texts = column.cast(pa.string())
    return pc.fill_null(texts, "NULL")


def _statements(tuples: list[str]) -> Iterator[str]:
    """The tuples, joined into texts of about STATEMENT_BYTES."""
    kept: list[str] = []
    size = 0
    for values in tuples:
        if kept and size + len(values) > STATEMENT_BYTES // 4:  # a character may take four bytes
            yield ",".join(kept)
            kept, size = [], 0
        kept.append(values)
        size += len(values) + 1
    if kept:
        yield ",".join(kept)
