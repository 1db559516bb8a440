"""Demographics of the learners of a course: birth year, education, gender, country (spec 05 §5.5-5.8)."""

from typing import Annotated, Any, cast

import sqlalchemy as sa
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import CourseID
from pharos.data_api.countries import Country, country
from pharos.data_api.parameters import Between, Range
from pharos.data_api.reading import Reading
from pharos.data_api.routes.enrollment import Count, Course, Created, Day, on_days
from pharos.data_api.routing import Subject
from pharos.result_store import tables

subject = Subject("Demographics")

GENDERS = {"f": "female", "m": "male", "o": "other"}
ZEROS: dict[str, object] = {"female": 0, "male": 0, "other": 0, "unknown": 0, "created": ""}
Learners = Annotated[int, Field(description="Learners enrolled at the end of the day.")]


class BirthYear(TypedDict):
    course_id: Course
    date: Day
    birth_year: Annotated[int | None, Field(description="null: unknown.")]
    count: Count
    created: Created


class Education(TypedDict):
    course_id: Course
    date: Day
    education_level: Annotated[str | None, Field(description="null: unknown.", examples=["bachelors"])]
    count: Count
    created: Created


class GenderDay(TypedDict):
    course_id: Course
    date: Day
    female: Learners
    male: Learners
    other: Learners
    unknown: Learners
    created: Created


class Location(TypedDict):
    date: Day
    course_id: Course
    country: Country
    count: Learners
    created: Created


def counts(store: Reading, table: sa.Table, course_id: str, days: Between, by: str) -> list[dict[str, Any]]:
    """An item per row of a table of counts per day and value of the column `by`."""
    rows = on_days(store, table, course_id, days, by, "count", "created", order=by)
    return [
        {"course_id": course_id, "date": day, by: value, "count": count, "created": created}
        for day, value, count, created in rows
    ]


@subject.get(
    "courses/{course_id:course}/enrollment/birth_year/",
    reads=[tables.course_enrollment_birth_year_daily],
    file_name="enrollment-age",
    one_statement=True,
    versions=["v0"],
)
def enrollment_by_birth_year(course_id: CourseID, days: Range, store: Reading) -> list[BirthYear]:
    """Learners by year of birth, per day of the range; the unknown last. Without a range: the newest day."""
    table = tables.course_enrollment_birth_year_daily
    return cast("list[BirthYear]", counts(store, table, course_id, days, "birth_year"))


@subject.get(
    "courses/{course_id:course}/enrollment/education/",
    reads=[tables.course_enrollment_education_level_daily],
    file_name="enrollment-education",
    one_statement=True,
)
def enrollment_by_education(course_id: CourseID, days: Range, store: Reading) -> list[Education]:
    """Learners by education, per day of the range; the unknown last. Without a range: the newest day."""
    table = tables.course_enrollment_education_level_daily
    return cast("list[Education]", counts(store, table, course_id, days, "education_level"))


@subject.get(
    "courses/{course_id:course}/enrollment/gender/",
    reads=[tables.course_enrollment_gender_daily],
    file_name="enrollment-gender",
    one_statement=True,
)
def enrollment_by_gender(course_id: CourseID, days: Range, store: Reading) -> list[GenderDay]:
    """Learners by gender, an item per day of the range. Without a range: the newest day."""
    table = tables.course_enrollment_gender_daily
    found: dict[str, Any] = {}
    for day, gender, count, created in on_days(store, table, course_id, days, "gender", "count", "created"):
        item = found.get(day)
        if item is None:
            item = found[day] = {"course_id": course_id, "date": day} | ZEROS
        item[GENDERS.get(gender, "unknown")] += count or 0
        item["created"] = max(item["created"], created)
    return list(found.values())


@subject.get(
    "courses/{course_id:course}/enrollment/location/",
    reads=[tables.course_enrollment_location_current],
    file_name="enrollment-location",
    one_statement=True,
)
def enrollment_by_location(course_id: CourseID, days: Range, store: Reading) -> list[Location]:
    """Learners by country, the unknown first, then by code and day. Without a range: the newest day.

    All codes that are no country of ISO 3166 count together as UNKNOWN.
    """
    table = tables.course_enrollment_location_current
    found: dict[tuple[str, str], Any] = {}
    columns = ("country_code", "count", "created")
    for day, code, count, created in on_days(store, table, course_id, days, *columns):
        where = country(code)
        item = found.setdefault(
            (where["alpha2"] or "", day),
            {"date": day, "course_id": course_id, "country": where, "count": 0, "created": ""},
        )
        item["count"] += count or 0
        item["created"] = max(item["created"], created)
    return [found[key] for key in sorted(found)]
