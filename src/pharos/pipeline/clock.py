"""Checks that this machine's clock is plausible before a run describes "the time until now".

A clock that is set back, as after a start without a battery, would empty every table; one that runs ahead
would fill tables with days in the future. The clock is compared with the times of everything written before,
the time for which the machine has been running since, and the clock of the Result Store's server.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from pharos.errors import PharosError
from pharos.lake.lake import Lake
from pharos.lake.safely import write_atomically

TOLERANCE = timedelta(minutes=5)  # hosts that share a lake or a store differ by seconds
FAR = timedelta(days=1)  # further ahead than this cannot be a correction
NAME = "clock.json"
_UPTIME, _BOOT, _FIRST_PROCESS = (
    Path("/proc/uptime"),
    Path("/proc/sys/kernel/random/boot_id"),
    Path("/proc/1/stat"),
)
_STARTED = 19  # field of a process's start after its name, see proc(5)


class ClockWrong(PharosError):
    """The clock's time contradicts earlier records."""

    def __init__(self, now: datetime, why: str) -> None:
        super().__init__(now, why)
        self.now, self.why = now, why

    def __str__(self) -> str:
        return (
            f"The clock of this machine says {_text(self.now)}, but {self.why}. Nothing was read, computed "
            "or published. Set the clock right (`timedatectl`, or the clock of the host) and run again. If "
            "it is right and was wrong before, confirm it once: pharos run --until MOMENT, in UTC"
        )


class Seen(Struct, kw_only=True, frozen=True):
    """The clock at the last `believe`."""

    at: datetime
    boot: str = ""
    """Names the start of the machine or container; empty where the system does not tell."""
    uptime_s: float = 0
    """Seconds since the machine's start."""


def check(
    lake: Lake, now: datetime, *, published: Iterable[datetime | None] = (), server: datetime | None = None
) -> None:
    """Raise ClockWrong if the clock contradicts earlier records. All times are UTC, naive.

    `published`: times at which the tables of the Result Store were published. `server`: time of the database
    server's clock; None if the database has no clock of its own. Recorded times that are far later than the
    last `believe` do not count: by `believe` a person declares that an earlier clock was wrong.
    """
    if server is not None and abs(now - server) > FAR:
        raise ClockWrong(now, f"the clock of the Result Store's server says {_text(server)}")
    seen = _seen(lake)
    written = [("the lake was written", lake.state.at), *(("results were published", at) for at in published)]
    if seen is not None:  # far later records came from a wrong clock
        written = [(what, at) for what, at in written if at is not None and at - seen.at < FAR]
        written.append(("the last run was", seen.at))
    for what, at in written:
        if at is not None and now < at - TOLERANCE:
            raise ClockWrong(now, f"{what} at {_text(at)}")
    boot, uptime_s = _running()
    if server is None and seen is not None and boot and boot == seen.boot and uptime_s >= seen.uptime_s:
        expected = seen.at + timedelta(seconds=uptime_s - seen.uptime_s)
        if now - expected > FAR:
            raise ClockWrong(
                now,
                f"the last run was at {_text(seen.at)}, and since then this machine has been running for "
                f"{timedelta(seconds=int(uptime_s - seen.uptime_s))} hours only",
            )


def believe(lake: Lake, now: datetime) -> None:
    """Record the clock's time (UTC, naive) as the reference for later runs; the lake must be locked."""
    boot, uptime_s = _running()
    write_atomically(
        lake.root / NAME, msgspec.json.encode(Seen(at=now, boot=boot, uptime_s=round(uptime_s, 2)))
    )


def _seen(lake: Lake) -> Seen | None:
    try:
        return msgspec.json.decode((lake.root / NAME).read_bytes(), type=Seen)
    except (OSError, msgspec.MsgspecError):  # a damaged one is as good as none: the lake knows its commits
        return None


def _running() -> tuple[str, float]:
    """Id of the start of machine and container, and the machine's uptime in seconds; empty if unknown."""
    try:
        started = _FIRST_PROCESS.read_text().rsplit(")", 1)[1].split()[_STARTED]
        return f"{_BOOT.read_text().strip()} {started}", float(_UPTIME.read_text().split()[0])
    except (OSError, IndexError, ValueError):
        return "", 0


def _text(moment: object) -> str:
    return f"{str(moment)[:16]} UTC"  # a moment as `2026-03-01 09:00`
