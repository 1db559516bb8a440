"""The days a report shows, as its URL says: `?period=30d`, `?from=…&to=…`, `&compare=before` or `run`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

WEEK = 7
BY_DAY = {"7d": 7, "30d": 30, "90d": 90}
BY_WEEK = {"4w": 28, "12w": 84}
ALL, SINCE_START, CUSTOM = "all", "start", "custom"
BEFORE, RUN = "before", "run"


@dataclass(frozen=True)
class Period:
    """The days from `start` to before `end`, and how they were chosen."""

    choice: str
    start: date
    end: date
    compare: str = ""
    """What is shown beside it: BEFORE, the period before; RUN, the last run of the course; else nothing."""

    @property
    def last(self) -> date:
        """The last day that belongs to it."""
        return self.end - timedelta(days=1)

    @property
    def shift(self) -> timedelta:
        """How far back the period before lies: whole weeks, so that Mondays meet Mondays."""
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
) -> Period:
    """The period a URL asks for, within the days from first to last that have data.

    `lengths` are the periods up to the last day that the report offers, in days.

    What cannot be read counts as not said: a wrong link shows all days rather than an error.
    """
    compare = query.get("compare", "")
    compare = compare if compare in {BEFORE, RUN} else ""
    end = last + timedelta(days=1)
    choice = query.get("period", ALL)
    if choice in lengths:
        start = max(first, end - timedelta(days=lengths[choice]))
        return Period(choice, start, end, compare)
    if choice == SINCE_START and course_start is not None and first < course_start <= last:
        return Period(choice, course_start, end, compare)
    if choice == CUSTOM:
        start = max(first, _read(query.get("from")) or first)
        custom_end = min(last, _read(query.get("to")) or last) + timedelta(days=1)
        if start < custom_end:
            return Period(choice, start, custom_end, compare)
    return Period(ALL, first, end, compare if compare == RUN else "")


def _read(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
