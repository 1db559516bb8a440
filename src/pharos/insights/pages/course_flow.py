"""Course flow: learners who reach each subsection, who stop there, and where they go next."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import map_drawing, navigation
from pharos.insights.access import CourseInView, CoursesInView
from pharos.insights.api import Row
from pharos.insights.blocks import name_on_map
from pharos.insights.controls import files
from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.map_drawing import Chapter
from pharos.insights.rendering import Link
from pharos.insights.reports import Figure, ReportPage, State, about, strong
from pharos.insights.shares import ENOUGH
from pharos.insights.site import Site, TheSite
from pharos.insights.tables import Column, Table, table

router = APIRouter()
REPORT = navigation.COURSE_FLOW
FILE = "engagement/course_flow"
PAGE_SIZE = 200


@dataclass(frozen=True)
class Place:
    """A subsection, in the order of the course."""

    order: int
    name: str
    section_id: str
    section: str
    row: Row
    next_name: str
    before: float | None
    """Share of those who began the last run that reached it there; None if that is not known."""

    @property
    def reached(self) -> int:
        return int(self.row["reached"])


@dataclass(frozen=True)
class Flow:
    """The flow of a course run: its places and counts."""

    began: int
    stopped: int
    sections: Sequence[Row]
    places: Sequence[Place]
    last_run: str = ""

    def share(self, place: Place) -> float | None:
        """The share of learners who began that reached the place; None if nobody began."""
        return place.reached / self.began if self.began else None


@dataclass(frozen=True)
class Drop:
    """The loss of learners from one subsection to the next."""

    place: Place
    following: Place

    @property
    def lost(self) -> int:
        return self.place.reached - self.following.reached


@dataclass(frozen=True, kw_only=True)
class FlowPage(ReportPage):
    """Where in the course do learners stop?"""

    template: ClassVar[str] = "course_flow.html"
    findings: tuple[Markup, ...] = ()
    chapters: tuple[Chapter, ...] = ()


@router.get("/courses/{course_id:course_page}/engagement/course_flow/")
async def course_flow(request: Request, course: CourseInView, view: CoursesInView, site: TheSite) -> Response:
    """Where in the course do learners stop?"""
    words: Language = request.state.language
    rows, earlier = await asyncio.gather(
        site.api.course_flow(course.course_id), site.directory.earlier_runs(course, view.visible)
    )
    run, theirs = await _last_run(site, earlier)
    flow = flow_of(words, rows, theirs, run)
    return site.renderer.render(request, _page(request, course, flow))


async def _last_run(site: Site, earlier: Sequence[Course]) -> tuple[str, list[Row]]:
    """The last run and its rows; empty if there is none."""
    return (earlier[0].run, await site.api.course_flow(earlier[0].course_id)) if earlier else ("", [])


def flow_of(words: Language, rows: Sequence[Row], theirs: Sequence[Row] = (), run: str = "") -> Flow:
    """The subsections of the present outline, and deleted ones that learners reached, in order."""
    whole = next((row for row in rows if row["level"] == "course"), None)
    sections = [row for row in rows if row["level"] == "section"]
    names = {row["block_id"]: row["display_name"] for row in rows}
    before = _shares_by_name(theirs)
    places: list[Place] = []
    for row in rows:
        if row["level"] != "subsection":
            continue
        section = names.get(row["parent_block_id"], "")
        shown = f"{section} · {words.text('not in the course any more')}" if row["is_deleted"] else section
        places.append(
            Place(
                len(places) + 1,
                row["display_name"],
                row["parent_block_id"] or "",
                shown,
                row,
                names.get(row["next_block_id"], ""),
                before.get((section, row["display_name"])),
            )
        )
    began, stopped = (whole["reached"], whole["stopped"]) if whole is not None else (0, 0)
    return Flow(began, stopped, sections, places, run if before else "")


def _shares_by_name(rows: Sequence[Row]) -> Mapping[tuple[str, str], float]:
    """(section, subsection) -> share of learners who reached it. Names, because ids differ between runs."""
    began = next((row["reached"] for row in rows if row["level"] == "course"), 0)
    names = {row["block_id"]: row["display_name"] for row in rows}
    return {
        (names.get(row["parent_block_id"], ""), row["display_name"]): row["reached"] / began
        for row in rows
        if row["level"] == "subsection" and began
    }


def worst_drop(flow: Flow) -> Drop | None:
    """The two consecutive subsections with the largest loss of learners; None without a loss or if few began.

    Deleted subsections and subsections that nobody reached do not count: the latter may not be open yet.
    """
    here = [place for place in flow.places if place.reached and not place.row["is_deleted"]]
    drops = [Drop(place, following) for place, following in pairwise(here)]
    if flow.began < ENOUGH or not drops:
        return None
    worst = max(drops, key=lambda drop: (drop.lost, -drop.place.order))
    return worst if worst.lost > 0 else None


def sentence(words: Language, flow: Flow) -> Markup:
    """The place where most learners stop, and the largest drop."""
    parts = [_stops(words, flow)]
    if (drop := worst_drop(flow)) is not None:
        parts.append(
            words.htmls(
                "The largest drop is from %(place)s to %(next)s: <strong>%(n)s</strong> learner fewer.",
                "The largest drop is from %(place)s to %(next)s: <strong>%(n)s</strong> learners fewer.",
                drop.lost,
                place=_bold(drop.place.name),
                next=_bold(drop.following.name),
            )
        )
    return words.sentences(*parts)


def _stops(words: Language, flow: Flow) -> Markup:
    most = max(flow.sections, key=lambda row: row["stopped"], default=None)
    if most is None or not most["stopped"]:
        return words.htmls(
            "<strong>%(n)s</strong> learner began, and nobody has stopped.",
            "<strong>%(n)s</strong> learners began, and nobody has stopped.",
            flow.began,
        )
    return words.htmls(
        "Of %(n)s learner who began, %(stopped)s stops in %(section)s, the highest number of all sections.",
        "Of %(n)s learners who began, %(stopped)s stop in %(section)s, the highest number of all sections.",
        flow.began,
        stopped=strong(words.number(most["stopped"])),
        section=_bold(most["display_name"]),
    )


def _bold(name: str) -> Markup:
    return Markup("<strong><bdi>{}</bdi></strong>").format(name)


def _page(request: Request, course: Course, flow: Flow) -> FlowPage:
    words: Language = request.state.language
    names = about(request, REPORT)
    if not flow.began:
        return FlowPage(
            **names,
            answer=words.html("<strong>Nobody has begun yet.</strong>"),
            empty=State(
                words.text("No visits yet"),
                words.text(
                    "Numbers appear after the first learner has opened a subsection and the next computation "
                    "has run. The learning platform must tell how the course is built."
                ),
                (Link(course.path, words.text("Back to course home")),),
            ),
        )
    return FlowPage(
        **names,
        answer=sentence(words, flow),
        figures_label=words.text("Course flow"),
        figures=_figures(words, flow),
        chapters=_chapters(words, flow),
        table=_table(request, words, flow),
        **files(course, FILE),
    )


def _figures(words: Language, flow: Flow) -> tuple[Figure, ...]:
    here = [place for place in flow.places if place.reached and not place.row["is_deleted"]]
    last = here[-1] if here else None
    found = [
        Figure("began", words.text("Began"), words.number(flow.began), words.text("reached any place")),
        Figure(
            "stopped",
            words.text("Stopped"),
            words.number(flow.stopped),
            words.text("quiet, slowing down or left"),
            href="#table",
        ),
    ]
    if last is not None:
        share = words.percent(flow.share(last))
        found.append(Figure("reached_last", words.text("Got furthest"), share, last.name))
    return tuple(found)


def _chapters(words: Language, flow: Flow) -> tuple[Chapter, ...]:
    """A bar for each subsection by the share that reached it; a mark at the end of the worst drop."""
    drop = worst_drop(flow)

    def spot(place: Place) -> map_drawing.Spot:
        share = words.percent(flow.share(place))
        label = words.texts(
            "%(name)s: reached by %(n)s learner (%(share)s)",
            "%(name)s: reached by %(n)s learners (%(share)s)",
            place.reached,
            name=place.name,
            share=share,
        )
        is_worst = drop is not None and drop.following is place
        href = f"#place-{place.order}" if place.reached else ""
        return map_drawing.Spot(label, href, flow.share(place), worst=share if is_worst else "")

    found = []
    for section in flow.sections:
        spots = [spot(place) for place in flow.places if place.section_id == section["block_id"]]
        if spots:
            note = words.texts("%(n)s stops here", "%(n)s stop here", section["stopped"])
            row = map_drawing.row_of("", spots)
            found.append(Chapter(section["display_name"], note if section["stopped"] else "", (row,)))
    return tuple(found)


def _table(request: Request, words: Language, flow: Flow) -> Table:
    drop = worst_drop(flow)

    def name(place: Place) -> Markup:
        is_worst = drop is not None and drop.following is place
        told = name_on_map(words, "", place.name, place.section, is_worst=is_worst)
        return Markup('<span id="place-{}">{}</span>').format(place.order, told)

    def count(key: str, label: str, *, optional: bool = True) -> Column[Place]:
        return Column(key, label, lambda p: p.row[key], lambda p: words.number(p.row[key]), optional=optional)

    columns: list[Column[Place]] = [
        Column("order", words.text("Subsection"), lambda p: p.order, name, numeric=False),
        count("reached", words.text("Reached"), optional=False),
        Column("share", words.text("Of those who began"), flow.share, lambda p: words.percent(flow.share(p))),
        *(
            [
                Column(
                    "last_run",
                    words.text("Last run"),
                    lambda p: p.before,
                    lambda p: words.percent(p.before) if p.before is not None else "–",
                    quiet=True,
                    optional=True,
                )
            ]
            if flow.last_run
            else []
        ),
        count("completed", words.text("Completed")),
        count("tried", words.text("Tried a problem")),
        count("watched", words.text("Watched a video")),
        count("stopped", words.text("Stop here"), optional=False),
        Column(
            "next",
            words.text("Most go on to"),
            lambda p: p.next_name or None,
            lambda p: Markup("<bdi>{}</bdi>").format(p.next_name or "–"),
            numeric=False,
            optional=True,
        ),
    ]
    return table(
        request,
        words.text("Subsections"),
        columns,
        flow.places,
        sort="order",
        page_size=PAGE_SIZE,
        number=words.number,
    )
