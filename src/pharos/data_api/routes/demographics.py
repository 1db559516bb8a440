"""Who the learners of a course are: birth year, education, gender, country (spec 05 §5.5-5.8)."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import VisibleCourse
from pharos.data_api.countries import Country, country
from pharos.data_api.parameters import Range
from pharos.data_api.reading import Store
from pharos.data_api.routes.enrollment import Count, Course, Created, Day, of_days
from pharos.data_api.routing import Subject
from pharos.data_api.times import compact
from pharos.result_store import tables

subject = Subject("Demographics")

GENDERS = {"f": "female", "m": "male", "o": "other"}
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


@subject.get(
    "courses/{course_id:course}/enrollment/birth_year/",
    reads=[tables.course_enrollment_birth_year_daily],
    file_name="enrollment-age",
    versions=["v0"],
)
def enrollment_by_birth_year(course_id: VisibleCourse, days: Range, store: Store) -> list[BirthYear]:
    """Learners by year of birth, per day of the range; the unknown last. Without a range: the newest day."""
    table = tables.course_enrollment_birth_year_daily
    return [
        {
            "course_id": course_id,
            "date": row["date"].isoformat(),
            "birth_year": row["birth_year"],
            "count": row["count"],
            "created": compact(row["created"]),
        }
        for row in store.rows(of_days(table, course_id, days, table.c.birth_year))
    ]


@subject.get(
    "courses/{course_id:course}/enrollment/education/",
    reads=[tables.course_enrollment_education_level_daily],
    file_name="enrollment-education",
)
def enrollment_by_education(course_id: VisibleCourse, days: Range, store: Store) -> list[Education]:
    """Learners by education, per day of the range; the unknown last. Without a range: the newest day."""
    table = tables.course_enrollment_education_level_daily
    return [
        {
            "course_id": course_id,
            "date": row["date"].isoformat(),
            "education_level": row["education_level"],
            "count": row["count"],
            "created": compact(row["created"]),
        }
        for row in store.rows(of_days(table, course_id, days, table.c.education_level))
    ]


@subject.get(
    "courses/{course_id:course}/enrollment/gender/",
    reads=[tables.course_enrollment_gender_daily],
    file_name="enrollment-gender",
)
def enrollment_by_gender(course_id: VisibleCourse, days: Range, store: Store) -> list[GenderDay]:
    """Learners by gender, an item per day of the range. Without a range: the newest day."""
    table = tables.course_enrollment_gender_daily
    found: dict[str, GenderDay] = {}
    for row in store.rows(of_days(table, course_id, days, table.c.gender)):
        day, created = row["date"].isoformat(), compact(row["created"])
        item = found.setdefault(
            day,
            {
                "course_id": course_id,
                "date": day,
                "female": 0,
                "male": 0,
                "other": 0,
                "unknown": 0,
                "created": created,
            },
        )
        item["created"] = max(item["created"], created)
        item[GENDERS.get(row["gender"], "unknown")] += row["count"] or 0  # type: ignore[literal-required]
    return list(found.values())


@subject.get(
    "courses/{course_id:course}/enrollment/location/",
    reads=[tables.course_enrollment_location_current],
    file_name="enrollment-location",
)
def enrollment_by_location(course_id: VisibleCourse, days: Range, store: Store) -> list[Location]:
    """Learners by country, the unknown first, then by code and day. Without a range: the newest day.

    All codes that are no country of ISO 3166 count together as UNKNOWN.
    """
    table = tables.course_enrollment_location_current
    found: dict[tuple[str, str], Location] = {}
    for row in store.rows(of_days(table, course_id, days)):
        day, created, where = row["date"].isoformat(), compact(row["created"]), country(row["country_code"])
        item = found.setdefault(
            (where["alpha2"] or "", day),
            {"date": day, "course_id": course_id, "country": where, "count": 0, "created": created},
        )
        item["count"] += row["count"] or 0
        item["created"] = max(item["created"], created)
    return [found[key] for key in sorted(found)]
