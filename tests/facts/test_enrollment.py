"""Which lines are enrollment events, and what they say. `spec 01 §5.1, §11.68-70`"""

from __future__ import annotations

import json
from datetime import date, datetime

from tests.facts.conftest import EventsOf
from tests.lines import COURSE, KINDS, enrollment, event

from pharos.engine import Engine
from pharos.facts.enrollment import enrollment_event

LEGACY = "UniX/CS1/2014"
SELF_PACED = "course-v1:vfUniX+CS1+self"  # f and v once were white space to an engine
DAY = "2024-03-02 09:00"


def rows(engine: Engine, events_of: EventsOf, lines: list[str]) -> list[tuple[object, ...]]:
    """(course, user, time, last word of the type, mode), in order of time."""
    found = engine.fetch(enrollment_event(events_of(lines))).to_pylist()
    return sorted(
        (row["course_id"], row["user_id"], row["time"], row["event_type"].split(".")[-1], row["mode"])
        for row in found
    )


def payload(**members: object) -> dict[str, object]:
    """An activation's payload; `...` leaves a member out."""
    whole: dict[str, object] = {"course_id": COURSE, "user_id": 7, "mode": "audit"}
    return {name: value for name, value in (whole | members).items() if value is not ...}


def test_what_is_no_enrollment_event_is_left_out(engine: Engine, events_of: EventsOf) -> None:
    """§11.68, and the Better of §5.1.6: a user is an integer."""
    kept = enrollment(DAY, "activated", user=1)
    left_out = [
        "garbage",
        enrollment(DAY, "upgrade.succeeded"),
        enrollment(DAY, "activated", time="this is a bogus time"),
        event(DAY, "", event={"course_id": COURSE, "user_id": 7, "mode": "audit"}, event_type=None),
        *(
            enrollment(DAY, "activated", event=odd)
            for odd in (
                [payload()],
                "",
                None,
                "a=3,b=4",
                json.dumps([payload()]),
                json.dumps(payload())[:-1],
                12,
                payload(course_id=...),
                payload(course_id=None),
                payload(course_id=""),
                payload(course_id=";;;;bad/id/val"),
                payload(course_id="course-v1:Uni X+C+R"),
                payload(course_id=f"course-v1:{'a' * 300}+C+R"),
                payload(course_id={"course_id": COURSE}),
                payload(user_id=...),
                payload(user_id=None),
                payload(user_id=""),
                payload(user_id="ana"),
                payload(user_id=7.5),
                payload(user_id=[7]),
                payload(user_id=10**30),
                payload(mode=...),
                payload(mode=None),
            )
        ),
    ]
    moment = datetime.fromisoformat(DAY)
    assert rows(engine, events_of, [*left_out, kept]) == [(COURSE, 1, moment, "activated", "audit")]


def test_what_is_kept_and_how_it_is_written(engine: Engine, events_of: EventsOf) -> None:
    """§11.69-70: any source, both forms of course ids, course and learner of the payload."""
    long_mode = "m" * 300
    lines = [
        *(enrollment(f"2024-03-02 0{hour}:00", kind, user=1) for hour, kind in enumerate(KINDS)),
        *(
            enrollment(
                "2024-03-03 00:00", "activated", user=2, event_source=source, course=f"{LEGACY}-{source}"
            )
            for source in ("server", "browser", "mobile", "task")
        ),
        enrollment(DAY, "activated", context={"user_id": 99, "course_id": ""}, event=payload(user_id=3)),
        enrollment(
            DAY, "activated", context={}, event=payload(user_id="4", course_id=f" \t{SELF_PACED}\r\n")
        ),
        enrollment(DAY, "activated", event=json.dumps(payload(user_id=5, mode=""))),
        enrollment(DAY, "activated", event=payload(user_id=6, mode=long_mode)),
    ]
    moment = datetime.fromisoformat
    assert rows(engine, events_of, lines) == sorted([
        *((COURSE, 1, moment(f"2024-03-02 0{hour}:00"), kind, "audit") for hour, kind in enumerate(KINDS)),
        *(
            (f"{LEGACY}-{source}", 2, moment("2024-03-03 00:00"), "activated", "audit")
            for source in ("server", "browser", "mobile", "task")
        ),
        (COURSE, 3, moment(DAY), "activated", "audit"),
        (SELF_PACED, 4, moment(DAY), "activated", "audit"),
        (COURSE, 5, moment(DAY), "activated", ""),
        (COURSE, 6, moment(DAY), "activated", long_mode[:100]),  # no longer than the LMS can store
    ])  # fmt: skip


def test_nearly_json_is_read_by_one_rule_on_every_engine(engine: Engine, events_of: EventsOf) -> None:
    """Python's `json` decides; the characters of ids are those that Python knows."""

    def text(user: int, *, mode: str = '"audit"', more: str = "", after: str = "") -> str:
        payload = f'{{"course_id":"{COURSE}","user_id":{user},"mode":{mode}{more}}}{after}'
        return enrollment(DAY, "activated", event=payload)

    young = "course-v1:\u0870+C+R"  # a letter since Unicode 14: Java 17 does not know it
    lines = [
        text(1, more=',"x":NaN'),
        text(2, more=',"x":1e400'),
        text(3, more=',"x":' + "9" * 3000),
        text(4, more=r',"x":"\ud800"'),
        text(5, mode=r'"\ud800"'),
        enrollment(DAY, "activated", event=payload(user_id=6, course_id=f"\v\u00a0{COURSE}\u2003\x1f")),
        enrollment(DAY, "activated", event=payload(user_id="\u00a08\v")),
        enrollment(DAY, "activated", event=payload(user_id=9, course_id=young)),
        text(11, after=" and more"),
        text(12, after="}"),
        text(13, more=","),
        text(14).replace('\\"', "'"),
        *(text(20 + n, mode=mode) for n, mode in enumerate(["1e400", "1.5", "NaN", "{}", '["a"]', "1e17"])),
        enrollment(DAY, "activated", event=payload(user_id=30, course_id=f"\u200b{COURSE}")),
    ]
    kept = [*((COURSE, user) for user in (1, 2, 3, 4, 5, 6, 8)), (young, 9)]
    found = rows(engine, events_of, lines)
    assert [(course, user) for course, user, *_ in found] == sorted(kept)
    assert found[4] == (COURSE, 5, datetime.fromisoformat(DAY), "activated", "\ufffd")


def test_the_day_is_that_of_the_events_own_time(engine: Engine, events_of: EventsOf) -> None:
    lines = [
        enrollment("2024-03-02 23:59:59.999999", "activated"),
        enrollment("2024-03-03 00:00", "deactivated"),
        enrollment("2024-03-01 00:00", "activated", time="2024-03-03T01:30:00+02:00", user=8),  # converted
    ]
    found = engine.fetch(enrollment_event(events_of(lines))).to_pylist()
    assert {(row["date"], row["user_id"], row["time"]) for row in found} == {
        (date(2024, 3, 2), 7, datetime(2024, 3, 2, 23, 59, 59, 999999)),
        (date(2024, 3, 3), 7, datetime(2024, 3, 3)),
        (date(2024, 3, 2), 8, datetime(2024, 3, 2, 23, 30)),
    }


def test_a_changed_mode_is_told(engine: Engine, events_of: EventsOf) -> None:
    modes = ["m" * 100, "m" * 101, "a\0", "a\ufffd", ""]
    lines = [enrollment(DAY, "activated", event=payload(user_id=1 + n, mode=m)) for n, m in enumerate(modes)]
    lines.append(enrollment(DAY, "activated", event=payload(user_id=1, mode="m" * 102)))  # the same, once cut
    found = engine.fetch(enrollment_event(events_of(lines))).to_pylist()
    assert {row["user_id"]: row["is_mode_changed"] for row in found} == {
        1: True, 2: True, 3: True, 4: False, 5: False,
    }  # fmt: skip
    assert len(found) == 5


def test_equal_events_of_one_moment_are_one(engine: Engine, events_of: EventsOf) -> None:
    """§11.85; they need not be the same text. A browser's is one of the LMS if the LMS sent it, too."""
    from_browser = {"event_source": "browser"}
    lines = [
        enrollment(DAY, "activated"), enrollment(DAY, "activated", agent="another"),
        enrollment(DAY, "activated", user=8), enrollment(DAY, "activated", user=8, **from_browser),
        enrollment(DAY, "activated", user=9, **from_browser),
        enrollment(DAY, "activated", user=9, agent="another", **from_browser),
        enrollment(DAY, "activated", user=10, event_source=None),
    ]  # fmt: skip
    found = engine.fetch(enrollment_event(events_of(lines))).to_pylist()
    assert sorted((row["user_id"], row["is_from_browser"]) for row in found) == [
        (7, False), (8, False), (9, True), (10, False),
    ]  # fmt: skip
