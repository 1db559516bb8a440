"""Weeks that begin on the day that a site chose (`counting.week_start`)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

WeekStart = Literal["monday", "sunday", "saturday"]

WEEKDAYS: dict[WeekStart, int] = {"monday": 0, "saturday": 5, "sunday": 6}
"""Days with which a week may begin, as Python counts them."""


def week_of(day: date, first_weekday: int) -> date:
    """The first day of the week of the day; weeks begin on `first_weekday`, 0 is Monday."""
    return day - timedelta(days=(day.weekday() - first_weekday) % 7)
