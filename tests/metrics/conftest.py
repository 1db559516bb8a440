"""Metrics are tested with rows of facts going in and rows of the Result Store coming out, on both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

import ibis
import pyarrow as pa
import pytest

from pharos.engine import Engine
from pharos.lake import schema
from pharos.pipeline.graph import FACTS, METRICS, Moments
from pharos.result_store import contract

Rows = list[tuple[Any, ...]]
Compute = Callable[..., Rows]


@pytest.fixture
def compute(engine: Engine) -> Compute:
    """`compute(table, until, fact=rows…)`: the table's rows at that moment, in the order of its key.

    Rows of facts are dicts; facts not given are empty. What comes out has been checked against the contract.
    """
    return lambda table, until, **facts: computed(engine, table, until, facts)


def computed(engine: Engine, table: str, until: datetime, facts: dict[str, list[dict[str, Any]]]) -> Rows:
    metric, moments = METRICS[table], Moments(until)
    rows = contract.conform(metric.table, engine.fetch(_expression(engine, table, moments, facts)))
    in_order = rows.sort_by([(name, "ascending") for name in metric.table.info["key"]])
    return [tuple(row.values()) for row in in_order.to_pylist()]


def _expression(engine: Engine, table: str, moments: Moments, facts: dict[str, Any]) -> ibis.Table:
    inputs: dict[str, object] = {}
    for name in METRICS[table].inputs:
        if name in FACTS:
            whole = FACTS[name].schema.append(pa.field(schema.PARTITION, pa.date32()))
            inputs[name] = engine.table(pa.Table.from_pylist(facts.get(name, []), whole))
        elif name in METRICS:
            inputs[name] = _expression(engine, name, moments, facts)
        else:
            inputs[name] = moments.value(name)
    return METRICS[table].function(**inputs)


def columns(rows: Iterable[tuple[Any, ...]], table: str, *names: str) -> Rows:
    """These columns of the rows of a table."""
    places = [
        [column.name for column in contract.columns(METRICS[table].table)].index(name) for name in names
    ]
    return [tuple(row[place] for place in places) for row in rows]


def day(text: str) -> date:
    """`03-02` is the second of March 2024."""
    return date.fromisoformat(f"2024-{text}")
