"""Which events are submissions, and what the lake's columns add to their payloads. `spec 02 §2, §11.1-10`"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import xxhash
from tests.facts.conftest import EventsOf
from tests.lines import event
from tests.problems import COURSE, PART, PROBLEM, context, line, part, payload

from pharos.engine import Engine
from pharos.facts.submission import MOST_AT_ONCE, problem_submission

DAY = "2020-02-01 10:00"
ONE = payload({PART: part("a", internal="choice_0")})


def read(engine: Engine, events_of: EventsOf, lines: list[str]) -> list[dict[str, Any]]:
    """The rows of the fact, in order of time, of part and of what a part says."""
    found = engine.fetch(problem_submission(events_of(lines))).to_pylist()
    return sorted(found, key=lambda row: (row["moment"], row["part_id"] or "", row["user_id"] or 0))


def test_what_is_no_submission(engine: Engine, events_of: EventsOf) -> None:
    """§11.1-2, 4"""
    url = f"/courses/{COURSE}/xblock/x/handler/xmodule_handler/problem_check"
    left_out = [
        "this is not json problem_check",
        line(DAY, ONE, event_source="browser"),
        line(DAY, ONE, event_source=None),
        line(DAY, ONE, event_type=None),
        line(DAY, ONE, event_type=url),
        line(DAY, ONE, event_type="save_problem_check"),
        line(DAY, ONE, time="this is a bogus time"),
        event(DAY, "problem_graded", event=ONE),
    ]
    assert [row["user_id"] for row in read(engine, events_of, [*left_out, line(DAY, ONE, user=1)])] == [1]


def test_what_tells_no_answers(engine: Engine, events_of: EventsOf) -> None:
    """§11.3, 5-6: refused for a reason, and of no learner's answers."""
    reasons: list[tuple[str, str]] = [
        (line(f"{DAY}:01", ONE, username=None), "no user name"),
        (line(f"{DAY}:02", ONE, username=""), "no user name"),
        (line(f"{DAY}:03", ONE, username=" \n"), "no user name"),
        (line(f"{DAY}:04", ONE, context=None), "no valid course in the context"),
        (line(f"{DAY}:05", ONE, context={}), "no valid course in the context"),
        (line(f"{DAY}:06", ONE, context=context(course=";;;;bad/id/val")), "no valid course in the context"),
        (line(f"{DAY}:07", ONE, context=context(course="lskdjfslkdj")), "no valid course in the context"),
        (line(f"{DAY}:08", [ONE]), "the payload is no object"),
        (line(f"{DAY}:09", "a=b"), "the payload is no object"),
        (line(f"{DAY}:10", json.dumps([ONE])), "the payload is no object"),
        (line(f"{DAY}:11", ""), "the payload is no object"),
        (line(f"{DAY}:12", payload({PART: part("x")}, problem=None)), "no problem"),
    ]
    found = read(engine, events_of, [text for text, _ in reasons])
    assert [row["refused"] for row in found] == [reason for _, reason in reasons]
    assert {row["part_id"] for row in found} == {None}
    assert [row["course_id"] for row in found].count("") == 4
    named = [row for row in found if row["refused"] == "no user name"]
    assert {(row["problem_id"], row["is_success"]) for row in named} == {(PROBLEM, False)}


def test_a_submission_and_its_parts(engine: Engine, events_of: EventsOf) -> None:
    """§11.5-6, 10: a payload as text, a course with white space around it, a name likewise."""
    parts = {PART: part("a", internal="choice_0", correct=True), "aaa_3_1": part(["x ", "y"])}
    text = json.dumps(payload(parts, grade=1.5))
    odd = context(course=f" {COURSE}\n", name="Zellen\u00e9", tags={"lo": ["b", "a"]})
    found = read(engine, events_of, [line(DAY, text, username=" bob\n", context=odd)])
    whole = {
        "date": date(2020, 2, 1), "course_id": COURSE, "user_id": 7, "username": "bob",
        "moment": 1580551200000000 * MOST_AT_ONCE,
        "problem_id": PROBLEM, "time": datetime.fromisoformat(DAY), "refused": None,
        "problem_name": "Zellen\u00e9", "response_type": "multiplechoiceresponse", "question": "Q?",
        "shows_answer": True, "variant": "", "grade": 1.5, "max_grade": 2.0, "is_success": False,
        "tags": '{"lo":["a","b"]}',
    }  # fmt: skip
    assert found == [
        whole
        | {
            "part_id": PART, "answer": "a", "answer_items": None, "value_id": "choice_0", "is_correct": True,
            "correctness": "correct",
        },
        whole
        | {
            "part_id": "aaa_3_1", "answer": "[x|y]", "answer_items": '["x ","y"]', "value_id": None,
            "is_correct": False, "correctness": "incorrect",
        },
    ]  # fmt: skip


def test_legacy_ids(engine: Engine, events_of: EventsOf) -> None:
    """§11.10: also of organisations outside ASCII."""
    courses = ("Un\u00ed/BIO/2020", "course-v1:Un\u00ed+BIO+2020")
    problem = "i4x://Un\u00ed/BIO/problem/aaa"
    lines = [
        line(
            DAY,
            payload({"i4x-Uni-BIO-problem-aaa_2_1": part("x")}, problem=problem),
            context=context(course=course),
        )
        for course in courses
    ]
    found = read(engine, events_of, lines)
    assert {(row["course_id"], row["problem_id"], row["refused"]) for row in found} == {
        (course, problem, None) for course in courses
    }


def test_times_are_utc(engine: Engine, events_of: EventsOf) -> None:
    """§11.4"""
    times = ["2020-02-01T12:00:00Z", "2020-02-01T12:00:00", "2020-02-01T14:00:00.000000+02:00"]
    found = read(
        engine, events_of, [line(DAY, ONE, user=number + 1, time=time) for number, time in enumerate(times)]
    )
    assert [row["time"] for row in found] == [datetime(2020, 2, 1, 12)] * 3


def test_ties_depend_on_what_events_say(engine: Engine, events_of: EventsOf) -> None:
    """§2: not on the order in which they come."""
    answers = "abcdef"
    lines = [line(DAY, payload({PART: part(answer)})) for answer in answers]
    moment = 1580551200000000 * MOST_AT_ONCE
    ties = {row["answer"]: row["moment"] - moment for row in read(engine, events_of, lines)}
    assert sorted(ties.values()) == [0, 1, 2, 3, 4, 5]
    ids = {
        answer: xxhash.xxh3_128_hexdigest(text.encode()) for answer, text in zip(answers, lines, strict=True)
    }
    assert sorted(answers, key=lambda answer: ties[answer]) == sorted(answers, key=lambda answer: ids[answer])


def test_odd_characters(engine: Engine, events_of: EventsOf) -> None:
    """Every engine reads what was written: separators, marks of direction, halves of surrogate pairs."""
    texts = ["a\x1f|b\u2028c", "\u202ertl", "tab\tline\nend", '{"a":"b"}', "\\u0000 \\n", "", "x" * 40_000]
    payloads = [payload({PART: part(text)}) for text in texts]
    halves = line(f"{DAY}:59", payload({PART: part("x?y")})).replace("x?y", "x\\ud800y")
    found = read(engine, events_of, [*(line(f"{DAY}:{n:02}", p) for n, p in enumerate(payloads)), halves])
    assert [row["answer"] for row in found] == [*(text.strip() for text in texts), "x\ufffdy"]
