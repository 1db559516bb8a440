"""Earlier values beside those of a report: of the period before, or of the last run of the course."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

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


@dataclass(frozen=True)
class Earlier:
    """Earlier values by their own days, and how many days they lie back."""

    name: str
    values: Mapping[date, int]
    shift: timedelta

    def on(self, day: date) -> int | None:
        """The value that is compared with that of the day; None where there was none."""
        return self.values.get(day - self.shift)

    def series(self, days: Sequence[date]) -> Series:
        """The values as the quiet line of a chart over these days."""
        return Series(self.name, GREY, [self.on(day) for day in days])


def period_before(words: Language, period: Period, values: Mapping[date, int]) -> Earlier:
    """The same values as many whole weeks ago as the period needs: Mondays beside Mondays."""
    return Earlier(words.text("Period before"), values, period.shift)


def last_run(
    words: Language, course: Course, previous: Course, values: Mapping[date, int], *, weekly: bool = False
) -> Earlier:
    """Values of the last run on the same day of the course; week beside week where they are weekly."""
    if course.start is None or previous.start is None:
        shift = timedelta(0)
    else:
        shift = course.start.date() - previous.start.date()
    if weekly:
        shift = round(shift / WEEK) * WEEK
    return Earlier(words.text("Last run"), values, shift)


def choice_of(words: Language, period: Period, previous: Course | None) -> Choice | None:
    """What one can compare with; None while there is nothing, as when all days of an only run are shown."""
    options = [Link("", words.text("Nothing"), not period.compare)]
    if period.choice != periods.ALL:
        name = words.text("Period before, same weekdays")
        options.append(Link(periods.BEFORE, name, period.compare == periods.BEFORE))
    if previous is not None:
        name = words.text("Last run (%(run)s), same course day", run=previous.run)
        options.append(Link(periods.RUN, name, period.compare == periods.RUN))
    return Choice("compare", words.text("Compared with"), options) if len(options) > 1 else None


def column(words: Language, earlier: Earlier, day_of: Callable[[R], date]) -> Column[R]:
    """The column of a table that has the earlier values."""

    def value(row: R) -> int | None:
        return earlier.on(day_of(row))

    return Column("before", earlier.name, value, lambda row: words.number(value(row)), quiet=True)
