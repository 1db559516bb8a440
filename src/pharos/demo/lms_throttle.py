"""How often the LMS stand-in lets somebody ask, before it answers 429 (spec 07 §2.2)."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import HTTPException, Request


@dataclass
class Throttle:
    """So many requests of one person to one address in any stretch of so many seconds."""

    requests: int = 40
    """Of staff; others may ask half as often."""
    seconds: float = 60.0
    _asked: dict[tuple[str, str], deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def guard(self, claims: Callable[[Request], dict[str, object]]) -> Callable[[Request], None]:
        """What a route depends on; `claims` says whose token a request shows."""

        def check(request: Request) -> None:
            person, now = claims(request), time.monotonic()
            most = self.requests if person["administrator"] else self.requests // 2
            asked = self._asked[str(person["preferred_username"]), request.url.path]
            while asked and now - asked[0] >= self.seconds:
                asked.popleft()
            if len(asked) >= most:
                wait_s = max(1, math.ceil(self.seconds - (now - asked[0])))
                detail = f"Request was throttled. Expected available in {wait_s} seconds."
                raise HTTPException(429, detail, headers={"Retry-After": str(wait_s)})
            asked.append(now)

        return check
