"""The lines that are no events, for a person to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.parquet as pq

from pharos.lake.lake import Lake
from pharos.lake.parse import Reason


@dataclass(frozen=True)
class QuarantinedLine:
    """A line that is no event."""

    source: str
    line: int
    reason: str
    text: str  # bytes that are no UTF-8 as U+FFFD


def quarantined_lines(lake: Lake) -> Iterator[QuarantinedLine]:
    """All of them, in the order in which they were read; then the cut-off last lines of logs."""
    for path in lake.quarantine():
        for row in pq.read_table(path).to_pylist():
            yield QuarantinedLine(
                row["source"], row["line"], row["reason"], row["bytes"].decode(errors="replace")
            )
    for log in lake.state.logs.values():
        if log.tail is not None:
            yield QuarantinedLine(log.names[-1], log.lines, Reason.INCOMPLETE, log.tail)
