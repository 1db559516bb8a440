"""HTTP to other services, with a deadline for the whole of each exchange."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx


class DeadlineClient(httpx.AsyncClient):
    """A client whose every exchange, from the connection to the last byte of the body, ends in `deadline_s`.

    The time-outs of httpx are for single steps: a server that sends a byte now and then never exceeds them.
    """

    def __init__(self, deadline_s: float, **options: Any) -> None:
        super().__init__(timeout=deadline_s, **options)
        self._deadline_s = deadline_s

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """The whole answer. Raises httpx.ReadTimeout after the deadline."""
        try:
            async with asyncio.timeout(self._deadline_s):
                return await super().send(request, **options)
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no whole answer in {self._deadline_s:g} s", request=request) from error
