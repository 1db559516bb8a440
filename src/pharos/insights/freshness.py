"""The freshness of the numbers: the newest event, the last day and the last complete week counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fastapi import Request

from pharos.insights.api import Definition

# Logs arrive once a day at most sites: two days without an event need a look.
OLD = timedelta(hours=48)


@dataclass(frozen=True)
class Freshness:
    """The time up to which the pages' numbers reach; moments in UTC."""

    newest: datetime
    """The newest event counted."""
    published: datetime
    is_old: bool
    """Whether the newest event is more than 48 hours old."""


def freshness(definitions: Mapping[str, Definition], now: datetime) -> Freshness | None:
    """The freshness of the oldest table; None while nothing is published.

    For a table without an event, its `until` counts.
    """
    known = [
        (definition.last_event or definition.until, definition.published)
        for definition in definitions.values()
        if definition.published
    ]
    reached = [(newest, published) for newest, published in known if newest]
    if not reached:
        return None
    newest = min(newest for newest, _ in reached)
    published = max(published for reached_to, published in reached if reached_to == newest)
    return Freshness(newest, published, now - newest > OLD)


def last_day(request: Request, table: str) -> date | None:
    """The last day that the rows of the table describe; it may be incomplete.

    None if its publication is unknown, as in a store that Pharos did not fill.
    """
    definitions: Mapping[str, Definition] = request.state.definitions
    definition = definitions.get(table)
    if definition is None or definition.until is None:
        return None
    return (definition.until - timedelta(microseconds=1)).date()


def last_day_of_history(request: Request, table: str) -> date | None:
    """The last day of the table that the earlier program counted; None if there is none."""
    definitions: Mapping[str, Definition] = request.state.definitions
    definition = definitions.get(table)
    return definition.history_until if definition else None
