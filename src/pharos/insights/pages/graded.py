"""Graded content: assignment types, assignments, problems and their answers (spec 06 §9.12-9.13, §9.15)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, HTTPException, Request, Response

from pharos.insights import navigation
from pharos.insights.access import CourseInView
from pharos.insights.blocks import in_path, of_block, up_to
from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.outline import Group, Outline, slug
from pharos.insights.pages.problem import Place, render_problem
from pharos.insights.pages.problem_responses import file_of_responses
from pharos.insights.problem_counts import Counts, Line, total
from pharos.insights.problem_lists import (
    Listing,
    counts_and_outline,
    list_page,
    problem_lines,
    problem_path,
    untold,
)
from pharos.insights.rendering import Link
from pharos.insights.site import Site, TheSite
from pharos.lms.rest import AssignmentType

router = APIRouter()
REPORT = navigation.GRADED
ROOT = "/courses/{course_id:course_page}/performance/graded_content"
ASSIGNMENT = ROOT + "/assignments/{assignment_id:path}"


@router.get(f"{ROOT}/")
async def graded(request: Request, course: CourseInView, site: TheSite) -> Response:
    """How are learners doing on graded problems? By assignment type."""
    words: Language = request.state.language
    (counts, outline), policy, file = await asyncio.gather(
        counts_and_outline(site, course),
        site.directory.grading_policy(course.course_id),
        file_of_responses(words, site, course),
    )
    if outline is None:
        untold_listing = replace(untold(words, course, REPORT, counts), further_file=file)
        return site.renderer.render(request, list_page(request, untold_listing))
    problems = _graded_problems(course, outline.assignments, counts)
    listing = Listing(
        course=course,
        report=REPORT,
        head=words.text("Assignment type"),
        caption=words.text("Assignment types"),
        lines=_types(course, outline, policy, counts),
        problems=problems,
        answered=total(counts, _ids(outline.assignments)),
        nothing=words.text("This course has no graded content."),
        further_file=file,
    )
    return site.renderer.render(request, list_page(request, listing))


@router.get(ASSIGNMENT + "/problems/{problem_id:path}/parts/{part_id}/answer_distribution/")
async def graded_part(
    request: Request, course: CourseInView, site: TheSite, assignment_id: str, problem_id: str, part_id: str
) -> Response:
    """How did learners answer this part of the problem?"""
    place = await _place(request, site, course, assignment_id, problem_id)
    return await render_problem(request, site, course, place, problem_id, part_id)


@router.get(ASSIGNMENT + "/problems/{problem_id:path}/")
async def graded_problem(
    request: Request, course: CourseInView, site: TheSite, assignment_id: str, problem_id: str
) -> Response:
    """How did learners answer the first part of the problem?"""
    place = await _place(request, site, course, assignment_id, problem_id)
    return await render_problem(request, site, course, place, problem_id)


@router.get(ASSIGNMENT + "/")
async def assignment(request: Request, course: CourseInView, site: TheSite, assignment_id: str) -> Response:
    """How are learners doing on this assignment?"""
    words: Language = request.state.language
    counts, outline = await counts_and_outline(site, course)
    if outline is None:
        return site.renderer.render(request, list_page(request, untold(words, course, REPORT, counts)))
    group = of_block(outline.assignments, assignment_id)
    lines = _problem_lines(course, group, counts)
    listing = Listing(
        course=course,
        report=REPORT,
        head=words.text("Problem"),
        caption=words.text("Problems"),
        lines=lines,
        problems=lines,
        answered=total(counts, (problem.id for problem in group.leaves)),
        nothing=words.text("This assignment has no problems."),
        trail=(*_trail(words, course, group), Link("", group.block.name, current=True)),
        question=words.text("How are learners doing on this assignment?"),
        title=words.text("Graded Content: %(name)s", name=group.block.name),
    )
    return site.renderer.render(request, list_page(request, listing))


@router.get(ROOT + "/{kind}/")
async def assignment_type(request: Request, course: CourseInView, site: TheSite, kind: str) -> Response:
    """How are learners doing on the assignments of a type? An unknown type is a page without them."""
    words: Language = request.state.language
    counts, outline = await counts_and_outline(site, course)
    if outline is None:
        return site.renderer.render(request, list_page(request, untold(words, course, REPORT, counts)))
    groups = [group for group in outline.assignments if slug(group.block.format) == kind]
    name = groups[0].block.format if groups else kind
    listing = Listing(
        course=course,
        report=REPORT,
        head=words.text("Assignment"),
        caption=words.text("Assignments"),
        lines=[_group_line(course, order, group, counts) for order, group in enumerate(groups, 1)],
        problems=_graded_problems(course, groups, counts),
        answered=total(counts, _ids(groups)),
        nothing=words.text("This course has no assignments of this type."),
        trail=(up_to(words, course, REPORT), Link("", name, current=True)),
        question=words.text("How are learners doing on the assignments of this type?"),
        title=words.text("Graded Content: %(name)s", name=name),
    )
    return site.renderer.render(request, list_page(request, listing))


def _types(
    course: Course, outline: Outline, policy: Sequence[AssignmentType], counts: dict[str, Counts]
) -> list[Line]:
    """The assignment types of the grading policy, then types that only assignments name."""
    weights: dict[str, tuple[str, float | None]] = {
        slug(line.name): (line.name, line.weight) for line in policy
    }
    for group in outline.assignments:
        weights.setdefault(slug(group.block.format), (group.block.format, None))
    lines = []
    for order, (kind, (name, weight)) in enumerate(weights.items(), 1):
        groups = [group for group in outline.assignments if slug(group.block.format) == kind]
        found = total(counts, _ids(groups))
        href = f"{course.path}{REPORT.path}{in_path(kind)}/" if found.total else ""
        lines.append(Line(order, name, found, href, len(_ids(groups)), weight=weight))
    return lines


def _group_line(course: Course, order: int, group: Group, counts: dict[str, Counts]) -> Line:
    found = total(counts, (problem.id for problem in group.leaves))
    href = _assignment_path(course, group) if found.total else ""
    return Line(order, group.block.name, found, href, len(group.leaves))


def _graded_problems(course: Course, groups: Sequence[Group], counts: dict[str, Counts]) -> list[Line]:
    return [line for group in groups for line in _problem_lines(course, group, counts)]


def _problem_lines(course: Course, group: Group, counts: dict[str, Counts]) -> list[Line]:
    place = _problem_place(group)
    return problem_lines(group.leaves, counts, lambda problem_id: problem_path(course, problem_id, place))


def _ids(groups: Sequence[Group]) -> list[str]:
    return [problem.id for group in groups for problem in group.leaves]


async def _place(request: Request, site: Site, course: Course, assignment_id: str, problem_id: str) -> Place:
    """The place of the problem. Raises HTTPException 404 if the assignment does not contain it."""
    words: Language = request.state.language
    outline = await site.directory.outline(course.course_id)
    if outline is None:
        return Place(
            REPORT,
            (up_to(words, course, REPORT),),
            (),
            lambda other: problem_path(course, other),
        )
    group = of_block(outline.assignments, assignment_id)
    if problem_id not in {problem.id for problem in group.leaves}:
        raise HTTPException(404)
    below = _problem_place(group)
    return Place(
        REPORT,
        (*_trail(words, course, group), Link(_assignment_path(course, group), group.block.name)),
        group.leaves,
        lambda other: problem_path(course, other, below),
    )


def _trail(words: Language, course: Course, group: Group) -> tuple[Link, ...]:
    kind = group.block.format
    return (
        up_to(words, course, REPORT),
        Link(f"{course.path}{REPORT.path}{in_path(slug(kind))}/", kind),
    )


def _problem_place(group: Group) -> str:
    return f"{REPORT.path}assignments/{in_path(group.block.id)}/"


def _assignment_path(course: Course, group: Group) -> str:
    return f"{course.path}{_problem_place(group)}"
