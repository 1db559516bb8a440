"""Earlier values for comparison in a report: the period before, the last run, or all earlier runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from pharos.insights import periods
from pharos.insights.charts import GREY, Series
from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.periods import Period
from pharos.insights.rendering import Link
from pharos.insights.reports import Choice
from pharos.insights.tables import Column

WEEK = timedelta(weeks=1)
R = TypeVar("R")
N = TypeVar("N", int, float)


@dataclass(frozen=True)
class Earlier:
    """Earlier values by their own days, and the distance in days."""

    name: str
    values: Mapping[date, int]
    shift: timedelta

    def on(self, day: date) -> int | None:
        """The earlier value to compare with the day; None if there is none."""
        return self.values.get(day - self.shift)

    def series(self, days: Sequence[date]) -> Series:
        """The values as the quiet line of a chart over these days."""
        return Series(self.name, GREY, [self.on(day) for day in days])


@dataclass(frozen=True)
class Band:
    """The range of several earlier runs on the same day of the course."""

    name: str
    runs: Sequence[Earlier]

    def on(self, day: date) -> tuple[int, int] | None:
        """The lowest and the highest value; None if no run has a value."""
        values = [value for run in self.runs if (value := run.on(day)) is not None]
        return (min(values), max(values)) if values else None

    def edges(self, days: Sequence[date]) -> tuple[Series, Series]:
        """The lowest and the highest values as the edges of a band over these days."""
        ranges = [self.on(day) for day in days]
        low = Series(self.name, GREY, [edge[0] if edge else None for edge in ranges])
        return low, Series(self.name, GREY, [edge[1] if edge else None for edge in ranges])


def period_before(words: Language, period: Period, values: Mapping[date, int]) -> Earlier:
    """The same values a number of whole weeks earlier, so that Mondays are compared with Mondays."""
    return Earlier(words.text("Period before"), values, period.shift)


def last_run(
    words: Language, course: Course, previous: Course, values: Mapping[date, int], *, weekly: bool = False
) -> Earlier:
    """Values of the last run on the same day of the course; weekly values by the same week."""
    shift = shift_between(course, previous)
    if weekly:
        shift = whole_weeks(shift)
    return Earlier(words.text("Last run"), values, shift)


def shift_between(course: Course, previous: Course) -> timedelta:
    """The time from the start of the previous run to the start of the course."""
    if course.start is None or previous.start is None:
        return timedelta(0)
    return course.start.date() - previous.start.date()


def whole_weeks(shift: timedelta) -> timedelta:
    """The nearest whole number of weeks, so that weeks are compared with weeks."""
    return round(shift / WEEK) * WEEK


def earlier_runs(
    words: Language,
    course: Course,
    runs: Sequence[tuple[Course, Mapping[date, int]]],
    *,
    weekly: bool = False,
) -> Band:
    """Values of several runs on the same day of the course."""
    earlier = [last_run(words, course, run, values, weekly=weekly) for run, values in runs]
    return Band(words.text("Earlier runs"), earlier)


def drawn(earlier: Earlier | Band | None, days: Sequence[date]) -> dict[str, Any]:
    """The earlier values in the data of a chart over these days: as a line or a band."""
    if isinstance(earlier, Band):
        return {"band": earlier.edges(days)}
    return {"before": earlier.series(days)} if earlier is not None else {}


def choice_of(words: Language, period: Period, runs: Sequence[Course]) -> Choice | None:
    """The choice of comparisons; None if there is nothing to compare with (all days of an only run are
    shown).
    """
    options = [Link("", words.text("Nothing"), not period.compare)]
    if period.choice != periods.ALL:
        name = words.text("Period before, same weekdays")
        options.append(Link(periods.BEFORE, name, period.compare == periods.BEFORE))
    if runs:
        name = words.text("Last run (%(run)s), same course day", run=runs[0].run)
        options.append(Link(periods.RUN, name, period.compare == periods.RUN))
    if len(runs) > 1:
        name = words.texts(
            "%(n)s earlier run, same course day", "All %(n)s earlier runs, same course day", len(runs)
        )
        options.append(Link(periods.RUNS, name, period.compare == periods.RUNS))
    return Choice("compare", words.text("Compared with"), options) if len(options) > 1 else None


def from_to(low: N, high: N, show: Callable[[N], str]) -> str:
    """The range of several values; the value itself where it is the same in all."""
    return show(low) if low == high else f"{show(low)}–{show(high)}"


def column(words: Language, earlier: Earlier | Band, day_of: Callable[[R], date]) -> Column[R]:
    """The table column with the earlier values; a band is sorted by its upper end."""

    def value(row: R) -> int | None:
        found = earlier.on(day_of(row))
        return found[1] if isinstance(found, tuple) else found

    def show(row: R) -> str:
        found = earlier.on(day_of(row))
        return from_to(*found, words.number) if isinstance(found, tuple) else words.number(found)

    return Column("before", earlier.name, value, show, quiet=True)
