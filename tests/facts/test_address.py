"""From which address each person was seen last on a day. `spec 01 §7.1, §11.112-114`"""

from __future__ import annotations

from datetime import date, datetime

from tests.facts.conftest import EventsOf
from tests.lines import enrollment, event

from pharos.engine import Engine
from pharos.facts.address import last_address_by_learner_day

DAY = "2024-03-02 09:00"


def seen(engine: Engine, events_of: EventsOf, lines: list[str]) -> list[tuple[object, ...]]:
    found = engine.fetch(last_address_by_learner_day(events_of(lines))).to_pylist()
    return sorted((row["date"], row["user_id"], row["time"], row["ip"]) for row in found)


def test_whose_address_is_unknown(engine: Engine, events_of: EventsOf) -> None:
    """§11.112-113: without a person or an address; a course is not needed."""
    lines = [
        "garbage",
        event(DAY, "x", time="this is a bogus time"),
        event(DAY, "x", context=None),
        *(event(DAY, "x", user=user) for user in (None, "", " ", "ana", 1.5, [7])),
        *(event(DAY, "x", ip=ip) for ip in (None, "", " ", 12)),
        event(DAY, "x", user=1, course=None, ip="1.1.1.1"),
        event(DAY, "/dashboard", user=2, course="bad id", ip=" 2001:db8::1 "),
        event(DAY, "x", user="3", source="task", ip="3.3.3.3"),
        enrollment(DAY, "activated", user=4, ip="4.4.4.4"),
    ]
    day, time = date(2024, 3, 2), datetime.fromisoformat(DAY)
    assert seen(engine, events_of, lines) == [
        (day, 1, time, "1.1.1.1"),
        (day, 2, time, "2001:db8::1"),
        (day, 3, time, "3.3.3.3"),
        (day, 4, time, "4.4.4.4"),
    ]


def test_the_latest_address_of_each_day(engine: Engine, events_of: EventsOf) -> None:
    """§11.114: in whatever order the events come; of one moment all."""
    lines = [
        event("2024-03-02 23:59:59.999999", "x", ip="9.9.9.9"),
        event("2024-03-02 08:00", "x", ip="8.8.8.8"),
        event("2024-03-03 00:00", "x", ip="1.1.1.1"),
        event("2024-03-03 00:00", "y", ip="2.2.2.2"),
        event("2024-03-03 00:00", "z", ip="2.2.2.2"),
        event("2024-03-03 00:01", "y", ip=""),
    ]
    expected = [
        (date(2024, 3, 2), 7, datetime(2024, 3, 2, 23, 59, 59, 999999), "9.9.9.9"),
        (date(2024, 3, 3), 7, datetime(2024, 3, 3), "1.1.1.1"),
        (date(2024, 3, 3), 7, datetime(2024, 3, 3), "2.2.2.2"),
    ]
    assert seen(engine, events_of, lines) == expected
