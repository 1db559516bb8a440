"""The report of each learner's last answers: a link that is valid for a few minutes (spec 06 §10)."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from pharos.insights.access import CourseInView
from pharos.insights.api import DataAPIError, moment
from pharos.insights.audit import note_download
from pharos.insights.directory import Course
from pharos.insights.language import Language
from pharos.insights.site import Site, TheSite

router = APIRouter()
REPORT = "problem_response"


@router.get("/courses/{course_id:course_page}/csv/problem_responses/")
async def problem_responses(request: Request, course: CourseInView, site: TheSite) -> RedirectResponse:
    """Redirect to the file. It contains user names, so the download goes to the audit log."""
    found = await site.api.report(course.course_id, REPORT)
    if found is None or urlsplit(found["download_url"]).scheme not in {"http", "https"}:
        raise HTTPException(404)
    await note_download(request)
    return RedirectResponse(found["download_url"], 302)


async def file_of_responses(words: Language, site: Site, course: Course) -> Markup:
    """A sentence with a link to the file; empty without a file, or if the Data API fails."""
    try:
        found = await site.api.report(course.course_id, REPORT)
    except DataAPIError:
        return Markup("")
    if found is None:
        return Markup("")
    written = moment(found.get("last_modified"))
    link = Markup('<a href="{}">{}</a>').format(
        f"{course.path}csv/problem_responses/", words.text("the report of responses")
    )
    if written is None:
        return words.html(
            "What each learner answered last is in %(report)s (CSV), with user names.", report=link
        )
    return words.html(
        "What each learner answered last is in %(report)s (CSV, of %(moment)s), with user names.",
        report=link,
        moment=words.moment(written),
    )
