"""One learner of a course: the data that may be shown, and activity by day."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

from fastapi import APIRouter, HTTPException, Request, Response
from markupsafe import Markup

from pharos.insights import charts, learner_days, learner_status, roster
from pharos.insights.access import CourseInView
from pharos.insights.api import Row, day
from pharos.insights.audit import note_look
from pharos.insights.blocks import in_path
from pharos.insights.charts import Chart, Series
from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.learner_status import STATUSES
from pharos.insights.navigation import LEARNERS
from pharos.insights.rendering import Link
from pharos.insights.reports import Figure, ReportPage, about, strong
from pharos.insights.roster import RATIO, Rank
from pharos.insights.site import TheSite
from pharos.insights.tables import Column, Table, table

router = APIRouter()
PAGE_SIZE = 28
COLOURS = ("s2", "s1", "s3", "s4")


@dataclass(frozen=True, kw_only=True)
class LearnerPage(ReportPage):
    """How is this learner doing?"""

    template: ClassVar[str] = "learner.html"
    facts: tuple[tuple[str, str], ...]
    """Who it is: name and value."""
    segments: Markup
    status: Markup
    """What the learner is doing; empty where that is not counted."""
    reason: str


@dataclass(frozen=True)
class _Report:
    course: Course
    learner: Row
    ranges: Row
    days: list[Row]
    """Without gaps, oldest first; none without engagement."""

    @property
    def days_of_part(self) -> list[date]:
        return [day(row["date"]) for row in self.days if learner_days.took_part(row)]


@router.get("/courses/{course_id:course_page}/learners/{username}/")
async def learner(request: Request, course: CourseInView, site: TheSite, username: str) -> Response:
    """How is this learner doing?"""
    words: Language = request.state.language
    roster.check_shown(site, course)
    found, rows, metadata, statuses = await asyncio.gather(
        site.api.learner(course.course_id, username),
        site.api.learner_days(course.course_id, username),
        site.api.learner_metadata(course.course_id),
        site.api.status_of_learners(course.course_id, [username]),
    )
    if found is None:
        raise HTTPException(404)
    status = statuses.get(found["username"])
    columns = [*dict.fromkeys((*roster.columns_shown(site, addresses=True), *learner_days.COUNTS))]
    columns += ["status"] if status else []
    await note_look(request, course.course_id, found["username"], columns)
    days = learner_days.every_day(rows, learner_days.last_day_counted(request))
    report = _Report(course, found, metadata["engagement_ranges"], days)
    name = roster.shown_name(found)
    back = Link(roster.roster_path(course, request.query_params.get(roster.BACK, "")), words.text("Learners"))
    page = LearnerPage(
        **about(request, LEARNERS)
        | {
            "title": words.text("Learner: %(name)s", name=name),
            "question": words.text("How is this learner doing?"),
            "note": words.text("These are personal data: this look is written into the audit log."),
        },
        trail=(back, Link("", name, current=True)),
        answer=_sentence(words, report),
        facts=tuple(_facts(words, found)),
        segments=roster.segments(words, found),
        status=learner_status.sign(words, *STATUSES[status["status"]]) if status else Markup(),
        reason=learner_status.reason(words, status) if status else "",
        figures_label=words.text("Metrics of the learner"),
        figures=tuple(_figures(words, report)),
        chart=_chart(words, report) if days else None,
        table=_table(request, words, report) if days else None,
        csv=f"{course.path}csv/learners/{in_path(found['username'])}/" if days else "",
        xlsx=f"{course.path}xlsx/learners/{in_path(found['username'])}/" if days else "",
    )
    return site.renderer.render(request, page)


def _sentence(words: Language, report: _Report) -> Markup:
    """The number of days on which the learner took part, and the last one."""
    name = Markup("<bdi>{}</bdi>").format(roster.shown_name(report.learner))
    days = report.days_of_part
    if not days:
        return words.html(
            "<strong>%(name)s</strong> has tried no problem, played no video and written nothing yet.",
            name=name,
        )
    return words.htmls(
        "<strong>%(name)s</strong> took part on <strong>%(n)s day</strong>, %(last)s.",
        "<strong>%(name)s</strong> took part on <strong>%(n)s days</strong>, last on %(last)s.",
        len(days),
        name=name,
        last=strong(words.day(days[-1])),
    )


def _facts(words: Language, learner: Row) -> list[tuple[str, str]]:
    enrolled = learner["enrollment_date"]
    facts = [
        (words.text("User name"), learner["username"]),
        (words.text("E-mail"), learner["email"]),
        (words.text("Track"), learner["enrollment_mode"]),
        (words.text("Cohort"), learner["cohort"]),
        (words.text("Enrolled since"), words.day(day(enrolled)) if enrolled else None),
    ]
    return [(name, value) for name, value in facts if value]


def _figures(words: Language, report: _Report) -> list[Figure]:
    """The last day with activity, and the figures of seven days with their ranks in the course."""
    days, engagements = report.days_of_part, report.learner["engagements"]
    last = Figure(
        "last_part",
        words.text("Last took part"),
        words.short_day(days[-1]) if days else "–",
        words.text("a problem, a video or a discussion"),
        word=True,
    )
    tried = words.text("of %(n)s tried", n=words.number(engagements["problems_attempted"]))
    figures = [_figure(words, report, name, engagements[name]) for name in roster.METRICS]
    right = figures[list(roster.METRICS).index("problems_completed")]
    return [last, replace(right, note=f"{tried}; {right.note}"), *figures[2:]]


def _figure(words: Language, report: _Report, metric: str, value: float | None) -> Figure:
    ranks: dict[Rank, str] = {
        "low": words.text("in seven days; low in this course"),
        "high": words.text("in seven days; high in this course"),
    }
    note = ranks.get(roster.rank(report.learner, metric, report.ranges), words.text("in seven days"))
    label = words.text(roster.METRICS[metric][0])
    return Figure(metric, label, words.number(value, 1 if metric == RATIO else 0), note)


def _chart(words: Language, report: _Report) -> Chart:
    days = report.days
    first, last = day(days[0]["date"]), day(days[-1]["date"])
    sums = [
        f"{words.text(label)}: {words.number(sum(row[name] for row in days))}"
        for name, label in learner_days.COUNTS.items()
    ]
    return charts.trend(
        title=words.text("Day by day"),
        caption=words.text("Problems and videos of each UTC day, and contributions to discussions"),
        description=f"{words.days(first, last)}: {', '.join(sums)}",
        file_name="-".join((*report.course.parts, "learner", report.learner["username"])),
        days=[day(row["date"]) for row in days],
        series=[
            Series(words.text(label), colour, [row[name] for row in days])
            for (name, label), colour in zip(learner_days.COUNTS.items(), COLOURS, strict=True)
        ],
    )


def _table(request: Request, words: Language, report: _Report) -> Table:
    def count(name: str, label: str) -> Column[Row]:
        return Column(name, words.text(label), lambda row: row[name], lambda row: words.number(row[name]))

    columns: Sequence[Column[Row]] = [
        Column(
            "date",
            words.text("Day"),
            lambda row: row["date"],
            lambda row: words.short_day(day(row["date"])),
            numeric=False,
            tight=True,
        ),
        *(count(name, label) for name, label in learner_days.COUNTS.items()),
    ]
    return table(
        request,
        words.text("Problems, videos and discussions day by day"),
        columns,
        report.days,
        sort="-date",
        page_size=PAGE_SIZE,
        number=words.number,
    )
