"""How many learners each course run has, day by day. `spec 01 §5.2, 5.3, 5.6`

The original writes a row per learner, course and day. Here a learner has a row only for days with events
(change points), and days between them are filled in after counting: same numbers, cost by events.
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis

from pharos.facts.enrollment import ACTIVATED, DEACTIVATED
from pharos.metrics.metric import metric
from pharos.result_store import tables


@metric(tables.course_enrollment_mode_daily)
def course_enrollment_mode_daily(enrollment_event: ibis.Table, last_day: date) -> ibis.Table:
    """Learners by the mode they are in at the end of each day, from the first event of the mode on."""
    changes = _changes(_days_with_events(enrollment_event))
    so_far = ibis.cumulative_window(group_by=["course_id", "mode"], order_by="date")
    in_order = ibis.window(group_by=["course_id", "mode"], order_by="date")
    steps = changes.group_by("course_id", "mode", "date").agg(
        enrolled=changes.enrolled.sum(), learners=changes.learners.sum()
    )
    levels = steps.mutate(
        count=steps.enrolled.sum().over(so_far),
        cumulative_count=steps.learners.sum().over(so_far),
        next_date=ibis.coalesce(steps.date.lead().over(in_order), last_day + timedelta(days=1)),
    )
    return _every_day(levels.filter(levels.cumulative_count > 0)).select(
        "date", "course_id", "mode", "count", "cumulative_count"
    )


@metric(tables.course_enrollment_daily)
def course_enrollment_daily(course_enrollment_mode_daily: ibis.Table) -> ibis.Table:
    """Learners of each day. Every learner is in exactly one mode a day, so the modes add up."""
    modes = course_enrollment_mode_daily
    return modes.group_by("course_id", "date").agg(
        count=modes["count"].sum(), cumulative_count=modes.cumulative_count.sum()
    )


@metric(tables.course_meta_summary_enrollment)
def course_meta_summary_enrollment(course_enrollment_mode_daily: ibis.Table, last_day: date) -> ibis.Table:
    """Learners by mode on the last day, and the change of their number over seven days."""
    modes = course_enrollment_mode_daily.rename(enrollment_mode="mode")
    now = modes.filter(modes.date == ibis.literal(last_day))
    before = modes.filter(modes.date == ibis.literal(last_day - timedelta(days=7)))
    joined = now.left_join(before.select("course_id", "enrollment_mode", before=before["count"]),
                           ["course_id", "enrollment_mode"])  # fmt: skip
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
        passing_users=ibis.null("int64"),
    )


def _days_with_events(events: ibis.Table) -> ibis.Table:
    """Each learner's state at the end of each day with events: (course_id, user_id, date, enrolled, mode).

    enrolled is 1 after an activation, 0 after a deactivation, and what it was before after a mode change;
    before all of them it is 0. The mode is that of the latest event of any kind. Events of the same moment
    count in the order activated, deactivated, mode changed. `spec 01 §5.2`
    """
    in_order = ibis.window(group_by=["course_id", "user_id"], order_by=["time", "event_type", "mode"])
    numbered = events.mutate(number=ibis.row_number().over(in_order))
    # An event that sets the state is worth twice its number plus the state, so that the largest worth up to
    # an event tells the latest such event and, being odd or even, the state it set.
    worth = ibis.cases(
        (numbered.event_type == ACTIVATED, numbered.number * 2 + 1),
        (numbered.event_type == DEACTIVATED, numbered.number * 2),
    )
    so_far = ibis.cumulative_window(group_by=["course_id", "user_id"], order_by="number")
    states = numbered.mutate(worth=worth)
    states = states.mutate(
        enrolled=ibis.coalesce(states.worth.max().over(so_far), 0) % 2,
        next_date=states.date.lead().over(ibis.window(group_by=["course_id", "user_id"], order_by="number")),
    )
    is_last_of_day = states.next_date.isnull() | (states.next_date != states.date)
    return states.filter(is_last_of_day).select("course_id", "user_id", "date", "enrolled", "mode")


def _changes(days: ibis.Table) -> ibis.Table:
    """What a mode gains and loses: (course_id, mode, date, learners ±1, enrolled ±1 or 0).

    A learner enters the mode of a day with events on that day and leaves it on the next such day.
    """
    per_learner = ibis.window(group_by=["course_id", "user_id"], order_by="date")
    with_end = days.mutate(end=days.date.lead().over(per_learner))
    entered = with_end.select("course_id", "mode", "date", "enrolled", learners=ibis.literal(1))
    left = with_end.filter(with_end.end.notnull())
    left = left.select("course_id", "mode", date=left.end, enrolled=-left.enrolled, learners=ibis.literal(-1))
    return ibis.union(entered.cast({"enrolled": "int64", "learners": "int64"}),
                      left.cast({"enrolled": "int64", "learners": "int64"}))  # fmt: skip


def _every_day(levels: ibis.Table) -> ibis.Table:
    """A row for each day from `date` up to but excluding `next_date`."""
    days = levels.next_date.delta(levels.date, unit="day").cast("int64")
    spread = levels.mutate(offset=ibis.range(days).unnest())
    return spread.mutate(date=(spread.date + spread.offset.as_interval("D")).cast("date"))
