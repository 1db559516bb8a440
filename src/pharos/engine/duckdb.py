"""DuckDB: tables in this process, Python work in processes beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
from ibis.expr.types import StringValue

from pharos.config import EngineSettings
from pharos.database_addresses import DatabaseAddress
from pharos.engine.base import Database, TextFunction, release
from pharos.engine.database import ROW_GROUP, scanned
from pharos.engine.digests import digests_query
from pharos.engine.errors import EngineFailed
from pharos.engine.functions import with_schema
from pharos.engine.processes import Processes

_TEXT = (("string",), "string")  # signature of a function from text to text


class DuckDBEngine(Processes):
    """See `pharos.engine.base.Engine`."""

    name = "duckdb"
    # The function of this name that Spark has. Without the guard one bad document would end the query.
    json_text = """
        create or replace macro get_json_object(document, path) as
            case when json_valid(document) then json_extract_string(document, path) end
    """

    microseconds = "create or replace macro unix_micros(moment) as epoch_us(moment)"  # of Spark, too

    def __init__(self, settings: EngineSettings, scratch: Path) -> None:
        """`scratch` is where tables larger than the memory limit spill to."""
        super().__init__(settings.threads)
        self._names = (f"files_{number}" for number in count())
        self._connection = ibis.duckdb.connect(
            threads=self.processors,
            memory_limit=f"{settings.memory_mb}MB",
            temp_directory=str(scratch),
        )
        self._connection.raw_sql(self.json_text)
        self._connection.raw_sql(self.microseconds)

    def semantics(self) -> Mapping[str, str]:
        """See the protocol."""
        return {
            "": f"duckdb {release(duckdb)}, ibis {release(ibis)}",
            "json_text": self.json_text,
            "microseconds": self.microseconds,
        }

    def read(self, files: Sequence[Path], schema: pa.Schema) -> ibis.Table:
        """See the protocol."""
        if not files:
            return self.table(schema.empty_table())
        with _failing():
            table = self._connection.read_parquet(
                [str(file) for file in files],
                table_name=next(self._names),
                hive_partitioning=False,
                union_by_name=True,
            )
        return with_schema(table, schema)

    def table(self, rows: pa.Table) -> ibis.Table:
        """See the protocol."""
        return ibis.memtable(rows)

    def fetch(self, table: ibis.Table) -> pa.Table:
        """See the protocol."""
        with _failing():
            return self._connection.to_pyarrow(table)

    def function(self, of_texts: TextFunction) -> Callable[[StringValue], StringValue]:
        """See the protocol."""

        def of_column(column: pa.ChunkedArray) -> pa.Array:
            return pa.array(of_texts(column.to_pylist()), pa.string())

        found: Callable[[StringValue], StringValue] = ibis.udf.scalar.pyarrow(of_column, signature=_TEXT)
        return found

    def write(self, table: ibis.Table, target: Path, order: Sequence[str] = ()) -> None:
        """See the protocol. Sorting spills to the scratch folder."""
        with _failing():
            self._connection._run_pre_execute_hooks(table)  # noqa: SLF001 - makes tables in memory known
            if order:
                self._copy(f"{self._typed(table)} ORDER BY {', '.join(map(_quoted, order))}", target)
                return
            with self._sparing_memory():
                self._copy(self._typed(table), target, f", ROW_GROUP_SIZE {ROW_GROUP}")

    def _typed(self, table: ibis.Table) -> str:
        """The query of a table, its integers in the types that Ibis says they have.

        The engine's sum of integers has 128 bits, which it writes into files as doubles.
        """
        name_of = self._connection.compiler.type_mapper.to_string
        columns = [
            f"CAST({_quoted(name)} AS {name_of(type_)}) AS {_quoted(name)}"
            if type_.is_integer()
            else _quoted(name)
            for name, type_ in table.schema().items()
        ]
        return f"SELECT {', '.join(columns)} FROM ({self._connection.compile(table)})"  # noqa: S608 - our own names

    def _copy(self, query: str, target: Path, options: str = "") -> None:
        place = str(target).replace("'", "''")
        self._connection.con.execute(
            f"COPY ({query}) TO '{place}' (FORMAT PARQUET, COMPRESSION zstd{options})"
        )

    def digests(self, table: ibis.Table, by: Sequence[str], key: Sequence[str] = ()) -> pa.Table:
        """See the protocol."""
        query = digests_query(
            self._connection.compile(table), by, key, row_digest="hash(*COLUMNS(*))", quote='"'
        )
        with _failing():
            self._connection._run_pre_execute_hooks(table)  # noqa: SLF001 - makes tables in memory known
            return self._connection.con.execute(query).to_arrow_table()

    def digest(self, file: Path) -> str:
        """See the protocol."""
        with _failing(), self._sparing_memory():
            [(rows, total)] = self._connection.con.execute(
                "SELECT count(*), coalesce(sum(hash(*COLUMNS(*))), 0) FROM read_parquet(?)", [str(file)]
            ).fetchall()
        return f"{rows}-{total % 2**64:016x}"

    @contextmanager
    def _sparing_memory(self) -> Iterator[None]:
        """For copies from file to file: use one thread, do not preserve row order, do not cache files."""
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


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _failing() -> Iterator[None]:
    """Translates errors of the engine into EngineFailed."""
    try:
        yield
    except duckdb.Error as error:
        raise EngineFailed("duckdb", str(error).strip().partition("\n")[0]) from error
