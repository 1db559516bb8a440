"""Finds the events of a landing that the lake already holds, by comparing ids with files of the same time.

Equal events have equal times, so only files of the same day with overlapping times are compared. Ids are kept
sorted in memory during an ingestion, because on a day of many logs each file is compared with all earlier
ones.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pharos.lake import damage
from pharos.lake.columns import Numbers
from pharos.lake.data_files import read_ids
from pharos.lake.ledger import DataFile
from pharos.lake.place import Place

KEPT_EVENTS = 8_000_000  # whose ids are kept, 24 bytes each


@dataclass(frozen=True)
class Ids:
    """Sorted ids of a data file's events, as two halves, and the row of each."""

    high: Numbers
    low: Numbers
    rows: Numbers

    def are_in(self, others: Ids) -> Numbers:
        """A boolean per row: true if its id is among `others`."""
        is_known = np.zeros(len(self.rows), np.bool_)
        if not len(others.high):
            return is_known
        found = np.minimum(np.searchsorted(others.high, self.high), len(others.high) - 1)
        alike = np.flatnonzero(others.high[found] == self.high)
        is_equal = others.low[found[alike]] == self.low[alike]
        if not is_equal.all():  # ids that differ in their second half only: one in many millions of logs
            pairs = set(zip(others.high.tolist(), others.low.tolist(), strict=True))
            of_alike = zip(self.high[alike].tolist(), self.low[alike].tolist(), strict=True)
            is_equal = np.array([pair in pairs for pair in of_alike], np.bool_)
        is_known[self.rows[alike[is_equal]]] = True
        return is_known


def in_order(ids: Numbers) -> Ids:
    """Sort ids, given as rows of two unsigned halves."""
    high, low = ids.astype(np.uint64).T
    rows = np.argsort(high)
    return Ids(high[rows], low[rows], rows)


class KnownIds:
    """A cache of the ids of data files that are likely to be needed again."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, Ids] = OrderedDict()  # by path, in the lake relative to it
        self._events = 0

    def of(self, path: Path) -> Ids:
        """The ids of a staged file's events."""
        return self._of(str(path), lambda: path)

    def of_lake(self, place: Place, file: DataFile) -> Ids:
        """The ids of the events of a file of the lake. Raises DataFilesDamaged."""

        def checked() -> Path:
            damage.check(place, [file])
            return place.local(file.path)

        return self._of(file.path, checked)

    def _of(self, name: str, found: Callable[[], Path]) -> Ids:
        ids = self._files.pop(name, None)
        if ids is None:
            ids = in_order(read_ids(found()))
            self._events += len(ids.rows)
        self._files[name] = ids
        while self._events > KEPT_EVENTS and len(self._files) > 1:
            _, oldest = self._files.popitem(last=False)
            self._events -= len(oldest.rows)
        return ids

    def move(self, old: Path, new: str) -> None:
        """Record that a staged file now has a path in the lake."""
        if str(old) in self._files:
            self._files[new] = self._files.pop(str(old))

    def forget(self, path: Path) -> None:
        """Drop a file's ids, because the file is rewritten."""
        ids = self._files.pop(str(path), None)
        self._events -= 0 if ids is None else len(ids.rows)
