"""The live tail: notices that logs have grown, without reading them."""

from __future__ import annotations

import time
from collections.abc import Mapping

from pharos.config import LogSource
from pharos.lake.logs import discover

UNCHANGED_S = 15 * 60  # then a run follows without new lines: results say for which time they hold
LONGEST_WAIT_S = 15 * 60  # after failures


class Tail:
    """The state of the logs at the last ingestion, and the time of the next look."""

    NAME = "live tail"  # as a job; no job of the settings can have this name

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s
        self.failures = 0  # in a row
        self._seen: frozenset[tuple[str, int, int]] | None = None
        self._next, self._done = 0.0, -float(UNCHANGED_S)
        self._moved = time.monotonic()  # when logs were last looked at or read with success, or it began

    @property
    def wait_s(self) -> float:
        """Seconds until the next look."""
        return max(0.0, self._next - time.monotonic())

    @property
    def standing_s(self) -> float:
        """Seconds for which unread lines have waited."""
        return time.monotonic() - self._moved

    def look(self, sources: Mapping[str, LogSource]) -> frozenset[tuple[str, int, int]] | None:
        """The state of the logs if a run is due, because they changed or the last run is long ago. Else None.

        Raises NoSuchLogs.
        """
        self._next = time.monotonic() + self.every_s
        found = frozenset((file.path, file.size, file.mtime_ns) for file in discover(dict(sources)))
        is_due = found != self._seen or time.monotonic() - self._done > UNCHANGED_S
        if not is_due:
            self._moved = time.monotonic()
        return found if is_due else None

    def read(self, seen: frozenset[tuple[str, int, int]]) -> None:
        """Record that a run has read the logs; `seen` is their state before it began."""
        self._seen, self._done, self.failures = seen, time.monotonic(), 0
        self._moved = self._done

    def failed(self) -> None:
        """Record that a run or a look failed: wait longer each time."""
        self.failures += 1
        wait = min(self.every_s * 2 ** min(self.failures, 20), LONGEST_WAIT_S)
        self._next = time.monotonic() + wait
