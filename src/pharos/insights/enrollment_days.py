"""Enrollment of a course day by day, without gaps (spec 06 §9.4)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pharos.insights.api import Row, day
from pharos.insights.gaps import every_day
from pharos.insights.language import noop
from pharos.insights.periods import DAY, Period

# Tracks from the bottom of the stack up: the smallest that matters lies lowest.
TRACKS = {
    "verified": (noop("Verified"), "s2"),
    "masters": (noop("Master’s"), "s3"),
    "professional": (noop("Professional"), "s5"),
    "credit": (noop("Verified with credit"), "s6"),
    "honor": (noop("Honor"), "s4"),
    "audit": (noop("Audit"), "s1"),
    "other": (noop("Other tracks"), "n0"),
}
WEEK = timedelta(days=7)
NO_FLOW: Row = {"joined": 0, "left": 0}


@dataclass(frozen=True)
class Day:
    """Enrollment at the end of one UTC day."""

    day: date
    count: int
    ever: int | None
    tracks: Mapping[str, int]
    joined: int | None = None
    """Learners who joined on the day; None where joining and leaving are not counted."""
    left: int | None = None
    passing: int | None = None
    """Learners who had passed by the end of the day; None where nobody ever did."""


NOBODY = Day(date.min, 0, 0, dict.fromkeys(TRACKS, 0))


@dataclass(frozen=True)
class Growth:
    """The change of enrollment from the start of `first` to the end of `last`."""

    first: date
    last: Day
    before: int
    """Learners at the end of the day before the first; 0 before the first day that is counted."""
    joined: int | None
    """Sum of the learners who joined on each day; None where that is not counted."""
    left: int | None

    @property
    def change(self) -> int:
        return self.last.count - self.before


def days_of(
    rows: Sequence[Row],
    last: date | None = None,
    flows: Sequence[Row] | None = None,
    passed: Sequence[Row] = (),
    history_until: date | None = None,
) -> list[Day]:
    """Every day from the first row to the day `last`, or to the last row; empty if there are no rows.

    `flows` are the days on which learners joined or left; None if that is not computed. It is not computed
    for days up to `history_until`, which another program counted. `passed` are the days on which learners
    passed.
    """
    flowing = with_flows(every_day(rows, last), flows, history_until)
    return [_day(row) for row in with_passing(flowing, passed)]


def with_flows(
    rows: Sequence[Row], flows: Sequence[Row] | None, history_until: date | None = None
) -> list[Row]:
    """The rows of days with the keys joined and left, 0 on days without a flow.

    Without these keys if `flows` is None, and up to the day `history_until`.
    """
    if flows is None:
        return list(rows)
    counted_from = (history_until + DAY).isoformat() if history_until else ""
    by_day = {flow["date"]: flow for flow in flows}
    found = []
    for row in rows:
        flow = by_day.get(row["date"], NO_FLOW)
        known = row["date"] >= counted_from
        found.append({**row, "joined": flow["joined"], "left": flow["left"]} if known else row)
    return found


def with_passing(rows: Sequence[Row], passed: Sequence[Row]) -> list[Row]:
    """The rows with the key `passing`: learners who have passed up to that day. Unchanged if nobody ever
    passed.
    """
    if not passed:
        return list(rows)
    found, so_far, waiting = [], 0, deque(passed)
    for row in rows:
        while waiting and waiting[0]["date"] <= row["date"]:
            so_far += waiting.popleft()["passed"]
        found.append({**row, "passing": so_far})
    return found


def counts(days: Sequence[Day]) -> dict[date, int]:
    """Learners by day."""
    return {item.day: item.count for item in days}


def tracks_in_use(days: Sequence[Day]) -> list[str]:
    """Tracks with a learner on any day, from the bottom of the stack up (spec 06 §9.4.5)."""
    return [track for track in TRACKS if any(item.tracks[track] for item in days)]


def growth(days: Sequence[Day], first: date, last: date) -> Growth:
    """The growth over the days from first to last; `last` is one of the days."""
    by_day = {item.day: item for item in days}
    before, end = by_day.get(first - DAY, NOBODY), by_day[last]
    within = [item for item in days if first <= item.day <= last]
    if any(item.joined is None for item in within):
        return Growth(first, end, before.count, None, None)
    joined, left = sum(item.joined or 0 for item in within), sum(item.left or 0 for item in within)
    return Growth(first, end, before.count, joined, left)


def growth_in_week(days: Sequence[Day]) -> Growth:
    """The growth over the seven days that end with the last one."""
    last = days[-1].day
    return growth(days, last - WEEK + DAY, last)


def growth_in(days: Sequence[Day], period: Period) -> Growth:
    """The growth over the days of the period."""
    return growth(days, period.start, period.last)


def _day(row: Row) -> Day:
    """A day from a row of `enrollment/mode`. If its modes add up to less than its count, the rest is other
    tracks (spec 05 §5.4).
    """
    tracks = {track: row.get(track) or 0 for track in TRACKS if track != "other"}
    tracks["other"] = max(0, row["count"] - sum(tracks.values()))
    return Day(
        day(row["date"]),
        row["count"],
        row.get("cumulative_count"),
        tracks,
        row.get("joined"),
        row.get("left"),
        row.get("passing"),
    )
