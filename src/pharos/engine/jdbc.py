"""Reads databases from Spark, a table by several tasks at once, through a JDBC driver on Spark's class path.

Each task has its own connection, so a table is not read as of one moment; rows that change meanwhile are read
by the next import. Drivers are not part of Pharos: `engine.spark_conf` names their files (`spark.jars`).
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from pharos.database_addresses import DatabaseAddress
from pharos.engine.base import Copied
from pharos.lms.errors import LMSDatabaseFailed
from pharos.lms.tables import limits, wanted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

DRIVERS = {
    "mysql": ("org.mariadb.jdbc.Driver", "com.mysql.cj.jdbc.Driver"),
    "postgresql": ("org.postgresql.Driver",),
    "sqlite": (),
}
TASKS = 8  # connections to the LMS's database at most
ROWS_AT_ONCE = 10_000
CONNECT_S, SILENT_S = 30, 600  # until there is a connection; without a sign of the database
_TYPES = {
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.string(): "string",
    pa.timestamp("us"): "timestamp",
}
_FITTING = {
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "double",
    "boolean",
    "string",
    "timestamp_ntz",
    "timestamp",
}
_LONGEST_REASON = 300
# By the names of mysql's own client -> those of MariaDB's driver.
_MARIADB_SSL_MODES = {
    "disabled": "disable", "required": "trust", "verify_ca": "verify-ca", "verify_identity": "verify-full"
}  # fmt: skip


def driver(session: SparkSession, kind: str) -> str | None:
    """The class of Spark's driver for this kind of database; None if Spark has no driver for it."""
    loader = session._jvm.java.lang.Thread.currentThread().getContextClassLoader()  # type: ignore[union-attr] # noqa: SLF001
    for name in DRIVERS[kind]:
        try:
            loader.loadClass(name)
        except Exception:  # noqa: BLE001, S112 - py4j gives any error of the JVM the same class
            continue
        return name
    return None


class JDBCDatabase:
    """See `pharos.engine.base.Database`."""

    def __init__(self, session: SparkSession, address: DatabaseAddress, driver: str) -> None:
        self._session, self._address = session, address
        self._options = {
            "url": _url(address, driver),
            "driver": driver,
            "user": address.user,
            "password": address.password,
            "fetchsize": str(ROWS_AT_ONCE),
            "preferTimestampNTZ": "true",  # as written: the zone of the virtual machine must not matter
        }

    def columns(self, table: str) -> set[str]:
        """See the protocol."""
        schema = "database()" if self._address.kind == "mysql" else "current_schema()"
        query = (
            "SELECT column_name AS name FROM information_schema.columns "  # noqa: S608 - our own names
            f"WHERE table_schema = {schema} AND table_name = '{table}'"
        )
        try:
            return {row[0] for row in self._frame(query=query).collect()}
        except Exception as error:
            raise self._failed(table, error) from error

    def probe(self, table: str, schema: pa.Schema) -> None:
        """See the protocol."""
        there = self.columns(table)
        if missing := sorted(set(schema.names) - there):
            reason = f"no such column: {', '.join(missing)}" if there else "no such table"
            raise LMSDatabaseFailed(f"{self._address}, table {table}", reason)
        try:
            names = ", ".join(map(self._quoted, schema.names))
            row = f"SELECT {names} FROM {table} LIMIT 1"  # noqa: S608 - our own names
            self._frame(query=row).collect()
        except Exception as error:
            raise self._failed(table, error) from error

    def copy(
        self, table: str, schema: pa.Schema, target: Path, since: tuple[str, datetime | int] | None = None
    ) -> Copied:
        """See the protocol."""
        conditions = [f"{self._quoted(since[0])} >= {_literal(since[1])}"] if since else []
        only = {field.name: wanted(field) for field in schema}
        conditions += [f"{self._quoted(name)} = '{value}'" for name, value in only.items() if value]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        folder = target.with_suffix(".parts")
        try:
            names = ", ".join(map(self._quoted, schema.names))
            source = f"(SELECT {names} FROM {table}{where}) AS wanted"  # noqa: S608 - our own names
            read = self._partitioned(source, schema)
            values = {field.name: _value(read[field.name], field) for field in schema}
            whole = [values[field.name].isNotNull() for field in schema if not field.nullable]
            fitting = [read[name].isNull() | value.isNotNull() for name, value in values.items()]
            rows = read.where(_all(whole)).select(*(value.alias(name) for name, value in values.items()))
            rows.repartition(1).write.mode("overwrite").parquet(str(folder))
            needs_look = any(
                limits(field) or read.schema[field.name].dataType.simpleString() not in _FITTING
                for field in schema
            )
            malformed = read.where(~_all([*whole, *fitting])).count() if needs_look else 0
        except Exception as error:
            raise self._failed(table, error) from error
        next(folder.glob("part-*.parquet")).replace(target)
        shutil.rmtree(folder)
        return Copied(rows=self._session.read.parquet(str(target)).count(), malformed=malformed)

    def _partitioned(self, source: str, schema: pa.Schema) -> DataFrame:
        """The rows of a source, read by several tasks, each for a range of its first number."""
        number = next((field.name for field in schema if field.type == pa.int64()), None)
        if number is None:
            return self._frame(dbtable=source)
        column = self._quoted(number)
        bounds = f"SELECT min({column}) AS first, max({column}) AS last FROM {source}"  # noqa: S608
        first, last = self._frame(query=bounds).collect()[0]
        if first is None or first == last:
            return self._frame(dbtable=source)
        return self._frame(
            dbtable=source,
            partitionColumn=number,
            lowerBound=str(first),
            upperBound=str(last + 1),
            numPartitions=str(TASKS),
        )

    def _frame(self, **options: str) -> DataFrame:
        return self._session.read.format("jdbc").options(**self._options, **options).load()

    def _quoted(self, name: str) -> str:
        """A quoted name, which may be a word of SQL, such as `end`."""
        return f"`{name}`" if self._address.kind == "mysql" else f'"{name}"'

    def _failed(self, table: str, error: Exception) -> LMSDatabaseFailed:
        text = " ".join(str(error).split())[:_LONGEST_REASON]
        reason = text.replace(self._address.password, "…") if self._address.password else text
        return LMSDatabaseFailed(f"{self._address}, table {table}", reason)


def _value(column: Column, field: pa.Field) -> Column:
    """The column in the required type; null if a value does not fit it or exceeds its limits."""
    from pyspark.sql import functions  # noqa: PLC0415 - Spark may be absent

    value, limit = column.try_cast(_TYPES[field.type]), limits(field)
    if "longest" in limit:
        return functions.when(functions.length(value) <= limit["longest"], value)
    if "first" in limit:
        return functions.when(value.between(limit["first"], limit["last"]), value)
    return value


def _literal(value: datetime | int) -> str:
    return str(value) if isinstance(value, int) else f"'{value.isoformat(sep=' ')}'"


def _all(conditions: list[Column]) -> Column:
    together = conditions[0]
    for condition in conditions[1:]:
        together &= condition
    return together


def _url(address: DatabaseAddress, driver: str) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    options = _tls(address, driver) | _patience(address)
    if driver.startswith("org.mariadb"):
        options["permitMysqlScheme"] = "true"  # the scheme tells Spark how to quote names
    further = "&".join(f"{name}={value}" for name, value in options.items())
    return f"jdbc:{address.kind}://{host}:{address.port}/{address.database}?{further}"


def _patience(address: DatabaseAddress) -> dict[str, str]:
    """Time limits: milliseconds for MySQL, seconds for PostgreSQL. The drivers have none by default."""
    if address.kind == "sqlite":
        return {}
    factor = 1 if address.kind == "postgresql" else 1000
    return {"connectTimeout": str(CONNECT_S * factor), "socketTimeout": str(SILENT_S * factor)}


def _tls(address: DatabaseAddress, driver: str) -> dict[str, str]:
    """The driver's TLS options; raises LMSDatabaseFailed if the driver lacks one of them."""
    if address.kind == "postgresql":
        return dict(address.tls)
    options: dict[str, str] = {}
    for name, value in address.tls.items():
        if name == "ssl_mode" and not driver.startswith("org.mariadb"):
            options["sslMode"] = value.upper()
        elif name == "ssl_mode" and value.lower() in _MARIADB_SSL_MODES:
            options["sslMode"] = _MARIADB_SSL_MODES[value.lower()]
        elif name == "ssl_ca" and driver.startswith("org.mariadb"):
            options["serverSslCert"] = value
        else:
            raise LMSDatabaseFailed(str(address), f"the driver {driver} cannot be told {name}={value}")
    return options
