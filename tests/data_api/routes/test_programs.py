"""Spec 05 §7.2."""

from __future__ import annotations

import httpx

CID = "course-v1:OrgX+ABC101+2031_T1"
PROGRAM = "2f6bb1e0-0000-4000-8000-000000000001"


def test_the_example_of_the_specification(api: httpx.Client) -> None:
    expected = {
        "program_id": PROGRAM,
        "program_type": "MicroMasters",
        "program_title": "Letters",
        "course_ids": [CID, "course-v1:OrgY+XYZ+2031"],
        "created": "2031-03-02T04:05:06Z",
    }
    assert api.get("/api/v0/programs/").json() == [expected]
    assert api.get("/api/v1/programs/", params={"program_ids": f"{PROGRAM},other"}).json() == [expected]
    assert api.post("/api/v1/programs/", json={"program_ids": [PROGRAM]}).json() == [expected]


def test_fields_and_unknown_programs(api: httpx.Client) -> None:
    assert api.get("/api/v0/programs/?fields=program_id&exclude=created").json() == [{"program_id": PROGRAM}]
    assert api.get("/api/v0/programs/?program_ids=other").status_code == 404
