"""What learners do with problems, videos and discussions. `spec 03 §2, 5`"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from math import inf
from typing import Any

from tests.facts.conftest import EventsOf, events_of
from tests.lines import COURSE, event
from tests.metrics import naive_engagement as naive
from tests.metrics.conftest import Compute, Rows, columns, day
from tests.metrics.naive_engagement import Act, engagement

from pharos.engine import Engine
from pharos.facts.interaction import interaction

__all__ = ["events_of"]
TABLE = "module_engagement"
SUMMARY, RANGES, SEGMENTS = (
    f"module_engagement_{name}" for name in ("summary", "metric_ranges", "user_segments")
)
UNTIL = datetime(2024, 3, 15)
NOON = "2024-03-10 12:00"


def engaged(compute: Compute, acts: list[Act], accounts: dict[int, str] | None = None) -> Rows:
    return compute(TABLE, UNTIL, interaction=[act.fact() for act in acts], auth_user=users(accounts or {}))


def users(accounts: dict[int, str]) -> list[dict[str, object]]:
    """Rows of `auth_user`."""
    return [{"id": user, "username": name} for user, name in accounts.items()]


def of_lines(compute: Compute, engine: Engine, events_of: EventsOf, lines: list[str]) -> Rows:
    """The rows that a log gives."""
    facts = engine.fetch(interaction(events_of(lines))).to_pylist()
    return compute(TABLE, UNTIL, interaction=facts)


def check(problem: object = "p1", success: object = "incorrect", **more: Any) -> str:
    payload = {"problem_id": problem, "success": success}
    return event(NOON, "problem_check", **{"event": payload} | more)


def play(video: object = "v1", **more: Any) -> str:
    return event(NOON, "play_video", **{"source": "browser", "event": {"id": video}} | more)


def post(kind: str = "thread.created", topic: object = "t", **more: Any) -> str:
    return event(NOON, f"edx.forum.{kind}", **{"event": {"commentable_id": topic}} | more)


def test_the_example(compute: Compute, engine: Engine, events_of: EventsOf) -> None:
    """§2.2; §5.58, 60, 63"""
    log = [
        *(check(success=said, agent=said) for said in ("incorrect", "", "CORRECT", "correct")),
        *(play(agent=str(n)) for n in range(3)),
        post(), post("comment.created"), post("comment.created", agent="2"),
        check(source="browser"), post("thread.voted"), post("searched"), play("  v1\n", agent="4"),
    ]  # fmt: skip
    today = date(2024, 3, 10)
    assert of_lines(compute, engine, events_of, log) == [
        (COURSE, "ana", today, "discussion", "t", "contributed", 3),
        (COURSE, "ana", today, "problem", "p1", "attempted", 4),
        (COURSE, "ana", today, "problem", "p1", "completed", 2),
        (COURSE, "ana", today, "video", "v1", "viewed", 4),
    ]


def test_what_does_not_count(compute: Compute, engine: Engine, events_of: EventsOf) -> None:
    """§5.59, 61, 62"""
    log = [
        *(check(problem=nothing) for nothing in (None, "")),
        *(play(nothing) for nothing in (None, "", "  ")),
        *(post(topic=nothing) for nothing in (None, "")),
        *(check(username=nobody, agent=repr(nobody)) for nobody in ("", None, " ")),
        check(username="x" * 31, user=None),
        check(course="bad id"), check(event="{"), check(event_type=None), check(time="yesterday"),
    ]  # fmt: skip
    assert of_lines(compute, engine, events_of, log) == []
    good = [
        check(event={"problem_id": "p1"}),
        check(username="  bob ", user=8, problem="i4x://Ünï/ø/problem/ß"),
        play(username="cyd", user=9, course="", page=f"https://h/courses/{COURSE}/x"),
        check(username="d" * 30, user=None),
    ]
    counted = [row[:2] + row[4:] for row in of_lines(compute, engine, events_of, good)]
    assert counted == [
        (COURSE, "ana", "p1", "attempted", 1),
        (COURSE, "bob", "i4x://Ünï/ø/problem/ß", "attempted", 1),
        (COURSE, "cyd", "v1", "viewed", 1),
        (COURSE, "d" * 30, "p1", "attempted", 1),
    ]


def test_long_ids_merge(compute: Compute, engine: Engine, events_of: EventsOf) -> None:
    """§5.64"""
    log = [check(problem="p" * 255 + "a"), check(problem="p" * 255 + "b"), check(problem="p" * 254)]
    rows = of_lines(compute, engine, events_of, log)
    assert [(row[4], row[6]) for row in rows] == [("p" * 254, 1), ("p" * 255, 2)]


def test_who_is_renamed_or_retired_stays_one_learner(compute: Compute) -> None:
    """§4.2-26: the newest name of the events, or the one that the LMS has now."""
    retired = "retired__user_" + "a1" * 20
    acts = [
        Act(7, "ana", day("03-05"), "problem attempted p"),
        Act(None, "ana", day("03-05"), "video viewed v"),  # the number is that of the other events
        Act(7, retired, day("03-06"), "problem attempted p"),
        Act(8, "ana", day("03-07"), "problem attempted p", course="D"),  # another learner elsewhere
        Act(None, retired, day("03-07"), "problem attempted p", course="D"),  # nobody's
    ]
    found = [row[:3] for row in engaged(compute, acts)]
    assert found == [
        ("C", retired, day("03-05")), ("C", retired, day("03-05")), ("C", retired, day("03-06")),
        ("D", "ana", day("03-07")),
    ]  # fmt: skip
    known = [row[:3] for row in engaged(compute, acts, {7: "Ana2", 9: "bob"})]
    assert known == [
        ("C", "Ana2", day("03-05")), ("C", "Ana2", day("03-05")), ("C", "Ana2", day("03-06")),
        ("D", "ana", day("03-07")),
    ]  # fmt: skip


def test_two_learners_of_one_name_in_the_events_are_one(compute: Compute) -> None:
    """The table names learners by their user names."""
    acts = [Act(user, "ana", day("03-05"), "problem attempted p") for user in (7, 8)]
    assert engaged(compute, acts) == [("C", "ana", day("03-05"), "problem", "p", "attempted", 2)]
    assert len(engaged(compute, acts, {7: "ana", 8: "eve"})) == 2


def test_odd_texts_do_no_harm(compute: Compute) -> None:
    acts = [
        Act(7, "n" * 400, day("03-05"), "problem attempted p\x00"),
        Act(7, "n" * 400, day("03-05"), "problem attempted p\ufffd"),
    ]
    assert engaged(compute, acts) == [
        ("C", "n" * 150, day("03-05"), "problem", "p\ufffd", "attempted", 2)
    ]  # fmt: skip


def random_acts(seed: int, count: int = 400) -> list[Act]:
    rng = random.Random(seed)
    kinds = [
        "problem attempted p1", "problem completed p1", "problem attempted p2", "problem completed p2",
        "video viewed v1", "video viewed v2", "discussion contributed t", "discussion contributed u",
        " active", "problem attempted ",
    ]  # fmt: skip
    found = [
        Act(
            rng.choice([1, 2, 3, 4, 5, 6, 7, None]),
            rng.choice(["ana", "bob", "cyd", "di", "", None, "x" * 40]),
            date(2024, 3, 1) + timedelta(days=rng.randrange(14)),
            rng.choice(kinds), rng.randint(1, 3), rng.choice("CD"), rng.choice(["server", "browser"]),
        )
        for _ in range(count)
    ]  # fmt: skip
    return list({tuple(act.fact().items())[:-1]: act for act in found}.values())


def test_equals_the_second_implementation(compute: Compute) -> None:
    for seed, accounts in ((1, {}), (2, {1: "ana", 2: "bob", 3: "zoe"})):
        acts = random_acts(seed)
        found = {row[:-1]: row[-1] for row in engaged(compute, acts, accounts)}
        assert found == engagement(acts, accounts)


# A week ------------------------------------------------------------------------------------------------

WEEK = (day("03-08"), day("03-15"))
RATIO = "problem_attempts_per_completed"


def of_week(compute: Compute, table: str, acts: list[Act], **more: Any) -> Rows:
    return compute(table, UNTIL, interaction=[act.fact() for act in acts], **more)


def did(name: str, *whats: str, on: str = "03-09", course: str = "C") -> list[Act]:
    """What the learner did on a day, each as `problem attempted p` or `3 problem attempted p`."""
    found = []
    for what in whats:
        count, _, rest = what.partition(" ")
        times, act = (int(count), rest) if count.isdigit() else (1, what)
        found.append(Act(None, name, day(on), act, times, course))
    return found


def solved(name: str, *attempts: int, completed: int, course: str = "C") -> list[Act]:
    """So many attempts on each problem; the first problems are completed."""
    return did(
        name,
        *(f"{count} problem attempted p{n}" for n, count in enumerate(attempts)),
        *(f"problem completed p{n}" for n in range(completed)),
        course=course,
    )


LEARNERS_WEEKS: list[tuple[list[Act], tuple[float | None, ...]]] = [
    (did("a", "problem attempted p"), (1, 1, 0, None, 0, 0, 1)),  # §5.69
    (
        did("b", "problem attempted p") + did("b", "problem attempted p", on="03-14"),
        (2, 1, 0, None, 0, 0, 2),
    ),  # §5.70
    (did("c", "problem attempted p", "problem attempted q"), (2, 2, 0, None, 0, 0, 1)),
    (did("d", "4 problem attempted p", "problem completed p"), (4, 1, 1, 4.0, 0, 0, 1)),  # §5.71
    (solved("e", 3, 2, completed=2), (5, 2, 2, 2.5, 0, 0, 1)),
    (did("f", "video viewed v", "7 video viewed w"), (0, 0, 0, None, 2, 0, 1)),  # §5.72
    (did("g", "discussion contributed t", "2 discussion contributed u"), (0, 0, 0, None, 0, 3, 1)),
    (
        did("h", "2 problem completed p") + did("h", "problem completed p", on="03-08"),
        (0, 0, 1, 0.0, 0, 0, 2),
    ),  # completed on two days: once
]


def test_learners_weeks(compute: Compute) -> None:
    """§2.4, §5.69-73"""
    rows = of_week(compute, SUMMARY, [act for acts, _ in LEARNERS_WEEKS for act in acts])
    assert {row[2:4] for row in rows} == {WEEK}
    assert [row[4:] for row in rows] == [expected for _, expected in LEARNERS_WEEKS]


def test_the_days_of_a_week(compute: Compute) -> None:
    """§2.1, §5.75, 102: [03-08, 03-15)"""
    outside = [act for on in ("03-07", "03-15") for act in did("a", "video viewed v", on=on)]
    inside = [act for on in ("03-08", "03-14") for act in did("b", "video viewed v", on=on)]
    idle = [Act(None, "c", day("03-09"), " active"), Act(None, "d", day("03-09"), "video viewed ")]
    rows = of_week(compute, SUMMARY, [act for act in outside if act.day < day("03-15")] + inside + idle)
    assert columns(rows, SUMMARY, "username", "days_active") == [("b", 2)]
    assert of_week(compute, RANGES, idle) == [], "§5.78: a course without engagement"
    assert of_week(compute, SEGMENTS, idle) == []


Bounds = dict[str, tuple[float, float]]


def ranges(compute: Compute, acts: list[Act], **more: Any) -> dict[tuple[str, str], Bounds]:
    """The bounds of each range, by course and metric."""
    found: dict[tuple[str, str], Bounds] = {}
    for course, start, end, metric, kind, *bounds in of_week(compute, RANGES, acts, **more):
        assert (start, end) == WEEK
        low, high = (inf if bound is None else round(bound, 9) for bound in bounds)
        found.setdefault((course, metric), {})[kind] = (low, high)
    return found


def bounds(low: float, high: float | None) -> Bounds:
    """Ranges divided at these values; without a high one, none is high."""
    below: Bounds = {"low": (0, low)} if low else {}
    if high is None:
        return below | {"normal": (low, inf)}
    return below | {"normal": (low, high), "high": (high, inf)}


def test_ranges(compute: Compute) -> None:
    """§2.5, §5.76, 77: zeros of active learners count."""
    cases = [
        ([4, *[13] * 3, *[15] * 4, *[50] * 11, 154], bounds(13, 50)),
        ([5] * 6, bounds(5, None)),
        ([1], bounds(1, None)),
        ([0], bounds(0, None)),
        ([0, 0, 0], bounds(0, None)),
        ([1, 0, 0, 0], bounds(0, 0.55)),
        ([0] * 3 + [1] * 10 + [2] * 4, bounds(0.4, 2)),
    ]
    acts = [
        act
        for course, (values, _) in enumerate(cases)
        for number, value in enumerate(values)
        for act in did(
            f"u{number}",
            f"{value} discussion contributed t" if value else "video viewed v",
            course=f"C{course}",
        )
    ]
    found = ranges(compute, acts)
    for course, (values, expected) in enumerate(cases):
        assert found[f"C{course}", "discussion_contributions"] == expected, values


def test_ranges_with_infinity(compute: Compute) -> None:
    """§2.5, §5.77, 79, 80: who attempted nothing does not take part."""
    cases: list[tuple[list[float], Bounds]] = [
        ([inf], bounds(inf, None)),
        ([inf] * 3, bounds(inf, None)),
        ([1, inf, inf, inf], bounds(inf, None)),
        ([1, 2, 3, inf, inf], bounds(1.6, inf)),
        ([1, 2, 3, 4, 5, 6, 7, inf], bounds(2.05, 6.95)),
        ([], bounds(0, None)),
        # At the 85th percentile of 21 stands a learner, and infinity after it.
        ([*range(1, 19), inf, inf, inf], bounds(4, 18)),
    ]
    acts = []
    for number, (ratios, _) in enumerate(cases):
        course = f"C{number}"
        acts += did("idle", "video viewed v", course=course)
        for learner, ratio in enumerate(ratios):
            name, tries = f"u{learner:02}", 3 if ratio == inf else int(ratio)
            acts += solved(name, tries, completed=0 if ratio == inf else 1, course=course)
    found = ranges(compute, acts)
    for number, (ratios, expected) in enumerate(cases):
        assert found[f"C{number}", RATIO] == expected, ratios


# §2.10
ANA = solved("ana", 8, 1, 1, 1, 1, completed=4) + did("ana", "video viewed v1", "video viewed v2")
BO = [
    *solved("bo", 1, 1, 1, 1, completed=4),
    *did("bo", *(f"video viewed v{n}" for n in range(6)), "discussion contributed t", on="03-10"),
]
CY = solved("cy", 2, 1, completed=0)
DI = did("di", "video viewed v1")
ED = [
    *solved("ed", 2, 2, 2, completed=3),
    *did("ed", "video viewed v1", "video viewed v2", "video viewed v3", "4 discussion contributed t"),
]
EXAMPLE = [*ANA, *BO, *CY, *DI, *ED, *did("fay", "video viewed v1", on="03-05")]


def test_the_worked_example(compute: Compute) -> None:
    """§2.10"""
    assert ranges(compute, EXAMPLE) == {
        ("C", "problem_attempts"): bounds(1.8, 8.4),
        ("C", "problems_attempted"): bounds(1.2, 4.4),
        ("C", "problems_completed"): bounds(0, 4),
        ("C", RATIO): bounds(1.45, inf),
        ("C", "videos_viewed"): bounds(0.6, 4.2),
        ("C", "discussion_contributions"): bounds(0, 2.2),
    }
    rows = of_week(compute, RANGES, EXAMPLE)
    assert len(rows) == 16
    assert [row[5:] for row in rows if row[3:5] == (RATIO, "high")] == [(None, None)]
    assert of_week(compute, SEGMENTS, EXAMPLE) == [
        ("C", "ana", *WEEK, "highly_engaged", "problems_attempted,problems_completed"),
        ("C", "bo", *WEEK, "highly_engaged", "problems_completed,videos_viewed"),
        ("C", "cy", *WEEK, "struggling", RATIO),  # and di, who attempted nothing, is not: §4.2-20
        ("C", "ed", *WEEK, "highly_engaged", "discussion_contributions"),
    ]


def test_two_learners(compute: Compute) -> None:
    """§2.10, the last paragraph: nobody is struggling."""
    acts = [
        *did("a", "3 discussion contributed t", "problem attempted p", "video viewed v"),
        *did("b", "video viewed v"),
    ]
    assert ranges(compute, acts) == {
        ("C", "discussion_contributions"): bounds(0.45, 2.55),
        ("C", "problem_attempts"): bounds(0.15, 0.85),
        ("C", "problems_attempted"): bounds(0.15, 0.85),
        ("C", "problems_completed"): bounds(0, None),
        ("C", RATIO): bounds(inf, None),
        ("C", "videos_viewed"): bounds(1, None),
    }
    segments = columns(of_week(compute, SEGMENTS, acts), SEGMENTS, "username", "segment")
    assert segments == [("a", "highly_engaged")]


def test_a_small_group_is_not_compared(compute: Compute) -> None:
    """§4.2-31: `engagement.smallest_group`"""
    assert len(of_week(compute, RANGES, EXAMPLE, smallest_group=5)) == 16
    assert [row[3:] for row in of_week(compute, RANGES, EXAMPLE, smallest_group=6)] == [
        (metric, "normal", 0.0, None) for metric in sorted(naive.METRICS)
    ]
    assert of_week(compute, SEGMENTS, EXAMPLE, smallest_group=6) == []


def test_a_value_in_a_high_range(compute: Compute) -> None:
    """§2.6, §5.82, 83, 85, 86: the lower bound is in; ranges of other courses and kinds say nothing."""
    tries: dict[str, float | None] = {"a": 4, "b": 5, "c": 9, "d": None}
    week = [
        row
        for name, ratio in tries.items()
        for row in summary_rows(name, **{RATIO: ratio, "problem_attempts": 9})
    ]
    week += summary_rows("idle")
    others = [
        ("C", RATIO, "low", 0.0, 9.0),
        ("D", RATIO, "high", 1.0, None),
        ("C", "videos_viewed", "high", 7.0, None),
    ]
    found = segments_of(compute, week, [("C", RATIO, "high", 5.0, None), *others])
    assert found == [(name, "struggling", RATIO) for name in "bcd"]
    found = segments_of(compute, week, [("C", RATIO, "high", None, None), *others])
    assert found == [("d", "struggling", RATIO)]


def test_both_segments(compute: Compute) -> None:
    """§5.81, 84: attempts alone make nobody anything."""
    names = ("problem_attempts", RATIO, "problems_attempted", "videos_viewed", "discussion_contributions")
    high = [("C", name, "high", 2.0, None) for name in names]
    week = summary_rows(
        "a",
        problem_attempts=8,
        problems_attempted=2,
        videos_viewed=1,
        discussion_contributions=3,
        **{RATIO: 4},
    )
    assert segments_of(compute, week, high) == [
        ("a", "highly_engaged", "problems_attempted,discussion_contributions"),
        ("a", "struggling", RATIO),
    ]
    assert segments_of(compute, week, high[:1]) == []


def summary_rows(name: str, **values: float | None) -> list[dict[str, object]]:
    """A row of the summary, what is not given being 0, and the ratio null."""
    counts = dict.fromkeys((*naive.METRICS, "days_active"), 0) | {"days_active": 1}
    given = {"course_id": "C", "username": name, "start_date": WEEK[0], "end_date": WEEK[1]}
    return [given | counts | {RATIO: None} | values]


def segments_of(
    compute: Compute, week: list[dict[str, object]], ranges: Sequence[tuple[object, ...]]
) -> Rows:
    """(learner, segment, reason) by these ranges."""
    names = ("course_id", "metric", "range_type", "low_value", "high_value")
    dates = {"start_date": WEEK[0], "end_date": WEEK[1]}
    given = {SUMMARY: week, RANGES: [dates | dict(zip(names, row, strict=True)) for row in ranges]}
    return columns(compute(SEGMENTS, UNTIL, **given), SEGMENTS, "username", "segment", "reason")


def test_a_week_equals_the_second_implementation(compute: Compute) -> None:
    acts, accounts = random_acts(3, 700), {1: "ana", 2: "bob", 3: "zoe"}
    more = {"auth_user": users(accounts)}
    expected = naive.summary(engagement(acts, accounts), UNTIL.date())
    order = (*naive.METRICS, "days_active")
    found = {
        row[:2]: dict(zip(order, (inf if value is None else value for value in row[4:]), strict=True))
        for row in of_week(compute, SUMMARY, acts, **more)
    }
    assert found == expected
    assert ranges(compute, acts, **more) == {
        key: {kind: tuple(round(bound, 9) for bound in bounds) for kind, bounds in kinds.items()}
        for key, kinds in naive.ranges_of(expected).items()
    }
    segments = of_week(compute, SEGMENTS, acts, **more)
    reasons = {(course, name, segment): set(why.split(",")) for course, name, *_, segment, why in segments}
    assert reasons == naive.segments(expected)
