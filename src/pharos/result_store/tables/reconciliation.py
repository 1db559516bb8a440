"""Disagreements between events and LMS about enrollments. Pharos only: the original has no such tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Integer, String

from pharos.result_store.column_types import Exact
from pharos.result_store.tables.base import Definition, column, course_id, result

_SOURCE = (
    "Enrollment events of the tracking logs; LMS table student_courseenrollment as it was imported last."
)
_EDGE_CASES = (
    "Without an imported LMS table there are no rows, and none if it is of a later time than the results.",
    (
        "Learners with an event later than the newest enrollment in the LMS table are left out: the table "
        "may be older than the event."
    ),
    "Enrollments made in the LMS after the last day of the results are left out.",
    (
        "A learner whose row in the LMS is not active and who has no event has never finished enrolling, and "
        "is no difference."
    ),
)


def _learners(name: str, meaning: str) -> Column[Any]:
    return column(name, Integer(), meaning, nullable=False)


enrollment_reconciliation = result(
    "enrollment_reconciliation",
    Definition(
        title="Enrollment: events against the LMS",
        version=4,
        meaning="How far the enrollments that events tell of agree with those in the LMS, by course run.",
        formula=(
            "For each learner the state after the last enrollment event is compared with the row of the LMS. "
            "events_count and lms_count = learners enrolled by each of the two; the other columns count the "
            "learners who differ, each under one reason."
        ),
        edge_cases=_EDGE_CASES,
        source=_SOURCE,
        spec="01 §9.2, 04 §9.3",
    ),
    course_id(),
    _learners("events_count", "Learners enrolled by the events."),
    _learners("lms_count", "Learners enrolled by the LMS."),
    _learners("only_in_lms", "Enrolled in the LMS, without any event: by a script, or the log is lost."),
    _learners("only_in_events", "Enrolled by the events, without a row in the LMS: deleted there."),
    _learners("active_in_lms", "Enrolled in the LMS, not by the events: an activation is missing."),
    _learners("active_in_events", "Enrolled by the events, not in the LMS: a deactivation is missing."),
    _learners("other_mode", "Enrolled by both, in different modes: a change of mode is missing."),
    key=("course_id",),
    indexes=(("course_id",),),
)

enrollment_difference = result(
    "enrollment_difference",
    Definition(
        title="Enrollment: learners who differ",
        version=4,
        meaning="The learners whose enrollment is one thing by the events and another in the LMS, and why.",
        formula="The learners counted in the last five columns of enrollment_reconciliation, one row each.",
        edge_cases=_EDGE_CASES,
        source=_SOURCE,
        spec="01 §9.2, 04 §9.3",
        persons="user_id",
    ),
    course_id(),
    column("user_id", BigInteger(), "Number of the learner in the LMS.", nullable=False),
    column("reason", String(20), "Name of the column of enrollment_reconciliation.", nullable=False),
    column("events_mode", Exact(100), "Mode by the events; empty: no event."),
    column("lms_mode", Exact(100), "Mode in the LMS; empty: no row."),
    column("last_event", DateTime(), "The learner's last enrollment event in the course, UTC."),
    column("lms_created", DateTime(), "When the LMS made the enrollment, UTC."),
    may_shrink=True,
    key=("course_id", "user_id"),
    indexes=(("course_id",),),
)
