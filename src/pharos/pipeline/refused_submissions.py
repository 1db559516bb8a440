"""Counts of submissions and events that are unused or changed, as of the last run.

Read for the status and the problems of the data.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow.compute as pc

from pharos.facts.enrollment import enrollment_event
from pharos.lake.lake import Lake
from pharos.metrics.videos import EVENT
from pharos.pipeline import parted

NO_ENROLLMENT = "no valid course run, learner or mode in the payload"


def submissions_by_reason(lake: Lake) -> Counter[str]:
    """Number of submissions by the reason why they give no answers; usable submissions have the reason ""."""
    found: Counter[str] = Counter()
    for row in _rows(lake, "refused_submissions", "date", ["reason", "count"]):
        found[row["reason"]] += row["count"]
    return found


def video_events_by_reason(lake: Lake) -> Counter[str]:
    """Number of video events by the reason why they are not used; used events have the reason ""."""
    found: Counter[str] = Counter()
    for row in _rows(lake, "video_event_use", "course_id", ["kind", "reason", "count"]):
        if row["kind"] == EVENT:
            found[row["reason"]] += row["count"]
    return found


def changed_modes(lake: Lake) -> int:
    """The number of enrollment events whose mode was cut or had a NUL character replaced."""
    table = parted.load(lake.root / "facts" / enrollment_event.name)
    rows = parted.live_rows(table, "date", ["is_mode_changed"])
    return pc.sum(rows["is_mode_changed"].cast("int64")).as_py() or 0


def enrollment_events_by_use(lake: Lake) -> Counter[str]:
    """Number of enrollment events: used ones under "", unused ones under NO_ENROLLMENT."""
    found: Counter[str] = Counter()
    for row in _rows(lake, "enrollment_event_use", "date", ["events", "used"]):
        found += Counter({"": row["used"], NO_ENROLLMENT: row["events"] - row["used"]})
    return found


def _rows(lake: Lake, name: str, by: str, columns: list[str]) -> list[dict[str, Any]]:
    """The rows of a result whose parts are the values of this column."""
    table = parted.load(lake.root / "results" / name)
    rows: list[dict[str, Any]] = parted.live_rows(table, by, columns).to_pylist()
    return rows
