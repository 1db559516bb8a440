"""The Result Store as the Data API reads it: rows, and what is published, at most a second old."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from fastapi import Request

from pharos.errors import PharosError
from pharos.result_store import store
from pharos.result_store.errors import StoreUnreachable
from pharos.result_store.store import Publication

FRESH_FOR_S = 1.0
T = TypeVar("T")


class Recent(Generic[T]):
    """What a function returns, asked again when it is older than `FRESH_FOR_S`, by one thread at a time.

    A failure counts as an answer: while a database is gone, not every request waits for it.
    """

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask, self._lock = ask, threading.Lock()
        self._known: tuple[float, T] | None = None
        self._failed: tuple[float, PharosError] | None = None

    def at_hand(self) -> T | None:
        """The value if it is fresh, else None. Never waits."""
        known = self._known
        return known[1] if known and _is_fresh(known[0]) else None

    def get(self) -> T:
        """The value, asked for if need be. Raises what the function raises, of PharosError."""
        with self._lock:
            if self._known is not None and _is_fresh(self._known[0]):
                return self._known[1]
            if self._failed is not None and _is_fresh(self._failed[0]):
                raise self._failed[1]
            try:
                value = self._ask()
            except PharosError as error:
                self._failed = (time.monotonic(), error)
                raise
            self._known = (time.monotonic(), value)
            return value


def _is_fresh(since: float) -> bool:
    return time.monotonic() - since < FRESH_FOR_S


class ResultStore:
    """One Result Store. Raises StoreUnreachable or StoreNotReady from everything but its making."""

    def __init__(self, url: str) -> None:
        self.engine = store.engine_for(url)
        self._reading = store.engine_for(url, reading=True)
        self.published = Recent(lambda: store.published(self.engine))
        self._columns: dict[str, set[str]] = {}
        self._derived: dict[str, tuple[Publication, Any]] = {}
        self._deriving = threading.Lock()

    def rows(self, statement: sa.Select[Any]) -> list[sa.RowMapping]:
        """All rows of a query, by column name."""
        return [row._mapping for row in self.tuples(statement)]  # noqa: SLF001 - public by its documentation

    def tuples(self, statement: sa.Select[Any]) -> Sequence[Any]:
        """All rows of a query, for long lists: names cost as much as the rest of a row.

        A connection that the database has closed in the meantime is noticed by its use; then all are new.
        """
        try:
            return self._read(statement)
        except StoreUnreachable as error:
            if not getattr(error.__cause__, "connection_invalidated", False):
                raise
            return self._read(statement)

    def _read(self, statement: sa.Select[Any]) -> Sequence[Any]:
        with store.translated(self._reading) as connection:
            return connection.execute(statement).all()

    def close(self) -> None:
        """Give the connections back."""
        self._reading.dispose()
        self.engine.dispose()

    def derived(self, table: sa.Table, make: Callable[[], T]) -> T:
        """What `make` returns, made once for each publication of the table; each time if there is none.

        One thing may be derived from a table.
        """
        publication = self.published.get().get(table.name)
        if publication is None:
            return make()
        with self._deriving:  # whoever asks for it meanwhile gets it, too
            found: T | None = self.derived_at_hand(table)
            if found is None:
                found = make()
                self._derived[table.name] = (publication, found)
            return found

    def derived_at_hand(self, table: sa.Table) -> Any:
        """What is derived from the current publication of the table; None if it is not made yet."""
        publication, known = self.published.get().get(table.name), self._derived.get(table.name)
        if publication is None or known is None or known[0].published != publication.published:
            return None
        return known[1]

    def chunks(self, statement: sa.Select[Any], size: int) -> Iterator[Sequence[sa.RowMapping]]:
        """The rows of a query, some at a time, all from the same state of the store."""
        with store.translated(self.engine) as connection:
            result = connection.execution_options(yield_per=size).execute(statement)
            yield from result.mappings().partitions()

    def has_column(self, table: sa.Table, name: str) -> bool:
        """Whether the table really has the column; tables of the original may be older. Asked once."""
        if table.name not in self._columns:
            with store.translated(self.engine) as connection:
                found = sa.inspect(connection).get_columns(table.name)
            self._columns[table.name] = {column["name"] for column in found}
        return name in self._columns[table.name]


def of_request(request: Request) -> ResultStore:
    """The store that the version of the address reads."""
    found: ResultStore = request.app.state.stores[version_of(request.scope["path"])]
    return found


def version_of(path: str) -> str:
    """The version of the API an address belongs to."""
    return "v1" if path.startswith("/api/v1/") else "v0"
