"""Which courses a viewer may see: the LMS's answer, remembered for a minute and through outages (spec 06 §5).

Knows no requests and no pages; decides from a viewer and a course id alone.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from pharos.errors import PharosError
from pharos.insights.refreshed import Refreshed
from pharos.insights.sessions import Viewer
from pharos.lms.errors import LMSError
from pharos.lms.rest import LMSClient

OUTAGE_S = 24 * 3600.0


class AccessUnknown(PharosError):
    """The LMS does not answer and never answered for this viewer."""


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
    """The LMS's answer on who may see which course, remembered for `fresh_s` seconds.

    While the LMS is down those it has answered for go on with its last answer, for at most a day.
    """

    def __init__(self, lms: LMSClient, fresh_s: float) -> None:
        self._courses = Refreshed(
            lms.course_ids_of_staff, fresh_s=fresh_s, stale_s=OUTAGE_S, forgiven=LMSError
        )

    async def courses(self, viewer: Viewer) -> Container[str]:
        """The ids of the course runs they may see. Raises AccessUnknown."""
        if viewer.global_staff:
            return Everything()
        try:
            return await self._courses.get(viewer.username)
        except LMSError as error:
            raise AccessUnknown from error

    def forget(self, viewer: Viewer) -> None:
        """The next question goes to the LMS; at sign-in and sign-out."""
        self._courses.forget(viewer.username)


def decide(viewer: Viewer, course_id: str, visible: Container[str]) -> Decision:
    """Whether the viewer may see the reports of the course."""
    if viewer.global_staff:
        return Decision(allowed=True, reason="global staff")
    if course_id in visible:
        return Decision(allowed=True, reason="the LMS names them as staff of the course")
    return Decision(allowed=False, reason="the LMS does not name them as staff of the course")
