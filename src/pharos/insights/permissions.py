"""The courses a viewer may see: the LMS's answers, cached for a minute and through outages (spec 06 §5).

The LMS is asked two questions. One is quick and knows only roles in single course runs; the other is slow and
knows every kind of staff access, including roles for all courses of an organisation and those of
openedx-authz (spec 07 §2.3). This module knows neither requests nor pages; it decides from a viewer and a
course id alone.
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
MOST_IDS = 1_000_000  # of courses, of all viewers together: some 150 MB


class AccessUnknown(PharosError):
    """The LMS does not answer, and has never answered about this viewer."""

    def __str__(self) -> str:
        return "the LMS does not say which courses the viewer may see; see the warnings before this line"


class Everything(Container[str]):
    """Contains every course; for global staff."""

    def __contains__(self, course_id: object) -> bool:
        return True


@dataclass(frozen=True)
class Decision:
    """A decision on access, and its reason (for the log)."""

    allowed: bool
    reason: str


class Permissions:
    """The LMS's answers about visible courses; the quick answers are cached for `fresh_s` seconds.

    While the LMS is down, viewers with a cached answer keep it for at most a day.
    """

    def __init__(self, lms: LMSClient, fresh_s: float) -> None:
        self._lms = lms
        self._named = Refreshed(
            lms.course_ids_of_staff,
            fresh_s=fresh_s,
            stale_s=OUTAGE_S,
            forgiven=LMSError,
            most=MOST_IDS,
            weigh=_weight,
        )
        self._further = Refreshed(
            self._ask_further,
            fresh_s=FURTHER_FRESH_S,
            stale_s=OUTAGE_S,
            forgiven=LMSError,
            failed_s=FURTHER_FAILED_S,
            most=MOST_IDS,
            weigh=_weight,
        )

    async def courses(self, viewer: Viewer) -> Container[str]:
        """The ids of the course runs the viewer may see. Raises AccessUnknown if none is known and the LMS
        failed.
        """
        if viewer.global_staff:
            return Everything()
        named, further = await self._answers(viewer)
        if named is None or (further is None and not named):
            raise AccessUnknown
        return named | (further or frozenset())

    async def decide(self, viewer: Viewer, course_id: str) -> Decision:
        """The decision on the viewer's access to reports of the course. Raises AccessUnknown."""
        if viewer.global_staff:
            return Decision(allowed=True, reason="global staff")
        named, further = await self._answers(viewer)
        if course_id in (named or ()) or course_id in (further or ()):
            return Decision(allowed=True, reason="the LMS names them as staff of the course")
        if named is None or further is None:
            raise AccessUnknown
        return Decision(allowed=False, reason="the LMS does not name them as staff of the course")

    def forget(self, viewer: Viewer) -> None:
        """Drop the cached answers of a viewer; at sign-in and sign-out."""
        self._named.forget(viewer.username)
        self._further.forget(viewer.username)

    async def _answers(self, viewer: Viewer) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        """The answers to the quick and to the slow question; None for a question that failed."""

        async def of(kept: Refreshed[str, frozenset[str]]) -> frozenset[str] | None:
            try:
                return await kept.get(viewer.username)
            except (LMSError, TimeoutError):
                return None

        named, further = await asyncio.gather(of(self._named), of(self._further))
        return named, further

    async def _ask_further(self, username: str) -> frozenset[str]:
        """Courses that the quick question does not return: otherwise a withdrawn role would live on here."""
        named, all_ = await asyncio.gather(
            self._lms.course_ids_of_staff(username), self._lms.course_ids_of_staff_access(username)
        )
        return all_ - named


def _weight(course_ids: frozenset[str]) -> int:
    return 1 + len(course_ids)
