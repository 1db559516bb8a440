"""Which language each person's browser asked for last on a day."""

from __future__ import annotations

from datetime import date

from tests.facts.conftest import EventsOf
from tests.lines import event

from pharos.engine import Engine
from pharos.facts.language import accept_language_by_learner_day

HEADERS = {
    "pt-BR,pt;q=0.9,en;q=0.8": "pt",
    "DE": "de",
    "zh_Hans": "zh",
    "fil-PH, en": "fil",
    " es-419": "es",
    "*": None,
    "": None,
    "x": None,
    "english": None,
    None: None,
}


def test_the_primary_language_of_the_first_range(engine: Engine, events_of: EventsOf) -> None:
    lines = [
        event("2024-03-02 09:00", "x", user=number, accept_language=header)
        for number, header in enumerate(HEADERS, 1)
    ]
    rows = engine.fetch(accept_language_by_learner_day(events_of(lines))).to_pylist()
    found = {row["user_id"]: row["language"] for row in rows}
    assert [found.get(number) for number in range(1, len(HEADERS) + 1)] == list(HEADERS.values())


def test_the_latest_of_each_day_that_names_one(engine: Engine, events_of: EventsOf) -> None:
    lines = [
        event("2024-03-02 10:00", "x", user=1, accept_language="de"),
        event("2024-03-02 09:00", "x", user=1, accept_language="fr"),
        event("2024-03-02 11:00", "x", user=1, accept_language=""),
        event("2024-03-03 09:00", "x", user=1, accept_language="en"),
        event("2024-03-03 09:00", "y", user=1, accept_language="fr"),
        event("2024-03-03 09:00", "y", user=None, accept_language="it"),
    ]
    rows = engine.fetch(accept_language_by_learner_day(events_of(lines))).to_pylist()
    assert sorted((row["date"], row["user_id"], row["language"]) for row in rows) == [
        (date(2024, 3, 2), 1, "de"),
        (date(2024, 3, 3), 1, "fr"),
    ]
