"""Course home: the latest week in sentences, links by question, the dates (spec 06 §9.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import activity_sentences, comparison, enrollment_sentences, navigation
from pharos.insights.access import CourseInView, CoursesInView
from pharos.insights.activity_weeks import Week, kinds_in_use, weeks_of
from pharos.insights.api import DataAPIError, Row
from pharos.insights.charts import Mark
from pharos.insights.directory import CCX, Course
from pharos.insights.enrollment_days import Day, counts, days_of, growth_in_week
from pharos.insights.freshness import last_day, last_day_of_history
from pharos.insights.language import Language
from pharos.insights.marks import marks_of
from pharos.insights.pages import engagement
from pharos.insights.rendering import Link, Page
from pharos.insights.reports import Figure, State, no_data_yet
from pharos.insights.shapes import WEEKS, points_of
from pharos.insights.site import Site, TheSite
from pharos.insights.weeks import end_of_weeks

router = APIRouter()
COMING = 5


@dataclass(frozen=True)
class Sentence:
    """One line of the brief: its lens, the sentence, and the shape of the latest weeks."""

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
    coming: tuple[tuple[date, str, str], ...]
    """Day, the day in words, and what is due or happens."""
    facts: tuple[tuple[str, str], ...]
    empty: State | None
    note: str = ""
    history_until: date | None = None
    """The last day that the program before Pharos counted, if the week shown has such days."""


@router.get("/courses/{course_id:course_page}/")
async def course_home(request: Request, course: CourseInView, view: CoursesInView, site: TheSite) -> Response:
    """What happened in my course?"""
    words: Language = request.state.language
    (days, weeks, complete), this_week, deadlines, runs = await asyncio.gather(
        _numbers(request, site, course),
        _this_week(site, course.course_id),
        site.directory.deadlines(course.course_id),
        site.directory.earlier_runs(course, view.visible),
    )
    last_run = await _last_run(request, site, course, runs) if runs else None
    note = (
        ""
        if complete
        else words.text("Some numbers could not be loaded. The rest of this page is up to date.")
    )
    so_far = engagement.so_far(request, words, weeks[-1], this_week) if weeks else Markup("")
    now = datetime.now(UTC)
    known = await site.directory.known()
    page = CourseHomePage(
        title=words.text(navigation.HOME.title),
        question=words.text(navigation.HOME.question),
        answer=_answer(words, days, note),
        sentences=tuple(_sentences(words, course, days, weeks, last_run, so_far)),
        figures=tuple(_figures(words, course, days, weeks)),
        questions=_questions(
            words,
            course,
            age=site.settings.insights.show_age,
            learners=site.settings.shows_learners_of(course.organisation),
        ),
        coming=_coming(words, marks_of(words, course, deadlines), now.date()),
        facts=tuple(_facts(words, course, now, known)),
        empty=no_data_yet(words, "/courses/") if not days and not weeks and not note else None,
        note=note,
        history_until=_history_until(request, days),
    )
    return site.renderer.render(request, page)


def _history_until(request: Request, days: Sequence[Day]) -> date | None:
    until = last_day_of_history(request, navigation.ENROLLMENT_ACTIVITY.table)
    return until if until and days and growth_in_week(days).first <= until else None


async def _numbers(request: Request, site: Site, course: Course) -> tuple[list[Day], list[Week], bool]:
    """Days and weeks, and true if both could be read. Raises DataAPIError if neither could.

    Flows are those of the last seven days, for the sentence about them.
    """
    last = last_day(request, navigation.ENROLLMENT_ACTIVITY.table)
    enrollment, activity = await asyncio.gather(
        _enrollment_rows(site, course.course_id, last),
        site.api.activity(course.course_id),
        return_exceptions=True,
    )
    if isinstance(enrollment, BaseException) and isinstance(activity, BaseException):
        raise enrollment
    for failed in (enrollment, activity):
        if isinstance(failed, BaseException) and not isinstance(failed, DataAPIError):
            raise failed
    by_mode, flows, passed = ([], None, []) if isinstance(enrollment, BaseException) else enrollment
    history_until = last_day_of_history(request, navigation.ENROLLMENT_ACTIVITY.table)
    days = days_of(by_mode, last, flows, passed, history_until)
    rows = [] if isinstance(activity, BaseException) else activity
    weeks = weeks_of(rows, counts(days), end_of_weeks(request, navigation.ENGAGEMENT_CONTENT.table))
    complete = not isinstance(enrollment, BaseException) and not isinstance(activity, BaseException)
    return days, weeks, complete


async def _this_week(site: Site, course_id: str) -> list[Row] | None:
    """Activity of the current week; None if the Data API fails: the page is useful without it."""
    try:
        return await site.api.current_week(course_id)
    except DataAPIError:
        return None


async def _enrollment_rows(
    site: Site, course_id: str, last: date | None
) -> tuple[list[Row], list[Row] | None, list[Row]]:
    """Enrollment by day and mode, learners who joined and left in the last seven days, and who passed."""
    first = last - timedelta(days=6) if last is not None else date.min
    by_mode, flows, passed = await asyncio.gather(
        site.api.enrollment_by_mode(course_id),
        site.api.enrollment_flow(course_id, first),
        site.api.passing(course_id),
    )
    return by_mode, flows, passed


@dataclass(frozen=True)
class _LastRun:
    """The last run of the course: its days and weeks, and its distance in time from this run."""

    days: Mapping[date, Day]
    active: Mapping[date, int]
    shift: timedelta

    def on(self, day: date) -> Day | None:
        """Its enrollment on the same day of the course."""
        return self.days.get(day - self.shift)

    def active_in(self, ending: date) -> int | None:
        """Its active learners in the same week of the course."""
        return self.active.get(ending - comparison.whole_weeks(self.shift))


async def _last_run(request: Request, site: Site, course: Course, runs: Sequence[Course]) -> _LastRun | None:
    """The numbers of the last run; None if the Data API fails: the page is useful without them."""
    try:
        days, weeks, _ = await _numbers(request, site, runs[0])
    except DataAPIError:
        return None
    active = {week.ending: week.active for week in weeks}
    return _LastRun({item.day: item for item in days}, active, comparison.shift_between(course, runs[0]))


def status(words: Language, course: Course, now: datetime) -> str:
    """The phase of the course: not started, in progress or ended (spec 06 §9.3)."""
    if course.start is None:
        return words.text("not available")
    if now < course.start:
        return words.text("Not started yet")
    week = words.number((now - course.start).days // 7 + 1)
    if course.end is None:
        return words.text("In progress, week %(week)s", week=week)
    if course.end <= now:
        return words.text("Ended")
    weeks = words.number(max(1, -(-(course.end - course.start).days // 7)))
    return words.text("In progress, week %(week)s of %(weeks)s", week=week, weeks=weeks)


def _answer(words: Language, days: Sequence[Day], note: str) -> Markup:
    if days:
        week = growth_in_week(days)
        parts = (enrollment_sentences.changed(words, week), enrollment_sentences.verified(words, week.last))
        return words.sentences(*filter(None, parts))
    return Markup("") if note else words.html("<strong>Nothing has been counted yet.</strong>")


def _questions(
    words: Language, course: Course, *, age: bool, learners: bool
) -> tuple[tuple[str, tuple[Link, ...]], ...]:
    return tuple(
        (
            words.text(lens.question),
            tuple(Link(course.path + r.path, words.text(r.asked_at_home)) for r in lens.reports),
        )
        for lens in navigation.lenses(age=age, learners=learners)
    )


def _coming(words: Language, marks: Sequence[Mark], today: date) -> tuple[tuple[date, str, str], ...]:
    """The next dates of the course, including today's."""
    coming = [mark for mark in marks if mark.day >= today][:COMING]
    return tuple((mark.day, words.weekday(mark.day, beside=today), mark.name) for mark in coming)


def _sentences(
    words: Language,
    course: Course,
    days: Sequence[Day],
    weeks: Sequence[Week],
    last_run: _LastRun | None,
    so_far: Markup,
) -> list[Sentence]:
    sentences = []
    came = _enrollment(words, days, last_run) if days else Markup("")
    if came:
        report = navigation.ENROLLMENT_ACTIVITY
        sentences.append(
            Sentence(
                words.text("Enrollment"),
                came,
                course.path + report.path,
                words.text("See every day"),
                points_of([item.count for item in days[-7 * WEEKS :]]),
                words.texts("last week", "last %(n)s weeks", min(WEEKS, -(-len(days) // 7))),
            )
        )
    if weeks:
        report = navigation.ENGAGEMENT_CONTENT
        sentences.append(
            Sentence(
                words.text("Engagement"),
                words.sentences(*filter(None, (_activity(words, weeks, last_run), so_far))),
                course.path + report.path,
                words.text("See every week"),
                points_of([week.active for week in weeks[-WEEKS:]]),
                words.texts("last week", "last %(n)s weeks", min(WEEKS, len(weeks))),
            )
        )
    return sentences


def _enrollment(words: Language, days: Sequence[Day], last_run: _LastRun | None) -> Markup:
    """Learners who joined and left in seven days, and the last run's numbers at this day of the course."""
    last = days[-1]
    parts = [enrollment_sentences.joined_and_left(words, growth_in_week(days))]
    then = last_run.on(last.day) if last_run is not None else None
    if then is not None:
        parts.append(enrollment_sentences.against_last_run(words, last.count, then.count, last.day))
        shares = [then.tracks["verified"] / then.count] if then.count else []
        parts.append(enrollment_sentences.verified_share(words, last, shares))
        parts.append(enrollment_sentences.passing(words, last.passing, then.passing or 0))
    return words.sentences(*filter(None, parts))


def _activity(words: Language, weeks: Sequence[Week], last_run: _LastRun | None) -> Markup:
    """Learners active in the last complete week, compared with the same week of the last run."""
    last = weeks[-1]
    answer = activity_sentences.headline(words, weeks, [last])
    then = last_run.active_in(last.ending) if last_run is not None else None
    if then is None:
        return answer
    return words.sentences(answer, activity_sentences.against_last_run(words, last.active, then))


def _figures(words: Language, course: Course, days: Sequence[Day], weeks: Sequence[Week]) -> list[Figure]:
    figures = []
    if days:
        week = growth_in_week(days)
        note = words.text(
            "%(change)s; %(days)s",
            change=words.signed(week.change),
            days=words.days(week.first, week.last.day),
        )
        figures.append(
            Figure(
                "current_enrollment",
                words.text("Current enrollment"),
                words.number(days[-1].count),
                note,
                href=f"{course.path}{navigation.ENROLLMENT_ACTIVITY.path}?period=7d",
            )
        )
    if weeks:
        figures += engagement.figures(
            words, weeks[-1], kinds_in_use(weeks), course.path + navigation.ENGAGEMENT_CONTENT.path
        )
    return figures


def _standing(words: Language, course: Course, now: datetime, known: Container[str]) -> str:
    """The phase of the course; or a note if the LMS does not list it. The LMS never lists a CCX."""
    if known and course.course_id not in known and not course.course_id.startswith(CCX):
        return words.text("not in the LMS’s list of courses")
    return status(words, course, now)


def _facts(words: Language, course: Course, now: datetime, known: Container[str]) -> list[tuple[str, str]]:
    def shown(moment: datetime | None) -> str:
        return words.day(moment.date()) if moment else words.text("no date available")

    return [
        (words.text("Status"), _standing(words, course, now, known)),
        (words.text("Start date"), shown(course.start)),
        (words.text("End date"), shown(course.end)),
        (words.text("Course ID"), course.course_id),
    ]
