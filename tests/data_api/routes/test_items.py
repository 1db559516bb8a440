"""Item quality, answers of strong and weak learners, findings: of the courses that a caller may read."""

from __future__ import annotations

from urllib.parse import quote

import httpx
from tests.data_api.conftest import CID, P1, TOKEN_OF_ONE_COURSE

COURSE = quote(CID, safe="")


def test_parts_come_in_order_with_all_variants_last(api: httpx.Client) -> None:
    rows = api.get(f"/api/v1/courses/{COURSE}/item_quality/").json()
    assert [(row["part_id"], row["variant"], row["tried"]) for row in rows] == [
        ("p1_2_1", None, 13),
        ("p1_3_1", 5, 12),
        ("p1_3_1", None, 30),
    ]
    assert rows[0]["changed_at"] == "2031-02-25T080000"


def test_truth_stays_truth_and_evidence_is_an_object(api: httpx.Client) -> None:
    answers = api.get(f"/api/v1/problems/{P1}/item_answers/").json()
    assert [(row["place"], row["is_correct"]) for row in answers] == [(1, True), (2, False)]
    (finding,) = api.get(f"/api/v1/courses/{COURSE}/findings/").json()
    assert finding["numbers"] == {"tried": 30, "attempts": 41}


def test_an_answer_of_a_course_that_is_not_theirs_is_not_shown(api: httpx.Client) -> None:
    headers = {"Authorization": f"Token {TOKEN_OF_ONE_COURSE}"}
    answers = api.get(f"/api/v1/problems/{P1}/item_answers/", headers=headers)
    assert answers.status_code == 404, "as for a problem without answers"
    for path in ("item_quality", "findings"):
        assert api.get(f"/api/v1/courses/{COURSE}/{path}/", headers=headers).status_code == 403


def test_the_original_has_no_such_addresses(api: httpx.Client) -> None:
    assert api.get(f"/api/v0/courses/{COURSE}/findings/").status_code == 404
