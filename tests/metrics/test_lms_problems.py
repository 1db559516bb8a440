"""Grades and subsections of the LMS. `spec 02 §8, §11.47`"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.metrics.conftest import Compute

UNTIL = datetime(2024, 3, 1)


def state(
    type_: str, module: str, learner: int, grade: float | None, largest: float | None, course: str = "c1"
) -> dict[str, Any]:
    """A row of the LMS."""
    return {
        "id": learner, "student_id": learner, "course_id": course, "module_id": module, "module_type": type_,
        "grade": grade, "max_grade": largest, "modified": UNTIL,
    }  # fmt: skip


STATES = [
    state("problem", "p1", 7, 0.5, 2),
    state("problem", "p1", 8, 0.5, 2),
    state("problem", "p1", 9, None, 2),
    state("problem", "p1", 10, 0, None),
    state("sequential", "s1", 10, None, None),
    state("sequential", "s1", 11, 1, 1),
    state("sequential", "s1", 12, None, None, course="c2"),
]


def test_grades(compute: Compute) -> None:
    """The example of §8.3: no grade does not count, an unknown largest grade is a group of its own."""
    assert compute("grade_distribution", UNTIL, courseware_studentmodule=STATES) == [
        ("p1", "c1", 0.0, None, 1),
        ("p1", "c1", 0.5, 2.0, 2),
        ("s1", "c1", 1.0, 1.0, 1),
    ]


def test_subsections_opened(compute: Compute) -> None:
    """The example of §8.3, and another course."""
    assert compute("sequential_open_distribution", UNTIL, courseware_studentmodule=STATES) == [
        ("s1", "c1", 2),
        ("s1", "c2", 1),
    ]


def test_nothing_imported_gives_no_rows(compute: Compute) -> None:
    assert compute("grade_distribution", UNTIL) == []
    assert compute("sequential_open_distribution", UNTIL) == []
