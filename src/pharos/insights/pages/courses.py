"""The list of the courses a viewer may see, with totals; searched, filtered, sorted and paged by the URL."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights.access import CoursesInView
from pharos.insights.api import Row
from pharos.insights.language import Language, noop
from pharos.insights.listing import AVAILABILITIES, Listed
from pharos.insights.rendering import Link, Page, with_query
from pharos.insights.reports import Choice, Figure, State, keep
from pharos.insights.site import Site, TheSite
from pharos.insights.tables import Column, Table, table

router = APIRouter()
PAGE_SIZE = 50
MODES = ("audit", "credit", "honor", "masters", "professional", "verified")
PACINGS = {"instructor_paced": noop("Instructor-paced"), "self_paced": noop("Self-paced")}


@dataclass(frozen=True)
class Filters:
    """What the URL asks for: AND between its parts, OR within the availabilities (spec 06 §9.2)."""

    search: str
    availabilities: frozenset[str]
    pacing: str
    program: str

    @classmethod
    def of(cls, request: Request) -> Filters:
        query = request.query_params
        wanted = frozenset(query.get("availability", "").split(",")) & AVAILABILITIES.keys()
        pacing = query.get("pacing", "")
        return cls(
            query.get("q", "").strip(), wanted, pacing if pacing in PACINGS else "", query.get("program", "")
        )

    def match(self, listed: Listed, in_program: Container[str]) -> bool:
        """Whether the course is one of those asked for."""
        return (
            (not self.availabilities or listed.availability in self.availabilities)
            and (not self.pacing or listed.pacing == self.pacing)
            and (not self.program or listed.course.course_id in in_program)
            and self._found(listed)
        )

    def _found(self, listed: Listed) -> bool:
        text = f"{listed.course.name} {listed.course.course_id}".casefold()
        return all(word in text for word in self.search.casefold().split())


@dataclass(frozen=True, kw_only=True)
class CoursesPage(Page):
    """How are my courses doing?"""

    template: ClassVar[str] = "courses.html"
    figures: tuple[Figure, ...]
    search: str
    availabilities: tuple[tuple[Link, str], ...]
    """Link that switches it, and how many courses it has."""
    choices: tuple[Choice, ...]
    chips: tuple[Link, ...]
    hidden: tuple[tuple[str, str], ...]
    status: str
    table: Table | None
    empty: State | None


@router.get("/courses/")
async def courses(request: Request, view: CoursesInView, site: TheSite) -> Response:
    """How are my courses doing?"""
    listed = await visible(site, view.visible)
    programs = await site.api.programs()
    return site.renderer.render(request, _page(request, listed, programs))


@router.get("/courses/csv/course_list/")
async def course_list(view: CoursesInView, site: TheSite) -> Response:
    """All courses of the viewer as CSV; filters of the page do not count (spec 06 §10)."""
    rows = [row for row in await site.api.summaries() if row["course_id"] in view.visible]
    programs = await site.api.programs()
    name = f"{datetime.now(UTC).replace(microsecond=0).isoformat()}--course-list.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(course_list_csv(rows, programs), media_type="text/csv; charset=utf-8", headers=headers)


async def visible(site: Site, ids: Container[str]) -> list[Listed]:
    """The courses with these ids that anything was counted for."""
    known = await site.directory.known()
    listed = site.listing.of(await site.api.summaries(), known)
    return [item for item in listed if item.course.course_id in ids]


def course_list_csv(rows: Sequence[Row], programs: Sequence[Row]) -> str:
    """The course list with its columns in alphabetical order and CRLF line ends (spec 06 §10)."""
    flat = [_flat(row, programs) for row in rows]
    columns = sorted({key for row in flat for key in row})
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\r\n", restval="")
    writer.writeheader()
    writer.writerows({key: _safe(value) for key, value in row.items()} for row in flat)
    return file.getvalue()


def _flat(row: Row, programs: Sequence[Row]) -> Row:
    flat = {k: v for k, v in row.items() if k not in {"created", "enrollment_modes", "programs"}}
    for mode, counts in row.get("enrollment_modes", {}).items():
        flat |= {f"enrollment_modes.{mode}.{k}": v for k, v in counts.items() if k != "count_change_7_days"}
    mine = sorted(
        (p for p in programs if row["course_id"] in p["course_ids"]), key=lambda p: p["program_title"] or ""
    )
    flat["program_ids"] = " | ".join(p["program_id"] for p in mine)
    flat["program_titles"] = " | ".join(p["program_title"] or "" for p in mine)
    return flat


def _safe(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula is quoted for it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


def _page(request: Request, listed: list[Listed], programs: Sequence[Row]) -> CoursesPage:
    words: Language = request.state.language
    filters = Filters.of(request)
    mine = [p for p in programs if any(item.course.course_id in p["course_ids"] for item in listed)]
    in_program = {c for p in mine if p["program_id"] == filters.program for c in p["course_ids"]}
    shown = [item for item in listed if filters.match(item, in_program)]
    chips = _chips(request, words, filters, mine)
    return CoursesPage(
        title=words.text("Courses"),
        question=words.text("How are my courses doing?"),
        answer=headline(words, listed),
        figures=tuple(_figures(words, listed)),
        search=filters.search,
        availabilities=tuple(_availability_links(request, words, filters, listed)),
        choices=tuple(_choices(words, filters, listed, mine)),
        chips=tuple(chips),
        hidden=keep(request, "availability", "sort", "language"),
        status=words.texts(
            "%(shown)s of %(n)s course",
            "%(shown)s of %(n)s courses",
            len(listed),
            shown=words.number(len(shown)),
        ),
        table=_table(request, words, shown) if shown else None,
        empty=_empty(request, words, filtered=bool(chips)) if not shown else None,
    )


def headline(words: Language, listed: Sequence[Listed]) -> Markup:
    """The answer in one or two sentences."""
    if not listed:
        return words.html("<strong>Nothing has been counted yet</strong> for your courses.")
    current, change = sum(i.current for i in listed), sum(i.change for i in listed)
    learners = words.htmls(
        "<strong>%(n)s learner</strong> is enrolled", "<strong>%(n)s learners</strong> are enrolled", current
    )
    places = words.texts("in your one course", "in your %(n)s courses", len(listed))
    if change > 0:
        sentence = words.html(
            "%(learners)s %(places)s, <strong>%(change)s more</strong> than a week ago.",
            learners=learners,
            places=places,
            change=words.number(change),
        )
    elif change < 0:
        sentence = words.html(
            "%(learners)s %(places)s, <strong>%(change)s fewer</strong> than a week ago.",
            learners=learners,
            places=places,
            change=words.number(-change),
        )
    else:
        sentence = words.html("%(learners)s %(places)s, as a week ago.", learners=learners, places=places)
    losing = sorted((item for item in listed if item.change < 0), key=lambda item: item.change)
    if not losing:
        return sentence
    names = [Markup('<a href="{}">{}</a>').format(item.course.path, item.course.name) for item in losing[:2]]
    if len(losing) > len(names):
        second = words.htmls(
            "%(n)s course is losing learners, most of all %(names)s.",
            "%(n)s courses are losing learners, most of all %(names)s.",
            len(losing),
            names=Markup(words.enumeration(names)),  # noqa: S704 - escaped above
        )
    else:
        second = words.htmls(
            "One course is losing learners: %(names)s.",
            "Two courses are losing learners: %(names)s.",
            len(losing),
            names=Markup(words.enumeration(names)),  # noqa: S704 - escaped above
        )
    return Markup("{} {}").format(sentence, second)


def _figures(words: Language, listed: Sequence[Listed]) -> list[Figure]:
    total, current = sum(i.total for i in listed), sum(i.current for i in listed)
    verified, masters = sum(i.verified for i in listed), sum(i.masters for i in listed)

    def share(part: int, whole: int, message: str) -> str:
        return words.text(message, percent=words.percent(part / whole)) if whole else ""

    return [
        Figure(
            "total_enrollment",
            words.text("Total enrollment"),
            words.number(total),
            words.text("ever enrolled"),
        ),
        Figure(
            "current_enrollment",
            words.text("Current enrollment"),
            words.number(current),
            share(current, total, noop("%(percent)s of all who enrolled")),
        ),
        Figure(
            "enrollment_change_7_days",
            words.text("Change in last week"),
            words.signed(sum(i.change for i in listed)),
            words.text("joined minus left"),
        ),
        Figure(
            "verified_enrollment",
            words.text("Verified enrollment"),
            words.number(verified),
            share(verified, current, noop("%(percent)s of current")),
        ),
        Figure(
            "masters_enrollment",
            words.text("Master’s enrollment"),
            words.number(masters),
            share(masters, current, noop("%(percent)s of current")),
        ),
    ]


def _availability_links(
    request: Request, words: Language, filters: Filters, listed: Sequence[Listed]
) -> list[tuple[Link, str]]:
    links = []
    for key, label in AVAILABILITIES.items():
        count = sum(item.availability == key for item in listed)
        if not count and key not in filters.availabilities:
            continue
        chosen = filters.availabilities ^ {key}
        query = ",".join(k for k in AVAILABILITIES if k in chosen) or None
        link = Link(
            with_query(request, availability=query, page=None),
            words.text(label),
            key in filters.availabilities,
        )
        links.append((link, words.number(count)))
    return links


def _choices(
    words: Language, filters: Filters, listed: Sequence[Listed], programs: Sequence[Row]
) -> list[Choice]:
    choices = []
    used = {item.pacing for item in listed}
    if used & PACINGS.keys():
        pacings = [
            Link(k, words.text(label), k == filters.pacing) for k, label in PACINGS.items() if k in used
        ]
        choices.append(
            Choice(
                "pacing", words.text("Pacing"), [Link("", words.text("Any"), not filters.pacing), *pacings]
            )
        )
    if programs:
        titled = sorted(
            programs, key=lambda p: (not p["program_title"], (p["program_title"] or "").casefold())
        )
        options = [
            Link(p["program_id"], p["program_title"] or p["program_id"], p["program_id"] == filters.program)
            for p in titled
        ]
        choices.append(
            Choice(
                "program", words.text("Program"), [Link("", words.text("Any"), not filters.program), *options]
            )
        )
    return choices


def _chips(request: Request, words: Language, filters: Filters, programs: Sequence[Row]) -> list[Link]:
    chips = []
    if filters.search:
        chips.append(
            Link(
                with_query(request, q=None, page=None), words.text("Search: “%(text)s”", text=filters.search)
            )
        )
    if filters.availabilities:
        names = ", ".join(
            words.text(label) for key, label in AVAILABILITIES.items() if key in filters.availabilities
        )
        chips.append(
            Link(
                with_query(request, availability=None, page=None),
                words.text("Availability: %(names)s", names=names),
            )
        )
    if filters.pacing:
        chips.append(
            Link(
                with_query(request, pacing=None, page=None),
                words.text("Pacing: %(name)s", name=words.text(PACINGS[filters.pacing])),
            )
        )
    if filters.program:
        title = next((p["program_title"] for p in programs if p["program_id"] == filters.program), None)
        chips.append(
            Link(
                with_query(request, program=None, page=None),
                words.text("Program: %(name)s", name=title or filters.program),
            )
        )
    return chips


def _table(request: Request, words: Language, shown: Sequence[Listed]) -> Table:
    def name(item: Listed) -> Markup:
        return Markup('<a href="{}">{}</a><span class="sub">{}</span>').format(
            item.course.path, item.course.name, item.course.course_id
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

    def count(key: str, label: str, value: Callable[[Listed], int | None]) -> Column[Listed]:
        return Column(key, label, value, lambda item: words.number(value(item)))

    columns: list[Column[Listed]] = [
        Column("name", words.text("Course"), by_name, name, numeric=False),
        Column("start", words.text("Dates"), lambda item: item.start, dates, numeric=False, optional=True),
        count("total", words.text("Total"), lambda item: item.total),
        count("current", words.text("Current"), lambda item: item.current),
        Column(
            "change", words.text("Week"), lambda item: item.change, lambda item: words.signed(item.change)
        ),
        count("verified", words.text("Verified"), lambda item: item.verified),
    ]
    if any(item.masters for item in shown):
        columns.append(count("masters", words.text("Master’s"), lambda item: item.masters))
    if any(item.passing for item in shown):
        columns.append(count("passing", words.text("Passing"), lambda item: item.passing))
    sums: dict[str, str] = {
        "name": words.texts("%(n)s course shown", "%(n)s courses shown", len(shown)),
        "total": words.number(sum(i.total for i in shown)),
        "current": words.number(sum(i.current for i in shown)),
        "change": words.signed(sum(i.change for i in shown)),
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


def _empty(request: Request, words: Language, *, filtered: bool) -> State:
    if filtered:
        return State(
            words.text("No course matches"),
            words.text("Try other words, or take filters away. Search looks at names and ids of courses."),
            (Link(request.url.path, words.text("Show all courses")),),
        )
    return State(
        words.text("No data yet"),
        words.text(
            "Nothing has been counted for your courses so far. Numbers appear after the first computation; "
            "ask your operator whether it has run."
        ),
    )
