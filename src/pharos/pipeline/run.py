"""One run: ingest, import, compute what is stale, publish."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import ibis
import pyarrow as pa
import sqlalchemy as sa

from pharos import geolocation
from pharos.config import LMS, Settings
from pharos.database_addresses import DatabaseAddress, database_address
from pharos.engine import Engine, open_engine
from pharos.errors import ConfigurationError
from pharos.lake import lms_catalog, lms_courses, lms_tables, schema
from pharos.lake.addresses import forget_addresses
from pharos.lake.ingest import Ingested
from pharos.lake.lake import Lake
from pharos.lake.logs import discover
from pharos.lake.snapshots import TableState
from pharos.pipeline import clock, data_problems, facts, results
from pharos.pipeline.graph import Given
from pharos.pipeline.ingestion import NO_LOGS, Report, ingest_files, locked_lake, now, silent, sources
from pharos.result_store import store
from pharos.result_store.clock import server_time
from pharos.result_store.data_problems import DataProblem

NO_LMS = ConfigurationError(
    "lms.database: neither the LMS's database nor its address and a service account (lms.url, lms.client_id) "
    "are named; name them in pharos.yaml or give --lms-database URL"
)


@dataclass
class RunReport:
    """What a run did."""

    until: datetime
    ingested: Ingested = field(default_factory=Ingested)
    imported: list[TableState] = field(default_factory=list)  # what of the LMS was asked for
    why: list[tuple[str, str]] = field(default_factory=list)  # (what was computed, reason), in order
    published: dict[str, int] = field(default_factory=dict)  # table -> rows
    problems: list[DataProblem] = field(default_factory=list)  # of the data; none of them ended the run


def run_pipeline(
    settings: Settings,
    *,
    logs: Iterable[str] = (),
    until: datetime | None = None,
    full: bool = False,
    imports: bool = True,
    progress: Report = silent,
) -> RunReport:
    """Bring lake, facts, results and Result Store up to date.

    `logs` are files, folders or globs to read instead of the configured sources. `until` (UTC, naive; default
    now) is the moment the results describe the time before. `full` computes everything anew. Without
    `imports` the LMS is not asked: what is known of it is used. Raises PharosError; whatever was committed
    before stays, and the next run goes on from there.
    """
    report = RunReport(until or now())
    named, lms_database = sources(settings, logs), _lms_database(settings)
    if not named and not Lake(settings.lake).state.events:
        raise NO_LOGS
    files, given = discover(named), _given(settings, report.until)
    with _store(settings) as database, _work(settings) as (lake, engine):
        _check_clock(lake, database, until)
        report.ingested = ingest_files(lake, engine, files, progress)
        _forget_addresses(lake, engine, settings, given, progress)
        if imports:
            _import(lake, engine, settings.lms, lms_database, report, progress)
        found = _compute(lake, engine, report, given, full=full, progress=progress)
        _publish(lake, engine, database, found, report, progress)
    report.problems = data_problems.record(settings)
    return report


def import_only(settings: Settings, *, progress: Report = silent) -> RunReport:
    """The second stage alone: copy what the LMS knows into the lake. Raises PharosError."""
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
    settings: Settings, *, until: datetime | None = None, full: bool = False, progress: Report = silent
) -> RunReport:
    """The stages after ingestion: compute what is stale, publish. Raises PharosError."""
    report = RunReport(until or now())
    given = _given(settings, report.until)
    with _store(settings) as database, _work(settings) as (lake, engine):
        _check_clock(lake, database, until)
        _forget_addresses(lake, engine, settings, given, progress)
        found = _compute(lake, engine, report, given, full=full, progress=progress)
        _publish(lake, engine, database, found, report, progress)
    report.problems = data_problems.record(settings)
    return report


def _given(settings: Settings, until: datetime) -> Given:
    """What metrics are given; the database of countries is looked at before anything is done."""
    countries = settings.geolocation.database or geolocation.SHIPPED
    geolocation.check(countries)
    return Given(
        until,
        countries,
        private_country=settings.geolocation.private_country,
        fills_gaps=settings.lms.fill_enrollment_gaps,
        counts_staff=settings.counting.staff,
        counts_libraries=settings.counting.libraries,
        counts_browser_enrollments=settings.counting.browser_enrollments,
    )


@contextmanager
def _work(settings: Settings) -> Iterator[tuple[Lake, Engine]]:
    """The lake, locked, and an engine; both let go of in the end."""
    with locked_lake(settings) as lake:
        engine = open_engine(settings.engine, lake.staging / "spill")
        try:
            yield lake, engine
        finally:
            engine.close()


@contextmanager
def _store(settings: Settings) -> Iterator[sa.Engine]:
    """The Result Store with this release's tables; opened first, so that nothing is half done without it."""
    store.upgrade(settings.store_url)
    database = store.connect(settings.store_url)
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
    progress: Report,
    *,
    fresh: timedelta = lms_courses.FRESH,
) -> None:
    """Bring the snapshots of the LMS up to date, as far as the settings say where it is."""
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
    """Describe "the time until now" only if the clock can be believed: who names `until` confirms it."""
    if until is None and database is None:
        clock.check(lake, now())
    elif until is None and database is not None:
        published = [publication.published for publication in store.published(database).values()]
        clock.check(lake, now(), published=published, server=server_time(database))
    clock.believe(lake, now())


def _forget_addresses(lake: Lake, engine: Engine, settings: Settings, given: Given, progress: Report) -> None:
    """Forget the addresses of days that are older than the settings allow, before facts are made of them."""
    days = settings.geolocation.address_retention_days
    if days is not None:
        forget_addresses(
            lake,
            engine,
            now().date() - timedelta(days=days),
            given.in_place_of_addresses(),
            now(),
            lambda done, total: progress("Forgetting addresses", done, total),
        )


def _compute(
    lake: Lake, engine: Engine, report: RunReport, given: Given, *, full: bool, progress: Report
) -> list[results.Result]:
    """Compute stale facts and results; all results, computed or not."""
    if full:
        lake.events(list(lake.state.events))  # what is removed here can be made again of these
        for part in ("facts", "results"):
            shutil.rmtree(lake.root / part, ignore_errors=True)
    days = facts.fact_days(lake, given)
    reasons = {item: item.reason() for items in days.values() for item in items}
    stale = [item for item, reason in reasons.items() if reason is not None]
    report.why += [(f"{item.fact} of {item.day}", str(reasons[item])) for item in stale]
    done = 0

    def add(events: int) -> None:
        nonlocal done
        done += events
        progress("Computing facts", done, total)

    total = sum(file.rows for item in stale for file in lake.state.events[item.day])
    facts.compute(lake, engine, stale, report.until, add)
    for item in reasons:
        item.remove_older()
    found = results.results(lake, days, given)
    known = {result.metric.name: result for result in found}
    for number, result in enumerate(found, 1):
        reason = result.reason()
        if reason is not None:
            report.why.append((result.metric.name, reason))
            results.compute(lake, engine, result, days, known, given)
        result.remove_older()
        progress("Computing metrics", number, len(found))
    return found


def _publish(
    lake: Lake,
    engine: Engine,
    database: sa.Engine,
    found: list[results.Result],
    report: RunReport,
    progress: Report,
) -> None:
    """Publish every result whose publication says something else than the run would."""
    before = store.published(database)
    last_event = _last_event(lake, engine, report.until)
    found = [result for result in found if result.metric.is_published]
    for number, result in enumerate(found, 1):
        table = result.metric.table
        publication = store.Publication(
            fingerprint=result.fingerprint, until=report.until, last_event=last_event,
            version=table.info["definition"].version,
        )  # fmt: skip
        if before.get(table.name) != publication:
            # A lake without a single event is no reason to empty a table: something is missing then.
            rows = store.publish(
                database, table, results.rows(result), publication, allow_empty=bool(lake.state.events)
            )
            if table.name not in before or before[table.name].fingerprint != publication.fingerprint:
                report.published[table.name] = rows
        progress("Publishing", number, len(found))


def _last_event(lake: Lake, engine: Engine, until: datetime) -> datetime | None:
    """Time of the newest event before `until`."""
    files = [file for files in lake.state.events.values() for file in files if file.oldest < until]
    whole = max((file.newest for file in files if file.newest < until), default=None)
    cut = [lake.root / file.path for file in files if file.newest >= until]
    if not cut:
        return whole
    times = engine.read(cut, pa.schema([schema.EVENTS.field("time")]))
    newest: datetime = engine.fetch(
        times.filter(times.time < ibis.literal(until)).agg(newest=times.time.max())
    )["newest"][0].as_py()
    return max(filter(None, (newest, whole)))
