"""A stand-in for the LMS and the catalog: a real HTTP server with the sign-in and the REST APIs Pharos reads.

Answers have the shapes of the LMS (spec 06 §4-6, spec 04 §3); the data is that of a simulated campus.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from pharos.demo import lms_catalog
from pharos.demo.campus import Campus
from pharos.demo.courses import Block, Course
from pharos.demo.lms_course_tables import languages
from pharos.demo.lms_roles import has_staff_access, is_told_by_course_ids
from pharos.demo.lms_sign_in import Client, SignIn, service_account
from pharos.demo.lms_throttle import Throttle
from pharos.demo.people import Persona
from pharos.demo.releases import NEWEST, Release
from pharos.demo.subtitles import subtitles

PersonOf = Callable[[str], Persona | None]
_OPTIONAL_FIELDS = ("children", "format", "graded", "due")


def create_app(
    campus: Campus,
    *,
    insights: Client,
    service: Client,
    token_seconds: int = 3600,
    release: Release = NEWEST,
    throttle: Throttle | None = None,
) -> FastAPI:
    """The stand-in. `insights` may sign people in, `service` may use the REST APIs.

    `throttle`: the rate limit of the course lists; default: the usual limit of an LMS. Every address in an
    answer has the host of the request. `app.state.sign_in` has the keys.
    """
    app = FastAPI(title="LMS stand-in", docs_url=None, redoc_url=None, openapi_url=None)
    sign_in = SignIn(campus, insights=insights, service=service, token_seconds=token_seconds, release=release)
    app.state.sign_in = sign_in
    app.include_router(sign_in.router())
    app.add_exception_handler(_NoSuchCourse, _no_such_course)

    def staff(request: Request) -> None:
        if not sign_in.claims(request)["administrator"]:
            raise HTTPException(403, "You do not have permission to perform this action.")

    throttled = (throttle or Throttle()).guard(sign_in.claims)
    guards = [Depends(staff)]

    def person_of(username: str) -> Persona | None:
        people = (*campus.personas, service_account(service.id))
        return next((person for person in people if person.username == username), None)

    _add_courses(app, campus, person_of, [*guards, Depends(throttled)], release)
    _add_details(app, campus, person_of, guards)
    _add_videos(app, campus, guards)
    _add_cohorts(app, campus, guards)

    @app.get("/api/user/v1/me")
    def me(request: Request) -> Any:
        return {"username": sign_in.claims(request)["preferred_username"]}

    app.include_router(lms_catalog.router(campus, staff))
    return app


class _NoSuchCourse(Exception):
    """Gives a 404 in the LMS's own form."""


async def _no_such_course(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"developer_message": "Course not found."}, 404)


def _add_courses(
    app: FastAPI, campus: Campus, person_of: PersonOf, guards: list[Any], release: Release
) -> None:
    """Endpoints with lists of course runs."""

    @app.get("/api/courses/v1/course_ids/", dependencies=guards)
    def course_ids(
        request: Request,
        username: str = "",
        role: str = "",
        page: Annotated[int, Query(ge=1)] = 1,
        page_size: Annotated[int, Query(ge=1)] = 10,
    ) -> Any:
        ids = [course.id for course in campus.courses]
        if username:
            person = person_of(username)
            if person is None:
                raise HTTPException(404, "Not found.")
            ids = [c.id for c in campus.courses if is_told_by_course_ids(person, c, release)] if role else ids
        return _page(request, ids, page, min(page_size, 1000))

    @app.get("/api/courses/v1/courses/", dependencies=guards)
    def courses(
        request: Request,
        username: str = "",
        permissions: Annotated[list[str] | None, Query()] = None,
        page: Annotated[int, Query(ge=1)] = 1,
        page_size: Annotated[int, Query(ge=1)] = 10,
    ) -> Any:
        person = person_of(username)
        found = [course for course in campus.courses if _may_see(person, course)]
        if permissions:
            found = [course for course in found if has_staff_access(person, course)]
        return _page(request, [_course(request, course) for course in found], page, min(page_size, 100))


def _add_details(app: FastAPI, campus: Campus, person_of: PersonOf, guards: list[Any]) -> None:
    """Endpoints about one course run."""

    def known(course_id: str) -> Course:
        course = campus.course(course_id)
        if course is None:
            raise _NoSuchCourse
        return course

    @app.get("/api/courses/v1/courses/{course_id}", dependencies=guards)
    @app.get("/api/courses/v1/courses/{course_id}/", dependencies=guards)
    def course(request: Request, course_id: str, username: str = "") -> Any:
        course = known(course_id)
        if not _may_see(person_of(username), course):
            raise _NoSuchCourse
        return {**_course(request, course), "overview": f"<p>{course.description}</p>"}

    @app.get("/api/courses/v1/blocks/", dependencies=guards)
    def blocks(
        request: Request,
        course_id: str,
        depth: str = "0",
        requested_fields: str = "",
        all_blocks: str = "",
        student_view_data: str = "",
    ) -> Any:
        if all_blocks.lower() != "true":
            message = "This field is required unless all_blocks is requested."
            return JSONResponse({"username": [message]}, 400)
        course = known(course_id)
        fields, views = requested_fields.split(","), student_view_data.split(",")
        found = _blocks_to(course.root, None if depth == "all" else int(depth))
        return {
            "root": course.root.id,
            "blocks": {
                block.id: {
                    **_block(request, course, block, fields),
                    **({"student_view_data": _player(request, course, block)} if block.type in views else {}),
                }
                for block in found
            },
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


def _add_videos(app: FastAPI, campus: Campus, guards: list[Any]) -> None:
    """Endpoints about one video."""

    @app.get("/api/courses/v1/blocks/{block_id}/", dependencies=guards)
    def one_block(request: Request, block_id: str, student_view_data: str = "") -> Any:
        course, block = _block_of(campus, block_id)
        views = student_view_data.split(",")
        view = {"student_view_data": _player(request, course, block)} if block.type in views else {}
        return {"root": block.id, "blocks": {block.id: {**_block(request, course, block, []), **view}}}

    @app.get(
        "/courses/{course_id}/xblock/{block_id}/handler_noauth/transcript/download",
        response_class=PlainTextResponse,
    )
    def transcript(course_id: str, block_id: str, lang: str) -> str:
        course, block = _block_of(campus, block_id)
        if course.id != course_id or block.video is None or lang not in languages(block):
            raise HTTPException(404)
        return subtitles(block.video.duration_s, lang)


def _add_cohorts(app: FastAPI, campus: Campus, guards: list[Any]) -> None:
    """The endpoint of cohorts: a page of them as a bare list, without a hint if there are more (spec 07
    §2.7).
    """

    @app.get("/api/cohorts/v1/courses/{course_id}/cohorts/", dependencies=guards)
    def cohorts(
        course_id: str, page: Annotated[int, Query(ge=1)] = 1, page_size: Annotated[int, Query(ge=1)] = 10
    ) -> Any:
        course = campus.course(course_id)
        if course is None:
            raise _NoSuchCourse
        size = min(page_size, 100)
        members = [campus.cohort(course, learner.user_id) for learner in campus.members(course)]
        found = [
            {
                "id": campus.courses.index(course) * 10 + number,
                "name": name,
                "user_count": members.count(name),
                "assignment_type": "random",
                "user_partition_id": None,
                "group_id": None,
            }
            for number, name in enumerate(course.cohorts, start=1)
        ][(page - 1) * size : page * size]
        if not found and page > 1:
            raise HTTPException(404, "Invalid page.")
        return found


def _may_see(person: Persona | None, course: Course) -> bool:
    """True if the person may see the course run (spec 07 §2.4); None is an anonymous person."""
    return not course.hidden or has_staff_access(person, course)


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
        "hidden": course.hidden,
        "invitation_only": False,
        "course_id": course.id,
    }


def _block_of(campus: Campus, block_id: str) -> tuple[Course, Block]:
    for course in campus.courses:
        for block in course.root.walk():
            if block.id == block_id:
                return course, block
    raise _NoSuchCourse


def _blocks_to(block: Block, depth: int | None) -> list[Block]:
    """The block and the blocks below it, `depth` levels deep; None: all. The LMS leaves out discussions."""
    if depth == 0:
        return [block]
    below = None if depth is None else depth - 1
    return [block, *(item for child in _children(block) for item in _blocks_to(child, below))]


def _children(block: Block) -> list[Block]:
    return [child for child in block.children if child.type != "discussion"]


def _player(request: Request, course: Course, block: Block) -> dict[str, Any]:
    """The LMS's data for the player of a video."""
    base = str(request.base_url).rstrip("/")
    handler = f"{base}/courses/{course.id}/xblock/{block.id}/handler_noauth/transcript/download?lang="
    youtube = {"url": f"https://www.youtube.com/watch?v={block.video.youtube}"} if block.video else {}
    return {
        "only_on_web": False,
        "duration": float(block.video.duration_s) if block.video else 0.0,
        "transcripts": {language: handler + language for language in languages(block)},
        "encoded_videos": {"youtube": {**youtube, "file_size": 0}},
        "all_sources": [],
    }


def _block(request: Request, course: Course, block: Block, fields: list[str]) -> dict[str, Any]:
    base = str(request.base_url).rstrip("/")
    optional = {
        "children": [child.id for child in _children(block)] or None,
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
