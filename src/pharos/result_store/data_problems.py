"""Problems of the data that fail no run, and the progress of each log source, as found by the last run.

Runs write them into the Result Store; the scheduler (alerts) and the Data API (health, metrics) read them.
Times are UTC and naive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from pharos.result_store.connecting import translated
from pharos.result_store.tables import data_problems, log_sources

NAME_CHARACTERS = 200  # kept of a source's name; MySQL allows no longer key beside the kind

OLD_EVENTS = "old events"
ALTERED, NOT_PUBLISHED = "altered tables", "not published"
OTHER_PUBLISHER, LMS_IMPORT = "other publisher", "LMS import"
KINDS = {
    OLD_EVENTS: "The newest event of a log source is older than `alerts.silent_hours`.",
    "no logs": "A configured log source has no file that matches its pattern, or cannot be listed.",
    "unreadable logs": "Log files could not be read, or only in part.",
    "damaged files": "Files of the lake are missing, cut or changed since they were written.",
    "lost events": "Events could not be restored after damage, as a person has accepted.",
    "files set aside": "Files that are no part of the lake were moved into its folder .set-aside.",
    "quarantine": "More than 1 % of the lines of a log source are no events.",
    "refused submissions": "More than 1 % of the submissions of problems tell no answers.",
    "unused video events": "More than 1 % of the events of video players are not used.",
    "unused enrollment events": "More than 1 % of the enrollment events do not count.",
    "clock skew": "The newest event of a log source lies in the future.",
    "missing days": "Whole days without any event lie inside the history.",
    LMS_IMPORT: "Tables, courses or the catalog of the LMS could not be imported; older copies are used.",
    ALTERED: "Somebody emptied, dropped or changed a published table; the next run makes it right.",
    NOT_PUBLISHED: "A result was not published: it does not fit its table, or would lose many of its rows.",
    OTHER_PUBLISHER: "Another home publishes to the Result Store as well; it may be a copy of this one.",
    "unaccounted lines": "Lines read are not the sum of events, duplicates, quarantine and blank lines.",
}
"""What can be wrong, and what it means; also the values of the metric's label."""


@dataclass(frozen=True, kw_only=True)
class DataProblem:
    """A problem of the data. `kind` and `about` together are its identity."""

    kind: str
    about: str
    """The log source or part of the LMS; empty for the whole lake."""
    text: str
    """What is wrong, where, and what to do; one sentence or two."""

    @property
    def name(self) -> str:
        """Kind and subject, for lists and alerts."""
        return f"{self.kind}: {self.about}" if self.about else self.kind


@dataclass(frozen=True, kw_only=True)
class LogSource:
    """The number of logs, lines and events read from a configured log source."""

    name: str
    newest: datetime | None
    """Time of its newest event."""
    logs: int
    lines: int
    events: int
    quarantined: int


def record(
    engine: sa.Engine, found: Iterable[DataProblem], sources: Iterable[LogSource], now: datetime
) -> None:
    """Replace the stored problems and log sources by a run's; a problem that persists keeps its `since`.

    Raises ResultStoreError.
    """
    with translated(engine) as connection, connection.begin():
        rows = connection.execute(
            sa.select(data_problems.c.kind, data_problems.c.about, data_problems.c.since)
        ).all()
        since = {(row.kind, row.about): row.since for row in rows}
        connection.execute(sa.delete(data_problems))
        connection.execute(sa.delete(log_sources))
        new = {(p.kind, p.about[:NAME_CHARACTERS]): p.text for p in found}
        if new:
            connection.execute(
                sa.insert(data_problems),
                [
                    {"kind": kind, "about": about, "text": text, "since": since.get((kind, about), now)}
                    for (kind, about), text in new.items()
                ],
            )
        known = {source.name[:NAME_CHARACTERS]: source for source in sources}
        if known:
            connection.execute(
                sa.insert(log_sources),
                [{**asdict(source), "name": name} for name, source in known.items()],
            )


def read(engine: sa.Engine) -> tuple[list[DataProblem], list[LogSource]]:
    """The problems and log sources of the last run. Raises ResultStoreError."""
    columns = (data_problems.c.kind, data_problems.c.about, data_problems.c.text)
    with translated(engine) as connection:
        found = connection.execute(sa.select(*columns).order_by(*columns)).mappings().all()
        sources = connection.execute(sa.select(log_sources).order_by(log_sources.c.name)).mappings().all()
    return [DataProblem(**row) for row in found], [LogSource(**row) for row in sources]


def silent(sources: Iterable[LogSource], hours: float | None, now: datetime) -> list[DataProblem]:
    """The log sources whose newest event is older than `hours` hours; empty if `hours` is None.

    The age of events counts, not that of files: result rows reach today even if no log is read any more.
    """
    return [
        DataProblem(
            kind=OLD_EVENTS,
            about=source.name,
            text=f"The newest event of the log source {source.name} is of {source.newest:%Y-%m-%d %H:%M} "
            f"UTC, over {hours:g} hours ago. Are its logs still delivered? (alerts.silent_hours)",
        )
        for source in sources
        if hours is not None and source.newest is not None and now - source.newest > timedelta(hours=hours)
    ]
