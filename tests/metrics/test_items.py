"""How good parts of problems are as questions: hand-worked classes, random ones against the naive count.

Each case is a course run of its own, so that one computation answers for all.
"""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
from tests.metrics import naive_items
from tests.metrics.conftest import Compute
from tests.problems import CHOICE, TEXT, part, payload, rows

from pharos.pipeline.graph import METRICS
from pharos.result_store import contract

UNTIL = datetime(2020, 6, 1)
START = datetime(2020, 2, 1, 10)
ENDS = ("discrimination", "discrimination_low", "discrimination_high")
OF_THIRDS = ("strong_count", "weak_count", "strong_share", "weak_share")
Facts = list[dict[str, Any]]
Named = dict[str, list[dict[str, Any]]]


def run_of(case: str) -> str:
    return f"course-v1:Uni+{case}+2020"


def by_case(compute: Compute, table: str, cases: dict[str, Facts], **inputs: Any) -> Named:
    """The rows of the table of each case by the names of its columns; in order of the key, null last."""
    facts = [row | {"course_id": run_of(case)} for case, found in cases.items() for row in found]
    Random(1).shuffle(facts)
    names = [column.name for column in contract.columns(METRICS[table].table)]
    found: Named = {case: [] for case in cases}
    for row in compute(table, UNTIL, problem_submission=facts, **inputs):
        named = dict(zip(names, row, strict=True))
        found[named["course_id"].split("+")[1]].append(named)
    return found


def gave(user: int | None, minute: int, problem: str, answer: str, *, right: bool, **more: Any) -> Facts:
    """The learner gave this answer to the only part of the problem at the minute."""
    parts = {f"{problem}_2_1": part(answer, correct=right, **({"kind": CHOICE} | more))}
    time = START + timedelta(minutes=minute)
    return rows(user, time, payload(parts, problem=problem), tie=user or 0)


def rest(user: int, right: int, *, of: int = 4) -> Facts:
    """Other problems that the learner tried, of which so many are right at first."""
    return [
        row for number in range(of) for row in gave(user, number, f"rest{number}", "x", right=number < right)
    ]


def a_class() -> Facts:
    """Learner n of 30 has n % 4 of 4 other problems right. Those with 2 and 3 have the problem `p` right, but
    for the first two of them; learners 1 and 5 need three attempts.
    """
    facts = []
    for user in range(1, 31):
        score = user % 4
        answer = "a" if score >= 2 and user > 3 else "b" if user % 2 else "c"
        facts += rest(user, score) + gave(user, 10 + user, "p", answer, right=answer == "a")
        if user in (1, 5):
            facts += gave(user, 100 + user, "p", "c", right=False)
            facts += gave(user, 200 + user, "p", "a", right=True)
    return facts


def scored(learners: int, *, of: int) -> Facts:
    """Learners with `of` other problems, of whom the better ones have `p` right."""
    return [
        row
        for user in range(learners)
        for row in (
            *rest(user, user % (of + 1), of=of),
            *gave(user, 9, "p", "a", right=user % (of + 1) > 1),
        )
    ]


def without_difference() -> Facts:
    """All have one score, all are right, nobody is."""
    facts = []
    for user in range(20):
        facts += rest(user, 2) + gave(user, 9, "one-score", "a", right=user > 7)
    for user in range(20, 40):
        facts += rest(user, user % 4)
        facts += gave(user, 9, "all", "a", right=True) + gave(user, 10, "none", "a", right=False)
    return facts


def names() -> Facts:
    """A renamed learner, one whose number one event lacks, and one whom no event numbers."""
    facts = [
        *gave(7, 1, "p", "a", right=False),
        *gave(7, 2, "p", "b", right=True),
        *gave(None, 3, "p", "c", right=False),
        *gave(None, 4, "p", "c", right=False),
    ]
    given = ("old", "new", "new", "nobody")
    return [row | {"username": name} for row, name in zip(facts, given, strict=True)]


def variants() -> Facts:
    """Twelve learners of seed 3, ten of seed 4, and one of them had seed 0 at last."""
    facts = []
    for user in range(22):
        seed = 3 if user < 12 else 4
        facts += gave(user, user, "p", "7", right=seed == 3, variant=seed, kind=TEXT)
    return facts + gave(0, 100, "p", "8", right=True, variant=0, kind=TEXT)


def helped() -> Facts:
    """Ten learners in two problems with a seed."""
    return [
        row
        for user in range(10)
        for problem in ("p", "q")
        for row in gave(user, user, problem, "a", right=True, variant=1)
    ]


def one_edit() -> Facts:
    """The question changes at minute 10; the text of the other choice is told at 11 only."""
    facts = []
    for user in range(30):
        choice, is_new = user % 2, user >= 10
        text = f"Text {choice}{' new' if is_new else ''}"
        asked = "Q2" if is_new else "Q1"
        facts += gave(
            user, user, "p", text, internal=f"choice_{choice}", right=choice == 0, question=asked
        )  # fmt: skip
    return facts


def seeds() -> Facts:
    """Each seed asks another question, one after the other."""
    return [
        row
        for user in range(40)
        for row in gave(
            user, user, "p", "7", right=user < 20, question=f"Q{user // 20}", variant=user // 20, kind=TEXT
        )
    ]


def told(contents: str, what: str) -> Facts:
    """Learners answer one after the other; each letter is what the event tells of the question, of the text
    of the choice `choice_0`, or of its correctness (a small letter is right).
    """
    facts = []
    for user, letter in enumerate(contents):
        answer = f"Text {letter}" if what == "text" else "Text"
        question = f"Question {letter}" if what == "question" else "Q?"
        right = letter.islower() if what == "right" else True
        facts += gave(user, user, "p", answer, internal="choice_0", right=right, question=question)
    return facts


CONTENTS = (
    "AAAAAaaaaa", "AAAAaaaaaa", "AAAAAAaaaa", "AAAAAaAaaaaa", "AAAAAAAAAA", "aaaaaAAAAAAA",
)  # fmt: skip
EDITS = {
    f"{what}-{contents}": (contents, what) for what in ("question", "text", "right") for contents in CONTENTS
}
CASES = {
    "class": a_class(),
    "nine": scored(9, of=4),
    "ten": scored(10, of=4),
    "nineteen": scored(19, of=4),
    "twenty": scored(20, of=4),
    "two-others": scored(20, of=2),
    "three-others": scored(20, of=3),
    "no-difference": without_difference(),
    "perfect": [
        row
        for user in range(20)
        for row in (*rest(user, 4 * (user % 2)), *gave(user, 9, "p", "a", right=bool(user % 2)))
    ],
    "names": names(),
    "variants": variants(),
    "helped": helped(),
    "one-edit": one_edit(),
    "seeds": seeds(),
    **{case: told(*edit) for case, edit in EDITS.items()},
}


@pytest.fixture
def quality(compute: Compute) -> Named:
    """The rows of `item_quality` for all cases."""
    run, other = run_of("helped"), run_of("class")
    takes = {"date": START.date(), "count": 2}
    help_ = [
        takes | {"course_id": course, "user_id": user, "problem_id": problem, "kind": kind}
        for course, user, problem, kind in (
            (run, 1, "p", "answer"),
            (run, 2, "p", "answer"),
            (run, 2, "p", "hint"),
            (run, 1, "p", "answer"),
            (other, 1, "q", "answer"),
        )
    ]
    states = [(user, "p", "problem") for user in range(25)] + [(user, "q", "problem") for user in range(3)]
    seen = [
        {"id": number, "student_id": user, "course_id": run, "module_id": module, "module_type": kind}
        | {"modified": START}
        for number, (user, module, kind) in enumerate([*states, (1, "p", "video")])
    ]
    return by_case(compute, "item_quality", CASES, problem_help=help_, courseware_studentmodule=seen)


def test_quality_by_hand(quality: Named) -> None:
    """One computation for all: on Spark each takes ten seconds."""
    of_problem = {
        (case, row["module_id"]): row
        for case, found in quality.items()
        for row in found
        if row["variant"] is None
    }
    assert_a_class(of_problem["class", "p"])
    for case, is_told in (("nine", False), ("ten", True)):
        for name in ("attempts_mean", "attempts_median", "attempts_p90", "difficulty"):
            assert (of_problem[case, "p"][name] is not None) == is_told, (case, name)
    for case, is_told, learners in (
        ("ten", False, 10),
        ("nineteen", False, 19),
        ("twenty", True, 20),
        ("two-others", False, 0),
        ("three-others", True, 20),
    ):
        row = of_problem[case, "p"]
        assert {row[name] is not None for name in ENDS} == {is_told}, case
        assert row["discrimination_learners"] == learners, case
    for problem in ("one-score", "all", "none"):
        assert {of_problem["no-difference", problem][name] for name in ENDS} == {None}, problem
    one_score = of_problem["no-difference", "one-score"]
    assert (one_score["strong_learners"], one_score["weak_learners"]) == (0, 0)
    assert [of_problem["perfect", "p"][name] for name in ENDS] == [1.0, 1.0, 1.0]
    (row,) = quality["names"]
    assert (row["tried"], row["right_first"], row["right_last"], row["attempts"]) == (2, 0, 0, 4)
    assert_variants(quality)
    assert_edits(quality)


def assert_a_class(row: dict[str, Any]) -> None:
    """Of 30 scores n % 4, 7 are 0, 8 are 1, 8 are 2 and 7 are 3.

    Right at first: 15 with 2 and 3, but for learners 2 and 3; at last also 1 and 5. Strong: 7 with 3, and 8
    with 2, since 7 higher ones are fewer than a third. Weak: 7 with 0 and 8 with 1. Attempts: 28 + 2 * 3.
    """
    is_right = [n % 4 >= 2 and n > 3 for n in range(1, 31)]
    r = np.corrcoef(is_right, [n % 4 for n in range(1, 31)])[0, 1]
    low, high = (math.tanh(math.atanh(r) + sign * 1.959964 / math.sqrt(27)) for sign in (-1, 1))
    exact = {
        "course_id": run_of("class"), "module_id": "p", "part_id": "p_2_1", "variant": None,
        "problem_display_name": "Cells", "question_text": "Q?", "response_type": CHOICE, "variants": 0,
        "seen": None, "tried": 30, "right_first": 13, "right_last": 15, "attempts": 34,
        "attempts_median": 1.0, "attempts_p90": 1.0, "discrimination_learners": 30,
        "strong_learners": 15, "strong_right": 13, "weak_learners": 15, "weak_right": 0,
        "shown_answer": 0, "hinted": 0, "changed_at": None, "tried_since": None, "right_first_since": None,
    }  # fmt: skip
    assert {name: row[name] for name in exact} == exact
    close = {"attempts_mean": 34 / 30, "difficulty": 17 / 30, **dict(zip(ENDS, (r, low, high), strict=True))}
    assert {name: row[name] for name in close} == pytest.approx(close, abs=1e-6)
    assert set(row) == set(exact) | set(close)


def assert_variants(quality: Named) -> None:
    """Seed 0 has one learner, and no row. Learners count, not events; a seed's row tells no help."""
    shown = [
        (row["variant"], row["variants"], row["tried"], row["right_first"]) for row in quality["variants"]
    ]
    assert shown == [(3, 3, 12, 12), (4, 3, 10, 0), (None, 3, 22, 12)]
    names = ("module_id", "variant", "seen", "shown_answer", "hinted")
    assert [tuple(row[name] for name in names) for row in quality["helped"]] == [
        ("p", 1, None, None, None),
        ("p", None, 25, 2, 1),
        ("q", 1, None, None, None),
        ("q", None, 10, 0, 0),
    ]


def assert_edits(quality: Named) -> None:
    for case, (contents, what) in EDITS.items():
        (row,) = quality[case]
        place = naive_items.changed(contents)
        assert row["changed_at"] == (None if place is None else START + timedelta(minutes=place)), case
        since = contents[len(contents) if place is None else place :]
        right = sum(letter.islower() for letter in since) if what == "right" else len(since)
        figures = (None, None) if place is None else (len(since), right)
        assert (row["tried_since"], row["right_first_since"]) == figures, case
    (row,) = quality["one-edit"]
    assert row["changed_at"] == START + timedelta(minutes=10)
    assert (row["tried_since"], row["right_first_since"]) == (20, 10)
    assert [row["changed_at"] for row in quality["seeds"]] == [None] * 3


def test_answers_by_hand(compute: Compute) -> None:
    """In the class `b` is given by those who are wrong and odd: 1, 5, … 29 and 3; `c` by 2 and by 4, 8, … 28;
    at last 1 and 5 give `a`.
    """
    cases = {
        "class": a_class(),
        "variants": variants(),
        "many": [
            row
            for user in range(60)
            for row in gave(user, user, "p", f"{min(user, 54):03}", right=user == 0, kind=TEXT)
        ],
        "odd": [
            *gave(1, 1, "p", "<b>A</b>&amp;B", right=True, internal="choice_0"),
            *gave(2, 2, "p", "x" * 300, right=False, kind=TEXT),
            *gave(3, 3, "p", "x" * 299, right=False, kind=TEXT),
            *gave(4, 4, "p", "=1\x00", right=False, kind=TEXT),
        ],
    }
    found = by_case(compute, "item_answer", cases)
    of_class = [row for row in found["class"] if row["module_id"] == "p"]
    names = (
        *("place", "answer_value", "is_correct", "first_count", "last_count"),
        *("strong_count", "weak_count", "answers", "value_id"),
    )
    assert [tuple(row[name] for name in names) for row in of_class] == [
        (1, "a", True, 13, 15, 13, 0, 1, None),
        (2, "b", False, 9, 7, 1, 8, 1, None),
        (3, "c", False, 8, 8, 1, 7, 1, None),
    ]
    shares = [(row["strong_share"], row["weak_share"]) for row in of_class]
    assert shares == [(13 / 15, 0.0), (1 / 15, 8 / 15), (1 / 15, 7 / 15)]
    assert of_class[0]["first_seen"] == START + timedelta(minutes=16)
    counts = ("variant", "answer_value", "first_count", "last_count")
    assert [tuple(row[name] for name in counts) for row in found["variants"]] == [
        (3, "7", 12, 12),
        (4, "7", 10, 10),
        (None, "7", 22, 21),
        (None, "8", 0, 1),
    ]
    assert [row["place"] for row in found["many"]] == list(range(1, 52))
    most, others = found["many"][0], found["many"][-1]
    assert (most["answer_value"], most["first_count"], most["answers"]) == ("054", 6, 1)
    assert (others["answers"], others["first_count"], others["last_count"]) == (5, 5, 5)
    assert others["answer_value"] is others["value_id"] is others["is_correct"] is None
    assert sum(row["first_count"] for row in found["many"]) == 60
    shown = {(row["value_id"], row["answer_value"], row["first_count"]) for row in found["odd"]}
    assert shown == {("choice_0", "A &B", 1), (None, "x" * 255, 2), (None, "=1\ufffd", 1)}


def random_facts(seed: int, learners: int = 45) -> Facts:
    """A course of nine problems, one with two parts and one with seeds; attempts until right, or tired."""
    rng = Random(seed)
    facts: Facts = []
    for user in range(1, learners + 1):
        able = rng.random()
        for number in range(9):
            if rng.random() < 0.25:
                continue
            minute = rng.randrange(10_000)
            for attempt in range(rng.choice((1, 1, 2, 5))):
                right = rng.random() < able + (attempt / 10) - number / 20
                answer = "a" if right else rng.choice("bcd")
                seed_of = rng.randrange(2) if number == 8 else ""
                parts = {f"p{number}_2_1": part(answer, correct=right, variant=seed_of)}
                if number == 3:
                    parts["p3_3_1"] = part(rng.choice("xy"), correct=rng.random() < 0.5, kind=TEXT)
                time = START + timedelta(minutes=minute + attempt)
                facts += rows(user, time, payload(parts, problem=f"p{number}"), tie=user)
    return facts


RANDOM = {f"random{seed}": random_facts(seed) for seed in (1, 2, 3)} | {"large": random_facts(4, learners=80)}


def test_quality_equals_the_naive_count_and_an_independent_library(compute: Compute) -> None:
    found = by_case(compute, "item_quality", RANDOM)
    for case, facts in RANDOM.items():
        expected = naive_items.quality(facts)
        named = {(row["module_id"], row["part_id"], row["variant"]): row for row in found[case]}
        assert set(named) == set(expected)
        for key, figures in expected.items():
            shown = {name: named[key][name] for name in figures}
            assert shown == pytest.approx(figures, abs=1e-6), (case, key)
        assert {row["variant"] for row in found[case]} == {None, 0, 1}
        assert any(row["discrimination"] is not None for row in found[case])
    assert_equals_numpy(found["large"], RANDOM["large"])


def assert_equals_numpy(found: list[dict[str, Any]], facts: Facts) -> None:
    """Scores that are not rounded to thousandths: they move the correlation but little."""
    whole = [item for item in naive_items.items(facts) if item.variant is None]
    for row in found:
        if row["variant"] is not None:
            continue
        right, scores = [], []
        for item in (item for item in whole if item.part == row["part_id"]):
            others = [o for o in whole if o.learner == item.learner and o.problem != item.problem]
            if len(others) >= 3:
                right.append(item.first["is_correct"])
                scores.append(np.mean([other.first["is_correct"] for other in others]))
        assert row["discrimination"] == pytest.approx(np.corrcoef(right, scores)[0, 1], abs=1e-3)
        attempts = [len(item.answers) for item in whole if item.part == row["part_id"]]
        assert row["attempts_p90"] == pytest.approx(np.percentile(attempts, 90))
        assert row["attempts_median"] == np.median(attempts)


def test_answers_equal_the_naive_count(compute: Compute) -> None:
    found = by_case(compute, "item_answer", RANDOM)
    for case, facts in RANDOM.items():
        answers: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
        for row in found[case]:
            shown = tuple(row[name] for name in ("answer_value", "first_count", "last_count", *OF_THIRDS))
            answers[row["module_id"], row["part_id"], row["variant"]].append(shown)
        assert answers == naive_items.answers(facts), case
