"""Engagement Content: how many learners are active each week, and at what (spec 06 §9.9)."""

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
from pharos.insights.api import DataAPIError, Row, day
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
PAGE_SIZE = 13
ACTIVITIES = {
    "any": (noop("Active learners"), "s1"),
    "played_video": (noop("Watched a video"), "s2"),
    "attempted_problem": (noop("Tried a problem"), "s3"),
    "posted_forum": (noop("Joined a discussion"), "s4"),
}
FIGURES = {
    "any": noop("Active learners last week"),
    "played_video": noop("Watched a video last week"),
    "attempted_problem": noop("Tried a problem last week"),
    "posted_forum": noop("Joined a discussion last week"),
}


@dataclass(frozen=True)
class Week:
    """One ISO week by its Sunday; `enrollment` is that of its end, None where unknown."""

    ending: date
    counts: dict[str, int]
    enrollment: int | None

    @property
    def active_share(self) -> float | None:
        """Active learners of those enrolled at the end of the week; None where enrollment is unknown."""
        if self.counts["any"] == 0:
            return 0.0
        return self.counts["any"] / self.enrollment if self.enrollment else None


@router.get("/courses/{course_id:course_page}/engagement/content/")
async def engagement_content(
    request: Request, course: CourseInView, view: CoursesInView, site: TheSite
) -> Response:
    """How many learners are interacting with my course?"""
    words: Language = request.state.language
    rows, enrollment, deadlines, previous = await asyncio.gather(
        site.api.activity(course.course_id),
        _enrollment(site, course.course_id),
        site.directory.deadlines(course.course_id),
        site.directory.previous_run(course, view.visible),
    )
    weeks = weeks_of(rows, enrollment or [])
    names = about(request, navigation.ENGAGEMENT_CONTENT)
    if enrollment is None:
        note = words.text("Enrollment could not be loaded, so shares of current learners are missing.")
        names |= {"note": note}
    if not weeks:
        return site.renderer.render(request, _empty_page(words, course, names))
    first, last = weeks[0].ending - timedelta(days=6), weeks[-1].ending
    period = period_of(request, course, first, last, periods.BY_WEEK)
    earlier = await _earlier(site, words, course, previous, period, weeks)
    kinds = kinds_in_use(weeks)
    report = _Report(course, weeks, kinds, period, marks_of(words, course, deadlines), earlier)
    page = ReportPage(
        **names,
        **controls(request, course, period, first, last, periods.BY_WEEK, previous),
        answer=headline(words, weeks),
        figures_label=words.text("Learner activity metrics"),
        figures=tuple(figures(words, weeks, kinds)),
        chart=_chart(words, report),
        table=_table(request, words, report),
        csv=f"{course.path}csv/engagement/activity_trend/",
    )
    return site.renderer.render(request, page)


@dataclass(frozen=True)
class _Report:
    """What the page is made of."""

    course: Course
    weeks: list[Week]
    kinds: list[str]
    period: Period
    marks: list[Mark]
    earlier: Earlier | None


async def _enrollment(site: Site, course_id: str) -> list[Row] | None:
    """Enrollment by day; None while it cannot be had: activity is worth showing without it."""
    try:
        return await site.api.enrollment(course_id)
    except DataAPIError:
        return None


async def _earlier(
    site: Site,
    words: Language,
    course: Course,
    previous: Course | None,
    period: Period,
    weeks: Sequence[Week],
) -> Earlier | None:
    """What the URL asks to compare with, if it is there. Raises DataAPIError."""
    if period.compare == periods.BEFORE:
        return comparison.period_before(words, period, _active(weeks))
    if period.compare == periods.RUN and previous is not None:
        rows = await site.api.activity(previous.course_id)
        return comparison.last_run(words, course, previous, _active(weeks_of(rows, [])), weekly=True)
    return None


def _active(weeks: Sequence[Week]) -> dict[date, int]:
    return {week.ending: week.counts["any"] for week in weeks}


def weeks_of(activity: Sequence[Row], enrollment: Sequence[Row]) -> list[Week]:
    """A week for each row of activity; a missing kind is 0 (spec 06 §9.9.1, §9.9.4)."""
    enrolled = {day(row["date"]): row["count"] for row in enrollment}
    weeks = []
    for row in activity:
        ending = day(row["interval_end"]) - timedelta(days=1)
        counts = {kind: row.get(kind) or 0 for kind in ACTIVITIES}
        weeks.append(Week(ending, counts, enrolled.get(ending)))
    return weeks


def headline(words: Language, weeks: Sequence[Week]) -> Markup:
    """The answer in one or two sentences."""
    last = weeks[-1]
    days = words.days(last.ending - timedelta(days=6), last.ending)
    active = last.counts["any"]
    first = words.htmls(
        "<strong>%(n)s learner was active</strong> in the week of %(days)s",
        "<strong>%(n)s learners were active</strong> in the week of %(days)s",
        active,
        days=days,
    )
    share = last.active_share if last.enrollment else None
    if share is not None:
        first = words.html(
            "%(sentence)s, %(percent)s of those enrolled.", sentence=first, percent=words.percent(share)
        )
    else:
        first = Markup("{}.").format(first)
    if len(weeks) < 2:  # noqa: PLR2004 - nothing to compare with
        return first
    change = active - weeks[-2].counts["any"]
    if change > 0:
        second = words.html(
            "That is %(count)s more than the week before.", count=strong(words.number(change))
        )
    elif change < 0:
        second = words.html(
            "That is %(count)s fewer than the week before.", count=strong(words.number(-change))
        )
    else:
        second = words.html("That is as many as the week before.")
    return words.sentences(first, second)


def _empty_page(words: Language, course: Course, names: dict[str, Any]) -> ReportPage:
    return ReportPage(
        **names,
        answer=words.html("<strong>No complete week with activity</strong> has been counted yet."),
        empty=no_data_yet(words, course.path),
    )


def kinds_in_use(weeks: Sequence[Week]) -> list[str]:
    """Kinds of activity to show; discussions only where there ever were any."""
    forum = any(week.counts["posted_forum"] for week in weeks)
    return [kind for kind in ACTIVITIES if kind != "posted_forum" or forum]


def figures(words: Language, weeks: Sequence[Week], kinds: Sequence[str]) -> list[Figure]:
    """The large numbers: those of the last week, with their share of the learners of that time."""
    last = weeks[-1]
    base = next((week for week in reversed(weeks) if week.enrollment), None)  # spec 06 §9.9.5

    def note(count: int) -> str:
        if base is None or not base.enrollment or not count:
            return ""
        share = words.percent(count / base.enrollment)
        if base is last:
            return words.text("%(percent)s of current learners", percent=share)
        return words.text(
            "%(percent)s of learners on %(day)s", percent=share, day=words.day_of_month(base.ending)
        )

    return [
        Figure(kind, words.text(FIGURES[kind]), words.number(last.counts[kind]), note(last.counts[kind]))
        for kind in kinds
    ]


def _chart(words: Language, report: _Report) -> charts.Chart:
    weeks, period, kinds = report.weeks, report.period, report.kinds
    shown = [week for week in weeks if week.ending in period]
    if len(shown) == 1:  # one point is no line: nobody was active the week before (spec 06 §9.9.2)
        ending = shown[0].ending - timedelta(days=7)
        earlier = next((week for week in weeks if week.ending == ending), None)
        shown.insert(0, earlier or Week(ending, dict.fromkeys(ACTIVITIES, 0), None))
    return charts.trend(
        title=words.text("Weekly learner engagement"),
        caption=words.text("Distinct learners per week, Monday to Sunday, UTC"),
        description=words.text(
            "Active learners per week, %(days)s: from %(first)s to %(last)s, at most %(most)s. Use the arrow "
            "keys to read week by week.",
            days=words.days(shown[0].ending, shown[-1].ending),
            first=words.number(shown[0].counts["any"]),
            last=words.number(shown[-1].counts["any"]),
            most=words.number(max(week.counts["any"] for week in shown)),
        ),
        file_name="-".join([*report.course.parts, "engagement"]),
        days=[week.ending for week in shown],
        series=[
            Series(words.text(ACTIVITIES[kind][0]), ACTIVITIES[kind][1], [w.counts[kind] for w in shown])
            for kind in reversed(kinds)
        ],
        before=report.earlier.series([week.ending for week in shown]) if report.earlier else None,
        marks=report.marks,
        mark_word=words.text("Course dates and deadlines"),
        weekly=True,
    )


def _table(request: Request, words: Language, report: _Report) -> Any:
    weeks, period, kinds, earlier = report.weeks, report.period, report.kinds, report.earlier
    marked = marks_by_week(report.marks)

    def kind_column(kind: str) -> Column[Week]:
        return Column(
            kind,
            words.text(ACTIVITIES[kind][0]),
            lambda week: week.counts[kind],
            lambda week: words.number(week.counts[kind]),
        )

    def name(week: Week) -> Markup:
        flag = words.enumeration(marked.get(week.ending, []))
        return Markup('<time datetime="{}">{}</time>{}').format(
            week.ending.isoformat(),
            words.short_day(week.ending),
            Markup('<span class="sub flag">{}</span>').format(flag) if flag else "",
        )

    columns: list[Column[Week]] = [
        Column("week", words.text("Week ending"), lambda week: week.ending, name, numeric=False, tight=True),
        *(kind_column(kind) for kind in kinds),
    ]
    if any(week.enrollment for week in weeks):
        columns.append(
            Column(
                "share",
                words.text("Share of current"),
                lambda week: week.active_share,
                lambda week: words.percent(week.active_share),
            )
        )
    if earlier is not None:
        columns.append(comparison.column(words, earlier, lambda week: week.ending))
    return table(
        request,
        words.text("Content engagement breakdown"),
        columns,
        [week for week in weeks if week.ending in period],
        sort="-week",
        page_size=PAGE_SIZE,
        number=words.number,
    )


def marks_by_week(marks: Sequence[Mark]) -> dict[date, list[str]]:
    """Names of what falls into each week, by the Sunday that ends it."""
    by_week: dict[date, list[str]] = {}
    for mark in marks:
        by_week.setdefault(mark.day + timedelta(days=6 - mark.day.weekday()), []).append(mark.name)
    return by_week
