"""Ungraded problems: sections, subsections, problems and their answers (spec 06 §9.14-9.15)."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from pharos.insights import navigation
from pharos.insights.access import CourseInView
from pharos.insights.blocks import of_block, section_path, subsection_path, up_to, up_to_section
from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.outline import Group, Section
from pharos.insights.pages.problem import Place, render_problem
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

router = APIRouter()
REPORT = navigation.UNGRADED
ROOT = "/courses/{course_id:course_page}/performance/ungraded_content"
SECTION = ROOT + "/sections/{section_id:path}"
SUBSECTION = SECTION + "/subsections/{subsection_id:path}"


@router.get(f"{ROOT}/")
async def ungraded(request: Request, course: CourseInView, site: TheSite) -> Response:
    """How are learners doing on ungraded exercises? By section."""
    words: Language = request.state.language
    counts, outline = await counts_and_outline(site, course)
    if outline is None:
        return site.renderer.render(request, list_page(request, untold(words, course, REPORT, counts)))
    sections = outline.sections
    listing = Listing(
        course=course,
        report=REPORT,
        head=words.text("Section"),
        caption=words.text("Sections"),
        lines=[_section_line(course, order, section, counts) for order, section in enumerate(sections, 1)],
        problems=[
            line for s in sections for g in s.subsections for line in _problem_lines(course, s, g, counts)
        ],
        answered=total(counts, (problem.id for section in sections for problem in section.leaves)),
        nothing=words.text("This course has no ungraded problems."),
    )
    return site.renderer.render(request, list_page(request, listing))


@router.get(SUBSECTION + "/problems/{problem_id:path}/parts/{part_id}/answer_distribution/")
async def ungraded_part(
    request: Request,
    course: CourseInView,
    site: TheSite,
    section_id: str,
    subsection_id: str,
    problem_id: str,
    part_id: str,
) -> Response:
    """How did learners answer this part of the problem?"""
    place = await _place(request, site, course, (section_id, subsection_id, problem_id))
    return await render_problem(request, site, course, place, problem_id, part_id)


@router.get(SUBSECTION + "/problems/{problem_id:path}/")
async def ungraded_problem(
    request: Request,
    course: CourseInView,
    site: TheSite,
    section_id: str,
    subsection_id: str,
    problem_id: str,
) -> Response:
    """How did learners answer the first part of the problem?"""
    place = await _place(request, site, course, (section_id, subsection_id, problem_id))
    return await render_problem(request, site, course, place, problem_id)


@router.get(SUBSECTION + "/")
async def subsection(
    request: Request, course: CourseInView, site: TheSite, section_id: str, subsection_id: str
) -> Response:
    """How are learners doing on this subsection? By problem."""
    words: Language = request.state.language
    counts, outline = await counts_and_outline(site, course)
    if outline is None:
        return site.renderer.render(request, list_page(request, untold(words, course, REPORT, counts)))
    section = of_block(outline.sections, section_id)
    group = of_block(section.subsections, subsection_id)
    lines = _problem_lines(course, section, group, counts)
    listing = Listing(
        course=course,
        report=REPORT,
        head=words.text("Problem"),
        caption=words.text("Problems"),
        lines=lines,
        problems=lines,
        answered=total(counts, (problem.id for problem in group.leaves)),
        nothing=words.text("This subsection has no ungraded problems."),
        trail=(*up_to_section(words, course, REPORT, section), Link("", group.block.name, current=True)),
        question=words.text("How are learners doing on this subsection?"),
        title=words.text("Ungraded Problems: %(name)s", name=group.block.name),
    )
    return site.renderer.render(request, list_page(request, listing))


@router.get(SECTION + "/")
async def section(request: Request, course: CourseInView, site: TheSite, section_id: str) -> Response:
    """How are learners doing on this section? By subsection."""
    words: Language = request.state.language
    counts, outline = await counts_and_outline(site, course)
    if outline is None:
        return site.renderer.render(request, list_page(request, untold(words, course, REPORT, counts)))
    found = of_block(outline.sections, section_id)
    listing = Listing(
        course=course,
        report=REPORT,
        head=words.text("Subsection"),
        caption=words.text("Subsections"),
        lines=[
            _subsection_line(course, order, found, group, counts)
            for order, group in enumerate(found.subsections, 1)
        ],
        problems=[
            line for group in found.subsections for line in _problem_lines(course, found, group, counts)
        ],
        answered=total(counts, (problem.id for problem in found.leaves)),
        nothing=words.text("This section has no ungraded problems."),
        trail=(up_to(words, course, REPORT), Link("", found.block.name, current=True)),
        question=words.text("How are learners doing on this section?"),
        title=words.text("Ungraded Problems: %(name)s", name=found.block.name),
    )
    return site.renderer.render(request, list_page(request, listing))


def _section_line(course: Course, order: int, section: Section, counts: dict[str, Counts]) -> Line:
    found = total(counts, (problem.id for problem in section.leaves))
    href = course.path + section_path(REPORT, section) if found.total else ""
    return Line(order, section.block.name, found, href, len(section.leaves))


def _subsection_line(
    course: Course, order: int, section: Section, group: Group, counts: dict[str, Counts]
) -> Line:
    found = total(counts, (problem.id for problem in group.leaves))
    href = course.path + subsection_path(REPORT, section, group) if found.total else ""
    return Line(order, group.block.name, found, href, len(group.leaves))


def _problem_lines(course: Course, section: Section, group: Group, counts: dict[str, Counts]) -> list[Line]:
    place = subsection_path(REPORT, section, group)
    return problem_lines(group.leaves, counts, lambda problem_id: problem_path(course, problem_id, place))


async def _place(request: Request, site: Site, course: Course, ids: tuple[str, str, str]) -> Place:
    """The place of the problem in section and subsection. Raises HTTPException 404 if it is not there."""
    words: Language = request.state.language
    section_id, subsection_id, problem_id = ids
    outline = await site.directory.outline(course.course_id)
    if outline is None:
        return Place(REPORT, (up_to(words, course, REPORT),), (), lambda other: problem_path(course, other))
    section = of_block(outline.sections, section_id)
    group = of_block(section.subsections, subsection_id)
    if problem_id not in {problem.id for problem in group.leaves}:
        raise HTTPException(404)
    below = subsection_path(REPORT, section, group)
    return Place(
        REPORT,
        (*up_to_section(words, course, REPORT, section), Link(course.path + below, group.block.name)),
        group.leaves,
        lambda other: problem_path(course, other, below),
    )
