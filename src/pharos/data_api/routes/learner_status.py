"""Status of learners in a course: numbers by status and, for callers with the right to it, single learners.

Pharos only: the original has no such addresses.
"""

from datetime import date, timedelta
from typing import Annotated, cast

import sqlalchemy as sa
from fastapi import Query
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import CourseID
from pharos.data_api.paging import PageAsked
from pharos.data_api.parameters import names_in
from pharos.data_api.reading import OfEdition, Reading
from pharos.data_api.roster import is_named, statuses, usernames_of
from pharos.data_api.routes.enrollment import Course, Created
from pharos.data_api.routing import Subject
from pharos.data_api.times import compact
from pharos.result_store import tables
from pharos.result_store.column_types import equal
from pharos.result_store.tables.learner_status import STATUSES

subject = Subject("Status of learners")

Status = Annotated[str, Field(description=f"One of {', '.join(STATUSES)}.", examples=["quiet"])]
OptionalDay = Annotated[str | None, Field(description="UTC day.", examples=["2031-02-15"])]


class StatusCount(TypedDict):
    course_id: Course
    status: Status
    count: Annotated[int, Field(description="Learners.")]
    created: Created


class LearnerStatus(TypedDict):
    user_id: int
    username: Annotated[str | None, Field(description="Null: not in the roster.")]
    status: Status
    rule: Annotated[str, Field(description="The rule that holds; further rules may come.")]
    since: OptionalDay
    enrolled_date: OptionalDay
    first_date: Annotated[str | None, Field(description="First UTC day with activity.")]
    last_date: Annotated[str | None, Field(description="Last UTC day with activity.")]
    days_without_activity: Annotated[
        int | None, Field(description="From last_date to the last day of the data; 0: active on it.")
    ]
    pause_days: Annotated[int | None, Field(description="Days that the rule compares these with.")]
    days_week: Annotated[int | None, Field(description="Active days of the last seven days.")]
    days_before: Annotated[int | None, Field(description="Active days of the seven days before.")]


class StatusPage(TypedDict):
    count: int
    num_pages: int
    next: str | None
    previous: str | None
    results: list[LearnerStatus]


_counts, _status, _roster = (
    tables.learner_status_count, tables.learner_status, tables.module_engagement_roster,
)  # fmt: skip
COUNTS = OfEdition(
    sa.select(*(_counts.c[name] for name in StatusCount.__annotations__)).where(
        equal(_counts.c.course_id, sa.bindparam("course_id"))
    )
)


@subject.get(
    "courses/{course_id:course}/learner_statuses/",
    reads=[_counts],
    file_name="learner-statuses",
    versions=("v1",),
    one_statement=True,
)
def learner_statuses(course_id: CourseID, store: Reading) -> list[StatusCount]:
    """How many learners of the course are active, slowing down, quiet and so on; all six, zeros too."""
    rows = {row["status"]: row for row in store.rows(COUNTS, {"course_id": course_id})}
    if not rows:
        return []
    created = compact(max(row["created"] for row in rows.values()))
    return [
        {
            "course_id": course_id,
            "status": status,
            "count": rows[status]["count"] if status in rows else 0,
            "created": created,
        }
        for status in STATUSES
    ]


@subject.get(
    "courses/{course_id:course}/learners_by_status/",
    reads=[_status, _roster],
    file_name="learners-by-status",
    versions=("v1",),
)
def learners_by_status(
    course_id: CourseID,
    page: PageAsked,
    store: Reading,
    status: Annotated[str, Query(description=f"Any of these: {', '.join(STATUSES)}.")] = "",
    username: Annotated[str, Query(description="Exactly these learners, separated by commas.")] = "",
) -> StatusPage:
    """What each learner of the course is doing and why that is said; longest without activity first."""
    conditions = [
        equal(_status.c.course_id, course_id),
        *([_status.c.status.in_(statuses(status))] if status else []),
    ]
    asked = _asked(course_id, username, store) if username else None
    if asked is not None:
        conditions.append(_status.c.user_id.in_([number for number, _ in store.unmasked(asked)]))
    counted = sa.select(sa.func.count().label("learners")).where(*conditions)
    always = store.privacy.order(_status) if store.privacy.is_pseudonymous else _status.c.user_id
    order = (_status.c.last_date.is_not(None), _status.c.last_date, always)
    rows = sa.select(_status).where(*conditions).order_by(*order)
    last = last_day(store)

    def learners(offset: int, limit: int) -> list[LearnerStatus]:
        cut = rows.offset(offset).limit(limit)
        found = store.rows(_named(cut.subquery()) if asked is None else asked)
        names = {row["user_id"]: row["username"] for row in found}
        return [_learner(row, names, last) for row in store.rows(cut)]

    return cast("StatusPage", page.cut(store.rows(counted)[0]["learners"], learners))


def _asked(course_id: str, shown: str, store: Reading) -> sa.Select[tuple[int, str]]:
    """Numbers and user names of the learners who are shown under these names."""
    names = usernames_of(store, course_id, names_in(shown))
    return sa.select(_roster.c.user_id, _roster.c.username).where(
        equal(_roster.c.course_id, course_id),
        sa.or_(*(is_named(_roster, name) for name in names)) if names else sa.false(),
        _roster.c.user_id.is_not(None),
    )


def _named(rows: sa.Subquery) -> sa.Select[tuple[int, str]]:
    """Numbers and user names of the learners in some rows of the status."""
    same = sa.and_(_roster.c.course_id == rows.c.course_id, _roster.c.user_id == rows.c.user_id)
    return sa.select(rows.c.user_id, _roster.c.username).join_from(rows, _roster, same)


def last_day(store: Reading) -> date | None:
    """The last day that the table describes."""
    publication = store.published.get(_status.name)
    return (publication.until - timedelta(microseconds=1)).date() if publication else None


def _learner(row: sa.RowMapping, names: dict[int, str], last: date | None) -> LearnerStatus:
    return {
        "user_id": row["user_id"],
        "username": names.get(row["user_id"]),
        "status": row["status"],
        "rule": row["rule"],
        "since": text(row["since"]),
        "enrolled_date": text(row["enrolled_date"]),
        "first_date": text(row["first_date"]),
        "last_date": text(row["last_date"]),
        "days_without_activity": days_from(row["last_date"], last),
        "pause_days": row["pause_days"],
        "days_week": row["days_week"],
        "days_before": row["days_before"],
    }


def days_from(last_date: date | None, last: date | None) -> int | None:
    """Days without activity up to the last day of the table."""
    return (last - last_date).days if last and last_date else None


def text(day: date | None) -> str | None:
    """The day in the form of answers."""
    return day.isoformat() if day else None
