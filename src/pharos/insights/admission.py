"""Decides if a session is still valid: not signed out anywhere, and staff rights at most ten minutes old.

The cookie alone proves only that somebody signed in. A sign-out is stored in the Result Store, through the
Data API, so that a copy of the cookie is worthless on every replica (decision 0014). Rights over the whole
LMS are read again with the refresh token from the sign-in.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from pharos.insights import waiting
from pharos.insights.api import DataAPI, DataAPIError
from pharos.insights.refreshed import Refreshed, keep
from pharos.insights.sessions import Session
from pharos.lms.errors import LMSUnreachable, SignInFailed
from pharos.lms.oauth import SignIn

log = logging.getLogger(__name__)
SIGNED_OUT_FRESH_S = 2.0
SIGN_OUT_RETRY_S = 5.0  # doubled each time
SIGN_OUT_LONGEST_RETRY_S = 300.0
SIGN_OUT_PATIENCE_S = 1.0
RIGHTS_FRESH_S = 300.0  # older ones are asked for in the background
RIGHTS_LONGEST_S = 600.0  # older ones are asked for first
RIGHTS_RETRY_S = 10.0


class Admission:
    """Decides for each request if its session is valid."""

    def __init__(self, api: DataAPI, sign_in: SignIn) -> None:
        self.sign_outs = SignOuts(api)
        self._rights = Rights(sign_in)

    async def admitted(self, session: Session) -> Session | None:
        """The session with present rights; None if it has ended. Raises DataAPIError if that is unknown."""
        if await self.sign_outs.has(session):
            return None
        return await self._rights.confirmed(session)


class SignOuts:
    """Sessions that were ended early, on this replica or another."""

    def __init__(self, api: DataAPI) -> None:
        self._api = api
        self._known: Refreshed[str, bool] = Refreshed(
            api.is_signed_out,
            fresh_s=SIGNED_OUT_FRESH_S,
            stale_s=24 * 3600.0,
            forgiven=DataAPIError,
            patience=waiting.for_services,
        )
        self._ours: dict[str, float] = {}
        self._telling: set[asyncio.Task[None]] = set()

    async def has(self, session: Session) -> bool:
        """True if the session was ended. Raises DataAPIError if that is unknown and the Data API fails."""
        if session.id in self._ours:
            return True
        try:
            return await self._known.get(session.id)
        except TimeoutError as error:
            raise DataAPIError("v1/sign_outs/", "not within the time of a page") from error

    async def add(self, session: Session) -> None:
        """End the session: here at once, on other replicas as soon as the Data API has stored it."""
        now = time.time()
        self._ours = {name: until for name, until in self._ours.items() if until > now}
        self._ours[session.id] = session.ends
        telling = asyncio.get_running_loop().create_task(self._tell(session), context=waiting.outside())
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)
        await asyncio.wait({telling}, timeout=waiting.for_services(SIGN_OUT_PATIENCE_S))

    async def close(self) -> None:
        """Cancels sign-outs that are still being sent."""
        for telling in self._telling:
            telling.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def _tell(self, session: Session) -> None:
        pause_s = SIGN_OUT_RETRY_S
        while time.time() < session.ends:
            try:
                await self._api.sign_out(session.id, session.ends)
            except DataAPIError as error:
                log.warning("a sign-out counts on this replica only until the Data API takes it: %s", error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, SIGN_OUT_LONGEST_RETRY_S)
            else:
                return


@dataclass
class _Known:
    session: Session
    retry_at: float = 0.0
    is_over: bool = False


class Rights:
    """Renews the rights of staff and superusers of the LMS. For other people the LMS decides per course."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._known: dict[str, _Known] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def confirmed(self, session: Session) -> Session | None:
        """The session as the LMS confirmed it in the last ten minutes; None if the person must sign in again.

        While the LMS does not answer, its last answer counts; a session lasts half a day at most.
        """
        known = self._newest(session)
        if known.is_over:
            return None
        age_s = time.time() - known.session.asked
        if not known.session.viewer.global_staff or age_s < RIGHTS_FRESH_S:
            return known.session
        if known.session.refresh_token is None:
            return known.session if age_s < RIGHTS_LONGEST_S else None
        if time.time() >= known.retry_at:
            asking = self._asked_again(known)
            if age_s >= RIGHTS_LONGEST_S:
                await asyncio.wait({asking}, timeout=waiting.for_lms())
        return None if known.is_over else known.session

    def _newest(self, session: Session) -> _Known:
        """The known state of the session: from this process, or from the cookie if another replica renewed it
        later.
        """
        known = self._known.get(session.id)
        if known is None or known.session.asked < session.asked:
            known = _Known(session)
            if session.viewer.global_staff:
                keep(self._known, session.id, known)
        return known

    def _asked_again(self, known: _Known) -> asyncio.Task[None]:
        key = known.session.id
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.get_running_loop().create_task(self._ask(known), context=waiting.outside())
            self._asking[key] = asking
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        return asking

    async def _ask(self, known: _Known) -> None:
        session = known.session
        known.retry_at = time.time() + RIGHTS_RETRY_S
        try:
            now = await self._sign_in.again(session.refresh_token or "")
        except LMSUnreachable as error:
            log.warning("rights of staff could not be asked for again, the last ones count: %s", error)
            return
        except SignInFailed as error:  # revoked, or used by another replica at the same moment
            log.info("a person has to sign in again: %s", error)
            known.is_over = True
            return
        if now.person.username != session.viewer.username:
            known.is_over = True
            return
        known.session = Session.of(now, earlier=session)
