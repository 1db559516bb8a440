"""Active learners by ISO week. `spec 01 §6.2, 6.3, §11.108-111`"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest
from tests.metrics import naive
from tests.metrics.conftest import Compute, columns, computed
from tests.metrics.naive import Activity

from pharos.engine import Engine
from pharos.metrics.activity import course_activity_site_week
from pharos.pipeline.graph import FACTS, METRICS
from pharos.pipeline.scope import Scope
from pharos.weeks import WeekStart

TABLE = "course_activity"
INTERACTION = FACTS["interaction"].schema.append(pa.field("date", pa.date32()))
KINDS = ("ACTIVE", "ATTEMPTED_PROBLEM", "PLAYED_VIDEO", "POSTED_FORUM")


def facts(rows: list[Activity]) -> dict[str, list[dict[str, object]]]:
    return {"interaction": [row.fact() for row in rows]}


def test_the_example(compute: Compute) -> None:
    """§6.3: end_date 2024-05-15"""
    rows = [
        Activity("C", user, date(2024, 5, day), label)
        for user, day, label in [
            (1, 6, "ACTIVE"), (1, 6, "PLAYED_VIDEO"), (1, 12, "ACTIVE"), (1, 12, "PLAYED_VIDEO"),
            (2, 8, "ACTIVE"), (2, 8, "ATTEMPTED_PROBLEM"), (3, 9, "ACTIVE"), (6, 13, "ACTIVE"),
            (6, 13, "PLAYED_VIDEO"),
        ]
    ]  # fmt: skip
    week = (datetime(2024, 5, 6), datetime(2024, 5, 13))
    found = compute(TABLE, datetime(2024, 5, 15), **facts(rows))
    assert columns(found, TABLE, "course_id", "interval_start", "interval_end", "label", "count") == [
        ("C", *week, "ACTIVE", 3),
        ("C", *week, "ATTEMPTED_PROBLEM", 1),
        ("C", *week, "PLAYED_VIDEO", 1),
    ]


@pytest.mark.parametrize(
    ("until", "current_week"),
    [
        (datetime(2024, 5, 15), date(2024, 5, 13)),  # a Wednesday
        (datetime(2024, 5, 13), date(2024, 5, 13)),  # a Monday: the week before has just ended
        (datetime(2024, 5, 12, 23, 59, 59, 999999), date(2024, 5, 6)),  # §11.110: not even on a Sunday
        (datetime(2014, 1, 1), date(2013, 12, 30)),
        (datetime(2012, 2, 29), date(2012, 2, 27)),
        (datetime(2021, 1, 3), date(2020, 12, 28)),  # ISO week 53
    ],
)
def test_where_the_current_week_begins(until: datetime, current_week: date) -> None:
    """§6.2, §11.108"""
    assert Scope(until).current_week == current_week


def test_weeks_are_those_of_iso(compute: Compute) -> None:
    """§11.109-111: Sunday belongs to the week before Monday; years and leap days do not matter."""
    days = {
        date(2019, 12, 29): date(2019, 12, 23),
        date(2019, 12, 30): date(2019, 12, 30),
        date(2020, 1, 5): date(2019, 12, 30),
        date(2020, 2, 29): date(2020, 2, 24),
        date(2020, 3, 1): date(2020, 2, 24),
        date(2021, 1, 3): date(2020, 12, 28),
        date(2024, 3, 3): date(2024, 2, 26),
        date(2024, 3, 4): date(2024, 3, 4),
    }
    rows = [Activity(str(day), 1, day, "ACTIVE") for day in days]
    found = columns(
        compute(TABLE, datetime(2024, 3, 11), **facts(rows)), TABLE, "course_id", "interval_start"
    )
    assert found == sorted(
        (str(day), datetime.combine(monday, datetime.min.time())) for day, monday in days.items()
    )


def test_the_week_is_shown_when_it_is_over(compute: Compute) -> None:
    """§11.110"""
    rows = [Activity("C", 1, date(2024, 5, 6), "ACTIVE"), Activity("C", 1, date(2024, 5, 12), "ACTIVE")]
    assert compute(TABLE, datetime(2024, 5, 12, 23, 59, 59, 999999), **facts(rows)) == []
    over = compute(TABLE, datetime(2024, 5, 13), **facts(rows))
    assert columns(over, TABLE, "interval_end", "count") == [(datetime(2024, 5, 13), 1)]


def test_the_week_so_far_is_kept_apart(compute: Compute) -> None:
    """§10.31: what is in neither table is after the last day, what is in both is nothing."""
    now = "course_activity_current_week"
    rows = [
        Activity("C", 1, date(2024, 5, 12), "ACTIVE"),
        Activity("C", 1, date(2024, 5, 13), "ACTIVE"),
        Activity("C", 1, date(2024, 5, 14), "ACTIVE"),
        Activity("C", 2, date(2024, 5, 14), "ACTIVE"),
        Activity("C", 2, date(2024, 5, 14), "PLAYED_VIDEO"),
    ]
    week = (datetime(2024, 5, 13), datetime(2024, 5, 20))
    found = compute(now, datetime(2024, 5, 14, 20), **facts(rows))
    assert columns(found, now, "course_id", "date", "interval_start", "interval_end", "label", "count") == [
        ("C", date(2024, 5, 14), *week, "ACTIVE", 2),
        ("C", date(2024, 5, 14), *week, "PLAYED_VIDEO", 1),
    ]
    assert len(compute(TABLE, datetime(2024, 5, 14, 20), **facts(rows))) == 1
    assert compute(now, datetime(2024, 5, 13), **facts(rows[:1])) == [], "the next week has not begun"
    assert compute(now, datetime(2024, 5, 14)) == []


@pytest.mark.parametrize(
    ("start", "until", "begin"),
    [
        ("sunday", datetime(2024, 5, 15), date(2024, 5, 12)),  # until the end of Tuesday
        ("saturday", datetime(2024, 5, 15), date(2024, 5, 11)),
        ("sunday", datetime(2024, 5, 12, 9), date(2024, 5, 12)),
        ("saturday", datetime(2024, 5, 10, 9), date(2024, 5, 4)),
        ("monday", datetime(2024, 5, 15), date(2024, 5, 13)),
    ],
)
def test_the_week_so_far_begins_on_the_sites_day(
    engine: Engine, start: WeekStart, until: datetime, begin: date
) -> None:
    """Learners of each day, one who is always there, two courses; counted a second time with sets."""
    now, scope = METRICS["course_activity_current_week"], Scope(until, week_start=start)
    first = date(2024, 4, 29)
    days = [first + timedelta(days=number) for number in range((scope.last_day - first).days + 1)]
    rows = [
        Activity(course, user, day, "ACTIVE")
        for number, day in enumerate(days, 1)
        for course, user in (("C", 0), ("C", number), ("D", number // 2))
    ]
    learners: dict[str, set[int]] = {}
    for row in rows:
        if row.day >= begin:
            learners.setdefault(row.course, set()).add(row.user)
    days_of_week = [row.fact() for row in rows if row.day >= scope.this_week]
    found = engine.fetch(
        now.function(engine.table(pa.Table.from_pylist(days_of_week, INTERACTION)), scope.first_weekday)
    ).to_pylist()
    assert {row["course_id"]: row["count"] for row in found} == {
        course: len(users) for course, users in learners.items()
    }
    assert {row["interval_start"].date() for row in found} == {begin}
    assert {row["interval_end"].date() for row in found} == {begin + timedelta(days=7)}


def test_no_activity_gives_no_rows(compute: Compute) -> None:
    assert compute(TABLE, datetime(2024, 5, 15)) == []


def random_activity(seed: int, rows: int) -> list[Activity]:
    rng = random.Random(seed)
    start = date(2023, 12, 1)
    return [
        Activity(
            rng.choice("ABC"),
            rng.randint(1, 9),
            start + timedelta(days=rng.randint(0, 60)),
            rng.choice(KINDS),
        )
        for _ in range(rows)
    ]


def assert_equals_naive(engine: Engine, rows: list[Activity], until: datetime) -> None:
    last_day = (until - timedelta(microseconds=1)).date()
    found = computed(engine, TABLE, until, facts([row for row in set(rows) if row.day <= last_day]))
    weeks = {
        (course, start.date(), label): count
        for course, start, label, count in columns(
            found, TABLE, "course_id", "interval_start", "label", "count"
        )
    }
    assert weeks == naive.weekly(rows, until)


def test_much_random_activity(engine: Engine) -> None:
    assert_equals_naive(engine, random_activity(1, 800), datetime(2024, 1, 20))


@pytest.mark.parametrize(("start", "weekday"), [("sunday", 6), ("saturday", 5)])
def test_weeks_of_a_site_begin_on_its_day(engine: Engine, start: WeekStart, weekday: int) -> None:
    """Every day of three weeks has a learner of its own and one who is always there."""
    first, until = date(2024, 4, 24), datetime(2024, 5, 15)
    days = [first + timedelta(days=number) for number in range((until.date() - first).days)]
    rows = [Activity("C", user, day, "ACTIVE") for number, day in enumerate(days, 1) for user in (0, number)]
    expected: dict[date, set[int]] = {}
    for row in rows:
        begin = row.day
        while begin.weekday() != weekday:
            begin -= timedelta(days=1)
        expected.setdefault(begin, set()).add(row.user)
    complete = {day: len(users) for day, users in expected.items() if day + timedelta(days=7) <= until.date()}
    site_week = Scope(until, week_start=start).site_week
    interactions = engine.table(pa.Table.from_pylist(facts(rows)["interaction"], INTERACTION))
    found = engine.fetch(course_activity_site_week.function(interactions, site_week)).to_pylist()
    assert {row["interval_start"].date(): row["count"] for row in found} == complete
    assert {row["interval_end"] - row["interval_start"] for row in found} == {timedelta(days=7)}


def test_a_site_with_weeks_of_iso_has_no_others(compute: Compute) -> None:
    rows = [Activity("C", 1, date(2024, 4, 6), "ACTIVE")]
    assert Scope(datetime(2024, 5, 15)).site_week is None
    assert compute("course_activity_site_week", datetime(2024, 5, 15), **facts(rows)) == []


@pytest.mark.parametrize(
    ("until", "start", "begins"),
    [
        (datetime(2024, 5, 15), "sunday", date(2024, 5, 12)),  # a Wednesday
        (datetime(2024, 5, 15), "saturday", date(2024, 5, 11)),
        (datetime(2024, 5, 12), "sunday", date(2024, 5, 12)),
        (datetime(2024, 5, 11, 23), "sunday", date(2024, 5, 5)),
        (datetime(2024, 5, 11), "saturday", date(2024, 5, 11)),
    ],
)
def test_where_the_sites_week_begins(until: datetime, start: WeekStart, begins: date) -> None:
    assert Scope(until, week_start=start).site_week == begins
