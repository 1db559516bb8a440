"""How far the numbers reach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from tests.insights.test_numbers import WORDS
from tests.insights.world import LAST_DAY, World

from pharos.insights.api import Definition
from pharos.insights.freshness import OLD, freshness
from pharos.result_store import store, tables

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


def test_days_of_the_program_before_are_said_where_they_are_shown(own_world: World) -> None:
    """Until three days before the last: the week of course home has such days, the whole history has."""
    until = LAST_DAY - timedelta(days=3)
    engine = store.connect(own_world.settings.store_url)
    with engine.begin() as connection:
        connection.execute(sa.update(tables.publications).values(history_until=until))
    engine.dispose()
    home = f"/courses/{own_world.course_id}/"
    said = f"The numbers up to {WORDS.day(until)} were counted by edX Insights"
    with own_world.client("sofia") as client:
        for shown in ("", "enrollment/activity/", "engagement/content/"):
            assert said in client.get(home + shown).text, shown
        custom = f"?period=custom&from={until + timedelta(days=1)}&to={LAST_DAY}"
        assert "edX Insights" not in client.get(f"{home}enrollment/activity/{custom}").text
        assert "edX Insights" not in client.get(f"{home}enrollment/geography/").text
