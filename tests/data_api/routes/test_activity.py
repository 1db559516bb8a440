"""Worked examples of spec 05 §5.1-5.2."""

from __future__ import annotations

import httpx
import pytest

CID = "course-v1:OrgX+ABC101+2031_T1"
FIRST = {
    "interval_start": "2031-02-17T000000",
    "interval_end": "2031-02-24T000000",
    "course_id": CID,
    "any": 30,
    "attempted_problem": 9,
    "played_video": 12,
    "posted_forum": 2,
    "created": "2031-03-02T040507",
}
SECOND = {
    "interval_start": "2031-02-24T000000",
    "interval_end": "2031-03-03T000000",
    "course_id": CID,
    "any": 41,
    "played_video": 20,
    "created": "2031-03-02T040507",
}


@pytest.mark.parametrize(
    ("query", "weeks"),
    [
        ("", [SECOND]),
        ("activity_type=attempted_problem", [SECOND]),
        ("start_date=2031-02-17", [FIRST, SECOND]),
        ("start_date=2031-02-17&end_date=2031-03-03", [FIRST]),
        ("end_date=2031-03-04", [FIRST, SECOND]),
        ("end_date=2031-03-03T000001", [FIRST, SECOND]),
        ("start_date=2031-02-17T010000", [SECOND]),
    ],
)
def test_weeks_of_a_range(api: httpx.Client, query: str, weeks: list[dict[str, object]]) -> None:
    """The table of spec 05 §5.1; an activity nobody had is a missing key."""
    assert api.get(f"/api/v0/courses/{CID}/activity/?{query}").json() == weeks


def test_no_week_is_not_found(api: httpx.Client) -> None:
    assert api.get(f"/api/v0/courses/{CID}/activity/?start_date=2099-01-01").status_code == 404


@pytest.mark.parametrize(
    ("query", "week", "kind", "count"),
    [
        ("", "2031-02-24", "any", 41),
        ("activity_type=ANY", "2031-02-24", "any", 41),
        ("activity_type=active", "2031-02-24", "any", 41),
        ("label=played_video&activity_type=any", "2031-02-24", "played_video", 20),
        ("activity_type=Posted_Forum", "2031-02-17", "posted_forum", 2),
    ],
)
def test_recent_activity_is_the_newest_week_of_that_kind(
    api: httpx.Client, query: str, week: str, kind: str, count: int
) -> None:
    """Spec 05 §5.2."""
    answer = api.get(f"/api/v0/courses/{CID}/recent_activity/?{query}").json()
    assert answer["interval_start"] == f"{week}T00:00:00Z"
    assert (answer["activity_type"], answer["count"], answer["course_id"]) == (kind, count, CID)


@pytest.mark.parametrize("query", ["activity_type=nonsense", "activity_type=", "label=nonsense"])
def test_an_unknown_kind_is_not_found(api: httpx.Client, query: str) -> None:
    assert api.get(f"/api/v0/courses/{CID}/recent_activity/?{query}").status_code == 404


def test_the_week_so_far_is_apart_and_says_how_far_it_reaches(api: httpx.Client) -> None:
    """No week of `activity/` is it; a kind nobody had is a missing key."""
    path = f"/api/v1/courses/{CID}/activity/"
    [week] = api.get(f"{path}current_week/").json()
    assert (week["interval_start"], week["date"]) == ("2031-03-03T000000", "2031-03-05")
    assert (week["any"], week["played_video"]) == (7, 3)
    assert "posted_forum" not in week
    assert all(item["interval_start"] != week["interval_start"] for item in api.get(path).json())
    assert api.get("/api/v1/courses/OrgY/XYZ/2031/activity/current_week/").status_code == 404
