"""The language that each person's browser requested last."""

from __future__ import annotations

import ibis
import pyarrow as pa

from pharos.facts.fact import fact

PRIMARY = r"\A[^A-Za-z]*([A-Za-z]{2,3})(?:[-_,; ]|\z)"
"""The primary language of the first range of an Accept-Language header: `pt` of `pt-BR,pt;q=0.9`."""


@fact(
    pa.schema([("user_id", pa.int64()), ("time", pa.timestamp("us")), ("language", pa.string())]),
    learner="user_id",
)
def accept_language_by_learner_day(events: ibis.Table) -> ibis.Table:
    """The language of each person's latest event whose header names one. `spec 01 §1.2`

    All events count, of any type, source and course. `language` is the primary subtag of the header's first
    range, in lower case: browsers put the language that a person prefers first. Of several at the same
    moment, the last one in the alphabet.
    """
    language = events.accept_language.re_extract(PRIMARY, 1).lower()
    seen = events.select("date", "user_id", "time", language=language.nullif(""))
    seen = seen.filter(seen.user_id.notnull(), seen.language.notnull())
    latest = seen.time.max().over(ibis.window(group_by=["date", "user_id"]))
    last = seen.mutate(latest=latest).filter(lambda rows: rows.time == rows.latest)
    return last.group_by("date", "user_id", "time").agg(language=last.language.max())
