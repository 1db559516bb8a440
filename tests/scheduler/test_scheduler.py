"""The scheduler at work: real programs, a real Result Store, a real mail server and webhook."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests import lines
from tests.lines import enrollment
from tests.scheduler.receivers import MailServer, Webhook

from pharos.config import Settings
from pharos.errors import Busy
from pharos.result_store import data_problems, job_runs, store, tables
from pharos.result_store.data_problems import DataProblem, LogSource
from pharos.result_store.job_runs import JobRun
from pharos.result_store.store import Publication
from pharos.scheduler import programs, scheduler
from pharos.scheduler.scheduler import Scheduler

YESTERDAY = scheduler.utc_now() - timedelta(days=1)
EVERY_SECOND = {"cron": "* * * * * *", "retries": 1, "backoff_seconds": 0}
RUNS_FILE = """import json, os, sys, time
code = open(sys.argv[1]).read().strip()
with open(sys.argv[1] + ".log", "a") as log: log.write(sys.argv[2] + "\\n")
if code == "sleep": time.sleep(600)
if code != "0": sys.stderr.write(json.dumps({"level": "error", "event": "no room"}) + "\\n")
sys.exit(int(code))"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "LOOK_S", 0.1)


class Place:
    """A home, its store, and a program that ends as its file says."""

    def __init__(self, folder: Path) -> None:
        self.home, self.code = folder / "home", folder / "code"
        self.code.write_text("0")
        self.store_url = f"sqlite:///{folder / 'result_store.sqlite'}"
        store.upgrade(self.store_url)
        self.engine = store.connect(self.store_url)
        (folder / "program.py").write_text(RUNS_FILE)
        self.program = [sys.executable, str(folder / "program.py"), str(self.code)]

    def settings(self, **sections: Any) -> Settings:
        return Settings(home=self.home, result_store={"url": self.store_url}, **sections)

    def ran(self, job: str, state: str, *, due: datetime = YESTERDAY, host: str = "another") -> None:
        """An attempt of earlier."""
        number = job_runs.begin(self.engine, job, due=due, attempt=1, host=host, started=due)
        assert number is not None
        if state != job_runs.RUNNING:
            job_runs.end(self.engine, number, finished=due, state=state, exit_code=0)

    def history(self, job: str) -> list[JobRun]:
        return [run for run in reversed(job_runs.history(self.engine, 100)) if run.job == job]

    def incidents(self) -> dict[str, Any]:
        """What somebody is still to be told of, or what is still wrong."""
        return dict(json.loads((self.home / "incidents.json").read_text()))

    def publish(self, until: datetime) -> None:
        rows = pa.table({"date": pa.array([until.date()]), "event_count": [1]})
        publication = Publication(fingerprint=str(until), until=until, last_event=None, version=1)
        store.publish(self.engine, tables.total_events_daily, rows, publication)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.engine.dispose()


@asynccontextmanager
async def working(ours: Scheduler) -> AsyncIterator[Scheduler]:
    task = asyncio.ensure_future(ours.run())
    try:
        yield ours
    finally:
        ours.stop()
        await task


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(120):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - it comes from another process
            await asyncio.sleep(0.05)


def test_a_missed_job_is_made_up_for_once_by_the_real_program(place: Place, tmp_path: Path) -> None:
    lines.write(tmp_path / "logs" / "tracking.log", [enrollment("2024-03-02 09:00", "activated", user=1)])
    place.home.mkdir()
    (place.home / "pharos.yaml").write_text(
        json.dumps(
            {
                "logs": {"sources": {"lms": {"paths": [str(tmp_path / "logs")]}}},
                "result_store": {"url": place.store_url},
            }
        )
    )
    place.ran("hourly", job_runs.DONE)

    async def act() -> None:
        settings = place.settings(scheduler={"jobs": {"hourly": {"cron": "0 0 * * *"}}})
        async with working(Scheduler(settings, programs.pharos(place.home, None))):
            await until(lambda: [run.finished is not None for run in place.history("hourly")] == [True, True])

    asyncio.run(act())
    _, run = place.history("hourly")
    assert (run.state, run.exit_code, run.message, run.attempt) == (job_runs.DONE, 0, "", 1)
    assert run.due > YESTERDAY
    assert (run.counts["events"], run.counts["lines"]) == (1, 1)
    assert run.counts["published"] > 5
    assert store.published(place.engine)["course_enrollment_daily"].row_count > 700


def test_a_failing_job_is_told_once_and_once_when_it_is_well(
    place: Place, mail: MailServer, webhook: Webhook
) -> None:
    place.code.write_text("1")
    settings = place.settings(
        scheduler={"jobs": {"daily": EVERY_SECOND}},
        alerts={"email_to": ["a@example.org"], "smtp": mail.url, "webhook": webhook.url},
    )

    async def act() -> None:
        async with working(Scheduler(settings, place.program)):
            await until(lambda: mail.messages and webhook.posted and len(place.history("daily")) >= 5)
            assert len(mail.messages) == len(webhook.posted) == 1
            place.code.write_text("0")
            await until(lambda: len(webhook.posted) == 2 and place.incidents() == {})
            assert len(mail.messages) == 2

    asyncio.run(act())
    problem, recovery = webhook.posted
    assert (problem["event"], problem["key"], recovery["event"]) == ("problem", "job daily", "recovery")
    assert problem["text"] == "Job daily failed, also when tried again: no room"
    first, second, third, *_ = place.history("daily")
    assert (first.attempt, second.attempt, third.attempt) == (1, 2, 1)
    assert first.due == second.due < third.due
    assert first.message == "no room"


def test_a_job_that_is_due_again_before_its_retries_is_told_too(place: Place, webhook: Webhook) -> None:
    place.code.write_text("1")
    seldom_tried_again = EVERY_SECOND | {"retries": 3, "backoff_seconds": 600}
    settings = place.settings(
        scheduler={"jobs": {"daily": seldom_tried_again}}, alerts={"webhook": webhook.url}
    )

    async def act() -> None:
        async with working(Scheduler(settings, place.program)):
            await until(lambda: webhook.posted)

    asyncio.run(act())
    first, second, *_ = place.history("daily")
    assert (first.attempt, second.attempt) == (1, 1)
    assert webhook.posted[0]["key"] == "job daily"


def test_a_lake_that_is_busy_is_no_failure(place: Place, webhook: Webhook) -> None:
    place.code.write_text("75")
    settings = place.settings(scheduler={"jobs": {"daily": EVERY_SECOND}}, alerts={"webhook": webhook.url})

    async def act() -> None:
        async with working(Scheduler(settings, place.program)):
            await until(lambda: len(place.history("daily")) >= 5)

    asyncio.run(act())
    assert {run.state for run in place.history("daily")[:4]} == {job_runs.BUSY}  # the last may be stopped
    assert webhook.posted == []


def test_what_is_under_way_at_the_end_is_done_after_the_next_start(place: Place) -> None:
    place.code.write_text("sleep")
    place.ran("daily", job_runs.DONE)
    settings = place.settings(scheduler={"jobs": {"daily": {"cron": "0 0 * * *"}}})

    async def begin() -> None:
        async with working(Scheduler(settings, place.program)):
            await until(lambda: Path(f"{place.code}.log").exists())

    async def go_on() -> None:
        async with working(Scheduler(settings, place.program)):
            await until(lambda: place.history("daily")[-1].state == job_runs.DONE)

    asyncio.run(begin())
    assert place.history("daily")[-1].state == job_runs.STOPPED
    place.code.write_text("0")
    asyncio.run(go_on())
    _, stopped, done = place.history("daily")
    assert (done.due, done.attempt) == (stopped.due, 2)


def test_what_ran_when_the_machine_went_down_is_done_after_the_start(place: Place) -> None:
    due = datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    place.home.mkdir()
    (place.home / "scheduler.lock").write_text("lake-1-abc")
    place.ran("daily", job_runs.RUNNING, due=due, host="lake-1-abc")
    settings = place.settings(scheduler={"jobs": {"daily": {"cron": "0 0 * * *"}}})

    async def act() -> None:
        async with working(Scheduler(settings, place.program)):
            await until(lambda: place.history("daily")[-1].state == job_runs.DONE)

    asyncio.run(act())
    assert place.history("daily")[0].state == job_runs.LOST


def test_other_settings_count_at_once(place: Place) -> None:
    async def act() -> None:
        async with working(Scheduler(place.settings(), place.program)) as ours:
            ours.change(place.settings(scheduler={"jobs": {"new": {**EVERY_SECOND, "run": "ingest"}}}))
            await until(lambda: [run for run in place.history("new") if run.state == job_runs.DONE])

    asyncio.run(act())
    assert "ingest" in Path(f"{place.code}.log").read_text()


def test_two_schedulers_run_a_job_once(place: Place) -> None:
    place.ran("daily", job_runs.DONE)
    jobs = {"jobs": {"daily": {"cron": "0 0 * * *"}}}
    first = place.settings(scheduler=jobs)
    second = first.model_copy(update={"home": place.home.with_name("other")})

    async def act() -> None:
        async with (
            working(Scheduler(first, place.program)),
            working(Scheduler(second, place.program)),
        ):
            await until(lambda: [run for run in place.history("daily")[1:] if run.finished])
            await asyncio.sleep(0.5)

    asyncio.run(act())
    assert len(place.history("daily")) == 2
    assert Path(f"{place.code}.log").read_text().splitlines() == ["run"]


def test_a_home_has_one_scheduler(place: Place) -> None:
    async def act() -> None:
        async with working(Scheduler(place.settings(), place.program)):
            await until((place.home / "scheduler.lock").exists)
            with pytest.raises(Busy):
                await Scheduler(place.settings(), place.program).run()

    asyncio.run(act())


def test_old_results_are_told_once_and_once_when_they_are_new(place: Place, webhook: Webhook) -> None:
    place.publish(scheduler.utc_now() - timedelta(hours=30))
    settings = place.settings(alerts={"webhook": webhook.url, "stale_hours": 26})

    async def act() -> None:
        async with working(Scheduler(settings, place.program)):
            await until(lambda: webhook.posted)
            await asyncio.sleep(0.5)
            place.publish(scheduler.utc_now())
            await until(lambda: len(webhook.posted) > 1)

    asyncio.run(act())
    assert [(alert["event"], alert["key"]) for alert in webhook.posted] == [
        ("problem", "old results"),
        ("recovery", "old results"),
    ]
    assert "over 26 hours ago" in webhook.posted[0]["text"]


def test_a_store_that_is_away_is_told_and_stops_nothing(
    place: Place, webhook: Webhook, tmp_path: Path
) -> None:
    away = tmp_path / "away.sqlite"
    away.write_text("this is no database" * 100)
    place.store_url = f"sqlite:///{away}"
    broken = place.settings(alerts={"webhook": webhook.url})

    async def act() -> None:
        async with working(Scheduler(broken, place.program)):
            await until(lambda: webhook.posted)
            away.unlink()
            await until(lambda: len(webhook.posted) > 1)

    asyncio.run(act())
    assert [(alert["event"], alert["key"]) for alert in webhook.posted] == [
        ("problem", "Result Store"),
        ("recovery", "Result Store"),
    ]


def test_the_live_tail_reads_what_a_log_grows_by(place: Place, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "tracking.log"
    lines.write(log, [enrollment("2024-03-02 09:00", "activated", user=1)])
    settings = place.settings(
        logs={"sources": {"lms": {"paths": [str(log.parent)]}}}, scheduler={"tail_seconds": 0.1}
    )

    async def act() -> None:
        async with working(Scheduler(settings, place.program, tail=True)):
            await until(lambda: place.history("live tail") and place.history("live tail")[-1].finished)
            await asyncio.sleep(0.5)
            assert len(place.history("live tail")) == 1
            with log.open("a") as file:
                file.write("more\n")
            await until(lambda: len(place.history("live tail")) == 2)

    asyncio.run(act())


def test_a_failing_tail_is_told_after_some_patience(place: Place, tmp_path: Path, webhook: Webhook) -> None:
    settings = place.settings(
        logs={"sources": {"lms": {"paths": [str(tmp_path / "gone")]}}},
        scheduler={"tail_seconds": 0.02},
        alerts={"webhook": webhook.url},
    )

    async def act() -> None:
        async with working(Scheduler(settings, place.program, tail=True)):
            await until(lambda: webhook.posted)
            (tmp_path / "gone").mkdir()
            await until(lambda: len(webhook.posted) > 1)

    asyncio.run(act())
    assert [(alert["event"], alert["key"]) for alert in webhook.posted] == [
        ("problem", "live tail"),
        ("recovery", "live tail"),
    ]


def test_a_tail_that_stands_still_is_told_while_it_does(
    place: Place, tmp_path: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run neither ends nor fails."""
    monkeypatch.setattr(scheduler, "TAIL_STANDS_S", 0.5)
    place.code.write_text("sleep")
    lines.write(tmp_path / "logs" / "tracking.log", [enrollment("2024-03-02 09:00", "activated", user=1)])
    settings = place.settings(
        logs={"sources": {"lms": {"paths": [str(tmp_path / "logs")]}}},
        scheduler={"tail_seconds": 0.1},
        alerts={"webhook": webhook.url},
    )

    async def act() -> None:
        async with working(Scheduler(settings, place.program, tail=True)):
            await until(lambda: webhook.posted)

    asyncio.run(act())
    assert webhook.posted[0]["key"] == "live tail"
    assert "has read nothing" in webhook.posted[0]["text"]


def test_problems_of_the_data_are_told_and_their_end_and_what_is_new_about_them(
    place: Place, webhook: Webhook
) -> None:
    """What a run found, and a log source that went silent since, though no run failed."""
    settings = place.settings(alerts={"webhook": webhook.url, "silent_hours": 2})
    lms = LogSource(name="lms", newest=YESTERDAY, logs=1, lines=1, events=1, quarantined=0)

    def found(sources: list[LogSource], *texts: str) -> None:
        problems = [DataProblem(kind="missing days", about="", text=text) for text in texts]
        data_problems.record(place.engine, problems, sources, YESTERDAY)

    async def act() -> None:
        found([lms], "2 March")
        async with working(Scheduler(settings, place.program)):
            await until(lambda: len(webhook.posted) == 2)
            found([], "2 March, 9 March")
            await until(lambda: len(webhook.posted) == 4)
            found([])
            await until(lambda: len(webhook.posted) == 5)

    asyncio.run(act())
    told = [(alert["event"], alert["key"], alert["text"]) for alert in webhook.posted]
    assert ("problem", "data, missing days", "2 March") in told[:2]
    assert ("problem", "data, old events: lms") in [alert[:2] for alert in told[:2]]
    assert {told[2][:2], told[3][:2]} == {
        ("problem", "data, missing days"),
        ("recovery", "data, old events: lms"),
    }
    assert told[4][:2] == ("recovery", "data, missing days")
