"""Writes and reads the scheduler's record of job runs in the Result Store.

Times are UTC and naive. When a job runs is decided by `pharos.scheduler`, not here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from pharos.result_store.connecting import translated
from pharos.result_store.tables import job_runs

TOLERANCE = timedelta(minutes=5)  # between the clocks of hosts that share a store
KEPT = 500  # runs of a job; older ones are forgotten
RUNNING, DONE, FAILED, BUSY, STOPPED, LOST = "running", "done", "failed", "busy", "stopped", "lost"


@dataclass(frozen=True, kw_only=True)
class JobRun:
    """One attempt at a job."""

    id: int
    job: str
    due: datetime
    attempt: int
    host: str
    started: datetime
    finished: datetime | None
    state: str
    exit_code: int | None
    message: str
    counts: dict[str, Any]


def begin(
    engine: sa.Engine, job: str, *, due: datetime, attempt: int, host: str, started: datetime
) -> int | None:
    """Record the beginning of an attempt; return its number, or None if another scheduler has begun it.

    Raises ResultStoreError.
    """
    row = {"job": job, "due": due, "attempt": attempt, "host": host, "started": started}
    row |= {"state": RUNNING, "message": "", "counts": "{}"}
    with translated(engine) as connection:
        try:
            with connection.begin():
                key = connection.execute(sa.insert(job_runs).values(**row)).inserted_primary_key
        except sa.exc.IntegrityError:
            return None
    assert key is not None  # noqa: S101 - for the type checker: a table with a key
    return int(key[0])


def end(
    engine: sa.Engine,
    number: int,
    *,
    finished: datetime,
    state: str,
    exit_code: int | None,
    message: str = "",
    counts: Mapping[str, object] | None = None,
) -> None:
    """Record the end of an attempt, and delete old records. Raises ResultStoreError."""
    this = job_runs.c.id == number
    with translated(engine) as connection, connection.begin():
        connection.execute(
            sa.update(job_runs)
            .where(this)
            .values(
                finished=finished,
                state=state,
                exit_code=exit_code,
                message=message,
                counts=json.dumps(counts or {}, default=str),
            )
        )
        job = connection.scalar(sa.select(job_runs.c.job).where(this))
        of_job = sa.select(job_runs.c.id).where(job_runs.c.job == job)
        oldest = connection.scalar(of_job.order_by(job_runs.c.id.desc()).offset(KEPT).limit(1))
        if oldest is not None:
            connection.execute(sa.delete(job_runs).where(job_runs.c.job == job, job_runs.c.id <= int(oldest)))


def lose(engine: sa.Engine, host: str, now: datetime) -> int:
    """Mark jobs recorded as running on this host as lost: their scheduler ended first. Return their number.

    Raises ResultStoreError.
    """
    found = (job_runs.c.host == host) & (job_runs.c.state == RUNNING)
    message = "the scheduler ended while it ran"
    with translated(engine) as connection, connection.begin():
        changed = connection.execute(
            sa.update(job_runs).where(found).values(state=LOST, finished=now, message=message)
        )
    return changed.rowcount


def latest(engine: sa.Engine, now: datetime) -> dict[str, JobRun]:
    """The newest attempt of each job by its start; `now` is UTC, naive. Raises ResultStoreError.

    An attempt with a start in the future was begun while the clock ran ahead; it is ignored until then.
    """
    started = sa.func.max(job_runs.c.started).label("started")
    newest = (
        sa.select(job_runs.c.job, started)
        .where(job_runs.c.started <= now + TOLERANCE)
        .group_by(job_runs.c.job)
        .subquery()
    )
    is_newest = (job_runs.c.job == newest.c.job) & (job_runs.c.started == newest.c.started)
    found = _read(engine, sa.select(job_runs).join(newest, is_newest).order_by(job_runs.c.id))
    return {run.job: run for run in found}


def latest_done(engine: sa.Engine) -> dict[str, JobRun]:
    """The newest successful attempt of each job. Raises ResultStoreError."""
    newest = sa.select(sa.func.max(job_runs.c.id)).where(job_runs.c.state == DONE).group_by(job_runs.c.job)
    return {run.job: run for run in _read(engine, sa.select(job_runs).where(job_runs.c.id.in_(newest)))}


def history(engine: sa.Engine, limit: int) -> list[JobRun]:
    """The newest attempts of all jobs, newest first. Raises ResultStoreError."""
    return _read(engine, sa.select(job_runs).order_by(job_runs.c.id.desc()).limit(limit))


def _read(engine: sa.Engine, statement: sa.Select[Any]) -> list[JobRun]:
    with translated(engine) as connection:
        rows = connection.execute(statement).mappings().all()
    return [JobRun(**{**row, "counts": json.loads(row["counts"])}) for row in rows]
