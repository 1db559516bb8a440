"""Number of events in the tracking logs. `spec 01 §9.1`"""

from __future__ import annotations

import ibis

from pharos.metrics.metric import metric
from pharos.result_store import tables


@metric(tables.total_events_daily, by="date")
def total_events_daily(event_count_by_type: ibis.Table) -> ibis.Table:
    """Events of each day; a day without events has no row."""
    return event_count_by_type.group_by("date").agg(
        event_count=lambda rows: rows["count"].sum().cast("int64")
    )
