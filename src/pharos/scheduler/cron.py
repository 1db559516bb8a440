"""Computes due times of jobs: cron expressions in a time zone, catching up, retries. Pure functions.

The clock is a parameter. Moments are UTC and naive. Daylight saving follows Debian's cron: a time in the
skipped hour runs right after it, a time in the repeated hour runs once, `*` in minute or hour follows the
real time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from pharos.config import Job
from pharos.result_store.job_runs import BUSY, FAILED, LOST, STOPPED, JobRun

LONGEST_WAIT = timedelta(hours=6)  # between two attempts


@dataclass(frozen=True)
class Turn:
    """The next attempt at a job."""

    job: str
    due: datetime
    """When the schedule wants or wanted it."""
    attempt: int
    at: datetime
    """When to begin; in the past: now."""


def turn(name: str, job: Job, zone: ZoneInfo, last: JobRun | None, since: datetime, now: datetime) -> Turn:
    """The next attempt at a job, whose newest one is `last`.

    If several times passed while nothing could run, one run makes up for them, with the newest of them as its
    due time. A job that never ran waits for its first time after `since`. Recorded moments in the future (the
    clock was set back) are ignored.
    """
    newest = before(job.cron, zone, now)
    if last is not None and newest <= last.due and last.attempt <= job.retries:
        if last.state in {STOPPED, LOST}:
            return Turn(name, last.due, last.attempt + 1, now)
        if last.state in {FAILED, BUSY}:
            wait = min(timedelta(seconds=job.backoff_seconds) * 2 ** min(last.attempt - 1, 20), LONGEST_WAIT)
            ended = last.finished if last.finished and last.finished <= now else last.started
            return Turn(name, last.due, last.attempt + 1, ended + wait)
    if newest > (last.due if last is not None else min(since, now)):
        return Turn(name, newest, 1, newest)
    following = after(job.cron, zone, now)
    return Turn(name, following, 1, following)


def after(expression: str, zone: ZoneInfo, moment: datetime) -> datetime:
    """The first time of the expression after the moment."""
    return _naive(next(CronSim(expression, _local(moment, zone))))


def before(expression: str, zone: ZoneInfo, moment: datetime) -> datetime:
    """The last time of the expression at or before the moment."""
    second_after = moment.replace(microsecond=0) + timedelta(seconds=1)  # the library's own is exclusive
    return _naive(next(CronSim(expression, _local(second_after, zone), reverse=True)))


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone(zone)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
