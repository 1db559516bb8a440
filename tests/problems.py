"""Submissions of problems for tests of several rooms: payloads as the LMS writes them, rows of the fact."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from tests.lines import event

from pharos.facts.submission import MOST_AT_ONCE
from pharos.facts.submission_payload import submission_rows

COURSE = "course-v1:Uni+BIO+2020"
PROBLEM = "block-v1:Uni+BIO+2020+type@problem+block@aaa"
PART = "aaa_2_1"
CHOICE, CHECKBOX, NUMBER, TEXT = (
    "multiplechoiceresponse",
    "choiceresponse",
    "numericalresponse",
    "stringresponse",
)


def part(
    answer: Any,
    *,
    internal: Any = ...,
    correct: Any = False,
    kind: str | None = CHOICE,
    question: Any = "Q?",
    variant: Any = "",
) -> dict[str, Any]:
    """A part as the learner saw it; `internal` is what the LMS keeps, if it is something else."""
    return {
        "internal": answer if internal is ... else internal,
        "submission": {
            "answer": answer, "question": question, "response_type": kind, "input_type": "x",
            "correct": correct, "variant": variant,
        },
        "correctness": "correct" if correct else "incorrect",
    }  # fmt: skip


def payload(parts: dict[str, dict[str, Any]], /, *, problem: Any = PROBLEM, **members: Any) -> dict[str, Any]:
    """The payload of an event with these parts; `...` leaves a member out."""
    is_right = all(part["correctness"] == "correct" for part in parts.values())
    whole = {
        "problem_id": problem,
        "answers": {name: part["internal"] for name, part in parts.items()},
        "submission": {name: part["submission"] for name, part in parts.items()},
        "correct_map": {name: {"correctness": part["correctness"]} for name, part in parts.items()},
        "state": {"seed": 1},
        "grade": sum(part["correctness"] == "correct" for part in parts.values()),
        "max_grade": len(parts),
        "success": "correct" if is_right else "incorrect",
        "attempts": 1,
    }  # fmt: skip
    return {name: value for name, value in (whole | members).items() if value is not ...}


def old(internal: Any, *, correct: bool = False, seed: Any = 1, **members: Any) -> dict[str, Any]:
    """The payload of an event before March 2014, with one part."""
    found = payload({PART: part(internal, correct=correct)}, submission=..., **members)
    return found | {"state": {"seed": seed} if seed is not ... else {}}


def context(
    *, name: Any = "Cells", tags: Any = ..., user: Any = 7, course: Any = COURSE, **more: Any
) -> dict[str, Any]:
    """The context of an event of a problem."""
    aside = {} if tags is ... else {"asides": {"tagging_aside": {"saved_tags": tags}}}
    module = {} if name is ... else {"module": {"display_name": name}}
    return {"user_id": user, "course_id": course, "org_id": "Uni", **module, **aside, **more}


def line(time: str, payload: Any, /, *, user: Any = 7, name: Any = "ana", **more: Any) -> str:
    """A line of the log: the learner submitted this."""
    members = {"username": name, "context": context(user=user), "event": payload}
    return event(time, "problem_check", **(members | more))


def rows(
    user: int | None,
    time: datetime,
    payload: dict[str, Any],
    *,
    username: str = "",
    tie: int = 0,
    course: str = COURSE,
    **told: Any,
) -> list[dict[str, Any]]:
    """The rows of the fact `problem_submission` for one event; `told` is for `context`."""
    found = []
    text = submission_rows(json.dumps(payload), json.dumps(context(**told)), "")
    for row in map(json.loads, text.split("\n")):
        for number in ("grade", "max_grade"):
            row[number] = float(row[number]) if row.get(number) is not None else None
        found.append(
            {"is_success": False, "problem_id": ""} | row
            | {
                "course_id": course, "user_id": user, "username": username or f"user{user}", "time": time,
                "moment": (time - datetime(1970, 1, 1)) // timedelta(microseconds=1) * MOST_AT_ONCE + tie,
                "date": time.date(),
            }
        )  # fmt: skip
    return found
