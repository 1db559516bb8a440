"""Problems of the data that make no run fail; used by status, health, metrics, alerts and run reports.

Reads the lake's own records and lists the configured logs; opens no log and asks nothing of the LMS.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from pharos.config import Settings
from pharos.lake import logs
from pharos.lake.identity import identity
from pharos.lake.logs import PassedOver
from pharos.lake.places import lake_of
from pharos.lake.snapshots import TableState, states
from pharos.lake.status import LakeStatus, SourceStatus, lake_status, stretches
from pharos.pipeline import ownership
from pharos.pipeline.ingestion import now
from pharos.pipeline.refused_submissions import (
    enrollment_events_by_use,
    submissions_by_reason,
    video_events_by_reason,
)
from pharos.result_store import owner, store
from pharos.result_store.data_problems import LMS_IMPORT, NOT_PUBLISHED, DataProblem, LogSource, silent
from pharos.result_store.data_problems import record as record_in
from pharos.result_store.errors import ResultStoreError
from pharos.telemetry.logs import visible, write, writes_json

log = logging.getLogger(__name__)
MOST_QUARANTINED = 0.01  # of a source's lines
MOST_REFUSED = 0.01  # of submissions, events of video players, and enrollment events
SKEW = timedelta(minutes=5)  # clocks of hosts may differ so much
NAMED = 3  # files or tables in a text; `pharos status` has all


def record(
    settings: Settings,
    not_published: Mapping[str, str] | None = None,
    further: Iterable[DataProblem] = (),
) -> list[DataProblem]:
    """Find the problems at the end of a run and write them into the Result Store.

    The store is skipped if it does not answer or if another lake publishes to it. `not_published`: table that
    the run did not publish -> reason. `further`: problems that the run has found itself.
    """
    lake, moment = lake_of(settings), now()
    status = lake_status(lake, moment)
    found = [*_of_the_lake(settings, status, states(lake), moment), *further]
    found += [
        DataProblem(kind=NOT_PUBLISHED, about=table, text=why) for table, why in (not_published or {}).items()
    ]
    known = sources(status)
    try:
        engine = store.connect(settings.store_url)
        try:
            publisher = owner.read(engine)
            if publisher is None or publisher.lake == identity(lake):
                record_in(engine, found, known, moment)
        finally:
            engine.dispose()
    except ResultStoreError as error:  # an import needs no store; a run has told of it already
        if writes_json():
            write(log, "problems not recorded", logging.WARNING, why=error)
    return [*silent(known, settings.alerts.silent_hours, moment), *found]


def data_problems(
    settings: Settings, status: LakeStatus, imported: list[TableState], moment: datetime
) -> list[DataProblem]:
    """All problems of the lake in its present state."""
    old = silent(sources(status), settings.alerts.silent_hours, moment)
    return [*old, *_of_the_lake(settings, status, imported, moment), *ownership.of_the_store(settings)]


def passed_over(settings: Settings) -> list[PassedOver]:
    """Files that were not read because of their names, by log source; missing log sources are skipped."""
    found = []
    for name, source in settings.logs.sources.items():
        with suppress(logs.NoSuchLogs):  # a problem of its own
            found += logs.passed_over({name: source})
    return found


def sources(status: LakeStatus) -> list[LogSource]:
    """The number of lines and events read from each log source, and the time of its newest event."""
    return [
        LogSource(
            name=source.name,
            newest=source.newest,
            logs=source.logs,
            lines=source.sum.lines,
            events=source.sum.events,
            quarantined=sum(source.sum.quarantined.values()),
        )
        for source in status.sources
    ]


def _of_the_lake(
    settings: Settings, status: LakeStatus, imported: list[TableState], moment: datetime
) -> Iterator[DataProblem]:
    yield from _without_logs(settings)
    yield from _unreadable(status)
    yield from _damaged(status)
    for source in status.sources:
        yield from _of_a_source(source, moment)
    if status.missing_days:
        yield DataProblem(
            kind="missing days",
            about="",
            text=f"No events on {_counted(len(status.missing_days), 'day')}: "
            f"{stretches(status.missing_days)}. Deliver their logs, and the next run counts them.",
        )
    yield from _not_imported(imported)
    lake = lake_of(settings)
    yield from _refused(
        "refused submissions", "submission", "of problems tell no answers", submissions_by_reason(lake)
    )
    yield from _refused(
        "unused video events", "event", "of video players are not used", video_events_by_reason(lake)
    )
    yield from _refused(
        "unused enrollment events", "enrollment event", "do not count", enrollment_events_by_use(lake)
    )
    if not status.sum.closes:
        text = "Lines read are not events + duplicates + quarantine + blank lines. Please report this."
        yield DataProblem(kind="unaccounted lines", about="", text=text)


def _refused(kind: str, noun: str, verb: str, by_reason: Counter[str]) -> Iterator[DataProblem]:
    """A problem if too many are refused; noun and verb form its sentence: 3 of 6 submissions tell none."""
    if refused := _too_many(by_reason):
        share = f"{refused.total()} of {_counted(by_reason.total(), noun)}"
        yield DataProblem(kind=kind, about="", text=f"{share} {verb}: {_reasons(refused)}.")


def _too_many(by_reason: Counter[str]) -> Counter[str]:
    """Counts by reason, if more than the share MOST_REFUSED has a reason; else empty. The empty reason means
    accepted.
    """
    refused = Counter({reason: count for reason, count in by_reason.items() if reason})
    return refused if refused.total() > MOST_REFUSED * by_reason.total() else Counter()


def _reasons(refused: Counter[str]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in refused.most_common())


def _without_logs(settings: Settings) -> Iterator[DataProblem]:
    for name, source in settings.logs.sources.items():
        try:
            found, left_out = logs.discover({name: source}), logs.passed_over({name: source})
        except logs.NoSuchLogs as error:
            yield DataProblem(kind="no logs", about=name, text=str(error))
            continue
        if not found:
            others = "".join(
                f" {_counted(each.files, 'other file')} passed over, such as {each.example}."
                for each in left_out
            )
            yield DataProblem(
                kind="no logs",
                about=name,
                text=f"No file in {', '.join(source.paths)} matches logs.sources.{name}.pattern "
                f"({source.pattern}).{others} Are the logs still delivered there, and under such names?",
            )


def _unreadable(status: LakeStatus) -> Iterator[DataProblem]:
    troubled = status.unreadable | {log.path: log.problem for log in status.logs if log.problem}
    if troubled:
        named = "; ".join(f"{visible(path)}: {problem}" for path, problem in list(troubled.items())[:NAMED])
        yield DataProblem(
            kind="unreadable logs",
            about="",
            text=f"{_counted(len(troubled), 'log')} not read or read in part: {named}.",
        )


def _damaged(status: LakeStatus) -> Iterator[DataProblem]:
    if status.damaged:
        named = "; ".join(f"{path} {reason}" for path, reason in list(status.damaged.items())[:NAMED])
        yield DataProblem(
            kind="damaged files",
            about="",
            text=f"{_counted(len(status.damaged), 'file')} of the lake: {named}"
            f"{_more(list(status.damaged))}. `pharos lake repair` makes files of events and quarantine anew, "
            "`pharos import` those of lms, the next `pharos run` those of facts and results.",
        )
    if status.lost:
        yield DataProblem(
            kind="lost events",
            about="",
            text=f"{_counted(sum(status.lost.values()), 'event')} of {stretches(list(status.lost))} could "
            "not be restored after damage: what is counted of these days is too low.",
        )
    if status.set_aside:
        yield DataProblem(
            kind="files set aside",
            about="",
            text=f"{_counted(status.set_aside, 'file')} in .set-aside of the lake, which do not count: "
            "damaged ones that were made anew, and some that nobody knows. Remove them when you know them.",
        )


def _of_a_source(source: SourceStatus, moment: datetime) -> Iterator[DataProblem]:
    quarantined = sum(source.sum.quarantined.values())
    if quarantined > MOST_QUARANTINED * source.sum.lines:
        reasons = ", ".join(f"{reason} {count}" for reason, count in source.sum.quarantined.items())
        yield DataProblem(
            kind="quarantine",
            about=source.name,
            text=f"{quarantined} of {source.sum.lines} lines are no events ({reasons}). "
            "`pharos quarantine` shows them.",
        )
    if source.newest is not None and source.newest - moment > SKEW:
        yield DataProblem(
            kind="clock skew",
            about=source.name,
            text=f"The newest event is of {source.newest:%Y-%m-%d %H:%M} UTC, in the future. Set the clock "
            "of the server that wrote it; such events count when their time has come.",
        )


def _not_imported(imported: list[TableState]) -> Iterator[DataProblem]:
    reasons: dict[str, list[str]] = {}
    for table in imported:
        if table.problem:
            reasons.setdefault(table.problem, []).append(table.table)
    if reasons:
        told = "; ".join(f"{', '.join(names[:NAMED])}{_more(names)}: {why}" for why, names in reasons.items())
        number = sum(map(len, reasons.values()))
        yield DataProblem(
            kind=LMS_IMPORT,
            about="",
            text=f"{_counted(number, 'table')} not imported, older copies are used. {told}",
        )


def _more(names: list[str]) -> str:
    return f" and {len(names) - NAMED} more" if len(names) > NAMED else ""


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
