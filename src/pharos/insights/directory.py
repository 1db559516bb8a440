"""Names and dates of course runs."""

from __future__ import annotations

from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from pharos.insights.api import DataAPI, DataAPIError
from pharos.insights.deadlines import Deadline, deadlines_of
from pharos.insights.outline import Outline, outline_of
from pharos.insights.refreshed import Refreshed
from pharos.insights.transcripts import Player, languages_of, player_of, preferred
from pharos.lms.errors import LMSError, LMSRefused, NotInLMS
from pharos.lms.rest import AssignmentType, CourseDetails, LMSClient

NO_NAMES: dict[str, CourseDetails] = {}
NAMES_FRESH_S = 300.0
NAMES_STALE_S = 7 * 24 * 3600.0
BUILT_FRESH_S = 3600.0  # block trees are large
FAILED_S = 10.0  # pages of courses the LMS never told about must not wait for it each time
MOST_BLOCKS = 300_000  # of outlines together: some 300 MB
MOST_CUES = 300_000  # of transcripts together
CCX = "ccx-v1:"


@dataclass(frozen=True)
class Course:
    """A course run. Dates and pacing are None if the LMS does not give them."""

    course_id: str
    name: str
    start: datetime | None = None
    end: datetime | None = None
    pacing: str | None = None

    @property
    def path(self) -> str:
        """Address of the course's pages, with a final slash."""
        return f"/courses/{quote(self.course_id, safe='/:+@')}/"

    @property
    def parts(self) -> tuple[str, ...]:
        """Organisation, course and run; of a CCX without its number (spec 06 §7.2)."""
        text = self.course_id.split(":", 1)[-1]
        return tuple(text.replace("+", "/").split("/"))[:3]

    @property
    def organisation(self) -> str:
        return self.parts[0]

    @property
    def run(self) -> str:
        return self.parts[-1]


@dataclass(frozen=True)
class _Built:
    """The cached parts of a course run's block tree."""

    deadlines: tuple[Deadline, ...] = ()
    outline: Outline | None = None


class CourseDirectory:
    """Names and dates of course runs: from the LMS, else from the summaries, else the id itself.

    No method raises: values that the LMS does not give are missing.
    """

    def __init__(self, lms: LMSClient, api: DataAPI) -> None:
        self._api = api
        self._lms = lms
        self._details: Refreshed[str, CourseDetails | None] = Refreshed(
            self._ask, fresh_s=NAMES_FRESH_S, stale_s=NAMES_STALE_S, forgiven=LMSError, failed_s=FAILED_S
        )
        self._all: Refreshed[str, dict[str, CourseDetails]] = Refreshed(
            self._ask_all, fresh_s=NAMES_FRESH_S, stale_s=NAMES_STALE_S, forgiven=LMSError, failed_s=FAILED_S
        )
        self._built: Refreshed[str, _Built] = Refreshed(
            self._ask_built,
            fresh_s=BUILT_FRESH_S,
            stale_s=NAMES_STALE_S,
            forgiven=LMSError,
            failed_s=FAILED_S,
            most=MOST_BLOCKS,
            weigh=lambda built: blocks_of(built.outline),
        )
        self._players: Refreshed[tuple[str, str], Player] = Refreshed(
            self._ask_player,
            fresh_s=BUILT_FRESH_S,
            stale_s=NAMES_STALE_S,
            forgiven=LMSError,
            failed_s=FAILED_S,
            most=MOST_CUES,
            weigh=lambda player: 1 + len(player.cues),
        )
        self._policies: Refreshed[str, tuple[AssignmentType, ...]] = Refreshed(
            self._ask_policy,
            fresh_s=NAMES_FRESH_S,
            stale_s=NAMES_STALE_S,
            forgiven=LMSError,
            failed_s=FAILED_S,
        )

    async def course(self, course_id: str) -> Course:
        """The course run."""
        try:
            details = await self._details.get(course_id)
        except (LMSError, TimeoutError):
            details = None
        if details is not None:
            return Course(course_id, details.name, details.start, details.end, details.pacing)
        return Course(course_id, await self._catalog_title(course_id) or course_id)

    async def known(self) -> dict[str, CourseDetails]:
        """The LMS's details of all its courses; empty while the LMS does not answer."""
        try:
            return await self._all.get("")
        except (LMSError, TimeoutError):
            return NO_NAMES

    async def deadlines(self, course_id: str) -> tuple[Deadline, ...]:
        """Due dates of its graded assignments, by date."""
        return (await self._built_of(course_id)).deadlines

    async def outline(self, course_id: str) -> Outline | None:
        """The outline of the course run; None if the LMS does not give it."""
        return (await self._built_of(course_id)).outline

    async def player(self, block_id: str, language: str) -> Player:
        """The transcript of a video, in this language if there is one, and its address for watching.

        Both are empty if the LMS does not give them.
        """
        try:
            return await self._players.get((block_id, language))
        except (LMSError, TimeoutError):
            return Player()

    async def grading_policy(self, course_id: str) -> tuple[AssignmentType, ...]:
        """Its assignment types with a name, in the order of the policy."""
        try:
            return await self._policies.get(course_id)
        except (LMSError, TimeoutError):
            return ()

    async def earlier_runs(self, course: Course, visible: Container[str]) -> list[Course]:
        """The runs of the same course that started before this one and that the viewer may see.

        The latest one comes first.
        """
        if course.start is None or course.course_id.startswith(CCX):
            return []
        same_course = course.course_id.removesuffix(course.run)
        earlier = [
            details
            for course_id, details in (await self.known()).items()
            if course_id.startswith(same_course)
            and details.start is not None
            and details.start < course.start
            and course_id in visible
        ]
        earlier.sort(key=lambda details: (details.start or course.start, details.course_id), reverse=True)
        return [Course(run.course_id, run.name, run.start, run.end, run.pacing) for run in earlier]

    async def _ask(self, course_id: str) -> CourseDetails | None:
        try:
            return await self._lms.course(course_id)
        except NotInLMS:
            return None

    async def _built_of(self, course_id: str) -> _Built:
        try:
            return await self._built.get(course_id)
        except (LMSError, TimeoutError):
            return _Built()

    async def _ask_built(self, course_id: str) -> _Built:
        try:
            tree = await self._lms.blocks(course_id)
        except NotInLMS:
            return _Built()
        return _Built(deadlines_of(tree), outline_of(tree))

    async def _ask_player(self, asked: tuple[str, str]) -> Player:
        block_id, language = asked
        try:
            view = await self._lms.player(block_id)
        except NotInLMS:
            return Player()
        address, text = preferred(languages_of(view), language), ""
        if address:
            with suppress(NotInLMS, LMSRefused):  # the video can be seen at its seconds without a transcript
                text = await self._lms.transcript(address)
        return player_of(view, text)

    async def _ask_policy(self, course_id: str) -> tuple[AssignmentType, ...]:
        try:
            policy = await self._lms.grading_policy(course_id)
        except NotInLMS:
            return ()
        return tuple(line for line in policy if line.name.strip())

    async def _ask_all(self, _: str) -> dict[str, CourseDetails]:
        return {details.course_id: details for details in await self._lms.courses()}

    async def _catalog_title(self, course_id: str) -> str | None:
        try:
            summaries = await self._api.summaries()
        except DataAPIError:
            return None
        titles = (row.get("catalog_course_title") for row in summaries if row["course_id"] == course_id)
        return next((str(title) for title in titles if title), None)


def blocks_of(outline: Outline | None) -> int:
    """The cache weight of an outline: its number of blocks; 1 for None, which is cached, too."""
    return 1 if outline is None else sum(1 for _ in outline.root.walk())
