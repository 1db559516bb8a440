"""Courses side by side, by organization or program, for heads of departments; the address holds the
selection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import course_filters
from pharos.insights.access import CoursesInView
from pharos.insights.api import Row
from pharos.insights.language import Language
from pharos.insights.listing import AVAILABILITIES, Listed
from pharos.insights.pages.courses import Found, headline, visible
from pharos.insights.rendering import Link, with_query
from pharos.insights.reports import State
from pharos.insights.site import TheSite

router = APIRouter()
BY_PROGRAM = "program"
MOST = 200
"""Of more, the largest: nobody compares thousands of drawings."""


@dataclass(frozen=True)
class Card:
    """One course: its present enrollment, the change in seven days, its phase."""

    course_id: str
    href: str
    name: str
    run: str
    availability: str
    current: str
    change: str


@dataclass(frozen=True)
class Group:
    """The courses of an organization or a program."""

    name: str
    sums: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, kw_only=True)
class PortfolioPage(Found):
    """How do my courses compare?"""

    template: ClassVar[str] = "portfolio.html"
    groupings: tuple[Link, ...]
    as_list: str
    """Address of the same courses as a list: every number as a table."""
    groups: tuple[Group, ...]
    empty: State | None
    note: str


@router.get("/courses/portfolio/")
async def portfolio(request: Request, view: CoursesInView, site: TheSite) -> Response:
    """How do my courses compare?"""
    listed = await visible(site, view.visible)
    programs = await site.api.programs()
    last = await site.api.last_day()
    words: Language = request.state.language
    found, shown, mine = course_filters.found(request, words, listed, programs)
    by_program = request.query_params.get("by") == BY_PROGRAM
    largest = sorted(shown, key=lambda item: -item.current)[:MOST]
    grouped = _by_program(words, largest, mine) if by_program else _by_organisation(largest)
    page = PortfolioPage(
        **found,
        title=words.text("Portfolio"),
        question=words.text("How do my courses compare?"),
        answer=headline(request, shown, last, _losing(request), filtered=len(shown) < len(listed))
        if shown
        else Markup(""),
        groupings=(
            Link(with_query(request, by=None), words.text("Organization"), not by_program),
            Link(with_query(request, by=BY_PROGRAM), words.text("Program"), by_program),
        ),
        as_list=f"/courses/?{request.url.query}" if request.url.query else "/courses/",
        groups=tuple(_group(words, name, items) for name, items in grouped),
        empty=None if shown else course_filters.nothing_found(request, words, filtered=bool(found["chips"])),
        note=words.text("Shown are the %(n)s courses with most enrollments.", n=words.number(MOST))
        if len(shown) > MOST
        else "",
    )
    return site.renderer.render(request, page)


def _losing(request: Request) -> str:
    """Address of those of the courses shown that lost learners, as a list."""
    return "/courses/" + with_query(request, losing="yes", sort="change", by=None)


def _by_organisation(listed: Sequence[Listed]) -> list[tuple[str, list[Listed]]]:
    names = sorted({item.organisation for item in listed})
    return [(name, [item for item in listed if item.organisation == name]) for name in names]


def _by_program(
    words: Language, listed: Sequence[Listed], programs: Sequence[Row]
) -> list[tuple[str, list[Listed]]]:
    """Courses by program; a course of two programs is in both, courses without a program come last."""
    groups = [
        (course_filters.title_of(program), [i for i in listed if i.course.course_id in program["course_ids"]])
        for program in sorted(programs, key=course_filters.by_title)
    ]
    in_programs = {course_id for program in programs for course_id in program["course_ids"]}
    left = [item for item in listed if item.course.course_id not in in_programs]
    return [(name, items) for name, items in (*groups, (words.text("In no program"), left)) if items]


def _group(words: Language, name: str, listed: Sequence[Listed]) -> Group:
    courses = words.texts("%(n)s course", "%(n)s courses", len(listed))
    current = sum(item.current for item in listed)
    enrollments = words.texts("%(n)s enrollment", "%(n)s enrollments", current)
    change = words.signed(sum(item.change for item in listed))
    sums = words.text(
        "%(courses)s, %(enrollments)s, %(change)s in 7 days",
        courses=courses,
        enrollments=enrollments,
        change=change,
    )
    return Group(name, sums, tuple(_card(words, item) for item in listed))


def _card(words: Language, item: Listed) -> Card:
    return Card(
        course_id=item.course.course_id,
        href=item.course.path,
        name=item.course.name,
        run=item.course.run,
        availability=words.text(AVAILABILITIES[item.availability])
        if item.known
        else words.text("not in the LMS’s list of courses"),
        current=words.texts("%(n)s enrolled", "%(n)s enrolled", item.current),
        change=words.text("%(change)s in 7 days", change=words.signed(item.change)),
    )
