"""How many learners do what, for all who may read the course; who does what, with the right to learners."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa
from tests.data_api.conftest import CID, OTHER, TOKEN_OF_ONE_COURSE, TOKEN_WITHOUT_LEARNERS

from pharos.result_store.tables import publications

COURSE = quote(CID, safe="")
COUNTS = f"/api/v1/courses/{COURSE}/learner_statuses/"
LEARNERS = f"/api/v1/courses/{COURSE}/learners_by_status/"


def test_all_statuses_are_told_in_their_order(api: httpx.Client) -> None:
    rows = api.get(COUNTS, headers={"Authorization": f"Token {TOKEN_WITHOUT_LEARNERS}"}).json()
    assert [(row["status"], row["count"]) for row in rows] == [
        ("never started", 1), ("active", 0), ("slowing down", 1), ("quiet", 1), ("passed", 0), ("left", 0),
    ]  # fmt: skip
    other = api.get(f"/api/v1/courses/{quote(OTHER, safe='')}/learner_statuses/").json()
    assert sum(row["count"] for row in other) == 3


def test_single_learners_need_the_right_to_them(api: httpx.Client) -> None:
    for token in (TOKEN_WITHOUT_LEARNERS, TOKEN_OF_ONE_COURSE):
        assert api.get(LEARNERS, headers={"Authorization": f"Token {token}"}).status_code == 403
    headers = {"Authorization": f"Token {TOKEN_OF_ONE_COURSE}"}
    assert api.get(COUNTS, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("query", "users"),
    [
        ("", [8, 7, 9]),
        ("?status=quiet", [7]),
        ("?status=quiet,never+started", [8, 7]),
        ("?status=left", []),
        ("?username=ann", [7]),
        ("?username=Ann", []),
        ("?username=ann,Bob,nobody", [8, 7]),
        ("?username=ann&status=active", []),
        ("?page_size=2&page=2", [9]),
    ],
)
def test_who_is_told(api: httpx.Client, query: str, users: list[int]) -> None:
    found = api.get(LEARNERS + query).json()
    assert [row["user_id"] for row in found["results"]] == users


def test_a_status_that_there_is_not(api: httpx.Client) -> None:
    answer = api.get(f"{LEARNERS}?status=asleep")
    assert (answer.status_code, "asleep" in answer.text) == (400, True)


def test_days_are_counted_to_the_last_day_of_the_data(
    engine: sa.Engine, serve_api: Callable[..., httpx.Client]
) -> None:
    """Published at the midnight after 28 February: ann was active on the first, 27 days ago."""
    midnight = datetime(2031, 3, 1)
    row = {"table_name": "learner_status", "until": midnight, "published": midnight, "row_count": 3}
    with engine.begin() as connection:
        connection.execute(sa.insert(publications), row | {"fingerprint": "", "version": 1, "content": ""})
    rows = serve_api().get(LEARNERS).json()["results"]
    assert [row["days_without_activity"] for row in rows] == [None, 27, 2]
