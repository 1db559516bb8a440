"""Learners as files and as a list of e-mail addresses, with the filters of the roster's address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from pharos.insights import files, learner_days, learner_status, roster
from pharos.insights.access import CourseInView
from pharos.insights.api import Row
from pharos.insights.audit import note_look
from pharos.insights.directory import Course
from pharos.insights.files import Sheet
from pharos.insights.language import Language
from pharos.insights.navigation import LEARNERS
from pharos.insights.rendering import Link, Page
from pharos.insights.roster import Filters
from pharos.insights.site import Site, TheSite

router = APIRouter()
COURSE = "/courses/{course_id:course_page}"


@dataclass(frozen=True, kw_only=True)
class AddressesPage(Page):
    """E-mail addresses for copying."""

    template: ClassVar[str] = "addresses.html"
    trail: tuple[Link, ...]
    addresses: str
    """One on each line."""


@router.get(f"{COURSE}/csv/learners/")
async def as_csv(request: Request, course: CourseInView, site: TheSite) -> Response:
    """The learners as CSV."""
    return await _file(request, course, site, files.CSV)


@router.get(f"{COURSE}/xlsx/learners/")
async def as_xlsx(request: Request, course: CourseInView, site: TheSite) -> Response:
    """The learners as a workbook."""
    return await _file(request, course, site, files.XLSX)


@router.get(f"{COURSE}/csv/learners/{{username}}/")
async def days_as_csv(request: Request, course: CourseInView, site: TheSite, username: str) -> Response:
    """The days of a learner as CSV."""
    return await _days(request, course, site, username, files.CSV)


@router.get(f"{COURSE}/xlsx/learners/{{username}}/")
async def days_as_xlsx(request: Request, course: CourseInView, site: TheSite, username: str) -> Response:
    """The days of a learner as a workbook."""
    return await _days(request, course, site, username, files.XLSX)


@router.get(f"{COURSE}/learner_addresses/")
async def addresses(request: Request, course: CourseInView, site: TheSite) -> Response:
    """The e-mail addresses of the learners, if they may be shown."""
    words: Language = request.state.language
    if not roster.shows_addresses(site):
        raise HTTPException(404)
    rows = await _wanted(request, course, site)
    await note_look(request, course.course_id, _several(rows), ("email",))
    found = [row["email"] for row in rows if row["email"]]
    page = AddressesPage(
        title=words.text("E-mail addresses"),
        question=words.text("How can I write to these learners?"),
        answer=words.htmls(
            "<strong>%(n)s learner</strong> of the list has an e-mail address.",
            "<strong>%(n)s learners</strong> of the list have an e-mail address.",
            len(found),
        ),
        trail=(
            Link(roster.roster_path(course, request.url.query), words.text("Learners")),
            Link("", words.text("E-mail addresses"), current=True),
        ),
        addresses="\n".join(found),
    )
    return site.renderer.render(request, page)


async def _file(request: Request, course: Course, site: Site, kind: str) -> Response:
    words: Language = request.state.language
    rows = await _wanted(request, course, site)
    columns = ["course_id", *roster.columns_shown(site, addresses=True)]
    if any(row["status"] for row in rows):
        columns += ["status", "status_reason"]
        rows = await run_in_threadpool(_with_reasons, words, rows)
    await note_look(request, course.course_id, _several(rows), columns)
    sheet = Sheet(
        "-".join((*course.parts, "learners")),
        columns,
        rows,
        request.state.definitions.get(LEARNERS.table),
        [*_about(words, course), *_asked(words, request.query_params)],
    )
    return await files.response(words, sheet, kind)


async def _wanted(request: Request, course: Course, site: Site) -> list[Row]:
    """The learners selected by the address, recorded before they are shown. Raises HTTPException 404."""
    roster.check_shown(site, course)
    filters = Filters.of(request.query_params)
    rows = await site.api.all_learners(course.course_id, filters.parameters)
    if not rows:
        raise HTTPException(404)
    return rows


def _several(rows: Sequence[Row]) -> str:
    """The learners viewed, for the audit log, which also has the query."""
    return f"{len(rows)} of the query"


def _with_reasons(words: Language, rows: Sequence[Row]) -> list[Row]:
    """The rows with the reason of their status, in words."""
    return [
        {**row, "status_reason": learner_status.reason(words, row) if row["status"] else ""} for row in rows
    ]


async def _days(request: Request, course: Course, site: Site, username: str, kind: str) -> Response:
    words: Language = request.state.language
    roster.check_shown(site, course)
    rows = await site.api.learner_days(course.course_id, username)
    if not rows:
        raise HTTPException(404)
    columns = ("date", *learner_days.COUNTS)
    await note_look(request, course.course_id, username, columns)
    sheet = Sheet(
        "-".join((*course.parts, "learner", username)),
        columns,
        learner_days.every_day(rows, learner_days.last_day_counted(request)),
        request.state.definitions.get(learner_days.TABLE),
        [*_about(words, course), (words.text("Learner"), username)],
    )
    return await files.response(words, sheet, kind)


def _about(words: Language, course: Course) -> list[tuple[str, str]]:
    return [
        *files.about_course(words, course),
        (words.text("Report"), words.text(LEARNERS.title)),
    ]


def _asked(words: Language, query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The filters of the file, beside its definition."""
    text = ", ".join(f"{name}: {query[name]}" for name in roster.QUERY if query.get(name) and name != "page")
    return [(words.text("Filters"), text)] if text else []
