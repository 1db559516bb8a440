"""The course map: every problem as one small bar in the order of the course, and as a line, worst first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import findings, map_drawing, navigation
from pharos.insights.access import CourseInView
from pharos.insights.blocks import linked, name_on_map, named_shares
from pharos.insights.controls import files
from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.map_drawing import Chapter, median
from pharos.insights.outline import Outline, key_of
from pharos.insights.problem_counts import NOTHING, Counts
from pharos.insights.problem_lists import FILE, NOT_TOLD, counts_and_outline, no_answers_state, problem_path
from pharos.insights.reports import Figure, ReportPage, about
from pharos.insights.shares import ENOUGH, lowest
from pharos.insights.site import TheSite
from pharos.insights.tables import Column, Table, table

router = APIRouter()
REPORT = navigation.COURSE_MAP
WORST = 3
HALF = 0.5
PAGE_SIZE = 25


@dataclass(frozen=True)
class Spot:
    """A problem on the map."""

    order: int
    problem_id: str
    name: str
    section: str
    graded: bool
    counts: Counts
    href: str

    @property
    def told(self) -> bool:
        """True if the problem has enough answers to be called hard."""
        return self.counts.total >= ENOUGH


@dataclass(frozen=True, kw_only=True)
class MapPage(ReportPage):
    """Where in the course do learners get stuck?"""

    template: ClassVar[str] = "course_map.html"
    findings: tuple[Markup, ...] = ()
    """What deserves a look, in words, with the problem that it is about."""
    chapters: tuple[Chapter, ...] = ()


@router.get("/courses/{course_id:course_page}/performance/course_map/")
async def course_map(request: Request, course: CourseInView, site: TheSite) -> Response:
    """Where in the course do learners get stuck?"""
    (counts, outline), found = await asyncio.gather(
        counts_and_outline(site, course), site.api.findings(course.course_id)
    )
    return site.renderer.render(request, _page(request, course, counts, found, outline))


def _page(
    request: Request,
    course: Course,
    counts: Mapping[str, Counts],
    found: Sequence[findings.Row],
    outline: Outline | None,
) -> MapPage:
    words: Language = request.state.language
    names = about(request, REPORT)
    if outline is None and counts:
        names["note"] = words.text(NOT_TOLD)
    spots = spots_of(words, course, counts, outline)
    answered = [spot for spot in spots if spot.counts.total]
    if not answered:
        return MapPage(
            **names,
            answer=words.html("<strong>Nobody has answered a problem yet.</strong>"),
            empty=no_answers_state(words, course),
        )
    worst = worst_of(spots)
    return MapPage(
        **names,
        answer=sentence(words, worst),
        findings=findings.most_urgent(
            words, found, {spot.problem_id: linked(spot.href, spot.name) for spot in spots}
        ),
        figures_label=words.text("Problem metrics"),
        figures=_figures(words, spots),
        chapters=_chapters(words, outline, spots, worst) if outline is not None else (),
        table=_table(request, words, spots, worst),
        **files(course, FILE),
    )


def spots_of(
    words: Language, course: Course, counts: Mapping[str, Counts], outline: Outline | None
) -> list[Spot]:
    """All problems of the course in its order, then problems with answers that the outline lacks."""
    spots: list[Spot] = []
    places = outline.problems if outline is not None else {}
    for problem_id, path in places.items():
        found = counts.get(problem_id, NOTHING)
        href = problem_path(course, problem_id) if found.total else ""
        spots.append(
            Spot(
                len(spots) + 1, problem_id, path[-1].name, path[0].name, path[-1].graded is True, found, href
            )
        )
    gone = words.text("not in the course any more") if outline is not None else ""
    for problem_id, found in counts.items():
        if problem_id not in places:
            href = problem_path(course, problem_id)
            spots.append(Spot(len(spots) + 1, problem_id, key_of(problem_id), gone, False, found, href))
    return spots


def worst_of(spots: Sequence[Spot]) -> list[Spot]:
    """Of the problems with enough answers, the three with the lowest shares of right answers."""
    return lowest(spots, lambda spot: spot.counts)[:WORST]


def sentence(words: Language, worst: Sequence[Spot]) -> Markup:
    """The problems with the lowest shares of right answers."""
    if not worst:
        return words.htmls(
            "<strong>Too few to tell:</strong> no problem has %(n)s answer.",
            "<strong>Too few to tell:</strong> no problem has %(n)s answers.",
            ENOUGH,
        )
    named = named_shares(words, [(spot.href, spot.name, spot.counts.share) for spot in worst])
    return words.html("The fewest right answers are at %(problems)s.", problems=named)


def _figures(words: Language, spots: Sequence[Spot]) -> tuple[Figure, ...]:
    def middle(key: str, label: str, *, graded: bool) -> Figure:
        shares = sorted(s.counts.share or 0.0 for s in spots if s.graded is graded and s.told)
        value = median(shares)
        note = words.texts("median of %(n)s problem", "median of %(n)s problems", len(shares))
        return Figure(key, label, words.percent(value), note if shares else "")

    told = [spot for spot in spots if spot.told]
    low = sum(1 for spot in told if (spot.counts.share or 0.0) < HALF)
    return (
        middle("graded_right", words.text("Graded, right"), graded=True),
        middle("ungraded_right", words.text("Ungraded, right"), graded=False),
        Figure(
            "below_half",
            words.text("Below half"),
            words.number(low),
            words.texts(
                "of %(n)s problem with enough answers", "of %(n)s problems with enough answers", len(told)
            ),
            href="#table",
        ),
    )


def _chapters(
    words: Language, outline: Outline, spots: Sequence[Spot], worst: Sequence[Spot]
) -> tuple[Chapter, ...]:
    """The problems as bars."""
    by_id = {spot.problem_id: spot for spot in spots}
    drawn = {
        spot.problem_id: map_drawing.Spot(
            _label(words, spot),
            spot.href,
            spot.counts.share,
            hollow=not spot.graded,
            worst=words.percent(spot.counts.share) if spot in worst else "",
        )
        for spot in spots
    }

    def note(ids: Sequence[str]) -> str:
        own = [by_id[problem_id].counts for problem_id in ids]
        total = Counts(sum(c.total for c in own), sum(c.right for c in own))
        return words.text("%(share)s right", share=words.percent(total.share)) if total.total else ""

    return map_drawing.chapters(outline, drawn, note)


def _label(words: Language, spot: Spot) -> str:
    if not spot.counts.total:
        return words.text("%(name)s: no answers yet", name=spot.name)
    return words.texts(
        "%(name)s: %(share)s right, %(n)s answer",
        "%(name)s: %(share)s right, %(n)s answers",
        spot.counts.total,
        name=spot.name,
        share=words.percent(spot.counts.share),
    )


def _table(request: Request, words: Language, spots: Sequence[Spot], worst: Sequence[Spot]) -> Table:
    def name(spot: Spot) -> Markup:
        return name_on_map(words, spot.href, spot.name, spot.section, is_worst=spot in worst)

    def kind(spot: Spot) -> str:
        return words.text("Graded problem") if spot.graded else words.text("Problem")

    return table(
        request,
        words.text("Problems"),
        [
            Column("problem", words.text("Problem"), lambda s: s.order, name, numeric=False),
            Column("kind", words.text("Kind"), kind, kind, numeric=False, optional=True),
            Column(
                "share",
                words.text("Share right"),
                lambda s: s.counts.share,
                lambda s: words.percent(s.counts.share),
                rising=True,
            ),
            Column(
                "answers",
                words.text("Answers"),
                lambda s: s.counts.total,
                lambda s: words.number(s.counts.total),
            ),
        ],
        spots,
        sort="share",
        page_size=PAGE_SIZE,
        number=words.number,
    )
