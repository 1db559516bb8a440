"""Event types that Pharos does not know, as counted by the last run; read for the status."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from pharos.facts.event_types import is_known
from pharos.facts.total import event_count_by_type
from pharos.lake.lake import Lake
from pharos.pipeline import parted


@dataclass(frozen=True, kw_only=True)
class UnknownType:
    """The number of events of one unknown type, and its last day."""

    event_type: str
    events: int
    last_day: date


def unknown_event_types(lake: Lake) -> list[UnknownType]:
    """Unknown event types in the lake, most frequent first: of plugins, of newer releases, or misspelt."""
    counts: Counter[str] = Counter()
    last: dict[str, date] = {}
    table = parted.load(lake.root / "facts" / event_count_by_type.name)
    for row in parted.live_rows(table, "date", ["date", "event_type", "count"]).to_pylist():
        if not is_known(row["event_type"]):
            counts[row["event_type"]] += row["count"]
            last[row["event_type"]] = max(row["date"], last.get(row["event_type"], date.min))
    return [
        UnknownType(event_type=name, events=count, last_day=last[name])
        for name, count in counts.most_common()
    ]
