"""Worked examples of spec 05 §5.11 and §6.4; how much of videos is watched."""

from __future__ import annotations

import httpx
import pytest
from tests.data_api.conftest import CID, OTHER, TOKEN_OF_ONE_COURSE


def test_videos_of_the_course_only_and_unknown_duration_as_it_is(api: httpx.Client) -> None:
    first, second = api.get(f"/api/v0/courses/{CID}/videos/").json()
    assert first == {
        "pipeline_video_id": f"{CID}|v1",
        "encoded_module_id": "v1",
        "duration": 142,
        "segment_length": 5,
        "users_at_start": 20,
        "users_at_end": 7,
        "created": "2031-03-02T040506",
    }
    assert second["duration"] == -1


@pytest.mark.parametrize("bar", ["|", "%7C"])
def test_timeline_by_segment(api: httpx.Client, bar: str) -> None:
    assert api.get(f"/api/v0/videos/{CID}{bar}v1/timeline/").json() == [
        {"segment": 0, "num_users": 20, "num_views": 25, "created": "2031-03-02T040506"},
        {"segment": 1, "num_users": 19, "num_views": 24, "created": "2031-03-02T040506"},
    ]


def test_coverage_of_a_course_and_of_a_video(api: httpx.Client) -> None:
    found = api.get(f"/api/v1/courses/{CID}/video_coverage/").json()
    assert [(row["encoded_module_id"], row["covered_percent"], row["num_users"]) for row in found] == [
        ("v1", 0, 9),
        ("v1", 40, 5),
        ("v1", 95, 6),
        ("v2", 90, 3),
    ]
    assert api.get(f"/api/v1/videos/{CID}%7Cv1/coverage/").json() == found[:3]


def test_a_video_of_a_course_that_is_not_theirs_is_not_shown(api: httpx.Client) -> None:
    headers = {"Authorization": f"Token {TOKEN_OF_ONE_COURSE}"}
    for course, status in ((OTHER, 200), (CID, 404)):
        video = "v9" if course == OTHER else "v1"
        for path in ("coverage", "places", "weeks", "watching"):
            answer = api.get(f"/api/v1/videos/{course}|{video}/{path}/", headers=headers)
            assert answer.status_code == status, course


def test_places_of_a_course_and_of_a_video(api: httpx.Client) -> None:
    found = api.get(f"/api/v1/courses/{CID}/video_places/").json()
    assert [(row["encoded_module_id"], row["kind"], row["start_second"]) for row in found] == [
        ("v1", "drop", 40),
        ("v1", "peak", 20),
        ("v2", "peak", 0),
    ]
    assert api.get(f"/api/v1/videos/{CID}%7Cv1/places/").json() == found[:2]


def test_weeks_and_watching_of_a_course_and_of_a_video(api: httpx.Client) -> None:
    weeks = api.get(f"/api/v1/courses/{CID}/video_weeks/").json()
    assert [(row["encoded_module_id"], row["week"]) for row in weeks] == [
        ("v1", "2031-02-17"), ("v1", "2031-02-24"), ("v2", "2031-02-24"),
    ]  # fmt: skip
    assert api.get(f"/api/v1/videos/{CID}%7Cv1/weeks/").json() == weeks[:2]
    ways = api.get(f"/api/v1/courses/{CID}/video_watching/").json()
    assert [row["kind"] for row in ways] == ["captions", "device", "next_video", "speed", "device"]
    assert api.get(f"/api/v1/videos/{CID}%7Cv1/watching/").json() == ways[:4]


def test_the_original_has_none_of_them(api: httpx.Client) -> None:
    for path in ("video_coverage", "video_places", "video_weeks", "video_watching"):
        assert api.get(f"/api/v0/courses/{CID}/{path}/").status_code == 404
