"""Which events say that a learner took help with a problem."""

from __future__ import annotations

from datetime import date

from tests.facts.conftest import EventsOf
from tests.lines import COURSE, event

from pharos.engine import Engine
from pharos.facts.problem_help import SHOWN_HINT, problem_help

DAY = "2024-03-02 09:00"
P1, P2 = "block-v1:X+type@problem+block@p1", "block-v1:X+type@problem+block@p2"


def test_answers_and_hints_are_counted_by_learner(engine: Engine, events_of: EventsOf) -> None:
    lines = [
        event(DAY, "showanswer", user=1, event={"problem_id": P1}),
        event(f"{DAY}:01", "showanswer", user=1, event={"problem_id": P1}),
        event(DAY, "showanswer", user=2, event={"problem_id": P2}),
        event(DAY, SHOWN_HINT, user=1, event={"module_id": P1, "hint_index": 0}),
        event("2024-03-03 09:00", SHOWN_HINT, user=1, event={"module_id": P1}),
    ]
    found = engine.fetch(problem_help(events_of(lines))).to_pylist()
    first, second = date(2024, 3, 2), date(2024, 3, 3)
    assert sorted(tuple(row.values()) for row in found) == [
        (first, COURSE, 1, P1, "answer", 2),
        (first, COURSE, 1, P1, "hint", 1),
        (first, COURSE, 2, P2, "answer", 1),
        (second, COURSE, 1, P1, "hint", 1),
    ]


def test_other_events_do_not_count(engine: Engine, events_of: EventsOf) -> None:
    lines = [
        event(DAY, "showanswer", source="browser", event={"problem_id": P1}),
        event(DAY, "showanswer", event={"module_id": P1}),
        event(DAY, "showanswer", event={"problem_id": ""}),
        event(DAY, "showanswer", event="no object"),
        event(DAY, SHOWN_HINT, event={"problem_id": P1}),
        event(DAY, "showanswer", user=None, event={"problem_id": P1}),
        event(DAY, "showanswer", course="", event={"problem_id": P1}),
        event(DAY, "edx.problem.hint.feedback_displayed", event={"module_id": P1}),
    ]
    assert engine.fetch(problem_help(events_of(lines))).num_rows == 0
    long = event(DAY, "showanswer", event={"problem_id": "x" * 300})
    (row,) = engine.fetch(problem_help(events_of([long]))).to_pylist()
    assert row["problem_id"] == "x" * 255
