"""The historical learner endpoints: spec 05 §10."""

from __future__ import annotations

import csv
import io

import httpx
import pytest

CID = "course-v1:OrgX+ABC101+2031_T1"


def get(api: httpx.Client, path: str, **query: object) -> httpx.Response:
    return api.get(f"/api/v0/{path}", params={"course_id": CID, **query})  # type: ignore[dict-item]


def names(api: httpx.Client, **query: object) -> list[str]:
    return [item["username"] for item in get(api, "learners/", **query).json()["results"]]


def test_one_learner(api: httpx.Client) -> None:
    assert get(api, "learners/ann/").json() == {
        "user_id": 7,
        "username": "ann",
        "enrollment_mode": "audit",
        "name": "Ann Example",
        "account_url": "http://lms.example.org/api/user/v1/accounts/ann",
        "email": "ann@example.com",
        "language": None,
        "location": None,
        "year_of_birth": 1999,
        "level_of_education": "b",
        "gender": "f",
        "mailing_address": None,
        "city": None,
        "country": "DE",
        "goals": None,
        "segments": ["highly_engaged"],
        "engagements": {
            "discussion_contributions": 0,
            "problems_attempted": 3,
            "problems_completed": 2,
            "videos_viewed": 4,
            "problem_attempts_per_completed": 1.5,
        },
        "enrollment_date": "2031-01-09",
        "cohort": "Team A",
        "last_updated": None,
    }


def test_course_ids_are_checked(api: httpx.Client) -> None:
    for path in ("learners/", "learners/ann/", "engagement_timelines/ann/"):
        assert api.get(f"/api/v0/{path}").json()["error_code"] == "course_not_specified"
        assert api.get(f"/api/v0/{path}?course_id=foo").json()["error_code"] == "course_key_malformed"
    assert get(api, "learners/nobody/").json() == {
        "error_code": "no_learner_for_course",
        "developer_message": f"Learner nobody not found for course {CID}.",
    }
    assert get(api, "engagement_timelines/nobody/").json() == {
        "error_code": "no_learner_engagement_timeline",
        "developer_message": f"Learner nobody engagement timeline not found for course {CID}.",
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["Bob", "ann", "zoë"]),
        ({"segments": "highly_engaged,struggling"}, ["Bob", "ann"]),
        ({"ignore_segments": "inactive"}, ["ann", "zoë"]),
        ({"cohort": "Équipe, B"}, ["zoë"]),
        ({"cohort": ""}, ["Bob", "ann", "zoë"]),
        ({"status": "quiet"}, ["ann"]),
        ({"status": "quiet,never started", "sort_order": "desc"}, ["ann", "Bob"]),
        ({"status": "never started", "text_search": "ann"}, []),
        ({"enrollment_mode": "audit"}, ["ann", "zoë"]),
        ({"text_search": "EXAMPLE"}, ["ann"]),
        ({"text_search": "%"}, []),
        ({"text_search": "ZOE"}, ["zoë"]),
        ({"text_search": "Zoë"}, ["zoë"]),
        ({"text_search": " exam  an"}, ["ann"]),
        ({"text_search": "ann bob"}, []),
        ({"text_search": "xample"}, []),
        ({"text_search": "ann@example.com"}, ["ann"]),
        ({"order_by": "problems_attempted", "sort_order": "desc"}, ["ann", "Bob", "zoë"]),
        ({"order_by": "email"}, ["ann", "Bob", "zoë"]),
        ({"order_by": "email", "sort_order": "desc"}, ["Bob", "zoë", "ann"]),
        ({"order_by": "problem_attempts_per_completed"}, ["ann", "zoë", "Bob"]),
        ({"order_by": "problem_attempts_per_completed", "sort_order": "desc"}, ["Bob", "zoë", "ann"]),
    ],
)
def test_choosing_and_ordering(api: httpx.Client, query: dict[str, str], found: list[str]) -> None:
    """Spec 05 §10.2: missing values last in ascending order, first in descending."""
    assert names(api, **query) == found


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            {"segments": "nope", "ignore_segments": "x"},
            "Cannot combine `segments` and `ignore_segments` parameters.",
        ),
        (
            {"segments": "nope"},
            "segments/ignore_segments value 'nope' must be one of: (highly_engaged, disengaging, struggling,",
        ),
        ({"order_by": "zzz"}, "order_by value 'zzz' must be one of: (username, email,"),
        ({"status": "asleep"}, "status value 'asleep' must be one of: (never started, active,"),
        ({"sort_order": "up"}, "sort_order value 'up' must be one of: (asc, desc)"),
    ],
)
def test_impossible_parameters(api: httpx.Client, query: dict[str, str], message: str) -> None:
    answer = get(api, "learners/", **query)
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "illegal_parameter_values"
    assert answer.json()["developer_message"].startswith(message)


def test_pages_and_their_links(api: httpx.Client) -> None:
    answer = get(api, "learners/", page=2, page_size=1)
    page = answer.json()
    assert (page["count"], page["num_pages"], len(page["results"])) == (3, 3, 1)
    assert 'rel="next"' in answer.headers["Link"]
    assert 'rel="prev"' in answer.headers["Link"]
    assert api.get(page["next"]).json()["results"][0]["username"] == "zoë"
    assert "page=" not in page["previous"].replace("page_size=", "")
    assert len(get(api, "learners/", page_size="banana").json()["results"]) == 3
    assert get(api, "learners/", page="last", page_size=1).json()["next"] is None


@pytest.mark.parametrize("page", ["0", "-1", "banana", "2", "²"])
def test_pages_there_are_not(api: httpx.Client, page: str) -> None:
    answer = get(api, "learners/", page=page)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."})


def test_csv_of_learners(api: httpx.Client) -> None:
    answer = api.get("/api/v0/learners/", params={"course_id": CID}, headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["cohort"] for row in rows] == ["", "Team A", "Équipe, B"]
    assert rows[0]["segments"] == "inactive, struggling"
    assert "engagements.videos_viewed" in rows[0]
    name = answer.headers["Content-Disposition"]
    assert "OrgX-ABC101-2031_T1--2" in name
    assert "+00:00--learners.csv" in name


def test_timeline_without_gaps(api: httpx.Client) -> None:
    """Spec 05 §10.3: problems and videos are distinct ones, contributions are added up."""
    zeros = {"problems_attempted": 0, "problems_completed": 0, "discussion_contributions": 0}
    assert get(api, "engagement_timelines/ann/").json() == {
        "days": [
            {"date": "2031-02-26", **zeros, "problems_completed": 1, "videos_viewed": 0},
            {"date": "2031-02-27", **zeros, "videos_viewed": 0},
            {"date": "2031-02-28", **zeros, "problems_attempted": 2, "videos_viewed": 1},
        ]
    }
    (day,) = get(api, "engagement_timelines/bob/").json()["days"]
    assert day["discussion_contributions"] == 4


def test_metadata_of_a_course(api: httpx.Client) -> None:
    """Spec 05 §10.4."""
    found = api.get(f"/api/v0/course_learner_metadata/{CID}/").json()
    assert found["enrollment_modes"] == {"audit": 2, "verified": 1}
    assert found["segments"] == {
        "highly_engaged": 1,
        "struggling": 1,
        "inactive": 1,
        "disengaging": 0,
        "unenrolled": 0,
    }
    assert found["cohorts"] == {"Team A": 1, "Équipe, B": 1}
    ranges = found["engagement_ranges"]
    assert ranges["date_range"] == {"start": "2031-02-23", "end": "2031-03-02"}
    assert ranges["problems_attempted"] == {
        "class_rank_bottom": [0.0, 2.5],
        "class_rank_average": [2.5, 8.0],
        "class_rank_top": [8.0, None],
    }
    assert ranges["problem_attempts_per_completed"]["class_rank_top"] == [0.0, 2.5]
    nothing = api.get("/api/v0/course_learner_metadata/a/b/c/").json()
    assert nothing["engagement_ranges"]["date_range"] == {"start": None, "end": None}
