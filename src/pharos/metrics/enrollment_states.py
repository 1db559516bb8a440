"""Learners' enrollment state by day, from enrollment events; the basis of all enrollment metrics.

The original writes one row per learner, course and day. Here a learner has a row only for days with events
(change points), and the days between are filled in after counting: the numbers are the same, and the cost
grows with events, not with days.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import ibis

from pharos.facts.enrollment import ACTIVATED, DEACTIVATED

if TYPE_CHECKING:
    from ibis.expr.types import IntegerValue


def change_points(events: ibis.Table) -> ibis.Table:
    """Each learner's state at the end of each day with events.

    Columns: course_id, user_id, date, enrolled, mode, end. enrolled is 1 after an activation and 0 after a
    deactivation; a mode change keeps the earlier value; before the first event it is 0. The mode is that of
    the latest event of any kind. The state lasts until `end`, the learner's next day with events; null if
    there is none. `spec 01 §5.2`
    """
    return _at_the_end_of_days(_states(events))


def effective_events(events: ibis.Table) -> ibis.Table:
    """The events that change something: activations of unenrolled learners, other events of enrolled ones.

    Columns: course_id, user_id, date, time, event_type, number (grows with time), enrolled, mode. A
    deactivation has the mode of the enrollment it ends, not the mode in its payload. `spec 01 §5.4`
    """
    states = _states(events)
    effective = states.filter((states.event_type == ACTIVATED) == (states.before == 0))
    ended = effective["mode"].lag().over(_by_learner("number"))
    return effective.mutate(
        mode=ibis.ifelse(effective.event_type == DEACTIVATED, ended, effective["mode"])
    ).drop("before", "next_date")


def _states(events: ibis.Table) -> ibis.Table:
    """The events with the learner's state before and after each.

    Added columns: number (order in time), enrolled and before (1 or 0 after and before the event), next_date
    (the day of the learner's next event). Events of the same moment are ordered activated, deactivated, mode
    changed, then by mode.
    """
    timed = events.mutate(
        activation=ibis.ifelse(events.event_type == ACTIVATED, events.time, None),
        deactivation=ibis.ifelse(events.event_type == DEACTIVATED, events.time, None),
    )
    # One order for all columns: the engine sorts the events once, which is most of the work.
    order = ("time", "event_type", "mode")
    return timed.mutate(
        number=ibis.row_number().over(_by_learner(*order)),
        enrolled=_is_enrolled(timed, _by_learner(*order, rows=(None, 0))),
        before=_is_enrolled(timed, _by_learner(*order, rows=(None, -1))),
        next_date=timed.date.lead().over(_by_learner(*order)),
    ).drop("activation", "deactivation")


def _is_enrolled(events: ibis.Table, so_far: ibis.expr.builders.WindowBuilder) -> IntegerValue:
    """1 if the latest activation came after the latest deactivation, else 0.

    If both have the same time, the activation counts as the earlier one, so the learner has left.
    """
    joined, left = events.activation.max().over(so_far), events.deactivation.max().over(so_far)
    return ibis.coalesce(joined.notnull() & (left.isnull() | (joined > left)), False).cast("int64")


def _at_the_end_of_days(states: ibis.Table) -> ibis.Table:
    """The last state of each day: (course_id, user_id, date, enrolled, mode, end)."""
    last = states.filter(states.next_date.isnull() | (states.next_date != states.date))
    return last.select("course_id", "user_id", "date", "enrolled", "mode", end="next_date")


def _by_learner(*order: str, rows: tuple[int | None, int] | None = None) -> ibis.expr.builders.WindowBuilder:
    return ibis.window(group_by=["course_id", "user_id"], order_by=list(order), rows=rows)


def daily_counts(points: ibis.Table, *group: str) -> ibis.Table:
    """Learners at the end of each day, by course run and the columns of `group`, as spans.

    Columns: course_id, date, `group`, count, cumulative_count, end; the counts hold from `date` up to but
    excluding `end`, which is null while they still hold. `points` are change points with the columns of
    `group`; null is a separate group. A learner enters the group of a change point on its date and leaves it
    on its end. Days on which a group is empty have no span.
    """
    return _spans(_steps(points, *group), *group)


def effective_daily_counts(events: ibis.Table) -> ibis.Table:
    """Learners in each mode at the end of each day, as spans.

    Columns: course_id, date, mode, count, cumulative_count, end. `events` are effective events.
    cumulative_count is the number of learners ever enrolled in the mode, so the spans of a mode have no gap
    from its first learner on.
    """
    points = _at_the_end_of_days(events.mutate(next_date=events.date.lead().over(_by_learner("number"))))
    enrolled = points.filter(points.enrolled == 1)
    entered = events.filter(events.event_type != DEACTIVATED)
    first = entered.group_by("course_id", "user_id", "mode").agg(date=entered.date.min())
    ever = first.select(
        "course_id", "mode", "date", enrolled=ibis.literal(0, "int64"), learners=ibis.literal(1, "int64")
    )
    now = _steps(enrolled, "mode").mutate(learners=ibis.literal(0, "int64"))
    return _spans(_summed(now.union(ever), "mode"), "mode")


def last_counts(points: ibis.Table, group: str) -> ibis.Table:
    """Learners of each group after the last change point: (course_id, `group`, count, cumulative_count)."""
    current = points.filter(points.end.isnull())
    return current.group_by("course_id", group).agg(
        count=current.enrolled.sum(), cumulative_count=current.count()
    )


def on_day(spans: ibis.Table, day: date) -> ibis.Table:
    """The spans that hold on a day."""
    is_over = ibis.coalesce(spans.end <= ibis.literal(day), ibis.literal(value=False))
    return spans.filter(spans.date <= ibis.literal(day), ~is_over)


def _steps(points: ibis.Table, *group: str) -> ibis.Table:
    """Gains and losses of groups by day of change: (course_id, `group`, date, enrolled, learners)."""
    entered = points.select(
        "course_id", *group, "date", enrolled=points.enrolled.cast("int64"), learners=ibis.literal(1, "int64")
    )
    ended = points.filter(points.end.notnull())
    left = ended.select(
        "course_id", *group, date=ended.end, enrolled=-ended.enrolled.cast("int64"),
        learners=ibis.literal(-1, "int64"),
    )  # fmt: skip
    return _summed(ibis.union(entered, left), *group)


def _summed(steps: ibis.Table, *group: str) -> ibis.Table:
    """The steps, one per day and group."""
    return steps.group_by("course_id", *group, "date").agg(
        enrolled=steps.enrolled.sum(), learners=steps.learners.sum()
    )


def _spans(steps: ibis.Table, *group: str) -> ibis.Table:
    """Cumulated steps, each until the next one: (course_id, date, `group`, count, cumulative_count, end).

    A step that changes neither count begins no span, so that equal states have equal spans.
    """
    keys = ["course_id", *group]
    changing = steps.filter((steps.enrolled != 0) | (steps.learners != 0))
    so_far = ibis.cumulative_window(group_by=keys, order_by="date")
    in_order = ibis.window(group_by=keys, order_by="date")
    levels = changing.mutate(
        count=changing.enrolled.sum().over(so_far),
        cumulative_count=changing.learners.sum().over(so_far),
        end=changing.date.lead().over(in_order),
    )
    return levels.filter(levels.cumulative_count > 0).select(
        "course_id", "date", *group, "count", "cumulative_count", "end"
    )
