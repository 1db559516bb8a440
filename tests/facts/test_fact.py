"""What every fact promises: it does not mix days."""

from __future__ import annotations

import ibis
import pytest
from tests import videos
from tests.facts.conftest import EventsOf
from tests.lines import enrollment, event

from pharos.engine import Engine
from pharos.facts.fact import Fact
from pharos.pipeline.graph import FACTS

DAYS = ("2024-03-02", "2024-03-03")


@pytest.mark.parametrize("engine_settings", ["duckdb"], indirect=True)  # of the expression, not of an engine
@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS.keys())
def test_a_fact_of_many_days_is_the_facts_of_each(fact: Fact, engine: Engine, events_of: EventsOf) -> None:
    lines = [
        line
        for day in DAYS
        for user in (1, 2)
        for line in (
            enrollment(f"{day} 09:00", "activated", user=user),
            event(f"{day} 09:30", "/xblock/block-v1:U+C+R+type@vertical+block@unit", user=user),
            event(f"{day} 10:00", "problem_check", user=user),
            event(f"{day} 11:00", "problem_check", user=user),
            event(f"{day} 12:00", "showanswer", user=user, event={"problem_id": "p"}),
            event(f"{day} 12:30", "show_transcript", user=user, source="browser", event={"id": "v"}),
            *map(videos.line, videos.moves(user, "13:00 play 0 · 13:05 pause 60", day)),
        )
    ]
    events = events_of(lines)
    together = engine.fetch(fact(events)).to_pylist()
    singly = [
        row
        for day in DAYS
        for row in engine.fetch(fact(events.filter(events.date == ibis.date(day)))).to_pylist()
    ]
    assert together
    assert sorted(map(repr, together)) == sorted(map(repr, singly))
    assert list(together[0]) == ["date", *fact.schema.names]
    assert len({tuple(row.values()) for row in together}) == len(together), "rows must be unique"
