"""Submissions that tell no answers, as counted by the last run; read for the problems of the data."""

from __future__ import annotations

from collections import Counter

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pharos.lake.lake import Lake
from pharos.pipeline import parted


def submissions_by_reason(lake: Lake) -> Counter[str]:
    """Submissions by the reason why they tell no answers; those that do tell them under the empty text."""
    found: Counter[str] = Counter()
    table = parted.load(lake.root / "results" / "refused_submissions")
    live = table.parts.filter(pc.greater(table.parts["rows"], 0)).to_pylist()
    for name in sorted({part["file"] for part in live}):
        days = {part["part"] for part in live if part["file"] == name}
        for row in pq.ParquetFile(table.path(name)).read().to_pylist():
            if str(row["date"]) in days:
                found[row["reason"]] += row["count"]
    return found
