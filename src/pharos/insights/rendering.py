"""Renders a page's context to HTML: templates, static addresses, the frame around every page."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import pharos
from pharos.config import Settings
from pharos.insights import language, navigation
from pharos.insights.branding import Branding, branding
from pharos.insights.directory import Course
from pharos.insights.freshness import Freshness, freshness
from pharos.insights.language import Language
from pharos.insights.sessions import Viewer
from pharos.insights.static_files import StaticFiles
from pharos.lms.oauth import public_url
from pharos.prefix import with_prefix

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Page:
    """Fields of every page: its name, its question and the answer in a sentence."""

    template: ClassVar[str]
    title: str
    question: str
    answer: Markup | str = ""


@dataclass(frozen=True)
class Link:
    """A link; `current` if it leads to the present page."""

    href: str
    label: str
    current: bool = False
    within: bool = False
    """Whether it leads to what the page where one is belongs to."""


@dataclass(frozen=True)
class Frame:
    """The frame of a page: viewer, course, language and freshness of numbers."""

    title: str
    viewer: Viewer | None
    course: Course | None
    report: str
    """Key of the report that is shown; empty elsewhere."""
    menu: list[tuple[str, list[Link]]]
    elsewhere: list[Link]
    languages: list[tuple[Link, Language]]
    freshness: Freshness | None
    branding: Branding
    usage_script: str | None
    usage_pixel: str | None
    announcement: str | None
    footer_links: Mapping[str, str]
    help_url: str | None
    support_email: str | None
    version: str


class Renderer:
    """Renders pages; holds the compiled templates and the static files."""

    def __init__(self, settings: Settings, static: StaticFiles) -> None:
        """Raises ConfigurationError if the site's logo or accent is unusable."""
        self._settings = settings
        self._prefix = urlsplit(settings.insights.url).path.rstrip("/")
        self._branding = branding(settings.insights, static)
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        self._environment.globals["static"] = static.address

    def render(self, request: Request, page: Page, status: int = 200) -> HTMLResponse:
        """The page in its frame, in the language of the request."""
        words: Language = request.state.language
        template = self._environment.get_template(page.template)
        html = template.render(
            page=page,
            frame=self._frame(request, page, words),
            words=words,
            _=words.html,
            ngettext=words.htmls,
            unique=lambda: secrets.token_hex(3),
        )
        return HTMLResponse(with_prefix(html, self._prefix), status)

    def _frame(self, request: Request, page: Page, words: Language) -> Frame:
        course: Course | None = getattr(request.state, "course", None)
        subject = " - ".join(filter(None, [page.title, "/".join(course.parts) if course else ""]))
        return Frame(
            title=" | ".join(filter(None, [subject, f"{self._branding.name} Insights"])),
            viewer=request.state.viewer,
            course=course,
            report=_report_of(request, course),
            menu=self._menu(request, course, words) if course else [],
            elsewhere=self._elsewhere(course, words) if course else [],
            languages=[
                (
                    Link(with_query(request, **{language.PARAMETER: code}), other.name, code == words.code),
                    other,
                )
                for code, other in language.languages().items()
            ],
            freshness=freshness(getattr(request.state, "definitions", {}), datetime.now(UTC)),
            branding=self._branding,
            usage_script=self._settings.insights.usage_script,
            usage_pixel=self._settings.insights.usage_pixel,
            announcement=self._settings.insights.announcement,
            footer_links=self._settings.insights.footer_links,
            help_url=self._settings.insights.help_url,
            support_email=self._settings.insights.support_email,
            version=pharos.__version__,
        )

    def _menu(self, request: Request, course: Course, words: Language) -> list[tuple[str, list[Link]]]:
        path = request.url.path

        def link(report: navigation.Report) -> Link:
            href = course.path + report.path
            within = report.covers(path.removeprefix(course.path))
            return Link(href, words.text(report.label), current=path == href, within=within)

        lenses = navigation.lenses(
            age=self._settings.insights.show_age,
            learners=self._settings.shows_learners_of(course.organisation),
        )
        home = ("", [link(navigation.HOME)])
        return [home, *((words.text(lens.label), [link(r) for r in lens.reports]) for lens in lenses)]

    def _elsewhere(self, course: Course, words: Language) -> list[Link]:
        lms, studio = public_url(self._settings.lms), self._settings.lms.studio_url
        links = [
            Link(f"{lms}{course.path}courseware", words.text("Course")),
            Link(f"{lms}{course.path}instructor", words.text("Instructor dashboard")),
        ]
        if studio:
            links.insert(1, Link(f"{studio.rstrip('/')}/course/{course.course_id}", "Studio"))
        return links


def _report_of(request: Request, course: Course | None) -> str:
    if course is None:
        return ""
    reports = (report for lens in navigation.LENSES for report in lens.reports)
    path = request.url.path
    return next((r.key for r in reports if r.covers(path.removeprefix(course.path))), "")


def with_query(request: Request, **changes: str | Sequence[str] | None) -> str:
    """The address of this page with parameters changed, repeated (several values) or removed (None).

    The address is relative, so that it can be a link on the page.
    """
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.url.query):
        query.setdefault(name, []).append(value)
    for name, values in changes.items():
        query[name] = [values] if isinstance(values, str) else list(values or ())
    text = urlencode(query, doseq=True)
    return f"?{text}" if text else request.url.path
