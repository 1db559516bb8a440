"""Demographics by highest level of education, as learners gave it (spec 06 §9.6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from fastapi import APIRouter, Request, Response

from pharos.insights import navigation
from pharos.insights.access import CourseInView
from pharos.insights.api import Row
from pharos.insights.controls import files
from pharos.insights.demographics import (
    UNKNOWN,
    Group,
    empty_page,
    group_table,
    hides_groups,
    names_of,
    newest,
    share_chart,
    tip,
)
from pharos.insights.directory import Course
from pharos.insights.language import Language, noop
from pharos.insights.reports import Figure, ReportPage
from pharos.insights.site import TheSite

router = APIRouter()
LEVELS = {
    "none": noop("None"),
    "primary": noop("Primary"),
    "junior_secondary": noop("Middle school"),
    "secondary": noop("Secondary"),
    "associates": noop("Associate"),
    "bachelors": noop("Bachelor’s"),
    "masters": noop("Master’s degree"),
    "doctorate": noop("Doctorate"),
    "other": noop("Other"),
}


@router.get("/courses/{course_id:course_page}/enrollment/demographics/education/")
async def education(request: Request, course: CourseInView, site: TheSite) -> Response:
    """What level of education do my learners have?"""
    words: Language = request.state.language
    rows = await site.api.education(course.course_id)
    page = _education_page(request, words, course, levels_of(rows), newest(rows))
    return site.renderer.render(request, page)


def levels_of(rows: Sequence[Row]) -> Counter[str | None]:
    """Learners by level of education; an unknown level counts as not given (spec 06 §9.6 B)."""
    levels: Counter[str | None] = Counter()
    for row in rows:
        level = row.get("education_level")
        levels[level if level in LEVELS else None] += row["count"]
    return levels


def _education_page(
    request: Request, words: Language, course: Course, levels: Counter[str | None], last: date | None
) -> ReportPage:
    everybody = sum(levels.values())
    known = everybody - levels[None]
    names = names_of(request, course, navigation.EDUCATION)
    if not known or last is None:
        return empty_page(request, course, names, everybody, last)

    def label(level: int | str | None) -> str:
        return words.text(LEVELS.get(str(level), UNKNOWN))

    def band(*members: str) -> str:
        return words.percent(sum(levels[m] for m in members) / known)

    of_known = words.text("of those who gave a level")
    top = max(LEVELS, key=lambda level: levels[level])
    bars = [
        {"name": label(k), "value": levels[k] / known, "rows": tip(words, levels[k], known)} for k in LEVELS
    ]
    order = {level: i for i, level in enumerate(LEVELS)}
    groups = [Group(k, levels[k], order[k]) for k in LEVELS]
    if levels[None]:
        groups.append(Group(None, levels[None], len(LEVELS)))
    return ReportPage(
        **names,
        answer=words.html(
            "The most frequent level is <strong>%(level)s</strong>, with %(share)s of those who gave one.",
            level=label(top),
            share=words.percent(levels[top] / known),
        ),
        figures_label=words.text("Education metrics"),
        figures=(
            Figure(
                "education_high_school_or_less_enrollment",
                words.text("High school or less"),
                band("primary", "junior_secondary", "secondary"),
                of_known,
                href="#table",
            ),
            Figure(
                "education_college_enrollment",
                words.text("College degree"),
                band("associates", "bachelors"),
                of_known,
                href="#table",
            ),
            Figure(
                "education_advanced_enrollment",
                words.text("Advanced degree"),
                band("masters", "doctorate"),
                of_known,
                href="#table",
            ),
        ),
        chart=share_chart(
            words,
            course,
            words.text("Learners by level of education"),
            bars,
            known,
            everybody,
            last,
            "education",
        ),
        table=group_table(
            request,
            words,
            words.text("Educational breakdown"),
            words.text("Level of education"),
            groups,
            label,
            everybody,
            "-count",
            hides=hides_groups(request),
        ),
        **files(course, "enrollment/demographics/education"),
    )
