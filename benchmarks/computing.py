"""Tables computed apart from a run, each from files and into a file, beside a statement of DuckDB.

Each step runs in a process of its own: the benchmark itself, told the case.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import ibis
import pyarrow as pa
from benchmarks.measuring import run
from rich.table import Table

from pharos.config import EngineSettings
from pharos.engine import Engine, open_engine
from pharos.pipeline.graph import FACTS, METRICS
from pharos.pipeline.inputs import result_schema

Given = Callable[[Engine, str], object]
"""An input of a metric, by its name."""


def beside(bench: str, cases: Mapping[str, str], size: int, sizes: str, *options: str) -> Table:
    """What each case costs (case -> words), and how many times as much as the first one, DuckDB's."""
    table = Table("what", sizes, "wall s", "cpu s", "peak MB", "times DuckDB")
    bar = 0.0
    for case, what in cases.items():
        measured = run([sys.executable, str(Path(__file__).parent), bench, "--case", case, *options])
        bar = bar or measured.cpu_s
        figures = (f"{measured.wall_s:.1f}", f"{measured.cpu_s:.1f}", f"{measured.peak_mb:,.0f}")
        table.add_row(what, f"{size:,}", *figures, f"{measured.cpu_s / bar:.1f}")
    return table


def compute(names: Iterable[str], out: Path, given: Given) -> None:
    """Compute these tables as a run does, one after the other, each into a file."""
    engine = open_engine(EngineSettings(), out / "spill")
    for name in names:
        metric = METRICS[name]
        rows = metric.function(**{needed: given(engine, needed) for needed in metric.inputs})
        key = [column for column in metric.table.info["key"] if column != metric.stamp]
        engine.write(rows.select(*result_schema(metric).names), out / f"{name}.parquet", key)
    engine.close()


def computed(engine: Engine, out: Path, name: str) -> ibis.Table:
    """The rows of a table that was computed; none of another one."""
    file = out / f"{name}.parquet"
    return engine.read([file] if file.exists() else [], result_schema(METRICS[name]))


def fact_schema(name: str) -> pa.Schema:
    """The columns of a fact, with its day."""
    return FACTS[name].schema.append(pa.field("date", pa.date32()))


def plain(statement: str, out: Path) -> None:
    """What the bar is measured against."""
    import duckdb  # noqa: PLC0415 - only this part needs it

    duckdb.connect(config={"temp_directory": str(out / "spill")}).execute(statement)
