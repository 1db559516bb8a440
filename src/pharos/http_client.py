"""An HTTP client with a deadline for the whole of each exchange."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

# Those of httpx, except for idle connections: Uvicorn closes them after 5 s, which is httpx's own limit, too,
# so now and then a request was sent at that very moment and lost. Gunicorn closes them after 2 s.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=1.5)
REPEATABLE = {"GET", "HEAD", "PUT"}


class DeadlineClient(httpx.AsyncClient):
    """A client whose every exchange, from connecting to the last byte of the body, ends in `deadline_s`.

    httpx has time limits only for single steps: a server that sends a byte now and then never exceeds them.

    A repeatable request is sent once more if its connection breaks before the answer, as when the other
    service closes idle connections or restarts.
    """

    def __init__(self, deadline_s: float, **options: Any) -> None:
        super().__init__(timeout=deadline_s, limits=LIMITS, **options)
        self._deadline_s = deadline_s

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """The whole answer. Raises httpx.ReadTimeout after the deadline."""
        try:
            async with asyncio.timeout(self._deadline_s):
                try:
                    return await super().send(request, **options)
                except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                    if request.method not in REPEATABLE:
                        raise
                    return await super().send(request, **options)
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no whole answer in {self._deadline_s:g} s", request=request) from error
