"""Course home: the latest week in sentences, the questions one can ask, the dates (spec 06 §9.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import navigation
from pharos.insights.access import CourseInView
from pharos.insights.api import DataAPIError
from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.pages import engagement, enrollment
from pharos.insights.pages.engagement import Week
from pharos.insights.pages.enrollment import Day
from pharos.insights.rendering import Link, Page
from pharos.insights.reports import Figure, State, no_data_yet
from pharos.insights.site import Site, TheSite

router = APIRouter()
SPARK_WEEKS = 12


@dataclass(frozen=True)
class Sentence:
    """One line of the brief: its lens, the sentence, and the shape of the last weeks."""

    lens: str
    text: Markup
    href: str
    link: str
    shape: str
    """Points of an SVG path in a box of 96 by 24; empty for none."""
    shape_caption: str


@dataclass(frozen=True, kw_only=True)
class CourseHomePage(Page):
    """What happened in my course?"""

    template: ClassVar[str] = "course_home.html"
    report: navigation.Report = navigation.HOME
    sentences: tuple[Sentence, ...]
    figures: tuple[Figure, ...]
    questions: tuple[tuple[str, tuple[Link, ...]], ...]
    facts: tuple[tuple[str, str], ...]
    empty: State | None
    note: str = ""


@router.get("/courses/{course_id:course_page}/")
async def course_home(request: Request, course: CourseInView, site: TheSite) -> Response:
    """What happened in my course?"""
    words: Language = request.state.language
    days, weeks, complete = await _numbers(site, course)
    note = (
        ""
        if complete
        else words.text("Some numbers could not be loaded. The rest of this page is up to date.")
    )
    return site.renderer.render(request, _page(words, course, days, weeks, note))


async def _numbers(site: Site, course: Course) -> tuple[list[Day], list[Week], bool]:
    """Days, weeks, and whether both could be had. Raises DataAPIError when neither could."""
    by_mode, activity = await asyncio.gather(
        site.api.enrollment_by_mode(course.course_id),
        site.api.activity(course.course_id),
        return_exceptions=True,
    )
    if isinstance(by_mode, BaseException) and isinstance(activity, BaseException):
        raise by_mode
    for failed in (by_mode, activity):
        if isinstance(failed, BaseException) and not isinstance(failed, DataAPIError):
            raise failed
    days = [] if isinstance(by_mode, BaseException) else enrollment.days_of(by_mode)
    rows = [] if isinstance(activity, BaseException) else activity
    enrolled = [{"date": item.day.isoformat(), "count": item.count} for item in days]
    complete = not isinstance(by_mode, BaseException) and not isinstance(activity, BaseException)
    return days, engagement.weeks_of(rows, enrolled), complete


def status(words: Language, course: Course, now: datetime) -> str:
    """Where the course stands in time (spec 06 §9.3)."""
    if course.start is None:
        return words.text("not available")
    if now < course.start:
        return words.text("Not started yet")
    if course.end is None or course.end > now:
        return words.text("In progress")
    return words.text("Ended")


def _page(words: Language, course: Course, days: list[Day], weeks: list[Week], note: str) -> CourseHomePage:
    nothing = not days and not weeks
    answers = []
    if days:
        answers.append(enrollment.headline(words, days))
    elif not note:
        answers.append(words.html("<strong>Nothing has been counted yet.</strong>"))
    return CourseHomePage(
        title=words.text(navigation.HOME.title),
        question=words.text(navigation.HOME.question),
        answer=Markup(" ").join(answers),
        sentences=tuple(_sentences(words, course, days, weeks)),
        figures=tuple(_figures(words, days, weeks)),
        questions=tuple(
            (
                words.text(lens.question),
                tuple(Link(course.path + r.path, words.text(r.asked_at_home)) for r in lens.reports),
            )
            for lens in navigation.LENSES
        ),
        facts=tuple(_facts(words, course)),
        empty=no_data_yet(words, "/courses/") if nothing and not note else None,
        note=note,
    )


def _sentences(words: Language, course: Course, days: Sequence[Day], weeks: Sequence[Week]) -> list[Sentence]:
    sentences = []
    if len(days) > 7:  # noqa: PLR2004 - a week
        last, before = days[-1], days[-8]
        joined = (last.ever or 0) - (before.ever or 0)
        text = words.htmls(
            "<strong>%(n)s person</strong> enrolled for the first time in the seven days to %(day)s; the "
            "balance with those who left or came back is %(change)s.",
            "<strong>%(n)s people</strong> enrolled for the first time in the seven days to %(day)s; the "
            "balance with those who left or came back is %(change)s.",
            joined,
            day=words.day_of_month(last.day),
            change=words.signed(last.count - before.count),
        )
        report = navigation.ENROLLMENT_ACTIVITY
        sentences.append(
            Sentence(
                words.text("Enrollment"),
                text,
                course.path + report.path,
                words.text("See every day"),
                shape([item.count for item in days[-7 * SPARK_WEEKS :]]),
                words.text("last %(n)s weeks", n=words.number(min(SPARK_WEEKS, len(days) // 7))),
            )
        )
    if weeks:
        report = navigation.ENGAGEMENT_CONTENT
        sentences.append(
            Sentence(
                words.text("Engagement"),
                engagement.headline(words, weeks),
                course.path + report.path,
                words.text("See every week"),
                shape([week.counts["any"] for week in weeks[-SPARK_WEEKS:]]),
                words.text("last %(n)s weeks", n=words.number(min(SPARK_WEEKS, len(weeks)))),
            )
        )
    return sentences


def _figures(words: Language, days: Sequence[Day], weeks: Sequence[Week]) -> list[Figure]:
    figures = []
    if days:
        change = enrollment.change_in_last_week(days)
        note = (
            words.text("%(change)s in the last week", change=words.signed(change))
            if change is not None
            else ""
        )
        figures.append(
            Figure("current_enrollment", words.text("Current enrollment"), words.number(days[-1].count), note)
        )
    if weeks:
        figures += engagement.figures(words, weeks, engagement.kinds_in_use(weeks))
    return figures


def _facts(words: Language, course: Course) -> list[tuple[str, str]]:
    def shown(moment: datetime | None) -> str:
        return words.day(moment.date()) if moment else words.text("no date available")

    return [
        (words.text("Status"), status(words, course, datetime.now(UTC))),
        (words.text("Start date"), shown(course.start)),
        (words.text("End date"), shown(course.end)),
        (words.text("Course ID"), course.course_id),
    ]


def shape(values: Sequence[float]) -> str:
    """The values as points of a line in a box of 96 by 24; empty for fewer than two.

    The range is at least a fifth of the largest value, so that a flat course looks flat.
    """
    if len(values) < 2:  # noqa: PLR2004 - one point is no line
        return ""
    top = max(values)
    low = min(*values, top * 0.8)
    span = (top - low) or 1
    step = 96 / (len(values) - 1)
    return " ".join(f"{i * step:.1f},{21 - 18 * (v - low) / span:.1f}" for i, v in enumerate(values))
