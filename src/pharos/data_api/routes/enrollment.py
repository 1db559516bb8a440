"""Number of learners of a course: per day, by mode and by demographic (spec 05 §5.3-5.4)."""

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, NotRequired

import sqlalchemy as sa
from fastapi import Query
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import Caller, CourseID
from pharos.data_api.lists import Listed, Row
from pharos.data_api.parameters import Between, Range
from pharos.data_api.reading import Reading
from pharos.data_api.routing import Subject
from pharos.result_store import tables
from pharos.result_store.column_types import equal

subject = Subject("Enrollment")

Day = Annotated[str, Field(description="UTC day.", examples=["2031-03-01"])]
Created = Annotated[
    str, Field(description="When the row was published, UTC.", examples=["2031-03-02T040506"])
]
Course = Annotated[str, Field(description="Course run.", examples=["course-v1:edX+DemoX+Demo_Course"])]
Count = Annotated[int | None, Field(description="Learners enrolled at the end of the day.")]

MODES = ("audit", "credit", "honor", "professional", "verified", "masters")
MODE_KEYS = {mode: mode for mode in MODES} | {"no-id-professional": "professional"}
ZEROS: dict[str, object] = {"count": 0, "cumulative_count": 0, "created": ""} | dict.fromkeys(MODES, 0)


class EnrollmentDay(TypedDict):
    course_id: Course
    date: Day
    count: Count
    created: Created


class FlowDay(TypedDict):
    course_id: Course
    date: Day
    joined: Annotated[int, Field(description="Learners who joined.")]
    left: Annotated[int, Field(description="Learners who left.")]
    created: Created


class PassingDay(TypedDict):
    course_id: Course
    date: Day
    passed: Annotated[int, Field(description="Learners who passed first on the day.")]
    created: Created


class CourseFlow(TypedDict):
    course_id: Course
    joined: Annotated[int, Field(description="Sum of the days: who comes back joins again.")]
    left: Annotated[int, Field(description="Sum of the days.")]


class Reconciliation(TypedDict):
    course_id: Course
    events_count: Annotated[int, Field(description="Learners enrolled by the events.")]
    lms_count: Annotated[int, Field(description="Learners enrolled by the LMS.")]
    only_in_lms: Annotated[int, Field(description="Enrolled in the LMS, without any event.")]
    only_in_events: Annotated[int, Field(description="Enrolled by the events, without a row in the LMS.")]
    active_in_lms: Annotated[int, Field(description="Enrolled in the LMS, not by the events.")]
    active_in_events: Annotated[int, Field(description="Enrolled by the events, not in the LMS.")]
    other_mode: Annotated[int, Field(description="Enrolled by both, in different modes.")]
    created: Created


class ModeDay(TypedDict):
    course_id: Course
    date: Day
    count: Annotated[int, Field(description="Learners enrolled, all modes.")]
    cumulative_count: Annotated[int, Field(description="Learners with any enrollment event, all modes.")]
    created: Created
    audit: int
    credit: int
    honor: int
    professional: Annotated[int, Field(description="professional and no-id-professional.")]
    verified: int
    masters: int
    modes: NotRequired[Annotated[dict[str, int], Field(description="Every mode; only if asked for.")]]


def on_days(
    store: Reading,
    table: sa.Table,
    course_id: str,
    days: Between,
    *columns: str,
    order: str | None = None,
) -> Sequence[Row]:
    """Day and columns of the rows of a course on the days of the range; without a range, on its newest day.

    Ordered by day, then by the column `order`, null last.
    """
    listed = _listed(table, columns, order, days.first_day is not None, days.end_day is not None)
    return listed.rows(
        store, are_many=days.is_long, course_id=course_id, first=days.first_day, end=days.end_day
    )


@cache
def _listed(
    table: sa.Table, columns: tuple[str, ...], order: str | None, has_first: bool, has_end: bool
) -> Listed:
    here = equal(table.c.course_id, sa.bindparam("course_id"))
    on = [table.c.date >= sa.bindparam("first")] * has_first + [table.c.date < sa.bindparam("end")] * has_end
    if not on:
        on = [table.c.date == sa.select(sa.func.max(table.c.date)).where(here).scalar_subquery()]
    nulls_last = [table.c[order].is_(None), table.c[order]] if order else []
    shown = [table.c.date, *(table.c[name] for name in columns)]
    return Listed(shown, here, *on, order=[table.c.date, *nulls_last, table.c.id])


@subject.get(
    "courses/{course_id:course}/enrollment/",
    reads=[tables.course_enrollment_daily],
    file_name="enrollment",
    one_statement=True,
)
def enrollment(course_id: CourseID, days: Range, store: Reading) -> list[EnrollmentDay]:
    """Learners enrolled at the end of each day of the range (start included, end not); oldest first.

    Without a range: the newest day.
    """
    rows = on_days(store, tables.course_enrollment_daily, course_id, days, "count", "created")
    return [
        {"course_id": course_id, "date": day, "count": count, "created": created}
        for day, count, created in rows
    ]


@subject.get(
    "courses/{course_id:course}/enrollment/mode/",
    reads=[tables.course_enrollment_mode_daily],
    file_name="enrollment_mode",
    one_statement=True,
)
def enrollment_by_mode(
    course_id: CourseID,
    days: Range,
    store: Reading,
    modes: Annotated[
        bool, Query(description="true: add modes, the count of every mode that the day has, by its name.")
    ] = False,
) -> list[ModeDay]:
    """Learners in each enrollment mode at the end of each day of the range; oldest first.

    count and cumulative_count include modes that have no key of their own. Without a range: the newest day.
    """
    columns = ("mode", "count", "cumulative_count", "created")
    found: dict[str, Any] = {}
    for day, mode, count, ever, created in on_days(
        store, tables.course_enrollment_mode_daily, course_id, days, *columns, order="mode"
    ):
        item = found.get(day)
        if item is None:
            item = found[day] = {"course_id": course_id, "date": day} | ZEROS
        item["count"] += count or 0
        item["cumulative_count"] += ever or 0
        item["created"] = max(item["created"], created)
        if key := MODE_KEYS.get(mode):
            item[key] += count or 0
        if modes:
            item.setdefault("modes", {})[mode] = count or 0
    return list(found.values())


@subject.get(
    "courses/{course_id:course}/enrollment/flow/",
    reads=[tables.course_enrollment_flow_daily],
    file_name="enrollment_flow",
    versions=("v1",),
    one_statement=True,
)
def enrollment_flow(course_id: CourseID, days: Range, store: Reading) -> list[FlowDay]:
    """Learners who joined and who left on each day of the range on which anybody did; oldest first.

    Without a range: the newest such day.
    """
    columns = ("joined", "left", "created")
    rows = on_days(store, tables.course_enrollment_flow_daily, course_id, days, *columns)
    return [
        {"course_id": course_id, "date": day, "joined": joined, "left": left, "created": created}
        for day, joined, left, created in rows
    ]


@subject.get(
    "enrollment_flows/", reads=[tables.course_enrollment_flow_daily], versions=("v1",), may_be_empty=True
)
def enrollment_flows(days: Range, caller: Caller, store: Reading) -> list[CourseFlow]:
    """Learners who joined and who left each course in the range, by course id; without a range, ever.

    Courses that nobody joined or left in it are absent.
    """
    flow = tables.course_enrollment_flow_daily.c
    joined, left = sa.func.sum(flow.joined), sa.func.sum(flow.left)
    statement = sa.select(flow.course_id, joined, left).where(caller.sees(flow.course_id))
    if days.first_day is not None:
        statement = statement.where(flow.date >= days.first_day)
    if days.end_day is not None:
        statement = statement.where(flow.date < days.end_day)
    rows = store.tuples(statement.group_by(flow.course_id).order_by(flow.course_id))
    return [
        {"course_id": course_id, "joined": int(joined), "left": int(left)} for course_id, joined, left in rows
    ]


@subject.get(
    "courses/{course_id:course}/passing/",
    reads=[tables.course_passing_daily],
    file_name="passing",
    versions=("v1",),
    one_statement=True,
)
def passing(course_id: CourseID, days: Range, store: Reading) -> list[PassingDay]:
    """Learners who pass, by the day on which they passed first; oldest first.

    Without a range: the newest such day.
    """
    rows = on_days(store, tables.course_passing_daily, course_id, days, "passed", "created")
    return [
        {"course_id": course_id, "date": day, "passed": passed, "created": created}
        for day, passed, created in rows
    ]


_RECONCILIATION = tables.enrollment_reconciliation
_REASONS = tuple(name for name in Reconciliation.__annotations__ if name not in ("course_id", "created"))


@subject.get(
    "courses/{course_id:course}/enrollment/reconciliation/",
    reads=[_RECONCILIATION],
    file_name="enrollment_reconciliation",
    versions=("v1",),
    one_statement=True,
)
def enrollment_reconciliation(course_id: CourseID, store: Reading) -> list[Reconciliation]:
    """How far the enrollments that events tell of agree with the LMS's own: one item."""
    found = _reconciled().rows(store, are_many=False, course_id=course_id)
    return [
        {"course_id": course_id, **dict(zip((*_REASONS, "created"), row, strict=True))}  # type: ignore[typeddict-item]
        for row in found
    ]


@cache
def _reconciled() -> Listed:
    shown = [_RECONCILIATION.c[name] for name in (*_REASONS, "created")]
    here = _RECONCILIATION.c.course_id == sa.bindparam("course_id")
    return Listed(shown, here, order=[_RECONCILIATION.c.id])
