"""The answers of the tests' world: rows of `answer_distribution`, and what a person counts in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pharos.demo.courses import Block, Course, Part
from pharos.result_store import tables

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
                "correct": option.correct,
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
)
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
                "part_id": "" if kind == "mostly_skipped" else part.id,
                "variant": 3 if kind == "nobody_right" else None,
                "answer": answer,
                "learners": max(numbers.values()),
                "confidence": confidence,
                "numbers": json.dumps(numbers),
            }
        )
    return rows


def finding_table(course: Course) -> pa.Table:
    """The findings as rows of the table."""
    names = [column.name for column in tables.finding.columns if column.name not in ("id", "created")]
    whole = {"rank": pa.int64(), "variant": pa.int64(), "learners": pa.int64()}
    rows = finding_rows(course)
    return pa.table(
        {name: pa.array([row[name] for row in rows], whole.get(name, pa.string())) for name in names}
    )
