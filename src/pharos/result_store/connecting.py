"""Connections to the database of the Result Store: opening them, time limits, and texts of errors.

Every statement has a time limit: if a server stops answering while its connections stay open, as a frozen
server does, the statement fails after `wait_s` seconds. Must not know any table.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import psycopg
import pymysql
import sqlalchemy as sa
from psycopg.abc import RV, PQGen
from psycopg.errors import _WaitTimeout
from pymysql.constants import FIELD_TYPE
from pymysql.converters import conversions
from sqlalchemy.engine import URL

from pharos.database_addresses import sqlalchemy_url
from pharos.database_causes import cause, plain
from pharos.result_store.checksums import TEXT, number_of
from pharos.result_store.errors import StoreRefuses, StoreUnreachable, TableMissing

_SECRET = re.compile("pass|pwd|secret|token|key", re.IGNORECASE)  # in names of options
CONNECT_S = 10  # to open a connection, at most
WRITING_S = 3600  # a statement that publishes, or that builds an index of a large table
LOCK_S = 30  # for another program that locks a table, or with SQLite the file
READING: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",
    "pool_reset_on_return": None,  # nothing is open that could be rolled back
    "skip_autocommit_rollback": True,  # by the transactions of SQLAlchemy neither
    "pool_pre_ping": False,  # who reads tries again instead
}
MYSQL_VALUES = conversions | {  # the driver reads times with a regular expression, at twice the cost of a row
    FIELD_TYPE.DATE: date.fromisoformat,
    FIELD_TYPE.DATETIME: datetime.fromisoformat,
    FIELD_TYPE.TIMESTAMP: datetime.fromisoformat,
}
LONGEST_LIST_BYTES = 64 * 1024 * 1024
MYSQL_OF_CLIENT = range(2000, 3000)  # errors of the connection
MYSQL_AWAY = {
    *(1040, 1203, 1226),  # too many connections
    *(1042, 1043, 1129, 1130),  # host unknown, or not let in
    *(1044, 1045, 1049, 1698),  # no such user or database, or not for us
    *(1053, 1152, 1158, 1159, 1160, 1161, 1927, 3159, 4031),  # the connection was ended
}
OF_ONE_TABLE = {  # causes, by their names
    "access denied", "no such table", "a value does not fit its column", "two rows have the same key",
    "a table is damaged",
}  # fmt: skip
LOCKED = {1205, "55P03"}  # of one table, unlike a deadlock: waited LOCK_S for a lock of MySQL or PostgreSQL
MYSQL_INCOMPARABLE = {1267, 1270}  # a text that the character set of the column cannot hold
MYSQL_MISSING = {1146, 1054}  # no such table, no such column
POSTGRESQL_AWAY = ("08", "28", "3D", "53300", "57P")  # connection, login, database, too many, shutdown
POSTGRESQL_MISSING = {"42P01", "42703"}  # no such table, no such column


def engine_for(url: str, *, wait_s: float = WRITING_S, **options: Any) -> sa.Engine:
    """An engine for the address, not yet connected. Raises ConfigurationError for an invalid address.

    `wait_s`: time limit of a statement in seconds. `options`: of SQLAlchemy's `create_engine`.
    """
    address = sqlalchemy_url(url, "result_store.url")
    try:
        engine = sa.create_engine(
            address,
            connect_args=_connect_args(address, wait_s),
            hide_parameters=True,  # in the text of errors: names of learners may be among them
            **{**_pool(address), **options},
        )
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreUnreachable(shown(address), f"not a database address ({error})") from error
    match address.get_backend_name():
        case "sqlite":
            sa.event.listen(engine, "connect", _sqlite_session)
            sa.event.listen(engine, "begin", _sqlite_begin)
        case "postgresql":
            sa.event.listen(engine, "do_connect", _postgresql_connection(wait_s))
    return engine


def reading_engine(url: str, *, wait_s: float, connections: int) -> sa.Engine:
    """An engine for reading: each statement is its own transaction, with one round trip instead of five.

    It keeps at most `connections` open. Raises ConfigurationError for an invalid address.
    """
    is_file = url.startswith("sqlite")
    pool = {} if is_file else {"pool_size": connections, "max_overflow": 0, "pool_timeout": wait_s}
    return of_existing(engine_for(url, wait_s=wait_s, **READING, **pool))


def of_existing(engine: sa.Engine) -> sa.Engine:
    """Make the engine refuse a missing SQLite file instead of creating it; return the engine."""
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "do_connect", _existing_file)
    return engine


@contextmanager
def translated(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection; driver errors inside are raised as ResultStoreError."""
    try:
        with _connection(engine) as connection:
            yield connection
    except sa.exc.SQLAlchemyError as error:
        address, reason = shown(engine.url), _reason(error)
        match _kind(error, engine.dialect.name):
            case "away":
                raise StoreUnreachable(address, reason) from error
            case "missing":
                raise TableMissing(address, reason) from error
            case _:
                raise StoreRefuses(address, reason) from error


def _connection(engine: sa.Engine) -> sa.Connection:
    """A connection. Raises StoreUnreachable for an option unknown to the driver."""
    try:
        return engine.connect()
    except TypeError as error:
        raise StoreUnreachable(shown(engine.url), f"an option of the address is unknown: {error}") from None


def is_of_one_table(error: sa.exc.DBAPIError, dialect: str) -> bool:
    """True if a statement failed because of its table or rows, not because of the whole database."""
    if isinstance(error, sa.exc.DataError | sa.exc.IntegrityError) or _code(error) in LOCKED:
        return True
    return _kind(error, dialect) == "missing" or cause(_reason(error), "").what in OF_ONE_TABLE


def is_missing(error: sa.exc.DBAPIError, dialect: str) -> bool:
    """True if a statement failed because the table or column does not exist."""
    return _kind(error, dialect) == "missing"


def _code(error: sa.exc.SQLAlchemyError) -> int | str | None:
    """MySQL's number of the error, or PostgreSQL's SQLSTATE; else None."""
    match getattr(error, "orig", None):
        case pymysql.Error(args=(int() as code, *_)):
            return code
        case psycopg.Error(sqlstate=state):
            return state
    return None


def _kind(error: sa.exc.SQLAlchemyError, dialect: str) -> Literal["away", "missing", "refused"]:
    """`away`: no connection; `missing`: no such table or column; `refused`: any other error."""
    if isinstance(error, sa.exc.TimeoutError) or getattr(error, "connection_invalidated", False):
        return "away"
    original = getattr(error, "orig", None)
    match dialect:
        case "postgresql":
            state = str(_code(error) or "")
            missing = state in POSTGRESQL_MISSING
            away = (
                state.startswith(POSTGRESQL_AWAY) if state else isinstance(original, psycopg.OperationalError)
            )
        case "sqlite":
            missing = str(original).startswith(("no such table", "no such column"))
            away = str(original).startswith("unable to open")
        case _:
            code = _code(error)
            missing = code in MYSQL_MISSING
            away = not code or code in MYSQL_AWAY or code in MYSQL_OF_CLIENT
    return "missing" if missing else "away" if away else "refused"


def all_rows(
    connection: sa.Connection, statement: sa.Select[Any], values: Mapping[str, Any]
) -> Sequence[sa.Row[Any]]:
    """All rows of a query with bound values.

    MySQL refuses to compare a text with a column whose character set cannot hold it. No row can hold such a
    text: it is removed from lists of values, and a single such value finds no rows.
    """
    for may_hold in (None, *OLD_CHARACTER_SETS):
        some = values if may_hold is None else _fitting(values, may_hold)
        try:
            return connection.execute(statement, some).all()
        except sa.exc.DBAPIError as error:
            if not is_incomparable(error):
                raise
    return []


def is_incomparable(error: sa.exc.DBAPIError) -> bool:
    """True if the database refuses to compare a text with a column, see `all_rows`."""
    return _code(error) in MYSQL_INCOMPARABLE


OLD_CHARACTER_SETS: tuple[Callable[[str], bool], ...] = (
    lambda text: not text or max(text) <= "\uffff",  # utf8, of three bytes
    lambda text: text.encode("cp1252", "ignore").decode("cp1252") == text,  # latin1
)


def _fitting(values: Mapping[str, Any], may_hold: Callable[[str], bool]) -> dict[str, Any]:
    """The values; lists without the texts that the character set cannot hold."""
    return {
        name: [text for text in value if may_hold(text)] if isinstance(value, list) else value
        for name, value in values.items()
    }


def shown(url: URL) -> str:
    """The address without its password, and without a password among its options."""
    harmless = {name: value for name, value in url.query.items() if not _SECRET.search(name)}
    return url.set(query=harmless).render_as_string(hide_password=True)


def _connect_args(url: URL, wait_s: float) -> dict[str, object]:
    connect_s, lock_s = int(min(CONNECT_S, wait_s)), max(1, int(min(LOCK_S, wait_s)))
    match url.get_backend_name():
        case "sqlite":
            return {"timeout": min(LOCK_S, wait_s)}
        case "mysql" | "mariadb":
            return {
                "connect_timeout": connect_s,
                "read_timeout": wait_s,
                "write_timeout": wait_s,
                "charset": "utf8mb4",
                "conv": MYSQL_VALUES,
                "init_command": f"SET SESSION group_concat_max_len = {LONGEST_LIST_BYTES}, "
                f"lock_wait_timeout = {lock_s}, innodb_lock_wait_timeout = {lock_s}",
            }
        case "postgresql":
            return {"connect_timeout": connect_s, "options": f"-c timezone=utc -c lock_timeout={lock_s}s"}
        case other:
            raise sa.exc.ArgumentError(
                f"{other} is not supported; use sqlite, mysql+pymysql or postgresql+psycopg"
            )


def _pool(url: URL) -> dict[str, Any]:
    """No pool for files, which open fast; connections to servers are tested before use."""
    return {"poolclass": sa.NullPool} if url.get_backend_name() == "sqlite" else {"pool_pre_ping": True}


def _postgresql_connection(wait_s: float) -> Any:
    """A function that opens connections with a time limit of `wait_s` seconds; psycopg has none."""

    class Patient(psycopg.Connection[Any]):
        def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
            try:
                return super().wait(gen, interval, wait_s if timeout is None else timeout)
            except _WaitTimeout as error:
                self.close()  # the answer may still come: nothing else may be asked here
                raise psycopg.OperationalError(f"no answer within {wait_s:g} s") from error

    def connect(_: object, __: object, arguments: tuple[Any, ...], named: dict[str, Any]) -> Patient:
        return Patient.connect(*arguments, **named)

    return connect


def _existing_file(_: object, __: object, arguments: tuple[Any, ...], ___: object) -> None:
    """Raises OperationalError if the file is missing: SQLite would create an empty one."""
    if arguments and arguments[0] != ":memory:" and not Path(arguments[0]).is_file():
        raise sqlite3.OperationalError("unable to open database file: there is none")


def _sqlite_session(connection: object, _: object) -> None:
    """WAL: readers read the old rows while a publication is written."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a token that was revoked stays so after a power failure
    cursor.close()
    connection.create_function(TEXT, 1, number_of, deterministic=True)  # type: ignore[attr-defined]
    connection.isolation_level = None  # type: ignore[attr-defined]  # we begin transactions, not the driver


def _sqlite_begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _reason(error: sa.exc.SQLAlchemyError) -> str:
    return plain(getattr(error, "orig", None) or error)
