"""The sparklines of the course list, fetched by its page once that is drawn: many courses, many questions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from pharos.insights.access import CoursesInView
from pharos.insights.pages.courses import PAGE_SIZE
from pharos.insights.site import TheSite

router = APIRouter()


@router.get("/courses/shapes/")
async def course_shapes(
    request: Request,
    view: CoursesInView,
    site: TheSite,
    course: Annotated[list[str], Query(max_length=PAGE_SIZE)],
) -> Response:
    """The shapes of the courses named, by id; those the viewer may not see are as if they did not exist."""
    seen = [course_id for course_id in dict.fromkeys(course) if course_id in view.visible]
    shapes = await site.shapes.of(seen, _last_day(request))
    return JSONResponse(shapes, headers={"Cache-Control": "private, max-age=300"})


def _last_day(request: Request) -> date:
    """The day after the last that is counted."""
    definition = request.state.definitions.get("course_enrollment_daily")
    until = definition.until if definition else None
    return (until or datetime.now(UTC)).date()
