"""Data of single learners of a course (spec 05 §10). Served only if it is switched on, to callers with the
right to it; every reading is written to the audit log.
"""

from collections import Counter
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
    NotFoundCoded,
)
from pharos.data_api.paging import PageAsked
from pharos.data_api.privacy import Privacy
from pharos.data_api.reading import Reading
from pharos.data_api.roster import SEGMENTS, WantedLearners, is_named, roster, rows_of, username_of, words_of
from pharos.data_api.roster_kept import groups_of
from pharos.data_api.routes.enrollment import Day
from pharos.data_api.routes.learner_status import OptionalDay, days_from, last_day, text
from pharos.data_api.routing import TIME, Subject
from pharos.keys import is_course_id
from pharos.result_store import tables
from pharos.result_store.column_types import equal

subject = Subject("Learners")

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
    """The requested course; access to it has been checked before."""
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
    name = username_of(store, course_id, username)
    rows = store.rows(sa.select(roster).where(equal(roster.c.course_id, course_id), is_named(roster, name)))
    if len(rows) != 1:
        raise NotFoundCoded("no_learner_for_course", f"Learner {username} not found for course {course_id}.")
    return _learner(rows[0], _account_base(request, store.privacy), _last_updated(store))


@subject.get(
    "learners/",
    reads=[roster, words_of, tables.learner_status],
    versions=["v0"],
    file_name=f"{TIME}--learners",
)
def learners(
    page: PageAsked,
    store: Reading,
    request: Request,
    wanted: WantedLearners,
    course_id: CourseAsked = None,
) -> LearnerPage:
    """The learners of the course, in pages; missing values last in ascending order, first in descending."""
    course_id = _checked(course_id)
    found = wanted.found(store, course_id)
    base, updated = _account_base(request, store.privacy), _last_updated(store)
    shown = page.cut(
        found.count,
        lambda offset, limit: [
            _learner(row, base, updated) for row in rows_of(store, found.ids(offset, limit))
        ],
    )
    return {**shown}  # type: ignore[typeddict-item]


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


def _account_base(request: Request, privacy: Privacy) -> str | None:
    """The beginning of the addresses of accounts; empty with pseudonyms, which have no accounts."""
    base: str | None = request.app.state.account_url
    return None if privacy.is_pseudonymous else base


def _last_updated(store: Reading) -> str | None:
    publication = store.published.get(roster.name)
    return publication.until.date().isoformat() if publication else None


@subject.get(
    "engagement_timelines/{username}/",
    reads=[tables.module_engagement, roster],
    versions=["v0"],
)
def engagement_timeline(username: Username, store: Reading, course_id: CourseAsked = None) -> Timeline:
    """What a learner did in the course on each day from the first to the last with engagement."""
    course_id = _checked(course_id)
    table = tables.module_engagement
    name = username_of(store, course_id, username)
    rows = store.rows(
        sa.select(
            table.c.date,
            table.c.entity_type,
            table.c.event,
            sa.func.count(table.c.entity_id.distinct()).label("entities"),
            sa.func.sum(table.c["count"]).label("events"),
        )
        .where(equal(table.c.course_id, course_id), is_named(table, name))
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
    """One row per day, without gaps; days without engagement are zeros."""
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
    modes: Counter[str] = Counter()
    cohorts: Counter[str] = Counter()
    segments = Counter(dict.fromkeys(SEGMENTS, 0))
    for group in groups_of(store, course_id):
        modes[group.enrollment_mode or ""] += group.learners
        cohorts[group.cohort or ""] += group.learners
        segments.update(dict.fromkeys(group.segments, group.learners))
    return {
        "enrollment_modes": {name: modes[name] for name in sorted(modes) if name},
        "segments": dict(segments),
        "cohorts": {name: cohorts[name] for name in sorted(cohorts) if name},
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


class RosterRow(TypedDict):
    course_id: str
    username: str
    name: str | None
    email: str | None
    enrollment_mode: str | None
    enrollment_date: Annotated[str | None, Field(examples=["2031-01-09"])]
    cohort: str | None
    segments: Annotated[str, Field(description="Joined by commas.")]
    problems_attempted: int
    problems_completed: int
    problem_attempts: int
    problem_attempts_per_completed: Annotated[float | None, Field(description="null: none completed.")]
    videos_viewed: int
    discussion_contributions: int
    status: Annotated[str | None, Field(description="What the learner is doing; null: not counted.")]
    rule: Annotated[str | None, Field(description="Why that is said, with the days and numbers below.")]
    since: OptionalDay
    enrolled_date: OptionalDay
    last_date: OptionalDay
    days_without_activity: int | None
    pause_days: int | None
    days_week: int | None
    days_before: int | None


STATUS = ("status", "rule", "since", "enrolled_date", "last_date", "pause_days", "days_week", "days_before")
"""Columns of the status in a row of the roster."""


@subject.get(
    "courses/{course_id:course}/learners/",
    reads=[roster, words_of, tables.learner_status],
    versions=["v1"],
    file_name="learners",
    may_be_empty=True,
)
def all_learners(course_id: CourseID, store: Reading, wanted: WantedLearners) -> list[RosterRow]:
    """All learners of the course that are asked for, without pages; order as `learners/`."""
    status, last = tables.learner_status, last_day(store)
    columns = [roster.c[name] for name in RosterRow.__annotations__ if name in roster.c]
    same = sa.and_(equal(status.c.course_id, course_id), status.c.user_id == roster.c.user_id)
    rows = store.rows(
        sa.select(*columns, *(status.c[name] for name in STATUS))
        .select_from(roster.outerjoin(status, same))
        .where(*wanted.conditions(store, course_id))
        .order_by(*wanted.order(store.privacy))
    )
    days = ("enrollment_date", "since", "enrolled_date", "last_date")
    return [
        {
            **row,  # type: ignore[typeddict-item]
            **{name: text(row[name]) for name in days},
            "days_without_activity": days_from(row["last_date"], last),
        }
        for row in rows
    ]
