"""What the lake holds of the LMS: per table `lms/<table>/<name>.parquet` and `lms/<table>/snapshot.json`.

The JSON file names the Parquet file that counts; replacing it is the commit. A table that could not be read
keeps its last good snapshot, and the JSON file says what went wrong and when.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from pharos.lake.lake import Lake
from pharos.lms.tables import ALL, ANSWERS, TABLES

NEVER = "never imported"


class Snapshot(Struct, kw_only=True, frozen=True):
    """A table as it was between two moments (UTC)."""

    file: str
    """Parquet file in the table's folder."""
    columns: list[str]
    rows: int
    malformed: int
    """Rows left out or with values read as null, because they did not fit."""
    digest: str
    """Stands for the rows: equal for equal rows in any order."""
    source: str
    """The database, without user and password."""
    started: datetime
    finished: datetime
    newest: datetime | None = None
    """For a table read by changes: the latest `modified` of its rows."""
    compared: datetime | None = None
    """For a table read by changes: when it was last read whole, or its ids compared."""
    remark: str | None = None
    """What a person should know of the rows, though nothing is wrong with them."""


class TableState(Struct, kw_only=True, frozen=True):
    """What is known of one table."""

    table: str
    snapshot: Snapshot | None = None
    problem: str | None = None
    """Why the last attempt failed; the snapshot is then an older one.

    Without a snapshot and a problem: the LMS has no such table, and need not have it.
    """
    attempted: datetime | None = None

    def is_newer(self, moment: datetime) -> bool:
        """Whether all of it was read after a moment."""
        return self.problem is None and self.snapshot is not None and self.snapshot.started > moment


def state(lake: Lake, table: str) -> TableState:
    """What is known of a table."""
    try:
        return msgspec.json.decode((folder(lake, table) / "snapshot.json").read_bytes(), type=TableState)
    except FileNotFoundError:
        return TableState(table=table)
    except msgspec.MsgspecError as error:
        return TableState(table=table, problem=f"snapshot.json cannot be read ({error}); import again")


def states(lake: Lake) -> list[TableState]:
    """What is known of every table that was ever asked for."""
    return [found for table in TABLES | ANSWERS if (found := state(lake, table)).attempted or found.problem]


def problems(tables: Iterable[TableState]) -> dict[str, list[str]]:
    """Why tables could not be read, or not wholly: the tables by their reason, as many may have the same."""
    found: dict[str, list[str]] = {}
    for table in tables:
        if table.problem:
            found.setdefault(table.problem, []).append(table.table)
    return found


def fingerprint(lake: Lake, table: str) -> str:
    """Changes exactly when the rows or columns do; for staleness."""
    snapshot = state(lake, table).snapshot
    return f"{snapshot.digest} {' '.join(snapshot.columns)}" if snapshot else NEVER


def rows(lake: Lake, table: str) -> pa.Table:
    """The rows of a snapshot in memory, for the small ones; see `read`."""
    schema = ALL[table].schema
    snapshot = state(lake, table).snapshot
    if snapshot is None:
        return schema.empty_table()
    stored = pq.read_table(folder(lake, table) / snapshot.file)
    columns = [
        stored[field.name] if field.name in stored.column_names else pa.nulls(stored.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema.names).cast(schema)


def commit(lake: Lake, snapshot: Snapshot, table: str, problem: str | None = None) -> TableState:
    """Make a file that is in the table's folder the one that counts; `problem`: what is not new about it."""
    done = TableState(table=table, snapshot=snapshot, problem=problem, attempted=snapshot.started)
    put(lake, done)
    return done


def failed(lake: Lake, table: str, problem: str) -> TableState:
    """Keep the last snapshot of a table and say why there is no new one."""
    kept = TableState(table=table, snapshot=state(lake, table).snapshot, problem=problem, attempted=now())
    put(lake, kept)
    return kept


def absent(lake: Lake, table: str) -> TableState:
    """Write down that the LMS does not have a table it need not have."""
    found = TableState(table=table, attempted=now())
    put(lake, found)
    return found


def put(lake: Lake, new: TableState) -> None:
    """Make this what is known of a table, and remove older files."""
    path = folder(lake, new.table) / "snapshot.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(new)))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    for other in path.parent.glob("*.parquet"):
        if new.snapshot is not None and other.name != new.snapshot.file:
            other.unlink()


def folder(lake: Lake, table: str) -> Path:
    """Folder of a table."""
    return lake.root / "lms" / table


def now() -> datetime:
    """UTC, naive."""
    return datetime.now(UTC).replace(tzinfo=None)
