"""First and last answers. `spec 02 §4, §11.16-32`"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.metrics.conftest import Compute, Rows, columns
from tests.problems import CHECKBOX, CHOICE, NUMBER, PART, TEXT, old, part, payload, rows

TABLE = "answer_distribution"
UNTIL = datetime(2020, 3, 1)
USERS = {"ann": 1, "bob": 2, "cyd": 3, "dee": 4, "eve": 5}
SHORT = ("correct", "first_response_count", "last_response_count", "value_id", "answer_value_text", "variant")
TEXTS = ("question_text", "problem_display_name")

Facts = list[dict[str, Any]]


def gave(who: str, number: int, answers: dict[str, Any], **told: Any) -> Facts:
    """The rows of the fact: `who` submitted this at the moment of this number."""
    time = datetime(2020, 2, 1, 10) + timedelta(minutes=number)
    return rows(USERS[who], time, answers, username=who, **told)


def one(answer: Any, internal: Any = ..., /, **more: Any) -> dict[str, Any]:
    """The payload of a problem with one part."""
    return payload({PART: part(answer, internal=internal, **more)})


def typed(answer: Any, **more: Any) -> dict[str, Any]:
    """The payload of a problem where learners type."""
    return one(answer, **({"kind": TEXT} | more))


def boxes(shown: list[str], internal: list[str], **more: Any) -> dict[str, Any]:
    """The payload of a problem with boxes to check."""
    return one(shown, internal, kind=CHECKBOX, **more)


def by_course(compute: Compute, cases: dict[str, list[Facts]], *names: str, **inputs: Any) -> dict[str, Rows]:
    """The rows of the table of each case, which is a course run of its own; in order, in these columns.

    They do not depend on the order of the facts.
    """
    facts = [
        row | {"course_id": f"course-v1:Uni+{case}+2020"}
        for case, submissions in cases.items()
        for submission in submissions
        for row in submission
    ]
    computed = compute(TABLE, UNTIL, problem_submission=facts, **inputs)
    assert compute(TABLE, UNTIL, problem_submission=facts[::-1], **inputs) == computed
    found: dict[str, Rows] = {case: [] for case in cases}
    for course, *row in columns(computed, TABLE, "course_id", *names):
        found[course.split("+")[1]].append(tuple(row))
    return {case: sorted(rows, key=repr) for case, rows in found.items()}


# The worked examples of §4.10 and what §11 adds: name -> (submissions, rows in the columns SHORT)
ANN_BOXES = boxes(["<b>A</b>", "C"], ["choice_0", "choice_2"], correct=True)
IDS = [f"choice_{number}" for number in range(60)]
LONG = "x" * 200_000
EXAMPLES: dict[str, tuple[list[Facts], Rows]] = {
    "A-first-last-html": (
        [
            gave("ann", 1, one("<p>Nucleus</p>", "choice_0")),
            gave("ann", 2, one("Ribosome", "choice_2")),
            gave("ann", 3, one("Mito<i>chondrion</i>", "choice_1", correct=True)),
            gave("bob", 4, one("Mitochondrion", "choice_1", correct=True)),
        ],
        [(False, 1, 0, "choice_0", "Nucleus", None), (True, 1, 2, "choice_1", "Mitochondrion", None)],
    ),
    "A-the-text-is-of-the-most-recent": (
        [
            gave("bob", 1, one("Mitochondrion", "choice_1", correct=True)),
            gave("ann", 2, one("Mito<i>chondrion</i>", "choice_1", correct=True)),
        ],
        [(True, 2, 2, "choice_1", "Mito chondrion", None)],
    ),
    "B-checked-boxes-in-their-order": (
        [
            gave("ann", 1, ANN_BOXES),
            gave("bob", 2, boxes(["C", "<b>A</b>"], ["choice_2", "choice_0"], correct=True)),
            gave("cyd", 3, ANN_BOXES),
        ],
        [
            (True, 1, 1, "[choice_2|choice_0]", "[C|A]", None),
            (True, 2, 2, "[choice_0|choice_2]", "[A|C]", None),
        ],
    ),
    "C-the-latest-decides-the-mode": (
        [gave("ann", 1, ANN_BOXES), gave("dee", 4, boxes([], []))],
        [(False, 1, 1, None, "[]", None), (True, 1, 1, None, "[<b>A</b>|C]", None)],
    ),
    "D-old-and-new-typed": (
        [gave("ann", 1, old("3 ")), gave("bob", 2, typed("3", correct=True, kind=NUMBER))],
        [(True, 2, 2, None, "3", None)],
    ),
    "E-old-and-new-choices": (
        [
            gave("ann", 1, old("choice_0", correct=True)),
            gave("bob", 1, old("choice_3")),
            gave("cyd", 3, one("<p>A</p>", "choice_0", correct=True)),
        ],
        [(False, 1, 1, "choice_3", None, 1), (True, 2, 2, "choice_0", "A", None)],
    ),
    "F-variants": (
        [
            gave("ann", 1, typed("7", variant=17, correct=True)),
            gave("bob", 2, typed("7", variant=42)),
            gave("cyd", 3, typed("7", variant=0)),
            gave("dee", 4, typed("7", variant="")),
            gave("eve", 5, typed("7", variant=1)),
        ],
        [
            (False, 1, 1, None, "7", 42),
            (False, 1, 1, None, "7", None),
            (False, 2, 2, None, "7", 1),
            (True, 1, 1, None, "7", 17),
        ],
    ),
    "F-odd-variants": (  # null is a group of its own; what no INTEGER can be is null; alike rows are one
        [
            gave("ann", 1, old("7", seed=...)),
            gave("bob", 2, old("7", seed="17")),
            gave("cyd", 3, old("7", seed=17)),
            gave("dee", 4, old("7", seed="odd")),
            gave("eve", 5, old("7", seed=10**12)),
            gave("ann", 9, typed("8")),
        ],
        [(False, 0, 1, None, "8", None), (False, 2, 2, None, "7", 17), (False, 3, 2, None, "7", None)],
    ),
    "F-the-newest-has-no-variant": (
        [gave("ann", 1, typed("7", variant=5)), gave("bob", 2, typed("7"))],
        [(False, 1, 1, None, "7", 5), (False, 1, 1, None, "7", None)],
    ),
    "G-the-most-recent-wins": (
        [
            gave("ann", 1, typed("4", correct=True, question="Old?")),
            gave("bob", 2, typed("5", question="Old?")),
            gave("cyd", 3, typed("4", question="New?"), name="Cells v2"),
        ],
        [(False, 1, 1, None, "5", None), (False, 2, 2, None, "4", None)],
    ),
    "J-hidden-parts": (
        [
            gave(
                "ann",
                1,
                payload(
                    {
                        PART: part("x+1", kind=TEXT),
                        f"{PART}_dynamath": part("<math/>"),
                        f"{PART}_comment": part("q"),
                    }
                ),
            )
        ],
        [(False, 1, 1, None, "x+1", None)],
    ),
    "K-a-last-submission-without-parts": (
        [gave("ann", 1, typed("5", correct=True)), gave("ann", 2, payload({}, answers={PART: 1}))],
        [(True, 1, 0, None, "5", None)],
    ),
    "16-only-the-first-and-the-last-count": (
        [gave("ann", number, typed(str(number))) for number in (1, 2, 3)],
        [(False, 0, 1, None, "3", None), (False, 1, 0, None, "1", None)],
    ),
    "17-two-learners": (
        [gave("ann", 1, typed("a")), gave("bob", 2, typed("a"))],
        [(False, 2, 2, None, "a", None)],
    ),
    "19-outer-white-space": (
        [gave("ann", 1, typed("a\t")), gave("bob", 2, typed("\u00a0a"))],
        [(False, 2, 2, None, "a", None)],
    ),
    "21-unicode": ([gave("ann", 1, typed("é\u202e猫"))], [(False, 1, 1, None, "é\u202e猫", None)]),
    "22-nothing-with-a-value-id": (
        [gave("ann", 1, one("", "choice_1")), gave("bob", 2, one('<img src="x"/>', "choice_2"))],
        [(False, 1, 1, "choice_1", None, None), (False, 1, 1, "choice_2", None, None)],
    ),
    "22-no-html-is-removed-without-a-value-id": (
        [gave("ann", 1, typed(" <b>1</b> < 2"))],
        [(False, 1, 1, None, "<b>1</b> < 2", None)],
    ),
    "23-an-unknown-kind": ([gave("ann", 1, one("a", kind="customresponse"))], []),
    "23-no-kind": ([gave("ann", 1, one("a", kind=None)), gave("bob", 2, one("a", kind=""))], []),
    "24-old-events-alone": ([gave("ann", 1, old("choice_0"))], []),
    "25-from-text-to-choices": (
        [gave("ann", 1, typed("<i>old</i> ")), gave("bob", 2, one("B", "choice_1"))],
        [(False, 1, 1, "choice_1", "B", None), (False, 1, 1, None, "<i>old</i>", None)],
    ),
    "31-texts-that-look-like-nothing": (
        [
            rows(number, datetime(2020, 2, 1, 10, number), typed(text))
            for number, text in enumerate(["-inf", "=1+1", "NaN", "None", r"\N", "a\x00b", "inf"])
        ],
        [
            (False, 1, 1, None, text, None)
            for text in ["-inf", "=1+1", "NaN", "None", r"\N", "a\ufffdb", "inf"]
        ],
    ),
    "learners-by-number": (  # §12.1.10: who is renamed or retired stays one, also without a number
        [
            rows(1, datetime(2020, 2, 1), typed("a"), username="ann"),
            rows(None, datetime(2020, 2, 2), typed("b"), username="ann"),
            rows(1, datetime(2020, 2, 3), typed("c"), username="retired__user_1"),
            rows(None, datetime(2020, 2, 1), typed("d"), username="name"),
            rows(None, datetime(2020, 2, 2), typed("e"), username="name"),
            rows(None, datetime(2020, 2, 1), typed("f"), username="another"),
        ],
        [
            (False, 0, 1, None, "c", None),
            (False, 0, 1, None, "e", None),
            (False, 1, 0, None, "a", None),
            (False, 1, 0, None, "d", None),
            (False, 1, 1, None, "f", None),
        ],
    ),
    "submissions-of-one-moment": (
        [rows(1, datetime(2020, 2, 1), typed(str(tie)), tie=tie) for tie in (0, 1, 2)],
        [(False, 0, 1, None, "2", None), (False, 1, 0, None, "0", None)],
    ),
    "16-long-ids-are-cut": (
        [gave("ann", 1, boxes(IDS, IDS[::-1]))],
        [(False, 1, 1, f"[{'|'.join(IDS[::-1])}]"[:255], f"[{'|'.join(IDS)}]", None)],
    ),
    "long-answers-are-not": ([gave("ann", 1, typed(LONG))], [(False, 1, 1, None, LONG, None)]),
    "refused": ([[row | {"refused": "no reason"} for row in gave("ann", 1, typed("a"))]], []),
}


def test_examples(compute: Compute) -> None:
    """Examples A to K; §11.16-25, 27, 31"""
    found = by_course(compute, {name: facts for name, (facts, _) in EXAMPLES.items()}, *SHORT)
    for name, (_, expected) in EXAMPLES.items():
        assert found[name] == expected, name


def test_texts_and_numbers(compute: Compute) -> None:
    """§11.15, 18, 27, 30: a row keeps its own question; the name is of the part's most recent submission."""
    names = ("answer_value_text", "answer_value_numeric", *TEXTS)
    cases = {
        name: EXAMPLES[name][0]
        for name in ("D-old-and-new-typed", "E-old-and-new-choices", "G-the-most-recent-wins")
    } | {
        "numbers": [
            rows(number, datetime(2020, 2, 1), typed(text), name=...)
            for number, text in enumerate(["-1.5", "1_000", "1e999", "-3d"])
        ]
    }
    assert by_course(compute, cases, *names) == {
        "D-old-and-new-typed": [("3", 3.0, "Q?", "Cells")],
        "E-old-and-new-choices": [("A", None, "Q?", "Cells"), (None, None, None, "Cells")],
        "G-the-most-recent-wins": [("4", 4.0, "New?", "Cells v2"), ("5", 5.0, "Old?", "Cells v2")],
        "numbers": [
            ("-1.5", -1.5, "Q?", None),
            ("-3d", None, "Q?", None),
            ("1_000", None, "Q?", None),
            ("1e999", None, "Q?", None),
        ],
    }


def _both(text: str, kind: str) -> dict[str, Any]:
    return payload({PART: part("4", kind=NUMBER), "aaa_3_1": part(text, kind=kind)})


def test_a_part_whose_kind_changes(compute: Compute) -> None:
    """Example I; §11.23"""
    custom, text = _both("x", "customresponse"), _both("y", TEXT)
    cases = {
        "later": [gave("ann", 1, custom), gave("ann", 2, text)],
        "swapped": [gave("ann", 1, text), gave("ann", 2, custom)],
    }
    names = ("part_id", "answer_value_text", "first_response_count", "last_response_count")
    assert by_course(compute, cases, *names) == {
        "later": [(PART, "4", 1, 1), ("aaa_3_1", "x", 1, 0), ("aaa_3_1", "y", 0, 1)],
        "swapped": [(PART, "4", 1, 1)],
    }
    configured = by_course(compute, cases, "part_id", response_types=("x", "customresponse"))
    assert configured == {"later": [], "swapped": [("aaa_3_1",), ("aaa_3_1",)]}


def test_metadata(compute: Compute) -> None:
    """Example H; §11.26"""
    names = '{"choice_0": "Nucleus <b>x</b>"}'
    whole: dict[str, str | None] = {
        "problem_name": "Meta name",
        "response_type": CHOICE,
        "question": "Which?",
        "names": names,
    }
    parts: dict[str, dict[str, str | None]] = {
        "H": whole,
        "list": whole | {"response_type": CHECKBOX},
        "without-a-map": whole | {"names": None},
        "typed": whole | {"response_type": NUMBER},
        "filled": whole,
    }
    metadata = [part | {"part_id": f"{name}_2_1"} for name, part in parts.items()]
    cases = {
        "H": [
            gave("ann", 1, old("choice_0", correct=True), name=...),
            gave("bob", 2, old("choice_9"), name=...),
        ],
        "list": [gave("ann", 1, old(["choice_0", "z"]))],
        "without-a-map": [gave("ann", 1, old("choice_0"))],
        "typed": [gave("ann", 1, old(" 3 "))],
        "filled": [
            gave("ann", 1, one("<p>A</p>", "choice_0", question="")),
            gave("bob", 2, one("B", "choice_1", question="Own?")),
        ],
    }
    named = {
        name: [[row | {"part_id": f"{name}_2_1"} for row in facts] for facts in submissions]
        for name, submissions in cases.items()
    }
    found = by_course(compute, named, *SHORT, *TEXTS, answer_metadata=metadata)
    assert found == {
        "H": [
            (False, 1, 1, "choice_9", None, 1, "Which?", "Meta name"),
            (True, 1, 1, "choice_0", "Nucleus x", 1, "Which?", "Meta name"),
        ],
        "list": [(False, 1, 1, "[choice_0|z]", "[Nucleus x|]", 1, "Which?", "Cells")],
        "without-a-map": [(False, 1, 1, "choice_0", None, 1, "Which?", "Cells")],
        "typed": [(False, 1, 1, None, "3", 1, "Which?", "Cells")],
        "filled": [
            (False, 1, 1, "choice_0", "A", None, "Which?", "Cells"),
            (False, 1, 1, "choice_1", "B", None, "Own?", "Cells"),
        ],
    }


def test_no_submissions(compute: Compute) -> None:
    assert compute(TABLE, UNTIL) == []
