"""The first day of a week, found a second time by going back day by day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from pharos.weeks import WEEKDAYS, WeekStart, week_of

DAY = timedelta(days=1)


@given(st.dates(min_value=date(1, 1, 8)), st.sampled_from(sorted(WEEKDAYS)))
def test_a_week_begins_on_its_weekday(day: date, start: WeekStart) -> None:
    first = day
    while first.strftime("%A").lower() != start:
        first -= DAY
    assert week_of(day, WEEKDAYS[start]) == first


def test_every_start_that_a_site_may_choose_has_its_weekday() -> None:
    assert set(WEEKDAYS) == set(get_args(WeekStart))
