"""The scheduler: runs one program at a time, because all of them write to the same lake; earliest due first.

Its whole memory is in the Result Store, so it can be stopped and restarted at any moment.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from pharos.config import SchedulerSettings, Settings
from pharos.errors import Busy, PharosError
from pharos.lake.lake import LakeNotWritable
from pharos.result_store import data_problems, job_runs, store
from pharos.result_store.errors import ResultStoreError
from pharos.result_store.job_runs import JobRun
from pharos.scheduler import alerts, programs
from pharos.scheduler.cron import Turn, turn
from pharos.scheduler.incidents import Incidents
from pharos.scheduler.programs import Ended
from pharos.scheduler.tail import Tail
from pharos.telemetry.logs import write

log = logging.getLogger(__name__)
LOOK_S = 15.0  # at least so often it looks what is due, how old the results are, and who is to be told
TAIL_HOURS = 24.0  # longest run of the live tail
TAIL_PATIENCE = 3  # its failures in a row before anybody is told
TAIL_STANDS_S = 3600.0  # without a successful look or run; without news it runs every 15 minutes
T = TypeVar("T")
STORE, STALE = (
    "Result Store",
    "old results",
)  # keys of incidents, besides jobs and problems of the data
DATA = "data, "  # begins the names of incidents that are problems of the data


def utc_now() -> datetime:
    """UTC, naive."""
    return datetime.now(UTC).replace(tzinfo=None)


def turns(
    settings: SchedulerSettings, last: Mapping[str, JobRun], since: datetime, now: datetime
) -> list[Turn]:
    """The next attempt at each job, the earliest first."""
    zone = ZoneInfo(settings.time_zone)
    found = [turn(name, job, zone, last.get(name), since, now) for name, job in settings.jobs.items()]
    return sorted(found, key=lambda turn: turn.at)


class Scheduler:
    """Runs due jobs until it is stopped."""

    def __init__(
        self,
        settings: Settings,
        program: Sequence[str],
        *,
        tail: bool = False,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """`program`: see `programs.pharos`. `tail`: follow the logs, too."""
        self._program, self._now, self._watches_logs = program, now, tail
        self._since, self._host = now(), ""
        self._stop, self._wake = asyncio.Event(), asyncio.Event()
        self._engine: sa.Engine | None = None
        self._opening = asyncio.Lock()
        self._tail: Tail | None = None
        self._wait_s = LOOK_S  # until something can be due
        self._incidents = Incidents(settings.home / "incidents.json")
        self.change(settings)

    def change(self, settings: Settings) -> None:
        """Use these settings from now on; a running program is not interrupted."""
        self._settings = settings
        self._channels = alerts.channels(settings.alerts)
        self._engine = None  # opened when it is needed; the address may be another
        every_s = settings.scheduler.tail_seconds
        if not (self._watches_logs and every_s and settings.logs.sources):
            self._tail = None
        elif self._tail is None:
            self._tail = Tail(every_s)
        else:
            self._tail.every_s = every_s
        self._wake.set()

    def stop(self) -> None:
        """End soon: a running program is ended, too, and run again after the next start."""
        self._stop.set()
        self._wake.set()

    async def run(self) -> None:
        """Run due jobs until `stop`. Raises Busy if another scheduler works in this home."""
        with _alone(self._settings.home / "scheduler.lock") as self._host:
            write(log, "scheduler started", jobs=", ".join(self._settings.scheduler.jobs) or "none")
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch())
                while not self._stop.is_set() and not await self._succeeds(self._recover):
                    await self._pause(LOOK_S)
                while not self._stop.is_set():
                    await self._succeeds(self._next)
                    await self._pause(self._wait_s)
                watching.cancel()
            write(log, "scheduler ended")

    # --- What is due -----------------------------------------------------------------------------------

    async def _recover(self) -> None:
        """Mark programs that were running when this home's last scheduler ended as lost."""
        lost = await self._asked(lambda engine: job_runs.lose(engine, self._host, self._now()))
        if lost:
            write(log, "programs lost", logging.WARNING, number=lost)

    async def _next(self) -> None:
        """Run the due job, or follow the logs; then set `_wait_s`, the seconds until the next work."""
        self._wait_s = LOOK_S
        latest = await self._asked(lambda engine: job_runs.latest(engine, self._now()))
        due = turns(self._settings.scheduler, latest, self._since, self._now())
        if due and due[0].at <= self._now():
            if await self._do(due[0], latest.get(due[0].job)):
                self._wait_s = 0
            return
        if self._tail is not None:
            if self._tail.wait_s == 0:
                await self._follow(self._tail)
            self._wait_s = min(self._wait_s, self._tail.wait_s)
        if due:
            self._wait_s = min(self._wait_s, max(0, (due[0].at - self._now()).total_seconds()))

    async def _do(self, due: Turn, last: JobRun | None) -> bool:
        """Run a job; False if this turn was taken by another scheduler, or run while the clock was ahead."""
        job = self._settings.scheduler.jobs[due.job]
        line = programs.command(self._program, job.run, job.arguments)
        ended = await self._attempt(due, line, job.longest_hours)
        about = f"job {due.job}"
        if ended is None:
            return False
        if ended.was_stopped or ended.exit_code == Busy.exit_code:
            return True
        if ended.exit_code == 0:
            self._incidents.end(about, f"Job {due.job} is done.")
        elif due.attempt > job.retries or _was_cut_short(last, due):
            text = f"Job {due.job} failed, also when tried again: {ended.message}"
            self._incidents.begin(about, text, self._now())
        return True

    async def _follow(self, tail: Tail) -> None:
        """Ingest the logs if they have grown."""
        try:
            seen = await asyncio.to_thread(tail.look, self._settings.logs.sources)
        except PharosError as error:
            self._tail_failed(tail, str(error))
            return
        if seen is None:
            return
        now = self._now()
        line = programs.command(self._program, "run", ["--skip-import"])
        ended = await self._attempt(Turn(Tail.NAME, now, 1, now), line, TAIL_HOURS)
        if ended is None or ended.was_stopped or ended.exit_code == Busy.exit_code:
            return
        if ended.exit_code == 0:
            tail.read(seen)
            self._incidents.end(Tail.NAME, "The live tail reads the logs again.")
        else:
            self._tail_failed(tail, ended.message)

    def _tail_failed(self, tail: Tail, why: str) -> None:
        tail.failed()
        write(log, "live tail failed", logging.ERROR, failures=tail.failures, why=why)
        if tail.failures >= TAIL_PATIENCE:
            self._incidents.begin(Tail.NAME, f"The live tail fails: {why}", self._now())

    async def _attempt(self, due: Turn, line: Sequence[str], longest_hours: float) -> Ended | None:
        """Run a program and record its outcome; None if another scheduler runs it."""
        started = self._now()
        number = await self._asked(
            lambda engine: job_runs.begin(
                engine, due.job, due=due.due, attempt=due.attempt, host=self._host, started=started
            )
        )
        if number is None:
            return None
        write(log, "job started", job=due.job, attempt=due.attempt, due=f"{due.due.isoformat()}Z")
        ended = await programs.run(line, stop=self._stop, longest_s=longest_hours * 3600)
        state, finished = _state(ended), self._now()
        facts: dict[str, object] = {"exit_code": ended.exit_code, "seconds": (finished - started).seconds}
        level = logging.ERROR if state == job_runs.FAILED else logging.INFO
        if ended.message:
            facts["why"] = ended.message
        write(log, "job ended", level, job=due.job, state=state, **facts)
        while not await self._succeeds(
            lambda: self._asked(
                lambda engine: job_runs.end(
                    engine, number, finished=finished, state=state,
                    exit_code=ended.exit_code, message=ended.message, counts=ended.counts,
                )
            )
        ):  # fmt: skip
            if self._stop.is_set():
                break  # it counts as lost after the next start
            await self._pause(LOOK_S)
        return ended

    # --- What is wrong ---------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Watch the age of results and send alerts, also while programs run."""
        while True:
            await self._succeeds(self._look_at_results)
            await self._succeeds(self._look_at_data)
            self._look_at_tail()
            self._forget_what_nobody_watches()
            await self._incidents.tell(self._channels)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._incidents.news.wait(), LOOK_S)
            self._incidents.news.clear()

    async def _look_at_results(self) -> None:
        hours = self._settings.alerts.stale_hours
        published = await self._asked(store.published)
        if hours is None or not published:
            return
        until = min(publication.until for publication in published.values())
        if self._now() - until > timedelta(hours=hours):
            text = (
                f"The results describe the time before {until:%Y-%m-%d %H:%M} UTC, over {hours:g} hours ago."
            )
            self._incidents.begin(STALE, text, self._now())
        else:
            self._incidents.end(STALE, f"The results are of before {until:%Y-%m-%d %H:%M} UTC.")

    async def _look_at_data(self) -> None:
        """Check problems of the last run, and log sources that have been silent since."""
        found, sources = await self._asked(data_problems.read)
        found += data_problems.silent(sources, self._settings.alerts.silent_hours, self._now())
        known = {f"{DATA}{problem.name}": problem.text for problem in found}
        for about, text in known.items():
            self._incidents.begin(about, text, self._now(), again=True)
        for about in set(self._incidents.all) - set(known):
            if about.startswith(DATA):
                self._incidents.end(about, "This is no longer so.")

    def _look_at_tail(self) -> None:
        """Check for a tail that neither reads nor fails: it hangs, or something else holds the lake."""
        if self._tail is not None and self._tail.standing_s > TAIL_STANDS_S:
            hours = self._tail.standing_s / 3600
            text = f"The live tail has read nothing for {hours:.0f} h: another run is under way, or it hangs."
            self._incidents.begin(Tail.NAME, text, self._now())

    def _forget_what_nobody_watches(self) -> None:
        """End incidents about jobs and limits that were removed from the settings: they could not end
        otherwise.
        """
        watched = {STORE, *(f"job {name}" for name in self._settings.scheduler.jobs)}
        watched |= {Tail.NAME} if self._tail is not None else set()
        watched |= {STALE} if self._settings.alerts.stale_hours is not None else set()
        for about in set(self._incidents.all) - watched:
            if about.startswith(DATA):
                continue
            self._incidents.end(about, "It is no longer watched.")

    # --- What these need -------------------------------------------------------------------------------

    async def _asked(self, question: Callable[[sa.Engine], T]) -> T:
        """The result of a call to the Result Store. Raises ResultStoreError."""
        async with self._opening:  # migrations may run in one thread only
            if self._engine is None:
                self._engine = await asyncio.to_thread(_store, self._settings.store_url)
            engine = self._engine
        return await asyncio.to_thread(question, engine)

    async def _succeeds(self, step: Callable[[], Awaitable[object]]) -> bool:
        """Call `do`; False after a temporary failure, of which an alert is sent."""
        try:
            await step()
        except ResultStoreError as error:
            self._incidents.begin(STORE, str(error), self._now())
            return False
        except PharosError as error:
            log.error("%s", error)  # noqa: TRY400 - the message says it all
            return False
        self._incidents.end(STORE, "The Result Store answers again.")
        return True

    async def _pause(self, seconds: float) -> None:
        """Wait; ends early on new settings or on stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        self._wake.clear()


def _was_cut_short(last: JobRun | None, due: Turn) -> bool:
    """True if the job failed at its previous time and the next time came before all retries were used."""
    return last is not None and last.state == job_runs.FAILED and last.due < due.due


def _store(url: str) -> sa.Engine:
    """The store, upgraded or created if necessary."""
    try:
        return store.connect(url)
    except ResultStoreError:
        store.upgrade(url)
        return store.connect(url)


def _state(ended: Ended) -> str:
    if ended.was_stopped:
        return job_runs.STOPPED
    states = {0: job_runs.DONE, Busy.exit_code: job_runs.BUSY}
    return states.get(ended.exit_code, job_runs.FAILED)


@contextmanager
def _alone(path: Path) -> Iterator[str]:
    """Be the only scheduler of this home; gives its name, which stays the same. Raises Busy, LakeNotWritable.

    The name is per home, not per host: a home can move between hosts.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LakeNotWritable(str(path), error.strerror or str(error)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        name = os.pread(descriptor, 255, 0).decode() or f"{socket.gethostname()}-{secrets.token_hex(3)}"
        os.pwrite(descriptor, name.encode(), 0)
    except BlockingIOError:
        raise Busy(f"{path}: another scheduler works in this home; this one did nothing") from None
    except OSError as error:
        raise LakeNotWritable(str(path), error.strerror or str(error)) from error
    else:
        yield name
    finally:
        os.close(descriptor)
