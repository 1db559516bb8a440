"""The stand-in's discovery service: the catalog's course runs and their programs (spec 04 §4.1)."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request

from pharos.demo.campus import Campus
from pharos.demo.courses import Course

PATH = "/discovery/api/v1"
_PROGRAM = {
    "uuid": "5f3c9a52-7d1e-4b8a-9c06-2e4f8d1b7a30",
    "title": "Seamanship",
    "type": "Professional Certificate",
    "status": "active",
}
_SCHOOL_OF_PROGRAM = "HarborX"


def router(campus: Campus, guard: Any) -> APIRouter:
    """The list of course runs, in pages; `guard` lets in who may read it."""
    routes = APIRouter(prefix=PATH, dependencies=[Depends(guard)])

    @routes.get("/course_runs/")
    def course_runs(
        request: Request,
        page: Annotated[int, Query(ge=1)] = 1,
        page_size: Annotated[int, Query(ge=1, le=100)] = 20,
        partner: str = "",
    ) -> Any:
        found = [_run(campus, course) for course in campus.courses if partner in ("", course.org)]
        more = page * page_size < len(found)
        query = urlencode({**request.query_params, "page": page + 1})
        return {
            "count": len(found),
            "next": f"{request.url.replace(query='')}?{query}" if more else None,
            "previous": None,
            "results": found[(page - 1) * page_size : page * page_size],
        }

    return routes


def _run(campus: Campus, course: Course) -> dict[str, Any]:
    ended = course.ends is not None and course.ends < campus.end
    return {
        "key": course.id,
        "course": f"{course.org}+{course.number}",
        "title": course.name,
        "short_description": course.description,
        "start": course.starts.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "end": course.ends and course.ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "enrollment_start": course.opens.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "enrollment_end": None,
        "availability": "Archived" if ended else "Upcoming" if course.starts > campus.end else "Current",
        "pacing_type": "self_paced" if course.self_paced else "instructor_paced",
        "programs": [_PROGRAM] if course.org == _SCHOOL_OF_PROGRAM else [],
    }
