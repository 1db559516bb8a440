"""Which events say that a learner reached a place of a course, or completed it."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tests.facts.conftest import EventsOf
from tests.lines import COURSE, event

from pharos.engine import Engine
from pharos.facts.place_visit import COMPLETION, place_visit

DAY = "2024-03-02 09:00"
B = "block-v1:UniX+CS1+2024+type@"
SEQUENCE, UNIT, PROBLEM = f"{B}sequential+block@s1", f"{B}vertical+block@u1", f"{B}problem+block@p1"
SITE = "https://learn.example.org"
MOMENT = int(datetime(2024, 3, 2, 9, tzinfo=UTC).timestamp() * 1_000_000)


def told(engine: Engine, events_of: EventsOf, lines: list[str]) -> list[tuple[str, int, str, str]]:
    found = engine.fetch(place_visit(events_of(lines))).to_pylist()
    return sorted((row["course_id"], row["user_id"], row["block_id"], row["kind"]) for row in found)


def test_each_kind_of_event(engine: Engine, events_of: EventsOf) -> None:
    """By learner: where each event leads."""
    old = "UniX/CS1/2013"
    lines = [
        event(DAY, f"/xblock/{UNIT}?view=student_view", user=1, course=""),
        event(DAY, f"/courses/{COURSE}/xblock/{PROBLEM}/handler/xmodule_handler/problem_get", user=2),
        event(DAY, f"/courses/{COURSE}/courseware/c1/s1/", user=3),
        event(DAY, f"/courses/{old}/courseware/c1/s1/2", user=4, course=old),
        event(DAY, f"/api/courseware/sequence/{SEQUENCE.replace(':', '%3A').replace('+', '%2B')}", user=5),
        event(DAY, "page_close", user=6, source="browser", page=f"{SITE}/course/{COURSE}/{SEQUENCE}/{UNIT}"),
        event(DAY, "seq_next", user=7, source="browser", event=f'{{"id": "{SEQUENCE}", "old": 1, "new": 2}}'),
        event(DAY, "edx.ui.lms.sequence.next_selected", user=8, event={"id": SEQUENCE}),
        event(DAY, COMPLETION, user=9, event={"block_id": PROBLEM, "completion": 1.0}),
        event(DAY, COMPLETION, user=10, event={"block_id": PROBLEM, "completion": 0.0}),
        event(DAY, "/xblock/ccx-block-v1:U+C+R+ccx@1+type@vertical+block@u", user=11, course=""),
    ]
    assert told(engine, events_of, lines) == sorted([
        (COURSE, 1, UNIT, "reached"), (COURSE, 2, PROBLEM, "reached"), (COURSE, 3, SEQUENCE, "reached"),
        (old, 4, "i4x://UniX/CS1/sequential/s1", "reached"), (COURSE, 5, SEQUENCE, "reached"),
        (COURSE, 6, UNIT, "reached"), (COURSE, 7, SEQUENCE, "reached"), (COURSE, 8, SEQUENCE, "reached"),
        (COURSE, 9, PROBLEM, "completed"), (COURSE, 10, PROBLEM, "taken back"),
        ("ccx-v1:U+C+R+ccx@1", 11, "ccx-block-v1:U+C+R+ccx@1+type@vertical+block@u", "reached"),
    ])  # fmt: skip


def test_first_and_last_moment_of_a_day(engine: Engine, events_of: EventsOf) -> None:
    times = (DAY, f"{DAY}:30", f"{DAY}:10", "2024-03-03 09:00")
    lines = [event(time, f"/xblock/{UNIT}", host=str(number)) for number, time in enumerate(times)]
    found = engine.fetch(place_visit(events_of(lines))).to_pylist()
    assert sorted((row["date"], row["first_moment"], row["last_moment"]) for row in found) == [
        (date(2024, 3, 2), MOMENT, MOMENT + 30_000_000),
        (date(2024, 3, 3), MOMENT + 86_400_000_000, MOMENT + 86_400_000_000),
    ]


def test_other_events_reach_nothing(engine: Engine, events_of: EventsOf) -> None:
    lines = [
        event(DAY, f"/courses/{COURSE}/about"),
        event(DAY, f"/courses/{COURSE}/courseware/"),
        event(DAY, f"/xblock/{UNIT}", user=None),
        event(DAY, f"/xblock/{UNIT}", source="task"),
        event(DAY, "seq_next", event={"old": 1}),
        event(DAY, "problem_check", event={"problem_id": PROBLEM}),
        event(DAY, COMPLETION, event={"completion": 1.0}),
        event(DAY, "play_video", source="browser", page=f"{SITE}/courses/{COURSE}/info"),
    ]
    assert told(engine, events_of, lines) == []
