"""The first day of the pages' weeks, and the end of the last complete week."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from fastapi import Request

from pharos.insights.api import SITE_WEEKS, Definition
from pharos.insights.freshness import last_day
from pharos.insights.periods import DAY
from pharos.insights.site import site_of

FIRST_WEEKDAYS = {"monday": 0, "saturday": 5, "sunday": 6}
SUNDAY = FIRST_WEEKDAYS["sunday"]


def week_so_far(request: Request, table: str) -> date | None:
    """The last day of the week that is not complete in the table; None where there is no such week.

    It is counted from Monday on: where weeks begin on another day, there is none to show.
    """
    last = last_day(request, table)
    if week_start(request) != "monday" or last is None or last.weekday() == SUNDAY:
        return None
    return last


def end_of_weeks(request: Request, table: str) -> date | None:
    """The end of the last week that is complete in the table; None where its publication is not known.

    Weeks begin as the site wants (`counting.week_start`), where they are counted so; else on Monday.
    """
    definitions: Mapping[str, Definition] = request.state.definitions
    definition = definitions.get(table)
    if definition is None or definition.until is None:
        return None
    until = definition.until.date()
    return until - timedelta(days=(until.weekday() - FIRST_WEEKDAYS[week_start(request)]) % 7) - DAY


def week_start(request: Request) -> str:
    """With which day the weeks of the pages begin."""
    definition = request.state.definitions.get(SITE_WEEKS)
    wanted = site_of(request).settings.counting.week_start
    return wanted if definition is not None and definition.until is not None else "monday"
