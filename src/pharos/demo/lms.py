"""A stand-in for the LMS and the catalog: a real HTTP server with the sign-in and the REST APIs Pharos reads.

Answers have the shapes of the LMS (spec 06 §4-6, spec 04 §3); the data is that of a simulated campus.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse

from pharos.demo import lms_catalog
from pharos.demo.campus import Campus
from pharos.demo.courses import Block, Course
from pharos.demo.lms_roles import has_staff_access, is_told_by_course_ids
from pharos.demo.lms_sign_in import Client, SignIn
from pharos.demo.people import Persona
from pharos.demo.releases import NEWEST, Release

_OPTIONAL_FIELDS = ("children", "format", "graded", "due")


def create_app(
    campus: Campus,
    *,
    insights: Client,
    service: Client,
    token_seconds: int = 3600,
    release: Release = NEWEST,
) -> FastAPI:
    """The stand-in. `insights` may sign people in, `service` may use the REST APIs.

    Every address in an answer is built on the address the request came to. `app.state.sign_in` has the keys.
    """
    app = FastAPI(title="LMS stand-in", docs_url=None, redoc_url=None, openapi_url=None)
    sign_in = SignIn(campus, insights=insights, service=service, token_seconds=token_seconds, release=release)
    app.state.sign_in = sign_in
    app.include_router(sign_in.router())
    app.add_exception_handler(_NoSuchCourse, _no_such_course)

    def staff(request: Request) -> None:
        if not sign_in.claims(request)["administrator"]:
            raise HTTPException(403, "You do not have permission to perform this action.")

    _add_courses(app, campus, [Depends(staff)], release)
    _add_details(app, campus, [Depends(staff)])
    app.include_router(lms_catalog.router(campus, staff))
    return app


class _NoSuchCourse(Exception):
    """The answer is 404 in the LMS's own form."""


async def _no_such_course(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"developer_message": "Course not found."}, 404)


def _add_courses(app: FastAPI, campus: Campus, guards: list[Any], release: Release) -> None:
    """Lists over course runs."""

    def person_of(username: str) -> Persona | None:
        return next((person for person in campus.personas if person.username == username), None)

    @app.get("/api/courses/v1/course_ids/", dependencies=guards)
    def course_ids(
        request: Request,
        username: str = "",
        role: str = "",
        page: Annotated[int, Query(ge=1)] = 1,
        page_size: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Any:
        ids = [course.id for course in campus.courses]
        if username:
            person = person_of(username)
            if person is None:
                raise HTTPException(404, "Not found.")
            ids = [c.id for c in campus.courses if is_told_by_course_ids(person, c, release)] if role else ids
        return _page(request, ids, page, page_size)

    @app.get("/api/courses/v1/courses/", dependencies=guards)
    def courses(
        request: Request,
        username: str = "",
        permissions: Annotated[list[str] | None, Query()] = None,
        page: Annotated[int, Query(ge=1)] = 1,
        page_size: Annotated[int, Query(ge=1, le=100)] = 10,
    ) -> Any:
        found = campus.courses
        if permissions:
            found = tuple(course for course in found if has_staff_access(person_of(username), course))
        return _page(request, [_course(request, course) for course in found], page, page_size)


def _add_details(app: FastAPI, campus: Campus, guards: list[Any]) -> None:
    """What is asked about one course run."""

    def known(course_id: str) -> Course:
        course = campus.course(course_id)
        if course is None:
            raise _NoSuchCourse
        return course

    @app.get("/api/courses/v1/courses/{course_id}", dependencies=guards)
    @app.get("/api/courses/v1/courses/{course_id}/", dependencies=guards)
    def course(request: Request, course_id: str) -> Any:
        course = known(course_id)
        return {**_course(request, course), "overview": f"<p>{course.description}</p>"}

    @app.get("/api/courses/v1/blocks/", dependencies=guards)
    def blocks(
        request: Request, course_id: str, depth: str = "0", requested_fields: str = "", all_blocks: str = ""
    ) -> Any:
        if all_blocks.lower() != "true":
            message = "This field is required unless all_blocks is requested."
            return JSONResponse({"username": [message]}, 400)
        course = known(course_id)
        fields = requested_fields.split(",")
        found = _blocks_to(course.root, None if depth == "all" else int(depth))
        return {
            "root": course.root.id,
            "blocks": {block.id: _block(request, course, block, fields) for block in found},
        }

    @app.get("/api/grades/v1/policy/courses/{course_id}", dependencies=guards)
    @app.get("/api/grades/v1/policy/courses/{course_id}/", dependencies=guards)
    def grading_policy(course_id: str) -> Any:
        return [
            {
                "assignment_type": line.name,
                "count": line.count,
                "dropped": line.dropped,
                "weight": line.weight,
            }
            for line in known(course_id).policy
        ]

    @app.get("/api/cohorts/v1/courses/{course_id}/cohorts/", dependencies=guards)
    def cohorts(course_id: str) -> Any:
        course = known(course_id)
        members = [campus.cohort(course, learner.user_id) for learner in campus.members(course)]
        return [
            {
                "id": campus.courses.index(course) * 10 + number,
                "name": name,
                "user_count": members.count(name),
                "assignment_type": "random",
                "user_partition_id": None,
                "group_id": None,
            }
            for number, name in enumerate(course.cohorts, start=1)
        ]


def _page(request: Request, items: list[Any], page: int, page_size: int) -> Any:
    """One page of the items in the LMS's form."""
    pages = max(1, -(-len(items) // page_size))
    if page > pages:
        raise HTTPException(404, "Invalid page.")

    def address(number: int) -> str | None:
        if not 1 <= number <= pages:
            return None
        return f"{request.url.replace(query='')}?{urlencode({**request.query_params, 'page': number})}"

    return {
        "results": items[(page - 1) * page_size : page * page_size],
        "pagination": {
            "next": address(page + 1),
            "previous": address(page - 1),
            "count": len(items),
            "num_pages": pages,
        },
    }


def _course(request: Request, course: Course) -> dict[str, Any]:
    base = str(request.base_url).rstrip("/")
    image = f"/asset-v1:{course.org}+{course.number}+{course.run}+type@asset+block@images_course_image.jpg"
    return {
        "blocks_url": f"{base}/api/courses/v1/blocks/?{urlencode({'course_id': course.id})}",
        "effort": None,
        "end": course.ends and course.ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "enrollment_start": course.opens.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "enrollment_end": None,
        "id": course.id,
        "media": {
            "banner_image": {"uri": image, "uri_absolute": base + image},
            "course_image": {"uri": image},
            "course_video": {"uri": None},
            "image": {"raw": base + image, "small": base + image, "large": base + image},
        },
        "name": course.name,
        "number": course.number,
        "org": course.org,
        "short_description": course.description,
        "start": course.starts.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "start_display": f"{course.starts:%b} {course.starts.day}, {course.starts.year}",
        "start_type": "timestamp",
        "pacing": "self" if course.self_paced else "instructor",
        "mobile_available": True,
        "hidden": False,
        "invitation_only": False,
        "course_id": course.id,
    }


def _blocks_to(block: Block, depth: int | None) -> list[Block]:
    """The block and what is below it, `depth` levels deep; None: all."""
    if depth == 0:
        return [block]
    below = None if depth is None else depth - 1
    return [block, *(item for child in block.children for item in _blocks_to(child, below))]


def _block(request: Request, course: Course, block: Block, fields: list[str]) -> dict[str, Any]:
    base = str(request.base_url).rstrip("/")
    optional = {
        "children": [child.id for child in block.children] or None,
        "format": block.format,
        "graded": block.graded,
        "due": block.due and block.due.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return {
        "id": block.id,
        "block_id": block.key,
        "lms_web_url": f"{base}/courses/{course.id}/jump_to/{block.id}",
        "legacy_web_url": f"{base}/courses/{course.id}/jump_to/{block.id}?experience=legacy",
        "student_view_url": f"{base}/xblock/{block.id}",
        "type": block.type,
        "display_name": block.name,
        **{
            name: optional[name] for name in _OPTIONAL_FIELDS if name in fields and optional[name] is not None
        },
    }
