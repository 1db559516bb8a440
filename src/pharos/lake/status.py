"""The status of the lake: its content, missing parts, and the check that the sum of lines is right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby

from pharos.lake.damage import data_files, missing_or_cut
from pharos.lake.lake import SET_ASIDE, Lake
from pharos.lake.ledger import Log
from pharos.lake.schema import FIRST_DAY
from pharos.lake.verify import record


@dataclass(frozen=True, kw_only=True)
class Sum:
    """Counts of lines: events, duplicates, quarantined and blank."""

    lines: int
    events: int
    duplicates: int
    quarantined: dict[str, int]
    blank: int

    @property
    def closes(self) -> bool:
        """True if lines = events + duplicates + quarantined + blank."""
        return self.lines == self.events + self.duplicates + sum(self.quarantined.values()) + self.blank


@dataclass(frozen=True, kw_only=True)
class LogStatus:
    """The status of one log."""

    origin: str
    path: str  # its current name
    other_names: list[str]
    sum: Sum
    newest: datetime | None
    odd_course: int  # events whose context has a course id of no known form
    without_context: int  # events that name neither person nor course: the LMS wrote such until October 2013
    future: int  # events that were ahead of the clock by more than five minutes when they were read
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class SourceStatus:
    """The status of all logs of one configured source."""

    name: str
    logs: int
    sum: Sum
    newest: datetime | None
    lag_s: int | None  # from its newest event to now

    @classmethod
    def of(cls, name: str, logs: list[Log], now: datetime) -> SourceStatus:
        """`now` is UTC, naive."""
        newest = max((log.newest for log in logs if log.newest), default=None)
        lag_s = None if newest is None else int((now - newest).total_seconds())
        return cls(name=name, logs=len(logs), sum=_sum(logs), newest=newest, lag_s=lag_s)


@dataclass(frozen=True, kw_only=True)
class LakeStatus:
    """The status of the whole lake. Times are UTC, naive."""

    written: datetime | None  # when the lake changed last
    sum: Sum
    sources: list[SourceStatus]
    logs: list[LogStatus]
    unreadable: dict[str, str]  # files that gave nothing, and why
    days: int
    first_day: date | None
    last_day: date | None
    missing_days: list[date] = field(default_factory=list)  # between the first and the last that count
    implausible: int = 0  # events of days before `schema.FIRST_DAY`, which are not counted
    damaged: dict[str, str] = field(default_factory=dict)  # data file -> its damage
    lost: dict[date, int] = field(default_factory=dict)  # events that could not be restored
    set_aside: int = 0  # files that are no part of the lake, kept for a person to look at
    verified: datetime | None = None  # when `pharos lake verify` had read all files


def lake_status(lake: Lake, now: datetime) -> LakeStatus:
    """The status of the lake from its ledger; `now` (UTC, naive) is used only for the lag."""
    logs = sorted(lake.state.logs.values(), key=lambda log: (log.origin, log.names[-1]))
    days = sorted(day for day, files in lake.state.events.items() if files)
    verified = record(lake)
    damaged = {one.path: one.reason for one in verified.damaged}
    damaged |= {one.path: one.reason for one in missing_or_cut(lake.state, data_files(lake.place))}
    lost: Counter[date] = Counter()
    for loss in lake.state.lost:
        lost[loss.date] += loss.events
    return LakeStatus(
        written=lake.state.at,
        sum=_sum(logs),
        sources=[
            SourceStatus.of(origin, list(members), now)
            for origin, members in groupby(logs, key=lambda log: log.origin)
        ],
        logs=[_log_status(log) for log in logs],
        unreadable={
            path: file.problem
            for path, file in sorted(lake.state.files.items())
            if file.problem and file.log is None
        },
        days=len(days),
        first_day=days[0] if days else None,
        last_day=days[-1] if days else None,
        missing_days=_missing(days, lake.state.at),
        implausible=sum(file.rows for day in days if day < FIRST_DAY for file in lake.state.events[day]),
        damaged=dict(sorted(damaged.items())),
        lost=dict(sorted(lost.items())),
        set_aside=len(lake.place.sizes(SET_ASIDE)),
        verified=verified.ended,
    )


def _log_status(log: Log) -> LogStatus:
    return LogStatus(
        origin=log.origin, path=log.names[-1], other_names=log.names[:-1], sum=_sum([log]), newest=log.newest,
        odd_course=log.odd_course, without_context=log.without_context, future=log.future, problem=log.damage,
    )  # fmt: skip


def _sum(logs: list[Log]) -> Sum:
    quarantined: Counter[str] = Counter()
    for log in logs:
        quarantined.update(log.quarantined)
    return Sum(
        lines=sum(log.lines for log in logs),
        events=sum(log.events for log in logs),
        duplicates=sum(log.duplicates for log in logs),
        quarantined=dict(sorted(quarantined.items())),
        blank=sum(log.blank for log in logs),
    )


def _missing(days: list[date], written: datetime | None) -> list[date]:
    """Days without events between the first and the last day. Implausible days (too early, or in the future)
    are ignored.
    """
    plausible = [day for day in days if day >= FIRST_DAY and (written is None or day <= written.date())]
    known = set(plausible)
    span = (plausible[-1] - plausible[0]).days if plausible else 0
    return [day for offset in range(span) if (day := plausible[0] + timedelta(days=offset)) not in known]


def stretches(days: list[date]) -> str:
    """`2024-03-02, 2024-03-05 to 2024-03-09` for days in order."""
    stretches: list[list[date]] = []
    for day in days:
        if stretches and day - stretches[-1][-1] == timedelta(days=1):
            stretches[-1][1:] = [day]
        else:
            stretches.append([day])
    return ", ".join(" to ".join(map(str, stretch)) for stretch in stretches)
