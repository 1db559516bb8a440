"""The status of each learner in a course run, and the number of learners by status."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Date, Integer

from pharos.result_store.column_types import Exact
from pharos.result_store.tables.base import Definition, column, course_id, result

STATUSES = ("never started", "active", "slowing down", "quiet", "passed", "left")
_STATUS = f"{', '.join(STATUSES[:-1])} or {STATUSES[-1]}."

_SOURCE = "Enrollment, events of the tracking logs (kind ACTIVE), the LMS table grades_persistentcoursegrade."
_SPEC = "90 §6.1, §9; 03 §2"


def _learner() -> Column[Any]:
    return column("user_id", BigInteger(), "Number of the learner in the LMS.", nullable=False)


def _first_and_last(*, nullable: bool) -> tuple[Column[Any], Column[Any]]:
    return (
        column("first_date", Date(), "First UTC day with activity.", nullable=nullable),
        column("last_date", Date(), "Last UTC day with activity.", nullable=nullable),
    )


learner_activity = result(
    "learner_activity",
    Definition(
        title="First and last activity",
        version=2,
        meaning="Between which days each learner was active in a course run, and when the last pause ended.",
        formula="A pause is engagement.slowing_days or more from one active day to the next.",
        edge_cases=(
            "Activity is as in weekly activity, but without looks at the course's public page.",
            "An event without a number is the learner's whose user name it has in the course run.",
        ),
        window="The whole history up to the last day.",
        source="All events of the tracking logs.",
        spec=_SPEC,
        persons="user_id",
    ),
    course_id(),
    _learner(),
    *_first_and_last(nullable=False),
    column("returned_date", Date(), "First active day after the latest pause, or of all.", nullable=False),
    key=("course_id", "user_id"),
    indexes=(),
    is_published=False,
)

learner_status = result(
    "learner_status",
    Definition(
        title="Status of learners",
        version=2,
        meaning="What each learner who ever enrolled is doing in a course run, and why that is said.",
        formula=(
            "The first rule that holds. left: not enrolled now. passed: has a passing grade. never started: "
            "no activity. quiet: last active engagement.quiet_days (14) or more days ago. slowing down: last "
            "active engagement.slowing_days (7) or more days ago; or active on 4 or more days of the week "
            "before, on at most half as many of the last seven days, and not in the last three. active: "
            "everybody else."
        ),
        edge_cases=(
            "Who was active on the last day is neither slowing down nor quiet, whatever the settings.",
            "Days ago are counted from the last day of the table, so rows do not change from day to day.",
            "Activity is as in weekly activity, but without looks at the course's public page.",
            "Who left and enrolled again is no longer left and keeps the first enrolled_date.",
            "Without the LMS's table of grades nobody has passed. Grades after the last day do not count.",
            "Who has events in the course run but was never enrolled has no row.",
            "since is null for who is slowing down by fewer days.",
            "engagement.courses sets both numbers of days for single course runs.",
        ),
        window="As it is on the last day.",
        source=_SOURCE,
        spec=_SPEC,
        persons="user_id",
    ),
    course_id(),
    _learner(),
    column("status", Exact(20), _STATUS, nullable=False),
    column(
        "rule",
        Exact(20),
        "Rule that holds: unenrolled, passing grade, no activity, pause, fewer days or recent activity.",
        nullable=False,
    ),
    column(
        "since",
        Date(),
        "UTC day from which it holds; active: the first active day after the latest pause.",
    ),
    column("enrolled_date", Date(), "UTC day of the first enrollment.", nullable=False),
    *_first_and_last(nullable=True),
    column("pause_days", Integer(), "Days without activity that the rule compares with; null: none."),
    column("days_week", Integer(), "Active days of the last seven days; rule fewer days only."),
    column("days_before", Integer(), "Active days of the seven days before; rule fewer days only."),
    key=("course_id", "user_id"),
    indexes=(("course_id", "status"),),
)

learner_status_count = result(
    "learner_status_count",
    Definition(
        title="Learners by status",
        version=2,
        meaning="How many learners who ever enrolled in a course run are active, slowing down and so on.",
        formula="Rows of the status of learners.",
        edge_cases=("A status that nobody has has no row.", "Each learner has one status."),
        window="As it is on the last day.",
        source="Status of learners.",
        spec=_SPEC,
    ),
    course_id(),
    column("status", Exact(20), _STATUS, nullable=False),
    column("count", Integer(), "Learners.", nullable=False),
    key=("course_id", "status"),
    indexes=(),
    groups_vary=True,
)
