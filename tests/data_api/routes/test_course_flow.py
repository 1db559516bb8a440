"""How learners move through a course: places in the order of the course."""

from __future__ import annotations

from urllib.parse import quote

import httpx
from tests.data_api.conftest import CID, TOKEN_OF_ONE_COURSE, TOKEN_WITHOUT_LEARNERS

FLOW = f"/api/v1/courses/{quote(CID, safe='')}/course_flow/"


def test_places_in_the_order_of_the_course(api: httpx.Client) -> None:
    rows = api.get(FLOW, headers={"Authorization": f"Token {TOKEN_WITHOUT_LEARNERS}"}).json()
    assert [(row["display_name"], row["reached"], row["completed"]) for row in rows] == [
        ("Week 1", 9, 5),
        ("Intro", 9, 5),
        ("Week 2", 2, None),
    ]
    assert [row["is_deleted"] for row in rows] == [False, False, True]


def test_of_the_courses_that_a_caller_may_read(api: httpx.Client) -> None:
    assert api.get(FLOW, headers={"Authorization": f"Token {TOKEN_OF_ONE_COURSE}"}).status_code == 403
