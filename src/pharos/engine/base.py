"""What the other rooms may ask of an engine, in words that name none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import ibis
import pyarrow as pa

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """Computes Ibis tables and spreads Python work over processors or hosts."""

    name: str

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """The function's results in the order of the items, computed in parallel.

        The function and its items are pickled; it may run on another host that sees the same files.
        """

    def read(self, files: Sequence[Path], schema: pa.Schema) -> ibis.Table:
        """Parquet files as one table of this schema; an empty table for no files.

        A column of the schema that the files lack is read from their folders' names (`date=2024-03-01`).
        """

    def table(self, rows: pa.Table) -> ibis.Table:
        """Rows in memory as a table."""

    def fetch(self, table: ibis.Table) -> pa.Table:
        """The table's rows, brought into this process."""

    def write_partitions(
        self, table: ibis.Table, folder: Path, by: str, order: Sequence[str]
    ) -> dict[str, Path]:
        """Write one Parquet file per value of the column `by`, rows in the given total order.

        Returns the files by the value's text. The column `by` itself is not in the files.
        """

    def close(self) -> None:
        """Let go of memory, processes and connections."""
