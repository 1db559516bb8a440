"""Caches values of another service, by key: fetched on demand, renewed in time, kept while the service is
down.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pharos.insights import waiting

log = logging.getLogger(__name__)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")
RETRY_S = 10.0
MOST_KEYS = 10_000
LONGEST_KEY = 1000  # characters: ids in the LMS have 255 at most, and staff may ask for longer ones


@dataclass
class _Entry(Generic[V]):
    value: V
    fetched_at: float
    weight: int
    retry_at: float = 0.0


class Refreshed(Generic[K, V]):
    """A cache of values from a service: served for at most `fresh_s` seconds, longer if the service fails.

    In the second half of that time a request starts a renewal in the background, so that no request waits. If
    the service fails with one of `forgiven`, or takes longer than a request may wait (`patience`, seconds),
    the old value is served for at most `stale_s` seconds. Without an old value the error is raised, and
    raised again to all requests of the next `failed_s` seconds. Requests for the same key share one fetch; a
    request that ends does not cancel it.

    The weights of all kept values (`weigh`) add up to at most `most`; the oldest value is dropped first.
    Values of keys longer than `LONGEST_KEY` are not kept.
    """

    def __init__(
        self,
        fetch: Callable[[K], Awaitable[V]],
        *,
        fresh_s: float,
        stale_s: float,
        forgiven: type[Exception],
        failed_s: float = 0.0,
        most: int = MOST_KEYS,
        weigh: Callable[[V], int] = lambda _value: 1,
        patience: Callable[[], float] = waiting.for_lms,
    ) -> None:
        self._fetch, self._fresh_s, self._stale_s = fetch, fresh_s, stale_s
        self._patience, self._most, self._weigh = patience, most, weigh
        self._forgiven, self._failed_s = forgiven, failed_s
        self._entries: dict[K, _Entry[V]] = {}
        self._weight = 0
        self._failures: dict[K, tuple[Exception, float]] = {}
        self._renewals: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K) -> V:
        """The value. Raises the error of the fetch if there is no old value.

        Raises TimeoutError if there is no old value and the request can wait no longer.
        """
        entry = self._entries.get(key)
        now = time.monotonic()
        if entry is None:
            failure, until = self._failures.get(key, (None, 0.0))
            if failure is not None and now < until:
                raise failure.with_traceback(None)  # or it grows with everybody who is told
            return await self._in_time(key)
        age_s = now - entry.fetched_at
        if age_s < self._fresh_s / 2 or now < entry.retry_at:
            return entry.value
        renewal = self._renewal(key)
        if age_s < self._fresh_s:
            return entry.value
        return await self._renewed_or_old(key, renewal, entry)

    def forget(self, key: K) -> None:
        """Drop the value, so that the next request fetches it."""
        self._drop(key)
        self._failures.pop(key, None)

    async def _renewed_or_old(self, key: K, renewal: asyncio.Task[V], entry: _Entry[V]) -> V:
        if time.monotonic() - entry.fetched_at > self._stale_s:
            self.forget(key)
            return await self._in_time(key)
        await asyncio.wait({renewal}, timeout=self._patience())
        if renewal.done() and renewal.exception() is None:
            return renewal.result()
        if renewal.done() and not isinstance(renewal.exception(), self._forgiven):
            return renewal.result()  # raises
        entry.retry_at = time.monotonic() + RETRY_S
        return entry.value

    async def _in_time(self, key: K) -> V:
        renewal = self._renewal(key)
        await asyncio.wait({renewal}, timeout=self._patience())
        if not renewal.done():
            raise TimeoutError
        return renewal.result()

    def _renewal(self, key: K) -> asyncio.Task[V]:
        renewal = self._renewals.get(key)
        if renewal is None:
            renewal = asyncio.get_running_loop().create_task(self._renew(key), context=waiting.outside())
            renewal.add_done_callback(_retrieve)
            self._renewals[key] = renewal
        return renewal

    async def _renew(self, key: K) -> V:
        try:
            value = await self._fetch(key)
            self._keep(key, value)
            self._failures.pop(key, None)
        except self._forgiven as error:
            log.warning("%s", error)
            if _characters(key) <= LONGEST_KEY:
                keep(self._failures, key, (error, time.monotonic() + self._failed_s))
            raise
        else:
            return value
        finally:
            self._renewals.pop(key, None)

    def _keep(self, key: K, value: V) -> None:
        self._drop(key)
        entry = _Entry(value, time.monotonic(), self._weigh(value))
        if _characters(key) > LONGEST_KEY or entry.weight > self._most:
            return
        while self._weight + entry.weight > self._most:
            self._drop(next(iter(self._entries)))
        self._entries[key] = entry
        self._weight += entry.weight

    def _drop(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        self._weight -= entry.weight if entry is not None else 0


def keep(kept: dict[K, T], key: K, value: T) -> None:
    """Puts a value into a cache; the oldest value is dropped if the cache is full."""
    while len(kept) >= MOST_KEYS:
        kept.pop(next(iter(kept)))
    kept[key] = value


def _characters(key: object) -> int:
    """The number of characters in all texts of a key."""
    if isinstance(key, tuple):
        return sum(map(_characters, key))
    return len(key) if isinstance(key, str) else 0


def _retrieve(renewal: asyncio.Task[V]) -> None:
    """Marks the outcome as retrieved: a failed background renewal is already logged."""
    if not renewal.cancelled():
        renewal.exception()
