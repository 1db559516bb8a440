"""All metrics against the naive implementation and what must hold for any input, over random input."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lines import KINDS
from tests.metrics import test_activity as activity
from tests.metrics import test_enrollment as enrollment
from tests.metrics.conftest import columns, computed
from tests.metrics.naive import Activity, Enrollment
from tests.metrics.test_enrollment import BY_MODE, DAILY, facts

from pharos.config import EngineSettings
from pharos.engine import Engine, open_engine

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


@thoroughly
@given(events=enrollments, seed=st.integers())
def test_what_always_holds(embedded: Engine, events: list[Enrollment], seed: int) -> None:
    """Modes add up to the day, nobody is forgotten, every day is there, order and repetition are nothing."""
    until = datetime(2024, 3, 13)
    by_mode = computed(embedded, BY_MODE, until, facts(events))
    daily = columns(
        computed(embedded, DAILY, until, facts(events)),
        DAILY,
        "course_id",
        "date",
        "count",
        "cumulative_count",
    )
    modes = columns(by_mode, BY_MODE, "course_id", "date", "count", "cumulative_count")
    sums = {
        key: tuple(map(sum, zip(*(row[2:] for row in rows), strict=True)))
        for key, rows in groupby(modes, key=lambda row: row[:2])
    }
    assert sums == {row[:2]: row[2:] for row in daily}
    for course, rows in groupby(daily, key=lambda row: row[0]):
        days, counts, cumulative = zip(*(row[1:] for row in rows), strict=True)
        first = min(event.time.date() for event in events if event.course == course)
        assert list(days) == [first + timedelta(days=n) for n in range((date(2024, 3, 13) - first).days)]
        assert list(cumulative) == sorted(cumulative)
        assert all(0 <= count <= ever for count, ever in zip(counts, cumulative, strict=True))
    shuffled = events * 2
    Random(seed).shuffle(shuffled)
    assert computed(embedded, BY_MODE, until, facts(shuffled)) == by_mode
