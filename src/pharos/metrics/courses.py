"""Descriptions of course runs: title, dates, programs. `spec 01 §5.6-5.8`"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import ibis

from pharos import keys
from pharos.metrics.metric import metric
from pharos.result_store import tables

if TYPE_CHECKING:
    from ibis.expr.types import StringValue

LONGEST_TEXT, LONGEST_TYPE, LONGEST_PROGRAM_ID = 255, 32, 36  # characters, in the Result Store
_DESCRIBED = ibis.schema(
    {
        "course_id": "string",
        "catalog_course_title": "string",
        "catalog_course": "string",
        "start_time": "timestamp",
        "end_time": "timestamp",
        "pacing_type": "string",
        "availability": "string",
    }
)


@metric(tables.course_program_metadata, by="course_id")
def course_program_metadata(program_course: ibis.Table) -> ibis.Table:
    """The programs of each course run, from the catalog."""
    programs = program_course.filter(
        keys.is_valid_course_id(program_course.course_id),
        program_course.program_id.length() <= LONGEST_PROGRAM_ID,
    )
    return programs.select(
        "course_id",
        "program_id",
        program_type=programs.program_type.left(LONGEST_TYPE),
        program_title=_line(programs.program_title),
    )


def described(course_catalog: ibis.Table, course_list: ibis.Table, last_day: date) -> ibis.Table:
    """Descriptions of course runs for the course summary.

    Columns: those of `_DESCRIBED`, moments in UTC. Runs missing in the catalog are described from the LMS's
    list of courses; that list has no availability, so it is derived from the dates as of the last day.
    """
    catalog = course_catalog.select(
        "course_id",
        catalog_course_title=_line(course_catalog.catalog_course_title),
        catalog_course=_line(course_catalog.catalog_course),
        start_time=course_catalog.start_time,
        end_time=course_catalog.end_time,
        pacing_type=_line(course_catalog.pacing_type),
        availability=_line(course_catalog.availability),
    )
    others = course_list.anti_join(course_catalog, "course_id")
    availability = ibis.cases(
        (others.end_date.cast("date") < ibis.literal(last_day), "Archived"),
        (others.start_date.cast("date") > ibis.literal(last_day), "Upcoming"),
        (others.start_date.notnull(), "Current"),
    )
    pacing = ibis.cases(
        (others.pacing == "self", "self_paced"), (others.pacing == "instructor", "instructor_paced")
    )
    listed = others.select(
        "course_id",
        catalog_course_title=_line(others.name),
        catalog_course=ibis.null("string"),
        start_time=others.start_date,
        end_time=others.end_date,
        pacing_type=pacing,
        availability=availability,
    )
    return catalog.cast(_DESCRIBED).union(listed.cast(_DESCRIBED))


def _line(text: StringValue) -> StringValue:
    """The text on one line, cut to the column's length."""
    return text.re_replace(r"\s+", " ").left(LONGEST_TEXT)
