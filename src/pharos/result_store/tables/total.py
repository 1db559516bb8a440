"""The total number of events."""

from __future__ import annotations

from sqlalchemy import BigInteger

from pharos.result_store.tables.base import Definition, column, day, result

total_events_daily = result(
    "total_events_daily",
    Definition(
        title="Events",
        version=1,
        meaning="Events in the tracking logs per UTC day, whatever they are about.",
        formula="Every event counts for the day of its own time: of any type, source, person and course.",
        edge_cases=(
            "An event that was delivered twice counts once.",
            "Events arrive late: the number of a day may still grow.",
            "Lines that are no events, and events of a time before 2000 or after the last day, do not count.",
            "A day without events has no row.",
        ),
        window="Every UTC day with events up to the last day.",
        source="All events of the tracking logs.",
        spec="01 §9.1",
        differences=("The original wrote a file, newest day first, and counted repeated lines each time.",),
    ),
    day(),
    column("event_count", BigInteger(), "Events.", nullable=False),
    key=("date",),
    indexes=(),
)
