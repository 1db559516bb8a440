"""What course teams should look at first: each rule at its limits, by hand."""

from __future__ import annotations

import json
from typing import Any

from tests.metrics.conftest import Compute, columns
from tests.metrics.test_course_flow import outline, usage
from tests.metrics.test_items import START, Facts, by_case, gave, rest, run_of
from tests.metrics.test_videos import watch
from tests.metrics.test_viewings import UNTIL

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


def test_rules_about_videos_at_their_limits(compute: Compute) -> None:
    """Of 20 viewers of `end`, 2 reach its end, of `more` 3. 5 of 20 leave `left` at 1:00, of 21 `fewer`.

    Of 20 viewers of `again`, 11 watch 1:00-1:05 twice, of `half` 10. Of 20 of `opening`, 5 skip 0:05-0:30.
    """
    whole = (0.0, 300.0)

    def seen(video: str, learners: int, few: int, *parts: tuple[float, float]) -> Facts:
        """The first `few` learners watch these parts, all others the whole video."""
        return [
            row | {"video": video}
            for user in range(learners)
            for row in watch(user, *(parts if user < few else (whole,)), duration=300)
        ]

    facts = [
        *seen("end", 20, 18, (0, 5), (5, 100)), *seen("more", 20, 17, (0, 5), (5, 100)),
        *seen("left", 20, 5, (0, 62)), *seen("fewer", 21, 5, (0, 62)),
        *seen("again", 20, 11, (0, 300), (60, 64)), *seen("half", 20, 10, (0, 300), (60, 64)),
        *seen("opening", 20, 5, (0, 3), (30, 300)), *seen("small", 9, 5, (0, 3), (30, 300)),
    ]  # fmt: skip
    found = compute("finding", UNTIL, video_event=facts)
    names = ("kind", "subject", "learners", "confidence", "numbers")
    rows = columns(found, "finding", *names)
    place = {"start_second": 60, "end_second": 65}
    assert [(*row[:4], json.loads(row[4])) for row in rows if row[1] != "more"] == [
        ("video_rarely_finished", "end", 20, "low", {"viewers": 20, "finished": 2}),
        (
            "video_part_left", "end", 20, "low",
            {"start_second": 100, "end_second": 105, "learners": 18, "of_learners": 20},
        ),
        ("video_part_left", "left", 20, "low", place | {"learners": 5, "of_learners": 20}),
        (
            "video_opening_skipped", "opening", 20, "low",
            {"start_second": 5, "end_second": 30, "learners": 5, "of_learners": 20},
        ),
        ("video_part_watched_again", "again", 20, "low", place | {"learners": 11, "of_learners": 20}),
    ]  # fmt: skip
    assert [row[0] for row in rows if row[1] == "more"] == ["video_part_left"]


OUTLINE_OF_PROBLEMS = """
c1
  s1
    u1: p1 p2 p5
    u2: p3 h1
    u3: p4
"""


def reached(**learners: int) -> Facts:
    """Rows of `course_flow`: so many learners reached the unit."""
    none = dict.fromkeys(("completed", "next_block_id", "next_learners"))
    return [
        {"course_id": "C", "level": "unit", "block_id": usage(unit), "display_name": unit, "place": place}
        | {"parent_block_id": usage("s1"), "is_deleted": False, "reached": number}
        | {"tried": 0, "watched": 0, "stopped": 0}
        | none
        for place, (unit, number) in enumerate(learners.items())
    ]


def test_a_problem_nobody_tried_is_found_where_learners_came_by(compute: Compute) -> None:
    """`p1` was tried once, `p5` is gone, `p3` is in a library; 9 learners reached the unit of `p4`."""
    blocks = outline(OUTLINE_OF_PROBLEMS, gone="p5")
    for block in blocks:
        if block["block_id"] == usage("p3"):
            library = "block-v1:C+type@library_content+block@l"
            block["parent_block_id"] = library
            block["ancestor_ids"] = [*block["ancestor_ids"], library]
    tried = [row | {"course_id": "C"} for row in gave(1, 1, usage("p1"), "a", right=True)]
    found = compute(
        "finding", UNTIL, problem_submission=tried, course_blocks=blocks,
        course_flow=reached(u1=31, u2=50, u3=9),
    )  # fmt: skip
    rows = columns(found, "finding", "kind", "subject", "learners", "confidence", "numbers")
    assert rows == [("never_tried", usage("p2"), 31, "medium", '{"reached": 31}')]


def test_transcripts_that_no_browser_asks_for(compute: Compute) -> None:
    """Of `C` most videos have English; Portuguese has a reader. `D` has too few known readers."""
    transcripts = [
        {"course_id": course, "language": language, "videos": videos, "course_videos": 9}
        for course in "CD"
        for language, videos in {"en": 9, "fr": 3, "fr-CA": 4, "pt-BR": 2}.items()
    ]
    readers = [
        {"course_id": course, "language": language, "count": number}
        for course, counts in {"C": {"es": 9, "pt": 1, None: 7}, "D": {"es": 9, None: 7}}.items()
        for language, number in counts.items()
    ]
    found = compute(
        "finding", UNTIL, course_transcript_language=transcripts, course_enrollment_language_current=readers
    )
    rows = columns(found, "finding", "course_id", "kind", "subject", "learners", "confidence", "numbers")
    assert rows == [("C", "transcripts_unused", "fr", 10, "low", '{"videos": 4, "learners": 10}')]
