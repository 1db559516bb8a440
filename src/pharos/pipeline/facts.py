"""Which days' facts are stale, and computing them.

A fact of a day is the file `facts/<fact>/date=YYYY-MM-DD/<code>-<events>.parquet`: its name says of which
code and of which events it was made, so a fact is up to date exactly if the file of the right name is there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from pharos.engine import Engine
from pharos.facts.fact import Fact
from pharos.lake import schema
from pharos.lake.lake import Lake
from pharos.lake.safely import move_sealed
from pharos.pipeline.graph import FACTS, Given, code_fingerprint, fingerprint
from pharos.pipeline.target import Target

CHUNK_EVENTS = 4_000_000  # computed at once
_EVENTS = schema.EVENTS.append(pa.field(schema.PARTITION, pa.date32()))


@dataclass(frozen=True, kw_only=True)
class FactDay(Target):
    """One fact of one day: where it is or shall be."""

    fact: str
    day: date

    NEW = "new day"
    CHANGED = "events changed"


def fact_days(lake: Lake, given: Given) -> dict[str, list[FactDay]]:
    """All days of all facts from the first plausible to the last day, oldest first."""
    first, last = schema.FIRST_DAY, given.last_day
    days = sorted(day for day, files in lake.state.events.items() if files and first <= day <= last)
    events = {day: _events_fingerprint(lake, day, given.until) for day in days}
    with_addresses = {day: events[day] + _addresses_fingerprint(lake, day) for day in days}
    return {
        name: [
            FactDay(
                fact=name,
                day=day,
                path=lake.root / "facts" / name / f"{schema.PARTITION}={day}" / f"{stem}.parquet",
            )
            for day in days
            for stem in [f"{code_fingerprint(fact.function)}-{of_events[day]}"]
        ]
        for name, fact in FACTS.items()
        for of_events in [with_addresses if "ip" in fact.schema.names else events]
    }


def compute(
    lake: Lake,
    engine: Engine,
    stale: list[FactDay],
    until: datetime,
    report: Callable[[int], None] = lambda _: None,
) -> None:
    """Compute these facts; `report` is told the number of events of each finished chunk."""
    for name, fact in FACTS.items():
        days = {item.day: item for item in stale if item.fact == name}
        for chunk in _chunks(lake, sorted(days)):
            _compute(lake, engine, fact, {day: days[day] for day in chunk}, until)
            report(sum(_rows(lake, day) for day in chunk))


def _compute(lake: Lake, engine: Engine, fact: Fact, days: dict[date, FactDay], until: datetime) -> None:
    events = engine.read(lake.events(sorted(days)), _EVENTS)
    if max(days) == until.date():
        events = events.filter(events.time < ibis.literal(until))
    staging = lake.staging / "facts" / fact.name
    shutil.rmtree(staging, ignore_errors=True)
    written = engine.write_partitions(fact(events), staging, schema.PARTITION, fact.schema.names)
    moves = []
    for day, target in days.items():
        source = written.get(day.isoformat())
        if source is None:
            staging.mkdir(parents=True, exist_ok=True)
            source = staging / f"empty-{day}.parquet"
            pq.write_table(fact.schema.empty_table(), source)
        moves.append((source, target.path))
    move_sealed(moves)


def read(engine: Engine, fact: Fact, days: list[FactDay]) -> ibis.Table:
    """The fact's rows of these days, with the column `date`."""
    return engine.read(
        [item.path for item in days], fact.schema.append(pa.field(schema.PARTITION, pa.date32()))
    )


def _events_fingerprint(lake: Lake, day: date, until: datetime) -> str:
    """What a day's events are, and of where `until` cuts through them."""
    files = lake.state.events[day]
    rows, digest = sum(file.rows for file in files), sum(file.digest for file in files) % 2**64
    is_cut = until < datetime.combine(day, datetime.min.time()) + timedelta(days=1) and any(
        file.newest >= until for file in files
    )
    return fingerprint(f"{rows} {digest} {until.isoformat() if is_cut else ''}")


def _addresses_fingerprint(lake: Lake, day: date) -> str:
    """Whether the addresses of a day's events are forgotten; no other column is changed by that."""
    return ".forgotten" if all(file.without_addresses for file in lake.state.events[day]) else ""


def _chunks(lake: Lake, days: list[date]) -> Iterator[list[date]]:
    """Neighbouring days together, as many as can be computed at once."""
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
