"""A world of courses as they should not be, and are: empty, left, in gaps, over, enormous, oddly named."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from tests.insights.world import publish, rows_of

from pharos.demo.campus import Campus
from pharos.result_store import tables

UNTIL = date(2026, 11, 26)  # a Thursday
LAST_DAY = UNTIL - timedelta(days=1)
LAST_SUNDAY = date(2026, 11, 22)
DAY = timedelta(days=1)
Modes = dict[str, tuple[int, int]]
"""Enrolled and ever enrolled, by mode."""


@dataclass(frozen=True)
class Odd:
    """A course and its rows: enrollment by day and mode, activity by Monday and label."""

    days: dict[date, Modes] = field(default_factory=dict)
    weeks: dict[date, dict[str, int]] = field(default_factory=dict)
    demographics: dict[str, dict[Any, int]] = field(default_factory=dict)
    passed: dict[date, int] = field(default_factory=dict)
    languages: dict[str | None, int] = field(default_factory=dict)
    chosen: dict[str | None, int] = field(default_factory=dict)
    """Languages chosen for the LMS."""
    transcripts: dict[str, int] = field(default_factory=dict)
    """Of four videos."""
    title: str | None = None
    starts: date | None = None
    """With it the LMS knows the course."""
    ends: date | None = None


def since(first: date, modes: Modes, last: date = LAST_DAY) -> dict[date, Modes]:
    """The same rows on each day."""
    return {first + DAY * i: modes for i in range((last - first).days + 1)}


def day(text: str) -> date:
    return date.fromisoformat(text)


Groups = dict[str, dict[Any, int]]
KNOWN: Groups = {
    "birth_year": {None: 3, 1990: 5, 2001: 2},
    "education_level": {None: 2, "masters": 8},
    "gender": {"f": 4, "m": 4, None: 2},
    "country_code": {"FR": 6, "DE": 3, None: 1},
}
UNKNOWN: Groups = {
    "birth_year": {None: 9},
    "education_level": {None: 9},
    "gender": {None: 9},
    "country_code": {None: 9},
}
NONE_LEFT: Groups = {
    "birth_year": {None: 0, 1990: 0},
    "education_level": {None: 0},
    "gender": {"f": 0, None: 0},
    "country_code": {"FR": 0, None: 0},
}
AUDIT_10: Modes = {"audit": (10, 10)}
COURSES = {
    "course-v1:Odd+ZERO+1": Odd(),
    "course-v1:Odd+ONE+1": Odd(since(LAST_DAY, {"audit": (1, 1)}), demographics={"gender": {"f": 1}}),
    "course-v1:Odd+TWO+1": Odd(
        since(day("2026-11-14"), {"audit": (1, 1)}, day("2026-11-20"))
        | since(day("2026-11-21"), {"audit": (1, 1), "verified": (1, 1)}),
        {day("2026-11-16"): {"ACTIVE": 1}},
        demographics={"country_code": {"GR": 2}, "birth_year": {1990: 1, 2001: 1}},
    ),
    "course-v1:Odd+GAPDAYS+1": Odd(
        since(day("2026-10-01"), AUDIT_10, day("2026-10-05"))
        | since(day("2026-11-01"), {"audit": (30, 31)}, day("2026-11-10")),
        {day("2026-10-26"): {"ACTIVE": 20, "PLAYED_VIDEO": 4}, day("2026-11-16"): {"ACTIVE": 3}},
        KNOWN,
    ),
    "course-v1:Odd+GAPWEEKS+1": Odd(
        since(day("2026-10-20"), {"audit": (30, 30)}),
        {day("2026-10-26"): {"ACTIVE": 20}, day("2026-11-16"): {"ACTIVE": 3, "POSTED_FORUM": 1}},
        KNOWN,
    ),
    "course-v1:Odd+STALE+1": Odd(
        since(day("2026-10-20"), {"audit": (30, 30)}), {day("2026-11-02"): {"ACTIVE": 12}}, KNOWN
    ),
    "course-v1:Odd+LEFT+1": Odd(
        since(day("2026-11-01"), AUDIT_10, day("2026-11-23")) | since(day("2026-11-24"), {"audit": (0, 10)}),
        {day("2026-11-02"): {"ACTIVE": 8}},
        NONE_LEFT,
    ),
    "course-v1:Odd+MOVE+1": Odd(
        since(day("2026-11-01"), {"honor": (10, 10), "audit": (20, 20)}, day("2026-11-23"))
        | since(day("2026-11-24"), {"verified": (10, 10), "audit": (20, 20)}),
        {},
        UNKNOWN,
    ),
    "course-v1:Odd+YOUNG+1": Odd(since(day("2026-11-23"), {"audit": (5, 5)})),
    "course-v1:Odd+ENDED+1": Odd(
        since(day("2026-09-01"), {"audit": (40, 44)}, day("2026-11-20"))
        | since(day("2026-11-21"), {"audit": (38, 44)}),
        {day("2026-09-07"): {"ACTIVE": 30}, day("2026-09-14"): {"ACTIVE": 25}},
        KNOWN,
        starts=day("2026-09-01"),
        ends=day("2026-10-31"),
    ),
    "course-v1:Odd+NOTBEGUN+1": Odd(
        since(day("2026-11-20"), {"audit": (12, 12)}), starts=day("2027-02-01"), ends=day("2027-05-01")
    ),
    "course-v1:Odd+WHOLERUN+2": Odd(
        since(day("2026-10-01"), {"audit": (12, 12)}, day("2026-11-18"))
        | since(day("2026-11-19"), {"audit": (25, 30), "verified": (3, 3)}),
        {day("2026-10-05"): {"ACTIVE": 9}, day("2026-11-16"): {"ACTIVE": 11, "ATTEMPTED_PROBLEM": 2}},
        KNOWN,
        passed={day("2026-11-01"): 2, day("2026-11-20"): 3},
        languages={"es": 12, "en": 6, "pt": 2, None: 8},
        chosen={"es": 3, "fr": 1, None: 24},
        transcripts={"en": 4, "es-419": 3, "es": 1},
        starts=day("2026-10-05"),
    ),
    "course-v1:Odd+WHOLERUN+1": Odd(
        since(day("2026-03-02"), {"audit": (16, 18)}, day("2026-06-30")),
        {day("2026-03-02"): {"ACTIVE": 9}, day("2026-04-13"): {"ACTIVE": 4}},
        passed={day("2026-04-01"): 4, day("2026-04-30"): 5},
        starts=day("2026-03-02"),
        ends=day("2026-06-30"),
    ),
    "course-v1:Odd+WHOLERUN+0": Odd(
        since(day("2025-10-06"), {"audit": (40, 40), "verified": (10, 10)}, day("2025-12-30")),
        {day("2025-10-06"): {"ACTIVE": 22}, day("2025-11-17"): {"ACTIVE": 6}},
        passed={day("2025-11-10"): 6},
        starts=day("2025-10-06"),
        ends=day("2025-12-30"),
    ),
    "course-v1:Odd+MILLION+1": Odd(
        since(day("2026-01-01"), {"audit": (1_200_000, 1_300_000)}, day("2026-11-20"))
        | since(day("2026-11-21"), {"audit": (1_234_567, 1_400_001), "verified": (98_765, 98_765)}),
        {day("2026-11-09"): {"ACTIVE": 1_000_001}, day("2026-11-16"): {"ACTIVE": 999_999, "PLAYED_VIDEO": 5}},
        {"country_code": {"IN": 1_333_330, "TV": 2}, "birth_year": {1990: 1_333_332}},
    ),
    "ccx-v1:Odd+CCX+1+ccx@7": Odd(
        since(day("2026-11-01"), AUDIT_10), {day("2026-11-16"): {"ACTIVE": 12, "POSTED_FORUM": 2}}, KNOWN
    ),
    "course-v1:Ünï+Çode_日本+2026": Odd(
        since(day("2026-11-01"), AUDIT_10),
        {day("2026-11-16"): {"ACTIVE": 10}},
        KNOWN,
        title="Ελληνικά <b>& 日本語</b> %(n)s {x}",
    ),
    "course-v1:Odd+LONG+1": Odd(since(day("2026-11-01"), {"audit": (9, 9)}), {}, KNOWN, title="Long " * 50),
    "course-v1:Odd+NOWHERE+1": Odd(
        since(day("2026-11-01"), {"audit": (7, 7)}),
        demographics={"country_code": {None: 7}},
        languages={"fr": 6, None: 1},
    ),
    "course-v1:Odd+UNENROLLED+1": Odd({}, {day("2026-11-16"): {"ACTIVE": 4}}),
    "Odd/OLD/1": Odd(since(day("2026-11-25"), {"executive": (2, 2)}), {}, UNKNOWN),
}


REASONS = ("only_in_lms", "only_in_events", "active_in_lms", "active_in_events", "other_mode")
RECONCILED: list[tuple[Any, ...]] = [
    ("course-v1:Odd+STALE+1", 30, 32, 2, 0, 0, 0, 0),
    ("course-v1:Odd+MOVE+1", 30, 30, 0, 0, 0, 0, 0),
    ("course-v1:Odd+GAPWEEKS+1", 30, 28, 1, 1, 1, 3, 1),
]
THIS_WEEK = [("course-v1:Odd+GAPWEEKS+1", "ACTIVE", 2), ("course-v1:Odd+WHOLERUN+2", "ACTIVE", 1)]


def flows_of(odd: Odd) -> dict[date, tuple[int, int]]:
    """Joined and left on the days with changes: whoever is new in the course joined, the rest is who left."""
    found, before, ever = {}, 0, 0
    for when, modes in sorted(odd.days.items()):
        now, ever_now = (sum(numbers[which] for numbers in modes.values()) for which in (0, 1))
        joined = max(ever_now - ever, now - before)
        if joined or now != before:
            found[when] = (joined, joined - (now - before))
        before, ever = now, ever_now
    return found


def fill(engine: sa.Engine, _campus: Campus) -> None:
    """The rows of all odd courses."""
    by_column = {
        "birth_year": tables.course_enrollment_birth_year_daily,
        "education_level": tables.course_enrollment_education_level_daily,
        "gender": tables.course_enrollment_gender_daily,
        "country_code": tables.course_enrollment_location_current,
    }
    results = {
        tables.course_enrollment_mode_daily: rows_of(
            ("date", "course_id", "mode", "count", "cumulative_count"),
            [
                (when, course_id, mode, *numbers)
                for course_id, odd in COURSES.items()
                for when, modes in odd.days.items()
                for mode, numbers in modes.items()
            ],
        ),
        tables.course_enrollment_daily: rows_of(
            ("course_id", "date", "count", "cumulative_count"),
            [
                (
                    course_id,
                    when,
                    sum(now for now, _ in modes.values()),
                    sum(ever for _, ever in modes.values()),
                )
                for course_id, odd in COURSES.items()
                for when, modes in odd.days.items()
            ],
        ),
        tables.course_enrollment_flow_daily: rows_of(
            ("course_id", "date", "joined", "left"),
            [
                (course_id, when, *flow)
                for course_id, odd in COURSES.items()
                for when, flow in flows_of(odd).items()
            ],
        ),
        tables.course_passing_daily: rows_of(
            ("course_id", "date", "passed"),
            [
                (course_id, when, number)
                for course_id, odd in COURSES.items()
                for when, number in odd.passed.items()
            ],
        ),
        tables.course_enrollment_language_current: rows_of(
            ("course_id", "date", "language", "count"),
            [
                (course_id, LAST_DAY, language, number)
                for course_id, odd in COURSES.items()
                for language, number in odd.languages.items()
            ],
        ),
        tables.course_enrollment_chosen_language_current: rows_of(
            ("course_id", "date", "language", "count"),
            [
                (course_id, LAST_DAY, language, number)
                for course_id, odd in COURSES.items()
                for language, number in odd.chosen.items()
            ],
        ),
        tables.course_transcript_language: rows_of(
            ("course_id", "language", "videos", "course_videos"),
            [
                (course_id, language, number, 4)
                for course_id, odd in COURSES.items()
                for language, number in odd.transcripts.items()
            ],
        ),
        tables.enrollment_reconciliation: rows_of(
            ("course_id", "events_count", "lms_count", *REASONS), RECONCILED
        ),
        tables.course_activity_current_week: rows_of(
            ("course_id", "date", "interval_start", "interval_end", "label", "count"),
            [
                (course_id, LAST_DAY, datetime(2026, 11, 23), datetime(2026, 11, 30), label, count)
                for course_id, label, count in THIS_WEEK
            ],
        ),
        tables.course_activity: rows_of(
            ("course_id", "interval_start", "interval_end", "label", "count"),
            [
                (course_id, _moment(monday), _moment(monday + 7 * DAY), label, count)
                for course_id, odd in COURSES.items()
                for monday, labels in odd.weeks.items()
                for label, count in labels.items()
            ],
        ),
        tables.course_meta_summary_enrollment: _summaries(),
    }
    for column, table in by_column.items():
        results[table] = rows_of(
            ("date", "course_id", column, "count", "cumulative_count"),
            [
                (LAST_DAY, course_id, value, count, count + 1)
                for course_id, odd in COURSES.items()
                for value, count in odd.demographics.get(column, {}).items()
            ],
        )
    publish(engine, results, UNTIL, datetime(2026, 11, 25, 23, 59))


def _summaries() -> pa.Table:
    """As the metric makes them: a row for each mode that has learners on the last day."""
    rows = []
    for course_id, odd in COURSES.items():
        if not odd.days:
            continue
        before = odd.days.get(LAST_DAY - 7 * DAY, {})
        for mode, (now, ever) in odd.days[max(odd.days)].items():
            change = now - before.get(mode, (0, 0))[0]
            rows.append((course_id, odd.title, None, None, None, None, None, mode, now, change, ever, None))
    columns = tables.course_meta_summary_enrollment.columns
    types = {"count": pa.int64(), "passing_users": pa.int64()}
    names = (
        "course_id",
        "catalog_course_title",
        "catalog_course",
        "start_time",
        "end_time",
        "pacing_type",
        "availability",
        "enrollment_mode",
        "count",
        "count_change_7_days",
        "cumulative_count",
        "passing_users",
    )
    assert set(names) <= {column.name for column in columns}
    table = rows_of(names, rows)
    return table.set_column(
        names.index("passing_users"), "passing_users", table["passing_users"].cast(types["passing_users"])
    )


def prepare(campus: Campus) -> None:
    """The LMS knows the odd courses that have dates."""
    model = campus.courses[0]
    known = [
        replace(
            model,
            id=course_id,
            starts=_moment(odd.starts).replace(tzinfo=UTC),
            ends=_moment(odd.ends).replace(tzinfo=UTC) if odd.ends else None,
        )
        for course_id, odd in COURSES.items()
        if odd.starts
    ]
    object.__setattr__(campus, "courses", (*campus.courses, *known))


def _moment(value: date) -> datetime:
    return datetime(value.year, value.month, value.day)
