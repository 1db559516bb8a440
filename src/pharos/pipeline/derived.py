"""Removes damaged files of facts and results; the run then computes them anew."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from pharos.lake.damage import DERIVED
from pharos.lake.lake import Lake
from pharos.lake.safely import is_whole
from pharos.lake.verify import derived_files, record
from pharos.telemetry.logs import visible

log = logging.getLogger(__name__)


def remove_found(lake: Lake) -> bool:
    """Remove the damaged derived files that `pharos lake verify` has found; True if there were any."""
    found = [one.path for one in record(lake).damaged if one.path.startswith(DERIVED)]
    return _remove(lake.root / path for path in found)


def remove_damaged(lake: Lake) -> bool:
    """Read all derived files and remove the damaged ones; True if there were any."""
    return _remove(derived_files(lake))


def _remove(paths: Iterable[Path]) -> bool:
    damaged = [path for path in paths if not is_whole(path)]
    for path in damaged:
        path.unlink(missing_ok=True)
        log.warning("%s: was damaged on disk; it is removed and made anew", visible(str(path)))
    return bool(damaged)
