"""The learners of a course, one by one (spec 05 §10). Served only where it is switched on, to those with the
right to it; every reading is written down.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, Any
from urllib.parse import urljoin

import sqlalchemy as sa
from fastapi import Path, Query, Request
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import CourseID
from pharos.data_api.errors import (
    CourseMalformed,
    CourseNotSpecified,
    IllegalParameter,
    NotFoundCoded,
)
from pharos.data_api.paging import PageAsked
from pharos.data_api.reading import Reading
from pharos.data_api.routes.enrollment import Day
from pharos.data_api.routing import TIME, Subject
from pharos.keys import is_course_id
from pharos.result_store import tables
from pharos.result_store.column_types import equal
from pharos.result_store.folding import folded

subject = Subject("Learners")
roster = tables.module_engagement_roster

SEGMENTS = ("highly_engaged", "disengaging", "struggling", "inactive", "unenrolled")
ORDERS = (
    "username",
    "email",
    "discussion_contributions",
    "problems_attempted",
    "problems_completed",
    "problem_attempts_per_completed",
    "attempt_ratio_order",
    "videos_viewed",
)
_SEARCH = "Words, or parts of them, of name, user name or e-mail address, in any case and without accents."
DIRECTIONS = ("asc", "desc")
METRICS = (
    "problem_attempts_per_completed",
    "problems_attempted",
    "problems_completed",
    "discussion_contributions",
    "videos_viewed",
)
RANKS = {"low": "bottom", "normal": "average", "high": "top"}
INVERTED_RANKS = {"low": "top", "normal": "average", "high": "bottom"}


class Engagements(TypedDict):
    discussion_contributions: int
    problems_attempted: int
    problems_completed: int
    videos_viewed: int
    problem_attempts_per_completed: Annotated[float | None, Field(description="null: none completed.")]


class Learner(TypedDict):
    user_id: int | None
    username: str
    enrollment_mode: str | None
    name: str | None
    account_url: str | None
    email: str | None
    language: str | None
    location: str | None
    year_of_birth: int | None
    level_of_education: str | None
    gender: str | None
    mailing_address: str | None
    city: str | None
    country: str | None
    goals: str | None
    segments: list[str]
    engagements: Engagements
    enrollment_date: Annotated[str | None, Field(examples=["2031-01-09"])]
    cohort: str | None
    last_updated: Annotated[str | None, Field(examples=["2031-03-02"])]


class LearnerPage(TypedDict):
    count: int
    num_pages: int
    next: str | None
    previous: str | None
    results: list[Learner]


class TimelineDay(TypedDict):
    date: Day
    problems_attempted: int
    problems_completed: int
    discussion_contributions: int
    videos_viewed: int


class Timeline(TypedDict):
    days: list[TimelineDay]


Bounds = Annotated[list[float | None] | None, Field(description="[low, high); null bound: infinity.")]


class Ranks(TypedDict):
    class_rank_bottom: Bounds
    class_rank_average: Bounds
    class_rank_top: Bounds


class DateRange(TypedDict):
    start: str | None
    end: str | None


class EngagementRanges(TypedDict):
    date_range: DateRange
    problem_attempts_per_completed: Ranks
    problems_attempted: Ranks
    problems_completed: Ranks
    discussion_contributions: Ranks
    videos_viewed: Ranks


class LearnerMetadata(TypedDict):
    enrollment_modes: dict[str, int]
    segments: dict[str, int]
    cohorts: dict[str, int]
    engagement_ranges: EngagementRanges


Username = Annotated[str, Path(pattern=r"^[\w.+-]+$", description="User name of the learner.")]


def _checked(course_id: str | None) -> str:
    """The course asked for; that the caller may read it is checked already."""
    if not course_id:
        raise CourseNotSpecified
    if not is_course_id(course_id):
        raise CourseMalformed(course_id)
    return course_id


CourseAsked = Annotated[str | None, Query(description="Course run, percent-encoded; required.")]


@subject.get("learners/{username}/", reads=[roster], versions=["v0"])
def learner(
    username: Username,
    store: Reading,
    request: Request,
    course_id: CourseAsked = None,
) -> Learner:
    """One learner of the course."""
    course_id = _checked(course_id)
    rows = store.rows(
        sa.select(roster).where(equal(roster.c.course_id, course_id), equal(roster.c.username, username))
    )
    if len(rows) != 1:
        raise NotFoundCoded("no_learner_for_course", f"Learner {username} not found for course {course_id}.")
    return _learner(rows[0], _account_base(request), _last_updated(store))


@subject.get(
    "learners/",
    reads=[roster],
    versions=["v0"],
    file_name=f"{TIME}--learners",
)
def learners(
    page: PageAsked,
    store: Reading,
    request: Request,
    course_id: CourseAsked = None,
    text_search: Annotated[str, Query(description=_SEARCH)] = "",
    segments: Annotated[str, Query(description=f"Any of these: {', '.join(SEGMENTS)}.")] = "",
    ignore_segments: Annotated[str, Query(description="None of these; not together with segments.")] = "",
    cohort: Annotated[str, Query(description="Exactly this cohort.")] = "",
    enrollment_mode: Annotated[str, Query(description="Exactly this mode.")] = "",
    order_by: Annotated[str, Query(description=f"One of {', '.join(ORDERS)}.")] = "",
    sort_order: Annotated[str, Query(description="asc or desc.")] = "",
) -> LearnerPage:
    """The learners of the course, in pages; missing values last in ascending order, first in descending."""
    course_id = _checked(course_id)
    conditions = [
        equal(roster.c.course_id, course_id),
        *_in_segments(segments, ignore_segments),
        *([roster.c.cohort == cohort] if cohort else []),
        *([roster.c.enrollment_mode == enrollment_mode] if enrollment_mode else []),
        *_holds(text_search),
    ]
    order = _order(order_by or "username", sort_order)
    count = store.rows(sa.select(sa.func.count().label("learners")).where(*conditions))[0]["learners"]
    base, updated = _account_base(request), _last_updated(store)
    found = page.cut(
        count,
        lambda offset, limit: [
            _learner(row, base, updated)
            for row in store.rows(
                sa.select(roster).where(*conditions).order_by(*order).offset(offset).limit(limit)
            )
        ],
    )
    return {**found}  # type: ignore[typeddict-item]


def _in_segments(wanted: str, ignored: str) -> list[sa.ColumnElement[bool]]:
    if wanted and ignored:
        raise IllegalParameter("Cannot combine `segments` and `ignore_segments` parameters.")
    names = [name for name in (wanted or ignored).split(",") if name]
    for name in names:
        if name not in SEGMENTS:
            raise IllegalParameter(
                f"segments/ignore_segments value '{name}' must be one of: ({', '.join(SEGMENTS)})"
            )
    if not names:
        return []
    listed = sa.literal(",") + roster.c.segments + sa.literal(",")
    among = sa.or_(*(listed.contains(f",{name},", autoescape=True) for name in names))
    return [among if wanted else sa.not_(among)]


def _holds(text: str) -> list[sa.ColumnElement[bool]]:
    """Every word is in the name, the user name or the e-mail address."""
    return [roster.c.search_text.contains(word, autoescape=True) for word in folded(text).split()]


def _order(order_by: str, sort_order: str) -> list[sa.ColumnElement[Any]]:
    """attempt_ratio_order goes against the ratio: the best have a small ratio and a large order."""
    if order_by not in ORDERS:
        raise IllegalParameter(f"order_by value '{order_by}' must be one of: ({', '.join(ORDERS)})")
    if sort_order and sort_order not in DIRECTIONS:
        raise IllegalParameter(f"sort_order value '{sort_order}' must be one of: ({', '.join(DIRECTIONS)})")
    descending = sort_order == "desc"
    column = roster.c[order_by]
    order = [_directed(column.is_(None), descending), _directed(column, descending)]
    if order_by == "problem_attempts_per_completed":
        order.append(_directed(roster.c.attempt_ratio_order, not descending))
    return [*order, roster.c.username]


def _directed(column: sa.ColumnElement[Any], descending: bool) -> sa.ColumnElement[Any]:
    return column.desc() if descending else column.asc()


def _learner(row: sa.RowMapping, account_base: str | None, last_updated: str | None) -> Learner:
    ratio, enrolled = row["problem_attempts_per_completed"], row["enrollment_date"]
    return {
        "user_id": row["user_id"],
        "username": row["username"],
        "enrollment_mode": row["enrollment_mode"],
        "name": row["name"],
        "account_url": urljoin(account_base, row["username"]) if account_base else None,
        "email": row["email"],
        "language": row["language"],
        "location": row["location"],
        "year_of_birth": row["year_of_birth"],
        "level_of_education": row["level_of_education"],
        "gender": row["gender"],
        "mailing_address": row["mailing_address"],
        "city": row["city"],
        "country": row["country"],
        "goals": row["goals"],
        "segments": [name for name in row["segments"].split(",") if name],
        "engagements": {
            "discussion_contributions": row["discussion_contributions"] or 0,
            "problems_attempted": row["problems_attempted"] or 0,
            "problems_completed": row["problems_completed"] or 0,
            "videos_viewed": row["videos_viewed"] or 0,
            "problem_attempts_per_completed": ratio,
        },
        "enrollment_date": enrolled.isoformat() if enrolled else None,
        "cohort": row["cohort"],
        "last_updated": last_updated,
    }


def _account_base(request: Request) -> str | None:
    base: str | None = request.app.state.account_url
    return base


def _last_updated(store: Reading) -> str | None:
    publication = store.published.get(roster.name)
    return publication.until.date().isoformat() if publication else None


@subject.get(
    "engagement_timelines/{username}/",
    reads=[tables.module_engagement],
    versions=["v0"],
)
def engagement_timeline(username: Username, store: Reading, course_id: CourseAsked = None) -> Timeline:
    """What a learner did in the course on each day from the first to the last with engagement."""
    course_id = _checked(course_id)
    table = tables.module_engagement
    rows = store.rows(
        sa.select(
            table.c.date,
            table.c.entity_type,
            table.c.event,
            sa.func.count(table.c.entity_id.distinct()).label("entities"),
            sa.func.sum(table.c["count"]).label("events"),
        )
        .where(equal(table.c.course_id, course_id), equal(table.c.username, username))
        .group_by(table.c.date, table.c.entity_type, table.c.event)
        .order_by(table.c.date)
    )
    days = _days({day: list(group) for day, group in groupby(rows, key=lambda row: row["date"])})
    if not days:
        raise NotFoundCoded(
            "no_learner_engagement_timeline",
            f"Learner {username} engagement timeline not found for course {course_id}.",
        )
    return {"days": days}


KINDS = {
    ("problem", "attempted"): ("problems_attempted", "entities"),
    ("problem", "completed"): ("problems_completed", "entities"),
    ("video", "viewed"): ("videos_viewed", "entities"),
    ("discussion", "contributed"): ("discussion_contributions", "events"),
}


def _days(by_day: Mapping[date, Iterable[sa.RowMapping]]) -> list[TimelineDay]:
    """A day each, without gaps; days without engagement are zeros."""
    if not by_day:
        return []
    first, last = min(by_day), max(by_day)
    found = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        item: TimelineDay = {
            "date": day.isoformat(),
            "problems_attempted": 0,
            "problems_completed": 0,
            "discussion_contributions": 0,
            "videos_viewed": 0,
        }
        for row in by_day.get(day, ()):
            if kind := KINDS.get((row["entity_type"], row["event"])):
                item[kind[0]] = int(row[kind[1]])  # type: ignore[literal-required]
        found.append(item)
    return found


@subject.get(
    "course_learner_metadata/{course_id:course}/",
    reads=[roster, tables.module_engagement_metric_ranges],
    versions=["v0"],
)
def course_learner_metadata(course_id: CourseID, store: Reading) -> LearnerMetadata:
    """Learners of the course by mode, segment and cohort, and what is low and high engagement in it."""
    course_id = _checked(course_id)
    columns = (roster.c.enrollment_mode, roster.c.segments, roster.c.cohort)
    rows = store.rows(
        sa.select(*columns, sa.func.count().label("learners"))
        .where(equal(roster.c.course_id, course_id))
        .group_by(*columns)
    )
    modes: dict[str, int] = {}
    cohorts: dict[str, int] = {}
    segments = dict.fromkeys(SEGMENTS, 0)
    for row in rows:
        for counts, names in (
            (modes, [row["enrollment_mode"]]),
            (cohorts, [row["cohort"]]),
            (segments, row["segments"].split(",")),
        ):
            for name in filter(None, names):
                counts[name] = counts.get(name, 0) + row["learners"]
    return {
        "enrollment_modes": dict(sorted(modes.items())),
        "segments": segments,
        "cohorts": dict(sorted(cohorts.items())),
        "engagement_ranges": _ranges(course_id, store),
    }


def _ranges(course_id: str, store: Reading) -> EngagementRanges:
    table = tables.module_engagement_metric_ranges
    rows = store.rows(
        sa.select(table)
        .where(equal(table.c.course_id, course_id))
        .order_by(table.c.metric, table.c.range_type, table.c.id)
    )
    start, end = (rows[0]["start_date"], rows[0]["end_date"]) if rows else (None, None)
    ranks: dict[str, dict[str, Any]] = {
        metric: {f"class_rank_{rank}": None for rank in RANKS.values()} for metric in METRICS
    }
    for row in rows:
        names = INVERTED_RANKS if row["metric"] == "problem_attempts_per_completed" else RANKS
        if row["metric"] in ranks and row["range_type"] in names:
            ranks[row["metric"]][f"class_rank_{names[row['range_type']]}"] = [
                row["low_value"],
                row["high_value"],
            ]
    dates = {"start": start.isoformat() if start else None, "end": end.isoformat() if end else None}
    return {"date_range": dates, **ranks}  # type: ignore[typeddict-item]
