"""What payloads of `problem_check` tell. `spec 02 §2, 3, §11.5-15, §12.2.14`"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.problems import CHECKBOX, PART, PROBLEM, context, old, part, payload

from pharos.facts.submission_payload import Refused, submission_rows


def told(payload: Any, of_context: Any = None, refused: str = "") -> list[dict[str, Any]]:
    """The rows of a payload and a context, without what is null."""
    text = submission_rows(json.dumps(payload), json.dumps(of_context or context()), refused)
    return [json.loads(row) for row in text.split("\n")]


ONE = payload({PART: part("<p>A</p>", internal="choice_0", correct=True, variant=17)})


def test_a_part_of_a_new_event() -> None:
    """§11.12, 15; §3.1"""
    assert told(ONE) == [
        {
            "problem_id": PROBLEM, "problem_name": "Cells", "part_id": PART,
            "response_type": "multiplechoiceresponse", "question": "Q?", "answer": "<p>A</p>",
            "shows_answer": True, "value_id": "choice_0", "is_correct": True, "correctness": "correct",
            "variant": "17", "grade": "1.0", "max_grade": "1.0", "is_success": True,
        }
    ]  # fmt: skip


def test_a_part_of_an_old_event() -> None:
    """§11.11; §3.2"""
    [row] = told(old(" choice_0 ", correct=True, seed=42))
    names = ("answer", "answer_items", "value_id", "variant", "question")
    assert {name: row.get(name) for name in names} == {
        "answer": "choice_0", "answer_items": '" choice_0 "', "value_id": "choice_0", "variant": "42",
        "question": None,
    }  # fmt: skip
    assert (row["shows_answer"], row["is_correct"], row["correctness"]) == (False, True, "correct")


def test_no_value_id_where_what_is_shown_is_what_is_kept() -> None:
    """§11.12"""
    [row] = told(payload({PART: part(["a", "b"], kind=CHECKBOX)}))
    assert "value_id" not in row
    assert (row["answer"], row["answer_items"]) == ("[a|b]", '["a","b"]')


def test_parts_and_hidden_ones() -> None:
    """§11.13-14"""
    hidden = {f"{PART}_dynamath": part("m"), f"{PART}_comment": part("c")}
    parts = {PART: part("a"), "aaa_3_1": part("b")} | hidden
    assert [row["part_id"] for row in told(payload(parts))] == [PART, "aaa_3_1"]
    former = payload(parts, submission=...)
    assert [row["part_id"] for row in told(former)] == [PART, "aaa_3_1"]
    del former["correct_map"]["aaa_3_1"]
    former["answers"] |= {f"{PART}_choice_1": "x"}
    assert [row["part_id"] for row in told(former)] == [PART]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"problem_id": ...}, Refused.NO_PROBLEM),
        ({"problem_id": None}, Refused.NO_PROBLEM),
        ({"problem_id": ""}, Refused.NO_PROBLEM),
        ({"answers": ...}, Refused.NO_ANSWERS),
        ({"answers": None}, Refused.NO_ANSWERS),
        ({"answers": {}}, Refused.NO_ANSWERS),
        ({"answers": []}, Refused.ODD_ANSWERS),
        ({"answers": "x"}, Refused.ODD_ANSWERS),
        ({"answers": 0}, Refused.ODD_ANSWERS),
        ({"submission": []}, Refused.ODD_SUBMISSION),
        ({"submission": "x"}, Refused.ODD_SUBMISSION),
        ({"submission": {PART: "x"}}, Refused.ODD_SUBMISSION),
        ({"submission": {PART: None}}, Refused.ODD_SUBMISSION),
        ({"answers": {"a\nb": "x"}}, Refused.ODD_PART),
        ({"answers": {"a\tb": "x"}}, Refused.ODD_PART),
        ({"answers": {"aé_2_1": "x"}}, Refused.ODD_PART),
        ({"submission": {PART: {}, "a\nb": {}}}, Refused.ODD_PART),
        ({"submission": {PART: {}, "aé_2_1": {}}}, Refused.ODD_PART),
    ],
)
def test_what_tells_no_answers(members: dict[str, Any], reason: Refused) -> None:
    """§11.7-9"""
    [row] = told(payload({PART: part("x")}, **members))
    assert row["refused"] == reason
    assert "part_id" not in row


@pytest.mark.parametrize("text", ["", "[]", "x", '"x"', "null", "{", '{"answers":' + "[" * 3000])
def test_a_payload_that_is_no_object(text: str) -> None:
    """§11.5"""
    [row] = map(json.loads, submission_rows(text, json.dumps(context()), "").split("\n"))
    assert row["refused"] == Refused.NO_OBJECT


def test_a_reason_known_before_leaves_what_tags_need() -> None:
    """§9.1: neither names nor answers are required there."""
    [row] = told(ONE, context(tags={"difficulty": "Easy"}), "no name")
    assert row == {
        "problem_id": PROBLEM, "problem_name": "Cells", "refused": "no name", "is_success": True,
        "tags": '{"difficulty":["Easy"]}',
    }  # fmt: skip
    assert told(payload({}, answers={}, success="incorrect"))[0]["problem_id"] == PROBLEM


@pytest.mark.parametrize(
    "members",
    [
        {"correct_map": None},
        {"correct_map": ...},
        {"correct_map": []},
        {"correct_map": {PART: None}},
        {"correct_map": {PART: {"correctness": None}}},
        {"correct_map": {PART: {"correctness": 1}}},
    ],
)
def test_no_correctness(members: dict[str, Any]) -> None:
    """§12.2.14: the part is there, its correctness is not known."""
    [row] = told(payload({PART: part("x", correct=True)}, **members))
    assert "correctness" not in row
    assert row["is_correct"]


def test_what_ended_the_original() -> None:
    """§12.2.14, §2 rows 11-12: no answer for a part, no submission, no name, numbers in lists."""
    [row] = told(payload({PART: part("x")}, answers={"other": 1}))
    assert (row["answer"], "value_id" in row) == ("x", False)
    [row] = told(payload({PART: part("x")}, submission=None))
    assert row["shows_answer"] is False
    [row] = told(ONE, context(name=...))
    assert "problem_name" not in row
    [row] = told(payload({PART: part([1, None, True, 2.5, {"b": [1], "a": "é"}])}))
    assert row["answer"] == '[1||true|2.5|{"a":"é","b":[1]}]'
    assert told(ONE, context(asides=None))[0] == told(ONE)[0]
    assert "question" not in told(payload({PART: part("x", question=None)}))[0]
    assert told(payload({PART: part("x", question=7)}))[0]["question"] == "7"
    empty = payload({PART: part("x")}, submission={PART: {}})
    assert told(empty)[0]["answer"] == "x"
    assert told(payload({}, answers={PART: 1})) == [
        {
            "problem_id": PROBLEM,
            "problem_name": "Cells",
            "grade": "0.0",
            "max_grade": "0.0",
            "is_success": True,
        }
    ]


def test_what_is_correct_and_which_variant() -> None:
    """§4.5: whatever Python takes for true; nothing said of the variant is an empty one."""
    for correct in (True, "true", 1, False, "", 0, None):
        assert told(payload({PART: part("x", correct=correct)}))[0]["is_correct"] is bool(correct)
    variants = {"": "", 0: "0", 5: "5", "5": "5"}
    for seed, variant in variants.items():
        assert told(payload({PART: part("x", variant=seed)}))[0]["variant"] == variant
    assert "variant" not in told(payload({PART: part("x", variant=None)}))[0]
    assert "variant" not in told(old("x", seed=...))[0]
    assert "variant" not in told(old("x") | {"state": "odd"})[0]
    without = payload({PART: part("x")})
    del without["submission"][PART]["variant"]
    assert told(without)[0]["variant"] == ""


def test_points() -> None:
    grades = {0: "0.0", 1.5: "1.5", None: None, "2": None, True: None, 10**400: None}
    for grade, text in grades.items():
        assert told(payload({PART: part("x")}, grade=grade))[0].get("grade") == text


def test_tags() -> None:
    """§9.2: texts and lists, each value once; what is empty is none."""
    saved = {"difficulty": ["Hard", "Hard", "Easy"], "lo": [], "one": "x", "none": None, "number": 3}
    [row] = told(ONE, context(tags=saved))
    assert json.loads(row["tags"]) == {"difficulty": ["Easy", "Hard"], "one": ["x"], "number": ["3"]}
    nothings: tuple[Any, ...] = (None, {}, [], "x", {"lo": []})
    for nothing in nothings:
        assert "tags" not in told(ONE, context(tags=nothing))[0]
    assert "tags" not in told(ONE, context(asides={"tagging_aside": None}))[0]


def test_a_context_in_json_of_another_kind() -> None:
    text = json.dumps(context(name="Name")).replace('"user_id": 7', '"user_id": NaN')
    [row] = map(json.loads, submission_rows(json.dumps(ONE), text, "").split("\n"))
    assert row["problem_name"] == "Name"
    for odd in ("", "{", "[]", "7"):
        [row] = map(json.loads, submission_rows(json.dumps(ONE), odd, "").split("\n"))
        assert row["part_id"] == PART


def test_long_ids_are_cut() -> None:
    [row] = told(payload({"p" * 300: part("x")}, problem="b" * 300))
    assert (len(row["part_id"]), len(row["problem_id"])) == (255, 255)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("problem_id", "answers", "submission", "correct_map", "state", "grade", "max_grade", "success")


@given(
    payload=st.dictionaries(st.sampled_from(NAMES), json_values)
    | st.fixed_dictionaries(
        {
            "problem_id": st.just("p"),
            "answers": st.dictionaries(st.just(PART), json_values, min_size=1),
            "submission": st.dictionaries(
                st.just(PART),
                st.dictionaries(
                    st.sampled_from(["answer", "question", "correct", "variant", "response_type"]),
                    json_values,
                ),
            ),
        }
    ),
    of_context=json_values,
)
def test_no_payload_ends_a_run(payload: dict[str, Any], of_context: Any) -> None:
    """Whatever is written, there is a row for each part, or one."""
    text = submission_rows(json.dumps(payload), json.dumps(of_context), "")
    found = [json.loads(row) for row in text.split("\n")]
    assert found
    assert all("refused" in row or row["problem_id"] for row in found)
