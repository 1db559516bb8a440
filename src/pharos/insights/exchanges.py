"""Finishes sign-ins in the background: a page does not wait for a slow LMS, but the exchange goes on.

Reloading the page gives the result that has arrived meanwhile. A code can be exchanged only once.
"""

from __future__ import annotations

import asyncio

from pharos.insights import waiting
from pharos.insights.refreshed import keep
from pharos.insights.sessions import ATTEMPT_S
from pharos.lms.errors import LMSUnreachable
from pharos.lms.oauth import Attempt, SignedIn, SignIn


class Exchanges:
    """Codes being exchanged for persons, by the state of their sign-in."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._running: dict[str, asyncio.Task[SignedIn]] = {}

    async def person(self, code: str, attempt: Attempt) -> SignedIn:
        """The person to whom the code belongs. Raises SignInFailed; LMSUnreachable if it takes too long for a
        page.
        """
        running = self._running.get(attempt.state)
        if running is None:
            running = asyncio.get_running_loop().create_task(
                self._sign_in.person(code, attempt), context=waiting.outside()
            )
            running.add_done_callback(_retrieve)
            keep(self._running, attempt.state, running)
            asyncio.get_running_loop().call_later(ATTEMPT_S, self._running.pop, attempt.state, None)
        await asyncio.wait({running}, timeout=waiting.for_lms())
        if not running.done():
            raise LMSUnreachable("the sign-in", "slower than a page may be; it goes on, reload the page")
        self._running.pop(attempt.state, None)
        return running.result()


def _retrieve(running: asyncio.Task[SignedIn]) -> None:
    """Marks the outcome as retrieved, in case no page asks for it."""
    if not running.cancelled():
        running.exception()
