"""The Result Store as the Data API reads it: rows, and what is published, at most a second old."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Generic, TypeVar

import sqlalchemy as sa
from fastapi import Depends, Request

from pharos.errors import PharosError
from pharos.result_store import store

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
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.published = Recent(lambda: store.published(self.engine))
        self._columns: dict[str, set[str]] = {}

    def rows(self, statement: sa.Select[Any]) -> list[sa.RowMapping]:
        """All rows of a query, by column name."""
        with store.translated(self._reading) as connection:
            return list(connection.execute(statement).mappings().all())

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


def _of_request(request: Request) -> ResultStore:
    found: ResultStore = request.app.state.stores[version_of(request.url.path)]
    return found


def version_of(path: str) -> str:
    """The version of the API an address belongs to."""
    return "v1" if path.startswith("/api/v1/") else "v0"


Store = Annotated[ResultStore, Depends(_of_request)]
