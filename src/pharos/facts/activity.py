"""Who did what kind of thing in which course."""

from __future__ import annotations

import ibis
import pyarrow as pa
from ibis.expr.types import BooleanValue

from pharos.facts.course import course_run
from pharos.facts.fact import fact

ACTIVE = "ACTIVE"
ATTEMPTED_PROBLEM = "ATTEMPTED_PROBLEM"
PLAYED_VIDEO = "PLAYED_VIDEO"
POSTED_FORUM = "POSTED_FORUM"


@fact(
    pa.schema(
        [
            ("course_id", pa.string()),
            ("user_id", pa.int64()),
            ("label", pa.string()),
            ("count", pa.int64()),
        ]
    )
)
def activity_by_learner_day(events: ibis.Table) -> ibis.Table:
    """Events per learner, course and kind of activity. `spec 01 §6.1`

    Counted are events with a person and a course (R-USERID, R-COURSE-URL), but neither enrollment events nor
    those of background tasks; all of them are ACTIVE, some also of one further kind.
    """
    type_, source = events.event_type, events.event_source
    counted = events.filter(
        events.user_id.notnull(),
        events.page_course_id.notnull(),
        type_.notnull(),
        ~type_.startswith("edx.course.enrollment."),
        ibis.coalesce(source, "") != "task",
    )
    counted = counted.mutate(course_id=course_run(counted.page_course_id))
    kinds = [counted.mutate(label=ibis.literal(ACTIVE))] + [
        counted.filter(is_kind).mutate(label=ibis.literal(label))
        for label, is_kind in _kinds(counted).items()
    ]
    return (
        ibis.union(*(kind.select("date", "course_id", "user_id", "label") for kind in kinds))
        .group_by("date", "course_id", "user_id", "label")
        .agg(count=lambda rows: rows.count())
    )


def _kinds(events: ibis.Table) -> dict[str, BooleanValue]:
    """Which events are of which further kind."""
    type_, source = events.event_type, events.event_source
    is_server = source == "server"
    return {
        ATTEMPTED_PROBLEM: is_server & (type_ == "problem_check"),
        POSTED_FORUM: is_server & type_.startswith("edx.forum.") & type_.endswith(".created"),
        PLAYED_VIDEO: source.isin(["browser", "mobile"]) & (type_ == "play_video"),
    }
