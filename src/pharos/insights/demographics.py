"""Shared parts of the reports on age, education and gender (spec 06 §9.5-9.7).

Learners who gave no answer are in the table, but in no share: shares are of learners who gave an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request
from markupsafe import Markup

from pharos.insights import navigation
from pharos.insights.api import Row, day
from pharos.insights.charts import Chart
from pharos.insights.directory import Course
from pharos.insights.language import Language, noop
from pharos.insights.navigation import Report
from pharos.insights.rendering import Link
from pharos.insights.reports import ReportPage, State, about, all_hidden, all_left, no_data_yet, nobody
from pharos.insights.site import site_of
from pharos.insights.tables import Column, Table, table

PAGE_SIZE = 15
UNKNOWN = noop("Not given")


@dataclass(frozen=True)
class Group:
    """Learners who gave the same answer; `key` is None for learners who gave none."""

    key: int | str | None
    count: int
    order: int


def names_of(request: Request, course: Course, report: Report) -> dict[str, Any]:
    """The page fields for the report's texts, and the tabs of the related reports."""
    words: Language = request.state.language
    reports = [navigation.AGE, navigation.EDUCATION, navigation.GENDER]
    if not site_of(request).settings.insights.show_age:
        reports.remove(navigation.AGE)
    tabs = tuple(Link(course.path + r.path, words.text(r.label), r is report) for r in reports)
    return about(request, report) | {"tabs": tabs}


def hides_groups(request: Request) -> bool:
    """Whether the site hides groups of few learners."""
    return site_of(request).settings.insights.minimum_cell > 0


def empty_page(
    request: Request, course: Course, names: dict[str, Any], everybody: int, last: date | None
) -> ReportPage:
    """Shown when learners gave no such information, when all have left, or when nothing was counted.

    `last` is the day of the numbers; None if there are none.
    """
    words: Language = request.state.language
    if last is None:
        answer = words.html("<strong>Nothing has been counted yet.</strong>")
        return ReportPage(**names, answer=answer, empty=no_data_yet(words, course.path))
    if not everybody:
        return ReportPage(**names, answer=nobody(words, last), empty=all_left(words, course.path))
    if hidden := all_hidden(request, everybody, course.path):
        return ReportPage(**names, **hidden)
    answer = words.htmls(
        "<strong>Nobody has said.</strong> There is %(n)s learner.",
        "<strong>Nobody has said.</strong> There are %(n)s learners.",
        everybody,
    )
    state = State(
        words.text("No learner has said"),
        words.text(
            "Learners may say this of themselves when they register, and need not. As soon as one who is "
            "enrolled here has, the report is shown."
        ),
        (Link(course.path, words.text("Back to course home")),),
    )
    return ReportPage(**names, answer=answer, empty=state)


def newest(rows: Sequence[Row]) -> date | None:
    """The day of the rows; None without any."""
    return max((day(row["date"]) for row in rows), default=None)


def caption(words: Language, known: int, everybody: int, last: date) -> str:
    """The share of learners who gave an answer, for the line below a chart's title."""
    return words.text(
        "%(share)s of the learners enrolled on %(day)s, who said so themselves when they registered",
        share=words.percent(known / everybody),
        day=words.day(last),
    )


def tip(words: Language, count: int, base: int) -> list[tuple[str, str]]:
    """The rows of a bar's tooltip."""
    return [
        (words.text("Learners"), words.number(count)),
        (words.text("Share"), words.percent(count / base if base else None)),
    ]


def share_chart(
    words: Language,
    course: Course,
    title: str,
    bars: list[dict[str, Any]],
    known: int,
    everybody: int,
    last: date,
    name: str,
) -> Chart:
    """Horizontal bars: each answer's share of the learners who gave one."""
    return Chart(
        "bars",
        title,
        caption(words, known, everybody, last),
        ", ".join(f"{bar['name']} {words.percent(bar['value'])}" for bar in bars),
        {"bars": bars, "horizontal": True, "percent": True},
        [],
        "-".join([*course.parts, name]),
    )


def group_table(
    request: Request,
    words: Language,
    caption: str,
    head: str,
    groups: Sequence[Group],
    label: Callable[[Any], str],
    everybody: int,
    sort: str,
    *,
    hides: bool = False,
) -> Table:
    """The groups with their learners and their share of everybody.

    `hides`: a group without learners may be hidden, so that it has a dash and not zero.
    """

    def shown(group: Group) -> int | None:
        return None if hides and not group.count else group.count

    def name(group: Group) -> str | Markup:
        text = label(group.key)
        return Markup('<span class="quiet">{}</span>').format(text) if group.key is None else text

    return table(
        request,
        caption,
        [
            Column("group", head, lambda g: g.order, name, numeric=False),
            Column("count", words.text("Learners"), lambda g: g.count, lambda g: words.number(shown(g))),
            Column(
                "share",
                words.text("Share of all"),
                lambda g: g.count,
                lambda g: words.percent(None if shown(g) is None else g.count / everybody),
            ),
        ],
        groups,
        sort=sort,
        page_size=PAGE_SIZE,
        number=words.number,
    )
