"""Sentences over any rows equal those of a second, naive computation; no rows make them fail."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.insights import naive
from tests.insights.naive import DAY

from pharos.insights import activity_sentences, enrollment_sentences
from pharos.insights.activity_weeks import weeks_of
from pharos.insights.enrollment_days import counts, days_of, growth
from pharos.insights.language import AVAILABLE, languages

WORDS = languages()["en"]
FIRST = date(2026, 1, 5)  # a Monday
NUMBERS = st.one_of(st.integers(0, 12), st.integers(0, 2_000_000))
DAYS = st.dictionaries(st.integers(0, 60), st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=12)
WEEKS = st.dictionaries(st.integers(0, 12), NUMBERS, min_size=1, max_size=8)


def plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


def mode_rows(days: dict[int, tuple[int, int]]) -> list[dict[str, Any]]:
    """Rows with gaps; `ever` grows, as in life."""
    rows, ever = [], 0
    for offset, (count, joined) in sorted(days.items()):
        ever += joined
        day = (FIRST + offset * DAY).isoformat()
        rows.append({"date": day, "count": count, "cumulative_count": ever, "audit": count})
    return rows


def flow_rows(days: dict[int, tuple[int, int]]) -> list[dict[str, Any]]:
    """Who joined and left on the days of the rows: the second number left and as many more joined."""
    rows, before = [], 0
    for offset, (count, left) in sorted(days.items()):
        change, day = count - before, (FIRST + offset * DAY).isoformat()
        joined = left + max(0, change)
        if joined or joined != change:
            rows.append({"date": day, "joined": joined, "left": joined - change})
        before = count
    return rows


@given(DAYS, st.integers(0, 20), st.data())
def test_growth_over_any_days(days: dict[int, tuple[int, int]], later: int, data: st.DataObject) -> None:
    rows = mode_rows(days)
    first, last = FIRST + min(days) * DAY, FIRST + (max(days) + later) * DAY
    start = data.draw(st.dates(first - 3 * DAY, last))
    end = data.draw(st.dates(max(start, first), last))
    flows = flow_rows(days)
    found = growth(days_of(rows, last, flows), start, end)
    assert found.joined is not None
    assert found.left is not None
    assert found.joined - found.left == found.change
    said = [enrollment_sentences.changed(WORDS, found), enrollment_sentences.joined_and_left(WORDS, found)]
    counted = {date.fromisoformat(row["date"]): row["count"] for row in rows}
    moved = {date.fromisoformat(row["date"]): (row["joined"], row["left"]) for row in flows}
    expected = naive.growth(counted, moved, start, end)
    assert [plain(text) for text in said] == [plain(text) for text in expected]


def test_without_counted_flows_nothing_is_said_of_them() -> None:
    every_day = days_of(mode_rows({0: (5, 5), 9: (3, 1)}))
    found = growth(every_day, every_day[0].day, every_day[-1].day)
    assert (found.joined, found.left) == (None, None)
    assert enrollment_sentences.joined_and_left(WORDS, found) == ""


@given(WEEKS, DAYS, st.integers(0, 5), st.data())
def test_activity_of_any_weeks(
    active: dict[int, int], days: dict[int, tuple[int, int]], later: int, data: st.DataObject
) -> None:
    rows = [
        {"interval_end": f"{(FIRST + timedelta(weeks=week + 1)).isoformat()}T000000", "any": count}
        for week, count in sorted(active.items())
    ]
    last = FIRST + timedelta(weeks=max(active) + later + 1) - DAY
    enrolled = counts(days_of(mode_rows(days), last))
    weeks = weeks_of(rows, enrolled, last)
    assert [week.ending for week in weeks] == [
        FIRST + timedelta(weeks=week + 1) - DAY for week in range(min(active), max(active) + later + 1)
    ]
    begin = data.draw(st.integers(0, len(weeks) - 1))
    shown = weeks[begin : data.draw(st.integers(begin + 1, len(weeks)))]
    by_sunday = {FIRST + timedelta(weeks=week + 1) - DAY: count for week, count in active.items()}
    by_day = {date.fromisoformat(row["date"]): row["count"] for row in mode_rows(days)}
    expected = naive.activity(by_sunday, by_day, [week.ending for week in shown])
    assert plain(activity_sentences.headline(WORDS, weeks, shown)) == plain(expected)
    for week in weeks:
        assert week.share() is None or 0 <= week.share() <= 1  # type: ignore[operator]


@given(DAYS, st.sampled_from(sorted(AVAILABLE)))
def test_every_language_says_any_growth(days: dict[int, tuple[int, int]], code: str) -> None:
    words = languages()[code]
    every_day = days_of(mode_rows(days))
    found = growth(every_day, every_day[0].day, every_day[-1].day)
    said = plain(enrollment_sentences.changed(words, found))
    assert plain(words.number(found.last.count)) in said
    assert "%(" not in said
    assert plain(enrollment_sentences.enrolled(words, found.last))


def test_of_days_that_another_program_counted_no_flow_is_told() -> None:
    """A week that begins before its end has a change, and nobody knows who joined and left in it."""
    rows, flows = mode_rows({0: (5, 5), 4: (9, 9), 9: (8, 1)}), flow_rows({0: (5, 5), 4: (9, 9), 9: (8, 1)})
    last, until = FIRST + 9 * DAY, FIRST + 4 * DAY
    days = days_of(rows, last, flows, history_until=until)
    assert [item.joined for item in days] == [None] * 5 + [0, 0, 0, 0, 1]
    assert growth(days, until, last).joined is None
    found = growth(days, until + DAY, last)
    assert (found.joined, found.left, found.change) == (1, 2, -1)
