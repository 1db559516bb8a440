"""No route shows anything to who may not see it: four personas and nobody, everywhere (spec 06 §5, §17)."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from fastapi.routing import APIRoute
from tests.insights.answers_given import ODD_PROBLEM, problems_of
from tests.insights.videos_watched import ODD_VIDEO
from tests.insights.world import OLD_STYLE, World, fill, world_of

from pharos.demo.courses import Course, load_courses
from pharos.demo.people import Persona
from pharos.demo.releases import Release
from pharos.insights.app import PAGES
from pharos.insights.pages.downloads import DOWNLOADS

REPORT = "/csv/problem_responses/"
PUBLIC = {"/", "/login/", "/login/edx-oauth2/", "/complete/edx-oauth2/", "/logout/", "/logout_then_login/"}
SERVICE = {"/status/", "/health/", "/metrics", "/static/{path:path}"}
OVER_COURSES = (
    "/courses/",
    "/courses/csv/course_list/",
    "/courses/xlsx/course_list/",
    "/courses/portfolio/",
    "/courses/switch/?q=x",
    "/courses/shapes/?course=x",
)
SUPERUSER, GLOBAL_STAFF, STAFF_OF_FIRST, LEARNER = "sofia", "marek", "ines", "lena"


def routes() -> list[str]:
    paths = [route.path for page in PAGES for route in page.router.routes if isinstance(route, APIRoute)]
    return [path for path in paths if path not in PUBLIC | SERVICE]


def places(course_id: str, path: str) -> dict[str, str]:
    """What a path of a problem or video names; of the course of long ago nobody knows where they stand."""
    course = next(
        (c for c in load_courses(datetime(2026, 8, 1), datetime(2026, 11, 23)) if c.id == course_id), None
    )
    if course is None:
        part = "i4x-CampusX-OLD101-problem-odd_2_1"
        nowhere = dict.fromkeys(("assignment_id:path", "section_id:path", "subsection_id:path", "kind"), "x")
        of_problem = {"problem_id:path": ODD_PROBLEM, "part_id": part, "outcome": "knows-the-terms"}
        return {**nowhere, **of_problem, "video_id:path": _video(course_id, path, ODD_VIDEO)}
    if "video" in path:
        return _video_places(course, path)
    of_kind = {
        graded: [pair for pair in course.sequentials if pair[1].graded is graded] for graded in (True, False)
    }
    [chapter, subsection], *_ = of_kind["ungraded" not in path]
    problem = next(block for block in subsection.walk() if block.problem is not None)
    if "outcome" in path:
        problem = problems_of(course)[1]
    assert problem.problem is not None
    return {
        "assignment_id:path": subsection.id,
        "section_id:path": chapter.id,
        "subsection_id:path": subsection.id,
        "problem_id:path": problem.id,
        "part_id": problem.problem.variants[0][1][0].id,
        "kind": "homework",
        "outcome": "knows-the-terms",
    }


def _video_places(course: Course, path: str) -> dict[str, str]:
    chapter, subsection = next(
        pair for pair in course.sequentials if any(block.video is not None for block in pair[1].walk())
    )
    video = next(block for block in subsection.walk() if block.video is not None)
    ids = {"section_id:path": chapter.id, "subsection_id:path": subsection.id}
    return {**ids, "video_id:path": _video(course.id, path, video.key)}


def _video(course_id: str, path: str, key: str) -> str:
    """Files name a video together with its course run, pages by its id in the LMS."""
    if "csv" in path or "xlsx" in path:
        return quote(f"{course_id}|{key}")
    return quote(
        key if key == ODD_VIDEO else f"{course_id.replace('course-', 'block-')}+type@video+block@{key}"
    )


def addresses(course_id: str) -> list[str]:
    """Every address of a course there is, with each of its downloads."""
    found = []
    for path in routes():
        if "{course_id" not in path:
            continue
        address = path.replace("{course_id:course_page}", course_id)
        for name, value in {**places(course_id, path), "username": "learner_57"}.items():
            address = address.replace(f"{{{name}}}", value)
        if "{name:path}" in address:
            found += [address.replace("{name:path}", name) for name in DOWNLOADS]
        else:
            found.append(address)
    return found


def test_there_are_routes_to_walk() -> None:
    assert len(addresses("a/b/c")) >= 13
    without_course = {path for path in routes() if "{course_id" not in path}
    assert without_course == {*(path.partition("?")[0] for path in OVER_COURSES), "/definitions/"}


@pytest.mark.parametrize("persona", [SUPERUSER, GLOBAL_STAFF])
def test_global_staff_sees_every_course(world: World, persona: str) -> None:
    with world.client(persona) as client:
        for course_id in (world.course_id, world.campus.courses[1].id, OLD_STYLE):
            for address in addresses(course_id):
                expected = 404 if address.endswith(REPORT) else 200  # no course of this world has the report
                assert client.get(address).status_code == expected, address


def test_staff_of_a_course_sees_that_course_and_no_other(world: World) -> None:
    with world.client(STAFF_OF_FIRST) as client:
        for address in addresses(world.course_id):
            expected = 404 if address.endswith(REPORT) else 200
            assert client.get(address).status_code == expected, address
        for other in (world.campus.courses[1].id, OLD_STYLE, "course-v1:No+Such+Course"):
            for address in addresses(other):
                page = client.get(address)
                assert page.status_code == 403, address
                assert world.campus.courses[1].name not in page.text
                assert "356" not in page.text
        courses = client.get("/courses/?q=CampusX")
        assert courses.status_code == 200
        assert "OLD101" not in courses.text.replace("?q=CampusX", "")
        assert "CampusX/OLD101" not in client.get("/courses/csv/course_list/").text
        assert world.course_id in client.get("/courses/csv/course_list/").text
        shapes = client.get("/courses/shapes/", params={"course": [world.course_id, OLD_STYLE]})
        assert set(shapes.json()) == {world.course_id}


def test_programs_are_those_of_courses_one_may_see(world: World) -> None:
    files = []
    for persona in (STAFF_OF_FIRST, SUPERUSER):
        with world.client(persona) as client:
            page = client.get("/courses/").text
            assert "Seafaring" in page
            assert ("Old Arts" in page) == (persona == SUPERUSER)
            files.append(client.get("/courses/csv/course_list/").text)
    assert "Seafaring" in files[0]
    assert "Old Arts" not in files[0]
    assert "Old Arts" in files[1]


def test_a_learner_sees_no_course(world: World) -> None:
    with world.client(LEARNER) as client:
        for address in [*addresses(world.course_id), *OVER_COURSES]:
            page = client.get(address)
            assert page.status_code == 403, address
            assert world.campus.courses[0].name not in page.text


def test_nobody_is_sent_to_sign_in_with_the_way_back(world: World) -> None:
    with httpx.Client(base_url=world.url) as client:
        for address in [*addresses(world.course_id), *OVER_COURSES, "/definitions/"]:
            answer = client.get(address)
            if address.startswith("/embed/"):  # in a frame nobody can sign in
                assert answer.status_code == 401
                continue
            assert answer.status_code == 302, address
            assert answer.headers["location"].startswith(f"/login/?next=/{address.split('/')[1]}/")


@pytest.mark.parametrize("course_id", ["a/b/c/d", "course-v1:a+b", "foo+bar+baz", "course-v1:a"])
def test_what_is_no_course_id_is_no_page(world: World, course_id: str) -> None:
    with world.client(SUPERUSER) as client:
        assert client.get(f"/courses/{course_id}/enrollment/activity/").status_code == 404


@pytest.mark.parametrize(
    "course_id",
    [
        "course-v1:HarborX%2BNAV101%2BR3",
        "course-v1%3AHarborX+NAV101+R3",
        OLD_STYLE,
        OLD_STYLE.replace("/", "%2F"),
        "ccx-v1:edx+1.005x-CCX+rerun+ccx@15",
    ],
)
def test_course_ids_are_understood_plain_and_encoded(world: World, course_id: str) -> None:
    with world.client(SUPERUSER) as client:
        assert client.get(f"/courses/{course_id}/enrollment/activity/").status_code == 200


def test_those_who_were_answered_go_on_while_the_lms_is_down(own_world: World) -> None:
    address = f"/courses/{own_world.course_id}/"
    with own_world.client(STAFF_OF_FIRST) as known, own_world.client() as late:
        assert known.get(address).status_code == 200
        own_world.lms.down, own_world.lms.paths = True, ("/api/",)
        time.sleep(1.1)  # the answer is old now
        assert known.get(address).status_code == 200
        refused = own_world.sign_in(late, "tomas")
        assert refused.status_code == 503
        assert "Permissions Retrieval Failed" in refused.text
        assert "Traceback" not in refused.text
        own_world.lms.down = False
        assert late.get("/courses/").status_code == 200


def test_withdrawn_access_ends_when_the_answer_is_old(own_world: World) -> None:
    address = f"/courses/{own_world.course_id}/"
    with own_world.client(STAFF_OF_FIRST) as client:
        assert client.get(address).status_code == 200
        campus = own_world.campus
        others = tuple(p for p in campus.personas if p.username != STAFF_OF_FIRST)
        object.__setattr__(campus, "personas", others)
        time.sleep(1.1)
        assert client.get(address).status_code == 403


def test_a_withdrawn_claim_counts_from_the_next_sign_in(own_world: World) -> None:
    """spec 06 §17.16: flags come from the LMS at every sign-in, also when they are gone."""
    address = f"/courses/{own_world.course_id}/"
    with own_world.client(GLOBAL_STAFF) as client:
        assert client.get(address).status_code == 200
        person = next(p for p in own_world.campus.personas if p.username == GLOBAL_STAFF)
        for claim in ("global_staff", "superuser"):
            object.__setattr__(person, claim, False)
        client.cookies.clear()
        own_world.sign_in(client, GLOBAL_STAFF)
        assert client.get(address).status_code == 403


def the_persona(world: World, username: str) -> Persona:
    return next(person for person in world.campus.personas if person.username == username)


@pytest.mark.parametrize("release", [Release.ULMO, Release.VERAWOOD, Release.WILLOW])
def test_a_role_for_an_organisation_is_one_for_each_of_its_courses(tmp_path: Path, release: Release) -> None:
    with world_of(tmp_path, fill, release=release) as world:
        first = world.campus.courses[0]
        other = next(course for course in world.campus.courses if course.org != first.org)
        object.__setattr__(the_persona(world, LEARNER), "organizations", (first.org,))
        with world.client(LEARNER) as client:
            assert client.get(f"/courses/{first.id}/").status_code == 200
            assert client.get(f"/courses/{other.id}/").status_code == 403
            assert first.id in client.get("/courses/csv/course_list/").text


def test_course_teams_in_the_tables_of_authz_keep_their_courses(tmp_path: Path) -> None:
    with (
        world_of(tmp_path, fill, release=Release.WILLOW, learners=True) as world,
        world.client(STAFF_OF_FIRST) as client,
    ):
        for address in addresses(world.course_id):
            expected = 404 if address.endswith(REPORT) else 200
            assert client.get(address).status_code == expected, address
        assert client.get(f"/courses/{world.campus.courses[1].id}/").status_code == 403


def test_a_course_that_the_lms_may_still_name_is_not_refused(tmp_path: Path) -> None:
    """The slow question is without an answer: neither yes nor no."""
    with world_of(tmp_path, fill, release=Release.WILLOW) as world, world.client() as client:
        world.lms.down, world.lms.paths = True, ("/api/courses/v1/courses/",)
        page = world.sign_in(client, STAFF_OF_FIRST, f"/courses/{world.course_id}/")
        assert page.status_code == 503
        assert "does not say which courses are yours" in page.text


def test_an_lms_that_heeds_no_permissions_gives_nobody_its_whole_list(tmp_path: Path) -> None:
    with world_of(tmp_path, fill) as world:
        world.lms.without_parameter = "permissions"
        with world.client(LEARNER) as client:
            assert client.get(f"/courses/{world.course_id}/").status_code == 403
            assert client.get("/courses/").status_code == 403
        with world.client(STAFF_OF_FIRST) as client:
            assert client.get(f"/courses/{world.course_id}/").status_code == 200


def test_a_role_withdrawn_in_a_course_ends_although_the_slow_question_knew_it(own_world: World) -> None:
    person = the_persona(own_world, STAFF_OF_FIRST)
    address = f"/courses/{own_world.course_id}/"
    with own_world.client(STAFF_OF_FIRST) as client:
        assert client.get(address).status_code == 200
        object.__setattr__(person, "courses", (own_world.campus.courses[1].id,))
        time.sleep(1.1)
        assert client.get(address).status_code == 403
