"""Submissions of tagged problems. `spec 02 §9, §11.48-49`"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.metrics.conftest import Compute
from tests.problems import COURSE, PART, part, payload, rows

TABLE = "tags_distribution"
UNTIL = datetime(2020, 3, 1)


def submission(
    number: int, tags: Any = ..., /, *, problem: str = "aaa", correct: bool = False, **more: Any
) -> list[dict[str, Any]]:
    """The rows of the fact for a submission at the moment of this number, of two parts."""
    parts = {PART: part("x", correct=correct), "aaa_3_1": part("y", correct=correct)}
    tie = more.pop("tie", 0)
    return rows(1, datetime(2020, 2, 1, number), payload(parts, problem=problem), tags=tags, tie=tie, **more)


def test_the_example(compute: Compute) -> None:
    """§9.4, but for repeated rows; the submission outside the interval is not in the facts of a run."""
    facts = [
        *submission(1, {"difficulty": "Easy"}, correct=True),
        *submission(1, {"difficulty": "Easy"}, tie=1),
        *submission(2, {"difficulty": ["Hard", "Hard", "Easy"], "lo": []}, correct=True),
        *submission(3, problem="p2"),
    ]
    assert compute(TABLE, UNTIL, problem_submission=facts) == [
        (COURSE, "Uni", "aaa", "difficulty", "Easy", 3, 2),
        (COURSE, "Uni", "aaa", "difficulty", "Hard", 3, 2),
    ]


def test_what_counts(compute: Compute) -> None:
    """§11.48-49: all events of a problem and course, whether or not they tell a learner and answers."""
    nameless = [row | {"refused": "no user name", "part_id": None} for row in submission(1, {"lo": "a"})[:1]]
    facts = [
        *nameless,
        *submission(2, {"lo": "b" * 300}),
        *[row | {"course_id": ""} for row in submission(3, {"lo": "x"})],
        *[row | {"problem_id": "", "part_id": None} for row in submission(4, {"lo": "x"})[:1]],
        *submission(1, {"lo": "a"}, problem="removed"),
        *submission(2, problem="removed"),
        *submission(1, {"lo": "a"}, problem="tied"),
        *submission(1, {"lo": "b"}, problem="tied", tie=1),
    ]
    assert compute(TABLE, UNTIL, problem_submission=facts) == [
        (COURSE, "Uni", "aaa", "lo", "b" * 255, 2, 0),
        (COURSE, "Uni", "tied", "lo", "b", 2, 0),
    ]
    assert compute(TABLE, UNTIL, problem_submission=facts[::-1]) == compute(
        TABLE, UNTIL, problem_submission=facts
    )


def test_tags_of_the_lms(compute: Compute) -> None:
    """§12.4.25, spec 07 §3.10: they take the place of those in events, problem by problem."""
    facts = [*submission(1, {"lo": "old"}, correct=True), *submission(2, {"lo": "event"}, problem="bbb")]
    lms = {
        "oel_tagging_taxonomy": [
            {"id": 1, "name": "Skills", "enabled": True},
            {"id": 2, "name": "Off", "enabled": False},
        ],
        "oel_tagging_tag": [{"id": 5, "taxonomy_id": 1, "parent_id": None, "value": "Reads"}],
        "oel_tagging_objecttag": [
            {"object_id": "aaa", "taxonomy_id": 1, "tag_id": 5, "_value": "older text"},
            {"object_id": "aaa", "taxonomy_id": 1, "tag_id": None, "_value": "Free"},
            {"object_id": "bbb", "taxonomy_id": 2, "tag_id": None, "_value": "hidden"},
            {"object_id": "ccc", "taxonomy_id": 1, "tag_id": 5, "_value": "nobody submitted"},
        ],
    }
    assert compute(TABLE, UNTIL, problem_submission=facts, **lms) == [
        (COURSE, "Uni", "aaa", "Skills", "Free", 1, 1),
        (COURSE, "Uni", "aaa", "Skills", "Reads", 1, 1),
        (COURSE, "Uni", "bbb", "lo", "event", 1, 0),
    ]
