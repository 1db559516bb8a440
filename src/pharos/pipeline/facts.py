"""Finds the days whose facts are stale and computes them.

A fact is a table in parts, see `pharos.pipeline.parted`: each UTC day is a part, computed from the day's
events. Beside each file of a fact lies a second one with a digest for each day and course run, or for each
day if the fact has no course column: from these digests the results find their own stale parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis.expr.types import StringValue

from pharos.engine import Engine
from pharos.facts.fact import Fact
from pharos.lake import schema
from pharos.lake.lake import Lake
from pharos.lake.safely import is_whole, move_sealed
from pharos.pipeline import parted
from pharos.pipeline.fingerprints import fingerprint, of_code
from pharos.pipeline.graph import FACTS
from pharos.pipeline.parted import Parted
from pharos.pipeline.scope import Scope

CHUNK_EVENTS = 4_000_000  # computed at once
DIGESTS = pa.schema(
    [("date", pa.date32()), ("part", pa.string()), ("rows", pa.int64()), ("digest", pa.int64())]
)


@dataclass(frozen=True, kw_only=True)
class Stale:
    """The stored table of a fact, the days that must be computed, and the reason."""

    fact: Fact
    table: Parted  # without stale parts
    days: list[date]
    wanted: Mapping[str, str]  # day -> fingerprint of its events
    reason: str
    is_other: bool  # the table differs from its manifest: days or files are gone


def stale(lake: Lake, engine: Engine, scope: Scope) -> list[Stale]:
    """For each fact, the stored table and the days that this run must compute."""
    first, last = schema.FIRST_DAY, scope.last_day
    present = sorted(day for day, files in lake.state.events.items() if files)
    days = [day for day in present if first <= day <= last]
    events = {day: _events_fingerprint(lake, day, scope.until) for day in days}
    forgotten = {day: events[day] + _addresses_fingerprint(lake, day) for day in days}
    return [
        _stale(
            lake, engine, fact, [str(day) for day in present],
            {str(day): text for day, text in (forgotten if "ip" in fact.schema.names else events).items()},
        )
        for fact in FACTS.values()
    ]  # fmt: skip


def _stale(lake: Lake, engine: Engine, fact: Fact, present: list[str], wanted: dict[str, str]) -> Stale:
    semantics = engine.semantics()
    made_of = {"code": of_code([fact.function], semantics), "engine": semantics[""]}
    before = table = parted.load(lake.root / "facts" / fact.name)
    reason = "events changed"
    if table.made_of != made_of:
        reason = changed_code(table.made_of, made_of)
        table = Parted(folder=table.folder, made_of=made_of)
    table = parted.without(table, pa.array(present, pa.string()))
    wish = pa.table(
        {"part": pa.array(list(wanted), pa.string()), "inputs": pa.array(list(wanted.values()), pa.string())}
    )
    days = [date.fromisoformat(day) for day in sorted(parted.changed(table, wish).to_pylist())]
    is_other = table.made_of != before.made_of or table.parts.num_rows != before.parts.num_rows
    return Stale(fact=fact, table=table, days=days, wanted=wanted, reason=reason, is_other=is_other)


def changed_code(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """The reason to compute all parts of a table anew: the shared input that changed."""
    if not before:
        return "never computed"
    if before.get("engine") != now["engine"]:
        return f"engine changed: {before.get('engine')} before, {now['engine']} now"
    if before.get("code") != now["code"]:
        return "code changed"
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return f"{', '.join(names)} changed"


def compute(
    lake: Lake, engine: Engine, found: Stale, scope: Scope, report: Callable[[int], None] = lambda _: None
) -> Parted:
    """Compute the stale days of a fact; `report` gets the number of events of each finished chunk.

    Each chunk is saved when it is finished, so an interrupted run keeps the finished chunks.
    """
    fact, table = found.fact, found.table
    for chunk in _chunks(lake, found.days):
        table = _computed(lake, engine, fact, table, chunk, found.wanted, scope.until)
        parted.save(table)
        report(sum(_rows(lake, day) for day in chunk))
    name = f"{fingerprint(*table.parts['inputs'].to_pylist())}.parquet"
    columns = fact.schema.append(pa.field("date", pa.date32()))
    # An address that shall be forgotten may be in a row that was replaced: such rows go at once.
    most_dead = 0.0 if "ip" in fact.schema.names else 0.5
    merged = parted.merged(engine, table, columns, day_of, _order(fact), name, most_dead)
    if merged is not table:
        _write_digests(engine, fact, merged, name)
    if merged is not found.table or found.is_other:
        parted.save(merged)
    parted.remove_unused(merged.folder, [merged], [parted.MANIFEST])
    return merged


def _computed(
    lake: Lake, engine: Engine, fact: Fact, table: Parted, days: list[date], wanted: Mapping[str, str],
    until: datetime,
) -> Parted:  # fmt: skip
    """The fact, with these days computed from their events."""
    events = dated(engine.read(lake.events(days), schema.EVENTS))
    if max(days) == until.date():
        events = events.filter(events.time < ibis.literal(until))
    texts = [str(day) for day in days]
    inputs = [wanted[text] for text in texts]
    name = f"{fingerprint(table.made_of['code'], *texts, *inputs)}.parquet"
    staged = lake.staging / "facts" / fact.name / name
    staged.parent.mkdir(parents=True, exist_ok=True)
    table.folder.mkdir(parents=True, exist_ok=True)
    engine.write(fact(events), staged, _order(fact))
    digests = parted.digests(engine, staged, fact.schema.append(pa.field("date", pa.date32())), day_of)
    parts = parted.counted(digests, pa.table({"part": texts, "inputs": inputs}))
    table = parted.added(table, staged, name, parts)
    if name in table.files:
        _write_digests(engine, fact, table, name)
    return table


def _write_digests(engine: Engine, fact: Fact, table: Parted, name: str) -> None:
    """Write the digests of a file's rows, by day and course run, into a second file."""
    rows = engine.read([table.path(name)], fact.schema.append(pa.field("date", pa.date32())))
    part = rows[fact.course] if fact.course else ibis.literal("")
    found = engine.digests(rows.mutate(part=part), ["date", "part"]).select(DIGESTS.names).cast(DIGESTS)
    temporary = table.folder / f".{name}.digests"
    pq.write_table(found, temporary, compression="zstd")
    move_sealed([(temporary, _beside(table, name))])


def _beside(table: Parted, name: str) -> Path:
    return table.path(name.removesuffix(".parquet") + parted.SIDE)


def digests(engine: Engine, fact: Fact, table: Parted, last_day: date) -> pa.Table:
    """Digests of the rows by day and course run, up to the last day. Columns: DIGESTS."""
    parts = table.parts.filter(pc.and_(pc.greater(table.parts["rows"], 0), _until(table, last_day)))
    pieces = [DIGESTS.empty_table()]
    for name in sorted(pc.unique(parts["file"]).to_pylist()):
        if not is_whole(_beside(table, name)):
            _write_digests(engine, fact, table, name)
        days = parts.filter(pc.equal(parts["file"], name))["part"].cast(pa.date32())
        found = pq.ParquetFile(_beside(table, name)).read()
        pieces.append(found.filter(pc.is_in(found["date"], value_set=days.combine_chunks())))
    return pa.concat_tables(pieces)


def read(engine: Engine, fact: Fact, table: Parted, last_day: date) -> ibis.Table:
    """The fact's rows up to the last day, with the column `date`."""
    return parted.read(
        engine, table.only(_until(table, last_day)), fact.schema.append(pa.field("date", pa.date32())), day_of
    )


def _until(table: Parted, last_day: date) -> pa.ChunkedArray:
    return pc.less_equal(table.parts["part"], str(last_day))


def day_of(rows: ibis.Table) -> StringValue:
    """The part of each row of a fact: its day as text."""
    return rows.date.cast("string")


def dated(events: ibis.Table) -> ibis.Table:
    """Events with the column `date`, the UTC day of their time."""
    return events.mutate(date=events.time.cast("date"))


def _order(fact: Fact) -> list[str]:
    """Columns to sort by: rows of a course run lie together, so that readers of some courses can skip the
    rest.
    """
    first = [name for name in (fact.course, fact.learner) if name]
    return [*first, "date", *(name for name in fact.schema.names if name not in first)]


def _events_fingerprint(lake: Lake, day: date, until: datetime) -> str:
    """A fingerprint of a day's events; on the day of `until` it includes the time of `until`."""
    files = lake.state.events[day]
    rows, digest = sum(file.rows for file in files), sum(file.digest for file in files) % 2**64
    is_cut = until < datetime.combine(day, datetime.min.time()) + timedelta(days=1) and any(
        file.newest >= until for file in files
    )
    return fingerprint(f"{rows} {digest} {until.isoformat() if is_cut else ''}")


def _addresses_fingerprint(lake: Lake, day: date) -> str:
    """Part of a day's fingerprint: ".forgotten" once the IP addresses of all its events are removed, else "".

    Only facts with a column `ip` use it: removing addresses changes no other column.
    """
    return ".forgotten" if all(file.without_addresses for file in lake.state.events[day]) else ""


def _chunks(lake: Lake, days: list[date]) -> Iterator[list[date]]:
    """Groups of neighbouring days, each as large as can be computed at once."""
    chunk: list[date] = []
    size = 0
    for day in days:
        rows = _rows(lake, day)
        if chunk and size + rows > CHUNK_EVENTS:
            yield chunk
            chunk, size = [], 0
        chunk.append(day)
        size += rows
    if chunk:
        yield chunk


def _rows(lake: Lake, day: date) -> int:
    return sum(file.rows for file in lake.state.events[day])
