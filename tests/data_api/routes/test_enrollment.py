"""Worked examples of spec 05 §5.3-5.4 and the daily rule."""

from __future__ import annotations

import httpx
import pytest

CID = "course-v1:OrgX+ABC101+2031_T1"
CREATED = "2031-03-02T040506"


def test_enrollment_of_the_newest_day(api: httpx.Client) -> None:
    """Spec 05 §5.3."""
    assert api.get(f"/api/v0/courses/{CID}/enrollment/").json() == [
        {"course_id": CID, "date": "2031-03-01", "count": 12, "created": CREATED}
    ]


def test_enrollment_by_mode_adds_no_id_to_professional_and_counts_unknown_modes(api: httpx.Client) -> None:
    """Spec 05 §5.4: keys may sum to less than count."""
    assert api.get(f"/api/v0/courses/{CID}/enrollment/mode/").json() == [
        {
            "course_id": CID,
            "date": "2031-03-01",
            "count": 12,
            "cumulative_count": 18,
            "created": CREATED,
            "audit": 5,
            "credit": 0,
            "honor": 0,
            "professional": 3,
            "verified": 3,
            "masters": 0,
        }
    ]


def test_every_mode_is_named_if_asked_for(api: httpx.Client) -> None:
    """Spec 05 §5.4 (B): also those without a key of their own."""
    path = f"/api/v0/courses/{CID}/enrollment/mode/"
    before, day = api.get(path, params={"start_date": "2031-02-28", "modes": "true"}).json()
    assert before["modes"] == {"honor": 4}
    assert day["modes"] == {
        "audit": 5,
        "verified": 3,
        "professional": 1,
        "no-id-professional": 2,
        "executive": 1,
    }
    assert sum(day["modes"].values()) == day["count"]
    header = api.get(f"{path}?modes=1&format=csv").text.splitlines()[0]
    assert "modes.no-id-professional" in header
    assert "modes" not in api.get(path, params={"modes": "false"}).json()[0]
    assert api.get(path, params={"modes": "banana"}).status_code == 400


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("", ["2031-03-01"]),
        ("start_date=&end_date=", ["2031-03-01"]),
        ("start_date=2031-02-28", ["2031-02-28", "2031-03-01"]),
        ("end_date=2031-03-01", ["2031-02-27", "2031-02-28"]),
        ("start_date=2031-02-28&end_date=2031-03-01", ["2031-02-28"]),
        ("start_date=2031-02-28T120000", ["2031-02-28", "2031-03-01"]),
        ("start_date=2031-2-28&end_date=2031-03-01T0000", ["2031-02-28"]),
        ("start_date=2031-02-28T12:00:00Z&end_date=2031-03-01T00:00:00%2B00:00", ["2031-02-28"]),
    ],
)
def test_days_are_half_open_and_the_time_of_day_is_cut_off(
    api: httpx.Client, query: str, days: list[str]
) -> None:
    """Spec 05 §5, daily rule."""
    answer = api.get(f"/api/v1/courses/{CID}/enrollment/?{query}")
    assert [item["date"] for item in answer.json()] == days


@pytest.mark.parametrize(
    "value", ["banana", "2031-13-01", "2031-03-01T240000", "2031-03-01 00:00:00", "99999"]
)
def test_an_impossible_date_is_the_clients_mistake(api: httpx.Client, value: str) -> None:
    """Spec 05 §2.4 (B)."""
    for path in ("enrollment/", "videos/", "problems/", "activity/"):
        answer = api.get(f"/api/v0/courses/{CID}/{path}", params={"end_date": value})
        assert answer.status_code == 400
        assert answer.json()["error_code"] == "illegal_parameter_values"
        assert value in answer.json()["developer_message"]


def test_an_empty_range_is_not_found(api: httpx.Client) -> None:
    answer = api.get(f"/api/v0/courses/{CID}/enrollment/?start_date=2099-01-01")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


FLOWS = "/api/v1/enrollment_flows/"


def test_flows_are_of_days_with_changes(api: httpx.Client) -> None:
    path = f"/api/v1/courses/{CID}/enrollment/flow/"
    newest = {"course_id": CID, "date": "2031-03-01", "joined": 8, "left": 5, "created": CREATED}
    assert api.get(path).json() == [newest]
    days = api.get(path, params={"end_date": "2031-03-01"}).json()
    assert [(day["date"], day["joined"], day["left"]) for day in days] == [
        ("2031-02-27", 8, 0),
        ("2031-02-28", 2, 1),
    ]
    assert api.get(path, params={"start_date": "2099-01-01"}).status_code == 404


def test_flows_of_all_courses_are_summed_over_the_days(api: httpx.Client) -> None:
    def flows(query: str) -> dict[str, tuple[int, int]]:
        found = api.get(f"{FLOWS}?{query}").json()
        return {item["course_id"]: (item["joined"], item["left"]) for item in found}

    assert flows("") == {CID: (18, 6), "OrgY/XYZ/2031": (3, 0)}
    assert flows("start_date=2031-02-28&end_date=2031-03-01") == {CID: (2, 1)}
    assert flows("start_date=2099-01-01") == {}


def test_flows_of_all_courses_are_those_the_token_may_read(api: httpx.Client) -> None:
    for token, courses in (("c" * 40, ["OrgY/XYZ/2031"]), ("d" * 40, [CID])):
        found = api.get(FLOWS, headers={"Authorization": f"Token {token}"}).json()
        assert [item["course_id"] for item in found] == courses
