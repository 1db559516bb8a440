"""Checks on this machine and in our own database: settings, home, logs, jobs, engine, Result Store."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

from pharos import geolocation
from pharos.check.finding import Finding, fails, named, works
from pharos.config import Settings
from pharos.database_addresses import sqlalchemy_url
from pharos.engine import open_engine
from pharos.errors import ConfigurationError, PharosError
from pharos.hardening import weak_settings
from pharos.insights.branding import branding
from pharos.insights.static_files import StaticFiles
from pharos.lake import storage
from pharos.lake.logs import LogFile, discover
from pharos.lake.places import lake_of
from pharos.pipeline import answer_metadata, ownership
from pharos.prefix import prefix_of
from pharos.result_store import contract, store
from pharos.result_store.connecting import translated
from pharos.result_store.errors import ForeignRows
from pharos.result_store.tables import problem_response, table_updates

NAMED = 3  # files in a text
OTHERS = stat.S_IRWXO


def settings_file(settings: Settings, file: Path | None) -> Iterator[Finding]:
    """No weak settings; with one, no service starts."""
    weak = weak_settings(settings, file)
    yield from map(fails, weak)
    if not weak:
        yield works(f"settings: {file or 'no file, defaults and environment'}; none is weak")


def home(settings: Settings) -> Iterator[Finding]:
    """Home, or its parent if home does not exist, is writable; no other user can enter home."""
    folder = settings.home.absolute()
    if (why := _why_not_writable(folder)) is not None:
        yield fails(f"home {folder}: {why}")
    else:
        yield works(f"home {folder}: can be written")
    if folder.exists() and folder.stat().st_mode & OTHERS:
        mode = stat.S_IMODE(folder.stat().st_mode)
        yield fails(f"home {folder}: everybody on this host may enter it (mode {mode:o}); chmod 700 {folder}")


def lake(settings: Settings) -> Iterator[Finding]:
    """If the lake is not in home: its place is writable and supports conditional writes."""
    if settings.lake_url is None:
        return
    try:
        lake_of(settings, is_read=False).place.try_out()
    except (PharosError, OSError) as error:
        yield fails(f"lake_url: {error}")
    else:
        yield works(f"lake_url {settings.lake_url}: can be written, and knows conditional writes")


def _why_not_writable(folder: Path) -> str | None:
    """The reason why no file can be made in the folder, or in its nearest existing parent; None if it can."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        return f"nothing can be written in {existing} ({error.strerror or error})"
    return None


def logs(settings: Settings) -> Iterator[Finding]:
    """Each source lists files, and the first byte of each can be read."""
    if not settings.logs.sources:
        yield works("logs.sources: none named; `pharos run` needs --logs PATH then")
    for name, source in settings.logs.sources.items():
        try:
            files = discover({name: source})
        except PharosError as error:
            yield fails(f"logs.sources.{name}: {error}")
            continue
        unreadable = [f"{file.path} ({why})" for file in files if (why := _why_unreadable(file))]
        if unreadable:
            further = f" and {len(unreadable) - NAMED} more" if len(unreadable) > NAMED else ""
            listed = ", ".join(unreadable[:NAMED])
            yield fails(f"logs.sources.{name}: not readable for this user: {listed}{further}")
        elif not files:
            yield fails(
                f"logs.sources.{name}: no file in {', '.join(source.paths)} matches the pattern "
                f"{source.pattern}"
            )
        else:
            size_mb = sum(file.size for file in files) / 1e6
            yield works(f"logs.sources.{name}: {len(files)} files, {size_mb:,.1f} MB")


def _why_unreadable(file: LogFile) -> str:
    try:
        with storage.open_file(file.path) as opened:
            opened.read(1)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def files_of_the_data_api(settings: Settings) -> Iterator[Finding]:
    """The folder of reports can be listed."""
    ours = settings.data_api
    if ours.reports is not None:
        try:
            found = storage.files(ours.reports)
        except OSError as error:
            yield fails(f"data_api.reports: {ours.reports} cannot be listed ({error.strerror or error})")
        else:
            there = found is not None and found[1]
            yield Finding(
                there, f"data_api.reports: {ours.reports} {'can be listed' if there else 'is no folder'}"
            )


def audit_logs(settings: Settings) -> Iterator[Finding]:
    """Each configured audit log is writable."""
    for setting, file in {
        "data_api.audit_log": settings.data_api.audit_log,
        "insights.audit_log": settings.insights.audit_log,
    }.items():
        if file is not None:
            existing = file if file.exists() else file.absolute().parent
            can = os.access(existing, os.W_OK)
            yield Finding(can, f"{setting}: {file} {'can' if can else 'cannot'} be written")


def hosts(settings: Settings) -> Iterator[Finding]:
    """The services can listen on the configured addresses; a free port is used for the test."""
    for setting, host in {
        "data_api.host": settings.data_api.host,
        "insights.host": settings.insights.host,
    }.items():
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            socket.create_server((host, 0), family=family).close()
        except OSError as error:
            yield fails(f"{setting}: this host cannot listen on {host} ({error.strerror or error})")
        else:
            yield works(f"{setting}: this host can listen on {host}")


def addresses(settings: Settings) -> Iterator[Finding]:
    """The addresses that browsers and clients know us by are some, with a path that can be served."""
    known = {"insights.url": settings.insights.url, "data_api.public_url": settings.data_api.public_url}
    for name, address in known.items():
        try:
            prefix_of(name, address, ())
        except ConfigurationError as error:
            yield fails(str(error))


def privacy(settings: Settings) -> Iterator[Finding]:
    """Pseudonyms have a key; the Data API does not start without."""
    if settings.privacy.mode == "pseudonymous" and not settings.privacy.key:
        yield fails("privacy.key: privacy.mode pseudonymous needs a key (openssl rand -hex 32)")


def look(settings: Settings) -> Iterator[Finding]:
    """The site's logo and accent are usable."""
    try:
        branding(settings.insights, StaticFiles())
    except ConfigurationError as error:
        yield fails(str(error))
        return
    for name in ("logo", "accent"):
        if (value := getattr(settings.insights, name)) is not None:
            yield works(f"insights.{name}: {value}")


def problems(settings: Settings) -> Iterator[Finding]:
    """The operator's file about problems is readable, and the report of responses has all its columns."""
    if (file := settings.problems.answer_metadata) is not None:
        try:
            parts = answer_metadata.read(file).num_rows
        except ConfigurationError as error:
            yield fails(str(error))
        else:
            yield works(f"problems.answer_metadata: {file} describes {parts:,} parts")
    known = {column.name for column in contract.columns(problem_response)}
    if unknown := [name for name in settings.reports.fields if name not in known]:
        yield fails(f"reports.fields: no column of the report problem_response: {', '.join(unknown)}")


def jobs(settings: Settings) -> Iterator[Finding]:
    """The verb of each job accepts its arguments; only its help is called."""
    for name, job in settings.scheduler.jobs.items():
        setting = f"scheduler.jobs.{name}"
        # Help comes first: an option without its value would take it for that.
        line = [sys.executable, "-m", "pharos", *job.run.split(), "--help", *job.arguments]
        if not job.arguments or not subprocess.run(line, capture_output=True, check=False).returncode:  # noqa: S603
            yield works(f"{setting}: pharos {job.run} at {job.cron}")
        else:
            yield fails(f"{setting}: pharos {job.run} does not know the arguments {' '.join(job.arguments)}")


def engine(settings: Settings) -> Iterator[Finding]:
    """The engine starts and computes."""
    name = settings.engine.name
    with tempfile.TemporaryDirectory() as scratch:
        try:
            opened = open_engine(settings.engine, Path(scratch))
            try:
                opened.fetch(opened.table(pa.table({"number": [1]})))
            finally:
                opened.close()
        except PharosError as error:
            yield fails(f"engine.name: {name}: {error}")
        except Exception as error:  # noqa: BLE001 - an engine fails in ways of its own: no Java, no cluster
            yield fails(f"engine.name: {name} does not start ({str(error).partition(chr(10))[0]})")
        else:
            yield works(f"engine.name: {name} computes")


def countries(settings: Settings) -> Iterator[Finding]:
    """The database of countries is readable."""
    database = settings.geolocation.database or geolocation.SHIPPED
    try:
        geolocation.check(database)
    except PharosError as error:
        yield fails(f"geolocation.database: {error}")
    else:
        yield works(f"geolocation.database: {database}")


def result_stores(settings: Settings) -> Iterator[Finding]:
    """Each Result Store answers, has Pharos's tables, and accepts a row, which is rolled back."""
    yield from _result_store("result_store.url", settings.store_url)
    with suppress(PharosError):  # told by now
        yield from [fails(f"result_store.url: {one.text}") for one in ownership.of_the_store(settings)]
    if settings.data_api.v1_url is not None:
        yield from _result_store("data_api.v1_url", settings.data_api.v1_url.get_secret_value())


def _new_file(setting: str, file: Path) -> Finding:
    """A store that is a file and does not exist yet: its folder is writable."""
    why = _why_not_writable(file.absolute().parent)
    return fails(f"{setting}: {why}") if why else works(f"{setting}: a new file; the first run creates it")


def _result_store(setting: str, url: str) -> Iterator[Finding]:
    try:
        address = sqlalchemy_url(url, setting)
        if address.get_backend_name() == "sqlite" and not Path(str(address.database)).exists():
            yield _new_file(setting, Path(str(address.database)))
            return
        database = store.connect(url)
    except PharosError as error:
        yield fails(named(setting, error))
        return
    try:
        row = {"update_id": f"pharos check {datetime.now(UTC).isoformat()}", "target_table": "pharos check"}
        with translated(database) as connection, connection.begin() as transaction:
            connection.execute(sa.insert(table_updates).values(row))
            transaction.rollback()
        altered, foreign = store.altered(database), store.foreign(database)
        unconverted, unreadable = store.unconverted(database), store.unreadable(database)
    except PharosError as error:
        yield fails(f"{setting}: may not be written: {error}")
    else:
        yield works(f"{setting}: answers, has the tables of this release, can be written")
        for table, what in altered.items():
            yield fails(f"{setting}: {table}: {what}. The next `pharos run` makes it right")
        yield from (fails(f"{setting}: {denied}") for denied in unreadable.values())
        for table, statement in unconverted.items():
            yield fails(
                f"{setting}: {table}: its texts cannot hold every character. `pharos store upgrade` converts "
                f"it, or an administrator does: {statement};"
            )
        for table in sorted(foreign):
            yield fails(f"{setting}: {ForeignRows(table)}")
    finally:
        database.dispose()
