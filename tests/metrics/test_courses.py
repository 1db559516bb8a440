"""Titles, dates and programs of course runs. `spec 01 §5.6-5.8, §11.96, 98`"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.metrics.conftest import Compute, columns
from tests.metrics.test_enrollment import SUMMARY, event, facts

UNTIL = datetime(2024, 3, 8)
DESCRIPTION = (
    "catalog_course_title", "catalog_course", "start_time", "end_time", "pacing_type", "availability",
)  # fmt: skip
COUNTS = ("course_id", "enrollment_mode", "count", "count_change_7_days", "cumulative_count")
EVENTS = facts(
    [
        event("C", 1, "03-02 09:00 a audit"),
        event("C", 2, "03-02 09:00 a honor"),
        event("D", 1, "03-02 09:00 a audit"),
    ]
)
NOTHING = (None,) * 6


def run(course: str, **more: Any) -> dict[str, Any]:
    """A course run of the catalog."""
    whole = {
        "course_id": course, "catalog_course": "U+C", "catalog_course_title": "A\t course",
        "start_time": UNTIL, "end_time": None, "pacing_type": "self_paced", "availability": "Starting Soon",
    }  # fmt: skip
    return whole | more


def listed(course: str, **more: Any) -> dict[str, Any]:
    """A course run of the LMS's list."""
    whole = {
        "course_id": course, "name": "Its name", "org": "U", "number": "C", "short_description": "",
        "start_date": None, "end_date": None, "enrollment_start": None, "enrollment_end": None,
        "pacing": None, "is_deleted": False,
    }  # fmt: skip
    return whole | more


def test_the_catalog_describes_course_runs_and_changes_no_count(compute: Compute) -> None:
    """§11.96: every mode of the course; runs it does not know have nothing."""
    catalog = [run("C"), run("E"), run("F")]
    with_catalog = compute(SUMMARY, UNTIL, **EVENTS, course_catalog=catalog)
    described = ("A course", "U+C", UNTIL, None, "self_paced", "Starting Soon")
    assert columns(with_catalog, SUMMARY, "course_id", *DESCRIPTION) == [
        ("C", *described), ("C", *described), ("D", *NOTHING),
    ]  # fmt: skip
    without = compute(SUMMARY, UNTIL, **EVENTS)
    assert set(columns(without, SUMMARY, *DESCRIPTION)) == {NOTHING}
    assert columns(without, SUMMARY, *COUNTS) == columns(with_catalog, SUMMARY, *COUNTS)


def test_without_the_catalog_the_lms_describes_them(compute: Compute) -> None:
    courses = [
        listed(
            "C",
            name="A name\nof two lines " + "x" * 300,
            pacing="instructor",
            start_date=datetime(2024, 1, 1),
        ),
        listed("D", pacing="self", is_deleted=True),
    ]
    found = compute(SUMMARY, UNTIL, **EVENTS, course_list=courses, course_catalog=[run("D")])
    name = ("A name of two lines " + "x" * 300)[:255]
    assert columns(found, SUMMARY, "course_id", *DESCRIPTION)[1:] == [
        ("C", name, None, datetime(2024, 1, 1), None, "instructor_paced", "Current"),
        ("D", "A course", "U+C", UNTIL, None, "self_paced", "Starting Soon"),  # the catalog knows better
    ]


def test_availability_by_the_dates(compute: Compute) -> None:
    examples = [
        (datetime(2024, 3, 7, 23), None, "Current"),
        (datetime(2024, 3, 8), None, "Upcoming"),
        (datetime(2024, 1, 1), datetime(2024, 3, 7, 1), "Current"),  # ends on the last day
        (datetime(2024, 1, 1), datetime(2024, 3, 6, 23), "Archived"),
        (None, datetime(2024, 3, 6, 23), "Archived"),
        (None, datetime(2025, 1, 1), None),
        (None, None, None),
    ]
    events = [event(f"D{number}", 1, "03-02 09:00 a audit") for number in range(len(examples))]
    courses = [
        listed(f"D{number}", start_date=start, end_date=end)
        for number, (start, end, _) in enumerate(examples)
    ]
    found = compute(SUMMARY, UNTIL, **facts(events), course_list=courses)
    assert columns(found, SUMMARY, "availability") == [(expected,) for _, _, expected in examples]


def test_programs(compute: Compute) -> None:
    """§11.98: a row per run and program, none without the catalog; what is too long does no harm."""
    table = "course_program_metadata"
    programs = [
        {"course_id": course, "program_id": program, "program_type": type_, "program_title": title}
        for course, program, type_, title in [
            ("course-v1:U+C+R", "p1", "MicroMasters", "One \n title"),
            ("course-v1:U+C+R", "p2", "t" * 40, None),
            ("U/C/R", "p1", "MicroMasters", "t" * 300),
            ("no course", "p1", "MicroMasters", ""),
            ("U/C/R", "p" * 37, "MicroMasters", ""),
        ]
    ]
    assert compute(table, UNTIL, program_course=programs) == [
        ("U/C/R", "p1", "MicroMasters", "t" * 255),
        ("course-v1:U+C+R", "p1", "MicroMasters", "One title"),
        ("course-v1:U+C+R", "p2", "t" * 32, None),
    ]
    assert compute(table, UNTIL) == []
