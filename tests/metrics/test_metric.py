"""All metrics against the naive implementation and what must hold for any input, over random input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lines import KINDS
from tests.metrics import test_activity as activity
from tests.metrics import test_enrollment as enrollment
from tests.metrics.conftest import columns, computed
from tests.metrics.naive import Activity, Enrollment
from tests.metrics.test_enrollment import BY_MODE, DAILY

from pharos.config import EngineSettings
from pharos.engine import Engine, open_engine
from pharos.pipeline.graph import FACTS

# Small worlds: most interesting cases are collisions of learner, day, moment and mode.
moments = st.builds(
    lambda day, microseconds: datetime(2024, 2, 27) + timedelta(days=day, microseconds=microseconds),
    st.integers(0, 14),
    st.integers(0, 2),
)
enrollments = st.lists(
    st.builds(
        Enrollment,
        st.sampled_from("CDEF"),
        st.integers(1, 3),
        moments,
        st.sampled_from(KINDS),
        st.sampled_from(["audit", "honor", ""]),
    ),
    max_size=60,
)
activities = st.lists(
    st.builds(
        Activity,
        st.sampled_from("CDEF"),
        st.integers(1, 3),
        moments.map(datetime.date),
        st.sampled_from(activity.KINDS),
    ),
    max_size=60,
)
untils = st.one_of(moments, st.integers(1, 16).map(lambda day: datetime(2024, 2, 27) + timedelta(days=day)))
thoroughly = settings(max_examples=25, deadline=None, derandomize=True)
of_all_tables = settings(thoroughly, max_examples=8)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for all examples."""
    engine = open_engine(EngineSettings(threads=1), tmp_path_factory.mktemp("scratch"))
    yield engine
    engine.close()


@thoroughly
@given(events=enrollments, until=untils)
def test_enrollment(embedded: Engine, events: list[Enrollment], until: datetime) -> None:
    enrollment.assert_equals_naive(embedded, events, until)


@thoroughly
@given(rows=activities, until=untils)
def test_activity(embedded: Engine, rows: list[Activity], until: datetime) -> None:
    activity.assert_equals_naive(embedded, rows, until)


# A whole world: learners with profiles, grades and addresses ---------------------------------------------

LAST = datetime(2024, 3, 12, 23, 59, 59, 999999)
UNTIL = datetime(2024, 3, 13)
LAST_DAY = date(2024, 3, 12)
COUNTS = ("count", "cumulative_count")
EVERY_DAY = {  # table -> group
    "course_enrollment_mode_daily": "mode",
    "course_enrollment_gender_daily": "gender",
}
LAST_DAY_ONLY = {
    "course_enrollment_birth_year_daily": "birth_year",
    "course_enrollment_education_level_daily": "education_level",
    "course_enrollment_location_current": "country_code",
}
GROUPED = EVERY_DAY | LAST_DAY_ONLY
LANGUAGES = ("course_enrollment_language_current", "course_enrollment_chosen_language_current")
OF_LEARNERS = (
    DAILY, enrollment.EFFECTIVE, enrollment.LEARNERS, "course_grade_by_mode", enrollment.SUMMARY, *GROUPED,
    "course_activity", "course_activity_current_week", enrollment.FLOW, "course_passing_daily", *LANGUAGES,
)  # fmt: skip
World = dict[str, list[dict[str, object]]]


def _profile(user: int, gender: str | None, year: int | None, education: str | None) -> dict[str, object]:
    return {
        "user_id": user, "name": "", "gender": gender, "year_of_birth": year, "level_of_education": education,
    }  # fmt: skip


def _seen(user: int, time: datetime, ip: str) -> dict[str, object]:
    return {"date": time.date(), "user_id": user, "time": time, "ip": ip}


def _asked(user: int, time: datetime, language: str) -> dict[str, object]:
    return {"date": time.date(), "user_id": user, "time": time, "language": language}


def _grade(
    user: int, course: str, modified: datetime, passed: datetime | None, letter: str
) -> dict[str, object]:
    return {
        "user_id": user, "course_id": course, "percent_grade": 0.5, "letter_grade": letter,
        "passed_timestamp": passed, "modified": modified,
    }  # fmt: skip


users = st.integers(1, 5)
worlds = st.fixed_dictionaries(
    {
        "enrollment_event": enrollments.map(lambda events: [event.fact() for event in set(events)]),
        "interaction": activities.map(lambda rows: [row.fact() for row in set(rows)]),
        "auth_userprofile": st.lists(
            st.builds(
                _profile,
                users,
                st.sampled_from(["f", "m", "o", "", None]),
                st.sampled_from([1990, 1991, None]),
                st.sampled_from(["hs", "p", "p_oth", "none", "odd", "", None]),
            ),
            unique_by=lambda row: row["user_id"],
        ),
        "last_address_by_learner_day": st.lists(
            st.builds(_seen, users, moments, st.sampled_from(["87.32.1.1", "1.47.1.1", "10.0.0.5", "?"])),
            max_size=8,
        ),
        "accept_language_by_learner_day": st.lists(
            st.builds(_asked, users, moments, st.sampled_from(["de", "es"])),
            max_size=6,
            unique_by=lambda row: (row["user_id"], row["time"]),
        ),
        "grades_persistentcoursegrade": st.lists(
            st.builds(
                _grade,
                users,
                st.sampled_from("CDEF"),
                moments,
                st.none() | moments,
                st.sampled_from(["", "A"]),
            ),
            max_size=8,
        ),
    }
)


def known(world: World) -> World:
    """What facts hand over: nothing of the days after the last."""
    return {
        name: [row for row in rows if "date" not in row or row["date"] <= LAST_DAY]  # type: ignore[operator]
        for name, rows in world.items()
    }


def big_world() -> World:
    """Not as odd as drawn ones, but larger."""
    rng = Random(7)
    events = [event for event in enrollment.random_events(seed=7, courses=40) if event.time < UNTIL]
    courses = sorted({event.course for event in events})
    days = [Activity(rng.choice(courses), 1, date(2024, 3, rng.randint(1, 12)), "ACTIVE") for _ in range(300)]
    passed = datetime(2024, 3, 3)
    return {
        "enrollment_event": [event.fact() for event in set(events)],
        "interaction": [day.fact() for day in set(days)],
        "auth_userprofile": [
            _profile(1, "f", 1990, "b"), _profile(2, "", None, None), _profile(3, "m", 1990, "p"),
        ],
        "last_address_by_learner_day": [_seen(user, datetime(2024, 3, user), "87.32.1.1") for user in (1, 2)],
        "accept_language_by_learner_day": [_asked(1, passed, "es")],
        "user_api_userpreference": [{"user_id": 2, "key": "pref-lang", "value": "pt-br"}],
        "grades_persistentcoursegrade": [
            _grade(user, course, passed, passed, "A") for user in (1, 2) for course in courses
        ],
    }  # fmt: skip


def assert_what_always_holds(engine: Engine, world: World, seed: int | None = None) -> None:
    found = {table: computed(engine, table, UNTIL, world) for table in OF_LEARNERS}
    daily = {row[:2]: row[2:] for row in columns(found[DAILY], DAILY, "course_id", "date", *COUNTS)}
    for table, group in GROUPED.items():
        sums: dict[tuple[Any, ...], tuple[int, ...]] = {}
        for course, day, _, *counts in columns(found[table], table, "course_id", "date", group, *COUNTS):
            sums[course, day] = tuple(map(sum, zip(sums.get((course, day), (0, 0)), counts, strict=True)))
        days = {key: row for key, row in daily.items() if table in EVERY_DAY or key[1] == LAST_DAY}
        assert sums == days, f"{table} adds up to the day"
    effective = columns(found[enrollment.EFFECTIVE], enrollment.EFFECTIVE, "course_id", "date", "count")
    enrolled = Counter[tuple[str, date]]()
    for course, day, count in effective:
        enrolled[course, day] += count
    assert +enrolled == Counter({key: count for key, (count, _) in daily.items() if count})
    flows = columns(found[enrollment.FLOW], enrollment.FLOW, "course_id", "date", "joined", "left")
    assert all(joined or left for _, _, joined, left in flows)
    for (course, day), (count, _) in daily.items():
        moved = sum(joined - left for at, when, joined, left in flows if at == course and when <= day)
        assert moved == count, "who joined and did not leave is enrolled"
    for table in LANGUAGES:
        languages = Counter[str]()
        for course, count in columns(found[table], table, "course_id", "count"):
            languages[course] += count
        assert languages == +Counter(
            {course: count for (course, day), (count, _) in daily.items() if day == LAST_DAY}
        )
    active = Counter(
        row[0]
        for row in columns(
            found[enrollment.LEARNERS], enrollment.LEARNERS, "course_id", "current_enrollment_is_active"
        )
        if row[1]
    )
    assert active == +Counter(
        {course: count for (course, day), (count, _) in daily.items() if day == LAST_DAY}
    )
    assert_days_are_whole(world, daily)
    ever = columns(
        found[enrollment.EFFECTIVE], enrollment.EFFECTIVE, "course_id", "mode", "date", "cumulative_count"
    )
    for _, rows in groupby(sorted(ever), key=lambda row: row[:2]):
        counts = [row[3] for row in rows]
        assert counts == sorted(counts), "nobody who was ever in a mode is forgotten"
    if seed is not None:
        assert_order_and_repetition_are_nothing(engine, world, found, seed)


def assert_days_are_whole(world: World, daily: dict[tuple[Any, ...], tuple[Any, ...]]) -> None:
    """Every day from the first event on; nobody is forgotten."""
    for course, rows in groupby(sorted(daily.items()), key=lambda row: row[0][0]):
        keys, counts = zip(*rows, strict=True)
        first: Any = min(event["date"] for event in world["enrollment_event"] if event["course_id"] == course)  # type: ignore[type-var]
        assert [day for _, day in keys] == [
            first + timedelta(days=n) for n in range((LAST_DAY - first).days + 1)
        ]
        ever = [cumulative for _, cumulative in counts]
        assert ever == sorted(ever), "the cumulative count never falls"
        assert all(0 <= count <= cumulative for count, cumulative in counts)


def assert_order_and_repetition_are_nothing(
    engine: Engine, world: World, found: dict[str, Any], seed: int
) -> None:
    other: World = {}
    for name, rows in world.items():
        # A snapshot holds each row once; facts may come to metrics in pieces and more than once.
        other[name] = rows * 2 if name in FACTS else list(rows)
        Random(seed).shuffle(other[name])
    for table in OF_LEARNERS:
        assert computed(engine, table, UNTIL, other) == found[table], table


@of_all_tables
@given(world=worlds, seed=st.integers())
def test_what_always_holds(embedded: Engine, world: World, seed: int) -> None:
    assert_what_always_holds(embedded, known(world), seed)


def test_what_always_holds_in_a_large_world(engine: Engine) -> None:
    assert_what_always_holds(engine, big_world())


@of_all_tables
@given(world=worlds, leaver=st.integers(0, 100))
def test_who_leaves_is_gone_at_once(embedded: Engine, world: World, leaver: int) -> None:
    """In the last moment of the last day: one fewer in each table of current counts, nobody fewer ever."""
    world = known(world)
    learners = computed(embedded, enrollment.LEARNERS, UNTIL, world)
    still = [row[:3] for row in learners if row[3]]
    if not still:
        return
    course, user, mode = still[leaver % len(still)]
    left = Enrollment(course, user, LAST, "deactivated", mode).fact()
    without = world | {"enrollment_event": [*world["enrollment_event"], left]}
    for table in (DAILY, BY_MODE, enrollment.EFFECTIVE, *GROUPED):
        before, after = (_sums(embedded, table, rows) for rows in (world, without))
        assert after.pop(course)[0] == before.pop(course)[0] - 1, table
        assert after == before, f"{table}: other courses"
    for table in (DAILY, *GROUPED):
        before, after = (_sums(embedded, table, rows) for rows in (world, without))
        assert after[course][1] == before[course][1], f"{table}: ever"


def _sums(engine: Engine, table: str, world: World) -> dict[str, tuple[int, int]]:
    """Of each course on the last day."""
    found: dict[str, tuple[int, int]] = {}
    for course, day, count, ever in columns(
        computed(engine, table, UNTIL, world), table, "course_id", "date", *COUNTS
    ):
        if day == LAST_DAY:
            now, total = found.get(course, (0, 0))
            found[course] = now + count, total + ever
    return found
