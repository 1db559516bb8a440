"""Identifies the viewer and decides access; the only module that does (spec 06 §5).

A course page takes `CourseInView`, a page over several courses takes `CoursesInView`; both give only courses
that the LMS allows the viewer to see. A refusal is a typed error that `error_pages` turns into a page.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from pharos.errors import PharosError
from pharos.insights.directory import Course
from pharos.insights.sessions import Viewer
from pharos.insights.site import Site, site_of


class SignInNeeded(PharosError):
    """The viewer is not signed in."""


class AccessDenied(PharosError):
    """The viewer may not see this. The text deliberately does not reveal if it exists."""


@dataclass(frozen=True)
class VisibleCourses:
    """The course runs a viewer may see: all, or a set of ids."""

    viewer: Viewer
    visible: Container[str] = field(repr=False)


def _viewer(request: Request) -> Viewer:
    if request.state.unknown is not None:
        raise request.state.unknown
    viewer: Viewer | None = request.state.viewer
    if viewer is None:
        raise SignInNeeded
    return viewer


SignedIn = Annotated[Viewer, Depends(_viewer)]


async def _courses_in_view(request: Request, viewer: SignedIn) -> VisibleCourses:
    visible = await site_of(request).permissions.courses(viewer)
    if not visible and not viewer.global_staff:
        raise AccessDenied
    return VisibleCourses(viewer, visible)


async def _course_in_view(request: Request, course_id: str, viewer: SignedIn) -> Course:
    site: Site = site_of(request)
    decision = await site.permissions.decide(viewer, course_id)
    if not decision.allowed:
        site.log.info("refused %s: %s", course_id, decision.reason)
        raise AccessDenied
    course = await site.directory.course(course_id)
    request.state.course = course
    return course


CoursesInView = Annotated[VisibleCourses, Depends(_courses_in_view)]
CourseInView = Annotated[Course, Depends(_course_in_view)]
