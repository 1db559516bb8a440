"""Reads the Result Store for the Data API: rows, and the publications, which are at most a second old.

There are separate connections for answers, for short questions about the store itself (publications, tokens)
and for exports, so that none of them waits for another.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from fastapi import Request

from pharos.data_api.privacy import Privacy
from pharos.errors import PharosError
from pharos.result_store import store
from pharos.result_store.connecting import (
    all_rows,
    engine_for,
    is_incomparable,
    of_existing,
    reading_engine,
    translated,
)
from pharos.result_store.errors import StoreUnreachable, TableMissing
from pharos.result_store.publications import published as published_in
from pharos.result_store.store import Publication
from pharos.result_store.tables import publications

log = logging.getLogger(__name__)

FRESH_FOR_S = 1.0
WORKERS = 4  # answers made at once; more threads only wait for each other
ANSWER_S = 15  # that a statement of an answer may take
SHORT_S = 5  # the same of a short question
HEALTH_S = 2  # the same when it is asked for the health
EXPORT_S = 60  # until the next rows of an export
RETRY_WITHIN_S = (
    1.0  # a connection that breaks at once was closed in the meantime; later, the database is gone
)
PATIENCE_S = 0.5  # that a request waits for a database that did not answer the last time
MYSQL_JSON, MARIADB_JSON = (5, 7, 8), (10, 2, 3)  # the first versions that have JSON_ARRAY
T = TypeVar("T")
Values = Mapping[str, object]
NOTHING: Values = MappingProxyType({})


class Recent(Generic[T]):
    """Caches the value of a function; one thread at a time reads it anew when it is older than `fresh_for_s`.

    `fresh_for_s` is FRESH_FOR_S by default. All requests meanwhile wait for the same read. After a failure
    they wait for at most `PATIENCE_S`: while a database is away, requests fail at once. `kept`: False if a
    value must not be cached at all. Use it from one event loop; `ask` runs in a thread.
    """

    def __init__(self, ask: Callable[[], T], *, kept: bool = True, fresh_for_s: float | None = None) -> None:
        self._ask, self._kept, self._thread = ask, kept, ThreadPoolExecutor(1, "recent")
        self._fresh_for_s = fresh_for_s
        self._known: tuple[float, T] | None = None
        self._failed: tuple[float, PharosError] | None = None
        self._asking: asyncio.Future[T] | None = None

    def at_hand(self) -> T | None:
        """The value if it is fresh, else None. Never waits."""
        known = self._known
        return known[1] if known and self._is_fresh(known[0]) else None

    async def renewed(self) -> T:
        """The value, read anew."""
        self._known = None
        return await self.get()

    async def get(self) -> T:
        """The value, read if it is not fresh. Raises a PharosError of the function."""
        value = self.at_hand()
        if value is not None:
            return value
        if self._failed is None:
            return await asyncio.shield(self._asked())
        since, error = self._failed
        if self._is_fresh(since):
            raise error
        try:
            return await asyncio.wait_for(asyncio.shield(self._asked()), PATIENCE_S)
        except TimeoutError:
            raise error from None

    def close(self) -> None:
        """End the thread after its current read."""
        self._thread.shutdown(wait=False)

    def _is_fresh(self, since: float) -> bool:
        for_s = FRESH_FOR_S if self._fresh_for_s is None else self._fresh_for_s
        return self._kept and monotonic() - since < for_s

    def _asked(self) -> asyncio.Future[T]:
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._renewed())
            self._asking.add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._asking

    async def _renewed(self) -> T:
        try:
            value = await asyncio.get_running_loop().run_in_executor(self._thread, self._ask)
        except PharosError as error:
            self._failed = (monotonic(), error)
            raise
        finally:
            self._asking = None
        self._known, self._failed = (monotonic(), value), None
        return value


class ResultStore:
    """One Result Store. All methods raise ResultStoreError; the constructor does not."""

    def __init__(self, url: str) -> None:
        self._reading = reading_engine(url, wait_s=ANSWER_S, connections=WORKERS)
        self._short = reading_engine(url, wait_s=SHORT_S, connections=4)
        self._probing = reading_engine(url, wait_s=HEALTH_S, connections=1)
        self._exporting = of_existing(engine_for(url, wait_s=EXPORT_S, poolclass=sa.NullPool))
        self.published = Recent(self._published)
        self.newer = Recent(lambda: store.check_readable(self._probing), kept=False)
        self._columns: dict[str, set[str]] = {}
        self._columns_of: Any = None  # the edition that they are of
        self._derived: dict[str, tuple[Publication, Any]] = {}
        self._deriving = threading.Lock()
        self.background = ThreadPoolExecutor(1, "background")

    def _published(self) -> dict[str, Publication]:
        found = self.told(store.published)
        if edition_of(found) != self._columns_of:  # it may have given tables of the original their columns
            self._columns, self._columns_of = {}, edition_of(found)
        return found

    def rows(self, statement: sa.Select[Any], values: Values = NOTHING) -> list[sa.RowMapping]:
        """All rows of a query, by column name."""
        rows = self.tuples(statement, values)
        return [row._mapping for row in rows]  # noqa: SLF001 - public by its documentation

    def tuples(self, statement: sa.Select[Any], values: Values = NOTHING) -> Sequence[Any]:
        """All rows of a query as tuples, for long lists: names would double the cost of a row.

        `values`: of its bound parameters. Executing a prebuilt statement costs a third of building a new one.
        """
        return _again(lambda: self._read(statement, values))

    def told(self, short: Callable[[sa.Engine], T]) -> T:
        """The result of a function that asks a short question."""
        return _again(lambda: short(self._short))

    @property
    def packs_lists(self) -> bool:
        """True if the database can assemble a list as JSON and this is faster. See `lists`."""
        dialect = self._reading.dialect
        version = getattr(dialect, "server_version_info", None)  # known once there was a connection
        if dialect.name not in ("mysql", "mariadb") or version is None:
            return False
        return bool(version >= (MARIADB_JSON if getattr(dialect, "is_mariadb", False) else MYSQL_JSON))

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A connection whose statements all see the store as it is at the first statement."""
        with _open_snapshot(self._reading) as connection:
            yield connection

    def _read(self, statement: sa.Select[Any], values: Values) -> Sequence[Any]:
        try:
            with translated(self._reading) as connection:
                return all_rows(connection, statement, values)
        except TableMissing:
            self._columns.clear()  # an upgrade may have changed them
            raise

    def meanwhile(self, do: Callable[[sa.Connection], None]) -> None:
        """Call `do` with a snapshot in a background thread, after the calls that wait already."""

        def work() -> None:
            try:
                with _open_snapshot(self._exporting) as connection:
                    do(connection)
            except PharosError as error:
                log.error("background: %s", error)  # noqa: TRY400 - the message says it all

        self.background.submit(work)

    def close(self) -> None:
        """Close all connections."""
        self.background.shutdown(wait=True, cancel_futures=True)
        self.published.close()
        self.newer.close()
        for engine in (self._reading, self._short, self._probing, self._exporting):
            engine.dispose()

    def derived(self, table: sa.Table, published: Mapping[str, Publication], make: Callable[[], T]) -> T:
        """The result of `make`, cached for each publication of the table; not cached if it is not published.

        Only one value can be derived from a table.
        """
        publication = published.get(table.name)
        if publication is None:
            return make()
        with self._deriving:  # simultaneous requests share the result
            found: T | None = self.derived_at_hand(table, published)
            if found is None:
                found = make()
                self._derived[table.name] = (publication, found)
            return found

    def derived_at_hand(self, table: sa.Table, published: Mapping[str, Publication]) -> Any:
        """The cached value derived from the current publication of the table; None if there is none."""
        publication, known = published.get(table.name), self._derived.get(table.name)
        if publication is None or known is None or known[0].published != publication.published:
            return None
        return known[1]

    def chunks(self, statement: sa.Select[Any], size: int) -> Generator[Sequence[sa.RowMapping]]:
        """The rows of a query in chunks, all from the same state of the store.

        The connection is closed with the iterator, even before its end.
        """
        with translated(self._exporting) as connection:
            try:
                result = connection.execution_options(yield_per=size).execute(statement)
            except sa.exc.DBAPIError as error:
                if is_incomparable(error):
                    return  # no row has such a text
                raise
            cursor = result.cursor  # a result that has failed does not have it any more
            try:
                yield from result.mappings().partitions()
            except BaseException:
                _abandon(connection, result, cursor)
                raise

    def has_column(self, table: sa.Table, name: str) -> bool:
        """True if the table in the database has the column; tables of the original may be older. Cached."""
        return name in self.columns(table)

    def columns(self, table: sa.Table) -> set[str]:
        """The names of the columns that the table has in the database."""
        if table.name not in self._columns:
            self._columns[table.name] = self.told(lambda engine: _columns_of(engine, table))
        return self._columns[table.name]


SNAPSHOTS: Mapping[str, tuple[str, ...]] = {
    "sqlite": (),  # a connection to a file is one transaction anyway
    "postgresql": ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",),
}
SNAPSHOT_OF_MYSQL = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)


@contextmanager
def _open_snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection in a snapshot. The transaction is begun by SQL: for SQLAlchemy each statement is its own
    one.
    """
    with translated(engine) as connection:
        begin = SNAPSHOTS.get(connection.dialect.name, SNAPSHOT_OF_MYSQL)
        try:
            for statement in begin:
                connection.exec_driver_sql(statement)
            yield connection
            if begin:
                connection.exec_driver_sql("COMMIT")
        except BaseException:
            connection.invalidate()  # the transaction ends with the connection
            raise


def _abandon(connection: sa.Connection, result: sa.CursorResult[Any], cursor: Any) -> None:
    """End a connection in the middle of a result. PyMySQL would first read all remaining rows."""
    if connection.dialect.name in ("mysql", "mariadb"):
        unread = getattr(cursor, "_result", None)
        if unread is not None:
            unread.unbuffered_active, unread.connection = False, None
        connection.invalidate()
    result.close()
    if connection.dialect.name == "postgresql":
        cursor.close()  # SQLAlchemy leaves the cursor of a result that failed open


def _columns_of(engine: sa.Engine, table: sa.Table) -> set[str]:
    with translated(engine) as connection:
        return {column["name"] for column in sa.inspect(connection).get_columns(table.name)}


def _again(read: Callable[[], T]) -> T:
    """The result of `read`; called a second time if the database has closed an idle connection.

    A closed connection is noticed only when it is used; SQLAlchemy then replaces all connections.
    """
    began = monotonic()
    try:
        return read()
    except StoreUnreachable as error:
        closed = getattr(error.__cause__, "connection_invalidated", False)
        if not closed or monotonic() - began > RETRY_WITHIN_S:
            raise
    return read()


class OfEdition:
    """A query that returns no rows unless the store has the requested edition.

    So a single statement, in one round trip, is certain to read the edition that the answer names.
    """

    def __init__(self, statement: sa.Select[Any]) -> None:
        asked = sa.bindparam("edition", type_=publications.c.edition.type)
        current = sa.select(sa.func.max(publications.c.edition)).scalar_subquery()
        self.statement = statement.where(sa.or_(asked.is_(None), asked == current))


def edition_of(published: Mapping[str, Publication]) -> Any:
    """A number that changes with each publishing run; None if nothing was published."""
    return max((each.edition for each in published.values()), default=None)


class Reading:
    """The Result Store as one answer reads it, all of one edition. `published`: records of the published
    tables.
    """

    def __init__(
        self, store: ResultStore, published: Mapping[str, Publication], privacy: Privacy | None = None
    ) -> None:
        """`privacy` is given for answers about single learners, and applied to all rows."""
        self._store, self.published, self._privacy = store, published, privacy
        self._snapshot: sa.Connection | None = None

    @property
    def privacy(self) -> Privacy:
        """The privacy rules for single learners. Raises TypeError if the answer was not declared as such."""
        if self._privacy is None:
            raise TypeError("the answer is not declared to be about single learners")
        return self._privacy

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All statements inside read the store at one moment; `published` is set to the records of that
        moment.
        """
        with self._store.snapshot() as connection:
            self._snapshot, self.published = connection, published_in(connection)
            try:
                yield
            finally:
                self._snapshot = None

    def meanwhile(self, do: Callable[[Reading], None]) -> None:
        """Call `do` in a background thread with a reading of the same store, as it is then."""

        def work(connection: sa.Connection) -> None:
            later = Reading(self._store, published_in(connection), self._privacy)
            later._snapshot = connection
            do(later)

        self._store.meanwhile(work)

    def rows(self, statement: OfEdition | sa.Select[Any], values: Values = NOTHING) -> list[sa.RowMapping]:
        """All rows of a query, by column name."""
        rows = self.tuples(statement, values)
        return [row._mapping for row in rows]  # noqa: SLF001 - public by its documentation

    def tuples(self, statement: OfEdition | sa.Select[Any], values: Values = NOTHING) -> Sequence[Any]:
        """All rows of a query as tuples, for long lists: names would double the cost of a row.

        `values`: of its bound parameters. Executing a prebuilt statement costs a third of building a new one.
        Raises TypeError for a plain statement outside of a snapshot: its edition would be unknown.
        """
        rows = self.unmasked(statement, values)
        if self._privacy is None:
            return rows
        plain = statement.statement if isinstance(statement, OfEdition) else statement
        return self._privacy.rows(list(plain.selected_columns), rows)

    def unmasked(self, statement: OfEdition | sa.Select[Any], values: Values = NOTHING) -> Sequence[Any]:
        """Rows with all data that identify learners; for queries, never for an answer."""
        if isinstance(statement, OfEdition):
            statement, values = statement.statement, {"edition": edition_of(self.published), **values}
        elif self._snapshot is None:
            raise TypeError("a statement that is not OfEdition is read in a snapshot")
        if self._snapshot is not None:
            return all_rows(self._snapshot, statement, values)
        return self._store.tuples(statement, values)

    @property
    def packs_lists(self) -> bool:
        """True if the database assembles lists as JSON."""
        return self._store.packs_lists

    def is_published(self, table: sa.Table) -> bool:
        """True if Pharos published the rows of the table.

        The `id` of published rows is no order: an edition inserts changed rows after unchanged ones. Rows of
        another program are served in the order in which it stored them, as the original does.
        """
        return table.name in self.published

    def derived(self, table: sa.Table, make: Callable[[], T]) -> T:
        """The result of `make`, cached for each publication of the table."""
        return self._store.derived(table, self.published, make)

    def derived_at_hand(self, table: sa.Table) -> Any:
        """The cached value derived from the publication of the table; None if there is none."""
        return self._store.derived_at_hand(table, self.published)

    def has_column(self, table: sa.Table, name: str) -> bool:
        """True if the table in the database has the column."""
        return self._store.has_column(table, name)


def of_request(request: Request) -> ResultStore:
    """The store for the API version in the address."""
    found: ResultStore = request.app.state.stores[version_of(request.scope["path"])]
    return found


def version_of(path: str) -> str:
    """The version of the API an address belongs to."""
    return "v1" if path.startswith("/api/v1/") else "v0"
