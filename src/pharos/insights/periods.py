"""The days that a report shows, from its URL (`?period=30d`, `?from=…&to=…`), and the comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from pharos.weeks import week_of

DAY = timedelta(days=1)
WEEK = 7
BY_DAY = {"7d": 7, "30d": 30, "90d": 90}
BY_WEEK = {"4w": 28, "12w": 84}
ALL, SINCE_START, CUSTOM = "all", "start", "custom"
BEFORE, RUN, RUNS = "before", "run", "runs"


class Correction(StrEnum):
    """The reason why a report shows other days than its URL requests."""

    UNREADABLE = "unreadable"
    """A date is no date: all days are shown."""
    SWAPPED = "swapped"
    """The first day was after the last: they changed places."""
    OUTSIDE = "outside"
    """No day of the range is counted: all days are shown."""
    CUT = "cut"
    """Some days of the range are not counted."""
    WHOLE_WEEKS = "weeks"
    """The range was widened to the weeks it touches."""
    UNKNOWN = "unknown"
    """The report has no such period: all days are shown."""


@dataclass(frozen=True)
class Period:
    """The days from `start` up to but excluding `end`, and the way in which they were chosen."""

    choice: str
    start: date
    end: date
    compare: str = ""
    """What is shown beside it: BEFORE, the period before; RUN, the last run of the course; RUNS, all earlier
    runs; else nothing."""
    correction: Correction | None = None

    @property
    def last(self) -> date:
        """The last day of the period."""
        return self.end - DAY

    @property
    def shift(self) -> timedelta:
        """The distance to the period before: whole weeks, so that Mondays are compared with Mondays."""
        weeks = -(-(self.end - self.start).days // WEEK)
        return timedelta(days=weeks * WEEK)

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


def chosen(
    query: Mapping[str, str],
    first: date,
    last: date,
    course_start: date | None,
    lengths: Mapping[str, int] = BY_DAY,
    *,
    weekly: bool = False,
) -> Period:
    """The period in a URL, within the counted days from first to last.

    `lengths` are the periods that the report offers, in days up to the last day. With `weekly`, `first`
    begins a week and `last` ends one, and the period consists of whole weeks.

    If the URL's period is impossible, another one is shown, and `correction` has the reason.
    """
    compare = query.get("compare", "")
    compare = compare if compare in {BEFORE, RUN, RUNS} else ""
    days = _days(query, first, last, course_start, lengths)
    if weekly:
        days = _whole_weeks(days, first)
    if days.choice == ALL:
        return replace(days, compare=compare if compare != BEFORE else "")
    return replace(days, compare=compare)


def _days(
    query: Mapping[str, str], first: date, last: date, course_start: date | None, lengths: Mapping[str, int]
) -> Period:
    end = last + DAY
    has_dates = bool(query.get("from") or query.get("to"))
    choice = query.get("period") or (CUSTOM if has_dates else ALL)
    if choice == ALL:
        return Period(ALL, first, end)
    if choice in lengths:
        return Period(choice, max(first, end - timedelta(days=lengths[choice])), end)
    if choice == SINCE_START and course_start is not None and first <= course_start <= last:
        return Period(choice, course_start, end)
    if choice == CUSTOM:
        return _custom(query, first, last)
    return Period(ALL, first, end, correction=Correction.UNKNOWN)


def _custom(query: Mapping[str, str], first: date, last: date) -> Period:
    try:
        start, final = (
            date.fromisoformat(text) if (text := query.get(name)) else otherwise
            for name, otherwise in (("from", first), ("to", last))
        )
    except ValueError:
        return Period(ALL, first, last + DAY, correction=Correction.UNREADABLE)
    correction = Correction.SWAPPED if start > final else None
    start, final = min(start, final), max(start, final)
    if start > last or final < first:
        return Period(ALL, first, last + DAY, correction=Correction.OUTSIDE)
    if start < first or final > last:
        correction = correction or Correction.CUT
    return Period(CUSTOM, max(start, first), min(final, last) + DAY, correction=correction)


def _whole_weeks(period: Period, first: date) -> Period:
    """The period extended to whole weeks; a week begins on the weekday of `first`."""
    start = week_of(period.start, first.weekday())
    end = week_of(period.last, first.weekday()) + timedelta(days=WEEK)
    widened = (start, end) != (period.start, period.end) and period.choice == CUSTOM
    correction = period.correction or (Correction.WHOLE_WEEKS if widened else None)
    return replace(period, start=start, end=end, correction=correction)
