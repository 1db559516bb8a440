"""How many learners a course has: per day, and by mode and demographic (spec 05 §5.3-5.8)."""

from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import VisibleCourse
from pharos.data_api.parameters import Between, Range
from pharos.data_api.reading import Store
from pharos.data_api.routing import Subject
from pharos.data_api.times import compact
from pharos.result_store import tables

subject = Subject("Enrollment")

Day = Annotated[str, Field(description="UTC day.", examples=["2031-03-01"])]
Created = Annotated[
    str, Field(description="When the row was published, UTC.", examples=["2031-03-02T040506"])
]
Course = Annotated[str, Field(description="Course run.", examples=["course-v1:edX+DemoX+Demo_Course"])]
Count = Annotated[int | None, Field(description="Learners enrolled at the end of the day.")]

MODES = ("audit", "credit", "honor", "professional", "verified", "masters")
MODE_KEYS = {mode: mode for mode in MODES} | {"no-id-professional": "professional"}


class EnrollmentDay(TypedDict):
    course_id: Course
    date: Day
    count: Count
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


def of_days(table: sa.Table, course_id: str, days: Between, *breakdown: sa.Column[Any]) -> sa.Select[Any]:
    """The rows of a course on the days of the range; without limits, on the newest day the course has."""
    here = table.c.course_id == course_id
    if days.is_open:
        on = table.c.date == sa.select(sa.func.max(table.c.date)).where(here).scalar_subquery()
    else:
        on = sa.and_(
            table.c.date >= days.first_day if days.first_day else sa.true(),
            table.c.date < days.end_day if days.end_day else sa.true(),
        )
    nulls_last = [part for column in breakdown for part in (column.is_(None), column)]
    return sa.select(table).where(here, on).order_by(table.c.date, *nulls_last, table.c.id)


@subject.get(
    "courses/{course_id:course}/enrollment/", reads=[tables.course_enrollment_daily], file_name="enrollment"
)
def enrollment(course_id: VisibleCourse, days: Range, store: Store) -> list[EnrollmentDay]:
    """Learners enrolled at the end of each day of the range (start included, end not); oldest first.

    Without a range: the newest day.
    """
    return [
        {
            "course_id": row["course_id"],
            "date": row["date"].isoformat(),
            "count": row["count"],
            "created": compact(row["created"]),
        }
        for row in store.rows(of_days(tables.course_enrollment_daily, course_id, days))
    ]


@subject.get(
    "courses/{course_id:course}/enrollment/mode/",
    reads=[tables.course_enrollment_mode_daily],
    file_name="enrollment_mode",
)
def enrollment_by_mode(course_id: VisibleCourse, days: Range, store: Store) -> list[ModeDay]:
    """Learners in each enrollment mode at the end of each day of the range; oldest first.

    count and cumulative_count include modes that have no key of their own. Without a range: the newest day.
    """
    table = tables.course_enrollment_mode_daily
    found: dict[str, ModeDay] = {}
    for row in store.rows(of_days(table, course_id, days, table.c.mode)):
        day = row["date"].isoformat()
        item = found.setdefault(
            day,
            {
                "course_id": course_id,
                "date": day,
                "count": 0,
                "cumulative_count": 0,
                "created": compact(row["created"]),
                "audit": 0,
                "credit": 0,
                "honor": 0,
                "professional": 0,
                "verified": 0,
                "masters": 0,
            },
        )
        item["count"] += row["count"] or 0
        item["cumulative_count"] += row["cumulative_count"] or 0
        item["created"] = max(item["created"], compact(row["created"]))
        if key := MODE_KEYS.get(row["mode"]):
            item[key] += row["count"] or 0  # type: ignore[literal-required]
    return list(found.values())
