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
from pharos.lms.tables import ALL
from pharos.pipeline.graph import FACTS, METRICS, Given
from pharos.result_store import contract

Rows = list[tuple[Any, ...]]
Compute = Callable[..., Rows]


@pytest.fixture
def compute(engine: Engine) -> Compute:
    """`compute(table, until, input=rows…)`: the table's rows at that moment, in the order of its key.

    Inputs are facts and tables of the LMS; their rows are dicts, and those not given are empty.
    What comes out has been checked against the contract.
    """
    return lambda table, until, **rows: computed(engine, table, until, rows)


def computed(engine: Engine, table: str, until: datetime, rows: dict[str, list[dict[str, Any]]]) -> Rows:
    metric = METRICS[table]
    found = contract.conform(metric.table, engine.fetch(_expression(engine, table, Given(until), rows)))
    in_order = found.sort_by([(name, "ascending") for name in metric.table.info["key"]])
    return [tuple(row.values()) for row in in_order.to_pylist()]


def _expression(engine: Engine, table: str, given: Given, rows: dict[str, Any]) -> ibis.Table:
    inputs: dict[str, object] = {}
    for name in METRICS[table].inputs:
        if name in METRICS:
            inputs[name] = _expression(engine, name, given, rows)
        elif name in FACTS or name in ALL:
            inputs[name] = engine.table(pa.Table.from_pylist(rows.get(name, []), _schema(name)))
        else:
            inputs[name] = given.value(name, engine)
    return METRICS[table].function(**inputs)


def _schema(name: str) -> pa.Schema:
    if name in ALL:
        return ALL[name].schema
    return FACTS[name].schema.append(pa.field(schema.PARTITION, pa.date32()))


def columns(rows: Iterable[tuple[Any, ...]], table: str, *names: str) -> Rows:
    """These columns of the rows of a table."""
    places = [
        [column.name for column in contract.columns(METRICS[table].table)].index(name) for name in names
    ]
    return [tuple(row[place] for place in places) for row in rows]


def day(text: str) -> date:
    """`03-02` is the second of March 2024."""
    return date.fromisoformat(f"2024-{text}")
