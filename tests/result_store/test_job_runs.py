"""The history of the scheduler, on each kind of Result Store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from pharos.result_store import job_runs, store

NOON = datetime(2031, 3, 1, 12, 0, 0, 250_000)


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    store.upgrade(store_url)
    engine = store.connect(store_url)
    yield engine
    engine.dispose()


def begun(engine: sa.Engine, job: str, *, due: datetime = NOON, attempt: int = 1, host: str = "a") -> int:
    number = job_runs.begin(engine, job, due=due, attempt=attempt, host=host, started=due)
    assert number is not None
    return number


def test_an_attempt_is_written_down_from_begin_to_end(engine: sa.Engine) -> None:
    number = begun(engine, "daily")
    (running,) = job_runs.history(engine, 10)
    assert (running.state, running.finished, running.due) == (job_runs.RUNNING, None, NOON)
    later = NOON + timedelta(seconds=3)
    job_runs.end(
        engine, number, finished=later, state=job_runs.FAILED, exit_code=1, message="no room", counts={"n": 3}
    )
    assert job_runs.latest(engine, NOON)["daily"] == job_runs.JobRun(
        id=number, job="daily", due=NOON, attempt=1, host="a", started=NOON, finished=later,
        state="failed", exit_code=1, message="no room", counts={"n": 3},
    )  # fmt: skip
    assert job_runs.latest_done(engine) == {}


def test_of_two_schedulers_one_runs_what_is_due(engine: sa.Engine) -> None:
    begun(engine, "daily")
    assert job_runs.begin(engine, "daily", due=NOON, attempt=1, host="b", started=NOON) is None
    begun(engine, "daily", attempt=2, host="b")
    begun(engine, "Daily", host="b")


def test_what_ran_here_when_the_scheduler_ended_is_lost(engine: sa.Engine) -> None:
    begun(engine, "daily")
    begun(engine, "hourly", host="elsewhere")
    assert job_runs.lose(engine, "a", NOON) == 1
    states = {name: run.state for name, run in job_runs.latest(engine, NOON).items()}
    assert states == {"daily": job_runs.LOST, "hourly": job_runs.RUNNING}


def test_the_newest_attempt_is_the_one_that_started_last_of_those_that_are_not_ahead(
    engine: sa.Engine,
) -> None:
    for hours in (2, -3, 4000, -1):  # a clock that jumps
        begun(engine, "daily", due=NOON + timedelta(hours=hours))
    begun(engine, "other", due=NOON - timedelta(days=3650))
    begun(engine, "ahead", due=NOON + timedelta(days=3650))
    newest = {name: run.due for name, run in job_runs.latest(engine, NOON).items()}
    assert newest == {"daily": NOON - timedelta(hours=1), "other": NOON - timedelta(days=3650)}
    assert job_runs.latest(engine, NOON + timedelta(hours=3))["daily"].due == NOON + timedelta(hours=2)


def test_old_runs_are_forgotten(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_runs, "KEPT", 2)
    begun(engine, "other")
    for minute in range(4):
        number = begun(engine, "daily", due=NOON + timedelta(minutes=minute))
        job_runs.end(engine, number, finished=NOON, state=job_runs.DONE, exit_code=0)
    kept = [(run.job, run.due.minute) for run in job_runs.history(engine, 10)]
    assert kept == [("daily", 3), ("daily", 2), ("other", 0)]
    assert job_runs.latest_done(engine)["daily"].due.minute == 3
