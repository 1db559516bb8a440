"""Which courses a viewer may see: the LMS's answers, kept for a minute and through outages (spec 06 §5).

Two questions are asked. One is quick and knows roles in single course runs only; the other is slow and knows
every way to staff access: also roles for all courses of an organisation, and those of openedx-authz (spec 07
§2.3). Knows no requests and no pages; decides from a viewer and a course id alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container
from dataclasses import dataclass

from pharos.errors import PharosError
from pharos.insights.refreshed import Refreshed
from pharos.insights.sessions import Viewer
from pharos.lms.errors import LMSError
from pharos.lms.rest import LMSClient

OUTAGE_S = 24 * 3600.0
FURTHER_FRESH_S = 300.0
FURTHER_FAILED_S = 30.0


class AccessUnknown(PharosError):
    """The LMS does not answer and never answered for this viewer."""

    def __str__(self) -> str:
        return "the LMS does not say which courses the viewer may see; see the warnings before this line"


class Everything(Container[str]):
    """Contains every course: what global staff may see."""

    def __contains__(self, course_id: object) -> bool:
        return True


@dataclass(frozen=True)
class Decision:
    """May they, and why (for the log)."""

    allowed: bool
    reason: str


class Permissions:
    """The LMS's answers on who may see which course; those of the quick question count for `fresh_s` seconds.

    While the LMS is down those it has answered for go on with its last answers, for at most a day.
    """

    def __init__(self, lms: LMSClient, fresh_s: float) -> None:
        self._lms = lms
        self._named = Refreshed(lms.course_ids_of_staff, fresh_s=fresh_s, stale_s=OUTAGE_S, forgiven=LMSError)
        self._further = Refreshed(
            self._ask_further,
            fresh_s=FURTHER_FRESH_S,
            stale_s=OUTAGE_S,
            forgiven=LMSError,
            failed_s=FURTHER_FAILED_S,
        )

    async def courses(self, viewer: Viewer) -> Container[str]:
        """The ids of the course runs they may see. Raises AccessUnknown if there may be others than none."""
        if viewer.global_staff:
            return Everything()
        named, further = await self._answers(viewer)
        if named is None or (further is None and not named):
            raise AccessUnknown
        return named | (further or frozenset())

    async def decide(self, viewer: Viewer, course_id: str) -> Decision:
        """Whether the viewer may see the reports of the course. Raises AccessUnknown."""
        if viewer.global_staff:
            return Decision(allowed=True, reason="global staff")
        named, further = await self._answers(viewer)
        if course_id in (named or ()) or course_id in (further or ()):
            return Decision(allowed=True, reason="the LMS names them as staff of the course")
        if named is None or further is None:
            raise AccessUnknown
        return Decision(allowed=False, reason="the LMS does not name them as staff of the course")

    def forget(self, viewer: Viewer) -> None:
        """The next question goes to the LMS; at sign-in and sign-out."""
        self._named.forget(viewer.username)
        self._further.forget(viewer.username)

    async def _answers(self, viewer: Viewer) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        """The courses by the quick question, and those that only the slow one knows; None where unknown."""

        async def of(kept: Refreshed[str, frozenset[str]]) -> frozenset[str] | None:
            try:
                return await kept.get(viewer.username)
            except (LMSError, TimeoutError):
                return None

        named, further = await asyncio.gather(of(self._named), of(self._further))
        return named, further

    async def _ask_further(self, username: str) -> frozenset[str]:
        """Courses the quick question does not name now: a role withdrawn there must not live on here."""
        named, all_ = await asyncio.gather(
            self._lms.course_ids_of_staff(username), self._lms.course_ids_of_staff_access(username)
        )
        return all_ - named
