"""All events of a day. `spec 01 §9.1, §11.121`"""

from __future__ import annotations

from tests.facts.conftest import EventsOf
from tests.lines import enrollment, event

from pharos.engine import Engine
from pharos.facts.total import event_count_by_type


def test_every_event_with_a_time_counts(engine: Engine, events_of: EventsOf) -> None:
    """§11.121: blank ids and implicit events too; lines without a time and repeated ones do not."""
    repeated = event("2024-03-02 10:00", "seek_video")
    lines = [
        enrollment("2024-03-02 09:00", "activated"),
        repeated,
        repeated,
        event("2024-03-02 11:00", "seek_video", user=None, course="", username=""),
        event("2024-03-02 12:00", "/dashboard", context=None),
        event("2024-03-02 13:00", "x", source="task", event_type=None),
        event("2024-03-03 00:00", "seek_video"),
        event("2024-03-02 14:00", "x", time=None),
        event("2024-03-02 14:00", "x", time="this is a bogus time"),
        "garbage",
        "",
    ]
    found = engine.fetch(event_count_by_type(events_of(lines))).to_pylist()
    assert {(row["date"].day, row["event_type"]): row["count"] for row in found} == {
        (2, "edx.course.enrollment.activated"): 1,
        (2, "seek_video"): 2,
        (2, "/"): 1,
        (2, ""): 1,
        (3, "seek_video"): 1,
    }
