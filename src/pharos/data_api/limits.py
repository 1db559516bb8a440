"""How often a caller may ask: a window of one minute that slides (spec 05 §3.3). Counted in each process."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque

from pharos.data_api.errors import Throttled

WINDOW_S = 60.0
MAX_CALLERS = 10_000  # the longest silent are forgotten first, so memory is bounded


class Limits:
    """Requests per minute: `of_people` for a person or an address, `of_tokens` for tokens without own."""

    def __init__(self, of_people: int, of_tokens: int) -> None:
        self.of_people, self.of_tokens = of_people, of_tokens
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, caller: str, per_minute: int | None = None) -> None:
        """Count a request of the caller. Raises Throttled, without counting, beyond their rate."""
        limit, now = per_minute or self.of_people, time.monotonic()
        times = self._times.setdefault(caller, deque())
        self._times.move_to_end(caller)
        while times and times[0] <= now - WINDOW_S:
            times.popleft()
        if len(times) >= limit:
            raise Throttled(max(1, math.ceil(times[0] + WINDOW_S - now)))
        times.append(now)
        if len(self._times) > MAX_CALLERS:
            self._times.popitem(last=False)
