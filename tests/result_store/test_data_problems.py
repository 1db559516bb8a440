"""Problems of the data and log sources, on each kind of Result Store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from pharos.result_store import data_problems, store, tables
from pharos.result_store.data_problems import DataProblem, LogSource

NOON = datetime(2031, 3, 1, 12)
SKEW = DataProblem(kind="clock skew", about="lms", text="ahead")
IMPORT = DataProblem(kind="LMS import", about="", text="no rights")


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    store.upgrade(store_url)
    engine = store.connect(store_url)
    yield engine
    engine.dispose()


def source(name: str, newest: datetime | None) -> LogSource:
    return LogSource(name=name, newest=newest, logs=2, lines=10, events=7, quarantined=3)


def since(engine: sa.Engine) -> dict[str, datetime]:
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tables.data_problems.c.kind, tables.data_problems.c.since)).all()
    return {row.kind: row.since for row in rows}


def test_what_a_run_has_found_takes_the_place_of_what_was_known(engine: sa.Engine) -> None:
    assert data_problems.read(engine) == ([], [])
    known = [source("cms", None), source("lms", NOON)]
    data_problems.record(engine, [SKEW, IMPORT], known, NOON)
    assert data_problems.read(engine) == ([IMPORT, SKEW], known)
    data_problems.record(engine, [IMPORT], known[:1], NOON + timedelta(hours=1))
    assert data_problems.read(engine) == ([IMPORT], known[:1])


def test_a_problem_that_lasts_keeps_its_beginning(engine: sa.Engine) -> None:
    data_problems.record(engine, [SKEW], [], NOON)
    data_problems.record(engine, [SKEW, IMPORT], [], NOON + timedelta(hours=1))
    assert since(engine) == {"clock skew": NOON, "LMS import": NOON + timedelta(hours=1)}


def test_a_name_of_any_length_is_kept_in_part(engine: sa.Engine) -> None:
    long = "ü" * 300
    data_problems.record(
        engine, [DataProblem(kind="no logs", about=long, text=long)], [source(long, NOON)], NOON
    )
    ((problem,), (kept,)) = data_problems.read(engine)
    assert problem.about == kept.name == long[: data_problems.NAME_CHARACTERS]


def test_a_source_is_silent_when_its_newest_event_is_too_old() -> None:
    """The age of each source counts by itself; a source that never had an event has no age."""
    old, fresh, empty = (
        source("old", NOON),
        source("fresh", NOON + timedelta(seconds=1)),
        source("empty", None),
    )
    later = NOON + timedelta(hours=48, seconds=1)
    (problem,) = data_problems.silent([old, fresh, empty], 48, later)
    assert (problem.kind, problem.about) == (data_problems.OLD_EVENTS, "old")
    assert "2031-03-01 12:00 UTC, over 48 hours ago" in problem.text
    assert data_problems.silent([old], None, later) == []
