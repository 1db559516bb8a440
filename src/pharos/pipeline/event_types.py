"""Which types of events nobody knows, as counted by the last run; read for the status."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

import pyarrow.parquet as pq

from pharos.facts.event_types import is_known
from pharos.facts.total import event_count_by_type
from pharos.lake.lake import Lake
from pharos.lake.safely import is_whole


@dataclass(frozen=True, kw_only=True)
class UnknownType:
    """Events of one type."""

    event_type: str
    events: int
    last_day: date


def unknown_event_types(lake: Lake) -> list[UnknownType]:
    """Those of the lake, most frequent first: of plugins, of newer releases, or misspelt."""
    counts: Counter[str] = Counter()
    last: dict[str, date] = {}
    for folder in sorted((lake.root / "facts" / event_count_by_type.name).glob("date=*")):
        day = date.fromisoformat(folder.name.removeprefix("date="))
        for file in sorted(folder.glob("*.parquet"), key=lambda path: path.stat().st_mtime_ns)[-1:]:
            if not is_whole(file):
                continue  # the next run makes it anew
            for row in pq.ParquetFile(file).read().to_pylist():
                if not is_known(row["event_type"]):
                    counts[row["event_type"]] += row["count"]
                    last[row["event_type"]] = day
    return [
        UnknownType(event_type=name, events=count, last_day=last[name])
        for name, count in counts.most_common()
    ]
