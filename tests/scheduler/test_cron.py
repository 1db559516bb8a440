"""When a job is due, with invented clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharos.config import Job
from pharos.result_store import job_runs, store
from pharos.result_store.job_runs import JobRun
from pharos.scheduler.cron import LONGEST_WAIT, after, before, turn

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
DAILY = Job(cron="30 2 * * *", retries=2, backoff_seconds=60)
START = datetime(2026, 3, 1)


def local(moment: datetime) -> str:
    return moment.replace(tzinfo=UTC).astimezone(BERLIN).strftime("%d %H:%M %Z")


def run(state: str, due: datetime, *, attempt: int = 1, took: int = 0) -> JobRun:
    ended = None if state == "running" else due + timedelta(seconds=took)
    return JobRun(
        id=1, job="daily", due=due, attempt=attempt, host="a", started=due, finished=ended,
        state=state, exit_code=0, message="", counts={},
    )  # fmt: skip


def days(expression: str, moment: datetime, count: int) -> list[str]:
    found = []
    for _ in range(count):
        moment = after(expression, BERLIN, moment)
        found.append(local(moment))
    return found


def test_an_hour_that_is_skipped_is_made_up_for_right_after_it() -> None:
    assert days("30 2 * * *", datetime(2026, 3, 28, 1), 3) == [
        "28 02:30 CET",
        "29 03:00 CEST",
        "30 02:30 CEST",
    ]


def test_an_hour_that_is_repeated_counts_once() -> None:
    assert days("30 2 * * *", datetime(2026, 10, 24), 3) == ["24 02:30 CEST", "25 02:30 CEST", "26 02:30 CET"]


def test_every_hour_is_every_real_hour() -> None:
    assert days("0 * * * *", datetime(2026, 10, 24, 23, 30), 3) == [
        "25 02:00 CEST",
        "25 02:00 CET",
        "25 03:00 CET",
    ]


@given(
    moment=st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)),
    expression=st.sampled_from(
        ["30 2 * * *", "*/7 * * * *", "0 0 1 * *", "15 1,2,3 * * 0", "*/20 * * * * *"]
    ),
    zone=st.sampled_from([BERLIN, UTC_ZONE, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")]),
)
def test_nothing_lies_between_the_times_around_a_moment(
    moment: datetime, expression: str, zone: ZoneInfo
) -> None:
    last, following = before(expression, zone, moment), after(expression, zone, moment)
    assert last <= moment < following
    assert after(expression, zone, last) == following
    assert before(expression, zone, following) == following


def test_a_job_that_never_ran_waits_for_its_first_time() -> None:
    found = turn("daily", DAILY, UTC_ZONE, None, START, START)
    assert (found.due, found.at, found.attempt) == (datetime(2026, 3, 1, 2, 30), found.due, 1)
    assert turn("daily", DAILY, UTC_ZONE, None, START, START + timedelta(hours=3)).due == found.due


def test_days_without_the_scheduler_are_made_up_for_once() -> None:
    now = datetime(2026, 3, 9, 12)
    missed = turn("daily", DAILY, UTC_ZONE, run("done", datetime(2026, 3, 2, 2, 30)), now, now)
    assert (missed.due, missed.attempt) == (datetime(2026, 3, 9, 2, 30), 1)
    assert missed.at <= now
    then = turn("daily", DAILY, UTC_ZONE, run("done", missed.due), now, now)
    assert then.at == datetime(2026, 3, 10, 2, 30)


@pytest.mark.parametrize("state", ["failed", "busy"])
def test_retries_wait_longer_each_time_and_end(state: str) -> None:
    due, now = datetime(2026, 3, 2, 2, 30), datetime(2026, 3, 2, 3)
    first = turn("daily", DAILY, UTC_ZONE, run(state, due, took=5), START, now)
    assert (first.due, first.attempt, first.at) == (due, 2, due + timedelta(seconds=65))
    second = turn("daily", DAILY, UTC_ZONE, run(state, due, attempt=2), START, now)
    assert (second.attempt, second.at) == (3, due + timedelta(seconds=120))
    over = turn("daily", DAILY, UTC_ZONE, run(state, due, attempt=3), START, now)
    assert (over.due, over.attempt) == (datetime(2026, 3, 3, 2, 30), 1)


def test_no_wait_is_endless() -> None:
    patient = Job(cron="30 2 * * *", retries=1000)
    due = datetime(2026, 3, 2, 2, 30)
    found = turn("daily", patient, UTC_ZONE, run("failed", due, attempt=1000), START, due)
    assert found.at == due + LONGEST_WAIT


@pytest.mark.parametrize("state", ["stopped", "lost"])
def test_what_was_interrupted_goes_on_at_once(state: str) -> None:
    due, now = datetime(2026, 3, 2, 2, 30), datetime(2026, 3, 2, 3)
    found = turn("daily", DAILY, UTC_ZONE, run(state, due), now, now)
    assert (found.due, found.attempt, found.at) == (due, 2, now)


def test_the_next_time_ends_the_retries_of_the_one_before() -> None:
    found = turn(
        "daily", DAILY, UTC_ZONE, run("failed", datetime(2026, 3, 2, 2, 30)), START, datetime(2026, 3, 3, 4)
    )
    assert (found.due, found.attempt) == (datetime(2026, 3, 3, 2, 30), 1)


def test_what_another_scheduler_runs_is_not_run_again() -> None:
    due = datetime(2026, 3, 2, 2, 30)
    found = turn("daily", DAILY, UTC_ZONE, run("running", due), START, due + timedelta(hours=1))
    assert found.due == datetime(2026, 3, 3, 2, 30)


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HOURLY = Job(cron="0 * * * *", retries=1, backoff_seconds=60)


@pytest.mark.parametrize(
    "wrong", [-3650 * 24 * HOUR, 3 * 365 * 24 * HOUR, -3 * HOUR, 3 * HOUR, -20 * MINUTE, 20 * MINUTE]
)
@pytest.mark.parametrize("is_started_then", [True, False])
def test_a_clock_that_is_wrong_for_a_while_makes_no_job_missing_and_none_run_twice(
    tmp_path: Path, wrong: timedelta, is_started_then: bool
) -> None:
    """Wrong from 10:10 to 13:40: by years, which makes jobs fail, or by hours, which nobody sees."""
    store.upgrade(f"sqlite:///{tmp_path / 'store'}")
    engine = store.connect(f"sqlite:///{tmp_path / 'store'}")
    since, done = START, []
    begin, end = START + 10 * HOUR + 10 * MINUTE, START + 13 * HOUR + 40 * MINUTE
    for real in (START + number * 10 * MINUTE for number in range(24 * 6)):
        is_wrong = begin <= real < end
        now = real + wrong if is_wrong else real
        if is_started_then and real == begin:
            since = now
        found = turn("daily", HOURLY, UTC_ZONE, job_runs.latest(engine, now).get("daily"), since, now)
        number = None
        if found.at <= now:
            number = job_runs.begin(
                engine, "daily", due=found.due, attempt=found.attempt, host="a", started=now
            )
        if number is not None:
            fails = is_wrong and abs(wrong) > 24 * HOUR
            state = job_runs.FAILED if fails else job_runs.DONE
            job_runs.end(engine, number, finished=now + MINUTE, state=state, exit_code=int(fails))
            done += [] if fails else [found.due]
    engine.dispose()
    missed = (
        {11, 12} if abs(wrong) > HOUR else set()
    )  # times the clock passed over: one run makes up for them
    assert sorted(done) == [START + hour * HOUR for hour in range(1, 24) if hour not in missed]


def test_a_retry_does_not_wait_for_a_moment_of_a_clock_that_ran_ahead() -> None:
    due = datetime(2026, 3, 2, 2, 30)
    found = turn("daily", DAILY, UTC_ZONE, run("failed", due, took=10**8), START, due + HOUR)
    assert (found.attempt, found.at) == (2, due + MINUTE)
