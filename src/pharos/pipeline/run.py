"""One run: ingest, import, compute what is stale, publish."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import ibis
import pyarrow as pa
import sqlalchemy as sa

from pharos import geolocation
from pharos.config import LMS, Engagement, Settings
from pharos.database_addresses import DatabaseAddress, database_address
from pharos.engine import Engine, open_engine
from pharos.engine.errors import EngineFailed
from pharos.errors import ConfigurationError
from pharos.lake import lms_catalog, lms_courses, lms_tables, schema
from pharos.lake.addresses import forget_addresses
from pharos.lake.ingest import Ingested
from pharos.lake.lake import Lake
from pharos.lake.logs import discover
from pharos.lake.places import lake_of
from pharos.lake.snapshots import TableState
from pharos.metrics.learner_status import Pauses
from pharos.pipeline import (
    clock,
    data_problems,
    derived,
    facts,
    ownership,
    parted,
    publishing,
    report_files,
    results,
)
from pharos.pipeline.graph import FACTS, METRICS
from pharos.pipeline.ingestion import (
    NO_LOGS,
    OnProgress,
    ingest_files,
    known_lake,
    locked_lake,
    now,
    silent,
    sources,
)
from pharos.pipeline.inputs import Inputs
from pharos.pipeline.results import Computed
from pharos.pipeline.scope import Scope
from pharos.result_store import store
from pharos.result_store.clock import server_time
from pharos.result_store.connecting import WRITING_S
from pharos.result_store.data_problems import DataProblem

ANSWERS = "answer_distribution"
NO_LMS = ConfigurationError(
    "lms.database: neither the LMS's database nor its address and a service account (lms.url, lms.client_id) "
    "are named; name them in pharos.yaml or give --lms-database URL"
)

NOT_COMPARED = (
    "Enrollments are not compared with the LMS: its tables were read after the time that the results "
    "describe."
)


@dataclass
class RunReport:
    """The outcome of a run."""

    until: datetime
    ingested: Ingested = field(default_factory=Ingested)
    imported: list[TableState] = field(default_factory=list)  # the requested tables of the LMS
    why: list[tuple[str, str]] = field(default_factory=list)  # (fact or table, stale parts and the reason)
    days: int = 0  # of facts, computed
    tables: int = 0  # results with parts that were computed
    published: dict[str, int] = field(default_factory=dict)  # table whose rows changed -> its rows
    written: int = 0  # rows that were deleted, inserted or stamped in the Result Store
    not_published: dict[str, str] = field(default_factory=dict)  # table that was not published -> why
    reports: dict[str, int] = field(default_factory=dict)  # report -> files that were written
    remarks: list[str] = field(default_factory=list)  # further notes on the results, for a person
    problems: list[DataProblem] = field(default_factory=list)  # of the data; none of them ended the run

    def forget_computed(self) -> None:
        """Reset the counts and remarks of the computing stage, before it starts again."""
        self.why, self.remarks = [], []
        self.days = self.tables = 0


def run_pipeline(
    settings: Settings,
    *,
    logs: Iterable[str] = (),
    until: datetime | None = None,
    full: bool = False,
    imports: bool = True,
    accepted: Collection[str] = (),
    progress: OnProgress = silent,
) -> RunReport:
    """Bring lake, facts, results and Result Store up to date.

    `logs` are files, folders or globs to read instead of the configured sources. The results describe the
    time before `until` (UTC, naive; default now). `full` computes everything anew. With `imports=False` the
    LMS is not asked and the last import is used. Tables that would lose many rows are only published if they
    are `accepted`, or if `until` names a moment and no input has lost rows or the published rows describe a
    later moment. Raises PharosError; stages that were committed before stay, and the next run continues from
    there.
    """
    report = RunReport(until or now())
    named, lms_database = sources(settings, logs), _lms_database(settings)
    if not named and not lake_of(settings).state.events:
        raise NO_LOGS
    files, scope = discover(named), _scope_of(settings, report.until)
    with _store(settings) as database, _work(settings) as (lake, engine):
        others = ownership.claim(settings, lake, database)
        _check_clock(lake, database, until)
        report.ingested = ingest_files(lake, engine, files, progress)
        _forget_addresses(lake, engine, settings, scope, progress)
        if imports:
            _import(lake, engine, settings.lms, lms_database, report, progress)
        _bring_results(
            settings, lake, engine, database, report, scope, accepted, progress,
            full=full, is_named=until is not None,
        )  # fmt: skip
    report.problems = data_problems.record(settings, report.not_published, others)
    return report


def import_only(settings: Settings, *, progress: OnProgress = silent) -> RunReport:
    """The second stage alone: copy the LMS's tables into the lake. Raises PharosError."""
    report = RunReport(now())
    lms_database = _lms_database(settings)
    if lms_database is None and not _has_service_account(settings.lms):
        raise NO_LMS
    with _work(settings) as (lake, engine):
        _check_clock(lake, None, None)
        _import(lake, engine, settings.lms, lms_database, report, progress, fresh=timedelta(0))
    report.problems = data_problems.record(settings)
    return report


def compute_only(
    settings: Settings,
    *,
    until: datetime | None = None,
    full: bool = False,
    accepted: Collection[str] = (),
    progress: OnProgress = silent,
) -> RunReport:
    """The stages after the import: compute what is stale, publish; see `run_pipeline`. Raises PharosError."""
    report = RunReport(until or now())
    known_lake(settings)
    scope = _scope_of(settings, report.until)
    with _store(settings) as database, _work(settings) as (lake, engine):
        others = ownership.claim(settings, lake, database)
        _check_clock(lake, database, until)
        _forget_addresses(lake, engine, settings, scope, progress)
        _bring_results(
            settings, lake, engine, database, report, scope, accepted, progress,
            full=full, is_named=until is not None,
        )  # fmt: skip
    report.problems = data_problems.record(settings, report.not_published, others)
    return report


def _scope_of(settings: Settings, until: datetime) -> Scope:
    """The scope of the run, from the settings; raises early if the database of countries cannot be read."""
    countries = settings.geolocation.database or geolocation.SHIPPED
    geolocation.check(countries)
    return Scope(
        until,
        countries,
        private_country=settings.geolocation.private_country,
        fills_gaps=settings.lms.fill_enrollment_gaps,
        counts_staff=settings.counting.staff,
        counts_libraries=settings.counting.libraries,
        counts_browser_enrollments=settings.counting.browser_enrollments,
        week_start=settings.counting.week_start,
        response_types=tuple(settings.problems.response_types),
        reports_since=settings.reports.since,
        answer_metadata=settings.problems.answer_metadata,
        video_compat=settings.video.compat,
        shows_profiles=settings.data_api.learners,
        smallest_group=settings.engagement.smallest_group,
        pauses=_pauses(settings.engagement),
        student_reports=settings.reports.student_engagement,
    )


def _pauses(settings: Engagement) -> Pauses:
    courses = tuple(
        (course_id, days.slowing_days, days.quiet_days)
        for course_id, days in sorted(settings.courses.items())
    )
    return Pauses(settings.slowing_days, settings.quiet_days, courses)


@contextmanager
def _work(settings: Settings) -> Iterator[tuple[Lake, Engine]]:
    """The lake, locked, and an engine; both are released at the end."""
    with locked_lake(settings) as lake:
        engine = open_engine(settings.engine, lake.staging / "spill")
        try:
            yield lake, engine
        finally:
            engine.close()


@contextmanager
def _store(settings: Settings) -> Iterator[sa.Engine]:
    """The Result Store, upgraded to this release; opened first, so that a run fails early if it is
    unreachable.
    """
    store.upgrade(settings.store_url)
    database = store.connect(settings.store_url, wait_s=WRITING_S)
    try:
        yield database
    finally:
        database.dispose()


def _lms_database(settings: Settings) -> DatabaseAddress | None:
    url = settings.lms.database
    return None if url is None else database_address(url.get_secret_value())


def _has_service_account(lms: LMS) -> bool:
    return bool(lms.url and lms.client_id)


def _import(
    lake: Lake,
    engine: Engine,
    lms: LMS,
    database: DatabaseAddress | None,
    report: RunReport,
    progress: OnProgress,
    *,
    fresh: timedelta = lms_courses.FRESH,
) -> None:
    """Bring the snapshots of the LMS up to date, from the sources that the settings name."""
    if database is not None:
        report.imported += lms_tables.import_tables(
            lake, engine, database, lambda done, total: progress("Importing tables", done, total)
        )
    if database is not None or _has_service_account(lms):
        report.imported += lms_courses.import_courses(
            lake,
            engine,
            lms,
            lambda done, total: progress("Importing courses", done, total),
            fresh=fresh,
            has_database=database is not None,
        )
    if lms.catalog_url and _has_service_account(lms):
        report.imported += lms_catalog.import_catalog(lake, engine, lms, fresh=fresh)


def _check_clock(lake: Lake, database: sa.Engine | None, until: datetime | None) -> None:
    """Refuse to describe "the time until now" if the clock is implausible; naming `until` confirms it."""
    if until is None and database is None:
        clock.check(lake, now())
    elif until is None and database is not None:
        published = [publication.published for publication in store.published(database).values()]
        clock.check(lake, now(), published=published, server=server_time(database))
    clock.believe(lake, now())


def _forget_addresses(
    lake: Lake, engine: Engine, settings: Settings, scope: Scope, progress: OnProgress
) -> None:
    """Forget the addresses of days older than the settings allow, before facts are computed from them."""
    days = settings.geolocation.address_retention_days
    if days is not None:
        forget_addresses(
            lake,
            engine,
            now().date() - timedelta(days=days),
            scope.in_place_of_addresses(),
            now(),
            lambda done, total: progress("Forgetting addresses", done, total),
        )


def _bring_results(
    settings: Settings, lake: Lake, engine: Engine, database: sa.Engine, report: RunReport, scope: Scope,
    accepted: Collection[str], progress: OnProgress, *, full: bool, is_named: bool,
) -> None:  # fmt: skip
    """Compute and publish. If damaged files of facts or results make that fail, repeat without them."""
    derived.remove_found(lake)
    try:
        found, inputs = _compute(lake, engine, report, scope, full=full, progress=progress)
        _publish(settings, inputs, database, found, report, accepted, progress, is_named=is_named)
    except (EngineFailed, pa.ArrowException, OSError):
        if not derived.remove_damaged(lake):
            raise
        report.forget_computed()
        found, inputs = _compute(lake, engine, report, scope, full=False, progress=progress)
        _publish(settings, inputs, database, found, report, accepted, progress, is_named=is_named)


def _compute(
    lake: Lake, engine: Engine, report: RunReport, scope: Scope, *, full: bool, progress: OnProgress
) -> tuple[list[Computed], Inputs]:
    """Compute stale facts and results; return all results, recomputed or not, and their inputs."""
    if full:
        lake.events(list(lake.state.events))  # derived data is removed only if it can be made again of these
        for part in ("facts", "parts"):
            shutil.rmtree(lake.root / part, ignore_errors=True)
        for manifest in (lake.root / "results").glob(f"*/{parted.MANIFEST}"):
            manifest.unlink()
    found = facts.stale(lake, engine, scope)
    total = sum(file.rows for fact in found for day in fact.days for file in lake.state.events[day])
    done = 0

    def add(events: int) -> None:
        nonlocal done
        done += events
        progress("Computing facts", done, total)

    tables = {}
    for stale in found:
        if stale.days:
            share = f"{len(stale.days):,} of {len(stale.wanted):,} days"
            report.why.append((stale.fact.name, f"{share}: {stale.reason}"))
            report.days += len(stale.days)
        tables[stale.fact.name] = facts.compute(lake, engine, stale, scope, add)
    inputs = Inputs(lake=lake, engine=engine, scope=scope, facts=tables)
    computed = results.compute_all(inputs, lambda done, total: progress("Computing metrics", done, total))
    report.why += [(result.metric.name, result.why) for result in computed if result.why]
    report.tables += sum(1 for result in computed if result.why)
    _remove_unknown(lake)
    if inputs.value("enrollments_are_known") and not inputs.value("enrollments_are_of_then"):
        report.remarks.append(NOT_COMPARED)
    return computed, inputs


def _remove_unknown(lake: Lake) -> None:
    """Remove facts and results that this release does not know or that have the folder layout of earlier
    releases.
    """
    for part, known in (("facts", FACTS), ("results", METRICS)):
        for folder in (lake.root / part).glob("*"):
            gone = (
                [folder] if folder.name not in known else [path for path in folder.iterdir() if path.is_dir()]
            )
            for path in gone:
                shutil.rmtree(path, ignore_errors=True)


def _publish(
    settings: Settings,
    inputs: Inputs,
    database: sa.Engine,
    found: list[Computed],
    report: RunReport,
    accepted: Collection[str],
    progress: OnProgress,
    *,
    is_named: bool,
) -> None:
    """Publish the differences from the published edition, and write the report files."""
    progress("Publishing", 0, 1)
    last_event = _last_event(inputs.lake, inputs.engine, report.until)
    ownership.remember(inputs.lake, database)
    written = publishing.publish(inputs, database, found, last_event, accepted, is_named=is_named)
    report.published = {name: table.rows for name, table in written.items() if table.is_changed}
    report.written = sum(table.deleted + table.inserted + table.stamped for table in written.values())
    report.not_published = {
        name: str(table.problem) for name, table in written.items() if table.problem is not None
    }
    if ANSWERS not in report.not_published:  # or files would be of other rows than the pages
        report.reports = report_files.write_reports(inputs, settings)
    progress("Publishing", 1, 1)


def _last_event(lake: Lake, engine: Engine, until: datetime) -> datetime | None:
    """Time of the newest event before `until`."""
    files = [file for files in lake.state.events.values() for file in files if file.oldest < until]
    whole = max((file.newest for file in files if file.newest < until), default=None)
    cut = [lake.place.local(file.path) for file in files if file.newest >= until]
    if not cut:
        return whole
    times = engine.read(cut, pa.schema([schema.EVENTS.field("time")]))
    newest: datetime = engine.fetch(
        times.filter(times.time < ibis.literal(until)).agg(newest=times.time.max())
    )["newest"][0].as_py()
    return max(filter(None, (newest, whole)))
