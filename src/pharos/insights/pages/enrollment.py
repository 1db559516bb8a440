"""Enrollment Activity: how many learners a course has, by day and track (spec 06 §9.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import charts, comparison, navigation, periods
from pharos.insights.access import CourseInView, CoursesInView
from pharos.insights.api import Row, day
from pharos.insights.charts import Mark, Series
from pharos.insights.comparison import Earlier
from pharos.insights.controls import controls, period_of
from pharos.insights.directory import Course
from pharos.insights.language import Language, noop
from pharos.insights.marks import marks_of
from pharos.insights.periods import Period
from pharos.insights.reports import Figure, ReportPage, about, no_data_yet, strong
from pharos.insights.site import Site, TheSite
from pharos.insights.tables import Column, table

router = APIRouter()
WEEK = timedelta(days=7)
PAGE_SIZE = 14

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


@dataclass(frozen=True)
class Day:
    """Enrollment at the end of one UTC day."""

    day: date
    count: int
    ever: int | None
    tracks: dict[str, int]


@router.get("/courses/{course_id:course_page}/enrollment/activity/")
async def enrollment_activity(
    request: Request, course: CourseInView, view: CoursesInView, site: TheSite
) -> Response:
    """How many learners are in my course?"""
    words: Language = request.state.language
    rows, deadlines, previous = await asyncio.gather(
        site.api.enrollment_by_mode(course.course_id),
        site.directory.deadlines(course.course_id),
        site.directory.previous_run(course, view.visible),
    )
    days = days_of(rows)
    if not days:
        return site.renderer.render(request, _empty_page(request, words, course))
    period = period_of(request, course, days[0].day, days[-1].day, periods.BY_DAY)
    earlier = await _earlier(site, words, course, previous, period, days)
    report = _Report(course, days, period, marks_of(words, course, deadlines), earlier)
    page = ReportPage(
        **about(request, navigation.ENROLLMENT_ACTIVITY),
        **controls(request, course, period, days[0].day, days[-1].day, periods.BY_DAY, previous),
        answer=headline(words, days),
        figures_label=words.text("Enrollment metrics"),
        figures=tuple(_figures(words, report)),
        chart=_chart(words, report),
        table=_table(request, words, report),
        csv=f"{course.path}csv/enrollment/",
    )
    return site.renderer.render(request, page)


@dataclass(frozen=True)
class _Report:
    """What the page is made of."""

    course: Course
    days: list[Day]
    period: Period
    marks: list[Mark]
    earlier: Earlier | None


async def _earlier(
    site: Site, words: Language, course: Course, previous: Course | None, period: Period, days: Sequence[Day]
) -> Earlier | None:
    """What the URL asks to compare with, if it is there. Raises DataAPIError."""
    if period.compare == periods.BEFORE:
        return comparison.period_before(words, period, _counts(days))
    if period.compare == periods.RUN and previous is not None:
        rows = await site.api.enrollment_by_mode(previous.course_id)
        return comparison.last_run(words, course, previous, _counts(days_of(rows)))
    return None


def _counts(days: Sequence[Day]) -> dict[date, int]:
    return {item.day: item.count for item in days}


def days_of(rows: Sequence[Row]) -> list[Day]:
    """Every day from first to last; a missing one is as the day before it (spec 06 §9.4.2)."""
    filled: list[Day] = []
    for item in map(_day, rows):
        while filled and filled[-1].day + timedelta(days=1) < item.day:
            before = filled[-1]
            filled.append(Day(before.day + timedelta(days=1), before.count, before.ever, before.tracks))
        filled.append(item)
    return filled


def change_in_last_week(days: Sequence[Day]) -> int | None:
    """Net change over the last seven days; None without more than seven days (spec 06 §9.4.3)."""
    return days[-1].count - days[-8].count if len(days) > 7 else None  # noqa: PLR2004 - a week


def tracks_in_use(days: Sequence[Day]) -> list[str]:
    """Tracks that held anybody on any day, from the bottom of the stack up (spec 06 §9.4.5)."""
    return [track for track in TRACKS if any(item.tracks[track] for item in days)]


def headline(words: Language, days: Sequence[Day]) -> Markup:
    """The answer in one or two sentences."""
    last, change = days[-1], change_in_last_week(days)
    count = strong(words.number(last.count))
    base = last.count - change if change is not None else 0
    if change is None or base <= 0:
        first = words.htmls(
            "<strong>%(n)s learner</strong> is enrolled.",
            "<strong>%(n)s learners</strong> are enrolled.",
            last.count,
        )
    elif change > 0:
        first = words.html(
            "Enrollment <strong>grew %(percent)s</strong> in the last week to %(count)s.",
            percent=words.percent(change / base),
            count=count,
        )
    elif change < 0:
        first = words.html(
            "Enrollment <strong>fell %(percent)s</strong> in the last week to %(count)s.",
            percent=words.percent(-change / base),
            count=count,
        )
    else:
        first = words.html("Enrollment did not change in the last week: it is %(count)s.", count=count)
    verified = last.tracks["verified"]
    if not verified:
        return first
    second = words.htmls(
        "<strong>%(n)s</strong> is in the verified track.",
        "<strong>%(n)s</strong> are in the verified track.",
        verified,
    )
    return words.sentences(first, second)


def _empty_page(request: Request, words: Language, course: Course) -> ReportPage:
    return ReportPage(
        **about(request, navigation.ENROLLMENT_ACTIVITY),
        answer=words.html("<strong>Nobody has enrolled yet</strong>, or nothing has been counted."),
        empty=no_data_yet(words, course.path),
    )


def _figures(words: Language, report: _Report) -> list[Figure]:
    days = report.days
    last, change = days[-1], change_in_last_week(days)

    def of_current(count: int) -> str:
        share = count / last.count if last.count else None
        return words.text("%(percent)s of current", percent=words.percent(share)) if share is not None else ""

    figures = []
    if last.ever is not None:
        figures.append(
            Figure(
                "cumulative_enrollment",
                words.text("Total enrollment"),
                words.number(last.ever),
                words.text("ever enrolled"),
            )
        )
    figures.append(
        Figure(
            "current_enrollment",
            words.text("Current enrollment"),
            words.number(last.count),
            _against_last_run(words, report) or words.text("on %(day)s", day=words.day_of_month(last.day)),
        )
    )
    week = words.days(last.day - WEEK + timedelta(days=1), last.day)
    figures.append(
        Figure(
            "enrollment_change_last_7_days",
            words.text("Change in last week"),
            words.signed(change) if change is not None else words.text("not available"),
            week if change is not None else words.text("needs eight days of data"),
            word=change is None,
        )
    )
    for track, label in (
        ("verified", words.text("Verified enrollment")),
        ("masters", words.text("Master’s enrollment")),
    ):
        if any(item.tracks[track] for item in days):
            count = last.tracks[track]
            figures.append(Figure(f"{track}_enrollment", label, words.number(count), of_current(count)))
    return figures


def _against_last_run(words: Language, report: _Report) -> str:
    """The last count against that of the last run, if that is what it is compared with."""
    last = report.days[-1]
    if report.earlier is None or report.period.compare != periods.RUN:
        return ""
    before = report.earlier.on(last.day)
    return (
        words.text("%(change)s against last run", change=words.signed(last.count - before)) if before else ""
    )


def _chart(words: Language, report: _Report) -> charts.Chart:
    days, period = report.days, report.period
    shown = [item for item in days if item.day in period]
    if len(shown) == 1:  # one point is no line: the day before had nobody (spec 06 §9.4.4)
        only = shown[0]
        before = next((d for d in days if d.day == only.day - timedelta(days=1)), None)
        shown.insert(0, before or Day(only.day - timedelta(days=1), 0, 0, dict.fromkeys(TRACKS, 0)))
    tracks = tracks_in_use(days) or ["other"]
    first, last = shown[0], shown[-1]
    return charts.trend(
        title=words.text("Daily learner enrollment"),
        caption=words.text("Learners enrolled at the end of each day, after unenrollments"),
        description=words.text(
            "Current enrollment by track, %(days)s: from %(first)s to %(last)s. Use the arrow keys to read "
            "day by day.",
            days=words.days(first.day, last.day),
            first=words.number(first.count),
            last=words.number(last.count),
        ),
        file_name="-".join([*report.course.parts, "enrollment"]),
        days=[item.day for item in shown],
        series=[
            Series(words.text(TRACKS[track][0]), TRACKS[track][1], [item.tracks[track] for item in shown])
            for track in tracks
        ],
        total=words.text("All tracks"),
        before=report.earlier.series([item.day for item in shown]) if report.earlier else None,
        marks=report.marks,
        mark_word=words.text("Course dates and deadlines"),
    )


def _table(request: Request, words: Language, report: _Report) -> Any:
    days, period, earlier = report.days, report.period, report.earlier
    by_day = {item.day: item for item in days}
    marks = {mark.day: mark.name for mark in report.marks}

    def change(item: Day) -> int | None:
        before = by_day.get(item.day - timedelta(days=1))
        return item.count - before.count if before else None

    def name(item: Day) -> Markup:
        mark = marks.get(item.day)
        flag = Markup(' <span class="flag">{}</span>').format(mark) if mark else ""
        return Markup('<time datetime="{}">{}</time>{}').format(
            item.day.isoformat(), words.weekday(item.day, beside=days[-1].day), flag
        )

    def track_column(track: str) -> Column[Day]:
        return Column(
            track,
            words.text(TRACKS[track][0]),
            lambda item: item.tracks[track],
            lambda item: words.number(item.tracks[track]),
        )

    columns: list[Column[Day]] = [
        Column("date", words.text("Date"), lambda item: item.day, name, numeric=False, tight=True),
        Column(
            "count", words.text("Current"), lambda item: item.count, lambda item: words.number(item.count)
        ),
        Column("change", words.text("Change"), change, lambda item: words.signed(change(item))),
        *(track_column(track) for track in reversed(tracks_in_use(days))),
    ]
    if earlier is not None:
        columns.append(comparison.column(words, earlier, lambda item: item.day))
    return table(
        request,
        words.text("Enrollment over time"),
        columns,
        [item for item in days if item.day in period],
        sort="-date",
        page_size=PAGE_SIZE,
        number=words.number,
    )


def _day(row: Row) -> Day:
    """A row of `enrollment/mode`. Its keys may add up to less than its count (spec 05 §5.4): other tracks."""
    tracks = {track: row.get(track) or 0 for track in TRACKS if track != "other"}
    tracks["other"] = max(0, row["count"] - sum(tracks.values()))
    return Day(day(row["date"]), row["count"], row.get("cumulative_count"), tracks)
