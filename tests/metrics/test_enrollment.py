"""Enrollment by day and mode, of learners and of courses. `spec 01 §5.2-5.6, §11.71-87, 90-95, 97`"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from tests.metrics import naive
from tests.metrics.conftest import Compute, Rows, columns, computed, day
from tests.metrics.naive import Enrollment

from pharos.engine import Engine

UNTIL = datetime(2024, 3, 8)
DAILY, BY_MODE, SUMMARY = (
    "course_enrollment_daily",
    "course_enrollment_mode_daily",
    "course_meta_summary_enrollment",
)
COUNTS = ("count", "cumulative_count")
KINDS = {"a": "activated", "d": "deactivated", "m": "mode_changed"}


def event(course: str, user: int, text: str) -> Enrollment:
    """`03-02 09:00 a audit`: activated then, in this mode."""
    when, clock, kind, mode = text.split(" ")
    return Enrollment(course, user, datetime.fromisoformat(f"2024-{when} {clock}"), KINDS[kind], mode)


def facts(events: list[Enrollment]) -> dict[str, list[dict[str, object]]]:
    return {"enrollment_event": [event.fact() for event in events]}


# §5.2's worked example, §5.3's and §5.6's continuation of it -------------------------------------------

EXAMPLE = [
    event("C", 7, "03-02 09:00 a audit"),
    event("C", 7, "03-04 10:00 m verified"),
    event("C", 7, "03-05 08:00 d verified"),
    event("C", 7, "03-05 09:00 a audit"),
    event("C", 7, "03-06 12:00 d audit"),
    event("C", 8, "03-05 07:00 d honor"),
    event("C", 9, "03-03 10:00 a audit"),
    event("C", 9, "03-04 11:00 a verified"),
]


def test_the_example_day_by_day(compute: Compute) -> None:
    """§5.3"""
    assert columns(compute(DAILY, UNTIL, **facts(EXAMPLE)), DAILY, "date", *COUNTS) == [
        (day("03-02"), 1, 1),
        (day("03-03"), 2, 2),
        (day("03-04"), 2, 2),
        (day("03-05"), 2, 3),
        (day("03-06"), 1, 3),
        (day("03-07"), 1, 3),
    ]


def test_the_example_by_mode(compute: Compute) -> None:
    """§5.3; a mode that nobody is in has no row."""
    assert columns(compute(BY_MODE, UNTIL, **facts(EXAMPLE)), BY_MODE, "date", "mode", *COUNTS) == [
        (day("03-02"), "audit", 1, 1),
        (day("03-03"), "audit", 2, 2),
        (day("03-04"), "verified", 2, 2),
        (day("03-05"), "audit", 1, 1),
        (day("03-05"), "honor", 0, 1),
        (day("03-05"), "verified", 1, 1),
        (day("03-06"), "audit", 0, 1),
        (day("03-06"), "honor", 0, 1),
        (day("03-06"), "verified", 1, 1),
        (day("03-07"), "audit", 0, 1),
        (day("03-07"), "honor", 0, 1),
        (day("03-07"), "verified", 1, 1),
    ]


def test_the_examples_summary(compute: Compute) -> None:
    """§5.6; nothing is known of catalog and grades here."""
    found = compute(SUMMARY, UNTIL, **facts(EXAMPLE))
    numbers = ("enrollment_mode", "count", "count_change_7_days", "cumulative_count")
    assert columns(found, SUMMARY, *numbers) == [
        ("audit", 0, 0, 1),
        ("honor", 0, 0, 1),
        ("verified", 1, 1, 1),
    ]
    catalog = ("catalog_course_title", "start_time", "end_time", "pacing_type", "passing_users")
    assert set(columns(found, SUMMARY, *catalog)) == {(None,) * 5}


# One learner's histories: each in a course of its own, so that its rows by mode are the learner's day rows --

NOTHING: list[tuple[str, int, str]] = []
HISTORIES: dict[str, tuple[list[str], list[tuple[str, int, str]]]] = {
    # name: (events, rows (first day of the state, enrolled, mode); each lasts until the next)
    "the example's learner 7": (
        [
            "03-02 09:00 a audit",
            "03-04 10:00 m verified",
            "03-05 08:00 d verified",
            "03-05 09:00 a audit",
            "03-06 12:00 d audit",
        ],
        [("03-02", 1, "audit"), ("03-04", 1, "verified"), ("03-05", 1, "audit"), ("03-06", 0, "audit")],
    ),
    "§11.72 a single activation": (["03-07 10:00 a honor"], [("03-07", 1, "honor")]),
    "§11.73 a single deactivation": (["03-07 10:00 d honor"], [("03-07", 0, "honor")]),
    "§11.74 on, off, on, off": (
        ["03-06 01:00 a x", "03-06 02:00 d x", "03-06 03:00 a x", "03-06 04:00 d x"],
        [("03-06", 0, "x")],
    ),
    "§11.74 on, off, off, on": (
        ["03-06 01:00 a x", "03-06 02:00 d x", "03-06 03:00 d x", "03-06 04:00 a x"],
        [("03-06", 1, "x")],
    ),
    "§11.76 nothing before the first event, nothing on the day `until`": (
        ["03-05 23:59:59.999999 a x", "03-08 00:00 d y"],
        [("03-05", 1, "x")],
    ),
    "§11.77 days without events": (
        ["03-01 00:00 a x", "03-04 00:00 d x", "03-07 00:00 a x"],
        [("03-01", 1, "x"), ("03-04", 0, "x"), ("03-07", 1, "x")],
    ),
    "§11.78 activated again": (["03-01 10:00 a x", "03-03 10:00 a x"], [("03-01", 1, "x")]),
    "§11.79 enrolled again": (
        ["03-01 10:00 a x", "03-02 10:00 d x", "03-03 10:00 a x"],
        [("03-01", 1, "x"), ("03-02", 0, "x"), ("03-03", 1, "x")],
    ),
    "§11.80 several modes a day": (
        ["03-01 10:00 a x", "03-02 10:00 m y", "03-02 11:00 a z", "03-02 12:00 m w"],
        [("03-01", 1, "x"), ("03-02", 1, "w")],
    ),
    "§11.81 activated again in another mode": (
        ["03-01 10:00 a x", "03-03 10:00 a y"],
        [("03-01", 1, "x"), ("03-03", 1, "y")],
    ),
    "§11.82 the mode of a deactivation": (
        ["03-01 10:00 a x", "03-03 10:00 d y"],
        [("03-01", 1, "x"), ("03-03", 0, "y")],
    ),
    "§11.83 a mode while unenrolled": (
        ["03-01 10:00 a x", "03-02 10:00 d x", "03-03 10:00 m y"],
        [("03-01", 1, "x"), ("03-02", 0, "x"), ("03-03", 0, "y")],
    ),
    "§11.83 a mode first": (["03-03 10:00 m y"], [("03-03", 0, "y")]),
    "§11.83 a mode first, then on": (
        ["03-03 10:00 m y", "03-04 10:00 a y"],
        [("03-03", 0, "y"), ("03-04", 1, "y")],
    ),
    "§11.84 on before off at the same moment": (
        ["03-03 10:00 d x", "03-03 10:00 a y"],
        [("03-03", 0, "x")],
    ),
    "§11.84 off before the mode at the same moment": (
        ["03-03 10:00 m z", "03-03 10:00 d x", "03-03 10:00 a y"],
        [("03-03", 0, "z")],
    ),
    "§5.2.1 by mode at the same moment and kind": (
        ["03-03 10:00 a y", "03-03 10:00 a x", "03-03 10:00 a "],
        [("03-03", 1, "y")],
    ),
    "a microsecond apart": (
        ["03-03 10:00:00.000002 a x", "03-03 10:00:00.000001 d y"],
        [("03-03", 1, "x")],
    ),
    "an empty mode": (["03-06 10:00 a "], [("03-06", 1, "")]),
    "§11.85 the same event again": (["03-03 10:00 a x", "03-03 10:00 a x"], [("03-03", 1, "x")]),
    "after `until` only": (["03-09 10:00 a x"], NOTHING),
}


def day_by_day(states: list[tuple[str, int, str]]) -> Rows:
    """(day, mode, enrolled, 1) for each day from the first state to the last day."""
    starts = [day(start) for start, _, _ in states] + [UNTIL.date()]
    return [
        (start + timedelta(days=offset), mode, enrolled, 1)
        for (_, enrolled, mode), start, end in zip(states, starts[:-1], starts[1:], strict=True)
        for offset in range((end - start).days)
    ]


def histories() -> list[Enrollment]:
    return [event(name, 7, text) for name, (texts, _) in HISTORIES.items() for text in texts]


def by_course(rows: Rows) -> dict[str, Rows]:
    found: dict[str, Rows] = {name: [] for name in HISTORIES}
    for course, *rest in columns(rows, BY_MODE, "course_id", "date", "mode", *COUNTS):
        found[course].append(tuple(rest))
    return found


def known(events: list[Enrollment]) -> list[Enrollment]:
    """What facts hand over: nothing of the days after the last."""
    return [event for event in events if event.time < UNTIL]


def test_histories_of_one_learner(compute: Compute) -> None:
    """§11.72-74, 76-85"""
    found = by_course(compute(BY_MODE, UNTIL, **facts(known(histories()))))
    assert found == {name: day_by_day(states) for name, (_, states) in HISTORIES.items()}


def test_the_order_of_rows_does_not_matter(compute: Compute) -> None:
    """§11.75"""
    events = known(histories())
    random.Random(1).shuffle(events)
    found = by_course(compute(BY_MODE, UNTIL, **facts(events)))
    assert found == {name: day_by_day(states) for name, (_, states) in HISTORIES.items()}


def test_no_events_give_no_rows(compute: Compute) -> None:
    """§11.71"""
    for table in (DAILY, BY_MODE, SUMMARY):
        assert compute(table, UNTIL) == []


def test_the_last_day_may_be_a_part_of_a_day(compute: Compute) -> None:
    events = [event("C", 7, "03-05 10:00 a x"), event("C", 8, "03-06 01:00 a x")]
    found = compute(DAILY, datetime(2024, 3, 6, 2), **facts(events))
    assert columns(found, DAILY, "date", "count") == [(day("03-05"), 1), (day("03-06"), 2)]


def test_who_left_stays_in_the_cumulative_count(compute: Compute) -> None:
    """§11.86-87, 91"""
    events = [
        event("C", 1, "03-05 10:00 a x"),
        event("C", 1, "03-06 10:00 d x"),
        event("C", 2, "03-06 10:00 d y"),
    ]
    found = columns(compute(DAILY, UNTIL, **facts(events)), DAILY, "date", *COUNTS)
    assert found == [(day("03-05"), 1, 1), (day("03-06"), 0, 2), (day("03-07"), 0, 2)]


def test_the_acceptance_scenario(compute: Compute) -> None:
    """§5.9, §11.92: a deactivation in another mode makes the mode it was in disappear."""
    events = [
        event("C", 1, "03-01 10:00 a honor"),
        event("C", 2, "03-01 10:00 a audit"),
        event("C", 2, "03-04 10:00 d honor"),
        event("C", 3, "03-05 10:00 d honor"),
    ]
    found = compute(BY_MODE, UNTIL, **facts(events))
    assert [row for row in columns(found, BY_MODE, "date", "mode", *COUNTS) if row[0] >= day("03-03")] == [
        (day("03-03"), "audit", 1, 1),
        (day("03-03"), "honor", 1, 1),
        (day("03-04"), "honor", 1, 2),
        (day("03-05"), "honor", 1, 3),
        (day("03-06"), "honor", 1, 3),
        (day("03-07"), "honor", 1, 3),
    ]


def test_the_change_over_seven_days(compute: Compute) -> None:
    """§11.94-95: per mode, with and without a row to start from; what is gone on the last day has no row."""
    events = [
        event("C", 1, "02-29 10:00 a x"),  # the start row is of 02-29
        event("C", 2, "02-28 10:00 a x"),
        event("C", 2, "03-03 10:00 d x"),
        event("C", 3, "03-01 10:00 a x"),
        event("C", 4, "03-01 10:00 a x"),
        event("C", 5, "03-07 10:00 a y"),
        event("C", 6, "02-20 10:00 a gone"),
        event("C", 6, "03-02 10:00 m y"),
        event("D", 1, "02-01 10:00 a x"),
        event("D", 1, "03-02 10:00 d x"),
        event("E", 1, "03-07 23:59:59 d x"),
    ]
    found = compute(SUMMARY, UNTIL, **facts(events))
    numbers = ("course_id", "enrollment_mode", "count", "count_change_7_days", "cumulative_count")
    assert columns(found, SUMMARY, *numbers) == [
        ("C", "x", 3, 1, 4),
        ("C", "y", 2, 2, 2),
        ("D", "x", 0, -1, 1),
        ("E", "x", 0, 0, 1),
    ]


# Learners' summaries, §5.4, and the modes they are in --------------------------------------------------

LEARNERS, EFFECTIVE = "course_enrollment_summary", "course_enrollment_effective_mode_daily"
FLOW = "course_enrollment_flow_daily"
SUMMARIES: dict[str, tuple[list[str], tuple[Any, ...] | None]] = {
    # name: (events, (mode, active, first mode, first, last end, first verified, first credit) or no row)
    "the example's learner 7": (
        HISTORIES["the example's learner 7"][0],
        ("audit", False, "audit", "03-02 09:00", "03-06 12:00", "03-04 10:00", None),
    ),
    "the example's learner 8": (["03-05 07:00 d honor"], None),
    "the example's learner 9": (
        ["03-03 10:00 a audit", "03-04 11:00 a verified"],
        ("audit", True, "audit", "03-03 10:00", None, None, None),
    ),
    "a single activation": (
        ["03-05 07:00 a honor"],
        ("honor", True, "honor", "03-05 07:00", None, None, None),
    ),
    "a lone mode change": (["03-05 07:00 m honor"], None),
    "on, off, off": (
        ["03-01 07:00 a x", "03-02 07:00 d x", "03-03 07:00 d x"],
        ("x", False, "x", "03-01 07:00", "03-02 07:00", None, None),
    ),
    "on, off, on": (
        ["03-01 07:00 a x", "03-02 07:00 d x", "03-03 07:00 a y"],
        ("y", True, "x", "03-01 07:00", "03-02 07:00", None, None),
    ),
    "a conflicting activation after a mode change": (
        ["03-01 07:00 a x", "03-02 07:00 m y", "03-03 07:00 a z"],
        ("y", True, "x", "03-01 07:00", None, None, None),
    ),
    "a mode while unenrolled": (
        ["03-01 07:00 a x", "03-02 07:00 d x", "03-03 07:00 m verified"],
        ("x", False, "x", "03-01 07:00", "03-02 07:00", None, None),
    ),
    "the mode of a deactivation": (
        ["03-01 07:00 a x", "03-02 07:00 d verified"],
        ("x", False, "x", "03-01 07:00", "03-02 07:00", None, None),
    ),
    "first verified, first credit": (
        ["03-01 07:00 a verified", "03-02 07:00 m credit", "03-03 07:00 m verified", "03-04 07:00 m credit"],
        ("credit", True, "verified", "03-01 07:00", None, "03-01 07:00", "03-02 07:00"),
    ),
    "the same mode again": (
        ["03-01 07:00 a verified", "03-02 07:00 m verified", "03-02 08:00 a verified"],
        ("verified", True, "verified", "03-01 07:00", None, "03-01 07:00", None),
    ),
    "off first, then on": (
        ["03-01 07:00 d verified", "03-02 07:00 a audit"],
        ("audit", True, "audit", "03-02 07:00", None, None, None),
    ),
}


def test_summaries_of_learners(compute: Compute) -> None:
    """§5.4, §11.93: every row of the table and the worked example; the end is midnight after the last day."""
    events = [event(name, 7, text) for name, (texts, _) in SUMMARIES.items() for text in texts]
    found = {row[0]: row[1:] for row in compute(LEARNERS, UNTIL, **facts(events))}

    def moment(text: str | None) -> datetime | None:
        return None if text is None else datetime.fromisoformat(f"2024-{text}")

    assert found == {
        name: (7, *row[:3], *map(moment, row[3:]), UNTIL) for name, (_, row) in SUMMARIES.items() if row
    }


def test_effective_modes(compute: Compute) -> None:
    """§10.20-21: nobody changes mode by leaving, and a mode that was is not forgotten."""
    rows = columns(compute(EFFECTIVE, UNTIL, **facts(EXAMPLE)), EFFECTIVE, "date", "mode", *COUNTS)
    assert rows == [
        (day("03-02"), "audit", 1, 1),
        (day("03-03"), "audit", 2, 2),
        (day("03-04"), "audit", 1, 2), (day("03-04"), "verified", 1, 1),
        (day("03-05"), "audit", 2, 2), (day("03-05"), "verified", 0, 1),
        (day("03-06"), "audit", 1, 2), (day("03-06"), "verified", 0, 1),
        (day("03-07"), "audit", 1, 2), (day("03-07"), "verified", 0, 1),
    ]  # fmt: skip


def test_who_joined_and_who_left(compute: Compute) -> None:
    """Learner 7 leaves and comes back on 5 March, 8 is never enrolled, 9 changes the mode."""
    assert columns(compute(FLOW, UNTIL, **facts(EXAMPLE)), FLOW, "date", "joined", "left") == [
        (day("03-02"), 1, 0),
        (day("03-03"), 1, 0),
        (day("03-06"), 0, 1),
    ]


def test_who_joins_and_leaves_on_one_day_is_neither(compute: Compute) -> None:
    events = [
        event("C", 1, "03-02 09:00 a audit"),
        event("C", 1, "03-02 10:00 d audit"),
        event("C", 2, "03-02 09:00 a audit"),
        event("C", 3, "03-04 09:00 a audit"),
        event("C", 2, "03-04 09:00 d audit"),
        event("C", 2, "03-05 09:00 a audit"),
    ]
    assert columns(compute(FLOW, UNTIL, **facts(events)), FLOW, "date", "joined", "left") == [
        (day("03-02"), 1, 0),
        (day("03-04"), 1, 1),
        (day("03-05"), 1, 0),
    ]


# Against the naive implementation ----------------------------------------------------------------------


def random_events(seed: int, courses: int) -> list[Enrollment]:
    """Histories with many collisions: few learners, modes, days and hours."""
    rng = random.Random(seed)
    return [
        Enrollment(
            f"course {seed}-{course}",
            rng.randint(1, 4),
            datetime(2024, 2, 20) + timedelta(days=rng.randint(0, 16), hours=rng.randint(0, 3)),
            rng.choice(tuple(KINDS.values())),
            rng.choice(("audit", "honor", "verified", "")),
        )
        for course in range(courses)
        for _ in range(rng.randint(0, 30))
    ]


def assert_equals_naive(engine: Engine, events: list[Enrollment], until: datetime) -> None:
    last_day = (until - timedelta(microseconds=1)).date()
    seen = {event for event in events if event.time < until}
    rows = naive.day_rows(seen, last_day)
    given: dict[str, Any] = facts(list(seen))

    def found(table: str, keys: int, *names: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        chosen = columns(computed(engine, table, until, given), table, *names)
        return {row[:keys]: row[keys:] for row in chosen}

    assert found(BY_MODE, 3, "course_id", "date", "mode", *COUNTS) == naive.mode_daily(rows)
    assert found(EFFECTIVE, 3, "course_id", "date", "mode", *COUNTS) == naive.effective_daily(seen, last_day)
    learners = {row[:2]: row[2:] for row in computed(engine, LEARNERS, until, given)}
    assert learners == naive.learners(seen, last_day)
    assert found(DAILY, 2, "course_id", "date", *COUNTS) == naive.daily(rows)
    assert found(FLOW, 2, "course_id", "date", "joined", "left") == naive.flows(rows)
    numbers = ("course_id", "enrollment_mode", "count", "count_change_7_days", "cumulative_count")
    assert found(SUMMARY, 2, *numbers) == naive.summary(rows, last_day)


def test_many_random_histories(engine: Engine) -> None:
    assert_equals_naive(engine, random_events(seed=1, courses=60), UNTIL)


def test_naive_gives_the_example() -> None:
    """§5.2: the second implementation is itself checked, with the column that no table shows."""
    rows = {
        (row.day, row.user): (row.at_end, row.change, row.mode)
        for row in naive.day_rows(EXAMPLE, day("03-07"))
    }
    assert rows == {
        (day("03-02"), 7): (1, 1, "audit"),
        (day("03-03"), 7): (1, 0, "audit"),
        (day("03-04"), 7): (1, 0, "verified"),
        (day("03-05"), 7): (1, 0, "audit"),
        (day("03-06"), 7): (0, -1, "audit"),
        (day("03-07"), 7): (0, 0, "audit"),
        (day("03-05"), 8): (0, 0, "honor"),
        (day("03-06"), 8): (0, 0, "honor"),
        (day("03-07"), 8): (0, 0, "honor"),
        (day("03-03"), 9): (1, 1, "audit"),
        (day("03-04"), 9): (1, 0, "verified"),
        (day("03-05"), 9): (1, 0, "verified"),
        (day("03-06"), 9): (1, 0, "verified"),
        (day("03-07"), 9): (1, 0, "verified"),
    }


# Passing learners, §5.5 -------------------------------------------------------------------------------


def grade(user: int, modified: str, passed: str | None, letter: str | None) -> dict[str, Any]:
    return {
        "user_id": user, "course_id": "C", "percent_grade": 0.5, "letter_grade": letter,
        "passed_timestamp": passed and datetime.fromisoformat(f"2024-{passed}"),
        "modified": datetime.fromisoformat(f"2024-{modified}"),
    }  # fmt: skip


def passing(compute: Compute, *grades: dict[str, Any]) -> tuple[int | None, ...]:
    """Of the modes audit, honor, verified."""
    rows = compute(SUMMARY, UNTIL, **facts(EXAMPLE), grades_persistentcoursegrade=list(grades))
    found: dict[str, int | None] = dict(columns(rows, SUMMARY, "enrollment_mode", "passing_users"))
    assert sorted(found) == ["audit", "honor", "verified"]
    return tuple(found[mode] for mode in sorted(found))


def test_passing_learners_count_in_the_mode_of_the_day_their_grade_changed(compute: Compute) -> None:
    """§5.5's example, §11.97: an unenrolled learner counts, an empty letter does not, other modes have 0."""
    nothing = grade(9, "03-07", "03-06", "")
    assert passing(compute, grade(7, "03-05", "03-04", "Pass"), nothing) == (1, 0, 0)
    assert passing(compute, grade(7, "03-04", "03-04", "Pass"), nothing) == (0, 0, 1)
    assert passing(compute, grade(7, "02-20", "02-20", "Pass"), nothing) == (0, 0, 0)
    assert passing(compute, grade(7, "03-05", None, "Pass"), nothing) == (0, 0, 0)


def test_of_several_grade_rows_each_latest_value_counts(compute: Compute) -> None:
    """§5.5 step 1: near, passed and letter are taken one by one."""
    rows = grade(7, "03-03", "03-03", ""), grade(7, "03-04", None, "B")
    assert passing(compute, *rows) == (0, 0, 1)


def test_without_any_grade_it_is_unknown_who_passes(compute: Compute) -> None:
    assert passing(compute) == (None, None, None)


def test_passing_learners_by_the_day_they_passed(compute: Compute) -> None:
    """Those of the summary, whatever the mode; learner 8 passes no more, 5 was never in the course."""
    grades = [
        grade(7, "03-06", "03-04", "Pass"),
        grade(9, "03-07", "03-04", "B"),
        grade(8, "03-07", "03-03", ""),
        grade(5, "03-07", "03-03", "Pass"),
    ]
    given = {**facts(EXAMPLE), "grades_persistentcoursegrade": grades}
    assert compute("course_passing_daily", UNTIL, **given) == [("C", day("03-04"), 2)]
    total = columns(compute(SUMMARY, UNTIL, **given), SUMMARY, "passing_users")
    assert sum(number for (number,) in total) == 2
