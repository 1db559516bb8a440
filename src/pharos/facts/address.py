"""The network address of each person's latest event of a day."""

from __future__ import annotations

import ibis
import pyarrow as pa

from pharos.engine.functions import stripped
from pharos.facts.fact import fact


@fact(
    pa.schema([("user_id", pa.int64()), ("time", pa.timestamp("us")), ("ip", pa.string())]),
    learner="user_id",
)
def last_address_by_learner_day(events: ibis.Table) -> ibis.Table:
    """The address of each person's latest event with an address; all addresses at that moment. `spec 01 §7.1`

    All events count, of any type, source and course. `ip` may be a country that has replaced an address.
    """
    seen = events.select("date", "user_id", "time", ip=stripped(events.ip))
    seen = seen.filter(seen.user_id.notnull(), seen.ip.notnull(), seen.ip != "")
    latest = seen.time.max().over(ibis.window(group_by=["date", "user_id"]))
    return seen.mutate(latest=latest).filter(lambda rows: rows.time == rows.latest).drop("latest").distinct()
