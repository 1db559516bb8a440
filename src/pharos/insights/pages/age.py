"""Demographics by age, from the years of birth that learners gave (spec 06 §9.5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime

from fastapi import APIRouter, HTTPException, Request, Response

from pharos.insights import navigation
from pharos.insights.access import CourseInView
from pharos.insights.api import Row
from pharos.insights.charts import Chart
from pharos.insights.controls import files
from pharos.insights.demographics import (
    UNKNOWN,
    Group,
    caption,
    empty_page,
    group_table,
    hides_groups,
    names_of,
    newest,
    tip,
)
from pharos.insights.directory import Course
from pharos.insights.language import Language, noop
from pharos.insights.reports import Figure, ReportPage
from pharos.insights.site import TheSite

router = APIRouter()
OLDEST = 100
# Key, name, first age and age after the last (spec 06 §9.5.3).
BANDS = (
    ("enrollment_age_under_25", noop("25 and under"), 0, 26),
    ("enrollment_age_between_26_40", noop("26 to 40"), 26, 41),
    ("enrollment_age_over_40", noop("41 and over"), 41, 1000),
)


@router.get("/courses/{course_id:course_page}/enrollment/demographics/age/")
async def age(request: Request, course: CourseInView, site: TheSite) -> Response:
    """How old are my learners?"""
    if not site.settings.insights.show_age:
        raise HTTPException(404)
    words: Language = request.state.language
    rows = await site.api.birth_years(course.course_id)
    last = newest(rows)
    ages = ages_of(rows, (last or datetime.now(UTC)).year)
    return site.renderer.render(request, _age_page(request, words, course, ages, last))


def ages_of(rows: Sequence[Row], year: int) -> Counter[int | None]:
    """Learners by age at the end of the year; None if the year of birth is missing or in the future."""
    ages: Counter[int | None] = Counter()
    for row in rows:
        born = row.get("birth_year")
        ages[year - born if born and born <= year else None] += row["count"]
    return ages


def median_age(ages: Counter[int | None]) -> float | None:
    """The median age of learners who gave one (spec 06 §9.5.2); None if nobody did."""
    known = sorted((age, n) for age, n in ages.items() if age is not None)
    total, below = sum(n for _, n in known), 0
    for i, (years, n) in enumerate(known):
        below += n
        if below * 2 > total:
            return float(years)
        if below * 2 == total:
            return (years + known[i + 1][0]) / 2
    return None


def _age_page(
    request: Request, words: Language, course: Course, ages: Counter[int | None], last: date | None
) -> ReportPage:
    everybody = sum(ages.values())
    known = everybody - ages[None]
    names = names_of(request, course, navigation.AGE)
    if not known or last is None:
        return empty_page(request, course, names, everybody, last)
    median = median_age(ages)
    middle = words.number(median, 0 if median and median == int(median) else 1)
    merged: Counter[int | None] = Counter()
    for years, n in ages.items():
        merged[min(years, OLDEST) if years is not None else None] += n

    def label(years: int | None) -> str:
        if years is None:
            return words.text(UNKNOWN)
        return words.number(years) + ("+" if years == OLDEST else "")

    def band(low: int, below: int) -> str:
        return words.percent(
            sum(n for years, n in ages.items() if years is not None and low <= years < below) / known
        )

    of_known = words.text("of those who gave a year of birth")
    youngest, oldest = min(k for k in merged if k is not None), max(k for k in merged if k is not None)
    bars = [
        {
            "name": label(years),
            "value": merged[years],
            "head": words.text("Age %(age)s", age=label(years)),
            "rows": tip(words, merged[years], everybody),
        }
        for years in range(youngest // 10 * 10, oldest + 1)
    ]
    half = {"name": words.text("Half are %(age)s or younger", age=middle), "at": label(int(median or 0))}
    marks = [half] if median else []
    # Every age has its row, so that the table is the whole histogram (spec 06 §9.5.4).
    groups = [Group(years, merged[years], years) for years in range(OLDEST + 1)]
    if merged[None]:
        groups.append(Group(None, merged[None], OLDEST + 1))
    return ReportPage(
        **names,
        answer=words.html(
            "Half of your learners are <strong>%(age)s or younger</strong>; %(share)s gave a year of birth.",
            age=middle,
            share=words.percent(known / everybody),
        ),
        figures_label=words.text("Age metrics"),
        figures=(
            Figure(
                "median_age",
                words.text("Median learner age"),
                middle,
                of_known,
                href="#table",
            ),
            *(
                Figure(key, words.text(label), band(low, below), of_known, href="#table")
                for key, label, low, below in BANDS
            ),
        ),
        chart=Chart(
            "bars",
            words.text("Learners by age"),
            caption(words, known, everybody, last),
            words.text(
                "Learners by age, from %(youngest)s to %(oldest)s; the median is %(median)s. Use the arrow "
                "keys to read age by age.",
                youngest=label(youngest),
                oldest=label(oldest),
                median=middle,
            ),
            {"bars": bars, "horizontal": False, "percent": False, "marks": marks},
            [],
            "-".join([*course.parts, "age"]),
        ),
        table=group_table(
            request,
            words,
            words.text("Age breakdown"),
            words.text("Age"),
            groups,
            label,
            everybody,
            "-count",
            hides=hides_groups(request),
        ),
        **files(course, "enrollment/demographics/age"),
    )
