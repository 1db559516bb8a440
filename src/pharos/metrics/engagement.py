"""Learners' activity with problems, videos and discussions: by day, and one week compared with the course.

W1 is the seven days that end with the last day of the run; W0 is the seven days before W1. `spec 03 §2`
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis

from pharos.engine.functions import storable
from pharos.facts.interaction import ATTEMPTED, COMPLETED, DISCUSSION, PROBLEM, VIDEO, VIEWED
from pharos.metrics.learner_names import with_names
from pharos.metrics.metric import metric
from pharos.result_store import tables
from pharos.result_store.tables.engagement import SEGMENTS

WEEK = timedelta(days=7)
LOW_PERCENT, HIGH_PERCENT = 15, 85
LOW, NORMAL, HIGH = "low", "normal", "high"
RATIO = "problem_attempts_per_completed"
ENGAGING = ("problems_attempted", "problems_completed", "videos_viewed", "discussion_contributions")
"""The metrics whose high range makes a learner highly engaged."""
METRICS = ("problem_attempts", RATIO, *ENGAGING)
UNENROLLED, INACTIVE, DISENGAGING, HIGHLY_ENGAGED, STRUGGLING = SEGMENTS

_LEARNER = ["course_id", "username"]
_WEEK = ["start_date", "end_date"]


@metric(tables.module_engagement, by="course_id")
def module_engagement(counted_interaction: ibis.Table, learner_name: ibis.Table) -> ibis.Table:
    """Events by learner, UTC day, entity and kind. `spec 03 §2.2, 2.3`"""
    return by_day(counted_interaction, learner_name)


def by_day(interactions: ibis.Table, learner_name: ibis.Table) -> ibis.Table:
    """(course_id, username, date, entity_type, entity_id, event, count)"""
    engaged = interactions.filter(interactions.entity_type != "", interactions.entity_id != "")
    rows = with_names(engaged, learner_name)
    rows = rows.mutate(entity_id=storable(rows.entity_id))
    return rows.group_by(*_LEARNER, "date", "entity_type", "entity_id", event=rows.action).agg(
        count=rows["count"].sum()
    )


@metric(tables.module_engagement_summary, by="course_id")
def module_engagement_summary(
    counted_interaction_of_two_weeks: ibis.Table, learner_name: ibis.Table, last_day: date
) -> ibis.Table:
    """Each learner's activity in W1; learners without activity have no row. `spec 03 §2.4`"""
    end = last_day + timedelta(days=1)
    interactions = counted_interaction_of_two_weeks
    week = interactions.filter(interactions.date >= ibis.literal(end - WEEK))
    rows = by_day(week, learner_name)
    is_attempt = (rows.entity_type == PROBLEM) & (rows.event == ATTEMPTED)
    is_completion = (rows.entity_type == PROBLEM) & (rows.event == COMPLETED)
    is_view = (rows.entity_type == VIDEO) & (rows.event == VIEWED)
    sums = rows.group_by(_LEARNER).agg(
        problem_attempts=ibis.coalesce(rows["count"].sum(where=is_attempt), 0),
        problems_attempted=rows.entity_id.nunique(where=is_attempt),
        problems_completed=rows.entity_id.nunique(where=is_completion),
        videos_viewed=rows.entity_id.nunique(where=is_view),
        discussion_contributions=ibis.coalesce(rows["count"].sum(where=rows.entity_type == DISCUSSION), 0),
        days_active=rows.date.nunique(),
    )
    ratio = sums.problem_attempts.cast("float64") / sums.problems_completed.nullif(0).cast("float64")
    return sums.mutate(**{RATIO: ratio}, start_date=ibis.literal(end - WEEK), end_date=ibis.literal(end))


@metric(tables.module_engagement_metric_ranges, by="course_id")
def module_engagement_metric_ranges(module_engagement_summary: ibis.Table, smallest_group: int) -> ibis.Table:
    """The ranges of each course run that has engagement in W1; null means infinity. `spec 03 §2.5`"""
    bounds = _bounds(_values(module_engagement_summary), smallest_group)
    zero, infinity = ibis.literal(0.0), ibis.null("float64")
    told = bounds.filter(bounds.has_values)
    is_wide = ~told.low.identical_to(told.high)
    return ibis.union(
        _range(bounds.filter(~bounds.has_values), NORMAL, zero, infinity),
        _range(told.filter(ibis.coalesce(told.low > 0, True)), LOW, zero, told.low),
        _range(told, NORMAL, told.low, ibis.ifelse(is_wide, told.high, infinity)),
        _range(told.filter(is_wide), HIGH, told.high, infinity),
    )


@metric(tables.module_engagement_user_segments, by="course_id")
def module_engagement_user_segments(
    module_engagement_summary: ibis.Table, module_engagement_metric_ranges: ibis.Table
) -> ibis.Table:
    """Learners who are highly engaged or struggling in W1, with the metrics that say so. `spec 03 §2.6,
    4.2-20`
    """
    values = _values(module_engagement_summary)
    values = values.filter(values.takes_part, values.metric != "problem_attempts")
    ranges = module_engagement_metric_ranges
    high = ranges.filter(ranges.range_type == HIGH).select("course_id", "metric", "low_value")
    found = values.inner_join(high, ["course_id", "metric"])
    found = found.filter(found.value.isnull() | ibis.coalesce(found.value >= found.low_value, False))
    segments = found.mutate(segment=ibis.ifelse(found.metric == RATIO, STRUGGLING, HIGHLY_ENGAGED))
    reasons = ibis.literal("")
    for name in (RATIO, *ENGAGING):
        is_reason = (segments.metric == name).cast("int64").max() == 1
        reasons += ibis.ifelse(is_reason, f"{name},", "")
    return segments.group_by(*_LEARNER, *_WEEK, "segment").agg(reason=reasons.re_replace(",$", ""))


def _values(summary: ibis.Table) -> ibis.Table:
    """A row for each learner and metric: (course_id, username, …, metric, value, takes_part).

    A null value is infinity. Attempts per completed problem take part only for learners with an attempt.
    """
    return ibis.union(
        *(
            summary.select(
                *_LEARNER,
                *_WEEK,
                metric=ibis.literal(name),
                value=summary[name].cast("float64"),
                takes_part=ibis.literal(value=True) if name != RATIO else summary.problem_attempts > 0,
            )
            for name in METRICS
        )
    )


def _bounds(values: ibis.Table, smallest_group: int) -> ibis.Table:
    """The percentiles of each course run and metric: (course_id, …, metric, has_values, low, high).

    A percentile between two values is interpolated linearly; null is infinity. `spec 03 §2.5`
    """
    of_metric = ["course_id", *_WEEK, "metric"]
    group = ibis.window(group_by=of_metric)
    counted = values.mutate(
        takes_part=values.takes_part & (values.count().over(group) >= smallest_group)
    )  # fmt: skip
    in_order = ibis.window(
        group_by=of_metric, order_by=[~counted.takes_part, counted.value.isnull(), counted.value]
    )
    placed = counted.mutate(
        number=ibis.row_number().over(in_order),
        last=ibis.greatest(counted.takes_part.cast("int64").sum().over(group) - 1, 0),
    )
    taking_part = placed.takes_part.cast("int64").sum() > 0
    return placed.group_by(of_metric).agg(
        has_values=taking_part, low=_percentile(placed, LOW_PERCENT), high=_percentile(placed, HIGH_PERCENT)
    )


def _percentile(placed: ibis.Table, percent: int) -> ibis.FloatingValue:
    """M-PCT of the values that take part, which have the numbers 0 to `last`."""
    hundredths = placed["last"] * percent
    place = hundredths // 100
    at = placed.value.max(where=placed.number == place)
    following = placed.value.max(where=placed.number == ibis.least(place + 1, placed["last"]))
    share = (hundredths % 100).max()
    return ibis.ifelse(share == 0, at, at + share / 100.0 * (following - at))


def _range(
    bounds: ibis.Table, range_type: str, low: ibis.FloatingValue, high: ibis.FloatingValue
) -> ibis.Table:
    return bounds.select(
        "course_id", *_WEEK, "metric", range_type=ibis.literal(range_type), low_value=low, high_value=high
    )
