"""All courses at a glance (spec 05 §7.1), chosen, ordered, in pages (§11.1), and their totals (§11.2)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any, NotRequired, cast

import sqlalchemy as sa
from fastapi import Request
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import Caller
from pharos.data_api.errors import CourseMalformed, PlainText
from pharos.data_api.paging import Page, public_url, size_of
from pharos.data_api.parameters import Asked, Given, check_choices
from pharos.data_api.reading import Reading
from pharos.data_api.routes.enrollment import MODES, Course, Created
from pharos.data_api.routing import Subject
from pharos.data_api.times import compact, compact_or_none, read_past_day
from pharos.keys import is_course_id
from pharos.result_store import tables
from pharos.result_store.column_types import equal, exactly

subject = Subject("Course summaries")

MAX_IDS_IN_QUERY = 1000  # databases limit parameters

AVAILABILITIES = {"Starting Soon": "Upcoming"}
MERGED_MODES = {"no-id-professional": "professional"}
TEXTS = (
    "course_id",
    "catalog_course_title",
    "catalog_course",
    "start_time",
    "end_time",
    "pacing_type",
    "availability",
)
COUNTS = ("count", "cumulative_count", "count_change_7_days", "passing_users")
NOBODY = dict.fromkeys(COUNTS, 0)

ORDERS = (
    "catalog_course_title",
    "start_date",
    "end_date",
    "count",
    "cumulative_count",
    "count_change_7_days",
    "passing_users",
    "verified_enrollment",
)
CHOICES = {
    "order_by": ORDERS,
    "sort_order": ("asc", "desc"),
    "availability": ("Archived", "Current", "Upcoming", "unknown"),
    "pacing_type": ("self_paced", "instructor_paced"),
}
PAGE_SIZE = 100

PARAMETERS = {
    "course_ids": "Course ids, separated by commas; none: all courses.",
    "fields": "Keys to show, separated by commas.",
    "exclude": "Keys to leave out, also inside the modes; wins over fields.",
    "programs": "true: add the ids of the programs of each course.",
    "recent_date": "A day before today: recent_count_change is the growth since the end of that day.",
    "availability": "Archived, Current, Upcoming or unknown; several with commas.",
    "pacing_type": "instructor_paced or self_paced; several with commas.",
    "program_ids": "Only courses of these programs.",
    "text_search": "Part of title or id, any case.",
    "order_by": f"One of {', '.join(ORDERS)}.",
    "sort_order": "asc or desc.",
    "page": "Answer this page, from 1, instead of the list.",
    "page_size": "Courses on a page; without: 100.",
    "all": "true: the list, though a page is asked for.",
}


Availability = Annotated[str | None, Field(description="Archived, Current, Upcoming or unknown.")]


class ModeCounts(TypedDict):
    count: NotRequired[Annotated[int, Field(description="Learners enrolled.")]]
    cumulative_count: NotRequired[Annotated[int, Field(description="Learners with any enrollment event.")]]
    count_change_7_days: NotRequired[Annotated[int, Field(description="count minus that of 7 days before.")]]
    passing_users: NotRequired[Annotated[int, Field(description="Learners with a passing grade.")]]


class CourseSummary(TypedDict):
    created: NotRequired[Created]
    course_id: NotRequired[Course]
    catalog_course_title: NotRequired[str | None]
    catalog_course: NotRequired[str | None]
    start_date: NotRequired[Annotated[str | None, Field(description="UTC.", examples=["2031-01-05T123000"])]]
    end_date: NotRequired[Annotated[str | None, Field(description="UTC.", examples=["2031-06-30T235959"])]]
    pacing_type: NotRequired[str | None]
    availability: NotRequired[
        Annotated[str | None, Field(description="Archived, Current, Upcoming, unknown.")]
    ]
    count: NotRequired[int]
    cumulative_count: NotRequired[int]
    count_change_7_days: NotRequired[int]
    recent_count_change: NotRequired[Annotated[int | None, Field(description="null without recent_date.")]]
    passing_users: NotRequired[int]
    enrollment_modes: NotRequired[dict[str, ModeCounts]]
    programs: NotRequired[Annotated[list[str], Field(description="Only if asked for.")]]


class SummaryPage(TypedDict):
    count: int
    num_pages: int
    next: str | None
    previous: str | None
    results: list[CourseSummary]


class Totals(TypedDict):
    count: Annotated[int, Field(description="Learners enrolled.")]
    cumulative_count: Annotated[int, Field(description="Learners with any enrollment event.")]
    count_change_7_days: Annotated[int, Field(description="count minus that of 7 days before.")]
    verified_enrollment: Annotated[int, Field(description="Learners in the mode verified.")]


EMPTY: dict[str, Any] = dict.fromkeys(CourseSummary.__annotations__) | NOBODY | {"created": ""}
EMPTY = {name: value for name, value in EMPTY.items() if name != "programs"}  # only if asked for

READS = (
    tables.course_meta_summary_enrollment,
    tables.course_enrollment_daily,
    tables.course_program_metadata,
)


@subject.get("course_summaries/", reads=READS, parameters=PARAMETERS, post=True)
def course_summaries(
    asked: Asked, caller: Caller, store: Reading, request: Request
) -> list[CourseSummary] | SummaryPage:
    """Enrollment of each course by mode, with its change over a week; ordered by course id.

    Courses without data are absent. Long lists of ids go into the body of a POST: a form with repeated keys,
    or JSON with arrays. Only if a page is asked for, the answer is a page object instead of the list.
    """
    ids, choices = course_ids(asked), {name: _chosen(asked, name) for name in CHOICES}
    day = _recent_day(asked)
    programs = _programs(store, ids) if asked.switch("programs") or asked.list("program_ids") else {}
    is_wanted = _condition(asked, choices, programs)
    found = [s for s in _summaries(store, ids) if caller.may_read(s["course_id"]) and is_wanted(s)]
    if day is not None:
        then = _counts_on(store, day, [s["course_id"] for s in found])
        found = [{**s, "recent_count_change": s["count"] - then.get(s["course_id"], 0)} for s in found]
    if asked.switch("programs"):
        found = [{**s, "programs": programs.get(s["course_id"], [])} for s in found]
    found = _ordered(found, choices)
    number, size = asked.text("page"), asked.text("page_size")
    if not (number or size) or asked.switch("all"):
        return _shown(found, asked)
    page = Page(number or "1", size_of(size, PAGE_SIZE, PAGE_SIZE), public_url(request))
    cut = page.cut(len(found), lambda offset, limit: _shown(found[offset : offset + limit], asked))
    return cast("SummaryPage", cut)


@subject.get(
    "course_totals/", reads=READS[:1], parameters={"course_ids": PARAMETERS["course_ids"]}, post=True
)
def course_totals(asked: Asked, caller: Caller, store: Reading) -> Totals:
    """The sums over the courses; zeros if there are none."""
    totals: Totals = {"count": 0, "cumulative_count": 0, "count_change_7_days": 0, "verified_enrollment": 0}
    for summary in _summaries(store, course_ids(asked)):
        if caller.may_read(summary["course_id"]):
            totals["count"] += summary["count"]
            totals["cumulative_count"] += summary["cumulative_count"]
            totals["count_change_7_days"] += summary["count_change_7_days"]
            totals["verified_enrollment"] += summary["enrollment_modes"]["verified"]["count"]
    return totals


def _chosen(asked: Given, name: str) -> list[str]:
    """The values of a parameter that has choices. Raises IllegalParameter."""
    values = asked.list(name) or []
    check_choices(name, values, CHOICES[name])
    return values


def _programs(store: Reading, ids: frozenset[str] | None) -> Mapping[str, list[str]]:
    """The ids of the programs of courses, in the order of the table; those of all courses are cached."""
    table = tables.course_program_metadata
    by_id = not store.is_published(table)
    if ids is None or len(ids) > MAX_IDS_IN_QUERY:
        return store.derived(table, lambda: _programs_of(store, _programs_of_all(by_id=by_id), {}))
    known: Mapping[str, list[str]] | None = store.derived_at_hand(table)
    return (
        known
        if known is not None
        else _programs_of(store, _programs_of_some(by_id=by_id), {"ids": sorted(ids)})
    )


def _programs_of(
    store: Reading, statement: sa.Select[Any], values: Mapping[str, object]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for course_id, program_id in store.tuples(statement, values):
        found.setdefault(course_id, []).append(program_id)
    return found


@cache
def _programs_of_all(*, by_id: bool) -> sa.Select[Any]:
    table = tables.course_program_metadata
    return sa.select(table.c.course_id, table.c.program_id).order_by(
        table.c.id if by_id else table.c.program_id
    )


@cache
def _programs_of_some(*, by_id: bool) -> sa.Select[Any]:
    wanted = tables.course_program_metadata.c.course_id.in_(sa.bindparam("ids", expanding=True))
    return _programs_of_all(by_id=by_id).where(wanted)


def _condition(
    asked: Given, choices: Mapping[str, list[str]], programs: Mapping[str, list[str]]
) -> Callable[[CourseSummary], bool]:
    """A function that is true for the courses that the request asks for."""
    wanted_programs, text = asked.list("program_ids"), (asked.text("text_search") or "").lower()
    availabilities, pacing_types = choices["availability"], choices["pacing_type"]

    def is_wanted(summary: CourseSummary) -> bool:
        course_id, availability = summary["course_id"], summary["availability"]
        if availability is None or availability == "Unknown":
            availability = "unknown"
        return (
            (not availabilities or availability in availabilities)
            and (not pacing_types or summary["pacing_type"] in pacing_types)
            and (wanted_programs is None or not set(wanted_programs).isdisjoint(programs.get(course_id, ())))
            and (text in (summary["catalog_course_title"] or "").lower() or text in course_id.lower())
        )

    return is_wanted


def _ordered(summaries: list[CourseSummary], choices: Mapping[str, list[str]]) -> list[CourseSummary]:
    """By the chosen key; missing titles come last, missing dates first. Ties are ordered by course id."""
    if not choices["order_by"]:
        return summaries
    key, descending = choices["order_by"][0], choices["sort_order"] == ["desc"]

    def value(summary: CourseSummary) -> tuple[bool, Any]:
        if key == "verified_enrollment":
            return False, summary["enrollment_modes"]["verified"]["count"]
        found: Any = cast("dict[str, Any]", summary)[key]
        if key == "catalog_course_title":
            return (found is None) != descending, (found or "").lower()
        return found is not None, found or ""

    return sorted(summaries, key=value, reverse=descending)


def course_ids(asked: Given) -> frozenset[str] | None:
    """The requested ids; None: all. Raises CourseMalformed for the first invalid one."""
    ids = asked.list("course_ids")
    for course_id in ids or ():
        if not is_course_id(course_id):
            raise CourseMalformed(course_id)
    return None if ids is None else frozenset(ids)


def _summaries(store: Reading, ids: frozenset[str] | None) -> Iterable[CourseSummary]:
    """The summaries of these courses, or of all, sorted by id. They are shared by all requests: do not change
    them.
    """
    table = tables.course_meta_summary_enrollment
    if ids is not None and len(ids) <= MAX_IDS_IN_QUERY:  # do not wait for all
        known = store.derived_at_hand(table) or _assembled(store, ROWS_OF_SOME, {"ids": sorted(ids)})
    else:
        known = store.derived(table, lambda: _assembled(store, ROWS_OF_ALL, {}))
    if ids is None:
        return known.values()
    return [known[course_id] for course_id in sorted(ids & known.keys())]


def _assembled(
    store: Reading, statement: sa.Select[Any], values: Mapping[str, object]
) -> dict[str, CourseSummary]:
    """The summaries of courses, by id: texts from the last row of each, numbers added up over its modes."""
    found: dict[str, Any] = {}
    rows = store.tuples(statement, values)
    for course_id, title, catalog_course, start, end, pacing, availability, mode, *numbers, created in rows:
        counts = [number or 0 for number in numbers]
        summary = found.get(course_id)
        if summary is None:
            modes = dict.fromkeys(MODES, NOBODY)
            summary = found[course_id] = EMPTY | {"course_id": course_id, "enrollment_modes": modes}
        summary |= {
            "created": max(summary["created"], compact(created)),
            "catalog_course_title": title,
            "catalog_course": catalog_course,
            "start_date": compact_or_none(start),
            "end_date": compact_or_none(end),
            "pacing_type": pacing,
            "availability": AVAILABILITIES.get(availability, availability),
        } | _added(summary, counts)
        modes, shown_mode = summary["enrollment_modes"], MERGED_MODES.get(mode, mode)
        modes[shown_mode] = _added(modes.get(shown_mode, NOBODY), counts)
    return dict(sorted(found.items()))  # databases order texts each in their own way


_summaries_table = tables.course_meta_summary_enrollment
ROWS_OF_ALL = sa.select(
    *(_summaries_table.c[name] for name in (*TEXTS, "enrollment_mode", *COUNTS, "created"))
).order_by(_summaries_table.c.course_id, _summaries_table.c.enrollment_mode, _summaries_table.c.id)
ROWS_OF_SOME = ROWS_OF_ALL.where(_summaries_table.c.course_id.in_(sa.bindparam("ids", expanding=True)))


def _added(to: Mapping[str, int], counts: Sequence[int]) -> dict[str, int]:
    return {name: to[name] + count for name, count in zip(COUNTS, counts, strict=True)}


def _recent_day(asked: Given) -> date | None:
    """The day of recent_date, if it is given. Raises PlainText if it is not a day before today."""
    text = asked.text("recent_date")
    if text is None:
        return None
    try:
        return read_past_day(text, datetime.now(UTC).date())
    except ValueError as error:
        raise PlainText(f"Error in recent_date: {error}") from error


def _counts_on(store: Reading, day: date, ids: Sequence[str]) -> dict[str, int]:
    """Enrollment of the courses on the day, or on the latest earlier day for which a course has a row.

    Always selected by ids, even for all courses: the table has an index of courses and days, but not of days
    alone.
    """
    found: dict[str, int | None] = {}
    for first in range(0, len(ids), MAX_IDS_IN_QUERY):
        some = ids[first : first + MAX_IDS_IN_QUERY]
        found |= dict(iter(store.tuples(COUNTS_ON_DAY, {"ids": some, "day": day})))
        absent = [course_id for course_id in some if course_id not in found]
        if absent:  # most courses have a row for every day
            found |= dict(iter(store.tuples(COUNTS_BEFORE_DAY, {"ids": absent, "day": day})))
    return {course_id: count or 0 for course_id, count in found.items()}


_daily = tables.course_enrollment_daily
_day: sa.BindParameter[date] = sa.bindparam("day")
_counted = sa.select(_daily.c.course_id, _daily.c["count"])
_wanted = _daily.c.course_id.in_(sa.bindparam("ids", expanding=True))
_newest = (
    sa.select(_daily.c.course_id, sa.func.max(_daily.c.date).label("date"))
    .where(_wanted, _daily.c.date < _day)
    .group_by(_daily.c.course_id, exactly(_daily.c.course_id))
    .subquery()
)
COUNTS_ON_DAY = _counted.where(_wanted, _daily.c.date == _day)
COUNTS_BEFORE_DAY = _counted.join(
    _newest, sa.and_(equal(_daily.c.course_id, _newest.c.course_id), _daily.c.date == _newest.c.date)
)


def _shown(summaries: list[CourseSummary], asked: Given) -> list[CourseSummary]:
    """The summaries with the requested keys; excluded keys are left out of the modes, too."""
    fields, exclude = asked.list("fields"), asked.list("exclude")
    if fields is None and exclude is None:
        return summaries
    shown = asked.shown(summaries)
    for item, summary in zip(shown, summaries, strict=True):
        if exclude and "enrollment_modes" in item:
            item["enrollment_modes"] = {
                mode: {key: value for key, value in counts.items() if key not in exclude}
                for mode, counts in summary["enrollment_modes"].items()
            }
    return [cast("CourseSummary", item) for item in shown]
