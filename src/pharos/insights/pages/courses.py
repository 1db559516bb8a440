"""The list of the courses a viewer may see, with totals; the URL holds search, filters, order and page."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import course_filters
from pharos.insights.access import CoursesInView
from pharos.insights.api import Row
from pharos.insights.language import Language, noop
from pharos.insights.listing import AVAILABILITIES, Listed
from pharos.insights.rendering import Link, Page
from pharos.insights.reports import Choice, Figure, State
from pharos.insights.site import Site, TheSite
from pharos.insights.tables import Column, Table, table

router = APIRouter()
PAGE_SIZE = 50
MOST_NAMED = 2


@dataclass(frozen=True, kw_only=True)
class Found(Page):
    """Shared fields of pages over several courses: search, filters, and the number of courses found."""

    search: str
    availabilities: tuple[tuple[Link, str], ...]
    """Link that switches it, and how many courses it has."""
    choices: tuple[Choice, ...]
    chips: tuple[Link, ...]
    hidden: tuple[tuple[str, str], ...]
    status: str


@dataclass(frozen=True, kw_only=True)
class CoursesPage(Found):
    """How are my courses doing?"""

    template: ClassVar[str] = "courses.html"
    figures: tuple[Figure, ...]
    table: Table | None
    side_by_side: str
    """Address of the same courses as a portfolio."""
    empty: State | None


@router.get("/courses/")
async def courses(request: Request, view: CoursesInView, site: TheSite) -> Response:
    """How are my courses doing?"""
    listed = await visible(site, view.visible)
    programs = await site.api.programs()
    last = await site.api.last_day()
    return site.renderer.render(request, _page(request, listed, programs, last))


async def visible(site: Site, ids: Container[str]) -> list[Listed]:
    """The courses with these ids that have counts or that the LMS knows."""
    known = await site.directory.known()
    listed = site.listing.of(await site.api.summaries(), known, await site.api.enrollment_flows())
    return [item for item in listed if item.course.course_id in ids]


def _page(request: Request, listed: list[Listed], programs: Sequence[Row], last: date) -> CoursesPage:
    words: Language = request.state.language
    found, shown, _ = course_filters.found(request, words, listed, programs)
    query = f"?{request.url.query}" if request.url.query else ""
    return CoursesPage(
        **found,
        title=words.text("Courses"),
        question=words.text("How are my courses doing?"),
        answer=headline(request, listed, last, "/courses/?losing=yes&sort=change"),
        figures=tuple(_figures(words, listed, last)),
        table=_table(request, words, shown) if shown else None,
        side_by_side=f"/courses/portfolio/{query}",
        empty=None if shown else course_filters.nothing_found(request, words, filtered=bool(found["chips"])),
    )


def headline(
    request: Request, listed: Sequence[Listed], last: date, losing: str, *, filtered: bool = False
) -> Markup:
    """The answer in one or two sentences; `last` is the last day counted.

    `losing` is the address of those courses that lost learners. `filtered`: the viewer has further courses.

    A person in two courses is two enrollments: only of one course are they learners.
    """
    words: Language = request.state.language
    if not any(item.total for item in listed):
        return words.html("<strong>Nothing has been counted yet</strong> for your courses.")
    current, change = sum(i.current for i in listed), sum(i.change for i in listed)
    if len(listed) == 1:
        if filtered:
            learners = words.htmls(
                "<strong>%(n)s learner</strong> is enrolled in the course shown",
                "<strong>%(n)s learners</strong> are enrolled in the course shown",
                current,
            )
        else:
            learners = words.htmls(
                "<strong>%(n)s learner</strong> is enrolled in your course",
                "<strong>%(n)s learners</strong> are enrolled in your course",
                current,
            )
    elif filtered:
        learners = words.htmls(
            "There is <strong>%(n)s enrollment</strong> in the %(courses)s courses shown",
            "There are <strong>%(n)s enrollments</strong> in the %(courses)s courses shown",
            current,
            courses=words.number(len(listed)),
        )
    else:
        learners = words.htmls(
            "There is <strong>%(n)s enrollment</strong> in your %(courses)s courses",
            "There are <strong>%(n)s enrollments</strong> in your %(courses)s courses",
            current,
            courses=words.number(len(listed)),
        )
    values = {
        "learners": learners,
        "change": words.number(abs(change)),
        "day": words.day_of_month(last - timedelta(days=7)),
    }
    if change > 0:
        sentence = words.html("%(learners)s, <strong>%(change)s more</strong> than on %(day)s.", **values)
    elif change < 0:
        sentence = words.html("%(learners)s, <strong>%(change)s fewer</strong> than on %(day)s.", **values)
    else:
        sentence = words.html("%(learners)s, as many as on %(day)s.", **values)
    return words.sentences(*filter(None, (sentence, _losing(words, listed, losing))))


def _losing(words: Language, listed: Sequence[Listed], address: str) -> Markup:
    """The courses that lost learners, the largest loss first, with a link to `address` for all of them."""
    losing = sorted((item for item in listed if item.is_losing), key=lambda item: item.change)
    if not losing:
        return Markup("")
    names = [
        Markup('<a href="{}">{}</a>').format(item.course.path, item.course.name)
        for item in losing[:MOST_NAMED]
    ]
    values = {
        "link": f"{address}#results",
        "names": Markup(words.enumeration(names)),  # noqa: S704 - escaped above
    }
    if len(losing) > len(names):
        return words.htmls(
            '<a href="%(link)s">%(n)s course</a> lost learners, most of all %(names)s.',
            '<a href="%(link)s">%(n)s courses</a> lost learners, most of all %(names)s.',
            len(losing),
            **values,
        )
    return words.htmls(
        '<a href="%(link)s">%(n)s course</a> lost learners: %(names)s.',
        '<a href="%(link)s">%(n)s courses</a> lost learners: %(names)s.',
        len(losing),
        **values,
    )


def _figures(words: Language, listed: Sequence[Listed], last: date) -> list[Figure]:
    total, current = sum(i.total for i in listed), sum(i.current for i in listed)
    verified, masters = sum(i.verified for i in listed), sum(i.masters for i in listed)

    def share(part: int, whole: int, message: str) -> str:
        return words.text(message, percent=words.percent(part / whole)) if whole else ""

    return [
        Figure(
            "total_enrollment",
            words.text("Total enrollment"),
            words.number(total),
            words.text("ever enrolled; a person in two courses counts twice")
            if len(listed) > 1
            else words.text("ever enrolled"),
            href="/courses/?sort=-total#results",
        ),
        Figure(
            "current_enrollment",
            words.text("Current enrollment"),
            words.number(current),
            share(current, total, noop("%(percent)s of total")),
            href="/courses/?sort=-current#results",
        ),
        Figure(
            "enrollment_change_7_days",
            words.text("Change in 7 days"),
            words.signed(sum(i.change for i in listed)),
            _who_came(words, listed, words.days(last - timedelta(days=6), last)),
            href="/courses/?sort=change#results",
        ),
        Figure(
            "verified_enrollment",
            words.text("Verified enrollment"),
            words.number(verified),
            share(verified, current, noop("%(percent)s of current")),
            href="/courses/?sort=-verified#results",
        ),
        Figure(
            "masters_enrollment",
            words.text("Master’s enrollment"),
            words.number(masters),
            share(masters, current, noop("%(percent)s of current")),
        ),
    ]


def _who_came(words: Language, listed: Sequence[Listed], days: str) -> str:
    """Learners who joined and left in seven days, and the days; only the days if this is not computed."""
    if any(item.joined is None for item in listed):
        return days
    return words.text(
        "%(joined)s joined, %(left)s left; %(days)s",
        joined=words.number(sum(item.joined or 0 for item in listed)),
        left=words.number(sum(item.left or 0 for item in listed)),
        days=days,
    )


def _table(request: Request, words: Language, shown: Sequence[Listed]) -> Table:
    def name(item: Listed) -> Markup:
        state = (
            Markup("")
            if item.known
            else Markup("; {}").format(words.text("not in the LMS’s list of courses"))
        )
        return Markup('<a href="{}">{}</a><span class="sub">{}{}</span>').format(
            item.course.path, item.course.name, item.course.course_id.removeprefix("course-v1:"), state
        )

    def by_name(item: Listed) -> str | None:
        untitled = item.course.name == item.course.course_id
        return None if untitled else item.course.name.casefold()

    def dates(item: Listed) -> Markup:
        state = words.text(AVAILABILITIES[item.availability])
        if item.start is None:
            return Markup('{}<span class="sub">{}</span>').format(state, words.text("no date available"))
        end = words.short_day(item.end.date()) if item.end else words.text("open")
        return Markup('{}<span class="sub">{} – {}</span>').format(
            state, words.short_day(item.start.date()), end
        )

    def shape(item: Listed) -> Markup:
        return Markup(
            '<svg class="spark" viewBox="0 0 96 24" preserveAspectRatio="none" aria-hidden="true" '
            'data-shape="{}"><path class="f"/><path/></svg>'
        ).format(item.course.course_id)

    def count(key: str, label: str, value: Callable[[Listed], int | None], help: str) -> Column[Listed]:  # noqa: A002
        return Column(key, label, value, lambda item: words.number(value(item)), help=help)

    columns: list[Column[Listed]] = [
        Column("name", words.text("Course"), by_name, name, numeric=False),
        Column("start", words.text("Dates"), lambda item: item.start, dates, numeric=False, optional=True),
        Column(
            "total",
            words.text("Total"),
            lambda item: item.total,
            lambda item: words.number(item.total),
            optional=True,
            help=words.text("Ever enrolled."),
        ),
        count(
            "current",
            words.text("Current"),
            lambda item: item.current,
            words.text("Enrolled now: at the end of the last day counted."),
        ),
        Column("shape", words.text("12 weeks"), by_name, shape, numeric=False, optional=True, drawn=True),
        Column(
            "change",
            words.text("7 days"),
            lambda item: item.change,
            lambda item: words.signed(item.change),
            rising=True,
            help=words.text("Change of current in the last seven days counted: joined minus left."),
        ),
        count(
            "verified",
            words.text("Verified"),
            lambda item: item.verified,
            words.text("Enrolled in the verified track now."),
        ),
    ]
    if all(item.joined is not None for item in shown):
        place = next(i for i, column in enumerate(columns) if column.key == "change") + 1
        columns[place:place] = [
            Column(
                "joined",
                words.text("Joined"),
                lambda item: item.joined,
                lambda item: words.number(item.joined),
                optional=True,
                help=words.text("Joined in the last seven days counted."),
            ),
            Column(
                "left",
                words.text("Left"),
                lambda item: item.left,
                lambda item: words.number(item.left),
                optional=True,
                help=words.text("Left in the last seven days counted."),
            ),
        ]
    if any(item.masters for item in shown):
        columns.append(
            Column(
                "masters",
                words.text("Master’s"),
                lambda item: item.masters,
                lambda item: words.number(item.masters),
                optional=True,
                help=words.text("Enrolled in the master’s track now."),
            )
        )
    if any(item.passing for item in shown):
        columns.append(
            count(
                "passing",
                words.text("Passing"),
                lambda item: item.passing,
                words.text("Learners whose grade is a pass."),
            )
        )
    sums: dict[str, str] = {
        "name": words.texts("%(n)s course shown", "%(n)s courses shown", len(shown)),
        "total": words.number(sum(i.total for i in shown)),
        "current": words.number(sum(i.current for i in shown)),
        "change": words.signed(sum(i.change for i in shown)),
        "joined": words.number(sum(i.joined or 0 for i in shown)),
        "left": words.number(sum(i.left or 0 for i in shown)),
        "verified": words.number(sum(i.verified for i in shown)),
        "masters": words.number(sum(i.masters for i in shown)),
        "passing": words.number(sum(i.passing or 0 for i in shown)),
    }
    return table(
        request,
        words.text("Course list"),
        columns,
        shown,
        sort="name",
        page_size=PAGE_SIZE,
        number=words.number,
        footer=[sums.get(column.key, "") for column in columns],
    )
