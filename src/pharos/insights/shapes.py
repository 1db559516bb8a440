"""Sparklines: the shape of a course's enrollment over twelve weeks, as points of an SVG path."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta

from pharos.insights import waiting
from pharos.insights.api import DataAPI, DataAPIError
from pharos.insights.refreshed import Refreshed

WEEKS = 12
FRESH_S = 600.0
STALE_S = 24 * 3600.0
MOST_AT_ONCE = 8


class Shapes:
    """Shapes of many courses, each fetched once and cached for ten minutes."""

    def __init__(self, api: DataAPI) -> None:
        self._api = api
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._kept: Refreshed[tuple[str, date], str] = Refreshed(
            self._ask,
            fresh_s=FRESH_S,
            stale_s=STALE_S,
            forgiven=DataAPIError,
            patience=waiting.for_services,
        )

    async def of(self, course_ids: Sequence[str], until: date) -> dict[str, str]:
        """Course id -> shape up to the day; without courses whose numbers could not be read."""
        found = await asyncio.gather(
            *(self._kept.get((course_id, until)) for course_id in course_ids), return_exceptions=True
        )
        return {
            course_id: points
            for course_id, points in zip(course_ids, found, strict=True)
            if isinstance(points, str)
        }

    async def _ask(self, key: tuple[str, date]) -> str:
        course_id, until = key
        async with self._turns:
            rows = await self._api.enrollment_between(course_id, until - timedelta(weeks=WEEKS), until)
        return points_of([row["count"] for row in rows])


def points_of(values: Sequence[float]) -> str:
    """The values as points of a line in a box of 96 by 24; empty for fewer than two values.

    The range is at least a fifth of the largest value, so that a flat course looks flat.
    """
    if len(values) < 2:  # noqa: PLR2004 - one point is no line
        return ""
    top = max(values)
    low = min(*values, top * 0.8)
    span = (top - low) or 1
    step = 96 / (len(values) - 1)
    return " ".join(f"{i * step:.1f},{21 - 18 * (v - low) / span:.1f}" for i, v in enumerate(values))
