"""The latest response of each learner. `spec 02 §5, §11.33-37, 42`"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest
from tests.metrics.conftest import Compute, columns
from tests.problems import CHECKBOX, COURSE, PART, PROBLEM, old, part, payload, rows

from pharos.metrics.responses import clean_items, clean_text

TABLE = "problem_response"
UNTIL = datetime(2020, 2, 4)
PATH = "Biology / Week 1 / Cells / Unit A"


def block(block_id: str, sort_idx: int, **more: Any) -> dict[str, Any]:
    """A row of the outline."""
    return {
        "course_id": COURSE, "block_id": block_id, "course_path": PATH, "sort_idx": sort_idx,
        "is_deleted": False, "is_orphan": False, "is_root": False, "is_dag": False, "graded": False,
        "block_type": "problem", "display_name": "Now named so",
    } | more  # fmt: skip


def test_the_example(compute: Compute) -> None:
    """§5.6; the last event, which is outside the interval, is not in the facts of the run."""
    mito = "Mito  <i>x</i>\n<choicehint>ok</choicehint>"
    last = payload(
        {PART: part(mito, internal="choice_1", correct=True), "aaa_3_1": part(["A"], kind=CHECKBOX)},
        grade=1.5,
    )
    last["correct_map"]["aaa_3_1"] = {"correctness": "partially-correct"}
    first = payload({PART: part("Nucleus"), "aaa_3_1": part(["A"], kind=CHECKBOX)})
    facts = [
        *rows(1, datetime(2020, 2, 3, 10), last, username="ann"),
        *rows(1, datetime(2020, 2, 1, 10), first, username="ann"),
        *rows(9, datetime(2013, 5, 29, 23), first, username="too_early"),
    ]
    names = (
        "username", "answer_id", "location", "score", "max_score", "correct", "answer", "total_attempts",
        "first_attempt_date", "last_attempt_date", "sort_idx",
    )  # fmt: skip
    found = compute(TABLE, UNTIL, problem_submission=facts, course_blocks=[block(PROBLEM, 4)])
    dates = (2, datetime(2020, 2, 1, 10), datetime(2020, 2, 3, 10), 4)
    assert columns(found, TABLE, *names) == [
        ("ann", PART, f"{PATH} / Cells", 1.5, 2.0, True, '["Mito <i>x</i> "]', *dates),
        ("ann", "aaa_3_1", f"{PATH} / Cells", 1.5, 2.0, None, '["A"]', *dates),
    ]
    assert compute(TABLE, UNTIL, problem_submission=facts[::-1], course_blocks=[block(PROBLEM, 4)]) == found


def test_learners_problems_and_outlines(compute: Compute) -> None:
    """§5.2-5.4, §11.35-37, 42: renamed learners, old events, odd members, deleted and orphaned blocks."""
    time = datetime(2020, 2, 1)
    odd = payload({PART: part(None, question=None)}, problem="bbb", correct_map=None, grade=None)
    facts = [
        *rows(1, time, old("choice_0"), username="ann"),
        *rows(1, datetime(2020, 2, 2), odd, username="ann_new", name=...),
        *rows(2, time, payload({PART: part([], kind=CHECKBOX)}, problem="ccc"), username="bob"),
        *rows(2, datetime(2020, 2, 2), payload({}, problem="ccc", answers={PART: "x"}), username="bob"),
        *rows(2, time, payload({PART: part([], kind=CHECKBOX)}, problem="ddd"), username="bob"),
        *rows(None, time, payload({PART: part(7, correct=True)}, problem="eee"), username="nobody"),
    ]
    blocks = [
        block(PROBLEM, 4, is_deleted=True), block("bbb", 5, is_orphan=True),
        block("ddd", 7), block("ddd", 9, course_id="course-v1:Uni+BIO+2021"),
    ]  # fmt: skip
    names = (
        "problem_id", "user_id", "username", "problem", "question", "score", "correct", "answer",
        "total_attempts", "location", "sort_idx",
    )  # fmt: skip
    found = compute(TABLE, UNTIL, problem_submission=facts, course_blocks=blocks)
    deleted = "(Deleted block :) / "
    assert columns(found, TABLE, *names) == [
        ("bbb", 1, "ann_new", "", "", None, None, '[""]', 1, deleted, -1),
        (PROBLEM, 1, "ann_new", "Cells", "", 0.0, False, '["choice_0"]', 1, f"{deleted}Cells", -1),
        ("ddd", 2, "bob", "Cells", "Q?", 0.0, False, "[]", 1, f"{PATH} / Cells", 7),
        ("eee", None, "nobody", "Cells", "Q?", 1.0, True, '["7"]', 1, f"{deleted}Cells", -1),
    ]


def test_the_first_day_of_the_report(compute: Compute) -> None:
    """§11.43: what is outside the interval changes neither dates nor number."""
    facts = [
        row
        for day in (1, 2, 3)
        for row in rows(1, datetime(2020, 2, day), payload({PART: part(str(day))}), username="ann")
    ]
    of_run = [row for row in facts if row["date"] < date(2020, 2, 3)]  # until the midnight before the third
    found = compute(TABLE, datetime(2020, 2, 3), problem_submission=of_run, reports_since=date(2020, 2, 2))
    names = ("answer", "total_attempts", "first_attempt_date", "last_attempt_date")
    assert columns(found, TABLE, *names) == [('["2"]', 1, datetime(2020, 2, 2), datetime(2020, 2, 2))]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Mito  <i>x</i>\n<choicehint>ok</choicehint>", "Mito <i>x</i> "),
        ('x <choicehint a="1"/> y', "x  y"),
        ("<choicehint>a</choicehint> b <choicehint>c</choicehint>", " b "),
        ("<choicehint> b > c", " b > c"),
        ("x <choicehint never", "x <choicehint never"),
        ('A <choicehint x="1"/> B <choicehint>z</choicehint> C', "A  B  C"),
        ("potato <choicehint>a\nb</choicehint>", "potato "),
        ("a <choicehint>1</choicehint> <choicehint>2</choicehint> <choicehint>3</choicehint>", "a   "),
        ("a\u00a0\t b", "a b"),
    ],
)
def test_clean_texts(text: str, cleaned: str) -> None:
    """§5.3, §11.36"""
    assert clean_text(text) == cleaned


def test_clean_items() -> None:
    assert json.loads(clean_items("potato", '"potato <choicehint>x</choicehint>"')) == ["potato "]
    assert json.loads(clean_items("[a|b]", '["a  b","<b>c</b>"]')) == ["a b", "<b>c</b>"]
    assert json.loads(clean_items("[]", "[]")) == []
