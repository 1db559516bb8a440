"""What learners' enrollment events amount to, day by day; the ground all enrollment metrics stand on.

The original writes a row per learner, course and day. Here a learner has a row only for days with events
(change points), and the days between them are filled in after counting: same numbers, cost by events.
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis

from pharos.facts.enrollment import ACTIVATED, DEACTIVATED


def change_points(events: ibis.Table) -> ibis.Table:
    """Each learner's state at the end of each day with events.

    Columns: course_id, user_id, date, enrolled, mode, end. enrolled is 1 after an activation, 0 after a
    deactivation, and what it was before after a mode change; before all of them it is 0. The mode is that of
    the latest event of any kind. Events of the same moment count in the order activated, deactivated, mode
    changed. The state lasts until `end`, the learner's next day with events, null if there is none.
    `spec 01 §5.2`
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
        end=states.date.lead().over(ibis.window(group_by=["course_id", "user_id"], order_by="number")),
    )
    is_last_of_day = states.end.isnull() | (states.end != states.date)
    return states.filter(is_last_of_day).select("course_id", "user_id", "date", "enrolled", "mode", "end")


def daily_counts(points: ibis.Table, group: str, last_day: date) -> ibis.Table:
    """Learners of each group at the end of each day: (course_id, date, `group`, count, cumulative_count).

    `points` are change points with the column `group`, null being a group of its own. A learner enters the
    group of a change point on its date and leaves it on its end. Days on which nobody is in a group have no
    row.
    """
    steps = _steps(points, group)
    so_far = ibis.cumulative_window(group_by=["course_id", group], order_by="date")
    in_order = ibis.window(group_by=["course_id", group], order_by="date")
    levels = steps.mutate(
        count=steps.enrolled.sum().over(so_far),
        cumulative_count=steps.learners.sum().over(so_far),
        next_date=ibis.coalesce(steps.date.lead().over(in_order), last_day + timedelta(days=1)),
    )
    return _every_day(levels.filter(levels.cumulative_count > 0)).select(
        "course_id", "date", group, "count", "cumulative_count"
    )


def last_counts(points: ibis.Table, group: str, last_day: date) -> ibis.Table:
    """`daily_counts` of the last day alone."""
    current = points.filter(points.end.isnull())
    return current.group_by("course_id", group).agg(
        date=ibis.literal(last_day), count=current.enrolled.sum(), cumulative_count=current.count()
    )


def _steps(points: ibis.Table, group: str) -> ibis.Table:
    """What groups gain and lose on each day with a change: (course_id, `group`, date, enrolled, learners)."""
    entered = points.select(
        "course_id", group, "date", enrolled=points.enrolled.cast("int64"), learners=ibis.literal(1, "int64")
    )
    ended = points.filter(points.end.notnull())
    left = ended.select(
        "course_id", group, date=ended.end, enrolled=-ended.enrolled.cast("int64"),
        learners=ibis.literal(-1, "int64"),
    )  # fmt: skip
    both = ibis.union(entered, left)
    return both.group_by("course_id", group, "date").agg(
        enrolled=both.enrolled.sum(), learners=both.learners.sum()
    )


def _every_day(levels: ibis.Table) -> ibis.Table:
    """A row for each day from `date` up to but excluding `next_date`."""
    days = levels.next_date.delta(levels.date, unit="day").cast("int64")
    spread = levels.mutate(offset=ibis.range(days).unnest())
    return spread.mutate(date=(spread.date + spread.offset.as_interval("D")).cast("date"))
