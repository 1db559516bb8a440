"""How far the numbers reach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pharos.insights.api import Definition
from pharos.insights.freshness import OLD, freshness

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def definition(last_event: datetime | None, until: datetime | None = NOW) -> Definition:
    return Definition("t", "T", 1, "", "", (), "", "", until, last_event, until)


def test_the_newest_event_of_the_table_that_reaches_least_far_counts() -> None:
    two_days_ago = NOW - OLD
    found = freshness({"a": definition(NOW), "b": definition(two_days_ago)}, NOW)
    assert found is not None
    assert (found.newest, found.is_old) == (two_days_ago, False)
    later = freshness({"a": definition(two_days_ago)}, NOW + timedelta(minutes=1))
    assert later is not None
    assert later.is_old


def test_rows_up_to_today_are_no_sign_of_life() -> None:
    found = freshness({"a": definition(NOW - timedelta(days=30), until=NOW)}, NOW)
    assert found is not None
    assert found.is_old


def test_nothing_published_says_nothing() -> None:
    assert freshness({"a": definition(None, None)}, NOW) is None
