"""Demographics by gender, as learners gave it: the last day as shares, all days as a table (spec 06 §9.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import navigation, periods
from pharos.insights.access import CourseInView
from pharos.insights.api import Row, day
from pharos.insights.controls import controls, files, period_of
from pharos.insights.demographics import (
    PAGE_SIZE,
    UNKNOWN,
    empty_page,
    hides_groups,
    names_of,
    share_chart,
    tip,
)
from pharos.insights.directory import Course
from pharos.insights.freshness import last_day
from pharos.insights.gaps import every_day
from pharos.insights.language import Language, noop
from pharos.insights.reports import ReportPage, strong
from pharos.insights.site import TheSite
from pharos.insights.tables import Column, table

router = APIRouter()
GENDERS = {"female": noop("Female"), "male": noop("Male"), "other": noop("Other")}


@dataclass(frozen=True)
class GenderDay:
    """Learners by gender at the end of one UTC day."""

    day: date
    counts: dict[str, int | None]
    """None for a gender of so few that the site hides them."""
    unknown: int

    @property
    def known(self) -> int:
        return sum(filter(None, self.counts.values()))

    @property
    def total(self) -> int:
        return self.known + self.unknown


@router.get("/courses/{course_id:course_page}/enrollment/demographics/gender/")
async def gender(request: Request, course: CourseInView, site: TheSite) -> Response:
    """What is the learner gender breakdown?"""
    words: Language = request.state.language
    rows = await site.api.gender(course.course_id)
    days = days_of(rows, last_day(request, navigation.GENDER.table), hides=hides_groups(request))
    return site.renderer.render(request, _gender_page(request, words, course, days))


def days_of(rows: Sequence[Row], last: date | None, *, hides: bool = False) -> list[GenderDay]:
    """Every day from the first row to the day `last`. `hides`: without a count a gender is hidden."""
    return [
        GenderDay(
            day(row["date"]),
            {k: row.get(k) if hides else row.get(k) or 0 for k in GENDERS},
            row.get("unknown") or 0,
        )
        for row in every_day(rows, last)
    ]


def _answer(words: Language, last: GenderDay) -> Markup:
    """The shares of the last day; those of the genders that are shown where one is hidden."""
    shares = {k: words.percent(count / last.known) for k, count in last.counts.items() if count is not None}
    if len(shares) == len(GENDERS):
        return words.html(
            "Of those who said and were enrolled on %(day)s, <strong>%(female)s are female</strong>, "
            "<strong>%(male)s male</strong> and %(other)s other.",
            day=words.day(last.day),
            **shares,
        )
    parts = [Markup("{} ({})").format(strong(words.text(GENDERS[k])), share) for k, share in shares.items()]
    return words.html(
        "Of the learners in groups that are shown, enrolled on %(day)s: %(shares)s.",
        day=words.day(last.day),
        shares=Markup(words.enumeration(parts)),  # noqa: S704 - escaped above
    )


def _gender_page(request: Request, words: Language, course: Course, days: list[GenderDay]) -> ReportPage:
    names = names_of(request, course, navigation.GENDER)
    if not days:
        return empty_page(request, course, names, 0, None)
    first, newest = days[0].day, days[-1].day
    period = period_of(request, course, first, newest, periods.BY_DAY)
    shown = [item for item in days if item.day in period]
    last = shown[-1]
    names |= controls(request, course, period, first, newest, periods.BY_DAY, ())
    names |= {"comparison": None}
    if not last.known:
        return empty_page(request, course, names, last.total, last.day)
    bars = [
        {"name": words.text(label), "value": count / last.known, "rows": tip(words, count, last.known)}
        for k, label in GENDERS.items()
        if (count := last.counts[k]) is not None
    ]

    def column(key: str) -> Column[GenderDay]:
        return Column(
            key, words.text(GENDERS[key]), lambda d: d.counts[key], lambda d: words.number(d.counts[key])
        )

    def name(item: GenderDay) -> Markup:
        return Markup('<time datetime="{}">{}</time>').format(
            item.day.isoformat(), words.weekday(item.day, beside=last.day)
        )

    return ReportPage(
        **names,
        answer=_answer(words, last),
        chart=share_chart(
            words, course, words.text("Learners by gender"), bars, last.known, last.total, last.day, "gender"
        ),
        table=table(
            request,
            words.text("Gender breakdown over time"),
            [
                Column("date", words.text("Date"), lambda d: d.day, name, numeric=False, tight=True),
                Column("total", words.text("Current"), lambda d: d.total, lambda d: words.number(d.total)),
                *(column(key) for key in GENDERS),
                Column(
                    "unknown", words.text(UNKNOWN), lambda d: d.unknown, lambda d: words.number(d.unknown)
                ),
            ],
            shown,
            sort="-date",
            page_size=PAGE_SIZE,
            number=words.number,
        ),
        **files(course, "enrollment/demographics/gender", period),
    )
