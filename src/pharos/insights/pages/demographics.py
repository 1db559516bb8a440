"""Demographics: age, education and gender, as learners gave them (spec 06 §9.5-9.7).

Who did not say is in the table and in no share of those who did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import navigation
from pharos.insights.access import CourseInView
from pharos.insights.api import Row, day
from pharos.insights.charts import Chart
from pharos.insights.directory import Course
from pharos.insights.language import Language, noop
from pharos.insights.navigation import Report
from pharos.insights.rendering import Link
from pharos.insights.reports import Figure, ReportPage, about, no_data_yet
from pharos.insights.site import TheSite
from pharos.insights.tables import Column, table

router = APIRouter()
PAGE_SIZE = 15
OLDEST = 100
# Key, name, first age and age after the last (spec 06 §9.5.3).
BANDS = (
    ("enrollment_age_under_25", noop("25 and under"), 0, 26),
    ("enrollment_age_between_26_40", noop("26 to 40"), 26, 41),
    ("enrollment_age_over_40", noop("41 and over"), 41, 1000),
)
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
UNKNOWN = noop("Not given")
GENDERS = {"female": noop("Female"), "male": noop("Male"), "other": noop("Other")}


@dataclass(frozen=True)
class Group:
    """Learners who gave one answer; `key` None for those who gave none."""

    key: int | str | None
    count: int
    order: int


# --- Age ---------------------------------------------------------------------------------------------------


@router.get("/courses/{course_id:course_page}/enrollment/demographics/age/")
async def age(request: Request, course: CourseInView, site: TheSite) -> Response:
    """How old are my learners?"""
    words: Language = request.state.language
    ages = ages_of(await site.api.birth_years(course.course_id), datetime.now(UTC).year)
    return site.renderer.render(request, _age_page(request, words, course, ages))


def ages_of(rows: Sequence[Row], year: int) -> Counter[int | None]:
    """Learners by age at the end of the year; None for a year of birth not given or in the future."""
    ages: Counter[int | None] = Counter()
    for row in rows:
        born = row.get("birth_year")
        ages[year - born if born and born <= year else None] += row["count"]
    return ages


def median_age(ages: Counter[int | None]) -> float | None:
    """The age half of those who gave one are not above (spec 06 §9.5.2); None when nobody gave one."""
    known = sorted((age, n) for age, n in ages.items() if age is not None)
    total, below = sum(n for _, n in known), 0
    for i, (years, n) in enumerate(known):
        below += n
        if below * 2 > total:
            return float(years)
        if below * 2 == total:
            return (years + known[i + 1][0]) / 2
    return None


def _age_page(request: Request, words: Language, course: Course, ages: Counter[int | None]) -> ReportPage:
    everybody = sum(ages.values())
    known = everybody - ages[None]
    names = _names(request, words, course, navigation.AGE, "course_enrollment_birth_year_daily")
    if not known:
        return _empty(words, course, names, everybody)
    median = median_age(ages)
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
            "rows": _tip(words, merged[years], everybody),
        }
        for years in range(min(youngest, 15), oldest + 1)
    ]
    groups = [Group(years, n, years if years is not None else -1) for years, n in merged.items()]
    return ReportPage(
        **names,
        answer=words.html(
            "Half of your learners are <strong>%(age)s or younger</strong>; %(share)s gave a year of birth.",
            age=words.number(median, 0 if median and median == int(median) else 1),
            share=words.percent(known / everybody),
        ),
        figures_label=words.text("Age metrics"),
        figures=(
            Figure(
                "median_age",
                words.text("Median learner age"),
                words.number(median, 0 if median and median == int(median) else 1),
                of_known,
            ),
            *(Figure(key, words.text(label), band(low, below), of_known) for key, label, low, below in BANDS),
        ),
        chart=Chart(
            "bars",
            words.text("Learners by age"),
            _caption(words, known, everybody),
            words.text(
                "Learners by age, from %(youngest)s to %(oldest)s; the median is %(median)s. Use the arrow "
                "keys to read age by age.",
                youngest=label(youngest),
                oldest=label(oldest),
                median=words.number(median),
            ),
            {"bars": bars, "horizontal": False, "percent": False},
            [],
            "-".join([*course.parts, "age"]),
        ),
        table=_group_table(
            request, words, words.text("Age breakdown"), words.text("Age"), groups, label, everybody, "-count"
        ),
        csv=f"{course.path}csv/enrollment/demographics/age/",
    )


# --- Education ---------------------------------------------------------------------------------------------


@router.get("/courses/{course_id:course_page}/enrollment/demographics/education/")
async def education(request: Request, course: CourseInView, site: TheSite) -> Response:
    """What level of education do my learners have?"""
    words: Language = request.state.language
    levels = levels_of(await site.api.education(course.course_id))
    return site.renderer.render(request, _education_page(request, words, course, levels))


def levels_of(rows: Sequence[Row]) -> Counter[str | None]:
    """Learners by level of education; a level nobody knows counts as not given (spec 06 §9.6 B)."""
    levels: Counter[str | None] = Counter()
    for row in rows:
        level = row.get("education_level")
        levels[level if level in LEVELS else None] += row["count"]
    return levels


def _education_page(
    request: Request, words: Language, course: Course, levels: Counter[str | None]
) -> ReportPage:
    everybody = sum(levels.values())
    known = everybody - levels[None]
    names = _names(request, words, course, navigation.EDUCATION, "course_enrollment_education_level_daily")
    if not known:
        return _empty(words, course, names, everybody)

    def label(level: int | str | None) -> str:
        return words.text(LEVELS.get(str(level), UNKNOWN))

    def band(*members: str) -> str:
        return words.percent(sum(levels[m] for m in members) / known)

    of_known = words.text("of those who gave a level")
    top = max(LEVELS, key=lambda level: levels[level])
    bars = [
        {"name": label(k), "value": levels[k] / known, "rows": _tip(words, levels[k], known)} for k in LEVELS
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
            ),
            Figure(
                "education_college_enrollment",
                words.text("College degree"),
                band("associates", "bachelors"),
                of_known,
            ),
            Figure(
                "education_advanced_enrollment",
                words.text("Advanced degree"),
                band("masters", "doctorate"),
                of_known,
            ),
        ),
        chart=_share_chart(
            words, course, words.text("Learners by level of education"), bars, known, everybody, "education"
        ),
        table=_group_table(
            request,
            words,
            words.text("Educational breakdown"),
            words.text("Level of education"),
            groups,
            label,
            everybody,
            "-count",
        ),
        csv=f"{course.path}csv/enrollment/demographics/education/",
    )


# --- Gender ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GenderDay:
    """Learners by gender at the end of one UTC day."""

    day: date
    counts: dict[str, int]
    unknown: int

    @property
    def known(self) -> int:
        return sum(self.counts.values())

    @property
    def total(self) -> int:
        return self.known + self.unknown


@router.get("/courses/{course_id:course_page}/enrollment/demographics/gender/")
async def gender(request: Request, course: CourseInView, site: TheSite) -> Response:
    """What is the learner gender breakdown?"""
    words: Language = request.state.language
    days = [
        GenderDay(day(row["date"]), {k: row.get(k) or 0 for k in GENDERS}, row.get("unknown") or 0)
        for row in await site.api.gender(course.course_id)
    ]
    return site.renderer.render(request, _gender_page(request, words, course, days))


def _gender_page(request: Request, words: Language, course: Course, days: list[GenderDay]) -> ReportPage:
    names = _names(request, words, course, navigation.GENDER, "course_enrollment_gender_daily")
    if not days or not days[-1].known:
        return _empty(words, course, names, days[-1].total if days else 0)
    last = days[-1]
    shares = {k: last.counts[k] / last.known for k in GENDERS}
    bars = [
        {"name": words.text(label), "value": shares[k], "rows": _tip(words, last.counts[k], last.known)}
        for k, label in GENDERS.items()
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
        answer=words.html(
            "Of those who said, <strong>%(female)s are female</strong>, <strong>%(male)s male</strong> and "
            "%(other)s other.",
            female=words.percent(shares["female"]),
            male=words.percent(shares["male"]),
            other=words.percent(shares["other"]),
        ),
        chart=_share_chart(
            words, course, words.text("Learners by gender"), bars, last.known, last.total, "gender"
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
            days,
            sort="-date",
            page_size=PAGE_SIZE,
            number=words.number,
        ),
        csv=f"{course.path}csv/enrollment/demographics/gender/",
    )


# --- Shared ------------------------------------------------------------------------------------------------


def _names(request: Request, words: Language, course: Course, report: Report, name: str) -> dict[str, Any]:
    reports = (navigation.AGE, navigation.EDUCATION, navigation.GENDER)
    tabs = tuple(Link(course.path + r.path, words.text(r.label), r is report) for r in reports)
    return about(request, report, name) | {"tabs": tabs}


def _empty(words: Language, course: Course, names: dict[str, Any], everybody: int) -> ReportPage:
    answer = (
        words.htmls(
            "<strong>Nobody has said.</strong> There is %(n)s learner.",
            "<strong>Nobody has said.</strong> There are %(n)s learners.",
            everybody,
        )
        if everybody
        else words.html("<strong>Nothing has been counted yet.</strong>")
    )
    return ReportPage(**names, answer=answer, empty=no_data_yet(words, course.path))


def _caption(words: Language, known: int, everybody: int) -> str:
    return words.text(
        "%(share)s of the enrolled learners, who said so themselves when they registered",
        share=words.percent(known / everybody),
    )


def _tip(words: Language, count: int, base: int) -> list[tuple[str, str]]:
    return [
        (words.text("Learners"), words.number(count)),
        (words.text("Share"), words.percent(count / base if base else None)),
    ]


def _share_chart(
    words: Language,
    course: Course,
    title: str,
    bars: list[dict[str, Any]],
    known: int,
    everybody: int,
    name: str,
) -> Chart:
    return Chart(
        "bars",
        title,
        _caption(words, known, everybody),
        ", ".join(f"{bar['name']} {words.percent(bar['value'])}" for bar in bars),
        {"bars": bars, "horizontal": True, "percent": True},
        [],
        "-".join([*course.parts, name]),
    )


def _group_table(
    request: Request,
    words: Language,
    caption: str,
    head: str,
    groups: Sequence[Group],
    label: Callable[[Any], str],
    everybody: int,
    sort: str,
) -> Any:
    def name(group: Group) -> str | Markup:
        text = label(group.key)
        return Markup('<span class="quiet">{}</span>').format(text) if group.key is None else text

    return table(
        request,
        caption,
        [
            Column("group", head, lambda g: g.order, name, numeric=False),
            Column("count", words.text("Learners"), lambda g: g.count, lambda g: words.number(g.count)),
            Column(
                "share",
                words.text("Share of all"),
                lambda g: g.count,
                lambda g: words.percent(g.count / everybody),
            ),
        ],
        groups,
        sort=sort,
        page_size=PAGE_SIZE,
        number=words.number,
    )
