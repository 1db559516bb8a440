"""The REST APIs of the stand-in over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from pharos.demo.campus import Campus
from pharos.demo.lms import create_app
from pharos.demo.lms_sign_in import Client

INSIGHTS = Client("insights", "secret-of-insights")
SERVICE = Client("service", "secret-of-service")
COURSES = "/api/courses/v1/courses/"


def client_of(address: str) -> httpx.Client:
    answer = httpx.post(
        f"{address}/oauth2/access_token",
        data={
            "grant_type": "client_credentials",
            "client_id": SERVICE.id,
            "client_secret": SERVICE.secret,
            "token_type": "jwt",
        },
    )
    return httpx.Client(base_url=address, headers={"Authorization": f"JWT {answer.json()['access_token']}"})


@pytest.fixture
def lms(campus: Campus, serve: Callable[[Any], str]) -> Iterator[httpx.Client]:
    with client_of(serve(create_app(campus, insights=INSIGHTS, service=SERVICE))) as client:
        yield client


def test_nothing_is_told_without_a_valid_token(
    campus: Campus, serve: Callable[[Any], str], lms: httpx.Client
) -> None:
    assert httpx.get(f"{lms.base_url}{COURSES}").status_code == 401
    assert lms.get(COURSES, headers={"Authorization": "JWT nonsense"}).status_code == 401
    stale = create_app(campus, insights=INSIGHTS, service=SERVICE, token_seconds=-60)
    with client_of(serve(stale)) as late:
        assert late.get(COURSES).status_code == 401


def test_token_of_another_campus_is_refused(
    campus: Campus, serve: Callable[[Any], str], lms: httpx.Client
) -> None:
    with client_of(serve(create_app(campus, insights=INSIGHTS, service=SERVICE))) as other:
        header = {"Authorization": other.headers["Authorization"]}
    assert lms.get(COURSES, headers=header).status_code == 401


def test_course_ids_of_a_team_are_those_of_its_role(campus: Campus, lms: httpx.Client) -> None:
    for person in campus.personas:
        query = {"username": person.username, "role": "staff", "page_size": "1000"}
        answer = lms.get("/api/courses/v1/course_ids/", params=query).json()
        everything = [course.id for course in campus.courses]
        assert answer["results"] == (everything if person.global_staff else list(person.courses))
        assert answer["pagination"]["next"] is None


def test_course_ids_of_nobody_are_not_found(lms: httpx.Client) -> None:
    assert lms.get("/api/courses/v1/course_ids/", params={"username": "nobody"}).status_code == 404


def test_pages_lead_to_each_other(campus: Campus, lms: httpx.Client) -> None:
    found: list[str] = []
    address: str | None = f"{COURSES}?page_size=1&username={SERVICE.id}"
    while address:
        page = lms.get(address).json()
        found += [item["id"] for item in page["results"]]
        assert page["pagination"]["count"] == page["pagination"]["num_pages"] == len(campus.courses)
        address = page["pagination"]["next"]
    assert found == [course.id for course in campus.courses]
    assert lms.get(COURSES, params={"page": "99"}).status_code == 404


@pytest.mark.parametrize("ending", ["", "/"])
def test_course_is_found_by_its_id_escaped_or_not(campus: Campus, lms: httpx.Client, ending: str) -> None:
    course = campus.courses[0]
    for course_id in (course.id, course.id.replace(":", "%3A").replace("+", "%2B")):
        answer = lms.get(f"{COURSES}{course_id}{ending}").json()
        assert (answer["id"], answer["name"], answer["pacing"]) == (course.id, course.name, "instructor")
        assert answer["start"] == f"{course.starts:%Y-%m-%dT%H:%M:%SZ}"


def test_without_a_user_name_hidden_courses_are_missing(campus: Campus, lms: httpx.Client) -> None:
    """Also to global staff. spec 07 §2.4"""
    shown = {item["id"] for item in lms.get(COURSES).json()["results"]}
    assert shown == {course.id for course in campus.courses if not course.hidden}
    [hidden] = [course for course in campus.courses if course.hidden]
    assert lms.get(f"{COURSES}{hidden.id}/").status_code == 404
    named = lms.get(f"{COURSES}{hidden.id}/", params={"username": SERVICE.id})
    assert named.json()["id"] == hidden.id
    assert lms.get(f"{COURSES}{hidden.id}/", params={"username": "lena"}).status_code == 404
    assert lms.get("/api/user/v1/me").json() == {"username": SERVICE.id}


def test_lists_are_throttled(campus: Campus, serve: Callable[[Any], str]) -> None:
    app = create_app(campus, insights=INSIGHTS, service=SERVICE)
    with client_of(serve(app)) as lms:
        answers = [lms.get(COURSES) for _ in range(41)]
        assert [answer.status_code for answer in answers] == [200] * 40 + [429]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 60
        assert lms.get(f"{COURSES}{campus.courses[0].id}/").status_code == 200


def test_cohorts_are_ten_at_a_time(campus: Campus, serve: Callable[[Any], str]) -> None:
    course = replace(campus.courses[0], cohorts=tuple(f"C{number}" for number in range(12)))
    larger = Campus(seed=7, learners=5, days=45, until=campus.until)
    object.__setattr__(larger, "courses", (course, *campus.courses[1:]))
    address = f"/api/cohorts/v1/courses/{course.id}/cohorts/"
    with client_of(serve(create_app(larger, insights=INSIGHTS, service=SERVICE))) as lms:
        pages = [lms.get(address, params={"page": str(page)}) for page in (1, 2, 3)]
        assert [len(page.json()) for page in pages[:2]] == [10, 2]
        assert pages[2].status_code == 404


def test_unknown_course_is_not_found(lms: httpx.Client) -> None:
    answer = lms.get(f"{COURSES}course-v1:a+b+c")
    assert (answer.status_code, answer.json()) == (404, {"developer_message": "Course not found."})


def test_blocks_are_the_outline(campus: Campus, lms: httpx.Client) -> None:
    course = campus.courses[1]
    query = {
        "course_id": course.id,
        "depth": "all",
        "all_blocks": "true",
        "requested_fields": "children,format,graded",
    }
    answer = lms.get("/api/courses/v1/blocks/", params=query).json()
    outline = {block.id: block for block in course.root.walk() if block.type != "discussion"}
    assert answer["root"] == course.root.id
    assert answer["blocks"].keys() == outline.keys()
    for block_id, found in answer["blocks"].items():
        block = outline[block_id]
        assert (found["id"], found["type"], found["display_name"]) == (block_id, block.type, block.name)
        assert (found["graded"], found.get("format")) == (block.graded, block.format)
        assert found.get("children", []) == [child.id for child in block.children if child.id in outline]


def test_blocks_need_a_user_or_all_blocks(campus: Campus, lms: httpx.Client) -> None:
    answer = lms.get("/api/courses/v1/blocks/", params={"course_id": campus.courses[0].id})
    assert answer.status_code == 400


def test_grading_policy_and_cohorts(campus: Campus, lms: httpx.Client) -> None:
    course = campus.courses[0]
    assert lms.get(f"/api/grades/v1/policy/courses/{course.id}").json() == [
        {"assignment_type": line.name, "count": line.count, "dropped": line.dropped, "weight": line.weight}
        for line in course.policy
    ]
    cohorts = lms.get(f"/api/cohorts/v1/courses/{course.id}/cohorts/").json()
    assert [cohort["name"] for cohort in cohorts] == list(course.cohorts)
    assert sum(cohort["user_count"] for cohort in cohorts) == len(campus.members(course))
