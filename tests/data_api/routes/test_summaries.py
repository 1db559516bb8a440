"""Spec 05 §7.1, §11.1 and §11.2."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pyarrow as pa
import pytest
import sqlalchemy as sa

from pharos.data_api.reading import Reading
from pharos.result_store import contract, store, tables
from pharos.result_store.store import Publication

CID = "course-v1:OrgX+ABC101+2031_T1"
OTHER = "OrgY/XYZ/2031"
PROGRAM = "2f6bb1e0-0000-4000-8000-000000000001"
PATH = "/api/v1/course_summaries/"
TABLE = tables.course_meta_summary_enrollment


def counts(count: int, ever: int, change: int, passing: int) -> dict[str, int]:
    return {
        "count": count,
        "cumulative_count": ever,
        "count_change_7_days": change,
        "passing_users": passing,
    }


def publish(engine: sa.Engine, counted: dict[str, int]) -> None:
    """A summary of each course, with this count of everything in the mode audit."""
    nulls = {column.name: [None] * len(counted) for column in contract.columns(TABLE)}
    numbers = {name: list(counted.values()) for name in counts(0, 0, 0, 0)}
    ids = {"course_id": list(counted), "enrollment_mode": ["audit"] * len(counted)}
    publication = Publication(
        fingerprint=str(counted), until=datetime(2031, 3, 2), last_event=None, version=1
    )
    store.publish(engine, TABLE, pa.table(nulls | ids | numbers), publication)


def test_the_example_of_the_specification(api: httpx.Client) -> None:
    answer = api.get(PATH, params={"course_ids": CID, "programs": "true"})
    assert answer.json() == [
        {
            "created": "2031-03-02T040506",
            "course_id": CID,
            "catalog_course_title": "Abecedarium",
            "catalog_course": "OrgX+ABC101",
            "start_date": "2031-01-05T123000",
            "end_date": "2031-06-30T235959",
            "pacing_type": "instructor_paced",
            "availability": "Upcoming",
            "count": 11,
            "cumulative_count": 17,
            "count_change_7_days": 2,
            "recent_count_change": None,
            "passing_users": 4,
            "enrollment_modes": {
                "audit": counts(5, 9, 1, 2),
                "credit": counts(0, 0, 0, 0),
                "honor": counts(0, 0, 0, 0),
                "professional": counts(3, 4, 2, 1),
                "verified": counts(3, 4, -1, 1),
                "masters": counts(0, 0, 0, 0),
            },
            "programs": [PROGRAM],
        }
    ]


def test_unknown_modes_are_shown_and_null_counts_are_zero(api: httpx.Client) -> None:
    (summary,) = api.get(PATH, params={"course_ids": OTHER}).json()
    assert summary["enrollment_modes"]["executive"] == counts(3, 3, 0, 0)
    assert summary["start_date"] is None


def test_all_courses_by_id(api: httpx.Client) -> None:
    assert [s["course_id"] for s in api.get(PATH).json()] == sorted([CID, OTHER])


@pytest.mark.parametrize("programs", ["", "false", "0", "no"])
def test_programs_are_off_unless_asked_for(api: httpx.Client, programs: str) -> None:
    answer = api.get(PATH, params={"programs": programs, "fields": "programs,count"})
    assert all("programs" not in summary for summary in answer.json())


def test_a_course_without_programs_has_an_empty_list(api: httpx.Client) -> None:
    """A 500 for all courses in the original."""
    by_id = {s["course_id"]: s["programs"] for s in api.get(PATH, params={"programs": "true"}).json()}
    assert by_id == {CID: [PROGRAM], OTHER: []}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"json": {"course_ids": [CID, OTHER]}}, 2),
        ({"json": {"course_ids": CID}}, 1),
        ({"json": {"course_ids": f"{CID},{OTHER}"}}, 2),
        ({"data": {"course_ids": [CID, OTHER]}}, 2),
        ({"data": {"course_ids": f"{CID},{OTHER}"}}, 2),
        ({"files": {"course_ids": (None, CID)}}, 1),
        ({"json": {}}, 2),
        ({}, 2),
    ],
)
def test_post_takes_forms_and_json_lists_and_scalars(
    api: httpx.Client, body: dict[str, object], found: int
) -> None:
    for path in (PATH, PATH.rstrip("/")):
        answer = api.post(path, **body)  # type: ignore[arg-type]
        assert (answer.status_code, len(answer.json())) == (200, found)


def test_ten_thousand_ids(api: httpx.Client) -> None:
    ids = [f"course-v1:OrgX+C{number}+R" for number in range(10_000)] + [CID]
    assert len(api.post(PATH, data={"course_ids": ids}).json()) == 1


@pytest.mark.parametrize(
    ("content", "kind", "status", "text"),
    [
        (b"{", "application/json", 400, "JSON parse error"),
        (b"[]", "application/json", 400, "object"),
        (b"x", "text/plain", 415, 'Unsupported media type "text/plain" in request.'),
    ],
)
def test_bodies_that_cannot_be_read(
    api: httpx.Client, content: bytes, kind: str, status: int, text: str
) -> None:
    answer = api.post(PATH, content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert text in answer.json()["detail"]


def test_a_body_larger_than_any_list_of_courses(api: httpx.Client) -> None:
    chunk = b"x" * 1024 * 1024
    for content in (chunk * 11, (chunk for _ in range(11))):
        answer = api.post(PATH, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert "larger than" in answer.json()["detail"]


@pytest.mark.parametrize("ids", [f"{CID},", "foo", f"{CID},a+b", "course-v1:a+b"])
def test_a_malformed_id_is_named(api: httpx.Client, ids: str) -> None:
    bad = ids.rpartition(",")[2]
    for answer in (
        api.get(PATH, params={"course_ids": ids}),
        api.post(PATH, json={"course_ids": ids.split(",")}),
    ):
        assert answer.status_code == 400
        assert answer.json() == {
            "error_code": "course_key_malformed",
            "developer_message": f"Course id/key {bad} malformed.",
        }


def test_a_raw_plus_in_a_query_is_a_space(api: httpx.Client) -> None:
    answer = api.get(f"{PATH}?course_ids={CID}")
    assert answer.status_code == 400
    assert CID.replace("+", " ") in answer.json()["developer_message"]


def test_exclude_wins_over_fields_and_reaches_into_modes(api: httpx.Client) -> None:
    asked = {"course_ids": CID, "fields": "count,course_id,enrollment_modes", "exclude": "count,nonsense"}
    (summary,) = api.get(PATH, params=asked).json()
    assert set(summary) == {"course_id", "enrollment_modes"}
    assert set(summary["enrollment_modes"]["audit"]) == {
        "cumulative_count",
        "count_change_7_days",
        "passing_users",
    }
    assert api.get(PATH, params={"course_ids": CID, "fields": "nonsense"}).json() == [{}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("banana", "time data 'banana' does not match format '%Y-%m-%d'"),
        ("<b>", "time data '&lt;b&gt;' does not match"),
        ("2999-03-01", '"2999-03-01 00:00:00" is not in the past'),
        ("today", "is not in the past"),
    ],
)
def test_recent_date_must_be_a_past_day(api: httpx.Client, text: str, reason: str) -> None:
    day = f"{datetime.now(UTC):%Y-%m-%d}" if text == "today" else text
    answer = api.get(PATH, params={"recent_date": day})
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("Error in recent_date: ")
    assert reason in answer.text


def test_yesterday_is_a_past_day(api: httpx.Client) -> None:
    """The newest day that is: today has not ended."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert api.get(PATH, params={"recent_date": f"{yesterday}"}).status_code == 200


def test_recent_change_is_since_the_newest_day_up_to_recent_date(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    day = {"course_id": CID, "date": date(2020, 1, 5), "count": 4, "cumulative_count": 4}
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.course_enrollment_daily), day)
    api = serve_api()
    for recent_date, change in (("2020-01-04", 11), ("2020-01-05", 7), ("2020-01-07", 7)):
        asked = {"recent_date": recent_date, "course_ids": CID}
        assert api.get(PATH, params=asked).json()[0]["recent_count_change"] == change
    excluded = api.get(PATH, params={"recent_date": "2020-01-05", "exclude": "recent_count_change"}).json()
    assert "recent_count_change" not in excluded[0]


@pytest.mark.parametrize("ids_in_query", [1, 1000])
def test_recent_changes_of_many_courses_are_found_some_at_a_time(
    serve_api: Callable[..., httpx.Client],
    engine: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
    ids_in_query: int,
) -> None:
    monkeypatch.setattr("pharos.data_api.routes.summaries.MAX_IDS_IN_QUERY", ids_in_query)
    days = [(CID, date(2020, 1, 5), 4), (CID, date(2020, 1, 7), 5), (OTHER, date(2020, 1, 4), None)]
    with engine.begin() as connection:
        for course_id, day, count in days:
            row = {"course_id": course_id, "date": day, "count": count, "cumulative_count": 9}
            connection.execute(sa.insert(tables.course_enrollment_daily), row)
    found = serve_api().get(PATH, params={"recent_date": "2020-01-07"}).json()
    assert {s["course_id"]: s["recent_count_change"] for s in found} == {CID: 11 - 5, OTHER: 3}


def test_who_asks_for_few_does_not_wait_for_all(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(engine, {"a/b/c": 5, CID: 6, OTHER: 7})
    sizes, read = [], Reading.tuples

    def counted(self: Reading, statement: sa.Select[Any], *values: Any) -> Any:
        rows = read(self, statement, *values)
        sizes.append(len(rows))
        return rows

    monkeypatch.setattr(Reading, "tuples", counted)
    api = serve_api()
    for ids, count in (("a/b/c", 5), (CID, 6), (None, 7), (OTHER, 7)):
        assert api.get(PATH, params={"course_ids": ids} if ids else {}).json()[0]["count"] == count
    assert sizes == [1, 1, 3]  # the last is among all


def test_kept_summaries_are_those_of_the_callers_own_courses(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    publish(engine, {CID: 6, OTHER: 7})
    api = serve_api()
    tokens = {"a" * 40: [7, 6], "c" * 40: [7], "d" * 40: [6]}
    for _ in range(3):
        for token, counts_ in tokens.items():
            headers = {"Authorization": f"Token {token}"}
            assert [s["count"] for s in api.get(PATH, headers=headers).json()] == counts_
            total = api.get("/api/v1/course_totals/", headers=headers).json()
            assert total["count"] == sum(counts_)
            few = api.get(PATH, headers=headers, params={"course_ids": f"{CID},{OTHER}"})
            assert [s["count"] for s in few.json()] == counts_


def test_summaries_kept_in_memory_follow_what_is_published(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pharos.data_api.reading.FRESH_FOR_S", 0)
    api = serve_api()
    for count in (5, 6):
        publish(engine, {"a/b/c": count})
        assert [s["count"] for s in api.post(PATH).json()] == [count]
        assert [s["count"] for s in api.post(PATH, data={"course_ids": ["a/b/c", CID]}).json()] == [count]
        assert api.get("/api/v1/course_totals/").json()["verified_enrollment"] == 0


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"availability": "Upcoming"}, [CID]),
        ({"availability": "unknown"}, [OTHER]),
        ({"pacing_type": "instructor_paced,self_paced"}, [CID]),
        ({"program_ids": PROGRAM}, [CID]),
        ({"text_search": "ABECE"}, [CID]),
        ({"text_search": "xyz/"}, [OTHER]),
        ({"order_by": "count"}, [OTHER, CID]),
        ({"order_by": "count", "sort_order": "desc"}, [CID, OTHER]),
        ({"order_by": "catalog_course_title"}, [CID, OTHER]),
        ({"order_by": "catalog_course_title", "sort_order": "desc"}, [CID, OTHER]),
        ({"order_by": "start_date"}, [OTHER, CID]),
        ({"order_by": "verified_enrollment", "sort_order": "desc"}, [CID, OTHER]),
    ],
)
def test_choosing_and_ordering(api: httpx.Client, asked: dict[str, str], found: list[str]) -> None:
    assert [summary["course_id"] for summary in api.get(PATH, params=asked).json()] == found


@pytest.mark.parametrize("name", ["order_by", "sort_order", "availability", "pacing_type"])
def test_impossible_choices_are_refused_with_those_there_are(api: httpx.Client, name: str) -> None:
    answer = api.get(PATH, params={name: "nonsense"})
    assert answer.status_code == 400
    assert "must be one of" in answer.json()["developer_message"]


def test_a_page_only_if_asked_for(api: httpx.Client) -> None:
    page = api.get(PATH, params={"page": 2, "page_size": 1}).json()
    assert (page["count"], page["num_pages"], page["next"]) == (2, 2, None)
    assert "page=" not in page["previous"].replace("page_size=", "")
    assert len(page["results"]) == 1
    assert isinstance(api.get(PATH, params={"page": 2, "all": "True"}).json(), list)
    assert api.get(PATH, params={"page": 3, "page_size": 1}).status_code == 404


def test_no_match_is_not_found(api: httpx.Client) -> None:
    assert api.get(PATH, params={"course_ids": "a/b/c"}).json() == {"detail": "Not found."}


def test_totals(api: httpx.Client) -> None:
    """Spec 05 §11.2."""
    assert api.get("/api/v1/course_totals/").json() == {
        "count": 14,
        "cumulative_count": 20,
        "count_change_7_days": 2,
        "verified_enrollment": 3,
    }
    assert api.post("/api/v0/course_totals/", data={"course_ids": "a/b/c"}).json()["count"] == 0


def test_an_element_of_an_array_is_one_id(api: httpx.Client) -> None:
    """With its comma, as recorded; a text is a list with commas."""
    both = f"{CID},{OTHER}"
    refused = api.post(PATH, json={"course_ids": [both]})
    assert refused.status_code == 400
    assert refused.json()["developer_message"] == f"Course id/key {both} malformed."
    assert len(api.post(PATH, json={"course_ids": both}).json()) == 2
    assert len(api.post(PATH, json={"course_ids": [CID, OTHER]}).json()) == 2
    assert len(api.post(PATH, data={"course_ids": both}).json()) == 2
