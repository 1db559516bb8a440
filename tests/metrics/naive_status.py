"""The rules of the status of learners written down once more, learner by learner, in plain Python."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from tests.metrics.naive import Enrollment, effective
from tests.metrics.naive_engagement import Act, names

Status = tuple[str, str, date | None, date, date | None, date | None, int | None, int | None, int | None]


def active_days(acts: Iterable[Act]) -> dict[tuple[str, int], list[date]]:
    """(course, number) -> the days with activity, in order."""
    acts = list(acts)
    shown = names(acts, {})
    found: dict[tuple[str, int], set[date]] = {}
    for act in acts:
        user = act.user
        if not user:
            mine = shown.get((act.course, act.user, act.name or ""))
            same = [
                one.user for one in acts
                if one.user and one.course == act.course and mine and one.name
                and shown[one.course, one.user, one.name] == mine
            ]  # fmt: skip
            user = min(same, default=None)
        if user:
            found.setdefault((act.course, user), set()).add(act.day)
    return {learner: sorted(days) for learner, days in found.items()}


def statuses(
    events: Iterable[Enrollment],
    acts: Iterable[Act],
    grades: Iterable[dict[str, Any]],
    last_day: date,
    pauses: dict[str, tuple[int, int]],
) -> dict[tuple[str, int], Status]:
    """(course, number) -> all other columns."""
    days_of, grades = active_days(acts), list(grades)
    found = {}
    for (course, user), changes in effective(events).items():
        days = days_of.get((course, user), [])
        passed = [
            grade["passed_timestamp"].date() for grade in grades
            if (grade["course_id"], grade["user_id"]) == (course, user) and grade["letter_grade"]
            and grade["passed_timestamp"] and grade["passed_timestamp"].date() <= last_day
        ]  # fmt: skip
        told = status(days, last_day, *pauses.get(course, (7, 14)))
        if passed:
            told = ("passed", "passing grade", min(passed), None, None, None)
        last, enrolled, _ = changes[-1]
        if not enrolled:
            told = ("left", "unenrolled", last.time.date(), None, None, None)
        if told[1] == "no activity":
            told = (*told[:2], changes[0][0].time.date(), *told[3:])
        ends = (days[0], days[-1]) if days else (None, None)
        found[course, user] = (*told[:3], changes[0][0].time.date(), *ends, *told[3:])
    return found


def status(
    days: list[date], last_day: date, slowing: int, quiet: int
) -> tuple[str, str, date | None, int | None, int | None, int | None]:
    """By activity alone: (status, rule, since, pause_days, days_week, days_before)."""
    if not days:
        return "never started", "no activity", None, None, None, None
    pause = (last_day - days[-1]).days
    if pause >= quiet:
        return "quiet", "pause", days[-1] + timedelta(quiet), quiet, None, None
    if pause >= slowing:
        return "slowing down", "pause", days[-1] + timedelta(slowing), slowing, None, None
    week = sum((last_day - day).days < 7 for day in days)
    before = sum(7 <= (last_day - day).days < 14 for day in days)
    if before >= 4 and week * 2 <= before and pause >= 3:
        return "slowing down", "fewer days", None, None, week, before
    back = days[0]
    for one, following in pairwise(days):
        if (following - one).days >= slowing:
            back = following
    return "active", "recent activity", back, slowing, None, None
