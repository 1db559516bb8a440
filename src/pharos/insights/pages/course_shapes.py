"""The sparklines of the course list; the page fetches them after it is shown, as they need many requests."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from pharos.insights.access import CoursesInView
from pharos.insights.pages.courses import PAGE_SIZE
from pharos.insights.site import TheSite

router = APIRouter()


@router.get("/courses/shapes/")
async def course_shapes(
    view: CoursesInView,
    site: TheSite,
    course: Annotated[list[str], Query(max_length=PAGE_SIZE)],
) -> Response:
    """The shapes of the requested courses, by id; without courses that the viewer may not see."""
    seen = [course_id for course_id in dict.fromkeys(course) if course_id in view.visible]
    last = await site.api.last_day()
    shapes = await site.shapes.of(seen, last + timedelta(days=1))
    return JSONResponse(shapes, headers={"Cache-Control": "private, max-age=300"})
