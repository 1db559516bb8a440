"""Many rows into a table, fast, inside the caller's transaction. Each database has its own fastest way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import sqlalchemy as sa

ROWS_PER_STATEMENT = 10_000


def insert(connection: sa.Connection, table: sa.Table, rows: pa.Table, *, created: datetime) -> None:
    """Append conforming rows (see `contract.conform`), each with the time of its publication."""
    statement = sa.insert(table)
    for batch in _batches(rows):
        connection.execute(statement, [{**row, "created": created} for row in batch])


def _batches(rows: pa.Table) -> Iterator[list[dict[str, object]]]:
    for batch in rows.to_batches(max_chunksize=ROWS_PER_STATEMENT):
        yield batch.to_pylist()
