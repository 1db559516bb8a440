"""A lake to read logs into, and a look at what is in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pharos.engine import Engine
from pharos.lake.ingest import Ingested, ingest
from pharos.lake.lake import Lake
from pharos.lake.logs import discover, named_sources
from pharos.lake.places import lake_at
from pharos.lake.quarantine import quarantined_lines
from pharos.lake.status import LakeStatus, lake_status

# The superuser may read and write everything; without these abilities it is like anybody.
AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"] if os.geteuid() == 0 else []
NOW = datetime(2024, 6, 1)


@dataclass(frozen=True)
class Place:
    """A lake and an engine that fills it."""

    root: Path
    engine: Engine
    url: str | None = None
    """Where the lake lies, if that is not `root`."""

    @property
    def lake(self) -> Lake:
        """The lake as it is now."""
        return Lake(self.root) if self.url is None else lake_at(self.url, self.root)

    def read(self, *paths: Path | str, now: datetime = NOW) -> Ingested:
        """Ingest these files, folders or URLs once."""
        lake = self.lake
        with lake.locked():
            return ingest(lake, self.engine, discover(named_sources(map(str, paths))), now)

    @property
    def status(self) -> LakeStatus:
        """What the lake says of itself."""
        return lake_status(self.lake, NOW)

    def events(self, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """All events, ordered by source and line."""
        files = self.lake.events()
        if not files:
            return []
        tables = [pq.ParquetFile(file).read(columns) for file in files]
        rows: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist()
        return sorted(rows, key=lambda row: (row["source"], row["line"])) if columns is None else rows

    def quarantine(self) -> list[tuple[int, str, bytes]]:
        """(line, reason, bytes) of what is no event."""
        return [(line.line, line.reason, line.data) for line in quarantined_lines(self.lake)]
