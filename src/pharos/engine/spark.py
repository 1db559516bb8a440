"""Spark: the same expressions on a cluster, or on this machine's processors with `local[*]`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
from ibis.expr.types import StringValue

from pharos.config import EngineSettings
from pharos.database_addresses import DatabaseAddress
from pharos.engine import jdbc
from pharos.engine.base import Database, Item, Output, TextFunction, release
from pharos.engine.database import scanned
from pharos.engine.digests import digests_query
from pharos.engine.errors import EngineFailed
from pharos.engine.functions import with_schema
from pharos.errors import ConfigurationError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Settings of every session, for the same results as DuckDB.
_CONF = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "8",
}
_TEXT = (("string",), "string")  # signature of a function from text to text


class SparkEngine:
    """See `pharos.engine.base.Engine`."""

    name = "spark"

    def __init__(self, settings: EngineSettings) -> None:
        self._session = _session(settings)
        self._connection = ibis.pyspark.connect(self._session)
        self._names = (f"files_{number}" for number in count())

    def map(self, function: Callable[[Item], Output], items: Sequence[Item]) -> Iterator[Output]:
        """See the protocol: one Spark task per item."""
        if items:
            yield from self._session.sparkContext.parallelize(items, len(items)).map(function).collect()

    def semantics(self) -> Mapping[str, str]:
        """See the protocol."""
        import pyspark  # noqa: PLC0415 - the library is optional

        return {"": f"spark {release(pyspark)}, ibis {release(ibis)}"}

    def read(self, files: Sequence[Path], schema: pa.Schema) -> ibis.Table:
        """See the protocol."""
        if not files:
            return self.table(schema.empty_table())
        with _failing():
            frame = self._frame(files, merge=False)
            if not set(schema.names) <= set(frame.columns):  # the file Spark looked at may be an older one
                frame = self._frame(files, merge=True)
            return with_schema(self._named(frame), schema)

    def _frame(self, files: Sequence[Path], *, merge: bool) -> DataFrame:
        reader = self._session.read.option("__globPaths__", "false")  # these are names, not patterns
        reader = reader.option("recursiveFileLookup", "true")  # or names of folders become columns
        return reader.option("mergeSchema", str(merge).lower()).parquet(*map(str, files))

    def table(self, rows: pa.Table) -> ibis.Table:
        """See the protocol. `ibis.memtable` is not used: it goes through pandas, and null becomes NaN."""
        return self._named(self._session.createDataFrame(rows)).cast(ibis.Schema.from_pyarrow(rows.schema))

    def fetch(self, table: ibis.Table) -> pa.Table:
        """See the protocol. pandas is not used: it rounds large integers and has dates of 600 years only."""
        with _failing():
            rows = self._session.sql(self._sql(table)).toArrow()
        return rows.cast(table.schema().to_pyarrow())

    def _sql(self, table: ibis.Table) -> str:
        self._connection._run_pre_execute_hooks(table)  # noqa: SLF001 - makes tables in memory known
        text: str = self._connection.compile(table)
        return text

    def function(self, of_texts: TextFunction) -> Callable[[StringValue], StringValue]:
        """See the protocol."""

        def of_column(column: Any) -> list[str | None]:  # of the library that Spark brings columns in
            # pandas marks missing values as None, NaN or NA; all become null.
            return of_texts([value if isinstance(value, str) else None for value in column.tolist()])

        found: Callable[[StringValue], StringValue] = ibis.udf.scalar.pandas(of_column, signature=_TEXT)
        return found

    def write(self, table: ibis.Table, target: Path, order: Sequence[str] = ()) -> None:
        """See the protocol: one task sorts, spilling to its disk, and writes."""
        folder = target.with_suffix(".parts")
        with _failing():
            frame = self._session.sql(self._sql(table)).repartition(1)
            (frame.sortWithinPartitions(*order) if order else frame).write.mode("overwrite").parquet(
                str(folder)
            )
        next(folder.glob("part-*.parquet")).replace(target)
        shutil.rmtree(folder)

    def digests(self, table: ibis.Table, by: Sequence[str], key: Sequence[str] = ()) -> pa.Table:
        """See the protocol."""
        row_digest = "cast(xxhash64(*) AS decimal(38, 0))"
        query = digests_query(self._sql(table), by, key, row_digest=row_digest, quote="`")
        with _failing():
            return self._session.sql(query).toArrow()

    def digest(self, file: Path) -> str:
        """See the protocol."""
        with _failing():
            rows, total = (
                self._session.read.parquet(str(file))
                .selectExpr("count(*)", "coalesce(sum(cast(xxhash64(*) AS decimal(38, 0))), 0)")
                .collect()[0]
            )
        return f"{rows}-{int(total) % 2**64:016x}"

    def database(self, address: DatabaseAddress) -> AbstractContextManager[Database]:
        """See the protocol. Without a driver for its kind, this process reads the database with DuckDB."""
        driver = jdbc.driver(self._session, address.kind)
        if driver is None:
            return scanned(address)
        return nullcontext(jdbc.JDBCDatabase(self._session, address, driver))

    def close(self) -> None:
        """Drop the temporary views of files. The Spark session is shared and stays until the process ends."""
        for view in self._session.catalog.listTables():
            if view.isTemporary and view.name.startswith("files_"):
                self._session.catalog.dropTempView(view.name)

    def _named(self, frame: object) -> ibis.Table:
        name = next(self._names)
        frame.createOrReplaceTempView(name)  # type: ignore[attr-defined]
        return self._connection.table(name)


def _session(settings: EngineSettings) -> SparkSession:
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - the library is optional
    except ImportError as error:
        raise ConfigurationError("engine.name: spark needs the extra: pip install 'pharos[spark]'") from error
    # Executors run the same interpreter as the driver unless the cluster says otherwise.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("pharos")
    if "SPARK_ENV_LOADED" not in os.environ:  # not started by spark-submit, which brings its own master
        builder = builder.master(settings.spark_master)
    for key, value in (_CONF | settings.spark_conf).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


@contextmanager
def _failing() -> Iterator[None]:
    """Translates errors of the engine into EngineFailed; the first line of a Java error names its cause."""
    # Spark's own errors, and Java errors unknown to it.
    from py4j.protocol import Py4JJavaError  # noqa: PLC0415 - the library is optional
    from pyspark.errors import PySparkException  # noqa: PLC0415 - the library is optional

    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        raise EngineFailed("spark", str(error).strip().partition("\n")[0]) from error
