"""The first stage of a run: new lines of the logs into the lake. Loads no library of the later stages."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from pharos.config import LogSource, Settings
from pharos.engine import Workers, open_workers
from pharos.errors import ConfigurationError
from pharos.lake import ingest, quarantine
from pharos.lake.ingest import Ingested
from pharos.lake.lake import Lake
from pharos.lake.logs import LogFile, discover, named_sources
from pharos.lake.places import lake_of
from pharos.pipeline import clock

NO_LOGS = ConfigurationError("logs.sources: no logs are named; name some in pharos.yaml or give --logs PATH")

OnProgress = Callable[[str, int, int], None]
"""Told the stage's name and how much of how much of it is done."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """A progress callback that does nothing."""


def sources(settings: Settings, paths: Iterable[str]) -> dict[str, LogSource]:
    """The logs to read: the given files, folders or globs, or else the configured sources."""
    named = list(paths)
    return named_sources(named) if named else settings.logs.sources


def ingest_only(settings: Settings, *, logs: Iterable[str] = (), progress: OnProgress = silent) -> Ingested:
    """Ingest the new lines of the logs into the lake; compute nothing. Raises PharosError."""
    named = sources(settings, logs)
    if not named:
        raise NO_LOGS
    files = discover(named)
    with locked_lake(settings) as lake:
        clock.check(lake, now())
        workers = open_workers(settings.engine, lake.staging / "spill")
        try:
            return ingest_files(lake, workers, files, progress)
        finally:
            workers.close()


def ingest_files(lake: Lake, workers: Workers, files: list[LogFile], progress: OnProgress) -> Ingested:
    """Ingest the new lines of these files; the lake must be locked."""
    return ingest.ingest(
        lake, workers, files, now(), lambda done, total: progress("Reading logs", done, total)
    )


def retry_quarantine(settings: Settings) -> int:
    """Parse the quarantined lines again; return the number that are now events. Raises PharosError."""
    with locked_lake(settings) as lake:
        return quarantine.retry(lake, now())


def now() -> datetime:
    """UTC, naive."""
    return datetime.now(UTC).replace(tzinfo=None)


def known_lake(settings: Settings, *, is_read: bool = True) -> Lake:
    """An existing lake, see `Lake`; a misspelt home creates none. Raises ConfigurationError."""
    if settings.lake_url is None and not settings.lake.is_dir():
        home = settings.home.absolute()
        raise ConfigurationError(
            f"home: {home} has no lake; name the home that has one (--home), or begin with `pharos run`"
        )
    return lake_of(settings, is_read=is_read)


@contextmanager
def locked_lake(settings: Settings) -> Iterator[Lake]:
    """The lake under its exclusive lock; its staging folder is removed at the end."""
    lake = lake_of(settings)
    with lake.locked():
        try:
            yield lake
        finally:
            shutil.rmtree(lake.staging, ignore_errors=True)
