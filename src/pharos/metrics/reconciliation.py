"""Disagreements between enrollments in events and enrollments in the LMS. `spec 01 §9.2, 04 §9.3`"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import ibis

from pharos.metrics.enrollment_states import change_points
from pharos.metrics.metric import metric
from pharos.result_store import tables

REASONS = ("only_in_lms", "only_in_events", "active_in_lms", "active_in_events", "other_mode")


@metric(tables.enrollment_difference, by="course_id")
def enrollment_difference(
    counted_enrollment_event: ibis.Table,
    counted_student_courseenrollment: ibis.Table,
    newest_enrollment: datetime | None,
    enrollments_are_of_then: bool,
    last_day: date,
) -> ibis.Table:
    """The learners whose enrollment differs, with the reason."""
    pairs = compared(
        counted_enrollment_event,
        counted_student_courseenrollment,
        newest_enrollment=newest_enrollment,
        enrollments_are_of_then=enrollments_are_of_then,
        last_day=last_day,
    )
    return pairs.filter(pairs.reason.notnull()).select(
        "course_id", "user_id", "reason", "events_mode", "lms_mode", "last_event", "lms_created"
    )


@metric(tables.enrollment_reconciliation, by="course_id")
def enrollment_reconciliation(
    counted_enrollment_event: ibis.Table,
    counted_student_courseenrollment: ibis.Table,
    newest_enrollment: datetime | None,
    enrollments_are_of_then: bool,
    last_day: date,
) -> ibis.Table:
    """Learners enrolled by events and by LMS, and the number of differences by reason."""
    pairs = compared(
        counted_enrollment_event,
        counted_student_courseenrollment,
        newest_enrollment=newest_enrollment,
        enrollments_are_of_then=enrollments_are_of_then,
        last_day=last_day,
    )
    return pairs.group_by("course_id").agg(
        events_count=ibis.coalesce(pairs.in_events.cast("int64").sum(), 0),
        lms_count=ibis.coalesce(pairs.in_lms.cast("int64").sum(), 0),
        # Of no rows the count is 0 on one engine and null on another.
        **{reason: ibis.coalesce(pairs.count(where=pairs.reason == reason), 0) for reason in REASONS},
    )


def compared(
    events: ibis.Table,
    enrollments: ibis.Table,
    *,
    newest_enrollment: datetime | None,
    enrollments_are_of_then: bool,
    last_day: date,
) -> ibis.Table:
    """Each learner and course known from events or LMS, with both states and the reason of a difference.

    Columns: course_id, user_id, in_events, in_lms (enrolled; null: unknown there), events_mode, lms_mode,
    last_event, lms_created, reason (null: no difference). Empty unless `enrollments_are_of_then`: past events
    are not compared with the present LMS. Learners with an event after `newest_enrollment`, the newest row of
    the whole table, are left out: the table may be older than the event.
    """
    by_events = _by_events(events)
    end = last_day + timedelta(days=1)
    by_lms = enrollments.filter(
        enrollments.created.isnull() | (enrollments.created.cast("date") < ibis.literal(end))
    )
    by_lms = by_lms.group_by("course_id", "user_id").agg(
        in_lms=by_lms.is_active.max(), lms_mode=by_lms["mode"].max(), lms_created=by_lms.created.min()
    )
    pairs = by_events.outer_join(by_lms, ["course_id", "user_id"])
    pairs = pairs.select(
        "in_events",
        "events_mode",
        "last_event",
        "in_lms",
        "lms_mode",
        "lms_created",
        course_id=ibis.coalesce(pairs.course_id, pairs.course_id_right),
        user_id=ibis.coalesce(pairs.user_id, pairs.user_id_right),
    )
    is_older = (
        ibis.literal(value=True)
        if newest_enrollment is None
        else pairs.last_event.isnull() | (pairs.last_event <= ibis.literal(newest_enrollment))
    )
    pairs = pairs.filter(is_older, ibis.literal(enrollments_are_of_then))
    return pairs.mutate(reason=_reason(pairs))


def _by_events(events: ibis.Table) -> ibis.Table:
    """Each learner's state after the last event."""
    points = change_points(events)
    last = points.filter(points.end.isnull())
    times = events.group_by("course_id", "user_id").agg(last_event=events.time.max())
    return last.inner_join(times, ["course_id", "user_id"]).select(
        "course_id", "user_id", "last_event", in_events=last.enrolled == 1, events_mode=last["mode"]
    )


def _reason(pairs: ibis.Table) -> ibis.StringValue:
    by_events, by_lms = pairs.in_events, pairs.in_lms
    return ibis.cases(
        (by_events.isnull() & by_lms, "only_in_lms"),
        (by_events & by_lms.isnull(), "only_in_events"),
        (~by_events & by_lms, "active_in_lms"),
        (by_events & ~by_lms, "active_in_events"),
        (by_events & by_lms & (pairs.events_mode != pairs.lms_mode), "other_mode"),
    )
