"""Activity of single learners in a course and in an enterprise (spec 05 §5.12, §8.1)."""

import uuid
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Annotated

import sqlalchemy as sa
from fastapi import Path
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import Caller, CourseID
from pharos.data_api.errors import NoRoute
from pharos.data_api.paging import PageAsked
from pharos.data_api.parameters import Range
from pharos.data_api.reading import Reading
from pharos.data_api.routes.enrollment import Course, Day
from pharos.data_api.routing import Subject
from pharos.data_api.times import zulu
from pharos.result_store import tables
from pharos.result_store.column_types import equal

subject = Subject("Engagement of learners")

WEEK = timedelta(days=7)
NOT_SERVED = ("discussion",)  # of enterprises, as in the original's settings
UUID_VERSION = 4
BY_DAY = ("date", "course_id", "username", "entity_type", "entity_id", "event")  # all of the key

Sum = Annotated[int | None, Field(description="Sum of events; null: none.")]


class UserEngagement(TypedDict):
    username: str
    videos_overall: Sum
    videos_last_week: Sum
    problems_overall: Sum
    problems_last_week: Sum
    correct_problems_overall: Sum
    correct_problems_last_week: Sum
    problems_attempts_overall: Sum
    problems_attempts_last_week: Sum
    forum_posts_overall: Sum
    forum_posts_last_week: Sum
    date_last_active: Day


class Engagement(TypedDict):
    id: int
    course_id: Course
    created: Annotated[str, Field(description="UTC.", examples=["2031-03-02T04:05:06Z"])]
    username: str
    date: Day
    entity_type: str
    entity_id: str
    event: str
    count: int


class EngagementPage(TypedDict):
    count: int
    num_pages: int
    next: str | None
    previous: str | None
    results: list[Engagement]


@subject.get(
    "courses/{course_id:course}/user_engagement/",
    reads=[tables.module_engagement],
    file_name="user-engagement",
)
def user_engagement(
    course_id: CourseID,
    store: Reading,
    days: Range,  # noqa: ARG001
) -> list[UserEngagement]:
    """What each learner of the course did, ever and in the last seven days of the data, by user name."""
    table = tables.module_engagement
    kinds = {
        "videos": table.c.entity_type == "video",
        "problems": table.c.entity_type == "problem",
        "correct_problems": sa.and_(table.c.entity_type == "problem", table.c.event == "completed"),
        "problems_attempts": sa.and_(table.c.entity_type == "problem", table.c.event == "attempted"),
        "forum_posts": table.c.entity_type == "discussion",
    }
    times = {"overall": sa.true(), "last_week": table.c.date >= _end(store) - WEEK}
    sums = [
        sa.func.sum(sa.case((sa.and_(kind, time), table.c["count"]))).label(f"{kind_name}_{time_name}")
        for kind_name, kind in kinds.items()
        for time_name, time in times.items()
    ]
    rows = store.rows(
        sa.select(table.c.username, *sums, sa.func.max(table.c.date).label("date_last_active"))
        .where(equal(table.c.course_id, course_id))
        .group_by(table.c.username)
        .order_by(table.c.username)
    )
    users = [_user(row) for row in rows]
    return sorted(users, key=itemgetter("username")) if store.privacy.is_pseudonymous else users


def _end(store: Reading) -> date:
    """The day after the last day that the table describes."""
    publication = store.published.get(tables.module_engagement.name)
    return publication.until.date() if publication else datetime.now(UTC).date()


def _user(row: sa.RowMapping) -> UserEngagement:
    """`SUM()` returns Decimal on MySQL and PostgreSQL; convert to int."""

    def number(name: str) -> int | None:
        return None if row[name] is None else int(row[name])

    return {
        "username": row["username"],
        "videos_overall": number("videos_overall"),
        "videos_last_week": number("videos_last_week"),
        "problems_overall": number("problems_overall"),
        "problems_last_week": number("problems_last_week"),
        "correct_problems_overall": number("correct_problems_overall"),
        "correct_problems_last_week": number("correct_problems_last_week"),
        "problems_attempts_overall": number("problems_attempts_overall"),
        "problems_attempts_last_week": number("problems_attempts_last_week"),
        "forum_posts_overall": number("forum_posts_overall"),
        "forum_posts_last_week": number("forum_posts_last_week"),
        "date_last_active": row["date_last_active"].isoformat(),
    }


@subject.get(
    "enterprise/{enterprise_id}/engagements/",
    reads=[tables.module_engagement, tables.enterprise_user],
    versions=["v0"],
)
def enterprise_engagements(
    enterprise_id: Annotated[str, Path(description="UUID, with or without dashes.")],
    page: PageAsked,
    store: Reading,
    caller: Caller,
) -> EngagementPage:
    """What the learners of an enterprise did with problems and videos, oldest day first."""
    table, users = tables.module_engagement, tables.enterprise_user
    spelled = users.c.enterprise_id.in_(_spellings(enterprise_id))
    # Read, not joined: columns of two collations cannot be compared.
    found_names = store.unmasked(sa.select(users.c.user_username).distinct().where(spelled))
    names = {"names": [name for (name,) in found_names if name is not None]}
    statement = sa.select(table).where(
        table.c.username.in_(sa.bindparam("names", expanding=True, literal_execute=True)),
        table.c.entity_type.not_in(NOT_SERVED),
        caller.sees(table.c.course_id),
        store.privacy.allowed(table.c.course_id),
    )
    counted = sa.select(sa.func.count().label("count")).select_from(statement.subquery())
    count = store.rows(counted, names)[0]["count"]
    by_day = [table.c[name] for name in (BY_DAY if store.is_published(table) else ["id"])]
    order = [store.privacy.order(table)] if store.privacy.is_pseudonymous else by_day
    found = page.cut(
        count,
        lambda offset, limit: [
            _engagement(row)
            for row in store.rows(statement.order_by(*order).offset(offset).limit(limit), names)
        ],
    )
    return {**found}  # type: ignore[typeddict-item]


def _spellings(text: str) -> tuple[str, str]:
    """The UUID without and with dashes. Raises NoRoute if the text is not a UUID of version 4."""
    try:
        found = uuid.UUID(text)
    except ValueError as error:
        raise NoRoute from error
    if found.version != UUID_VERSION or text.lower() not in (found.hex, str(found)):
        raise NoRoute
    return found.hex, str(found)


def _engagement(row: sa.RowMapping) -> Engagement:
    return {
        "id": row["id"],
        "course_id": row["course_id"],
        "created": zulu(row["created"]),
        "username": row["username"],
        "date": row["date"].isoformat(),
        "entity_type": row["entity_type"],
        "entity_id": row["entity_id"],
        "event": row["event"],
        "count": row["count"],
    }
