"""Number of events by day and type."""

from __future__ import annotations

import ibis
import pyarrow as pa

from pharos.facts.fact import fact

REQUEST = "/"
"""Stands for the types of requests to the server, which are their paths."""


@fact(pa.schema([("event_type", pa.string()), ("count", pa.int64())]))
def event_count_by_type(events: ibis.Table) -> ibis.Table:
    """Number of events of each day by type, from all sources, persons and courses. `spec 01 §9.1`

    `event_type` is REQUEST for all paths, and empty if the event has no type.
    """
    type_ = ibis.coalesce(events.event_type, "")
    kinds = events.select("date", event_type=ibis.ifelse(type_.startswith(REQUEST), REQUEST, type_))
    return kinds.group_by("date", "event_type").agg(count=lambda rows: rows.count())
