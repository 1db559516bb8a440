"""Tables in parts: Parquet files that hold the rows of many parts, and a manifest that names them.

A fact is split by UTC day, a result by course run, day or week (`Metric.by`). For each part the manifest
names the file with its rows, a fingerprint of its inputs and a digest of its rows. A run computes the parts
whose inputs changed into one new file and writes a new manifest; the replaced rows stay in their old files,
unread, until files are merged. So the cost of a run grows with the number of changed parts. Writing the
manifest is the commit: a reader sees the old table or the new one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis.expr.types import StringValue

from pharos.engine import Engine
from pharos.lake.safely import is_whole, move_sealed

MANIFEST = "manifest.parquet"
PARTS = pa.schema(
    [
        ("part", pa.string()),  # a course id, or a date; empty where the table is one part
        ("inputs", pa.string()),  # fingerprint of the rows' inputs
        ("rows", pa.int64()),
        ("digest", pa.int64()),  # of the rows, in any order; 0 if there are none
        ("file", pa.string()),  # name in the folder; empty for no rows
    ]
)
MOST_FILES = 24  # reading one more file costs a millisecond
MERGED_AT_ONCE = (
    16  # the smallest ones, so that each row is rewritten a number of times that grows as a logarithm
)

PartOf = Callable[[ibis.Table], StringValue]
"""The part of each row of a table, as text."""


@dataclass(frozen=True, kw_only=True)
class Parted:
    """A table in parts as its manifest describes it. `made_of`: inputs that all parts share (code, engine,
    …).
    """

    folder: Path
    made_of: Mapping[str, str] = field(default_factory=dict)
    parts: pa.Table = field(default_factory=PARTS.empty_table)  # columns of PARTS, sorted by part
    files: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)  # name -> rows, bytes, mtime (ns)

    def path(self, file: str) -> Path:
        """The path of a file of this table."""
        return self.folder / file

    @property
    def rows(self) -> int:
        """The number of rows of all parts."""
        return pc.sum(self.parts["rows"]).as_py() or 0

    def only(self, keep: pa.Array) -> Parted:
        """The table without the parts for which the mask is false."""
        return replace(self, parts=self.parts.filter(keep))


def load(folder: Path, manifest: str = MANIFEST) -> Parted:
    """The table as its manifest describes it, without parts whose file is missing or damaged.

    Empty without a manifest. A file is read completely and checked if its size or time has changed since it
    was written.
    """
    path = folder / manifest
    if not is_whole(path):
        return Parted(folder=folder)
    stored = pq.ParquetFile(path).read()
    told = json.loads(stored.schema.metadata[b"pharos"])
    found = {name: _found(folder / name, *known) for name, known in told["files"].items()}
    good = {name: known for name, known in found.items() if known is not None}
    parts = stored.replace_schema_metadata(None).cast(PARTS)
    keep = pc.is_in(parts["file"], pa.array([*good, ""], pa.string()))
    return Parted(folder=folder, made_of=told["made_of"], parts=parts.filter(keep), files=good)


def save(table: Parted, manifest: str = MANIFEST) -> None:
    """Write the manifest; this commits the table."""
    used = set(pc.unique(table.parts["file"]).to_pylist())
    files = {name: known for name, known in table.files.items() if name in used}
    told = json.dumps({"made_of": dict(table.made_of), "files": files})
    parts = table.parts.sort_by("part").replace_schema_metadata({b"pharos": told.encode()})
    temporary = table.folder / f".{manifest}.tmp"
    table.folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(parts, temporary, compression="zstd")
    move_sealed([(temporary, table.folder / manifest)])


def remove_unused(folder: Path, kept: Iterable[Parted], manifests: Iterable[str]) -> None:
    """Remove all files of a folder except these manifests and the files of these tables."""
    names = {*manifests, *(name for table in kept for name in pc.unique(table.parts["file"]).to_pylist())}
    for path in folder.glob("*"):
        if (
            path.is_file()
            and path.name.removesuffix(SIDE) + ".parquet" not in names
            and path.name not in names
        ):
            path.unlink()


SIDE = ".digests"  # ends the name of the file beside a file, see `pharos.pipeline.facts`


def added(table: Parted, staged: Path, name: str, parts: pa.Table) -> Parted:
    """The table with the rows of a staged file added as `parts` (columns of PARTS except `file`).

    The staged file is moved into the table's folder under `name`. Parts without rows have no file; a staged
    file without rows is removed. The manifest is not saved.
    """
    rows = pc.sum(parts["rows"]).as_py() or 0
    files = dict(table.files)
    if rows:
        move_sealed([(staged, table.path(name))])
        stat = table.path(name).stat()
        files[name] = (rows, stat.st_size, stat.st_mtime_ns)
    else:
        staged.unlink(missing_ok=True)
    column = pc.if_else(pc.greater(parts["rows"], 0), name, "")
    new = parts.append_column("file", column).select(PARTS.names).cast(PARTS)
    old = table.parts.filter(pc.invert(pc.is_in(table.parts["part"], _values(new["part"]))))
    return replace(table, parts=pa.concat_tables([old, new]), files=files)


def read(
    engine: Engine, table: Parted, schema: pa.Schema, part_of: PartOf, chosen: pa.Array | None = None
) -> ibis.Table:
    """The rows of the table, of all parts or of the given ones."""
    parts = table.parts.filter(pc.greater(table.parts["rows"], 0))
    if chosen is not None:
        parts = parts.filter(pc.is_in(parts["part"], value_set=_values(chosen)))
    whole, pieces = [], []
    live = parts.group_by("file").aggregate([("rows", "sum")]).to_pylist()
    for file in sorted(live, key=lambda row: str(row["file"])):
        name = file["file"]
        if file["rows_sum"] == table.files[name][0]:
            whole.append(table.path(name))
        else:
            names = parts.filter(pc.equal(parts["file"], name)).select(["part"])
            rows = engine.read([table.path(name)], schema)
            pieces.append(of_parts(engine, rows, part_of, names))
    if whole or not pieces:
        pieces.insert(0, engine.read(whole, schema))
    return ibis.union(*pieces) if len(pieces) > 1 else pieces[0]


def live_rows(table: Parted, by: str, columns: Sequence[str]) -> pa.Table:
    """These columns of the valid rows, read without an engine; null if a file lacks a column.

    Rows of a damaged file are left out: the next run computes them anew. `by` is the column whose values, as
    text, are the parts.
    """
    live = table.parts.filter(pc.greater(table.parts["rows"], 0))
    pieces = []
    for name in filter(lambda each: is_whole(table.path(each)), sorted(pc.unique(live["file"]).to_pylist())):
        parts = live.filter(pc.equal(live["file"], name))["part"].combine_chunks()
        file = pq.ParquetFile(table.path(name))
        rows = file.read([each for each in file.schema_arrow.names if each in {by, *columns}])
        kept = rows.filter(pc.is_in(rows[by].cast(pa.string()), value_set=parts))
        pieces.append(kept.select([each for each in kept.column_names if each in columns]))
    empty = pa.table({each: pa.nulls(0) for each in columns})
    return pa.concat_tables([empty, *pieces], promote_options="default")


def of_parts(engine: Engine, rows: ibis.Table, part_of: PartOf, parts: pa.Table) -> ibis.Table:
    """The rows of these parts (a table with the column `part`)."""
    named = rows.mutate(part=part_of(rows))
    return named.semi_join(engine.table(parts.select(["part"]).combine_chunks()), "part").drop("part")


def merged(
    engine: Engine,
    table: Parted,
    schema: pa.Schema,
    part_of: PartOf,
    order: list[str],
    name: str,
    most_dead: float = 0.5,
) -> Parted:
    """The table with its smallest files merged into a file called `name`, if it has too many; else unchanged.

    Files of which more than the share `most_dead` of the rows was replaced are merged too.
    """
    live = {
        row["file"]: row["rows_sum"]
        for row in table.parts.group_by("file").aggregate([("rows", "sum")]).to_pylist()
    }
    live.pop("", None)
    chosen = {file for file, rows in live.items() if rows < table.files[file][0] * (1 - most_dead)}
    if len(live) > MOST_FILES:
        chosen |= set(sorted(live, key=lambda file: table.files[file])[:MERGED_AT_ONCE])
    if not chosen:
        return table
    parts = table.parts.filter(pc.is_in(table.parts["file"], pa.array(sorted(chosen))))
    staged = table.folder / f".{name}.tmp"
    engine.write(read(engine, replace(table, parts=parts), schema, part_of), staged, order)
    return added(table, staged, name, parts.drop_columns("file"))


DIGESTS = pa.schema(
    [("part", pa.string()), ("rows", pa.int64()), ("digest", pa.int64()), ("most_of_key", pa.int64())]
)


def digests(
    engine: Engine, file: Path, schema: pa.Schema, part_of: PartOf, key: Sequence[str] = ()
) -> pa.Table:
    """The digests of a file's rows by part, see `Engine.digests`; an empty table for a file without rows.

    The engine is not called for empty files: most results of a small site have no rows.
    """
    if not pq.read_metadata(file).num_rows:
        return DIGESTS.empty_table()
    rows = engine.read([file], schema)
    return engine.digests(rows.mutate(part=part_of(rows)), ["part"], key)


def counted(part_digests: pa.Table, wanted: pa.Table) -> pa.Table:
    """The parts `wanted` (part, inputs) with the rows and digest of `part_digests` (part, rows, digest)."""
    joined = wanted.join(part_digests, "part", join_type="left outer").select(
        ["part", "inputs", "rows", "digest"]
    )
    for name in ("rows", "digest"):
        index = joined.schema.get_field_index(name)
        joined = joined.set_column(index, name, pc.fill_null(joined[name], pa.scalar(0, pa.int64())))
    return joined


def changed(table: Parted, wanted: pa.Table) -> pa.Array:
    """The parts of `wanted` (columns part, inputs) that the table lacks or computed from other inputs."""
    known = table.parts.select(["part", "inputs"]).rename_columns(["part", "known"])
    joined = wanted.join(known, "part", join_type="left outer")
    is_same = pc.fill_null(pc.equal(joined["inputs"], joined["known"]), False)
    return _values(joined.filter(pc.invert(is_same))["part"])


def without(table: Parted, wanted: pa.Array | pa.ChunkedArray) -> Parted:
    """The table without parts that are no longer wanted."""
    return table.only(pc.is_in(table.parts["part"], value_set=_values(wanted)))


def _values(column: Any) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _found(path: Path, rows: int, size: int, mtime_ns: int) -> tuple[int, int, int] | None:
    """The rows, bytes and mtime (ns) of a file; None if the file is missing or damaged."""
    try:
        stat = path.stat()
    except OSError:
        return None
    now = rows, stat.st_size, stat.st_mtime_ns
    return now if now == (rows, size, mtime_ns) or is_whole(path) else None
