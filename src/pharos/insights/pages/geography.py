"""Geography: the countries learners connect from, as a map and a table (spec 06 §9.8)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from pharos.insights import navigation
from pharos.insights.access import CourseInView
from pharos.insights.api import Row
from pharos.insights.caption_languages import languages_of
from pharos.insights.charts import Chart
from pharos.insights.controls import files
from pharos.insights.demographics import newest
from pharos.insights.directory import Course
from pharos.insights.language import Language, noop
from pharos.insights.rendering import Link
from pharos.insights.reports import (
    Figure,
    Languages,
    ReportPage,
    State,
    about,
    all_hidden,
    all_left,
    no_data_yet,
    nobody,
    strong,
)
from pharos.insights.site import TheSite
from pharos.insights.tables import Column, table

router = APIRouter()
PAGE_SIZE = 15
RANKS = (noop("Largest"), noop("Second"), noop("Third"))
CLASSES = 5
# Lower edges of the classes above the first, as shares of the largest country: each darker class is about
# twice as large, so that the map tells few from many at every size of course.
EDGES = (1 / 16, 1 / 8, 1 / 4, 1 / 2)


@dataclass(frozen=True)
class Country:
    """Learners whose latest connection came from one country; `code` is None if it is unknown."""

    code: str | None
    name: str
    count: int


@router.get("/courses/{course_id:course_page}/enrollment/geography/")
async def geography(request: Request, course: CourseInView, site: TheSite) -> Response:
    """Where are my learners?"""
    words: Language = request.state.language
    rows, learners, transcripts, found = await asyncio.gather(
        site.api.locations(course.course_id),
        site.api.languages(course.course_id),
        site.api.transcript_languages(course.course_id),
        site.api.findings(course.course_id),
    )
    languages = languages_of(words, course, learners, transcripts, found)
    page = _page(request, words, course, countries_of(words, rows), newest(rows), languages)
    return site.renderer.render(request, page)


def countries_of(words: Language, rows: Sequence[Row]) -> list[Country]:
    """The countries of learners, largest first, with their names in the language (spec 06 §9.8.1-2)."""
    countries = []
    for row in rows:
        if not row["count"]:  # all that came from there have left
            continue
        code, name = row["country"].get("alpha2"), row["country"]["name"]
        shown = words.country(code, name) if code else words.text("Unknown country")
        countries.append(Country(code, shown, row["count"]))
    return sorted(countries, key=lambda country: -country.count)


def steps(most: int) -> list[int]:
    """Lower edges of the five classes of the map, rising, without repetition: 1, then round numbers."""
    edges = [1]
    for share in EDGES:
        edge = _round(most * share)
        if edge > edges[-1]:
            edges.append(edge)
    return edges


def _round(value: float) -> int:
    """Rounded to one leading digit, or to 15, 25 and the like."""
    if value < 10:  # noqa: PLR2004 - one digit already
        return round(value)
    power = 10 ** (len(str(int(value))) - 1)
    return int(min((1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10), key=lambda n: abs(n * power - value)) * power)


def _page(
    request: Request,
    words: Language,
    course: Course,
    countries: list[Country],
    last: date | None,
    languages: Languages | None,
) -> ReportPage:
    names = about(request, navigation.GEOGRAPHY)
    known = [country for country in countries if country.code]
    everybody = sum(country.count for country in countries)
    if last is not None and not everybody:
        return ReportPage(**names, answer=nobody(words, last), empty=all_left(words, course.path))
    if last is None:
        answer = words.html("<strong>No country is known yet.</strong>")
        return ReportPage(**names, answer=answer, empty=no_data_yet(words, course.path))
    if not known:
        told = all_hidden(request, everybody, course.path) or _no_country(words, course, everybody)
        return ReportPage(**names, **told, languages=languages)
    return ReportPage(
        **names,
        answer=_headline(words, known, everybody),
        figures_label=words.text("Geography metrics"),
        figures=tuple(_figures(words, known, everybody)),
        chart=_map(words, course, known, everybody, last),
        table=_table(request, words, countries, everybody),
        languages=languages,
        **files(course, "enrollment/geography"),
    )


def _no_country(words: Language, course: Course, everybody: int) -> dict[str, Any]:
    """Answer and state of the page of learners whose countries are not known."""
    answer = words.htmls(
        "<strong>No country is known yet.</strong> There is %(n)s learner.",
        "<strong>No country is known yet.</strong> There are %(n)s learners.",
        everybody,
    )
    state = State(
        words.text("No country is known"),
        words.text(
            "Countries are looked up by the network addresses that learners use, and none was found. Ask "
            "your operator whether there is a file of the addresses of countries."
        ),
        (Link(course.path, words.text("Back to course home")),),
    )
    return {"answer": answer, "empty": state}


def _headline(words: Language, known: Sequence[Country], everybody: int) -> Markup:
    first = words.htmls(
        "Learners come from <strong>%(n)s country or region</strong>.",
        "Learners come from <strong>%(n)s countries or regions</strong>.",
        len(known),
    )
    top = known[: len(RANKS)]
    share = words.percent(sum(country.count for country in top) / everybody)
    countries = Markup(words.enumeration([strong(country.name) for country in top]))  # noqa: S704
    if len(top) == 1:
        second = words.html("%(country)s has %(share)s of them.", country=countries, share=share)
    else:
        second = words.html(
            "%(countries)s together have %(share)s of them.", countries=countries, share=share
        )
    return words.sentences(first, second)


def _figures(words: Language, known: Sequence[Country], everybody: int) -> list[Figure]:
    number = Figure(
        "num-countries",
        words.text("Countries or regions"),
        words.number(len(known)),
        words.text("with at least one learner"),
        href="#table",
    )
    return [
        number,
        *(
            Figure(
                f"top-country-{i + 1}",
                words.text(rank),
                country.name,
                words.text(
                    "%(count)s, %(share)s of learners",
                    count=words.number(country.count),
                    share=words.percent(country.count / everybody),
                ),
                word=True,
                href="#table",
            )
            for i, (rank, country) in enumerate(zip(RANKS, known, strict=False))
        ),
    ]


def _map(words: Language, course: Course, known: Sequence[Country], everybody: int, last: date) -> Chart:
    edges = steps(known[0].count)
    ranges = [
        words.number(low) if high == low + 1 else f"{words.number(low)}–{words.number(high - 1)}"
        for low, high in pairwise(edges)
    ]
    scale = (words.text("none"), *ranges, f"{words.number(edges[-1])}+")
    largest = ", ".join(f"{country.name} {words.number(country.count)}" for country in known[:5])
    return Chart(
        "map",
        words.text("Geographic distribution"),
        words.text(
            "Learners enrolled on %(day)s, by country of their latest connection; equal-area map",
            day=words.day(last),
        ),
        words.texts(
            "World map of learners in %(n)s country: %(largest)s. All values are in the table below. Use the "
            "arrow keys to go from the largest country to the smallest.",
            "World map of learners in %(n)s countries. The largest: %(largest)s. All values are in the table "
            "below. Use the arrow keys to go from the largest country to the smallest.",
            len(known),
            largest=largest,
        ),
        {
            "count": words.text("Learners"),
            "share": words.text("Share"),
            "steps": edges,
            "countries": [
                {
                    "code": c.code,
                    "name": c.name,
                    "value": c.count,
                    "share": words.percent(c.count / everybody),
                }
                for c in known
            ],
        },
        [],
        "-".join([*course.parts, "geography"]),
        scale=scale,
    )


def _table(request: Request, words: Language, countries: Sequence[Country], everybody: int) -> Any:
    most = max(country.count for country in countries if country.code)

    def name(country: Country) -> str | Markup:
        return country.name if country.code else Markup('<span class="quiet">{}</span>').format(country.name)

    def bar(country: Country) -> Markup:
        if not country.code:
            return Markup("")
        return Markup(
            '<svg class="cellbar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
            '<rect width="{:.1f}" height="8"/></svg>'
        ).format(100 * country.count / most)

    return table(
        request,
        words.text("Geographic breakdown"),
        [
            Column("country", words.text("Country or region"), lambda c: c.name, name, numeric=False),
            Column("count", words.text("Learners"), lambda c: c.count, lambda c: words.number(c.count)),
            Column(
                "share",
                words.text("Share"),
                lambda c: c.count,
                lambda c: words.percent(c.count / everybody),
            ),
            Column("bar", "", lambda c: c.count, bar, numeric=False, optional=True),
        ],
        countries,
        sort="-count",
        page_size=PAGE_SIZE,
        number=words.number,
    )
