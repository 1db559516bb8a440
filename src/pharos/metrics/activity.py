"""How many learners are active in each course run, week by week. `spec 01 §6.2, 6.3`"""

from __future__ import annotations

from datetime import date

import ibis

from pharos.metrics.metric import metric
from pharos.result_store import tables


@metric(tables.course_activity)
def course_activity(activity_by_learner_day: ibis.Table, current_week: date) -> ibis.Table:
    """Distinct learners by course, complete ISO week and kind of activity.

    `current_week` is the Monday of the week that is not complete yet.
    """
    days = activity_by_learner_day
    return _learners_by_week(days.filter(days.date < ibis.literal(current_week)))


@metric(tables.course_activity_current_week)
def course_activity_current_week(
    activity_by_learner_day: ibis.Table, current_week: date, last_day: date
) -> ibis.Table:
    """Distinct learners by course and kind of activity in the week that is not complete yet."""
    days = activity_by_learner_day
    so_far = _learners_by_week(days.filter(days.date >= ibis.literal(current_week)))
    return so_far.mutate(date=ibis.literal(last_day))


def _learners_by_week(days: ibis.Table) -> ibis.Table:
    """(course_id, label, count, interval_start, interval_end)"""
    weeks = days.mutate(week=days.date.truncate("W").cast("date"))
    counts = weeks.group_by("course_id", "week", "label").agg(count=weeks.user_id.nunique())
    return counts.select(
        "course_id",
        "label",
        "count",
        interval_start=counts.week.cast("timestamp"),
        interval_end=(counts.week + ibis.interval(days=7)).cast("timestamp"),
    )
