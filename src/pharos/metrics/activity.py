"""Number of learners active in each course run, by week. `spec 01 §6.2, 6.3`"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import ibis

from pharos.facts.interaction import ACTIVE, ATTEMPTED, CONTRIBUTED, DISCUSSION, PROBLEM, VIDEO, VIEWED
from pharos.metrics.metric import metric
from pharos.result_store import tables

if TYPE_CHECKING:
    from ibis.expr.types import StringValue


KINDS = {
    "ACTIVE": ("", ACTIVE, None),
    "ATTEMPTED_PROBLEM": (PROBLEM, ATTEMPTED, ("server",)),
    "PLAYED_VIDEO": (VIDEO, VIEWED, ("browser", "mobile")),
    "POSTED_FORUM": (DISCUSSION, CONTRIBUTED, ("server",)),
}
"""What each label counts: the entity type and action of interactions, and their event sources (None: any)."""


@metric(tables.course_activity, by="week")
def course_activity(counted_interaction_of_complete_weeks: ibis.Table) -> ibis.Table:
    """Distinct learners by course, complete ISO week and kind of activity."""
    return _learners_by_week(counted_interaction_of_complete_weeks)


@metric(tables.course_activity_current_week, by="week")
def course_activity_current_week(
    counted_interaction_of_this_week: ibis.Table, first_weekday: int
) -> ibis.Table:
    """Distinct learners by course and kind of activity in the site's current, incomplete week."""
    return _learners_by_week(counted_interaction_of_this_week, first_weekday)


@metric(tables.course_activity_site_week, by="course_id")
def course_activity_site_week(counted_interaction: ibis.Table, site_week: date | None) -> ibis.Table:
    """Distinct learners by course, complete week of the site and kind of activity.

    Empty if the site uses ISO weeks (`site_week` is None).
    """
    if site_week is None:
        return _learners_by_week(counted_interaction.filter(ibis.literal(value=False)))
    complete = counted_interaction.filter(counted_interaction.date < ibis.literal(site_week))
    return _learners_by_week(complete, first_weekday=site_week.weekday())


def _learners_by_week(interactions: ibis.Table, first_weekday: int = 0) -> ibis.Table:
    """Learners by week and label. `first_weekday`: the day on which weeks begin, 0 is Monday.

    Columns: course_id, label, count, interval_start, interval_end.
    """
    shift = ibis.interval(days=first_weekday)
    as_if_monday = (interactions.date - shift).cast("date").truncate("W").cast("date")
    weeks = interactions.filter(interactions.user_id.notnull()).mutate(
        week=(as_if_monday + shift).cast("date"), label=_label(interactions)
    )
    weeks = weeks.filter(weeks.label.notnull())
    counts = weeks.group_by("course_id", "week", "label").agg(count=weeks.user_id.nunique())
    return counts.select(
        "course_id",
        "label",
        "count",
        interval_start=counts.week.cast("timestamp"),
        interval_end=(counts.week + ibis.interval(days=7)).cast("timestamp"),
    )


def _label(interactions: ibis.Table) -> StringValue:
    """The kind of activity of an interaction; null if it counts as none."""
    return ibis.cases(
        *(
            (
                (interactions.entity_type == entity_type)
                & (interactions.action == action)
                & (ibis.literal(value=True) if sources is None else interactions.event_source.isin(sources)),
                label,
            )
            for label, (entity_type, action, sources) in KINDS.items()
        )
    )
