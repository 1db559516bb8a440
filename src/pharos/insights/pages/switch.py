"""Switches to another course by a few letters of its name, in the same report."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from pharos.insights import navigation
from pharos.insights.access import CoursesInView
from pharos.insights.pages.courses import visible
from pharos.insights.site import TheSite

router = APIRouter()


@router.get("/courses/switch/")
async def switch(request: Request, view: CoursesInView, site: TheSite) -> Response:
    """Redirect to the only matching course, or to the list of all matching ones."""
    search = request.query_params.get("q", "").strip()
    words = search.casefold().split()
    found = [
        item.course
        for item in await visible(site, view.visible)
        if all(word in f"{item.course.name} {item.course.course_id}".casefold() for word in words)
    ]
    exact = [course for course in found if search in {course.name, course.course_id}]
    [course] = exact if len(exact) == 1 else found if len(found) == 1 else [None]
    if course is None or not words:
        query = f"?{urlencode({'q': search})}" if search else ""
        return RedirectResponse(f"/courses/{query}#results", 302)
    asked = request.query_params.get("report")
    report = next((r for lens in navigation.LENSES for r in lens.reports if r.key == asked), None)
    return RedirectResponse(course.path + (report.path if report else ""), 302)
