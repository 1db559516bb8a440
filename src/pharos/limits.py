"""Limits the rate of requests (spec 05 §3.3) and the share of the service per caller. Counted in each
process.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

WINDOW_S = 60.0
MAX_CALLERS = 10_000  # the longest silent are forgotten first, so memory is bounded


class Limits:
    """The number of requests of each caller in the last minute (a sliding window)."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, caller: str, per_minute: int) -> int:
        """Count a request of the caller and return 0; beyond the rate, seconds until the next is allowed."""
        now = time.monotonic()
        times = self._times.setdefault(caller, deque())
        self._times.move_to_end(caller)
        while times and times[0] <= now - WINDOW_S:
            times.popleft()
        if len(times) >= per_minute:
            return max(1, math.ceil(times[0] + WINDOW_S - now))
        times.append(now)
        if len(self._times) > MAX_CALLERS:
            self._times.popitem(last=False)
        return 0


@dataclass
class _Line:
    places: asyncio.Semaphore
    callers: int = 0  # served or waiting


class Turns:
    """Serves only a few requests of each caller at once; further requests of the same caller wait in line.

    So a caller with many requests delays itself, and other callers wait for a few of its requests at most.
    Use it from the event loop only.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def of(self, caller: str) -> AsyncIterator[None]:
        """Wait for a free place of the caller, and hold it."""
        line = self._lines.setdefault(caller, _Line(asyncio.Semaphore(self._at_once)))
        line.callers += 1
        try:
            async with line.places:
                yield
        finally:
            line.callers -= 1
            if not line.callers:
                del self._lines[caller]
