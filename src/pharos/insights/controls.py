"""The controls of a report over time: period, dates and comparison; the URL holds their state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fastapi import Request

from pharos.insights import comparison, periods
from pharos.insights.directory import Course
from pharos.insights.language import Language, noop
from pharos.insights.periods import Correction, Period
from pharos.insights.rendering import Link, with_query
from pharos.insights.reports import keep

NAMES = {
    "7d": noop("7 days"),
    "30d": noop("30 days"),
    "90d": noop("90 days"),
    "4w": noop("4 weeks"),
    "12w": noop("12 weeks"),
    periods.SINCE_START: noop("Since start"),
    periods.ALL: noop("All"),
}
CORRECTIONS = {
    Correction.UNREADABLE: noop("A date in the address cannot be read, so all days are shown."),
    Correction.SWAPPED: noop(
        "The first day was after the last; shown are the days from %(first)s to %(last)s."
    ),
    Correction.OUTSIDE: noop("None of these days is counted, so all days are shown: %(first)s to %(last)s."),
    Correction.CUT: noop("Not all of these days are counted; shown are those from %(first)s to %(last)s."),
    Correction.WHOLE_WEEKS: noop(
        "Learners are counted by whole weeks; shown are those from %(first)s to %(last)s."
    ),
    Correction.UNKNOWN: noop("This report has no such period, so all days are shown."),
}


def period_of(
    request: Request,
    course: Course,
    first: date,
    last: date,
    lengths: Mapping[str, int],
    *,
    weekly: bool = False,
) -> Period:
    """The period in the URL, within the counted days from first to last."""
    return periods.chosen(request.query_params, first, last, _start(course), lengths, weekly=weekly)


def controls(
    request: Request,
    course: Course,
    period: Period,
    first: date,
    last: date,
    lengths: Mapping[str, int],
    runs: Sequence[Course],
) -> dict[str, Any]:
    """The fields of a `ReportPage` for its controls."""
    words: Language = request.state.language
    return {
        "periods": tuple(_links(request, words, period, _offered(course, first, last, lengths))),
        "custom_period": (period.start.isoformat(), period.last.isoformat()),
        "period_shown": words.days(period.start, period.last) if period.choice == periods.CUSTOM else "",
        "correction": _correction(words, period),
        "comparison": comparison.choice_of(words, period, runs),
        "drawn_as": _drawn_as(request, words),
        "hidden": keep(request, "sort", "compare", "draw", "language"),
        "kept_period": keep(request, "period", "from", "to"),
    }


def files(course: Course, name: str, period: Period | None = None) -> dict[str, Any]:
    """The fields of a `ReportPage` for links to its files, with the days of the period."""
    query = ""
    if period is not None and period.choice != periods.ALL:
        query = f"?from={period.start.isoformat()}&to={period.last.isoformat()}"
    return {kind: f"{course.path}{kind}/{name}/{query}" for kind in ("csv", "xlsx")}


def _correction(words: Language, period: Period) -> str:
    if period.correction is None:
        return ""
    first, last = words.day(period.start), words.day(period.last)
    return words.text(CORRECTIONS[period.correction], first=first, last=last)


def _offered(course: Course, first: date, last: date, lengths: Mapping[str, int]) -> set[str]:
    """The periods that differ from all days, and all days."""
    offered = {periods.ALL} | {c for c, length in lengths.items() if (last - first).days + 1 > length}
    start = _start(course)
    if start is not None and first < start <= last:
        offered.add(periods.SINCE_START)
    return offered


def _links(request: Request, words: Language, period: Period, offered: set[str]) -> list[Link]:
    changes: dict[str, str | None] = {"page": None, "from": None, "to": None}
    return [
        Link(
            with_query(request, period=choice if choice != periods.ALL else None, **changes),
            words.text(name),
            choice == period.choice,
        )
        for choice, name in NAMES.items()
        if choice in offered
    ]


def _drawn_as(request: Request, words: Language) -> tuple[Link, ...]:
    lines = request.query_params.get("draw") == "lines"
    return (
        Link(with_query(request, draw=None), words.text("Stacked"), not lines),
        Link(with_query(request, draw="lines"), words.text("Lines"), lines),
    )


def _start(course: Course) -> date | None:
    return course.start.date() if course.start else None
