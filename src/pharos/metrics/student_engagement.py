"""What learners did in a course by day, by week and in all: the tables of the reports. `spec 03 §3`"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import ibis

from pharos.engine.functions import microseconds
from pharos.facts.activity_item import (
    ATTEMPTED,
    CORRECT,
    DOWN_GIVEN,
    DOWN_RECEIVED,
    PAGE,
    PLAYED,
    POSTS,
    SUBSECTION,
    UP_GIVEN,
    UP_RECEIVED,
)
from pharos.metrics.learner_names import with_names
from pharos.metrics.metric import metric
from pharos.result_store import tables

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, IntegerValue, StringValue

_LEARNER = ("course_id", "username")
_POST, _RESPONSE, _COMMENT = POSTS.values()
_EVENTS = {
    "forum_posts": _POST,
    "forum_responses": _RESPONSE,
    "forum_comments": _COMMENT,
    "forum_upvotes_given": UP_GIVEN,
    "forum_downvotes_given": DOWN_GIVEN,
    "forum_upvotes_received": UP_RECEIVED,
    "forum_downvotes_received": DOWN_RECEIVED,
    "textbook_pages_viewed": PAGE,
}
"""The columns that are sums -> the kind of items that they add up."""
_TIME_DIGITS = 20


@metric(tables.student_engagement_daily, by="course_id")
def student_engagement_daily(counted_activity_item: ibis.Table, learner_name: ibis.Table) -> ibis.Table:
    """What each learner did on each UTC day with activity."""
    rows = with_names(counted_activity_item, learner_name)
    return _reduced(rows.mutate(end_date=rows.date), "end_date")


@metric(tables.student_engagement_weekly, by="course_id")
def student_engagement_weekly(
    counted_activity_item: ibis.Table, learner_name: ibis.Table, last_day: date
) -> ibis.Table:
    """The same by weeks that end on the weekday of the last day."""
    rows = with_names(counted_activity_item, learner_name)
    shift = ibis.interval(days=(last_day.weekday() + 1) % 7)
    as_if_monday = (rows.date - shift).cast("date").truncate("W").cast("date")
    end = (as_if_monday + shift + ibis.interval(days=6)).cast("date")
    return _reduced(rows.mutate(end_date=end), "end_date")


@metric(tables.student_engagement_all, by="course_id")
def student_engagement_all(counted_activity_item: ibis.Table, learner_name: ibis.Table) -> ibis.Table:
    """The same over all days; the last day is the stamp."""
    return _reduced(with_names(counted_activity_item, learner_name))


def _reduced(items: ibis.Table, *time: str) -> ibis.Table:
    """One row for each learner and time. `spec 03 §3.2`"""
    is_problem = items.kind.isin([ATTEMPTED, CORRECT])
    return items.group_by(*_LEARNER, *time).agg(
        days_active=items.date.nunique(),
        problems_attempted=items.entity_id.nunique(where=is_problem),
        problem_attempts=_sum(items, is_problem),
        problems_correct=items.entity_id.nunique(where=items.kind == CORRECT),
        videos_played=items.entity_id.nunique(where=items.kind == PLAYED),
        last_subsection_viewed=_last_subsection(items),
        **{name: _sum(items, items.kind == kind) for name, kind in _EVENTS.items()},
    )


def _sum(items: ibis.Table, which: BooleanValue) -> IntegerValue:
    """The events of these items; 0 without any."""
    return ibis.coalesce(items["count"].sum(where=which), 0)


def _last_subsection(items: ibis.Table) -> StringValue:
    """The path that was viewed last; of two at the same time the last by letters; empty without any."""
    moment = microseconds(items.last_time).cast("string").lpad(_TIME_DIGITS, "0")
    last = (moment + items.entity_id).max(where=items.kind == SUBSECTION)
    return ibis.coalesce(last.substr(_TIME_DIGITS), "")
