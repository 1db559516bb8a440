"""The rate limit of the LMS stand-in; beyond it the answer is 429 (spec 07 §2.2)."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import HTTPException, Request


@dataclass
class Throttle:
    """At most `requests` requests of one person to one address within any `seconds` seconds."""

    requests: int = 40
    """Of staff; others may ask half as often."""
    seconds: float = 60.0
    _asked: dict[tuple[str, str], deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def guard(self, claims: Callable[[Request], dict[str, object]]) -> Callable[[Request], None]:
        """A dependency for routes that raises 429; `claims` gives the claims of a request's token."""

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
