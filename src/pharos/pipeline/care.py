"""Maintenance of the lake: finding damage, and repairing it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import partial

from pharos import geolocation
from pharos.config import Settings
from pharos.engine import open_workers
from pharos.lake import repair, salvage, verify
from pharos.lake.logs import discover
from pharos.lake.repair import Repaired
from pharos.lake.salvage import Rebuilt
from pharos.lake.verify import Verified
from pharos.pipeline.ingestion import OnProgress, known_lake, now, silent, sources

MEGABYTE = 1_000_000


def verify_lake(
    settings: Settings, *, megabytes: int | None = None, progress: OnProgress = silent
) -> Verified:
    """Compare files of the lake with their recorded checksums: all files, or about `megabytes` of them.

    Raises PharosError.
    """
    return verify.verify(
        known_lake(settings), now(),
        slice_bytes=None if megabytes is None else megabytes * MEGABYTE,
        report=lambda done, total: progress("Verifying files", done, total),
    )  # fmt: skip


def repair_lake(
    settings: Settings, *, logs: Iterable[str] = (), accept_loss: bool = False, progress: OnProgress = silent
) -> Repaired:
    """Restore damaged files from the logs, at the paths in the ledger and in the settings.

    Raises PharosError.
    """
    named = sources(settings, logs)
    files = discover(named) if named else []
    countries = str(settings.geolocation.database or geolocation.SHIPPED)
    lake = known_lake(settings)
    with lake.alone():
        workers = open_workers(settings.engine, lake.staging / "spill")
        try:
            return repair.repair(
                lake, workers, files, now(),
                in_place=partial(
                    geolocation.in_place_of_addresses, countries, settings.geolocation.private_country
                ),
                accept_loss=accept_loss,
                report=lambda done, total: progress("Reading logs again", done, total),
            )  # fmt: skip
        finally:
            workers.close()
            shutil.rmtree(lake.staging, ignore_errors=True)


def rebuild_lake(settings: Settings, *, progress: OnProgress = silent) -> Rebuilt:
    """Make a new ledger if the old one is damaged. Raises PharosError."""
    return salvage.rebuild(
        known_lake(settings, is_read=False),
        now(),
        lambda done, total: progress("Reading data files", done, total),
    )
