"""Fills gaps in rows of the Data API: every day and every week up to the last one counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from pharos.insights.api import Row, day
from pharos.insights.periods import DAY

KINDS = ("any", "played_video", "attempted_problem", "posted_forum")
WEEK = timedelta(days=7)


def every_day(rows: Sequence[Row], last: date | None = None) -> list[Row]:
    """A row for each day from the first row to the day `last`, or to the last row.

    Enrollment is a state: a day without a row repeats the day before it (spec 06 §9.4.2).
    """
    filled: list[Row] = []
    for row in rows:
        _carry_on(filled, day(row["date"]) - DAY)
        filled.append(row)
    if last is not None:
        _carry_on(filled, last)
    return filled


def _carry_on(rows: list[Row], last: date) -> None:
    while rows and (newest := day(rows[-1]["date"])) < last:
        rows.append({**rows[-1], "date": (newest + DAY).isoformat()})


def every_week(rows: Sequence[Row], last: date | None = None) -> list[Row]:
    """A row for each week from the first row to the week that ends with the day `last`, or to the last row.

    A week without a row, or a kind without a key, had no activity and is zero (spec 06 §9.9.1, §9.9.4).
    """
    filled: list[Row] = []
    for row in rows:
        _add_zeros(filled, day(row["interval_end"]) - WEEK)
        filled.append(row | {kind: row.get(kind) or 0 for kind in KINDS})
    if last is not None:
        _add_zeros(filled, last + DAY)
    return filled


def _add_zeros(rows: list[Row], end: date) -> None:
    """Zero weeks up to the one with this `interval_end`."""
    while rows and (newest := day(rows[-1]["interval_end"])) < end:
        week = {"interval_start": _midnight(newest), "interval_end": _midnight(newest + WEEK)}
        rows.append({**rows[-1], **dict.fromkeys(KINDS, 0), **week})


def _midnight(value: date) -> str:
    return f"{value.isoformat()}T000000"
