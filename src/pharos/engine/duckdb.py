"""DuckDB: tables in this process, Python work in processes beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis.expr.types import StringValue

from pharos.config import EngineSettings
from pharos.database_addresses import DatabaseAddress
from pharos.engine.base import Database, TextFunction
from pharos.engine.database import ROW_GROUP, scanned
from pharos.engine.functions import with_schema
from pharos.engine.processes import Processes

# What `functions.json_text` is on Spark. Without the guard one bad document would end the query.
_JSON_TEXT = """
create or replace macro get_json_object(document, path) as
    case when json_valid(document) then json_extract_string(document, path) end
"""
_TEXT = (("string",), "string")  # signature of a function from text to text


class DuckDBEngine(Processes):
    """See `pharos.engine.base.Engine`."""

    name = "duckdb"

    def __init__(self, settings: EngineSettings, scratch: Path) -> None:
        """`scratch` is where tables larger than the memory limit spill to."""
        super().__init__(settings.threads)
        self._names = (f"files_{number}" for number in count())
        self._connection = ibis.duckdb.connect(
            threads=self.processors,
            memory_limit=f"{settings.memory_mb}MB",
            temp_directory=str(scratch),
        )
        self._connection.raw_sql(_JSON_TEXT)

    def read(self, files: Sequence[Path], schema: pa.Schema) -> ibis.Table:
        """See the protocol."""
        if not files:
            return self.table(schema.empty_table())
        table = self._connection.read_parquet(
            [str(file) for file in files],
            table_name=next(self._names),
            hive_partitioning=True,
            union_by_name=True,
        )
        return with_schema(table, schema)

    def table(self, rows: pa.Table) -> ibis.Table:
        """See the protocol."""
        return ibis.memtable(rows)

    def fetch(self, table: ibis.Table) -> pa.Table:
        """See the protocol."""
        return self._connection.to_pyarrow(table)

    def function(self, of_texts: TextFunction) -> Callable[[StringValue], StringValue]:
        """See the protocol."""

        def of_column(column: pa.ChunkedArray) -> pa.Array:
            return pa.array(of_texts(column.to_pylist()), pa.string())

        found: Callable[[StringValue], StringValue] = ibis.udf.scalar.pyarrow(of_column, signature=_TEXT)
        return found

    def write_partitions(
        self, table: ibis.Table, folder: Path, by: str, order: Sequence[str]
    ) -> dict[str, Path]:
        """See the protocol. Sorted in memory: a partitioned COPY does not keep a total order."""
        rows = self.fetch(table.order_by([by, *order]))
        folder.mkdir(parents=True, exist_ok=True)
        values = pc.run_end_encode(rows[by].combine_chunks())
        files, start = {}, 0
        for value, end in zip(values.values.to_pylist(), values.run_ends.to_pylist(), strict=True):
            files[str(value)] = folder / f"{value}.parquet"
            part = rows.slice(start, end - start).drop_columns(by)
            pq.write_table(part, files[str(value)], compression="zstd")
            start = end
        return files

    def write(self, table: ibis.Table, target: Path) -> None:
        """See the protocol."""
        with self._sparing_memory():
            self._connection.to_parquet(table, target, compression="zstd", row_group_size=ROW_GROUP)

    def digest(self, file: Path) -> str:
        """See the protocol."""
        with self._sparing_memory():
            [(rows, total)] = self._connection.con.execute(
                "SELECT count(*), coalesce(sum(hash(*COLUMNS(*))), 0) FROM read_parquet(?)", [str(file)]
            ).fetchall()
        return f"{rows}-{total % 2**64:016x}"

    @contextmanager
    def _sparing_memory(self) -> Iterator[None]:
        """One thread, no rows waiting for those before them, no file kept: for tables from file to file."""
        self._connection.raw_sql(
            "SET threads = 1; SET preserve_insertion_order = false; SET enable_external_file_cache = false"
        )
        try:
            yield
        finally:
            self._connection.raw_sql(f"SET threads = {self.processors}; RESET preserve_insertion_order")

    def database(self, address: DatabaseAddress) -> AbstractContextManager[Database]:
        """See the protocol."""
        return scanned(address)

    def close(self) -> None:
        """See the protocol."""
        self._connection.disconnect()
