"""What course teams should look at first: each rule at its limits, by hand."""

from __future__ import annotations

import json
from typing import Any

from tests.metrics.conftest import Compute
from tests.metrics.test_items import START, Facts, by_case, gave, rest, run_of

from pharos.metrics.findings import ORDER


def keyed_wrongly(strong: str, weak: str) -> Facts:
    """Of 40 learners, 20 are strong (2 or 3 of 4 others right) and 20 are weak; `a` is right."""
    facts = []
    for user in range(40):
        answer = strong if user % 4 >= 2 else weak
        facts += rest(user, user % 4) + gave(user, 9, "p", answer, right=answer == "a")
    return facts


def answered(learners: int, answer: str, *, right: bool, **more: Any) -> Facts:
    return [row for user in range(learners) for row in gave(user, user, "p", answer, right=right, **more)]


def edited(new_answers: int) -> Facts:
    """The question changes after 15 of 45 learners; so many of the others give an answer that is new."""
    return [
        row
        for user in range(45)
        for row in gave(
            user,
            user,
            "p",
            "new" if 15 <= user < 15 + new_answers else "old",
            right=user % 2 == 0,
            question="Q1" if user < 15 else "Q2",
        )
    ]


CASES = {
    "keyed": keyed_wrongly("b", "a"),
    "good": keyed_wrongly("a", "b"),
    "ten-wrong": answered(10, "a", right=False),
    "nine-wrong": answered(9, "a", right=False),
    "right-later": answered(10, "a", right=False) + gave(0, 99, "p", "b", right=True),
    "twenty-right": answered(20, "a", right=True),
    "nineteen-right": answered(19, "a", right=True),
    "five-new": edited(5),
    "four-new": edited(4),
    "skipped": gave(1, 1, "p", "a", right=True) + gave(1, 2, "q", "a", right=True),
}
FOUND = {
    "keyed": [
        (
            "wrong_answer_preferred",
            "b",
            20,
            "low",
            {"strong_learners": 20, "strong_with_answer": 20, "strong_right": 0, "learners_with_answer": 20},
        ),
        (
            "negative_discrimination",
            None,
            40,
            "medium",
            {"strong_learners": 20, "strong_right": 0, "weak_learners": 20, "weak_right": 20},
        ),
    ],
    "ten-wrong": [("nobody_right", None, 10, "low", {"tried": 10, "attempts": 10})],
    "twenty-right": [("all_right_at_once", None, 20, "low", {"tried": 20})],
    "five-new": [
        (
            "answer_after_change",
            "new",
            30,
            "medium",
            {"learners_with_answer": 5, "tried_since": 30, "tried_before": 15},
        )
    ],
    "skipped": [("mostly_skipped", None, 100, "high", {"seen": 100, "tried": 1})],
}


def test_each_rule_at_its_limits(compute: Compute) -> None:
    """Of two learners who saw the problem `q`, one tried it: too few, and not fewer than half."""
    seen = [
        {"id": number, "student_id": number, "course_id": run_of("skipped"), "module_id": module}
        | {"module_type": "problem", "modified": START}
        for number, module in enumerate(["p"] * 100 + ["q"] * 2)
    ]
    found = by_case(compute, "finding", CASES, courseware_studentmodule=seen)
    shown = {
        case: [
            (row["kind"], row["answer"], row["learners"], row["confidence"], json.loads(row["numbers"]))
            for row in rows
            if not row["subject"].startswith("rest")
        ]
        for case, rows in found.items()
    }
    assert shown == {key: [] for key in CASES} | FOUND
    for rows in found.values():
        assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
        places = [ORDER.index(row["kind"]) for row in rows]
        assert places == sorted(places)
    (skipped,) = found["skipped"]
    assert (skipped["subject"], skipped["part_id"], skipped["variant"]) == ("p", "", None)
    assert {(row["part_id"], row["variant"]) for row in found["keyed"] if row["subject"] == "p"} == {
        ("p_2_1", None)
    }
