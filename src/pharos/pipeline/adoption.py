"""Adopting a Result Store that another program has filled: `pharos store adopt`."""

from __future__ import annotations

from datetime import date, timedelta

from pharos.config import Settings
from pharos.errors import ConfigurationError
from pharos.lake.lake import Lake
from pharos.lake.schema import FIRST_DAY
from pharos.pipeline.graph import METRICS
from pharos.pipeline.ingestion import locked_lake
from pharos.result_store import adoption, store
from pharos.result_store.adoption import Adoption
from pharos.result_store.connecting import WRITING_S

DAY = timedelta(days=1)


def adopt(settings: Settings, first_day: date | None = None) -> list[Adoption]:
    """Adopt all tables that hold rows of another program and that Pharos computes.

    The next run publishes results of `first_day` and later beside the earlier rows; the default is the lake's
    first whole day. Raises PharosError.
    """
    with locked_lake(settings) as lake:
        first = first_whole_day(lake)
        if first_day is not None and first_day < first:
            raise ConfigurationError(
                f"--from: the lake's first whole day is {first}; Pharos cannot count earlier days"
            )
        store.upgrade(settings.store_url)
        database = store.connect(settings.store_url, wait_s=WRITING_S)
        try:
            computed = {name for name, metric in METRICS.items() if metric.is_published}
            return adoption.adopt(database, store.foreign(database) & computed, first_day or first)
        finally:
            database.dispose()


def undo(settings: Settings) -> list[Adoption]:
    """Put back all rows of the other program in adopted tables, without results beside them. Raises
    PharosError.
    """
    with locked_lake(settings):
        database = store.connect(settings.store_url, wait_s=WRITING_S)
        try:
            return adoption.undo(database)
        finally:
            database.dispose()


def first_whole_day(lake: Lake) -> date:
    """The UTC day after the day of the lake's oldest event, because that day is rarely complete.

    Raises ConfigurationError if the lake has no events.
    """
    days = [day for day, files in lake.state.events.items() if files and day >= FIRST_DAY]
    if not days:
        raise ConfigurationError("The lake is empty: read the logs first (pharos ingest), then adopt.")
    return min(days) + DAY
