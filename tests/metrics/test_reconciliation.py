from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from tests.metrics.conftest import Compute, columns

C, D = "course-v1:U+C+R", "course-v1:U+D+R"
UNTIL = datetime(2024, 3, 10)
KINDS = {"+": "activated", "-": "deactivated", "~": "mode_changed"}


def event(course: str, user: int, day: int, kind: str, mode: str = "audit") -> dict[str, Any]:
    time = datetime(2024, 3, day, 12)
    return {
        "course_id": course, "user_id": user, "time": time, "date": time.date(), "mode": mode,
        "event_type": f"edx.course.enrollment.{KINDS[kind]}",
    }  # fmt: skip


def row(course: str, user: int, day: int, *, active: bool = True, mode: str = "audit") -> dict[str, Any]:
    created = datetime(2024, 3, day, 12)
    return {
        "id": user, "course_id": course, "user_id": user, "created": created, "is_active": active,
        "mode": mode,
    }  # fmt: skip


EVENTS = [
    event(C, 1, 1, "+"),  # as in the LMS
    event(C, 2, 1, "+"), event(C, 2, 2, "-"),  # active_in_lms
    event(C, 3, 1, "+"),  # active_in_events
    event(C, 4, 1, "+"),  # other_mode
    event(C, 5, 1, "+"),  # only_in_events
    event(C, 6, 1, "+"), event(C, 6, 2, "-"),  # not enrolled, not in the LMS
    event(C, 7, 1, "+"), event(C, 7, 3, "~", "verified"),  # as in the LMS
    event(C, 8, 9, "+"),  # after the newest enrollment
    event(C, 9, 1, "-"),  # not enrolled by either
]  # fmt: skip
LMS = [
    row(C, 1, 1),
    row(C, 2, 1),
    row(C, 3, 1, active=False),
    row(C, 4, 1, mode="verified"),
    row(C, 7, 1, mode="verified"),
    row(C, 9, 1, active=False, mode="honor"),
    row(C, 10, 4),  # only_in_lms
    row(C, 11, 4, active=False),  # never finished enrolling
    row(D, 1, 8),  # only_in_lms
    row(D, 2, 11),  # after the last day
]


def test_who_differs_and_why(compute: Compute) -> None:
    found = compute(
        "enrollment_difference", UNTIL, enrollment_event=EVENTS, student_courseenrollment=LMS[:-1]
    )
    wanted = ("course_id", "user_id", "reason", "events_mode", "lms_mode")
    assert columns(found, "enrollment_difference", *wanted) == [
        (C, 2, "active_in_lms", "audit", "audit"),
        (C, 3, "active_in_events", "audit", "audit"),
        (C, 4, "other_mode", "audit", "verified"),
        (C, 5, "only_in_events", "audit", None),
        (C, 10, "only_in_lms", None, "audit"),
        (D, 1, "only_in_lms", None, "audit"),
    ]
    [times] = columns(found[:1], "enrollment_difference", "last_event", "lms_created")
    assert times == (datetime(2024, 3, 2, 12), datetime(2024, 3, 1, 12))


def test_the_sums_of_each_course(compute: Compute) -> None:
    found = compute(
        "enrollment_reconciliation", UNTIL, enrollment_event=EVENTS, student_courseenrollment=LMS[:-1]
    )
    # by events: 1, 3, 4, 5, 7; by the LMS: 1, 2, 4, 7, 10
    assert found == [(C, 5, 5, 1, 1, 1, 1, 1), (D, 0, 1, 1, 0, 0, 0, 0)]
    for _, events, lms, only_lms, only_events, active_lms, active_events, _ in found:
        assert events - lms == only_events + active_events - only_lms - active_lms


def test_the_future_of_the_lms_is_not_compared(compute: Compute) -> None:
    found = compute("enrollment_difference", UNTIL, student_courseenrollment=LMS)
    assert (D, 2) not in columns(found, "enrollment_difference", "course_id", "user_id")


@pytest.mark.parametrize("events", [[], EVENTS])
def test_without_the_table_there_is_nothing_to_say(compute: Compute, events: list[dict[str, Any]]) -> None:
    assert compute("enrollment_reconciliation", UNTIL, enrollment_event=events) == []
    assert compute("enrollment_difference", UNTIL, enrollment_event=events) == []


@pytest.mark.parametrize(
    ("last_event", "reasons"),
    [(datetime(2024, 3, 4, 12), ["only_in_events"]), (datetime(2024, 3, 4, 12, 0, 0, 1), [])],
)
def test_an_event_is_compared_up_to_the_newest_enrollment_of_the_lms(
    compute: Compute, last_event: datetime, reasons: list[str]
) -> None:
    """The two are of the same moment, if the enrollment made the event."""
    late = {**event(C, 1, 4, "+"), "time": last_event}
    found = compute(
        "enrollment_difference", UNTIL, enrollment_event=[late], student_courseenrollment=[row(C, 10, 4)]
    )
    assert [
        r for user, r in columns(found, "enrollment_difference", "user_id", "reason") if user == 1
    ] == reasons


@pytest.mark.parametrize(
    ("created", "counts"),
    [(datetime(2024, 3, 9, 23, 59, 59, 999_999), 1), (datetime(2024, 3, 10), 0)],
)
def test_an_enrollment_of_the_lms_counts_up_to_midnight(
    compute: Compute, created: datetime, counts: int
) -> None:
    enrollments = [row(C, 9, 1, active=False), {**row(C, 10, 1), "created": created}]
    found = compute("enrollment_reconciliation", UNTIL, student_courseenrollment=enrollments)
    assert columns(found, "enrollment_reconciliation", "lms_count") == [(counts,)]
