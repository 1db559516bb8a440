"""All courses with their current numbers, combined from the latest answers of the Data API and the LMS;
cached.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pharos.insights.api import Row, moment
from pharos.insights.directory import CCX, Course
from pharos.insights.enrollment_days import NO_FLOW
from pharos.insights.language import noop
from pharos.lms.rest import CourseDetails

# Availabilities move with the clock, so a list is not used for longer than this.
LIFE = timedelta(minutes=1)
AVAILABILITIES = {
    "Current": noop("Current"),
    "Upcoming": noop("Upcoming"),
    "Archived": noop("Archived"),
    "unknown": noop("Unknown"),
}


@dataclass(frozen=True)
class Listed:
    """One course of the list."""

    course: Course
    organisation: str
    availability: str
    pacing: str
    start: datetime | None
    end: datetime | None
    total: int
    current: int
    change: int
    """Over the last seven days counted: joined minus left."""
    joined: int | None
    """In these seven days; None where joining and leaving are not counted."""
    left: int | None
    verified: int
    masters: int
    passing: int | None
    known: bool
    """Whether the LMS lists the course; True while it does not answer, and for a CCX: it lists none."""

    @property
    def is_losing(self) -> bool:
        """True if the course lost learners in the last seven days and is not over."""
        return self.change < 0 and self.availability != "Archived"


class Listing:
    """Caches the list until rows, names or the minute change: thousands of courses, many visitors."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._known: dict[str, CourseDetails] = {}
        self._flows: list[Row] | None = None
        self._made_at = datetime.min.replace(tzinfo=UTC)
        self._listed: list[Listed] = []

    def of(
        self, rows: list[Row], known: dict[str, CourseDetails], flows: list[Row] | None = None
    ) -> list[Listed]:
        """The courses of the rows and of the LMS, by name; courses without a name last (spec 06 §9.2).

        A course of the LMS without a row has no learner yet. `flows`: learners who joined and left in seven
        days; a course without a flow had neither; None if flows are not computed.
        """
        now = datetime.now(UTC)
        made_from = (rows is self._rows, known is self._known, flows is self._flows)
        if not all(made_from) or now - self._made_at > LIFE:
            flow_of = None if flows is None else {flow["course_id"]: flow for flow in flows}
            counted = {row["course_id"]: row for row in rows}
            listed = [
                _listed(
                    counted.get(course_id, {"course_id": course_id}),
                    known.get(course_id),
                    now,
                    flow=None if flow_of is None else flow_of.get(course_id, NO_FLOW),
                    in_lms=not known or course_id in known or course_id.startswith(CCX),
                )
                for course_id in {**counted, **known}
            ]
            self._listed = sorted(listed, key=_by_name)
            self._rows, self._known, self._flows, self._made_at = rows, known, flows, now
        return self._listed


def _by_name(item: Listed) -> tuple[bool, str]:
    return item.course.name == item.course.course_id, item.course.name.casefold()


def _listed(
    row: Row, details: CourseDetails | None, now: datetime, *, flow: Row | None, in_lms: bool
) -> Listed:
    course_id = row["course_id"]
    start = (details.start if details else None) or moment(row.get("start_date"))
    end = (details.end if details else None) or moment(row.get("end_date"))
    name = details.name if details else row.get("catalog_course_title") or course_id
    modes = row.get("enrollment_modes", {})
    pacing = row.get("pacing_type") or (f"{details.pacing}_paced" if details and details.pacing else "")
    course = Course(course_id, name, start, end, None)
    return Listed(
        course=course,
        organisation=course.organisation,
        availability=_availability(row.get("availability"), start, end, now),
        pacing=pacing,
        start=start,
        end=end,
        total=row.get("cumulative_count") or 0,
        current=row.get("count") or 0,
        change=row.get("recent_count_change") or 0,
        joined=flow["joined"] if flow is not None else None,
        left=flow["left"] if flow is not None else None,
        verified=modes.get("verified", {}).get("count") or 0,
        masters=modes.get("masters", {}).get("count") or 0,
        passing=row.get("passing_users"),
        known=in_lms,
    )


def _availability(said: str | None, start: datetime | None, end: datetime | None, now: datetime) -> str:
    """The availability from the catalog; without a catalog, from the dates."""
    if said in AVAILABILITIES:
        return said
    if end is not None and end < now:
        return "Archived"
    if start is not None:
        return "Upcoming" if start > now else "Current"
    return "unknown"
