"""The answers of the tests' world: rows of `answer_distribution`, and what a person counts in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from pharos.demo.courses import Block, Course, Part
from pharos.result_store import contract, tables

NAMES = (
    "course_id",
    "module_id",
    "part_id",
    "correct",
    "first_response_count",
    "last_response_count",
    "value_id",
    "answer_value_text",
    "answer_value_numeric",
    "variant",
    "problem_display_name",
    "question_text",
)
TYPES = {
    "correct": pa.bool_(),
    "first_response_count": pa.int32(),
    "last_response_count": pa.int32(),
    "answer_value_numeric": pa.float64(),
    "variant": pa.int32(),
}
ODD_TEXTS = (
    "<b>bold</b><script>alert(1)</script>",
    "=HYPERLINK(1)",
    "+1",
    "@SUM(1)",
    "\tx",
    "\u202egnp.exe",
    "مرحبا",
    "x" * 40_000,
    "{a|b}",
    "a\x01b",
)
"""Typed answers that would do harm if they were more than text."""
ODD_PROBLEM = "i4x://CampusX/OLD101/problem/odd"


def problems_of(course: Course) -> list[Block]:
    return [block for block in course.root.walk() if block.type == "problem"]


def rows_of_course(course: Course) -> list[dict[str, Any]]:
    """All answers: option k of problem i was the last of 60 - 2 i - 8 k learners, at least one."""
    rows = []
    for i, block in enumerate(problems_of(course)):
        assert block.problem is not None
        for seed, parts in block.problem.variants:
            for part in parts:
                rows += _of_part(course, block, part, seed if block.problem.randomised else None, i)
    return rows


def _of_part(course: Course, block: Block, part: Part, seed: int | None, i: int) -> list[dict[str, Any]]:
    rows = []
    for k, option in enumerate(part.options):
        shown = option.shown if isinstance(option.shown, str) else f"[{'|'.join(option.shown)}]"
        last = max(1, 60 - 2 * i - 8 * k)
        rows.append(
            {
                "course_id": course.id,
                "module_id": block.id,
                "part_id": part.id,
                "correct": option.points == 1,
                "first_response_count": last // 2 + k,
                "last_response_count": last,
                "value_id": f"choice_{k}" if "choice" in part.input_type else None,
                "answer_value_text": shown,
                "variant": seed,
                "problem_display_name": block.name,
                "question_text": part.question,
            }
        )
    return rows


def odd_rows(course_id: str) -> list[dict[str, Any]]:
    """A problem of a course that the LMS does not know, whose answers would do harm."""
    return [
        {
            "course_id": course_id,
            "module_id": ODD_PROBLEM,
            "part_id": "i4x-CampusX-OLD101-problem-odd_2_1",
            "correct": k == 0,
            "first_response_count": 1,
            "last_response_count": 20 - k,
            "value_id": None,
            "answer_value_text": text,
            "variant": None,
            "problem_display_name": "Odd <i>answers</i>",
            "question_text": "Is <b>this</b> safe?",
        }
        for k, text in enumerate((*ODD_TEXTS, None))
    ]


def as_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.table(
        {name: pa.array([row.get(name) for row in rows], TYPES.get(name, pa.string())) for name in NAMES}
    )


def counted(rows: Sequence[dict[str, Any]], problem_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Last answers and right ones of each problem, per part on average and cut, as spec 02 §10 has it."""
    found = {}
    for problem_id in problem_ids:
        own = [row for row in rows if row["module_id"] == problem_id]
        parts = len({row["part_id"] for row in own}) or 1
        last = sum(row["last_response_count"] for row in own)
        right = sum(row["last_response_count"] for row in own if row["correct"])
        found[problem_id] = (last // parts, right // parts)
    return found


def tag_rows(courses: Sequence[Course], odd_course: str) -> pa.Table:
    """The tags of all problems, with 40 + i submissions of problem i; and of the odd problem."""
    rows = [
        (course.id, course.org, block.id, name, value, 40 + i, 20 + i // 2)
        for course in courses
        for i, block in enumerate(problems_of(course))
        for name, value in tags_of(i)
    ]
    rows.append((odd_course, "CampusX", ODD_PROBLEM, "learning_outcome", "Knows the terms", 9, 3))
    names = ("course_id", "org_id", "module_id", "tag_name", "tag_value")
    counts = ("total_submissions", "correct_submissions")
    return pa.table({name: [row[n] for row in rows] for n, name in enumerate((*names, *counts))})


def tags_of(i: int) -> list[tuple[str, str]]:
    """The tags of problem i: every third is hard and the others know terms, every second applies a method."""
    found = [("difficulty", "Hard" if i % 3 == 0 else "Easy")]
    if i and i % 3:
        found.append(("learning_outcome", "Knows the terms"))
    if i and i % 2:
        found.append(("learning_outcome", "Can apply the method"))
    return found


FOUND: tuple[tuple[str, str | None, str, dict[str, int]], ...] = (
    (
        "wrong_answer_preferred",
        "<b>7.5</b>",
        "medium",
        {"strong_learners": 31, "strong_with_answer": 20, "strong_right": 9, "learners_with_answer": 44},
    ),
    ("nobody_right", None, "low", {"tried": 12, "attempts": 40}),
    (
        "negative_discrimination",
        None,
        "high",
        {"strong_learners": 40, "strong_right": 11, "weak_learners": 38, "weak_right": 29},
    ),
    (
        "answer_after_change",
        None,
        "medium",
        {"learners_with_answer": 8, "tried_since": 35, "tried_before": 50},
    ),
    ("a_kind_of_a_later_release", None, "high", {"tried": 100}),
    ("mostly_skipped", None, "high", {"seen": 210, "tried": 61}),
    ("all_right_at_once", None, "medium", {"tried": 57}),
    ("never_tried", None, "medium", {"reached": 44}),
)
WHOLE = ("mostly_skipped", "never_tried")
"""Kinds that are about the whole of a problem."""
UNUSED = {
    "kind": "transcripts_unused", "subject": "de", "part_id": "", "variant": None, "answer": None,
    "learners": 450, "confidence": "high", "numbers": json.dumps({"videos": 3, "learners": 450}),
}  # fmt: skip
"""A finding that is about no block."""
"""Kind, answer, confidence and numbers of the findings: number i is about problem i of the course."""


def finding_rows(course: Course) -> list[dict[str, Any]]:
    """One finding of each kind, about the first part, or about the whole of the problem that is skipped."""
    rows = []
    for i, (block, found) in enumerate(zip(problems_of(course), FOUND, strict=False)):
        kind, answer, confidence, numbers = found
        assert block.problem is not None
        part = block.problem.variants[0][1][0]
        rows.append(
            {
                "course_id": course.id,
                "rank": i + 1,
                "kind": kind,
                "subject": block.id,
                "part_id": "" if kind in WHOLE else part.id,
                "variant": 3 if kind == "nobody_right" else None,
                "answer": answer,
                "learners": max(numbers.values()),
                "confidence": confidence,
                "numbers": json.dumps(numbers),
            }
        )
    return rows


ITEMS: tuple[dict[str, Any], ...] = (
    {
        "tried": 93, "right_first": 41, "right_last": 80, "attempts": 171, "attempts_mean": 1.84,
        "attempts_median": 1.5, "attempts_p90": 4.0, "difficulty": 52 / 93, "discrimination": 0.4137,
        "discrimination_low": 0.23, "discrimination_high": 0.568, "discrimination_learners": 90,
        "strong_learners": 31, "strong_right": 20, "weak_learners": 29, "weak_right": 6, "seen": 95,
        "shown_answer": 12, "hinted": 0, "changed_at": datetime(2026, 2, 3, 9, 30), "tried_since": 35,
        "right_first_since": 30,
    },
    {
        "tried": 4, "right_first": 1, "right_last": 1, "attempts": 5, "discrimination_learners": 3,
        "strong_learners": 1, "strong_right": 1, "weak_learners": 1, "weak_right": 0,
    },
    {
        "tried": 50, "right_first": 25, "right_last": 40, "attempts": 50, "attempts_mean": 1.0,
        "attempts_median": 1.0, "attempts_p90": 1.0, "difficulty": 0.5, "discrimination": -0.05,
        "discrimination_low": -0.32, "discrimination_high": 0.231, "discrimination_learners": 50,
        "strong_learners": 9, "strong_right": 3, "weak_learners": 20, "weak_right": 9, "hinted": 7,
    },
)  # fmt: skip
"""The numbers of the first part of the first problems of a course, as far as they are told."""

STRENGTH: tuple[tuple[int, str | None, bool | None, int, int, int, float | None, float | None], ...] = (
    (1, "<b>7.5</b>", False, 44, 9, 20, 9 / 31, 20 / 29),
    (1, "7.6", True, 41, 20, 6, 20 / 31, 6 / 29),
    (1, None, False, 5, 0, 3, 0.0, 3 / 29),
    (12, None, None, 3, 2, 0, 2 / 31, 0.0),
)
"""Answers in the row, text, right, first answers, strong, weak learners and their shares, of problem 0."""


def item_table(course: Course) -> pa.Table:
    """The numbers of ITEMS as rows of the table."""
    rows = [
        {"variants": 0} | _part_of(course, block) | item
        for block, item in zip(problems_of(course), ITEMS, strict=False)
    ]
    return of_table(tables.item_quality, rows)


def item_answer_table(course: Course) -> pa.Table:
    """The answers of STRENGTH as rows of the table."""
    names = (
        "answers", "answer_value", "is_correct", "first_count", "strong_count", "weak_count",
        "strong_share", "weak_share",
    )  # fmt: skip
    first_seen = datetime(2026, 1, 20)
    rows = [
        {**_part_of(course, block), "place": place, "last_count": 0, "first_seen": first_seen}
        | dict(zip(names, answer, strict=True))
        for block in problems_of(course)[:1]
        for place, answer in enumerate(STRENGTH, 1)
    ]
    return of_table(tables.item_answer, rows)


def _part_of(course: Course, block: Block) -> dict[str, Any]:
    """Where the first part of a problem is."""
    assert block.problem is not None
    return {
        "course_id": course.id, "module_id": block.id, "part_id": block.problem.variants[0][1][0].id,
        "variant": None,
    }  # fmt: skip


def of_table(table: sa.Table, rows: Sequence[dict[str, Any]]) -> pa.Table:
    """These rows, with the columns and types of a result table."""
    return pa.Table.from_pylist(list(rows), contract.schema(table))


def finding_table(course: Course, others: Sequence[dict[str, Any]]) -> pa.Table:
    """The findings about problems and the other ones as rows of the table."""
    names = [column.name for column in tables.finding.columns if column.name not in ("id", "created")]
    whole = {"rank": pa.int64(), "variant": pa.int64(), "learners": pa.int64()}
    rows = [*finding_rows(course), *others]
    rows.append(UNUSED | {"course_id": course.id, "rank": len(rows) + 1})
    return pa.table(
        {name: pa.array([row[name] for row in rows], whole.get(name, pa.string())) for name in names}
    )
