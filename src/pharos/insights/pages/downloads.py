"""The rows of a report as a file, CSV or .xlsx, for the days that the report shows (spec 06 §10).

Columns are those of the Data API's CSV; enrollment also has joined and left. Unlike there, weeks without
activity are rows of zeros, and days without a row repeat the day before, as on the page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from fastapi import APIRouter, HTTPException, Request, Response

from pharos.insights import caption_languages, files, navigation, periods, problem_lists, video_lists
from pharos.insights.access import CourseInView
from pharos.insights.api import SITE_WEEKS, DataAPI, Row, day
from pharos.insights.directory import Course
from pharos.insights.enrollment_days import with_flows, with_passing
from pharos.insights.files import Sheet
from pharos.insights.freshness import last_day, last_day_of_history
from pharos.insights.gaps import every_day, every_week
from pharos.insights.language import Language
from pharos.insights.navigation import Report
from pharos.insights.pages import course_flow
from pharos.insights.periods import DAY
from pharos.insights.site import TheSite
from pharos.insights.weeks import end_of_weeks, week_start

router = APIRouter()
AGE = "enrollment/demographics/age"
SHARED = ("course_id", "created")


@dataclass(frozen=True)
class Download:
    """The description of a downloadable file."""

    report: Report
    suffix: str
    columns: tuple[str, ...]
    fetch: Callable[[DataAPI, str], Awaitable[list[Row]]]
    rows: Literal["latest", "days", "weeks"]
    other_table: str = ""
    """The result it holds, if that is not the one of the report."""

    @property
    def table(self) -> str:
        """The result table in the file."""
        return self.other_table or self.report.table

    @property
    def all_columns(self) -> list[str]:
        """In alphabetical order, as the Data API has them."""
        return sorted((*self.columns, *SHARED))


async def _tags(api: DataAPI, course_id: str) -> list[Row]:
    rows = await api.problems_and_tags(course_id)
    return [{**row, "course_id": course_id, "tags": _in_words(row["tags"])} for row in rows]


def _in_words(tags: Mapping[str, Sequence[str]]) -> str:
    return " | ".join(f"{name}: {value}" for name, values in tags.items() for value in values)


async def _problems(api: DataAPI, course_id: str) -> list[Row]:
    rows = await api.problems(course_id)
    return [{**row, "course_id": course_id, "part_ids": " | ".join(row["part_ids"])} for row in rows]


async def _videos(api: DataAPI, course_id: str) -> list[Row]:
    return [{**row, "course_id": course_id} for row in await api.videos(course_id)]


DOWNLOADS = {
    "enrollment": Download(
        navigation.ENROLLMENT_ACTIVITY,
        "enrollment",
        (
            "date",
            "count",
            "cumulative_count",
            "joined",
            "left",
            "passing",
            "audit",
            "credit",
            "honor",
            "masters",
            "professional",
            "verified",
        ),
        DataAPI.enrollment_by_mode,
        "days",
    ),
    "enrollment/geography": Download(
        navigation.GEOGRAPHY,
        "enrollment-location",
        ("date", "count", "country.alpha2", "country.alpha3", "country.name"),
        DataAPI.locations,
        "latest",
    ),
    caption_languages.FILE: Download(
        navigation.GEOGRAPHY,
        "enrollment-language",
        ("date", "language", "count", "chosen"),
        DataAPI.languages,
        "latest",
        "course_enrollment_language_current",
    ),
    AGE: Download(
        navigation.AGE,
        "enrollment-by-birth-year",
        ("date", "birth_year", "count"),
        DataAPI.birth_years,
        "latest",
    ),
    "enrollment/demographics/education": Download(
        navigation.EDUCATION,
        "enrollment-by-education",
        ("date", "education_level", "count"),
        DataAPI.education,
        "latest",
    ),
    "enrollment/demographics/gender": Download(
        navigation.GENDER,
        "enrollment-by-gender",
        ("date", "female", "male", "other", "unknown"),
        DataAPI.gender,
        "days",
    ),
    "engagement/activity_trend": Download(
        navigation.ENGAGEMENT_CONTENT,
        "engagement-activity",
        ("interval_start", "interval_end", "any", "attempted_problem", "played_video", "posted_forum"),
        DataAPI.activity,
        "weeks",
    ),
    course_flow.FILE: Download(
        navigation.COURSE_FLOW,
        "engagement-course-flow",
        (
            "place",
            "level",
            "display_name",
            "block_id",
            "is_deleted",
            "reached",
            "completed",
            "tried",
            "watched",
            "stopped",
            "next_block_id",
            "next_learners",
        ),
        DataAPI.course_flow,
        "latest",
    ),
    video_lists.FILE: Download(
        navigation.VIDEOS,
        "engagement-videos",
        (
            "pipeline_video_id",
            "encoded_module_id",
            "duration",
            "segment_length",
            "users_at_start",
            "users_at_end",
        ),
        _videos,
        "latest",
    ),
    problem_lists.FILE: Download(
        navigation.GRADED,
        "performance-problems",
        ("module_id", "total_submissions", "correct_submissions", "part_ids"),
        _problems,
        "latest",
    ),
    problem_lists.TAGS_FILE: Download(
        navigation.OUTCOMES,
        "performance-problems-and-tags",
        ("module_id", "total_submissions", "correct_submissions", "tags"),
        _tags,
        "latest",
    ),
}


@router.get("/courses/{course_id:course_page}/csv/{name:path}/")
async def as_csv(request: Request, course: CourseInView, name: str, site: TheSite) -> Response:
    """The rows as CSV."""
    return await _file(request, course, name, site, files.CSV)


@router.get("/courses/{course_id:course_page}/xlsx/{name:path}/")
async def as_xlsx(request: Request, course: CourseInView, name: str, site: TheSite) -> Response:
    """The rows as a workbook."""
    return await _file(request, course, name, site, files.XLSX)


async def _file(request: Request, course: Course, name: str, site: TheSite, kind: str) -> Response:
    wanted = DOWNLOADS.get(name)
    if wanted is None or (name == AGE and not site.settings.insights.show_age):
        raise HTTPException(404)
    words: Language = request.state.language
    rows = _filled(request, wanted, await wanted.fetch(site.api, course.course_id))
    if "joined" in wanted.columns:
        flows = await site.api.enrollment_flow(course.course_id)
        rows = with_flows(rows, flows, last_day_of_history(request, wanted.table))
        rows = with_passing(rows, await site.api.passing(course.course_id))
    if not rows:
        raise HTTPException(404)
    shown, days = _of_period(request.query_params, course, wanted, rows)
    stem = "-".join((*course.parts, "")) + f"-{wanted.suffix}"
    if days is not None:
        stem += f"--{days[0].isoformat()}--{days[1].isoformat()}"
    about = [
        *files.about_course(words, course),
        (words.text("Report"), words.text(wanted.report.title)),
    ]
    if days is not None:
        about.append((words.text("Days"), words.days(*days)))
    in_site_weeks = wanted.rows == "weeks" and week_start(request) != "monday"
    definition = request.state.definitions.get(SITE_WEEKS if in_site_weeks else wanted.table)
    sheet = Sheet(stem, wanted.all_columns, [_flat(row) for row in shown], definition, about)
    return await files.response(words, sheet, kind)


def _filled(request: Request, wanted: Download, rows: Sequence[Row]) -> Sequence[Row]:
    if wanted.rows == "days":
        return every_day(rows, last_day(request, wanted.report.table))
    if wanted.rows == "weeks":
        return every_week(rows, end_of_weeks(request, wanted.report.table))
    return rows


def _of_period(
    query: Mapping[str, str], course: Course, wanted: Download, rows: Sequence[Row]
) -> tuple[Sequence[Row], tuple[date, date] | None]:
    """The rows of the days in the URL; and these days, if they are not all days."""
    if wanted.rows == "latest":
        return rows, None
    weekly = wanted.rows == "weeks"
    last_of = [_last_of(row, weekly=weekly) for row in rows]
    first = last_of[0] - timedelta(days=6) if weekly else last_of[0]
    start = course.start.date() if course.start else None
    lengths = periods.BY_WEEK if weekly else periods.BY_DAY
    period = periods.chosen(query, first, last_of[-1], start, lengths, weekly=weekly)
    if period.choice == periods.ALL:
        return rows, None
    shown = [row for row, last in zip(rows, last_of, strict=True) if last in period]
    return shown, (period.start, period.last)


def _last_of(row: Row, *, weekly: bool) -> date:
    return day(row["interval_end"]) - DAY if weekly else day(row["date"])


def _flat(row: Row) -> Row:
    """Nested values with dotted names, as in the Data API's CSV."""
    flat: Row = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": part for name, part in value.items()}
        else:
            flat[key] = value
    return flat
