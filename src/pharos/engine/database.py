"""Reads databases into Parquet through DuckDB's scanners: in this process, in bounded memory, on any engine.

The scanners are binary extensions that come as Python packages of exactly DuckDB's version: nothing is
downloaded when they are loaded, and DuckDB checks their signature.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pharos.database_addresses import DatabaseAddress, system_certificates
from pharos.engine.base import Copied
from pharos.engine.silence import Watched
from pharos.errors import ConfigurationError
from pharos.lms.errors import LMSDatabaseFailed
from pharos.lms.tables import limits, wanted

MEMORY_MB = 100
ANSWER_S = 30  # time limit of silence, for quick queries
ROWS_S = 600  # the same for the rows of a table: it may look through many before it finds the first
ROW_GROUP = 40_960  # rows held in memory until they are written together
_NO_TLS = "server does not support it"
# DuckDB's preface to the error of the server or its client.
_PREFACE = re.compile(
    r"^(IO Error: )?(Failed to connect to MySQL database with parameters \"[^\"]*\": "
    r"|Unable to connect to Postgres at \"[^\"]*\": )?"
)
_EXTENSIONS = {"mysql": "mysql_scanner", "postgresql": "postgres_scanner", "sqlite": "sqlite_scanner"}
_TYPES = {"mysql": "mysql", "postgresql": "postgres", "sqlite": "sqlite"}
_SETTINGS = {
    "mysql": (
        "mysql_sql_buffer_result = false",  # or the server writes each table to a temporary one first
        "mysql_query_timeout_enabled = false",  # the default ends queries after five minutes
        "mysql_session_time_zone = '+00:00'",
        "mysql_incomplete_dates_as_nulls = true",
    ),
    "postgresql": ("pg_use_ctid_scan = false",),  # one stream: a replica may not export its snapshot
    # SQLite's columns hold values of any type; read as text, misfits can be detected.
    "sqlite": ("sqlite_all_varchar = true",),
}
_ARROW_TYPES = {
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.string(): "VARCHAR",
    pa.timestamp("us"): "TIMESTAMP",
}
# Into a wider type, without loss; ids without sign never reach the upper half of their type.
_WIDENED = {
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT",
    "DOUBLE",
}  # fmt: skip


@dataclass(frozen=True)
class _Column:
    type: str
    nullable: bool


class ScannedDatabase:
    """See `pharos.engine.base.Database`. Reads in one transaction, begun anew after a failure.

    Once the database was silent for too long, every further call fails at once.
    """

    def __init__(
        self, address: DatabaseAddress, connection: duckdb.DuckDBPyConnection, watched: Watched
    ) -> None:
        self._address, self._connection, self._watched = address, connection, watched
        self._silent: str | None = None

    def columns(self, table: str) -> set[str]:
        """See the protocol."""
        return set(self._columns(table))

    def probe(self, table: str, schema: pa.Schema) -> None:
        """See the protocol."""
        there = self._columns(table)
        missing = [name for name in schema.names if name not in there]
        if missing:
            reason = f"no such column: {', '.join(missing)}" if there else "no such table"
            raise LMSDatabaseFailed(f"{self._address}, table {table}", reason)
        listed = ", ".join(_value(field, there[field.name]) for field in schema)  # as `copy` reads them
        row = f"SELECT {listed} FROM lms.{_quoted(table)} LIMIT 1"  # noqa: S608 - names quoted
        self._run(table, row, ANSWER_S)

    def copy(
        self, table: str, schema: pa.Schema, target: Path, since: tuple[str, datetime | int] | None = None
    ) -> Copied:
        """See the protocol."""
        there = self._columns(table)
        values = {field.name: _value(field, there[field.name]) for field in schema}
        needed = [f"{values[field.name]} IS NOT NULL" for field in schema if not field.nullable]
        needed += _only(schema)
        if since is not None:
            name, first = since
            least = str(first) if isinstance(first, int) else f"TIMESTAMP '{first.isoformat(sep=' ')}'"
            needed.append(f"{values[name]} >= {least}")
        where = f" WHERE {' AND '.join(needed)}" if needed else ""
        listed = ", ".join(f"{value} AS {_quoted(name)}" for name, value in values.items())
        rows = f"SELECT {listed} FROM lms.{_quoted(table)}{where}"  # noqa: S608 - names quoted, no input
        options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}"
        copied = self._run(table, f"COPY ({rows}) TO {_literal(str(target))} ({options})")
        return Copied(rows=copied[0][0], malformed=self._malformed(table, schema, there))

    def _malformed(self, table: str, schema: pa.Schema, there: dict[str, _Column]) -> int:
        """The number of rows with a value that does not fit its column, or a null in a required column."""
        odd = []
        for field in schema:
            value, name = _value(field, there[field.name]), _quoted(field.name)
            if value.startswith(("TRY_CAST", "CASE")):
                odd.append(f"({name} IS NOT NULL AND {value} IS NULL)")
            if not field.nullable and there[field.name].nullable:
                odd.append(f"{name} IS NULL")
        if not odd:
            return 0
        where = " AND ".join([f"({' OR '.join(odd)})", *_only(schema)])
        count = f"SELECT count(*) FROM lms.{_quoted(table)} WHERE {where}"  # noqa: S608 - names quoted
        return int(self._run(table, count)[0][0])

    def _columns(self, table: str) -> dict[str, _Column]:
        try:
            rows = self._answer(table, f"DESCRIBE lms.{_quoted(table)}", ANSWER_S)
        except duckdb.CatalogException:
            if self._address.kind == "mysql":
                self._check_right(table)
            return {}
        except duckdb.Error as error:
            raise self._failed(table, error) from error
        return {row[0]: _Column(row[1], row[2] != "NO") for row in rows}

    def _check_right(self, table: str) -> None:
        """Query a table that MySQL hides because the account may not read it: the query's error says so."""
        question = f"SELECT 1 FROM `{table}` LIMIT 0"  # noqa: S608 - our own names
        try:
            self._answer(table, f"FROM mysql_query('lms', {_literal(question)})", ANSWER_S)
        except duckdb.Error as error:
            failure = self._failed(table, error)
            if "denied" in failure.reason:
                raise failure from error

    def _run(self, table: str, statement: str, silent_s: float = 0) -> list[tuple[int, ...]]:
        try:
            return self._answer(table, statement, silent_s or ROWS_S)
        except duckdb.Error as error:
            raise self._failed(table, error) from error

    def _answer(self, table: str, statement: str, silent_s: float) -> list[tuple[Any, ...]]:
        """The rows. Raises duckdb.Error; LMSDatabaseFailed if the database is silent for that long."""
        if self._silent is None:
            with self._watched.at_most(silent_s) as is_silent:
                try:
                    return self._connection.execute(statement).fetchall()
                except duckdb.Error:
                    if not is_silent():
                        raise
            self._silent = _no_answer(silent_s)
            with self._watched.at_most(ANSWER_S), suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")  # or the process is aborted when it is closed
        raise LMSDatabaseFailed(f"{self._address}, table {table}", self._silent)

    def _failed(self, table: str, error: duckdb.Error) -> LMSDatabaseFailed:
        """The error as LMSDatabaseFailed; begins a new transaction, since the error has ended the last."""
        for statement in ("ROLLBACK", "BEGIN"):
            try:
                self._connection.execute(statement)
            except duckdb.Error:
                break
        return LMSDatabaseFailed(f"{self._address}, table {table}", _reason(error, self._address))


@contextmanager
def scanned(address: DatabaseAddress) -> Iterator[ScannedDatabase]:
    """The database, opened. Raises LMSDatabaseFailed if that fails."""
    connection = duckdb.connect(
        config={
            "memory_limit": f"{MEMORY_MB}MB",
            "threads": 2,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    watched = Watched(address.port or 0)
    try:
        _load(connection, _EXTENSIONS[address.kind])
        for setting in _SETTINGS[address.kind]:
            connection.execute(f"SET {setting}")
        try:
            with watched.at_most(ANSWER_S) as is_silent:
                _attach(connection, address)
                connection.execute("BEGIN")
        except duckdb.Error as error:
            reason = _no_answer(ANSWER_S) if is_silent() else _reason(error, address)
            raise LMSDatabaseFailed(str(address), reason) from None
        yield ScannedDatabase(address, connection, watched)
    finally:
        connection.close()


def _load(connection: duckdb.DuckDBPyConnection, extension: str) -> None:
    package = importlib.util.find_spec(f"duckdb_extension_{extension}")
    folder = Path(package.origin).parent if package and package.origin else Path()
    file = folder / "extensions" / f"v{duckdb.__version__}" / f"{extension}.duckdb_extension"
    if not file.is_file():
        name = f"duckdb-extension-{extension.replace('_', '-')}"
        raise ConfigurationError(
            f"lms.database: needs the package {name}=={duckdb.__version__}, which is not installed; "
            f"pip install {name}=={duckdb.__version__}"
        )
    connection.load_extension(str(file))


def _attach(connection: duckdb.DuckDBPyConnection, address: DatabaseAddress) -> None:
    if address.kind == "sqlite":
        if not Path(address.database).is_file():
            raise LMSDatabaseFailed(str(address), "there is no such file")
        connection.execute(f"ATTACH {_literal(address.database)} AS lms (TYPE sqlite, READ_ONLY)")
        return
    *attempts, last = _tls(address)
    for options in attempts:
        try:
            _attach_server(connection, address, options)
        except duckdb.Error as error:
            if _NO_TLS not in str(error):
                raise
        else:
            return
    _attach_server(connection, address, last)


def _tls(address: DatabaseAddress) -> list[dict[str, str]]:
    """The TLS parameters to try, in this order.

    MySQL's client defaults to the mode "preferred": TLS if the server offers it. In this mode the client
    sends the password of caching_sha2_password as if the connection had TLS, even without TLS; therefore each
    attempt names "required" or "disabled" explicitly. The client also verifies no certificate, in any mode,
    unless it is given certificates; the verifying modes therefore get the certificates of the system.
    """
    if address.kind != "mysql":
        return [address.tls]
    mode = address.tls.get("ssl_mode", "preferred").lower()
    if mode == "preferred":
        return [{**address.tls, "ssl_mode": "required"}, {"ssl_mode": "disabled"}]
    if mode.startswith("verify") and not {"ssl_ca", "ssl_capath"} & address.tls.keys():
        return [{**address.tls, "ssl_ca": system_certificates()}]
    return [address.tls]


def _attach_server(
    connection: duckdb.DuckDBPyConnection, address: DatabaseAddress, tls: dict[str, str]
) -> None:
    kind = _TYPES[address.kind]
    parts = {
        "HOST": address.host,
        "PORT": str(address.port),
        "DATABASE": address.database,
        "USER": address.user,
        "PASSWORD": address.password,
    }
    if address.kind == "mysql":
        parts |= {name.upper(): value for name, value in tls.items()}
    secret = ", ".join(f"{name} {_literal(value)}" for name, value in parts.items() if value)
    connection.execute(f"CREATE OR REPLACE TEMPORARY SECRET lms (TYPE {kind}, {secret})")
    further = "" if address.kind == "mysql" else " ".join(f"{k}={v}" for k, v in tls.items())
    connection.execute(f"ATTACH {_literal(further)} AS lms (TYPE {kind}, SECRET lms, READ_ONLY)")


def _no_answer(silent_s: float) -> str:
    return f"connected, but no answer within {silent_s:g} s"


def _only(schema: pa.Schema) -> list[str]:
    """Conditions that leave out the rows that are not read."""
    values = {field.name: wanted(field) for field in schema}
    return [f"{_quoted(name)} = {_literal(value)}" for name, value in values.items() if value is not None]


def _value(field: pa.Field, column: _Column) -> str:
    """The column in the required type; null if a value does not fit it or exceeds its limits."""
    value, limit = _cast(field, column), limits(field)
    if "longest" in limit:
        return f"CASE WHEN length({value}) <= {limit['longest']} THEN {value} END"
    if "first" in limit:
        return f"CASE WHEN {value} BETWEEN {limit['first']} AND {limit['last']} THEN {value} END"
    return value


def _cast(field: pa.Field, column: _Column) -> str:
    """The column in the required type; null if a value does not fit it."""
    wanted, name = _ARROW_TYPES[field.type], _quoted(field.name)
    if column.type == wanted:
        return name
    if wanted == "TIMESTAMP" and column.type == "TIMESTAMP WITH TIME ZONE":
        return f"make_timestamp(epoch_us({name}))"  # UTC, independent of the machine's time zone
    is_widened = wanted in {"BIGINT", "DOUBLE"} and column.type in _WIDENED and column.type != "DOUBLE"
    is_text = wanted == "VARCHAR" and not column.type.startswith("BLOB")
    is_moment = wanted == "TIMESTAMP" and column.type.startswith("TIMESTAMP")
    kind = "CAST" if is_widened or is_text or is_moment else "TRY_CAST"
    return f"{kind}({name} AS {wanted})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _reason(error: duckdb.Error, address: DatabaseAddress) -> str:
    """The first line of the error of the server or driver, without the password."""
    text = _PREFACE.sub("", str(error).strip().partition("\n")[0])
    return text.replace(address.password, "…") if address.password else text
