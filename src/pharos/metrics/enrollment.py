"""How many learners each course run has, day by day and in which mode. `spec 01 §5.3, 5.5, 5.6`"""

from __future__ import annotations

from datetime import date, timedelta

import ibis

from pharos.metrics.enrollment_states import change_points, daily_counts
from pharos.metrics.metric import metric
from pharos.result_store import tables


@metric(tables.course_enrollment_mode_daily)
def course_enrollment_mode_daily(enrollment_event: ibis.Table, last_day: date) -> ibis.Table:
    """Learners by the mode they are in at the end of each day, from the first event of the mode on."""
    return daily_counts(change_points(enrollment_event), "mode", last_day)


@metric(tables.course_enrollment_daily)
def course_enrollment_daily(course_enrollment_mode_daily: ibis.Table) -> ibis.Table:
    """Learners of each day. Every learner is in exactly one mode a day, so the modes add up."""
    modes = course_enrollment_mode_daily
    return modes.group_by("course_id", "date").agg(
        count=modes["count"].sum(), cumulative_count=modes.cumulative_count.sum()
    )


@metric(tables.course_meta_summary_enrollment)
def course_meta_summary_enrollment(
    course_enrollment_mode_daily: ibis.Table,
    enrollment_event: ibis.Table,
    grades_persistentcoursegrade: ibis.Table,
    last_day: date,
) -> ibis.Table:
    """Learners by mode on the last day, the change of their number over seven days, and who passes."""
    modes = course_enrollment_mode_daily.rename(enrollment_mode="mode")
    now = modes.filter(modes.date == ibis.literal(last_day))
    week_ago = modes.filter(modes.date == ibis.literal(last_day - timedelta(days=7)))
    before = week_ago.select("course_id", "enrollment_mode", before=week_ago["count"])
    passing = passing_by_mode(enrollment_event, grades_persistentcoursegrade)
    key = ["course_id", "enrollment_mode"]
    joined = now.left_join(before, key).drop("course_id_right", "enrollment_mode_right")
    joined = joined.left_join(passing.rename(enrollment_mode="mode"), key)
    text, moment = ibis.null("string"), ibis.null("timestamp")
    return joined.select(
        "course_id",
        catalog_course_title=text,
        catalog_course=text,
        start_time=moment,
        end_time=moment,
        pacing_type=text,
        availability=text,
        enrollment_mode=joined.enrollment_mode,
        count=joined["count"],
        count_change_7_days=joined["count"] - ibis.coalesce(joined.before, 0),
        cumulative_count=joined.cumulative_count,
        passing_users=joined.passing_users,
    )


def passing_by_mode(enrollment_event: ibis.Table, grades: ibis.Table) -> ibis.Table:
    """Learners with a passing grade: (course_id, mode, passing_users), 0 for every other mode. `spec 01 §5.5`

    All unknown, null, as long as no grade at all is known: then none were imported.
    A grade passes when it has a time of passing and a letter that is not empty. Its mode is the learner's on
    the day the grade was changed last; grades older than the learner's first event count nowhere.
    """
    points = change_points(enrollment_event)
    # Several rows of one learner: the latest change, time of passing and letter are taken one by one.
    latest = grades.group_by("course_id", "user_id").agg(
        day=grades.modified.max().cast("date"),
        passed=grades.passed_timestamp.max(),
        letter=grades.letter_grade.max(),
    )
    passed = latest.filter(latest.passed.notnull(), latest.letter.notnull(), latest.letter != "")
    graded = points.inner_join(passed.select("course_id", "user_id", "day"), ["course_id", "user_id"])
    held = graded.filter(graded.date <= graded.day, graded.end.isnull() | (graded.end > graded.day))
    passing = held.group_by("course_id", "mode").agg(passing=held.count())
    modes = points.select("course_id", "mode").distinct()
    counted = modes.left_join(passing, ["course_id", "mode"]).cross_join(grades.agg(grades=grades.count()))
    return counted.select(
        "course_id",
        "mode",
        passing_users=ibis.ifelse(counted.grades > 0, ibis.coalesce(counted.passing, 0), ibis.null("int64")),
    )
