"""How learners move through the courses of the tests' world: rows of `course_flow`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from tests.insights.answers_given import of_table

from pharos.demo.courses import Block, Course
from pharos.result_store import tables

BEGAN = 412
DROP = 3
"""The number of the subsection before which most learners are lost."""
GONE = "Withdrawn"
"""Name of a subsection that is no longer in the course."""


def reached(i: int) -> int:
    """Learners who reached subsection i: ten fewer each time, and 90 more at the drop."""
    return 400 - 10 * i - (90 if i >= DROP else 0)


def rows_of(courses: Sequence[Course], last_run: str, old: str) -> dict[sa.Table, pa.Table]:
    """Of each course its subsections; of the last run the first one's with half as many learners; of a course
    that the LMS does not know a single subsection.
    """
    rows = [row for course in courses for row in _rows(course.id, course.root, 1)]
    rows += _rows(last_run, courses[0].root, 2)
    rows += [
        _row(old, "course", "root", None, "Old", 0, 3),
        _row(old, "section", "c", "root", "Odd <b>&", 1, 3),
        _row(old, "subsection", "s", "c", "Only <i>one", 2, 3),
    ]
    return {tables.course_flow: of_table(tables.course_flow, rows)}


def subsections(course: Course) -> list[tuple[Block, Block]]:
    return list(course.sequentials)


def _rows(course_id: str, root: Block, divisor: int) -> list[dict[str, Any]]:
    rows, place = [_row(course_id, "course", root.id, None, root.name, 0, BEGAN // divisor, stopped=150)], 0
    for number, chapter in enumerate(root.children):
        held = chapter.children
        rows.append(
            _row(
                course_id, "section", chapter.id, root.id, chapter.name, len(rows), reached(place) // divisor
            )
            | {"stopped": 60 if number == 1 else 7}
        )
        for sequential in held:
            rows.append(
                _row(
                    course_id, "subsection", sequential.id, chapter.id, sequential.name, len(rows),
                    reached(place) // divisor, stopped=3,
                )
            )  # fmt: skip
            place += 1
    if not root.children:
        return rows
    gone = _row(course_id, "subsection", "gone", root.children[0].id, GONE, len(rows), 5)
    return [*rows, gone | {"is_deleted": True}]


def _row(
    course_id: str, level: str, block: str, parent: str | None, name: str, place: int, learners: int,
    stopped: int = 0,
) -> dict[str, Any]:  # fmt: skip
    return {
        "course_id": course_id, "level": level, "block_id": block, "parent_block_id": parent,
        "display_name": name, "place": place, "is_deleted": False, "reached": learners, "completed": None,
        "tried": learners // 2, "watched": learners // 3, "stopped": stopped, "next_block_id": None,
        "next_learners": None,
    }  # fmt: skip
