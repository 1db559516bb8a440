"""Videos: sections, subsections and videos, by viewers who reach the end (spec 06 §9.10)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from fastapi import APIRouter, HTTPException, Request, Response

from pharos.insights.access import CourseInView, CoursesInView
from pharos.insights.blocks import of_block, section_path, subsection_path, up_to, up_to_section
from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.outline import Block, Group, Outline, Section, player_id
from pharos.insights.pages.video import Place, render_video
from pharos.insights.rendering import Link
from pharos.insights.site import Site, TheSite
from pharos.insights.video_counts import Line, Video, Viewers, total, videos_of
from pharos.insights.video_lists import REPORT, Listing, list_page, untold, video_lines, video_path

router = APIRouter()
ROOT = "/courses/{course_id:course_page}/engagement/videos"
SECTION = ROOT + "/sections/{section_id:path}"
SUBSECTION = SECTION + "/subsections/{subsection_id:path}"


@router.get(f"{ROOT}/")
async def videos(request: Request, course: CourseInView, site: TheSite) -> Response:
    """How did learners interact with course videos? By section."""
    words: Language = request.state.language
    found, outline = await _asked(site, course)
    if outline is None:
        return site.renderer.render(request, list_page(request, untold(words, course, found)))
    sections = outline.video_sections
    listing = Listing(
        course=course,
        head=words.text("Section"),
        caption=words.text("Sections"),
        lines=[_section_line(course, order, section, found) for order, section in enumerate(sections, 1)],
        videos=[line for s in sections for g in s.subsections for line in _video_lines(course, s, g, found)],
        watched=_total(found, (video for section in sections for video in section.leaves)),
        nothing=words.text("This course has no videos."),
    )
    return site.renderer.render(request, list_page(request, listing))


@router.get(SUBSECTION + "/modules/{video_id:path}/timeline/")
async def video(
    request: Request,
    course: CourseInView,
    view: CoursesInView,
    site: TheSite,
    section_id: str,
    subsection_id: str,
    video_id: str,
) -> Response:
    """How was this video watched?"""
    place = await _place(request, site, course, (section_id, subsection_id, video_id))
    return await render_video(request, site, course, place, video_id, view.visible)


@router.get(SUBSECTION + "/")
async def subsection(
    request: Request, course: CourseInView, site: TheSite, section_id: str, subsection_id: str
) -> Response:
    """How did learners interact with the videos of this subsection?"""
    words: Language = request.state.language
    found, outline = await _asked(site, course)
    if outline is None:
        return site.renderer.render(request, list_page(request, untold(words, course, found)))
    section = of_block(outline.video_sections, section_id)
    group = of_block(section.subsections, subsection_id)
    lines = _video_lines(course, section, group, found)
    listing = Listing(
        course=course,
        head=words.text("Video"),
        caption=words.text("Videos"),
        lines=lines,
        videos=lines,
        watched=_total(found, group.leaves),
        nothing=words.text("This subsection has no videos."),
        trail=(*up_to_section(words, course, REPORT, section), Link("", group.block.name, current=True)),
        question=words.text("How did learners interact with the videos of this subsection?"),
        title=words.text("Engagement Videos: %(name)s", name=group.block.name),
    )
    return site.renderer.render(request, list_page(request, listing))


@router.get(SECTION + "/")
async def section(request: Request, course: CourseInView, site: TheSite, section_id: str) -> Response:
    """How did learners interact with the videos of this section? By subsection."""
    words: Language = request.state.language
    found, outline = await _asked(site, course)
    if outline is None:
        return site.renderer.render(request, list_page(request, untold(words, course, found)))
    shown = of_block(outline.video_sections, section_id)
    listing = Listing(
        course=course,
        head=words.text("Subsection"),
        caption=words.text("Subsections"),
        lines=[
            _subsection_line(course, order, shown, group, found)
            for order, group in enumerate(shown.subsections, 1)
        ],
        videos=[line for group in shown.subsections for line in _video_lines(course, shown, group, found)],
        watched=_total(found, shown.leaves),
        nothing=words.text("This section has no videos."),
        trail=(up_to(words, course, REPORT), Link("", shown.block.name, current=True)),
        question=words.text("How did learners interact with the videos of this section?"),
        title=words.text("Engagement Videos: %(name)s", name=shown.block.name),
    )
    return site.renderer.render(request, list_page(request, listing))


async def _asked(site: Site, course: Course) -> tuple[dict[str, Video], Outline | None]:
    rows, outline = await asyncio.gather(
        site.api.videos(course.course_id), site.directory.outline(course.course_id)
    )
    return videos_of(rows), outline


def _total(videos: Mapping[str, Video], blocks: Iterable[Block]) -> Viewers:
    return total(videos, (player_id(block.id) for block in blocks))


def _section_line(course: Course, order: int, section: Section, videos: Mapping[str, Video]) -> Line:
    found = _total(videos, section.leaves)
    href = course.path + section_path(REPORT, section) if found.total else ""
    return Line(order, section.block.name, found, href, len(section.leaves))


def _subsection_line(
    course: Course, order: int, section: Section, group: Group, videos: Mapping[str, Video]
) -> Line:
    found = _total(videos, group.leaves)
    href = course.path + subsection_path(REPORT, section, group) if found.total else ""
    return Line(order, group.block.name, found, href, len(group.leaves))


def _video_lines(course: Course, section: Section, group: Group, videos: Mapping[str, Video]) -> list[Line]:
    place = subsection_path(REPORT, section, group)
    return video_lines(group.leaves, videos, lambda block_id: video_path(course, block_id, place))


async def _place(request: Request, site: Site, course: Course, ids: tuple[str, str, str]) -> Place:
    """The place of the video in section and subsection. Raises HTTPException 404 if it is not there."""
    words: Language = request.state.language
    section_id, subsection_id, video_id = ids
    outline = await site.directory.outline(course.course_id)
    if outline is None:
        return Place(REPORT, (up_to(words, course, REPORT),), ())
    section = of_block(outline.video_sections, section_id)
    group = of_block(section.subsections, subsection_id)
    if video_id not in {block.id for block in group.leaves}:
        raise HTTPException(404)
    beside = [
        (player_id(block.id), video_path(course, block.id, subsection_path(REPORT, s, g)))
        for s in outline.video_sections
        for g in s.subsections
        for block in g.leaves
    ]
    below = Link(course.path + subsection_path(REPORT, section, group), group.block.name)
    return Place(REPORT, (*up_to_section(words, course, REPORT, section), below), tuple(beside))
