"""The activity of one learner by day, without gaps, up to the last day counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fastapi import Request

from pharos.insights.api import Row, day
from pharos.insights.freshness import last_day
from pharos.insights.language import noop
from pharos.insights.periods import DAY

TABLE = "module_engagement"
COUNTS = {
    "problems_attempted": noop("Problems tried"),
    "problems_completed": noop("Problems right"),
    "videos_viewed": noop("Videos"),
    "discussion_contributions": noop("Discussions"),
}


def last_day_counted(request: Request) -> date | None:
    """The last day for which engagement is counted."""
    return last_day(request, TABLE)


def every_day(rows: Sequence[Row], last: date | None) -> list[Row]:
    """A row for each day from the first one with engagement to the last one counted; gaps are zeros."""
    found = {day(row["date"]): row for row in rows}
    if not found:
        return []
    end = max(*found, last or date.min)
    first = min(found)
    days = [first + number * DAY for number in range((end - first).days + 1)]
    return [found.get(when) or {"date": when.isoformat(), **dict.fromkeys(COUNTS, 0)} for when in days]


def took_part(row: Row) -> bool:
    """True if the learner tried a problem, played a video or wrote in a discussion on the day."""
    return any(row[name] for name in COUNTS)
