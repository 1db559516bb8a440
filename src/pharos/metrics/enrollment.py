"""Number of learners in each course run, by day and mode. `spec 01 §5.3-5.6`"""

from __future__ import annotations

from datetime import date, timedelta

import ibis

from pharos.facts.enrollment import DEACTIVATED, TYPES
from pharos.metrics.courses import described
from pharos.metrics.enrollment_states import (
    change_points,
    daily_counts,
    effective_daily_counts,
    effective_events,
    on_day,
)
from pharos.metrics.metric import metric
from pharos.result_store import tables


@metric(tables.enrollment_event_use, by="date")
def enrollment_event_use(event_count_by_type: ibis.Table, enrollment_event: ibis.Table) -> ibis.Table:
    """Number of enrollment events of each day, and of the usable ones among them. `spec 01 §5.1`"""
    types = event_count_by_type.filter(event_count_by_type.event_type.isin(TYPES))
    written = types.group_by("date").agg(events=types["count"].sum())
    told = enrollment_event.group_by("date").agg(used=enrollment_event.events.sum())
    return written.left_join(told, "date").select("date", "events", used=ibis.coalesce(told.used, 0))


@metric(tables.enrollment_change_point, by="course_id")
def enrollment_change_point(filled_enrollment_event: ibis.Table) -> ibis.Table:
    """Each learner's state at the end of each day with events. `spec 01 §5.2`

    It is stored because eight tables are counted from it: computing it eight times took most of a run over
    five years of events.
    """
    return change_points(filled_enrollment_event)


@metric(tables.effective_enrollment_event, by="course_id")
def effective_enrollment_event(filled_enrollment_event: ibis.Table) -> ibis.Table:
    """The enrollment events that change something. `spec 01 §5.4`"""
    return effective_events(filled_enrollment_event)


@metric(tables.course_enrollment_mode_daily, by="course_id", spans=True)
def course_enrollment_mode_daily(enrollment_change_point: ibis.Table) -> ibis.Table:
    """Learners by mode at the end of each day, from the first event of the mode on."""
    return daily_counts(enrollment_change_point, "mode")


@metric(tables.course_enrollment_daily, by="course_id", spans=True)
def course_enrollment_daily(enrollment_change_point: ibis.Table) -> ibis.Table:
    """Learners at the end of each day, from the first event of the course run on."""
    return daily_counts(enrollment_change_point)


@metric(tables.course_enrollment_flow_daily, by="course_id")
def course_enrollment_flow_daily(enrollment_change_point: ibis.Table) -> ibis.Table:
    """Learners who joined and who left, by day; days on which nobody did have no row."""
    points = enrollment_change_point
    by_learner = ibis.window(group_by=["course_id", "user_id"], order_by="date")
    before = ibis.coalesce(points.enrolled.lag().over(by_learner), 0)
    changes = points.mutate(change=points.enrolled - before)
    flows = changes.group_by("course_id", "date").agg(
        joined=changes.count(where=changes.change == 1), left=changes.count(where=changes.change == -1)
    )
    return flows.filter((flows.joined > 0) | (flows.left > 0))


@metric(tables.course_enrollment_effective_mode_daily, by="course_id", spans=True)
def course_enrollment_effective_mode_daily(effective_enrollment_event: ibis.Table) -> ibis.Table:
    """Learners by the mode in which they are enrolled; events without effect do not change it."""
    return effective_daily_counts(effective_enrollment_event)


@metric(tables.course_enrollment_summary, by="course_id")
def course_enrollment_summary(effective_enrollment_event: ibis.Table) -> ibis.Table:
    """One row per learner who was ever enrolled: first and present enrollment, and changes. `spec 01 §5.4`"""
    events = effective_enrollment_event
    is_mode_set = events.event_type != DEACTIVATED
    return events.group_by("course_id", "user_id").agg(
        current_enrollment_mode=events["mode"].argmax(events.number),
        current_enrollment_is_active=events.enrolled.argmax(events.number) == 1,
        first_enrollment_mode=events["mode"].argmin(events.number),
        first_enrollment_time=events.time.min(),
        last_unenrollment_time=events.time.max(where=~is_mode_set),
        first_verified_enrollment_time=events.time.min(where=is_mode_set & (events["mode"] == "verified")),
        first_credit_enrollment_time=events.time.min(where=is_mode_set & (events["mode"] == "credit")),
    )


@metric(tables.course_grade_by_mode, by="course_id")
def course_grade_by_mode(
    enrollment_change_point: ibis.Table,
    grades_persistentcoursegrade: ibis.Table,
    grades_are_known: bool,
) -> ibis.Table:
    """Learners with a passing grade by mode, 0 for every other mode of the course. `spec 01 §5.5`

    All numbers are null unless `grades_are_known`, since no grades were imported then. A grade passes if it
    has a time of passing and a letter that is not empty. Its mode is the learner's on the day of the grade's
    last change; grades older than the learner's first event do not count.
    """
    points = enrollment_change_point
    held = _held(points, grades_persistentcoursegrade)
    passing = held.group_by("course_id", "mode").agg(passing=held.count())
    modes = points.select("course_id", "mode").distinct()
    counted = modes.left_join(passing, ["course_id", "mode"])
    known = ibis.coalesce(counted.passing, 0) if grades_are_known else ibis.null("int64")
    return counted.select("course_id", "mode", passing_users=known)


@metric(tables.course_passing_daily, by="course_id")
def course_passing_daily(
    enrollment_change_point: ibis.Table, grades_persistentcoursegrade: ibis.Table
) -> ibis.Table:
    """The learners of `course_grade_by_mode`, by the day on which they passed."""
    held = _held(enrollment_change_point, grades_persistentcoursegrade)
    return held.group_by("course_id", date=held.passed.cast("date")).agg(passed=held.count())


def _held(points: ibis.Table, grades: ibis.Table) -> ibis.Table:
    """Learners with a passing grade and their state on the day it changed last: (course_id, user_id, mode,
    passed, …). A learner whose grade is older than the first event has none.
    """
    # Several rows of one learner: the latest change, time of passing and letter are taken one by one.
    latest = grades.group_by("course_id", "user_id").agg(
        day=grades.modified.max().cast("date"),
        passed=grades.passed_timestamp.max(),
        letter=grades.letter_grade.max(),
    )
    passed = latest.filter(latest.passed.notnull(), latest.letter.notnull(), latest.letter != "")
    graded = points.inner_join(
        passed.select("course_id", "user_id", "day", "passed"), ["course_id", "user_id"]
    )
    return graded.filter(graded.date <= graded.day, graded.end.isnull() | (graded.end > graded.day))


@metric(tables.course_meta_summary_enrollment, by="course_id")
def course_meta_summary_enrollment(
    course_enrollment_mode_daily: ibis.Table,
    course_grade_by_mode: ibis.Table,
    course_catalog: ibis.Table,
    course_list: ibis.Table,
    last_day: date,
) -> ibis.Table:
    """Learners by mode on the last day, change over seven days, passing learners, and course title."""
    modes = course_enrollment_mode_daily
    now = on_day(modes, last_day)
    week_ago = on_day(modes, last_day - timedelta(days=7))
    before = week_ago.select("course_id", "mode", before=week_ago["count"])
    key = ["course_id", "mode"]
    joined = now.left_join(before, key).drop("course_id_right", "mode_right")
    joined = joined.left_join(course_grade_by_mode, key).drop("course_id_right", "mode_right")
    joined = joined.left_join(described(course_catalog, course_list, last_day), "course_id")
    return joined.select(
        "course_id",
        "catalog_course_title",
        "catalog_course",
        "start_time",
        "end_time",
        "pacing_type",
        "availability",
        "cumulative_count",
        "passing_users",
        enrollment_mode=joined["mode"],
        count=joined["count"],
        count_change_7_days=joined["count"] - ibis.coalesce(joined.before, 0),
    )
