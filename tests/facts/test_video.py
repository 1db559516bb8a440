"""Which events are of players, and what the lake's columns add to their payloads. `spec 03 §1.3, 5`"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from tests.facts.conftest import EventsOf
from tests.lines import COURSE, event

from pharos.engine import Engine
from pharos.facts.video import video_event

AT = "2024-03-05 10:00"
DURING = {"id": "v", "currentTime": 1.5, "duration": 60}


def read(engine: Engine, events_of: EventsOf, lines: list[str]) -> list[dict[str, Any]]:
    """The rows of the fact, in the order of time."""
    found = engine.fetch(video_event(events_of(lines))).to_pylist()
    return sorted(found, key=lambda row: (row["time"], row["event_type"]))


def line(time: str, kind: str = "play_video", /, payload: object = DURING, **more: Any) -> str:
    return event(time, kind, source=more.pop("source", "browser"), event=payload, **more)


def test_every_column(engine: Engine, events_of: EventsOf) -> None:
    """§5-12, 14: browsers send their payload as text; the mobile app is known by the source of the event."""
    seek = {"id": "\nv", "old_time": "3", "new_time": "1.2e+1"}
    lines = [
        line(f"{AT}:00", payload=json.dumps(DURING)),
        line(f"{AT}:01", "seek_video", seek, source="mobile", name="edx.video.position.changed", session=""),
    ]
    both = {
        "course_id": COURSE,
        "user_id": 7,
        "video": "v",
        "unused": None,
        "count": 1,
        "date": date(2024, 3, 5),
    }
    assert read(engine, events_of, lines) == [
        both | {
            "session": "0f", "is_mobile": False, "time": datetime(2024, 3, 5, 10),
            "event_type": "play_video",
            "position": 1.5, "old_position": None, "duration": 60.0,
        },
        both | {
            "session": "", "is_mobile": True, "time": datetime(2024, 3, 5, 10, 0, 1),
            "event_type": "seek_video",
            "position": 12.0, "old_position": 3.0, "duration": None,
        },
    ]  # fmt: skip


def test_other_events_give_nothing(engine: Engine, events_of: EventsOf) -> None:
    """§5-1, 2"""
    others = ["page_close", "seq_goto", "seq_next", "load_video", "speed_change_video", "/courses/play_video"]
    lines = [line(f"{AT}:0{number}", kind) for number, kind in enumerate(others)]
    lines += [line(AT, event_type=None), line(AT, time=None), line(AT, time="bogus"), "no json play_video"]
    four = ["pause_video", "play_video", "stop_video"]
    lines += [line(AT, kind) for kind in four]
    lines += [line(AT, "seek_video", {"id": "v", "old_time": 1, "new_time": 2})]
    found = read(engine, events_of, lines)
    assert [row["event_type"] for row in found] == ["pause_video", "play_video", "seek_video", "stop_video"]


def test_what_is_not_used_has_a_reason(engine: Engine, events_of: EventsOf) -> None:
    """§5-2, 3, 4, 13"""
    page = f"https://lms.example.org/courses/{COURSE}/courseware/"
    context = {"course_id": "bad", "user_id": 7}
    cases: list[tuple[str, str | None]] = [
        (line(f"{AT}:00", user=None), "no learner"),
        (line(f"{AT}:01", user=""), "no learner"),
        (line(f"{AT}:02", user=0), "no learner"),
        (line(f"{AT}:03", user="10"), None),
        (line(f"{AT}:04", context=context, page=page), "no valid course"),
        (line(f"{AT}:05", course="", page=page), None),
        (line(f"{AT}:06", payload=""), "the payload is no object"),
        (line(f"{AT}:07", payload=[1]), "the payload is no object"),
        (line(f"{AT}:08", payload={"id": 5, "currentTime": 1}), "no video"),
        (line(f"{AT}:09", payload={"id": "v"}), "no position"),
        (line(f"{AT}:10", payload={"id": "v", "currentTime": None}), "no position"),
        (line(f"{AT}:11", context=None), "no learner"),
    ]
    found = read(engine, events_of, [text for text, _ in cases])
    assert [row["unused"] for row in found] == [reason for _, reason in cases]
    assert all((row["video"] == "") == (row["unused"] is not None) for row in found)
    assert found[3]["user_id"] == 10
    assert found[5]["course_id"] == COURSE


def test_events_that_say_the_same_are_counted(engine: Engine, events_of: EventsOf) -> None:
    again = [line(AT, payload={"id": "v"}, agent=agent) for agent in "ab"]
    [row] = read(engine, events_of, again)
    assert (row["unused"], row["count"]) == ("no position", 2)
