"""Agreement between events and LMS about enrollments, as computed by the last run; read for the status."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pharos.lake.lake import Lake
from pharos.pipeline import parted


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """A row of the result table `enrollment_reconciliation`."""

    course_id: str
    events_count: int
    lms_count: int
    only_in_lms: int
    only_in_events: int
    active_in_lms: int
    active_in_events: int
    other_mode: int

    @property
    def differences(self) -> dict[str, int]:
        """The number of learners who differ, by reason; without reasons that do not occur."""
        reasons = ("only_in_lms", "only_in_events", "active_in_lms", "active_in_events", "other_mode")
        return {reason: count for reason in reasons if (count := getattr(self, reason))}


def reconciled(lake: Lake) -> list[Reconciled]:
    """Every course run known from events or LMS, in order; empty before the LMS's table was imported."""
    table = parted.load(lake.root / "results" / "enrollment_reconciliation")
    live = table.parts.filter(pc.greater(table.parts["rows"], 0)).to_pylist()
    found = []
    for name in sorted({part["file"] for part in live}):
        courses = {part["part"] for part in live if part["file"] == name}
        rows = pq.ParquetFile(table.path(name)).read().to_pylist()
        found += [Reconciled(**row) for row in rows if row["course_id"] in courses]
    return sorted(found, key=lambda course: course.course_id)
