"""Enrollment Activity: number of learners by day and track (spec 06 §9.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import charts, comparison, navigation, periods
from pharos.insights import enrollment_sentences as sentences
from pharos.insights.access import CourseInView, CoursesInView
from pharos.insights.charts import Mark, Series
from pharos.insights.comparison import Band, Earlier
from pharos.insights.controls import controls, files, period_of
from pharos.insights.directory import Course
from pharos.insights.enrollment_days import (
    NOBODY,
    TRACKS,
    Day,
    Growth,
    counts,
    days_of,
    growth_in,
    growth_in_week,
    tracks_in_use,
)
from pharos.insights.freshness import last_day, last_day_of_history
from pharos.insights.language import Language
from pharos.insights.marks import marks_of
from pharos.insights.periods import DAY, Period
from pharos.insights.reconciled import in_words as reconciled_in_words
from pharos.insights.rendering import Link, with_query
from pharos.insights.reports import Figure, ReportPage, about, no_data_yet
from pharos.insights.roster import ENROLLED, roster_path
from pharos.insights.site import Site, TheSite
from pharos.insights.tables import Column, table

router = APIRouter()
PAGE_SIZE = 14


@router.get("/courses/{course_id:course_page}/enrollment/activity/")
async def enrollment_activity(
    request: Request, course: CourseInView, view: CoursesInView, site: TheSite
) -> Response:
    """How many learners are in my course?"""
    words: Language = request.state.language
    rows, flows, passed, reconciled, deadlines, runs = await asyncio.gather(
        site.api.enrollment_by_mode(course.course_id),
        site.api.enrollment_flow(course.course_id),
        site.api.passing(course.course_id),
        site.api.reconciliation(course.course_id),
        site.directory.deadlines(course.course_id),
        site.directory.earlier_runs(course, view.visible),
    )
    table_shown = navigation.ENROLLMENT_ACTIVITY.table
    history_until = last_day_of_history(request, table_shown)
    days = days_of(rows, last_day(request, table_shown), flows, passed, history_until)
    if not days:
        return site.renderer.render(request, _empty_page(request, words, course))
    period = period_of(request, course, days[0].day, days[-1].day, periods.BY_DAY)
    beside = await _beside(site, words, course, runs, period, days)
    marks = marks_of(words, course, deadlines)
    report = _Report(
        request,
        course,
        days,
        period,
        growth_in(days, period),
        marks,
        shows_learners=site.settings.shows_learners_of(course.organisation),
        **beside,
    )
    page = ReportPage(
        **about(request, navigation.ENROLLMENT_ACTIVITY),
        **controls(request, course, period, days[0].day, days[-1].day, periods.BY_DAY, runs),
        answer=headline(words, report),
        figures_label=words.text("Enrollment metrics"),
        figures=tuple(_figures(words, report)),
        chart=_chart(words, report),
        table=_table(request, words, report),
        differences=reconciled_in_words(words, reconciled),
        **files(course, "enrollment", period),
    )
    return site.renderer.render(request, page)


@dataclass(frozen=True)
class _Report:
    """The data of the page."""

    request: Request
    course: Course
    days: list[Day]
    period: Period
    growth: Growth
    marks: list[Mark]
    earlier: Earlier | Band | None = None
    verified: Earlier | Band | None = None
    """Learners in the verified track of the last run or of all earlier runs, if they are compared with."""
    passing: Earlier | Band | None = None
    """Learners who had passed in what is compared with."""
    shows_learners: bool = False

    def rows_by(self, column: str) -> str:
        """Address of the table, sorted by the column, the highest value first."""
        return f"{with_query(self.request, sort=f'-{column}', page=None)}#table"

    def people(self, label: str, **filters: str) -> Link | None:
        """The learners behind a figure of the last day, if single learners are shown."""
        if not self.shows_learners or self.growth.last.day != self.days[-1].day:
            return None
        return Link(roster_path(self.course, urlencode(filters)), label)


async def _beside(
    site: Site,
    words: Language,
    course: Course,
    runs: Sequence[Course],
    period: Period,
    days: Sequence[Day],
) -> dict[str, Any]:
    """The fields of a report for the comparison in the URL, if there are any. Raises DataAPIError."""
    if period.compare == periods.BEFORE:
        return {"earlier": comparison.period_before(words, period, counts(days))}
    if period.compare == periods.RUN and runs:
        then = await _days_of_run(site, runs[0], days[-1].day)
        return {
            "earlier": comparison.last_run(words, course, runs[0], counts(then)),
            "verified": comparison.last_run(words, course, runs[0], _verified(then)),
            "passing": comparison.last_run(words, course, runs[0], _passing(then)),
        }
    if period.compare == periods.RUNS and len(runs) > 1:
        found = await asyncio.gather(*(_days_of_run(site, run, days[-1].day) for run in runs))

        def band(values: Callable[[list[Day]], dict[date, int]]) -> Band:
            by_run = [(run, values(then)) for run, then in zip(runs, found, strict=True)]
            return comparison.earlier_runs(words, course, by_run)

        return {"earlier": band(counts), "verified": band(_verified), "passing": band(_passing)}
    return {}


async def _days_of_run(site: Site, run: Course, last: date) -> list[Day]:
    """Every day of an earlier run up to the day, with the learners who had passed by then."""
    rows, passed = await asyncio.gather(
        site.api.enrollment_by_mode(run.course_id), site.api.passing(run.course_id)
    )
    return days_of(rows, last, passed=passed)


def _verified(days: Sequence[Day]) -> dict[date, int]:
    """Learners in the verified track, by day."""
    return {item.day: item.tracks["verified"] for item in days}


def _passing(days: Sequence[Day]) -> dict[date, int]:
    """Number of learners who had passed, by day; 0 if nobody ever passed."""
    return {item.day: item.passing or 0 for item in days}


def headline(words: Language, report: _Report) -> Markup:
    """The answer: the number of learners or its change in the period, and the comparison."""
    last = report.growth.last
    if report.period.choice == periods.ALL:
        parts = [sentences.enrolled(words, last)]
    else:
        parts = [
            sentences.changed(words, report.growth),
            sentences.joined_and_left(words, report.growth),
        ]
    if isinstance(report.earlier, Band):
        parts.append(sentences.against_runs(words, report.earlier.on(last.day)))
    elif report.earlier is not None and report.period.compare == periods.RUN:
        then = report.earlier.on(last.day)
        parts.append(sentences.against_last_run(words, last.count, then, last.day))
    parts.append(sentences.verified(words, last))
    several = isinstance(report.earlier, Band)
    parts.append(sentences.verified_share(words, last, _earlier_verified_shares(report), several=several))
    passed = report.passing.on(last.day) if report.passing is not None else None
    parts.append(sentences.passing(words, last.passing, passed))
    return words.sentences(*filter(None, parts))


def _empty_page(request: Request, words: Language, course: Course) -> ReportPage:
    return ReportPage(
        **about(request, navigation.ENROLLMENT_ACTIVITY),
        answer=words.html("<strong>Nobody has enrolled yet</strong>, or nothing has been counted."),
        empty=no_data_yet(words, course.path),
    )


def _figures(words: Language, report: _Report) -> list[Figure]:
    last = report.growth.last

    def of_current(track: str) -> str:
        """The share, beside it that of earlier runs or how many came in the days shown."""
        if not last.count:
            return ""
        share = words.percent(last.tracks[track] / last.count)
        earlier = _earlier_verified_shares(report) if track == "verified" else []
        if earlier:
            then = comparison.from_to(min(earlier), max(earlier), words.percent)
            if isinstance(report.earlier, Band):
                return words.text("%(percent)s of current; earlier runs %(range)s", percent=share, range=then)
            return words.text("%(percent)s of current; last run %(then)s", percent=share, then=then)
        if report.period.choice == periods.ALL:
            return words.text("%(percent)s of current", percent=share)
        before = next((d for d in report.days if d.day == report.period.start - DAY), NOBODY)
        change = words.signed(last.tracks[track] - before.tracks[track])
        return words.text("%(percent)s of current; %(change)s in these days", percent=share, change=change)

    figures = []
    if last.ever is not None:
        figures.append(
            Figure(
                "cumulative_enrollment",
                words.text("Total enrollment"),
                words.number(last.ever),
                words.text("ever enrolled"),
                href=report.rows_by("ever"),
                people=report.people(words.text("See the learners")),
            )
        )
    figures.append(
        Figure(
            "current_enrollment",
            words.text("Current enrollment"),
            words.number(last.count),
            _against_last_run(words, report) or words.text("on %(day)s", day=words.day_of_month(last.day)),
            href=report.rows_by("date"),
            people=report.people(words.text("See the learners"), segment=ENROLLED),
        )
    )
    figures += _change(words, report)
    for track, label in (
        ("verified", words.text("Verified enrollment")),
        ("masters", words.text("Master’s enrollment")),
    ):
        if any(item.tracks[track] for item in report.days):
            figures.append(
                Figure(
                    f"{track}_enrollment",
                    label,
                    words.number(last.tracks[track]),
                    of_current(track),
                    href=report.rows_by(track),
                    people=report.people(words.text("See the learners"), segment=ENROLLED, track=track),
                )
            )
    if last.passing is not None:
        figures.append(
            Figure(
                "passing",
                words.text("Passing"),
                words.number(last.passing),
                _passing_note(words, report),
                href=report.rows_by("passing"),
            )
        )
    return figures


def _passing_note(words: Language, report: _Report) -> str:
    """Passed learners of earlier runs on this day of the course; or learners who passed in the days shown."""
    last = report.growth.last
    if isinstance(report.passing, Band):
        found = report.passing.on(last.day)
        return (
            words.text("earlier runs %(range)s", range=comparison.from_to(*found, words.number))
            if found
            else ""
        )
    if isinstance(report.passing, Earlier):
        then = report.passing.on(last.day)
        return words.text("last run %(then)s", then=words.number(then)) if then is not None else ""
    if report.period.choice == periods.ALL:
        return words.text("on %(day)s", day=words.day_of_month(last.day))
    before = next((d for d in report.days if d.day == report.period.start - DAY), NOBODY)
    change = words.signed((last.passing or 0) - (before.passing or 0))
    return words.text("%(change)s in these days", change=change)


def _change(words: Language, report: _Report) -> list[Figure]:
    """The change in the period; for all days, that of the last seven. With learners who joined and left."""
    if report.period.choice == periods.ALL:
        week = growth_in_week(report.days)
        label, changed = words.text("Change in 7 days"), week
    else:
        label, changed = words.text("Change in these days"), report.growth
    days = words.days(changed.first, changed.last.day)
    found = [
        Figure(
            "enrollment_change_last_7_days",
            label,
            words.signed(changed.change),
            days,
            href=report.rows_by("change"),
        )
    ]
    if changed.joined is not None:
        found += [
            Figure(
                "joined",
                words.text("Joined"),
                words.number(changed.joined),
                days,
                href=report.rows_by("joined"),
            ),
            Figure(
                "left",
                words.text("Left"),
                words.number(changed.left),
                days,
                href=report.rows_by("left"),
                people=report.people(words.text("See everybody who has left"), status="left"),
            ),
        ]
    return found


def _earlier_verified_shares(report: _Report) -> list[float]:
    """The verified share on the same day of the course: of the last run or of each earlier run."""
    day = report.growth.last.day
    pairs = [
        (verified.on(day), enrolled.on(day))
        for verified, enrolled in zip(_runs(report.verified), _runs(report.earlier), strict=False)
    ]
    return [verified / count for verified, count in pairs if count and verified is not None]


def _runs(earlier: Earlier | Band | None) -> Sequence[Earlier]:
    """The single runs that are compared with."""
    if isinstance(earlier, Band):
        return earlier.runs
    return [earlier] if earlier is not None else []


def _against_last_run(words: Language, report: _Report) -> str:
    """The last count compared with the last run's; empty if that is not the comparison."""
    last = report.growth.last
    if not isinstance(report.earlier, Earlier) or report.period.compare != periods.RUN:
        return ""
    before = report.earlier.on(last.day)
    return (
        words.text("%(change)s against last run", change=words.signed(last.count - before))
        if before is not None
        else ""
    )


def _chart(words: Language, report: _Report) -> charts.Chart:
    days, period = report.days, report.period
    shown = [item for item in days if item.day in period]
    if len(shown) == 1:  # one point is no line: add the day before, or zeros (spec 06 §9.4.4)
        only = shown[0]
        before = next((d for d in days if d.day == only.day - DAY), NOBODY)
        shown.insert(0, replace(before, day=only.day - DAY))
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
        **comparison.drawn(report.earlier, [item.day for item in shown]),
        marks=report.marks,
        mark_word=words.text("Course dates and deadlines"),
    )


def _table(request: Request, words: Language, report: _Report) -> Any:
    days, period, earlier = report.days, report.period, report.earlier
    by_day = {item.day: item for item in days}
    marks = {mark.day: mark.name for mark in report.marks}

    def change(item: Day) -> int:
        return item.count - by_day.get(item.day - DAY, NOBODY).count

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
            optional=track != "verified",
        )

    columns: list[Column[Day]] = [
        Column("date", words.text("Date"), lambda item: item.day, name, numeric=False, tight=True),
        Column(
            "count", words.text("Current"), lambda item: item.count, lambda item: words.number(item.count)
        ),
        Column("change", words.text("Change"), change, lambda item: words.signed(change(item))),
        *(_flow_columns(words) if days[-1].joined is not None else ()),
        *(track_column(track) for track in reversed(tracks_in_use(days))),
    ]
    if days[-1].ever is not None:
        columns.append(
            Column(
                "ever",
                words.text("Total"),
                lambda item: item.ever,
                lambda item: words.number(item.ever),
                optional=True,
            )
        )
    if days[-1].passing is not None:
        columns.append(
            Column(
                "passing",
                words.text("Passing"),
                lambda item: item.passing,
                lambda item: words.number(item.passing),
                optional=True,
            )
        )
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


def _flow_columns(words: Language) -> list[Column[Day]]:
    return [
        Column(
            "joined",
            words.text("Joined"),
            lambda item: item.joined,
            lambda item: words.number(item.joined),
            optional=True,
        ),
        Column(
            "left",
            words.text("Left"),
            lambda item: item.left,
            lambda item: words.number(item.left),
            optional=True,
        ),
    ]
