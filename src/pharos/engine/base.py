"""The interface that every engine offers to the other packages. It names no engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:  # not needed for reading logs, which starts half a second earlier without
    import ibis
    import pyarrow as pa
    from ibis.expr.types import StringValue

    from pharos.database_addresses import DatabaseAddress

Item = TypeVar("Item")
Output = TypeVar("Output")
TextFunction = Callable[[Sequence[str | None]], list[str | None]]
"""Gives for each of many texts another one."""


@dataclass(frozen=True)
class Copied:
    """Counts of the rows that were copied from a table."""

    rows: int
    malformed: int
    """Rows left out because they lack what they must have, or with a value read as null for not fitting."""


class Database(Protocol):
    """A database open for reading; all tables are read as of one moment if its kind supports that.

    All methods raise LMSDatabaseFailed; another table may still be readable then.
    """

    def columns(self, table: str) -> set[str]:
        """Names of the table's columns; empty if the table does not exist."""

    def probe(self, table: str, schema: pa.Schema) -> None:
        """Read the columns of `schema` of one row, if there is a row. Also raises if a column is missing."""

    def copy(
        self, table: str, schema: pa.Schema, target: Path, since: tuple[str, datetime | int] | None = None
    ) -> Copied:
        """Write the columns of `schema`, which must exist, to one Parquet file, in types of `schema`.

        `since`: a column and a moment (UTC) or number; only rows with this or a later value are copied.
        """


class Workers(Protocol):
    """Runs Python functions in parallel, in processes or on hosts."""

    def map(self, function: Callable[[Item], Output], items: Sequence[Item]) -> Iterator[Output]:
        """The function's results in the order of the items, computed in parallel.

        The function and its items are pickled; the function may run on another host that sees the same files.
        It is imported by its module, which must not be the program itself.
        """

    def close(self) -> None:
        """Free memory, processes and connections."""


class Engine(Workers, Protocol):
    """Computes Ibis tables. All methods raise EngineFailed with the engine's own reason and a remedy."""

    name: str

    def semantics(self) -> Mapping[str, str]:
        """Everything besides our code that decides the value of an expression; part of the fingerprints.

        The empty name maps to the versions of the engine and of Ibis (major and minor); the name of a
        function of `engine.functions` maps to this engine's translation of it.
        """

    def read(self, files: Sequence[Path], schema: pa.Schema) -> ibis.Table:
        """Parquet files as one table of this schema; an empty table for no files.

        A column that a file lacks is null in the rows of that file. Values are never read from names of
        folders.
        """

    def table(self, rows: pa.Table) -> ibis.Table:
        """Rows in memory as a table."""

    def fetch(self, table: ibis.Table) -> pa.Table:
        """The table's rows as Arrow in this process; for few rows only."""

    def function(self, of_texts: TextFunction) -> Callable[[StringValue], StringValue]:
        """Make a Python function of texts callable on Ibis expressions.

        It is pickled, and runs where the rows are, on a batch of them per call.
        """

    def write(self, table: ibis.Table, target: Path, order: Sequence[str] = ()) -> None:
        """Write a table to one Parquet file, sorted by these columns, in bounded memory."""

    def digests(self, table: ibis.Table, by: Sequence[str], key: Sequence[str] = ()) -> pa.Table:
        """The number of rows and their digest for each value of the columns `by`.

        Columns: those of `by`, rows int64, digest int64; with a `key` also most_of_key int64, the greatest
        number of rows with the same key. The digest changes with any value of any row, and does not depend on
        the order of rows.
        """

    def digest(self, file: Path) -> str:
        """A short text that identifies the rows of a Parquet file, independent of their order."""

    def database(self, address: DatabaseAddress) -> AbstractContextManager[Database]:
        """Open a database for reading."""


def release(library: ModuleType) -> str:
    """Major and minor version of a library: patch releases do not change what an expression means."""
    return ".".join(str(library.__version__).split(".")[:2])
