"""How many events there are at all."""

from __future__ import annotations

import ibis
import pyarrow as pa

from pharos.facts.fact import fact


@fact(pa.schema([("count", pa.int64())]))
def event_count_by_day(events: ibis.Table) -> ibis.Table:
    """All events of each day, whatever their type, source, person or course. `spec 01 §9.1`"""
    return events.group_by("date").agg(count=lambda rows: rows.count())
