"""Worked examples of spec 05 §5.9-5.10 and §6.1-6.3."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import sqlalchemy as sa

from pharos.result_store import tables

CID = "course-v1:OrgX+ABC101+2031_T1"
P1 = "block-v1:OrgX+ABC101+2031_T1+type@problem+block@p1"
CREATED = "2031-03-02T040506"


def test_submissions_are_divided_by_the_parts_and_cut(api: httpx.Client) -> None:
    """Part 1: 12 right and 1 wrong; part 2: 6 wrong and 1 right. 20 / 2 and 13 / 2."""
    assert api.get(f"/api/v0/courses/{CID}/problems/").json() == [
        {
            "module_id": P1,
            "total_submissions": 10,
            "correct_submissions": 6,
            "part_ids": ["p1_2_1", "p1_3_1"],
            "created": CREATED,
        }
    ]


def test_tags_are_sorted_by_name_and_value(api: httpx.Client) -> None:
    assert api.get(f"/api/v0/courses/{CID}/problems_and_tags/").json() == [
        {
            "module_id": P1,
            "total_submissions": 11,
            "correct_submissions": 4,
            "tags": {"difficulty": ["Easy", "Hard"], "learning_outcome": ["Learned nothing"]},
            "created": CREATED,
        }
    ]


def test_variants_that_mean_the_same_are_added_up(api: httpx.Client) -> None:
    answers = api.get(f"/api/v0/problems/{P1}/answer_distribution/").json()
    assert answers[0] == {
        "course_id": CID,
        "module_id": P1,
        "part_id": "p1_2_1",
        "correct": True,
        "value_id": "choice_1",
        "answer_value": "Paris",
        "problem_display_name": "Capitals",
        "question_text": "Capital of France?",
        "variant": None,
        "created": CREATED,
        "first_response_count": 10,
        "last_response_count": 12,
        "consolidated_variant": False,
    }
    merged, single = answers[2:]
    assert (merged["value_id"], merged["answer_value"]) == ("[choice_0|choice_2]", "[a b|c]")
    assert (merged["first_response_count"], merged["last_response_count"]) == (3, 6)
    assert (merged["variant"], merged["consolidated_variant"]) == (None, True)
    assert (single["variant"], single["consolidated_variant"]) == (5, False)


def test_one_differing_answer_keeps_its_whole_part_apart_and_no_other(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE answer_distribution SET question_text = 'Other' WHERE variant = 7")
        )
        for variant in (3, 4):
            answer = {"course_id": CID, "module_id": P1, "part_id": "p1_4_1", "correct": True}
            answer |= {"value_id": "choice_1", "variant": variant}
            answer |= {"first_response_count": 1, "last_response_count": 1}
            connection.execute(sa.insert(tables.answer_distribution), answer)
    answers = serve_api().get(f"/api/v0/problems/{P1}/answer_distribution/").json()
    assert [(a["part_id"], a["variant"], a["consolidated_variant"]) for a in answers] == [
        ("p1_2_1", None, False),
        ("p1_2_1", None, False),
        ("p1_3_1", 5, False),
        ("p1_3_1", 7, False),
        ("p1_3_1", 5, False),
        ("p1_4_1", None, True),
    ]


def test_null_answers_are_null(api: httpx.Client) -> None:
    """Spec 05 §6.1 (B): not the text None."""
    (answer,) = api.get("/api/v0/problems/i4x://OrgY/XYZ/problem/x/answer_distribution/").json()
    assert answer["value_id"] is None
    assert answer["answer_value"] is None


def test_grades_are_served_as_stored(api: httpx.Client) -> None:
    """Spec 05 §6.2 (B)."""
    grades = api.get(f"/api/v0/problems/{P1}/grade_distribution/").json()
    assert [(g["grade"], g["max_grade"], g["count"]) for g in grades] == [
        (1, 2, 3),
        (1.5, 2, 4),
        (0, None, 1),
    ]
    assert '"grade":1,' in api.get(f"/api/v0/problems/{P1}/grade_distribution/").text


def test_subsections_opened(api: httpx.Client) -> None:
    assert api.get(f"/api/v1/problems/{P1}/sequential_open_distribution/").json() == [
        {"module_id": P1, "course_id": CID, "count": 77, "created": CREATED}
    ]


def test_tables_with_the_single_old_count_are_read(
    serve_api: Callable[..., httpx.Client], engine: sa.Engine
) -> None:
    """Spec 05 §6.1.5."""
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE answer_distribution DROP COLUMN first_response_count"))
        connection.execute(
            sa.text("ALTER TABLE answer_distribution RENAME COLUMN last_response_count TO count")
        )
    api = serve_api()
    assert api.get(f"/api/v0/courses/{CID}/problems/").json()[0]["total_submissions"] == 10
    answer = api.get(f"/api/v0/problems/{P1}/answer_distribution/").json()[0]
    assert answer["count"] == 12
    assert "last_response_count" not in answer
