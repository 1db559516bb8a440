"""Spec 05 §5.12 and §8.1."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import httpx
import pyarrow as pa
import pytest
import sqlalchemy as sa

from pharos.result_store import store, tables
from pharos.result_store.store import Publication

CID = "course-v1:OrgX+ABC101+2031_T1"
ENTERPRISE = "5c0dd495-e726-46fa-a6a8-2d8d26c716c9"
PATH = f"/api/v0/enterprise/{ENTERPRISE}/engagements/"


def test_what_learners_did_ever_and_in_the_last_week_of_the_data(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    """Weeks by date, sums for videos (B); nothing is null, not 0."""
    with engine.connect() as connection:
        columns = [c for c in tables.module_engagement.columns if c.name not in ("id", "created")]
        rows = [dict(row) for row in connection.execute(sa.select(*columns)).mappings()]
    published = pa.Table.from_pylist(rows)
    publication = Publication(fingerprint="f", until=datetime(2031, 3, 6), last_event=None, version=1)
    store.publish(engine, tables.module_engagement, published, publication)
    ann, bob = serve_api().get(f"/api/v0/courses/{CID}/user_engagement/").json()
    assert ann == {
        "username": "ann",
        "videos_overall": 2,
        "videos_last_week": 2,
        "problems_overall": 5,
        "problems_last_week": 4,
        "correct_problems_overall": 1,
        "correct_problems_last_week": None,
        "problems_attempts_overall": 4,
        "problems_attempts_last_week": 4,
        "forum_posts_overall": None,
        "forum_posts_last_week": None,
        "date_last_active": "2031-02-28",
    }
    assert (bob["forum_posts_overall"], bob["videos_overall"]) == (4, None)


def test_engagements_of_an_enterprise_without_discussions(api: httpx.Client) -> None:
    page = api.get(PATH).json()
    assert (page["count"], page["num_pages"], page["next"], page["previous"]) == (4, 1, None, None)
    assert page["results"][0] == {
        "id": 1,
        "course_id": CID,
        "created": "2031-03-02T04:05:06Z",
        "username": "ann",
        "date": "2031-02-26",
        "entity_type": "problem",
        "entity_id": "p1",
        "event": "completed",
        "count": 1,
    }
    assert api.get(PATH.replace(ENTERPRISE, ENTERPRISE.replace("-", ""))).json()["count"] == 4


def test_pages(api: httpx.Client) -> None:
    page = api.get(PATH, params={"page_size": 3}).json()
    assert page["next"].endswith("page_size=3&page=2")
    assert len(api.get(page["next"]).json()["results"]) == 1
    header = api.get(PATH, params={"page_size": 3}, headers={"Accept": "text/csv"}).text.split("\r\n")[0]
    assert header == "count,course_id,created,date,entity_id,entity_type,event,id,username"


def test_an_unknown_enterprise_is_empty(api: httpx.Client) -> None:
    page = api.get(PATH.replace("5c0dd495", "5c0dd496")).json()
    assert (page["count"], page["results"]) == (0, [])


@pytest.mark.parametrize("text", ["banana", "c232ab00-9414-11ec-b3c8-9f6bdeced846", "1234"])
def test_other_ids_have_no_route(api: httpx.Client, text: str) -> None:
    answer = api.get(f"/api/v0/enterprise/{text}/engagements/")
    assert (answer.status_code, answer.json()) == (404, {"status": 404})


def test_not_in_v1(api: httpx.Client) -> None:
    assert api.get(PATH.replace("v0", "v1")).json() == {"status": 404}
