"""The first day of the pages' weeks, and the end of the last complete week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fastapi import Request

from pharos.insights.api import SITE_WEEKS, Definition
from pharos.insights.freshness import last_day
from pharos.insights.periods import DAY
from pharos.insights.site import site_of
from pharos.weeks import WEEKDAYS, WeekStart, week_of


@dataclass(frozen=True)
class WeekSoFar:
    """The days of an incomplete week that are counted."""

    first: date
    last: date


def week_so_far(request: Request, table: str) -> WeekSoFar | None:
    """The table's incomplete week; None if there is no such week."""
    last, complete = last_day(request, table), end_of_weeks(request, table)
    if last is None or complete is None or last <= complete:
        return None
    return WeekSoFar(complete + DAY, last)


def end_of_weeks(request: Request, table: str) -> date | None:
    """The end of the table's last complete week; None if its publication is unknown.

    Weeks begin on the site's weekday (`counting.week_start`) if they are counted so; else on Monday.
    """
    definitions: Mapping[str, Definition] = request.state.definitions
    definition = definitions.get(table)
    if definition is None or definition.until is None:
        return None
    return week_of(definition.until.date(), WEEKDAYS[week_start(request)]) - DAY


def week_start(request: Request) -> WeekStart:
    """The weekday on which the pages' weeks begin."""
    definition = request.state.definitions.get(SITE_WEEKS)
    wanted = site_of(request).settings.counting.week_start
    return wanted if definition is not None and definition.until is not None else "monday"
