"""Learners' activity in a course by day, by week and in all: the tables of the reports. `spec 03 §3`"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import ibis
from ibis import _

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
    from ibis.expr.types import IntegerValue

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
def student_engagement_daily(
    counted_activity_item: ibis.Table, learner_name: ibis.Table, student_reports: bool
) -> ibis.Table:
    """Each learner's activity on each UTC day with activity; empty unless `student_reports`."""
    rows = with_names(counted_activity_item, learner_name).filter(ibis.literal(student_reports))
    return _reduced(rows.mutate(end_date=rows.date), "end_date")


@metric(tables.student_engagement_weekly, by="course_id")
def student_engagement_weekly(
    counted_activity_item: ibis.Table, learner_name: ibis.Table, student_reports_until: date | None
) -> ibis.Table:
    """As `student_engagement_daily`, by weeks that end on the weekday of `student_reports_until`; empty if it
    is None.
    """
    is_wanted = student_reports_until is not None
    rows = with_names(counted_activity_item, learner_name).filter(ibis.literal(is_wanted))
    weekday = student_reports_until.weekday() if student_reports_until is not None else 0
    shift = ibis.interval(days=(weekday + 1) % 7)
    as_if_monday = (rows.date - shift).cast("date").truncate("W").cast("date")
    end = (as_if_monday + shift + ibis.interval(days=6)).cast("date")
    return _reduced(rows.mutate(end_date=end), "end_date")


@metric(tables.student_engagement_all, by="course_id")
def student_engagement_all(
    counted_activity_item: ibis.Table, learner_name: ibis.Table, student_reports: bool
) -> ibis.Table:
    """As `student_engagement_daily`, over all days; the last day is the stamp. Empty unless
    `student_reports`.
    """
    return _reduced(with_names(counted_activity_item, learner_name).filter(ibis.literal(student_reports)))


def _reduced(items: ibis.Table, *time: str) -> ibis.Table:
    """One row for each learner and time. `spec 03 §3.2`

    Counts are added up by entity first, then over entities: counting distinct entities in one step takes
    DuckDB four times the memory.
    """
    learner = [*_LEARNER, *time]
    moment = microseconds(items.last_time).cast("string").lpad(_TIME_DIGITS, "0")
    is_correct = items.kind == CORRECT
    rows = items.select(
        *learner,
        "entity_id",
        "count",
        kind=ibis.ifelse(is_correct, ATTEMPTED, items.kind),
        is_correct=is_correct.cast("int64"),
        path=ibis.ifelse(items.kind == SUBSECTION, moment + items.entity_id, ""),
    )
    entities = rows.group_by(*learner, "kind", "entity_id").agg(
        count=rows["count"].sum(), is_correct=rows.is_correct.max(), path=rows.path.max()
    )
    found = entities.group_by(learner).agg(
        problems_attempted=(entities.kind == ATTEMPTED).cast("int64").sum(),
        problem_attempts=_sum(entities, ATTEMPTED),
        problems_correct=entities.is_correct.sum(),
        videos_played=(entities.kind == PLAYED).cast("int64").sum(),
        # The path that was viewed last; of two at the same time the last by letters.
        last_subsection_viewed=entities.path.max().substr(_TIME_DIGITS),
        **{name: _sum(entities, kind) for name, kind in _EVENTS.items()},
    )
    days = items.select(*learner, day=items.date).distinct().group_by(learner).agg(days_active=_.count())
    return found.inner_join(days, learner).select(found, days.days_active)


def _sum(entities: ibis.Table, kind: str) -> IntegerValue:
    """The number of events of a kind; 0 if there are none."""
    return ibis.coalesce(entities["count"].sum(where=entities.kind == kind), 0)
