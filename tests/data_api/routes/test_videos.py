"""Worked examples of spec 05 §5.11 and §6.4."""

from __future__ import annotations

import httpx
import pytest

CID = "course-v1:OrgX+ABC101+2031_T1"


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
