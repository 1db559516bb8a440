"""One problem, part by part: question, answers on first and last attempt, variants (spec 06 §9.15).

A problem has a page in each report that leads to it; this module renders all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from fastapi import APIRouter, HTTPException, Request, Response
from markupsafe import Markup

from pharos.insights import files, findings, item_quality, navigation
from pharos.insights.access import CourseInView
from pharos.insights.answer_charts import answers_chart, histogram_chart, variants_chart
from pharos.insights.answers import LONGEST_QUESTION, Answer, Answers, Part, Variant, cut, parts_of
from pharos.insights.api import Row
from pharos.insights.blocks import in_path, up_to
from pharos.insights.charts import Chart
from pharos.insights.directory import Course
from pharos.insights.files import Sheet
from pharos.insights.language import Language
from pharos.insights.navigation import Report
from pharos.insights.outline import Block, key_of
from pharos.insights.problem_lists import counts_and_outline, given, mark, problem_path, quoted
from pharos.insights.rendering import Link
from pharos.insights.reports import Figure, ReportPage, about, strong
from pharos.insights.site import Site, TheSite
from pharos.insights.tables import Column, Table, fixed, table

router = APIRouter()
A = TypeVar("A", bound=Answers)
COURSE = "/courses/{course_id:course_page}"
PAGE_SIZE = 25
MOST_TABS = 7
"""Parts that are offered side by side; more are in the table of parts alone."""
COLUMNS = (
    "answer_value",
    "consolidated_variant",
    "correct",
    "count",
    "course_id",
    "created",
    "first_response_count",
    "last_response_count",
    "module_id",
    "part_id",
    "problem_display_name",
    "question_text",
    "value_id",
    "variant",
)
"""Of the file; of the three counts those that the rows have."""


@dataclass(frozen=True)
class Place:
    """The place of a problem: the pages above it, and its neighbours in the order of the course."""

    report: Report
    trail: tuple[Link, ...]
    beside: Sequence[Block]
    address: Callable[[str], str]
    """Of the page of a problem, by its id."""


@dataclass(frozen=True, kw_only=True)
class ProblemPage(ReportPage):
    """How did learners answer this part of the problem?"""

    template: ClassVar[str] = "problem.html"
    findings: tuple[Markup, ...] = ()
    """What deserves a look, in words."""
    heading: str
    asked: str
    """The question as learners saw it; empty where each variant has its own."""
    in_course: str
    """The problem in the LMS."""
    previous: str = ""
    next: str = ""
    part_links: tuple[Link, ...] = ()
    sizes: Chart | None = None
    """Numeric answers by size."""
    parts: Table | None = None
    variants: Table | None = None
    quality: tuple[Markup, ...] = ()
    """How well it works as a question, in words."""
    strength: Table | None = None
    """First answers of strong and weak learners."""


@router.get(COURSE + "/performance/problems/{problem_id:path}/parts/{part_id}/answer_distribution/")
async def part(
    request: Request, course: CourseInView, site: TheSite, problem_id: str, part_id: str
) -> Response:
    """How did learners answer this part of the problem? Below the course map."""
    place = _on_the_map(request, course)
    return await render_problem(request, site, course, place, problem_id, part_id)


@router.get(COURSE + "/performance/problems/{problem_id:path}/")
async def problem(request: Request, course: CourseInView, site: TheSite, problem_id: str) -> Response:
    """How did learners answer the first part of the problem? Below the course map."""
    return await render_problem(request, site, course, _on_the_map(request, course), problem_id)


def _on_the_map(request: Request, course: Course) -> Place:
    words: Language = request.state.language
    report = navigation.COURSE_MAP
    return Place(report, (up_to(words, course, report),), (), lambda other: problem_path(course, other))


async def render_problem(
    request: Request, site: Site, course: Course, place: Place, problem_id: str, part_id: str = ""
) -> Response:
    """The page of a part; without an id, of the first part. Raises HTTPException 404 if it was never
    answered.
    """
    rows, found, items, strength, (answered, outline) = await asyncio.gather(
        site.api.answer_distribution(course.course_id, problem_id),
        site.api.findings(course.course_id),
        site.api.item_quality(course.course_id),
        site.api.item_answers(course.course_id, problem_id),
        counts_and_outline(site, course),
    )
    parts = parts_of(rows)
    shown = next((p for p in parts if p.part_id == part_id or not part_id), None)
    if shown is None:
        raise HTTPException(404)
    path = outline.problems.get(problem_id) if outline is not None else None
    name = path[-1].name if path else parts[0].problem or key_of(problem_id)
    view = _View(
        course,
        place,
        problem_id,
        name,
        parts,
        shown,
        findings.about(found, problem_id, shown.part_id),
        item_quality.of_part(items, problem_id, shown.part_id),
        [row for row in strength if row["part_id"] == shown.part_id],
    )
    page = _page(request, site, view, [b.id for b in place.beside if b.id in answered])
    return site.renderer.render(request, page)


@dataclass(frozen=True)
class _View:
    """The data of the page."""

    course: Course
    place: Place
    problem_id: str
    name: str
    parts: Sequence[Part]
    shown: Part
    findings: Sequence[findings.Row]
    item: Row | None
    """The numbers of the part as a question, if they are published."""
    strength: Sequence[Row]
    """Its answers with the strong and weak learners who gave them."""

    def address(self, part: Part) -> str:
        """The page of a part; for the first part, that of the problem."""
        path = self.place.address(self.problem_id)
        return path if part is self.parts[0] else f"{path}parts/{in_path(part.part_id)}/answer_distribution/"


def _page(request: Request, site: Site, view: _View, answered: Sequence[str]) -> ProblemPage:
    words: Language = request.state.language
    shown, place = view.shown, view.place
    names = about(request, place.report)
    names["title"] = words.text("Problem Submissions: %(name)s", name=view.name)
    names["question"] = words.text("How did learners answer this problem?")
    if shown.variants:
        names["note"] = words.text(
            "This problem is randomised: learners see different questions, so the chart has its variants. "
            "The table has the answers to all of them."
        )
    at = answered.index(view.problem_id) if view.problem_id in answered else -1
    file = f"performance/graded_content/problems/{in_path(view.problem_id)}/answer_distribution/"
    file += in_path(shown.part_id)
    return ProblemPage(
        **names,
        trail=(*place.trail, Link("", view.name, current=True)),
        answer=sentence(words, shown),
        findings=tuple(findings.sentence(words, row) for row in view.findings),
        heading=_heading(words, view),
        asked="" if shown.variants else cut(shown.question, LONGEST_QUESTION),
        in_course=f"{site.lms_url}/courses/{in_path(view.course.course_id)}/jump_to/{in_path(view.problem_id)}",
        previous=place.address(answered[at - 1]) if at > 0 else "",
        next=place.address(answered[at + 1]) if 0 <= at < len(answered) - 1 else "",
        part_links=_part_links(words, view),
        figures_label=words.text("Problem metrics"),
        figures=_figures(words, shown),
        chart=(variants_chart if shown.variants else answers_chart)(words, view.course, shown),
        sizes=None if shown.variants else histogram_chart(words, view.course, shown),
        table=_answers_table(request, words, shown),
        parts=_parts_table(words, view) if len(view.parts) > 1 else None,
        variants=_variants_table(words, shown.variants) if shown.variants else None,
        quality=item_quality.sentences(words, view.item) if view.item else (),
        strength=item_quality.answers_table(words, view.strength),
        csv=f"{view.course.path}csv/{file}/",
        xlsx=f"{view.course.path}xlsx/{file}/",
    )


def _heading(words: Language, view: _View) -> str:
    if len(view.parts) == 1:
        return view.name
    return words.text(
        "Part %(number)s of %(parts)s: %(name)s",
        number=words.number(view.shown.number),
        parts=words.number(len(view.parts)),
        name=view.name,
    )


def _part_links(words: Language, view: _View) -> tuple[Link, ...]:
    if not 1 < len(view.parts) <= MOST_TABS:
        return ()
    return tuple(
        Link(view.address(p), words.text("Part %(number)s", number=words.number(p.number)), p is view.shown)
        for p in view.parts
    )


# --- Words


def sentence(words: Language, part: Part) -> Markup:
    """The shares of right last and first answers, and the most frequent wrong answer."""
    if not part.last:
        return words.html("<strong>Nobody has an answer to this part.</strong>")
    said = [_right(words, part)]
    if part.share_first is not None:
        said.append(
            words.html(
                "On the first attempt it was %(share)s.", share=strong(words.percent(part.share_first))
            )
        )
    wrong = next((a for a in part.answers if a.correct is False and a.last and a.text is not None), None)
    if wrong is not None and not part.variants and any(a.correct for a in part.answers):
        given = quoted(wrong.text or "")
        said.append(
            words.html(
                "The most frequent wrong answer is %(answer)s (%(share)s).",
                answer=given,
                share=words.percent(wrong.last / part.last),
            )
        )
    return words.sentences(*said)


def _right(words: Language, part: Part) -> Markup:
    right = [answer for answer in part.answers if answer.correct]
    if not right:
        return words.htmls(
            "<strong>No answer counts as right</strong>; %(n)s learner answered.",
            "<strong>No answer counts as right</strong>; %(n)s learners answered.",
            part.last,
        )
    share = words.percent(part.share_last)
    only = right[0].text if len(right) == 1 else None
    if only is not None:
        given = quoted(only)
        return words.htmls(
            "<strong>%(share)s</strong> of %(n)s learner ended with the right answer, %(answer)s.",
            "<strong>%(share)s</strong> of %(n)s learners ended with the right answer, %(answer)s.",
            part.last,
            share=share,
            answer=given,
        )
    return words.htmls(
        "<strong>%(share)s</strong> of %(n)s learner ended with a right answer.",
        "<strong>%(share)s</strong> of %(n)s learners ended with a right answer.",
        part.last,
        share=share,
    )


def _figures(words: Language, part: Part) -> tuple[Figure, ...]:
    of_last = words.texts("of %(n)s learner", "of %(n)s learners", part.last)
    found = [
        Figure("answered", words.text("Learners who answered"), words.number(part.last)),
        Figure("right_last", words.text("Right on last attempt"), words.percent(part.share_last), of_last),
    ]
    if part.first is not None:
        of_first = words.texts("of %(n)s learner", "of %(n)s learners", part.first)
        found.append(
            Figure(
                "right_first", words.text("Right on first attempt"), words.percent(part.share_first), of_first
            )
        )
    wrong = part.last - part.right_last
    found.append(Figure("still_wrong", words.text("Still wrong"), words.number(wrong), of_last))
    return tuple(found)


# --- Tables


def _answers_table(request: Request, words: Language, part: Part) -> Table:
    columns = [
        Column("answer", words.text("Answer"), _sortable, lambda a: _shown(words, a), numeric=False),
        Column(
            "correct",
            words.text("Right"),
            lambda a: a.correct,
            lambda a: mark(words, a.correct),
            numeric=False,
        ),
    ]
    if part.variants:
        columns.append(
            Column("variant", words.text("Variant"), lambda a: a.variant, lambda a: _seed(words, a.variant))
        )
    if part.first is not None:
        columns.append(
            Column("first", words.text("First attempt"), lambda a: a.first, lambda a: words.number(a.first))
        )
    columns += [
        Column("last", words.text("Last attempt"), lambda a: a.last, lambda a: words.number(a.last)),
        Column(
            "share",
            words.text("Share of last"),
            lambda a: a.last,
            lambda a: words.percent(a.last / part.last if part.last else None),
            optional=True,
        ),
    ]
    if part.first is not None:
        columns.append(
            Column(
                "gain",
                words.text("Difference"),
                lambda a: a.gain,
                lambda a: words.signed(a.gain),
                optional=True,
            )
        )
    caption = words.text("Answers")
    return table(
        request, caption, columns, part.answers, sort="-last", page_size=PAGE_SIZE, number=words.number
    )


def _sortable(answer: Answer) -> str | None:
    return answer.text.casefold() if answer.text is not None else None


def _shown(words: Language, answer: Answer) -> Markup:
    """The answer as written; right answers in bold."""
    text = given(words, answer.text)
    return Markup("<strong>{}</strong>").format(text) if answer.text and answer.correct else text


def _seed(words: Language, seed: int | None) -> str:
    return "–" if seed is None else words.number(seed)


def _parts_table(words: Language, view: _View) -> Table:
    def name(part: Part) -> Markup:
        text = words.text("Part %(number)s", number=words.number(part.number))
        if part is view.shown:
            shown = Markup("<strong>{}</strong>").format(text)
        else:
            shown = Markup('<a href="{}">{}</a>').format(view.address(part), text)
        return shown + Markup('<span class="sub"><bdi>{}</bdi></span>').format(cut(part.question))

    head = Column[Part]("part", words.text("Part"), lambda p: p.number, name, numeric=False)
    return fixed(words.text("Parts of the problem"), [head, *_compared(words)], view.parts)


def _variants_table(words: Language, variants: Sequence[Variant]) -> Table:
    def name(variant: Variant) -> Markup:
        return Markup('{}<span class="sub"><bdi>{}</bdi></span>').format(
            words.text("Variant %(seed)s", seed=_seed(words, variant.seed)), cut(variant.question)
        )

    head = Column[Variant]("variant", words.text("Variant"), lambda v: v.seed, name, numeric=False)
    return fixed(words.text("Variants"), [head, *_compared(words)], variants)


def _compared(words: Language) -> list[Column[A]]:
    """The columns for comparing parts, and variants."""
    return [
        Column("last", words.text("Learners"), lambda a: a.last, lambda a: words.number(a.last)),
        Column(
            "share_first",
            words.text("Right at first"),
            lambda a: a.share_first,
            lambda a: words.percent(a.share_first),
        ),
        Column(
            "share_last",
            words.text("Right at last"),
            lambda a: a.share_last,
            lambda a: words.percent(a.share_last),
        ),
    ]


# --- Files


FILE = "performance/graded_content/problems/{problem_id:path}/answer_distribution/{part_id}/"


@router.get(f"{COURSE}/csv/{FILE}")
async def as_csv(request: Request, course: CourseInView, site: TheSite, problem_id: str) -> Response:
    """All answers to the problem as CSV; a part in the address is ignored."""
    return await _file(request, course, site, problem_id, files.CSV)


@router.get(f"{COURSE}/xlsx/{FILE}")
async def as_xlsx(request: Request, course: CourseInView, site: TheSite, problem_id: str) -> Response:
    """All answers to the problem as a workbook; a part in the address is ignored."""
    return await _file(request, course, site, problem_id, files.XLSX)


async def _file(request: Request, course: Course, site: Site, problem_id: str, kind: str) -> Response:
    """A file of all complete answers (spec 06 §10). Raises HTTPException 404 if there are none."""
    words: Language = request.state.language
    rows = await site.api.answer_distribution(course.course_id, problem_id)
    if not rows:
        raise HTTPException(404)
    sheet = Sheet(
        "-".join((*course.parts, "")) + "-performance-answer-distribution",
        [name for name in COLUMNS if name in rows[0]],
        rows,
        request.state.definitions.get(navigation.GRADED.table),
        [*files.about_course(words, course), (words.text("Problem"), problem_id)],
    )
    return await files.response(words, sheet, kind)
