"""How often somebody may ask: a window of one minute that slides (spec 05 §3.3). Counted in each process."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque

WINDOW_S = 60.0
MAX_CALLERS = 10_000  # the longest silent are forgotten first, so memory is bounded


class Limits:
    """The requests of each caller within the last minute."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, caller: str, per_minute: int) -> int:
        """Count a request of the caller: 0. Beyond the rate: not counted, seconds until one is free."""
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
