"""Due dates out of block trees, whole and broken (spec 06 §8.4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pharos.insights.deadlines import Deadline, deadlines_of


def block(*children: str, **fields: Any) -> dict[str, Any]:
    return {"children": list(children), **fields}


def homework(name: str, due: str | None, *children: str) -> dict[str, Any]:
    return block(*children, display_name=name, graded=True, format="Homework", due=due)


def test_an_assignment_is_the_highest_graded_block_and_they_come_by_date() -> None:
    tree = {
        "root": "course",
        "blocks": {
            "course": block("first", "second"),
            "first": block("midterm"),
            "second": block("homework", "reading"),
            "midterm": homework("Midterm", "2026-11-08T23:00:00Z"),
            "homework": homework("Homework 1", "2026-10-04T23:00:00Z", "problem"),
            "problem": homework("Problem 1", "2026-10-05T23:00:00Z"),
            "reading": block(display_name="Reading", graded=False, due="2026-10-06T23:00:00Z"),
        },
    }
    assert deadlines_of(tree) == (
        Deadline(datetime(2026, 10, 4, 23, tzinfo=UTC), "Homework 1"),
        Deadline(datetime(2026, 11, 8, 23, tzinfo=UTC), "Midterm"),
    )


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"root": "course"},
        {"root": "gone", "blocks": {"course": block()}},
        {"root": "course", "blocks": ["course"]},
        {"root": "course", "blocks": {"course": block("course", "gone")}},
        {"root": "course", "blocks": {"course": homework("Homework", "soon")}},
        {"root": "course", "blocks": {"course": homework("Homework", None)}},
        {"root": "course", "blocks": {"course": "text"}},
        {"root": "course", "blocks": {"course": {"children": [1, None]}}},
    ],
)
def test_a_broken_tree_has_no_deadlines(tree: dict[str, Any]) -> None:
    assert deadlines_of(tree) == ()
