"""A card of a course for the LMS's instructor dashboard: `/embed/courses/<id>/`. Only the LMS may frame it.

It uses the session of Insights: a viewer who is not signed in, or may not see the course, gets a card without
numbers.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.errors import PharosError
from pharos.insights import activity_sentences, enrollment_sentences, navigation
from pharos.insights.activity_weeks import weeks_of
from pharos.insights.api import DataAPIError
from pharos.insights.directory import Course
from pharos.insights.enrollment_days import counts, days_of, growth_in_week
from pharos.insights.freshness import last_day
from pharos.insights.language import Language
from pharos.insights.policy import content_policy, origin_of_lms
from pharos.insights.rendering import Page
from pharos.insights.site import Site, TheSite
from pharos.insights.weeks import end_of_weeks

log = logging.getLogger(__name__)
router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class CardPage(Page):
    """What happened in my course? In two sentences."""

    template: ClassVar[str] = "embed.html"
    sentences: tuple[Markup, ...]
    href: str
    """The course in Insights."""
    link: str


@router.get("/embed/courses/{course_id:course_page}/")
async def embed(request: Request, course_id: str, site: TheSite) -> Response:
    """The card of a course."""
    words: Language = request.state.language
    course = Course(course_id, course_id)
    sentences: tuple[Markup, ...] = ()
    viewer, status = request.state.viewer, 200
    if request.state.unknown is not None:
        status, link = _failed(request.state.unknown), words.text("See more in Insights")
        sentences = (words.html("Numbers could not be loaded"),)
    elif viewer is None:
        status = 401
        link = words.text("Sign in to Insights to see the numbers of this course")
    elif not (await site.permissions.decide(viewer, course_id)).allowed:
        link = words.text("Your account does not see this course in Insights")
        course, status = Course("", ""), 403
    else:
        link = words.text("See more in Insights")
        try:
            sentences = await _sentences(request, site, course)
        except DataAPIError as error:
            status, sentences = _failed(error), (words.html("Numbers could not be loaded"),)
    path = course.path if course.course_id else "/courses/"
    page = CardPage(
        title=words.text(navigation.HOME.title),
        question=words.text(navigation.HOME.question),
        sentences=sentences,
        href=site.settings.insights.url.rstrip("/") + path,
        link=link,
    )
    response = site.renderer.render(request, page, status)
    response.headers["Content-Security-Policy"] = content_policy(site.settings, origin_of_lms(site.settings))
    return response


def _failed(error: PharosError) -> int:
    """The status of a card without its numbers. A page of its own would not be framed."""
    log.warning("a card was shown without its numbers: %s", error)
    return 503


async def _sentences(request: Request, site: Site, course: Course) -> tuple[Markup, ...]:
    """Enrollment of seven days, activity of the last complete week."""
    words: Language = request.state.language
    rows = await site.api.enrollment_by_mode(course.course_id)
    days = days_of(rows, last_day(request, navigation.ENROLLMENT_ACTIVITY.table))
    activity = await site.api.activity(course.course_id)
    weeks = weeks_of(activity, counts(days), end_of_weeks(request, navigation.ENGAGEMENT_CONTENT.table))
    found = []
    if days:
        found.append(enrollment_sentences.changed(words, growth_in_week(days)))
    if weeks:
        found.append(activity_sentences.active(words, weeks[-1]))
    return tuple(found) or (words.html("<strong>Nothing has been counted yet.</strong>"),)
