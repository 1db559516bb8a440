"""How many events there are at all, and of which types."""

from __future__ import annotations

import ibis
import pyarrow as pa

from pharos.facts.fact import fact

REQUEST = "/"
"""Stands for the types of requests to the server, which are their paths."""


@fact(pa.schema([("event_type", pa.string()), ("count", pa.int64())]))
def event_count_by_type(events: ibis.Table) -> ibis.Table:
    """All events of each day by their type, whatever their source, person or course. `spec 01 §9.1`

    `event_type` is REQUEST for all paths, and empty where there is none.
    """
    type_ = ibis.coalesce(events.event_type, "")
    kinds = events.select("date", event_type=ibis.ifelse(type_.startswith(REQUEST), REQUEST, type_))
    return kinds.group_by("date", "event_type").agg(count=lambda rows: rows.count())
