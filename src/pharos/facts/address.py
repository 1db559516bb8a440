"""From which network address each person was seen last."""

from __future__ import annotations

import ibis
import pyarrow as pa

from pharos.engine.functions import stripped
from pharos.facts.fact import fact


@fact(pa.schema([("user_id", pa.int64()), ("time", pa.timestamp("us")), ("ip", pa.string())]))
def last_address_by_learner_day(events: ibis.Table) -> ibis.Table:
    """The address of each person's latest event that has one. `spec 01 §7.1`

    All events count, of any type, source and course. Of several at the same moment the largest text is taken.
    """
    seen = events.mutate(ip=stripped(events.ip))
    seen = seen.filter(seen.user_id.notnull(), seen.ip.notnull(), seen.ip != "")
    latest = ibis.row_number().over(
        ibis.window(group_by=["date", "user_id"], order_by=[seen.time.desc(), seen.ip.desc()])
    )
    return seen.mutate(number=latest).filter(lambda rows: rows.number == 0).drop("number")
