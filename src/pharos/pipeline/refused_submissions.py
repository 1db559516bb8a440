"""Submissions and events of video players that are not used, as counted by the last run; read for the
problems of the data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pharos.lake.lake import Lake
from pharos.metrics.videos import EVENT
from pharos.pipeline import parted


def submissions_by_reason(lake: Lake) -> Counter[str]:
    """Submissions by the reason why they tell no answers; those that do tell them under the empty text."""
    found: Counter[str] = Counter()
    for row in _rows(lake, "refused_submissions", "date"):
        found[row["reason"]] += row["count"]
    return found


def video_events_by_reason(lake: Lake) -> Counter[str]:
    """Events of video players by the reason why they are not used; those that are under the empty text."""
    found: Counter[str] = Counter()
    for row in _rows(lake, "video_event_use", "course_id"):
        if row["kind"] == EVENT:
            found[row["reason"]] += int(row["count"])  # DuckDB writes sums as it adds them up: as doubles
    return found


def _rows(lake: Lake, name: str, by: str) -> Iterator[dict[str, Any]]:
    """The rows of a result that falls apart by this column."""
    table = parted.load(lake.root / "results" / name)
    live = table.parts.filter(pc.greater(table.parts["rows"], 0)).to_pylist()
    for file in sorted({part["file"] for part in live}):
        parts = {part["part"] for part in live if part["file"] == file}
        rows = pq.ParquetFile(table.path(file)).read().to_pylist()
        yield from (row for row in rows if str(row[by]) in parts)
