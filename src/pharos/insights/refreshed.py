"""Values of another service, by key: fetched when asked for, renewed in time, kept while it is down."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")
PATIENCE_S = 2.0
RETRY_S = 10.0
MOST_KEYS = 10_000


@dataclass
class _Entry(Generic[V]):
    value: V
    fetched_at: float
    retry_at: float = 0.0


class Refreshed(Generic[K, V]):
    """A value is served for at most `fresh_s` seconds after it was fetched, unless the service fails.

    In the second half of that time a request starts a renewal in the background, so that nobody waits. When
    the service fails with one of `forgiven`, or takes longer than two seconds, the old value goes on for at
    most `stale_s` seconds. Without an old value the error is the caller's, and for `failed_s` seconds that of
    all who ask after it. Requests for a key share a fetch.
    """

    def __init__(
        self,
        fetch: Callable[[K], Awaitable[V]],
        *,
        fresh_s: float,
        stale_s: float,
        forgiven: type[Exception],
        failed_s: float = 0.0,
    ) -> None:
        self._fetch, self._fresh_s, self._stale_s = fetch, fresh_s, stale_s
        self._forgiven, self._failed_s = forgiven, failed_s
        self._entries: dict[K, _Entry[V]] = {}
        self._failures: dict[K, tuple[Exception, float]] = {}
        self._renewals: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K) -> V:
        """The value; raises what the fetch raises when there is no old value to go on with."""
        entry = self._entries.get(key)
        now = time.monotonic()
        if entry is None:
            failure, until = self._failures.get(key, (None, 0.0))
            if failure is not None and now < until:
                raise failure.with_traceback(None)  # or it grows with everybody who is told
            return await asyncio.shield(self._renewal(key))
        age_s = now - entry.fetched_at
        if age_s < self._fresh_s / 2 or now < entry.retry_at:
            return entry.value
        renewal = self._renewal(key)
        if age_s < self._fresh_s:
            return entry.value
        return await self._renewed_or_old(key, renewal, entry)

    def forget(self, key: K) -> None:
        """The next request fetches."""
        self._entries.pop(key, None)
        self._failures.pop(key, None)

    async def _renewed_or_old(self, key: K, renewal: asyncio.Task[V], entry: _Entry[V]) -> V:
        if time.monotonic() - entry.fetched_at > self._stale_s:
            self.forget(key)
            return await asyncio.shield(renewal)
        await asyncio.wait({renewal}, timeout=PATIENCE_S)
        if renewal.done() and renewal.exception() is None:
            return renewal.result()
        if renewal.done() and not isinstance(renewal.exception(), self._forgiven):
            return renewal.result()  # raises
        entry.retry_at = time.monotonic() + RETRY_S
        return entry.value

    def _renewal(self, key: K) -> asyncio.Task[V]:
        renewal = self._renewals.get(key)
        if renewal is None:
            renewal = asyncio.ensure_future(self._renew(key))
            renewal.add_done_callback(_retrieve)
            self._renewals[key] = renewal
        return renewal

    async def _renew(self, key: K) -> V:
        try:
            value = await self._fetch(key)
            _keep(self._entries, key, _Entry(value, time.monotonic()))
            self._failures.pop(key, None)
        except self._forgiven as error:
            log.warning("%s", error)
            _keep(self._failures, key, (error, time.monotonic() + self._failed_s))
            raise
        else:
            return value
        finally:
            self._renewals.pop(key, None)


def _keep(kept: dict[K, T], key: K, value: T) -> None:
    """Puts it in; what came first makes room."""
    while len(kept) >= MOST_KEYS:
        kept.pop(next(iter(kept)))
    kept[key] = value


def _retrieve(renewal: asyncio.Task[V]) -> None:
    """Marks the outcome as seen: a renewal nobody waits for may fail in silence, it is logged above."""
    if not renewal.cancelled():
        renewal.exception()
