"""Learners: participation of each learner, found and filtered by the address (06 §9.17)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import learner_status, roster
from pharos.insights.access import CourseInView
from pharos.insights.api import Row
from pharos.insights.audit import note_look
from pharos.insights.directory import Course
from pharos.insights.freshness import last_day
from pharos.insights.language import Language
from pharos.insights.learner_status import STATUSES
from pharos.insights.navigation import LEARNERS
from pharos.insights.rendering import Link, with_query
from pharos.insights.reports import Choice, ReportPage, State, about, keep, no_data_yet, when
from pharos.insights.roster import ENROLLED, NOT_INACTIVE, SEGMENTS, WITHOUT, Filters
from pharos.insights.site import TheSite
from pharos.insights.tables import Column, Cut, Table, page_of

router = APIRouter()
PAGE_SIZE = 25
WEEK = timedelta(days=6)


@dataclass(frozen=True, kw_only=True)
class LearnersPage(ReportPage):
    """Who takes part, and who does not?"""

    template: ClassVar[str] = "learners.html"
    search: str
    segments: tuple[tuple[Link, str], ...]
    """Link that chooses it, and how many learners it has."""
    statuses: tuple[tuple[Link, str], ...]
    """The same of each status; none where they are not counted."""
    choices: tuple[Choice, ...]
    chips: tuple[Link, ...]
    status: str
    everybody: str
    """Address without filters."""
    addresses: str
    """Address of the page of e-mail addresses; empty where they are not shown."""


@dataclass(frozen=True)
class _Report:
    course: Course
    filters: Filters
    page: Row
    total: int
    """Learners without filters."""
    metadata: Row
    counts: dict[str, int] | None
    """Learners by status, without filters; None where that is not counted."""
    statuses: dict[str, Row]
    """Status of the learners of the page, by user name."""

    @property
    def learners(self) -> list[Row]:
        learners: list[Row] = self.page["results"]
        return learners

    def of_segment(self, name: str) -> int:
        """Learners in the segment, without filters."""
        count: int = self.metadata["segments"].get(name, 0)
        return count

    @property
    def took_part(self) -> int:
        """Learners with engagement in the seven days; other activity, such as reading, does not count."""
        return self.total - self.of_segment("inactive") - self.of_segment("disengaging")


@router.get("/courses/{course_id:course_page}/learners/")
async def learners(request: Request, course: CourseInView, site: TheSite) -> Response:
    """Who takes part, and who does not?"""
    roster.check_shown(site, course)
    filters = Filters.of(request.query_params)
    number = request.query_params.get("page", "1")
    page, metadata, everybody, counts = await asyncio.gather(
        site.api.learners(course.course_id, filters.parameters | {"page": number}),
        site.api.learner_metadata(course.course_id),
        site.api.learners(course.course_id, {"page_size": "1"}),
        site.api.learner_statuses(course.course_id),
    )
    names = [learner["username"] for learner in page["results"]]
    statuses = await site.api.status_of_learners(course.course_id, names)
    report = _Report(course, filters, page, everybody["count"], metadata, counts, statuses)
    if names:
        columns = [*roster.columns_shown(site, addresses=False), *(["status"] if statuses else [])]
        await note_look(request, course.course_id, ", ".join(names), columns)
    addresses = roster.shows_addresses(site)
    return site.renderer.render(request, _page(request, report, addresses=addresses))


def _page(request: Request, report: _Report, *, addresses: bool) -> LearnersPage:
    words: Language = request.state.language
    course, filters = report.course, report.filters
    query = f"?{request.url.query}" if request.url.query else ""
    shown = report.page["count"]
    empty = None
    if not report.total:
        empty = no_data_yet(words, course.path)
    elif not shown:
        empty = State(
            words.text("No learner matches"),
            words.text("Try the beginning of another name, or take filters away."),
            (Link(roster.roster_path(course), words.text("Show all learners")),),
        )
    return LearnersPage(
        **about(request, LEARNERS),
        answer=_sentence(request, report),
        search=filters.search,
        segments=tuple(_segments(request, words, report)) if report.total else (),
        statuses=tuple(_statuses(request, words, report)) if report.total else (),
        choices=tuple(_choices(words, report)),
        chips=tuple(_chips(request, words, filters)),
        hidden=keep(request, "segment", "status", "sort", "language"),
        status=words.texts(
            "%(shown)s of %(n)s learner",
            "%(shown)s of %(n)s learners",
            report.total,
            shown=words.number(shown),
        ),
        everybody=roster.roster_path(course),
        addresses=f"{course.path}learner_addresses/{query}" if addresses and shown else "",
        table=_table(request, words, report) if shown else None,
        csv=f"{course.path}csv/learners/{query}" if shown else "",
        xlsx=f"{course.path}xlsx/learners/{query}" if shown else "",
        empty=empty,
    )


def _sentence(request: Request, report: _Report) -> Markup:
    """Numbers of learners who took part, who no longer do, and who struggle."""
    words: Language = request.state.language
    if not report.total:
        return words.html("<strong>Nobody is in the list yet.</strong>")
    last = last_day(request, LEARNERS.table)
    values = {"total": words.number(report.total)}
    if last is None:
        some = words.htmls(
            "<strong>%(n)s of %(total)s</strong> learners took part in the last seven days counted.",
            "<strong>%(n)s of %(total)s</strong> learners took part in the last seven days counted.",
            report.took_part,
            **values,
        )
    else:
        some = words.htmls(
            "<strong>%(n)s of %(total)s</strong> learners took part in the seven days %(days)s.",
            "<strong>%(n)s of %(total)s</strong> learners took part in the seven days %(days)s.",
            report.took_part,
            days=when(words, last - WEEK, last),
            **values,
        )
    parts = [some]
    if disengaging := report.of_segment("disengaging"):
        parts.append(
            words.htmls(
                '<a href="%(link)s">%(n)s</a> took part in the seven days before, but not in these.',
                '<a href="%(link)s">%(n)s</a> took part in the seven days before, but not in these.',
                disengaging,
                link=f"{roster.roster_path(report.course, 'segment=disengaging')}#table",
            )
        )
    if struggling := report.of_segment("struggling"):
        parts.append(
            words.htmls(
                '<a href="%(link)s">%(n)s</a> needs many attempts for each right answer.',
                '<a href="%(link)s">%(n)s</a> need many attempts for each right answer.',
                struggling,
                link=f"{roster.roster_path(report.course, 'segment=struggling')}#table",
            )
        )
    return words.sentences(*parts)


def _segments(request: Request, words: Language, report: _Report) -> list[tuple[Link, str]]:
    chosen = report.filters.segment
    counts = {
        "": (words.text("All"), report.total),
        **{
            name: (label, report.total - report.of_segment(WITHOUT[name]))
            for name, label in _names_without(words).items()
        },
        **{name: (words.text(label), report.of_segment(name)) for name, (label, _, _) in SEGMENTS.items()},
    }
    return [
        (Link(with_query(request, segment=name or None, page=None), label, name == chosen), words.number(n))
        for name, (label, n) in counts.items()
        if n or name in ("", chosen)
    ]


def _names_without(words: Language) -> dict[str, str]:
    """The names of the choices that are all learners without one segment."""
    return {ENROLLED: words.text("Enrolled now"), NOT_INACTIVE: words.text("Took part in two weeks")}


def _statuses(request: Request, words: Language, report: _Report) -> list[tuple[Link, str]]:
    """Links for each status with its number of learners. Each learner has one status; the numbers add up."""
    if report.counts is None:
        return []
    chosen = report.filters.status
    counts = {"": (words.text("All"), sum(report.counts.values()))}
    counts |= {
        name: (words.text(label), report.counts.get(name, 0)) for name, (label, *_) in STATUSES.items()
    }
    return [
        (Link(with_query(request, status=name or None, page=None), label, name == chosen), words.number(n))
        for name, (label, n) in counts.items()
    ]


def _choices(words: Language, report: _Report) -> list[Choice]:
    """The drop-downs, with tracks and cohorts that have learners."""
    offered = (
        ("track", words.text("Track"), report.metadata["enrollment_modes"], report.filters.track),
        ("cohort", words.text("Cohort"), report.metadata["cohorts"], report.filters.cohort),
    )
    return [
        Choice(
            name,
            label,
            [
                Link("", words.text("All"), not chosen),
                *(Link(key, f"{key} ({words.number(n)})", key == chosen) for key, n in counts.items()),
            ],
        )
        for name, label, counts, chosen in offered
        if counts
    ]


def _chips(request: Request, words: Language, filters: Filters) -> list[Link]:
    """A link for each active filter that removes it."""
    names = _names_without(words) | {name: words.text(label) for name, (label, _, _) in SEGMENTS.items()}
    texts = {
        "q": words.text("Search: “%(text)s”", text=filters.search) if filters.search else "",
        "segment": names.get(filters.segment, ""),
        "status": words.text(STATUSES[filters.status][0]) if filters.status else "",
        "track": words.text("Track: %(name)s", name=filters.track) if filters.track else "",
        "cohort": words.text("Cohort: %(name)s", name=filters.cohort) if filters.cohort else "",
    }
    return [Link(with_query(request, page=None, **{key: None}), text) for key, text in texts.items() if text]


def _table(request: Request, words: Language, report: _Report) -> Table:
    number = _number(request.query_params.get("page"), report.page["num_pages"])
    cut = Cut(report.filters.sort, report.filters.descending, number, PAGE_SIZE, report.page["count"])
    columns = _columns(words, report, request.url.query)
    return page_of(request, words.text("Learners"), columns, report.learners, cut, number=words.number)


def _number(text: str | None, last: int) -> int:
    """The number of the page shown: the requested one, or the last one if it does not exist."""
    if text is None:
        return 1
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text) <= last else last


def _columns(words: Language, report: _Report, back: str) -> Sequence[Column[Row]]:
    ranges = report.metadata["engagement_ranges"]

    def who(learner: Row) -> Markup:
        sub = [learner["username"] if learner["name"] else "", learner["enrollment_mode"], learner["cohort"]]
        return Markup(
            '<span class="learner"><a href="{}"><bdi>{}</bdi></a><span class="sub">{}</span></span>'
        ).format(
            roster.learner_path(report.course, learner["username"], back),
            roster.shown_name(learner),
            " · ".join(filter(None, sub)),
        )

    def of_metric(name: str) -> Column[Row]:
        label, meaning = roster.METRICS[name]
        return Column(
            name,
            words.text(label),
            lambda learner: learner["engagements"][name],
            lambda learner: roster.figure(words, learner, name, ranges),
            help=words.text(meaning),
        )

    def status(learner: Row) -> Markup:
        found = report.statuses.get(learner["username"])
        if found is None:
            return Markup("–")
        return Markup('<span class="learner said">{} <span class="sub">{}</span></span>').format(
            learner_status.sign(words, *STATUSES[found["status"]]), learner_status.reason(words, found)
        )

    of_status = Column[Row](
        "status",
        words.text("Status"),
        lambda learner: report.statuses.get(learner["username"], {}).get("status"),
        status,
        numeric=False,
        unsorted=True,
    )
    return [
        Column("username", words.text("Learner"), lambda learner: learner["username"], who, numeric=False),
        *([of_status] if report.counts is not None else []),
        Column(
            "segments",
            words.text("Segment"),
            lambda learner: learner["segments"],
            lambda learner: roster.segments(words, learner),
            numeric=False,
            unsorted=True,
        ),
        *(of_metric(name) for name in roster.METRICS),
    ]
