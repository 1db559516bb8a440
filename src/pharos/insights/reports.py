"""Parts that report pages share: figures, empty and failed states, the panel "how is this counted"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from fastapi import Request
from markupsafe import Markup

from pharos.insights import navigation
from pharos.insights.api import Definition
from pharos.insights.charts import Chart
from pharos.insights.explanations import EXPLANATIONS
from pharos.insights.language import Language
from pharos.insights.navigation import Report
from pharos.insights.rendering import Link, Page
from pharos.insights.site import site_of
from pharos.insights.tables import Table


@dataclass(frozen=True)
class Figure:
    """One of the large numbers; the note gives its context."""

    key: str
    label: str
    value: str
    note: str = ""
    word: bool = False
    href: str = ""
    """Where the days, weeks or groups behind it are."""
    people: Link | None = None
    """The list of the learners behind it, for who may see it."""


@dataclass(frozen=True)
class State:
    """Shown in place of an empty report: the missing data, the reason, and the next steps."""

    title: str
    text: str
    actions: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Choice:
    """A drop-down whose choice is stored in the URL."""

    name: str
    label: str
    options: list[Link]
    """`href` is the option's value."""


@dataclass(frozen=True)
class Languages:
    """The second subject of a page: languages of browsers and of transcripts."""

    title: str
    caption: str
    answer: Markup
    table: Table
    csv: str
    xlsx: str


@dataclass(frozen=True, kw_only=True)
class ReportPage(Page):
    """One report of a course: answer, controls, figures, chart, table, how it is counted, CSV."""

    template: ClassVar[str] = "report.html"
    report: Report
    trail: tuple[Link, ...] = ()
    """The pages above this one, from its report down."""
    figures_label: str = ""
    figures: tuple[Figure, ...] = ()
    chart: Chart | None = None
    table: Table | None = None
    explanation: tuple[str, ...] = ()
    """How it is counted, in words for course teams."""
    languages: Languages | None = None
    """In which languages learners read, of the page that has it."""
    differences: tuple[Markup, ...] = ()
    """How far it differs from the LMS, in words."""
    aside: str = ""
    """What is shown apart from the days of the page: the week so far."""
    definition: Definition | None = None
    csv: str = ""
    xlsx: str = ""
    """Addresses of the files with the rows shown."""
    further_file: Markup | str = ""
    """What else there is to download, in a sentence."""
    tabs: tuple[Link, ...] = ()
    periods: tuple[Link, ...] = ()
    custom_period: tuple[str, str] | None = None
    """First and last day shown, for the date fields."""
    comparison: Choice | None = None
    drawn_as: tuple[Link, ...] = ()
    """Stacked or lines, for charts that can be both."""
    hidden: tuple[tuple[str, str], ...] = ()
    """Parameters of the URL that the forms keep."""
    kept_period: tuple[tuple[str, str], ...] = ()
    """Those that say which period is shown."""
    period_shown: str = ""
    """The days of a range that was written into the date fields, in words."""
    correction: str = ""
    """Why other days are shown than the URL asks for."""
    empty: State | None = None
    note: str = ""

    @property
    def history_until(self) -> date | None:
        """The last day counted by the earlier program, if such days are shown."""
        until = self.definition.history_until if self.definition else None
        if until is None or self.custom_period is None:
            return None
        return until if date.fromisoformat(self.custom_period[0]) <= until else None


def about(request: Request, report: Report) -> dict[str, Any]:
    """The page fields about the report: name, question, definition and explanation."""
    words: Language = request.state.language
    definition = request.state.definitions.get(report.table)
    return {
        "note": _note(request, report),
        "report": report,
        "title": words.text(report.title),
        "question": words.text(report.question),
        "definition": definition,
        "explanation": tuple(words.text(text) for text in EXPLANATIONS.get(report.key, ())),
    }


def _note(request: Request, report: Report) -> str:
    """A note that counts of few learners are hidden, if they are."""
    words: Language = request.state.language
    least = site_of(request).settings.insights.minimum_cell
    if not least or report not in navigation.ABOUT_PERSONS:
        return ""
    return words.text(
        "Groups of fewer than %(n)s learners are counted as not given, and so are others from which they "
        "could be computed.",
        n=words.number(least),
    )


def all_hidden(request: Request, everybody: int, course_path: str) -> dict[str, Any]:
    """Answer and state of a page without a group to show, on a site that hides groups of few learners.

    Empty where the site hides none: then no learner told anything.
    """
    words: Language = request.state.language
    least = site_of(request).settings.insights.minimum_cell
    if not least:
        return {}
    answer = words.htmls(
        "<strong>No group is large enough to be shown.</strong> There is %(n)s learner.",
        "<strong>No group is large enough to be shown.</strong> There are %(n)s learners.",
        everybody,
    )
    state = State(
        words.text("No group is large enough"),
        words.text(
            "This site shows no group of fewer than %(n)s learners. As soon as one has as many, the report "
            "is shown.",
            n=words.number(least),
        ),
        (Link(course_path, words.text("Back to course home")),),
    )
    return {"answer": answer, "empty": state}


def no_data_yet(words: Language, course_path: str) -> State:
    """Shown if the Data API has no rows for the course; this is not an error."""
    return State(
        words.text("No data yet"),
        words.text(
            "Nothing has been counted for this course so far. Numbers appear after the first learner enrolls "
            "and the next computation has run. If learners are enrolled already, ask your operator whether "
            "the tracking logs of this course are being read."
        ),
        (Link(course_path, words.text("Back to course home")),),
    )


def nobody(words: Language, day: date) -> Markup:
    """The answer of a page about the learners of a day without learners."""
    return words.html("<strong>Nobody is enrolled</strong> on %(day)s.", day=words.day(day))


def all_left(words: Language, course_path: str) -> State:
    """Shown if learners were counted and all have left the course."""
    return State(
        words.text("Everybody has left"),
        words.text(
            "Learners were enrolled in this course earlier, and all of them have left it. This report is "
            "about learners who are enrolled; the report on enrollment has every day."
        ),
        (Link(f"{course_path}enrollment/activity/", words.text("See every day")),),
    )


def keep(request: Request, *names: str) -> tuple[tuple[str, str], ...]:
    """The named parameters of the URL, as hidden fields for a form."""
    return tuple(
        (name, value) for name, value in request.query_params.multi_items() if name in names and value
    )


def when(words: Language, first: date, last: date) -> Markup:
    """The days in words, without line breaks."""
    return Markup('<span class="when">{}</span>').format(words.days(first, last))


def strong(text: str) -> Markup:
    """The text in bold, for the few important numbers of an answer."""
    return Markup("<strong>{}</strong>").format(text)
