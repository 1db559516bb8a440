"""Finds the stale parts of result tables and computes them; see `pharos.pipeline.parted`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from pharos import geolocation
from pharos.engine import Engine
from pharos.errors import PharosError
from pharos.metrics.metric import Metric
from pharos.pipeline import parted
from pharos.pipeline.facts import changed_code
from pharos.pipeline.fingerprints import fingerprint, of_code
from pharos.pipeline.graph import in_order
from pharos.pipeline.inputs import Inputs, part_of, result_schema
from pharos.pipeline.parted import Parted

NAMES = {"course_id": "course runs", "date": "days", "week": "weeks", None: "tables"}


class KeyTwice(PharosError):
    """A metric returned two rows with the same key: a bug in Pharos."""

    def __init__(self, table: str, key: str) -> None:
        super().__init__(table, key)
        self.table, self.key = table, key

    def __str__(self) -> str:
        return (
            f"{self.table}: two rows have the key {self.key}; the table is left as it was. Please report this"
        )


@dataclass(frozen=True, kw_only=True)
class Computed:
    """A result after a run. `why` names the computed parts and the reason; empty if nothing was computed."""

    metric: Metric
    table: Parted
    why: str = ""


def compute(inputs: Inputs, metric: Metric) -> Computed:
    """Bring a result up to date; its input metrics must be up to date."""
    wanted, made_of = _wanted(inputs, metric)
    table = parted.load(inputs.lake.root / "results" / metric.name)
    reason = "inputs changed"
    if table.made_of != made_of:
        reason = changed_code(table.made_of, made_of)
        table = Parted(folder=table.folder, made_of=made_of)
    present = parted.without(table, wanted["part"])
    stale = parted.changed(present, wanted)
    if not len(stale) and present.parts.num_rows == table.parts.num_rows and table.made_of:
        return Computed(metric=metric, table=present)
    if len(stale):
        present = _computed(inputs, metric, present, wanted, stale)
    parted.save(present)
    share = f"{len(stale):,} of {wanted.num_rows:,} {NAMES[metric.by]}: " if metric.by else ""
    return Computed(metric=metric, table=present, why=f"{share}{reason}" if len(stale) else "parts are gone")


def _wanted(inputs: Inputs, metric: Metric) -> tuple[pa.Table, dict[str, str]]:
    """The parts that the result must have (columns part, inputs), and the inputs that all parts share."""
    semantics = inputs.engine.semantics()
    version = metric.table.info["definition"].version
    made_of = {
        "code": fingerprint(of_code(_roots(metric), semantics), _form(metric), f"version={version}"),
        "engine": semantics[""],
    }
    wanted: pa.Table | None = None
    for name in metric.inputs:
        made_of |= inputs.conditions(name)
        digests = inputs.digests(name, metric)
        if isinstance(digests, str):
            made_of[name] = digests
        else:
            column = digests.rename_columns(["part", f"of_{name}"])
            wanted = column if wanted is None else wanted.join(column, "part", join_type="full outer")
    if wanted is None:
        return pa.table({"part": [""], "inputs": [""]}), made_of
    texts = [pc.fill_null(wanted[name].cast(pa.string()), "-") for name in sorted(wanted.column_names[1:])]
    return pa.table({"part": wanted["part"], "inputs": pc.binary_join_element_wise(*texts, " ")}), made_of


def _roots(metric: Metric) -> list[Callable[..., Any]]:
    """The functions whose code decides the values of the result."""
    return [metric.function, *([geolocation.codes] if "country_of" in metric.inputs else [])]


def _form(metric: Metric) -> str:
    """The columns, key and form of the result, as text for the fingerprint."""
    return f"{result_schema(metric)} {metric.table.info['key']} {metric.by}"


def _computed(inputs: Inputs, metric: Metric, table: Parted, wanted: pa.Table, stale: pa.Array) -> Parted:
    """The result with the stale parts computed."""
    engine, schema = inputs.engine, result_schema(metric)
    chosen = wanted.filter(pc.is_in(wanted["part"], value_set=stale))
    name = f"{fingerprint(*sorted(table.made_of.values()), *sorted(map(str, chosen.to_pylist())))}.parquet"
    staged = inputs.lake.staging / "results" / metric.name / name
    staged.parent.mkdir(parents=True, exist_ok=True)
    table.folder.mkdir(parents=True, exist_ok=True)
    is_all = len(stale) == wanted.num_rows
    rows = metric.function(**inputs.arguments(metric, None if is_all else stale))
    rows = rows.select(*schema.names).cast(ibis.Schema.from_pyarrow(schema))
    order = [key for key in metric.table.info["key"] if key != metric.stamp]
    engine.write(rows, staged, order)
    digests = parted.digests(engine, staged, schema, part_of(metric), order)
    if (pc.max(digests["most_of_key"]).as_py() or 0) > 1:
        raise KeyTwice(metric.name, _key_of_two_rows(engine, engine.read([staged], schema), order))
    table = parted.added(table, staged, name, parted.counted(digests, chosen))
    return parted.merged(engine, table, schema, part_of(metric), order, f"merged-{name}")


def _key_of_two_rows(engine: Engine, rows: ibis.Table, key: list[str]) -> str:
    """A duplicate key, as text."""
    keys = rows.group_by(key).agg(rows=rows.count())
    return str(engine.fetch(keys.filter(keys.rows > 1).select(key).limit(1)).to_pylist()[0])


def compute_all(inputs: Inputs, report: Callable[[int, int], None]) -> list[Computed]:
    """Bring all results up to date; `report` gets the number of finished ones and of all."""
    found = []
    metrics = in_order()
    for number, metric in enumerate(metrics, 1):
        computed = compute(inputs, metric)
        inputs.results[metric.name] = computed.table
        found.append(computed)
        report(number, len(metrics))
    return found
