"""Activity of a course week by week, without gaps (spec 06 §9.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pharos.insights.api import Row, day
from pharos.insights.gaps import WEEK, every_week
from pharos.insights.language import noop
from pharos.insights.periods import DAY

ACTIVITIES = {
    "any": (noop("Active learners"), "s1"),
    "played_video": (noop("Watched a video"), "s2"),
    "attempted_problem": (noop("Tried a problem"), "s3"),
    "posted_forum": (noop("Joined a discussion"), "s4"),
}
NOBODY = dict.fromkeys(ACTIVITIES, 0)


@dataclass(frozen=True)
class Week:
    """A week by its last day; `enrollment` is that of its end, None if unknown."""

    ending: date
    counts: dict[str, int]
    enrollment: int | None

    @property
    def first(self) -> date:
        """Its first day: a Monday unless the site's weeks begin on another day (`counting.week_start`)."""
        return self.ending - WEEK + DAY

    @property
    def active(self) -> int:
        return self.counts["any"]

    @property
    def not_enrolled(self) -> int:
        """The smallest possible number of active learners who were not enrolled at the end of the week."""
        return max(0, self.active - self.enrollment) if self.enrollment is not None else 0

    def share(self, kind: str = "any") -> float | None:
        """The share of learners enrolled at the end of the week who had this activity.

        None if enrollment is unknown, or if more learners are active than enrolled.
        """
        if not self.enrollment or self.not_enrolled:
            return None
        return self.counts[kind] / self.enrollment


def weeks_of(activity: Sequence[Row], enrollment: Mapping[date, int], last: date | None = None) -> list[Week]:
    """Every week from the first row to the one that ends on the Sunday `last`, or to the last row.

    `enrollment` maps days to numbers of learners; before its first day no learner was enrolled. Empty if
    there are no rows.
    """
    enrolled_from = min(enrollment, default=date.min)
    weeks = []
    for row in every_week(activity, last):
        ending = day(row["interval_end"]) - DAY
        enrolled = 0 if ending < enrolled_from else enrollment.get(ending)
        weeks.append(Week(ending, {kind: row[kind] for kind in ACTIVITIES}, enrolled))
    return weeks


def kinds_in_use(weeks: Sequence[Week]) -> list[str]:
    """Kinds of activity to show; discussions only if there were any."""
    forum = any(week.counts["posted_forum"] for week in weeks)
    return [kind for kind in ACTIVITIES if kind != "posted_forum" or forum]


def last_active(weeks: Sequence[Week]) -> Week | None:
    """The last week with an active learner."""
    return next((week for week in reversed(weeks) if week.active), None)
