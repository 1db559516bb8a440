"""Search and filters of the course list (spec 06 §9.2, §17.40-43)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from starlette.requests import Request

from pharos.insights import course_filters
from pharos.insights.api import Row
from pharos.insights.course_filters import Filters
from pharos.insights.directory import Course
from pharos.insights.language import languages
from pharos.insights.listing import Listed

WORDS = languages()["en"]
PROGRAMS: list[Row] = [
    {"program_id": "p2", "program_title": "Water", "course_ids": ["a+b+c"]},
    {"program_id": "p1", "program_title": None, "course_ids": ["d+e+f"]},
    {"program_id": "p3", "program_title": "Art", "course_ids": []},
]


def asked(query: str) -> Request:
    scope = {"type": "http", "path": "/courses/", "query_string": query.encode(), "headers": []}
    return Request({**scope, "server": ("testserver", 80), "scheme": "http", "method": "GET"})


def course(
    name: str,
    *,
    course_id: str = "a+b+c",
    availability: str = "Current",
    pacing: str = "",
    change: int = 0,
) -> Listed:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return Listed(
        Course(course_id, name),
        "a",
        availability,
        pacing,
        start,
        None,
        1,
        1,
        change,
        2,
        1,
        0,
        0,
        None,
        known=True,
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("q=hydro+INTRO", True),
        ("q=hydro+geology", False),
        ("q=c%2B%2B", False),
        ("q=a%2Bb", True),
        ("availability=Current,Upcoming", True),
        ("availability=Upcoming", False),
        ("availability=Current&pacing=self_paced", False),
        ("program=p1&program=p2", True),
        ("program=p1", False),
        ("availability=nonsense&pacing=nonsense", True),
    ],
)
def test_words_and_filters_narrow_values_of_one_filter_widen(query: str, *, found: bool) -> None:
    filters = Filters.of(asked(query))
    in_programs = {c for p in PROGRAMS if p["program_id"] in filters.programs for c in p["course_ids"]}
    assert filters.match(course("Introduction to Hydrology"), in_programs) == found


def test_each_filter_has_a_chip_that_takes_only_it_away() -> None:
    request = asked("q=x&availability=Current&program=p1&program=p2&page=3&sort=-count")
    chips = course_filters.chips(request, WORDS, Filters.of(request), PROGRAMS)
    assert [chip.label for chip in chips] == [
        "Search: “x”",
        "Availability: Current",
        "Program: p1",
        "Program: Water",
    ]
    assert chips[2].href == "?q=x&availability=Current&program=p2&sort=-count"


def test_programs_come_by_title_and_those_chosen_are_not_offered_again() -> None:
    filters = Filters.of(asked("program=p2"))
    [programs] = course_filters.choices(WORDS, filters, [course("A")], PROGRAMS)
    assert [option.label for option in programs.options] == ["Add a program", "Art", "p1"]
