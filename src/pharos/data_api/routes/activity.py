"""Active learners per ISO week, by kind of activity (spec 05 §5.1-5.2)."""

from functools import cache
from typing import Annotated, Any, NotRequired, cast

import sqlalchemy as sa
from fastapi import Query
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import CourseID
from pharos.data_api.lists import Listed
from pharos.data_api.parameters import Between, Range
from pharos.data_api.reading import OfEdition, Reading
from pharos.data_api.routes.enrollment import Course, Created
from pharos.data_api.routing import Subject
from pharos.data_api.times import zulu
from pharos.result_store import tables
from pharos.result_store.column_types import equal

subject = Subject("Activity")
table = tables.course_activity

KEYS = {"active": "any", "attempted_problem": "attempted_problem", "played_video": "played_video"}
KEYS |= {"posted_forum": "posted_forum"}

WeekStart = Annotated[
    str, Field(description="00:00 UTC of the week's first day.", examples=["2031-02-17T000000"])
]
WeekEnd = Annotated[str, Field(description="Seven days later, not included.", examples=["2031-02-24T000000"])]
Learners = Annotated[int, Field(description="Distinct learners; the key is absent if there were none.")]


class ActivityWeek(TypedDict):
    interval_start: WeekStart
    interval_end: WeekEnd
    course_id: Course
    any: NotRequired[Learners]
    attempted_problem: NotRequired[Learners]
    played_video: NotRequired[Learners]
    posted_forum: NotRequired[Learners]
    created: Created


class CurrentWeek(TypedDict):
    interval_start: WeekStart
    interval_end: WeekEnd
    date: Annotated[str, Field(description="Last UTC day that is counted.", examples=["2031-03-05"])]
    course_id: Course
    any: NotRequired[Learners]
    attempted_problem: NotRequired[Learners]
    played_video: NotRequired[Learners]
    posted_forum: NotRequired[Learners]
    created: Created


class RecentActivity(TypedDict):
    interval_start: Annotated[str, Field(description="Monday, UTC.", examples=["2031-02-24T00:00:00Z"])]
    interval_end: Annotated[str, Field(description="The Monday after.", examples=["2031-03-03T00:00:00Z"])]
    activity_type: Annotated[str, Field(description="Kind of activity.", examples=["any"])]
    count: Annotated[int, Field(description="Distinct learners.")]
    course_id: Course


@subject.get(
    "courses/{course_id:course}/activity/",
    reads=[tables.course_activity],
    file_name="engagement-activity",
    one_statement=True,
)
def activity(
    course_id: CourseID,
    weeks: Range,
    store: Reading,
    activity_type: Annotated[str | None, Query(description="Accepted for old clients; no effect.")] = None,  # noqa: ARG001
) -> list[ActivityWeek]:
    """Learners active in each complete week of the range, from Monday on, by kind of activity; oldest first.

    A week is in the range if it starts at or after start_date and ends before end_date: one that ends exactly
    at end_date is out. Without a range: the newest week.
    """
    return _in_weeks(table, course_id, weeks, store)


@subject.get(
    "courses/{course_id:course}/activity/site_weeks/",
    reads=[tables.course_activity_site_week],
    file_name="engagement-activity-site-weeks",
    versions=("v1",),
    one_statement=True,
)
def activity_of_site_weeks(course_id: CourseID, weeks: Range, store: Reading) -> list[ActivityWeek]:
    """The same in weeks that begin on the site's own first day (setting counting.week_start).

    No rows where that is Monday.
    """
    return _in_weeks(tables.course_activity_site_week, course_id, weeks, store)


def _in_weeks(table: sa.Table, course_id: str, weeks: Between, store: Reading) -> list[ActivityWeek]:
    listed = _weeks(table, has_start=weeks.start is not None, has_end=weeks.end is not None)
    found: dict[tuple[str, str], Any] = {}
    for start, end, label, count, created in listed.rows(
        store, are_many=weeks.is_long, course_id=course_id, start=weeks.start, end=weeks.end
    ):
        item = found.get((start, end))
        if item is None:
            week = {"interval_start": start, "interval_end": end}
            item = found[start, end] = week | {"course_id": course_id, "created": ""}
        item["created"] = max(item["created"], created)
        if key := KEYS.get(label.lower()):
            item[key] = count
    return list(found.values())


@cache
def _weeks(table: sa.Table, *, has_start: bool, has_end: bool) -> Listed:
    here = equal(table.c.course_id, sa.bindparam("course_id"))
    inside = [table.c.interval_start >= sa.bindparam("start")] * has_start
    inside += [table.c.interval_end < sa.bindparam("end")] * has_end
    if not inside:
        newest = sa.select(sa.func.max(table.c.interval_end)).where(here).scalar_subquery()
        inside = [table.c.interval_end == newest]
    order = [table.c[name] for name in ("interval_start", "interval_end", "label")]
    shown = [*order, table.c["count"], table.c.created]
    return Listed(shown, here, *inside, order=[*order, table.c.id])


NEWEST = OfEdition(
    sa.select(*(table.c[name] for name in ("interval_start", "interval_end", "label", "count")))
    .where(equal(table.c.course_id, sa.bindparam("course_id")), table.c.label == sa.bindparam("label"))
    .order_by(table.c.interval_end.desc(), table.c.interval_start.desc(), table.c.id.desc())
    .limit(sa.literal_column("1"))
)


@subject.get(
    "courses/{course_id:course}/recent_activity/", reads=[tables.course_activity], one_statement=True
)
def recent_activity(
    course_id: CourseID,
    store: Reading,
    activity_type: Annotated[
        str, Query(description="any, attempted_problem, played_video, posted_forum.")
    ] = "any",
    label: Annotated[str, Query(description="Older name of activity_type; wins if both are given.")] = "",
) -> RecentActivity | None:
    """Learners with one kind of activity in the newest week that has any. Deprecated: use activity."""
    wanted = (label or activity_type).upper()
    found = store.rows(NEWEST, {"course_id": course_id, "label": {"ANY": "ACTIVE"}.get(wanted, wanted)})
    if not found:
        return None
    week = found[0]
    return {
        "interval_start": zulu(week["interval_start"]),
        "interval_end": zulu(week["interval_end"]),
        "activity_type": KEYS.get(week["label"].lower(), week["label"].lower()),
        "count": week["count"],
        "course_id": course_id,
    }


THIS_WEEK = tables.course_activity_current_week
_OF_WEEK = ("interval_start", "interval_end", "date", "label", "count", "created")


@subject.get(
    "courses/{course_id:course}/activity/current_week/",
    reads=[THIS_WEEK],
    file_name="engagement-activity-current-week",
    versions=("v1",),
    one_statement=True,
)
def activity_of_current_week(course_id: CourseID, store: Reading) -> list[CurrentWeek]:
    """Learners active in the week so far, by kind of activity: one item. Not comparable with whole weeks.

    The week begins on the site's own first day (setting counting.week_start).
    """
    week: dict[str, Any] = {}
    for start, end, day, label, count, created in _current().rows(store, are_many=False, course_id=course_id):
        week |= {"interval_start": start, "interval_end": end, "date": day, "course_id": course_id}
        week["created"] = max(week.get("created", ""), created)
        if key := KEYS.get(label.lower()):
            week[key] = count
    return [cast("CurrentWeek", week)] if week else []


@cache
def _current() -> Listed:
    here = THIS_WEEK.c.course_id == sa.bindparam("course_id")
    return Listed([THIS_WEEK.c[name] for name in _OF_WEEK], here, order=[THIS_WEEK.c.label, THIS_WEEK.c.id])
