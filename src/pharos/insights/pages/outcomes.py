"""Learning outcomes: problems by the tags of their authors (spec 06 §9.16).

Every submission counts here, not only each learner's last answer, because the table of tags counts
submissions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, HTTPException, Request, Response

from pharos.insights import navigation
from pharos.insights.access import CourseInView
from pharos.insights.api import Row
from pharos.insights.blocks import in_path, up_to
from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.outline import Block, Outline, key_of, slug
from pharos.insights.pages.problem import Place, render_problem
from pharos.insights.problem_counts import Counts, Line, counts_of, total
from pharos.insights.problem_lists import SUBMISSIONS, TAGS_FILE, Listing, list_page, problem_path
from pharos.insights.rendering import Link
from pharos.insights.site import Site, TheSite

router = APIRouter()
ROOT = "/courses/{course_id:course_page}/performance/learning_outcomes"
REPORT = navigation.OUTCOMES
OUTCOME, DIFFICULTY = "learning_outcome", "difficulty"


@dataclass(frozen=True)
class Tagged:
    """A problem with tags."""

    problem_id: str
    name: str
    place: str
    """Names of the subsection and the unit it stands in."""
    outcomes: Sequence[str]
    difficulty: str
    counts: Counts
    has_answers: bool
    """Whether its answers can be shown: some kinds of problems tell none."""


@router.get(f"{ROOT}/")
async def outcomes(request: Request, course: CourseInView, site: TheSite) -> Response:
    """Measured by learning outcome, how are learners performing?"""
    words: Language = request.state.language
    problems = await _tagged(site, course)
    listing = Listing(
        course=course,
        report=REPORT,
        head=words.text("Outcome"),
        caption=words.text("Learning outcomes"),
        lines=_outcome_lines(course, problems),
        problems=_problem_lines(course, problems, ""),
        answered=_sum(problems),
        nothing=words.text("No problem of this course has a learning outcome."),
        counted=SUBMISSIONS,
        file=TAGS_FILE,
    )
    return site.renderer.render(request, list_page(request, listing))


@router.get(ROOT + "/{outcome}/problems/{problem_id:path}/parts/{part_id}/")
async def outcome_part(
    request: Request, course: CourseInView, site: TheSite, outcome: str, problem_id: str, part_id: str
) -> Response:
    """How did learners answer this part of the problem?"""
    place = await _place(request, site, course, outcome, problem_id)
    return await render_problem(request, site, course, place, problem_id, part_id)


@router.get(ROOT + "/{outcome}/problems/{problem_id:path}/")
async def outcome_problem(
    request: Request, course: CourseInView, site: TheSite, outcome: str, problem_id: str
) -> Response:
    """How did learners answer the first part of the problem?"""
    place = await _place(request, site, course, outcome, problem_id)
    return await render_problem(request, site, course, place, problem_id)


@router.get(ROOT + "/{outcome}/")
async def one_outcome(request: Request, course: CourseInView, site: TheSite, outcome: str) -> Response:
    """How are learners doing on this outcome? By problem; an unknown one is a page without them."""
    words: Language = request.state.language
    problems = _of_outcome(await _tagged(site, course), outcome)
    name = _name(problems, outcome)
    lines = _problem_lines(course, problems, outcome)
    listing = Listing(
        course=course,
        report=REPORT,
        head=words.text("Problem"),
        caption=words.text("Problems"),
        lines=lines,
        problems=lines,
        answered=_sum(problems),
        nothing=words.text("No problem of this course has this learning outcome."),
        trail=(up_to(words, course, REPORT), Link("", name, current=True)),
        question=words.text("How are learners doing on this outcome?"),
        title=words.text("Learning Outcomes: %(name)s", name=name),
        counted=SUBMISSIONS,
        file=TAGS_FILE,
    )
    return site.renderer.render(request, list_page(request, listing))


async def _tagged(site: Site, course: Course) -> list[Tagged]:
    """Problems with a learning outcome, in the order of the course; problems missing in the outline come
    last.
    """
    rows, answered, outline = await asyncio.gather(
        site.api.problems_and_tags(course.course_id),
        site.api.problems(course.course_id),
        site.directory.outline(course.course_id),
    )
    told = {row["module_id"] for row in answered}
    counts = counts_of(rows)
    places = {problem_id: n for n, problem_id in enumerate(outline.problems)} if outline is not None else {}
    rows = sorted(rows, key=lambda row: places.get(row["module_id"], len(places)))
    return [_problem(row, outline, counts, told) for row in rows if row["tags"].get(OUTCOME)]


def _problem(row: Row, outline: Outline | None, counts: dict[str, Counts], told: set[str]) -> Tagged:
    problem_id, tags = row["module_id"], row["tags"]
    path: Sequence[Block] = outline.problems.get(problem_id, ()) if outline is not None else ()
    return Tagged(
        problem_id=problem_id,
        name=path[-1].name if path else key_of(problem_id),
        place=", ".join(block.name for block in path[-3:-1]) or problem_id,
        outcomes=tags[OUTCOME],
        difficulty=", ".join(tags.get(DIFFICULTY, ())),
        counts=counts[problem_id],
        has_answers=problem_id in told,
    )


def _outcome_lines(course: Course, problems: Sequence[Tagged]) -> list[Line]:
    """A line for each outcome, in the order of the course; a problem counts in each of its outcomes."""
    names = dict.fromkeys(name for problem in problems for name in problem.outcomes)
    lines = []
    for order, name in enumerate(names, 1):
        own = [problem for problem in problems if name in problem.outcomes]
        href = f"{course.path}{REPORT.path}{in_path(slug(name))}/"
        lines.append(Line(order, name, _sum(own), href, len(own)))
    return lines


def _problem_lines(course: Course, problems: Sequence[Tagged], outcome: str) -> list[Line]:
    """`outcome` is that of the page; without one, each problem is shown below its first outcome."""
    return [
        Line(
            order,
            problem.name,
            problem.counts,
            problem_path(course, problem.problem_id, _below(outcome or slug(problem.outcomes[0])))
            if problem.has_answers
            else "",
            note=problem.place,
            difficulty=problem.difficulty,
        )
        for order, problem in enumerate(problems, 1)
    ]


def _sum(problems: Sequence[Tagged]) -> Counts:
    return total({p.problem_id: p.counts for p in problems}, (p.problem_id for p in problems))


def _of_outcome(problems: Sequence[Tagged], outcome: str) -> list[Tagged]:
    return [problem for problem in problems if outcome in map(slug, problem.outcomes)]


def _name(problems: Sequence[Tagged], outcome: str) -> str:
    return next((name for p in problems for name in p.outcomes if slug(name) == outcome), outcome)


async def _place(request: Request, site: Site, course: Course, outcome: str, problem_id: str) -> Place:
    """The place of the problem. Raises HTTPException 404 if the problem does not have this outcome."""
    words: Language = request.state.language
    problems = _of_outcome(await _tagged(site, course), outcome)
    if problem_id not in {problem.problem_id for problem in problems}:
        raise HTTPException(404)
    above = Link(f"{course.path}{REPORT.path}{in_path(outcome)}/", _name(problems, outcome))
    return Place(
        REPORT,
        (up_to(words, course, REPORT), above),
        [Block(p.problem_id, "problem", p.name) for p in problems],
        lambda other: problem_path(course, other, _below(outcome)),
    )


def _below(outcome: str) -> str:
    return f"{REPORT.path}{in_path(outcome)}/"
