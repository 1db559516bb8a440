"""How far the events and the LMS agree about enrollments, as computed last; read for the status."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow.parquet as pq

from pharos.lake.lake import Lake
from pharos.lake.safely import is_whole


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """A course run; the fields are the columns of the result table `enrollment_reconciliation`."""

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
        """Learners who differ, by reason; only reasons there are."""
        reasons = ("only_in_lms", "only_in_events", "active_in_lms", "active_in_events", "other_mode")
        return {reason: count for reason in reasons if (count := getattr(self, reason))}


def reconciled(lake: Lake) -> list[Reconciled]:
    """Every course run that one of the two knows of, in order; none before the LMS's table was imported."""
    files = [
        path
        for path in (lake.root / "results" / "enrollment_reconciliation").glob("*.parquet")
        if is_whole(path)  # else the next run makes it anew
    ]
    rows = pq.ParquetFile(files[0]).read().to_pylist() if files else []
    return [Reconciled(**row) for row in rows]
