"""Engagement Content: learners active each week, by kind of activity (spec 06 §9.9)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import activity_sentences as sentences
from pharos.insights import charts, comparison, navigation, periods
from pharos.insights.access import CourseInView, CoursesInView
from pharos.insights.activity_weeks import ACTIVITIES, NOBODY, Week, kinds_in_use, weeks_of
from pharos.insights.api import CURRENT_WEEK, SITE_WEEKS, DataAPIError, Row, day
from pharos.insights.charts import Mark, Series
from pharos.insights.comparison import Band, Earlier
from pharos.insights.controls import controls, files, period_of
from pharos.insights.directory import Course
from pharos.insights.enrollment_days import counts, days_of
from pharos.insights.freshness import last_day
from pharos.insights.gaps import WEEK
from pharos.insights.language import Language
from pharos.insights.marks import marks_of
from pharos.insights.periods import DAY, Period
from pharos.insights.reports import Figure, ReportPage, about, no_data_yet
from pharos.insights.site import Site, TheSite
from pharos.insights.tables import Column, table
from pharos.insights.weeks import end_of_weeks, week_so_far, week_start
from pharos.weeks import week_of

router = APIRouter()
PAGE_SIZE = 13
ENROLLMENT = "course_enrollment_daily"


@router.get("/courses/{course_id:course_page}/engagement/content/")
async def engagement_content(
    request: Request, course: CourseInView, view: CoursesInView, site: TheSite
) -> Response:
    """How many learners are interacting with my course?"""
    words: Language = request.state.language
    rows, this_week, enrollment, deadlines, runs = await asyncio.gather(
        site.api.activity(course.course_id),
        site.api.current_week(course.course_id),
        _enrollment(site, course.course_id),
        site.directory.deadlines(course.course_id),
        site.directory.earlier_runs(course, view.visible),
    )
    enrolled = counts(days_of(enrollment or [], last_day(request, ENROLLMENT)))
    weeks = weeks_of(rows, enrolled, end_of_weeks(request, navigation.ENGAGEMENT_CONTENT.table))
    names = about(request, navigation.ENGAGEMENT_CONTENT)
    if week_start(request) != "monday":
        names |= {"definition": request.state.definitions.get(SITE_WEEKS)}
    if enrollment is None:
        note = words.text("Enrollment could not be loaded, so shares of current learners are missing.")
        names |= {"note": note}
    if not weeks:
        return site.renderer.render(request, _empty_page(words, course, names))
    first, last = weeks[0].first, weeks[-1].ending
    period = period_of(request, course, first, last, periods.BY_WEEK, weekly=True)
    earlier = await _earlier(site, words, course, runs, period, weeks)
    kinds = kinds_in_use(weeks)
    shown = [week for week in weeks if week.ending in period]
    report = _Report(course, weeks, shown, kinds, period, marks_of(words, course, deadlines), earlier)
    page = ReportPage(
        **names,
        **controls(request, course, period, first, last, periods.BY_WEEK, runs),
        answer=_headline(words, report),
        figures_label=words.text("Learner activity metrics"),
        figures=tuple(figures(words, shown[-1], kinds, "#table")),
        chart=_chart(words, report),
        aside=so_far(request, words, shown[-1], this_week) if shown[-1] is weeks[-1] else "",
        table=_table(request, words, report),
        **files(course, "engagement/activity_trend", period),
    )
    return site.renderer.render(request, page)


@dataclass(frozen=True)
class _Report:
    """The data of the page."""

    course: Course
    weeks: list[Week]
    """All, without gaps."""
    shown: list[Week]
    """Those of the period, at least one."""
    kinds: list[str]
    period: Period
    marks: list[Mark]
    earlier: Earlier | Band | None


async def _enrollment(site: Site, course_id: str) -> list[Row] | None:
    """Enrollment by day; None if the Data API fails: activity is useful without it."""
    try:
        return await site.api.enrollment(course_id)
    except DataAPIError:
        return None


async def _earlier(
    site: Site,
    words: Language,
    course: Course,
    runs: Sequence[Course],
    period: Period,
    weeks: Sequence[Week],
) -> Earlier | Band | None:
    """The values for the comparison that the URL requests, if there are any. Raises DataAPIError."""
    if period.compare == periods.BEFORE:
        return comparison.period_before(words, period, _active(weeks))
    if period.compare not in {periods.RUN, periods.RUNS} or not runs:
        return None
    wanted = runs if period.compare == periods.RUNS and len(runs) > 1 else runs[:1]
    rows = await asyncio.gather(*(site.api.activity(run.course_id) for run in wanted))
    values = [
        (run, _active(weeks_of(found, {}, weeks[-1].ending))) for run, found in zip(wanted, rows, strict=True)
    ]
    if len(values) > 1:
        return comparison.earlier_runs(words, course, values, weekly=True)
    [(run, before)] = values
    return comparison.last_run(words, course, run, before, weekly=True)


def _active(weeks: Sequence[Week]) -> dict[date, int]:
    return {week.ending: week.active for week in weeks}


def _headline(words: Language, report: _Report) -> Markup:
    """The answer, with the last run if that is the comparison."""
    answer = sentences.headline(words, report.weeks, report.shown)
    last = report.shown[-1]
    if isinstance(report.earlier, Band):
        return words.sentences(answer, sentences.against_runs(words, report.earlier.on(last.ending)))
    if report.earlier is None or report.period.compare == periods.BEFORE:
        return answer
    return words.sentences(
        answer, sentences.against_last_run(words, last.active, report.earlier.on(last.ending))
    )


def so_far(request: Request, words: Language, newest: Week, this_week: Sequence[Row] | None) -> Markup:
    """A sentence about the current week, after the newest whole week.

    Empty if it is not computed, if both are quiet, or if it was computed before the site's weeks began on
    another day.
    """
    week = week_so_far(request, CURRENT_WEEK)
    if this_week is None or week is None:
        return Markup("")
    row = next(iter(this_week), None)
    if row and day(row["interval_start"]) != week.first:
        return Markup("")
    return sentences.so_far(words, row, week) if row or newest.active else Markup("")


def _empty_page(words: Language, course: Course, names: dict[str, Any]) -> ReportPage:
    return ReportPage(
        **names,
        answer=words.html("<strong>No complete week with activity</strong> has been counted yet."),
        empty=no_data_yet(words, course.path),
    )


def figures(words: Language, week: Week, kinds: Sequence[str], weeks: str) -> list[Figure]:
    """The large numbers of one week, with their share of the learners enrolled at its end.

    `weeks` is the address of the table of all weeks.
    """
    days = words.days(week.first, week.ending)

    def note(kind: str) -> str:
        share = week.share(kind)
        if share is None or not week.counts[kind]:
            return days
        return words.text("%(percent)s of enrolled; %(days)s", percent=words.percent(share), days=days)

    return [
        Figure(kind, words.text(ACTIVITIES[kind][0]), words.number(week.counts[kind]), note(kind), href=weeks)
        for kind in kinds
    ]


def _chart(words: Language, report: _Report) -> charts.Chart:
    shown, kinds = list(report.shown), report.kinds
    if len(shown) == 1:  # one point is no line: add the week before, or zeros (spec 06 §9.9.2)
        ending = shown[0].ending - WEEK
        before = next((week for week in report.weeks if week.ending == ending), None)
        shown.insert(0, before or Week(ending, NOBODY, None))
    return charts.trend(
        title=words.text("Weekly learner engagement"),
        caption=words.text(
            "Distinct learners per week, %(first)s to %(last)s, UTC",
            first=words.name_of_weekday(shown[-1].first),
            last=words.name_of_weekday(shown[-1].ending),
        ),
        description=words.text(
            "Active learners per week, %(days)s: from %(first)s to %(last)s, at most %(most)s. Use the arrow "
            "keys to read week by week.",
            days=words.days(shown[0].ending, shown[-1].ending),
            first=words.number(shown[0].active),
            last=words.number(shown[-1].active),
            most=words.number(max(week.active for week in shown)),
        ),
        file_name="-".join([*report.course.parts, "engagement"]),
        days=[week.ending for week in shown],
        series=[
            Series(words.text(ACTIVITIES[kind][0]), ACTIVITIES[kind][1], [w.counts[kind] for w in shown])
            for kind in reversed(kinds)
        ],
        **comparison.drawn(report.earlier, [week.ending for week in shown]),
        marks=report.marks,
        mark_word=words.text("Course dates and deadlines"),
        weekly=True,
    )


def _table(request: Request, words: Language, report: _Report) -> Any:
    weeks, kinds, earlier = report.weeks, report.kinds, report.earlier
    marked = marks_by_week(report.marks, weeks[0].first)

    def kind_column(kind: str) -> Column[Week]:
        return Column(
            kind,
            words.text(ACTIVITIES[kind][0]),
            lambda week: week.counts[kind],
            lambda week: words.number(week.counts[kind]),
            optional=kind == "posted_forum",
        )

    def name(week: Week) -> Markup:
        flag = words.enumeration(marked.get(week.ending, []))
        return Markup('<time datetime="{}">{}</time>{}').format(
            week.ending.isoformat(),
            words.short_day(week.ending),
            Markup('<span class="sub flag">{}</span>').format(flag) if flag else "",
        )

    def share(week: Week) -> str:
        if week.not_enrolled:
            return words.text("at least %(n)s not enrolled", n=words.number(week.not_enrolled))
        return words.percent(week.share())

    columns: list[Column[Week]] = [
        Column("week", words.text("Week ending"), lambda week: week.ending, name, numeric=False, tight=True),
        *(kind_column(kind) for kind in kinds),
    ]
    if any(week.enrollment for week in weeks):
        columns.append(
            Column(
                "share",
                words.text("Share of enrolled"),
                Week.share,
                share,
                # With DejaVu Sans, a wide font, six columns need 376 of the 358 pixels of a phone.
                optional=earlier is not None,
            )
        )
    if earlier is not None:
        columns.append(comparison.column(words, earlier, lambda week: week.ending))
    return table(
        request,
        words.text("Content engagement breakdown"),
        columns,
        report.shown,
        sort="-week",
        page_size=PAGE_SIZE,
        number=words.number,
    )


def marks_by_week(marks: Sequence[Mark], first: date) -> dict[date, list[str]]:
    """Names of the marks of each week, by its last day; weeks begin on the weekday of `first`."""
    by_week: dict[date, list[str]] = {}
    for mark in marks:
        by_week.setdefault(week_of(mark.day, first.weekday()) + WEEK - DAY, []).append(mark.name)
    return by_week
