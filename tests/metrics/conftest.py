"""Metrics are tested with rows of facts going in and rows of the Result Store coming out, on both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from pharos.config import EngineSettings, Problems, Reports
from pharos.engine import Engine, open_engine
from pharos.lms.tables import ALL
from pharos.metrics.metric import Metric
from pharos.pipeline import answer_metadata
from pharos.pipeline.graph import FACTS, METRICS
from pharos.pipeline.inputs import result_schema
from pharos.pipeline.scope import Scope
from pharos.result_store import contract

KNOWN = {
    "grades": "grades_persistentcoursegrade",
    "users": "auth_user",
    "enrollments": "student_courseenrollment",
}  # what was imported -> the table of the LMS
Rows = list[tuple[Any, ...]]
Compute = Callable[..., Rows]


@pytest.fixture
def compute(engine: Engine) -> Compute:
    """`compute(table, until, input=rows…)`: the table's rows at that moment, in the order of its key.

    Inputs are facts and tables of the LMS; their rows are dicts, and those not given are empty. What another
    metric computes may be given instead.
    What comes out has been checked against the contract.
    """
    return lambda table, until, **rows: computed(engine, table, until, rows)


def computed(engine: Engine, table: str, until: datetime, rows: dict[str, list[dict[str, Any]]]) -> Rows:
    metric, scope = METRICS[table], Scope(until, student_reports=True)
    found = _by_day(_fetched(engine, table, scope, rows), metric, scope.last_day)
    if metric.stamp is not None:
        column = metric.table.c[metric.stamp]
        midnight = datetime.combine(scope.last_day + timedelta(days=1), datetime.min.time())
        value = midnight if isinstance(column.type, sa.DateTime) else scope.last_day
        found = found.append_column(
            metric.stamp,
            pa.array([value] * found.num_rows, contract.schema(metric.table).field(metric.stamp).type),
        )
    found = contract.conform(metric.table, found)
    in_order = found.sort_by([(name, "ascending") for name in metric.table.info["key"]])
    return [tuple(row.values()) for row in in_order.to_pylist()]


def _by_day(rows: pa.Table, metric: Metric, last_day: date) -> pa.Table:
    """Spans as the rows of single days that they stand for, one after the other in plain Python."""
    if not metric.spans:
        return rows
    spread = []
    for row in rows.to_pylist():
        end = row.pop("end") or last_day + timedelta(days=1)
        days = (end - row["date"]).days
        spread += [row | {"date": row["date"] + timedelta(days=number)} for number in range(days)]
    schema = rows.drop_columns("end").schema
    return pa.Table.from_pylist(spread, schema)


def _fetched(engine: Engine, table: str, scope: Scope, rows: dict[str, Any]) -> pa.Table:
    inputs = {name: _input(engine, name, scope, rows) for name in METRICS[table].inputs}
    return engine.fetch(METRICS[table].function(**inputs))


def _made_of(engine: Engine, name: str, scope: Scope, rows: dict[str, Any]) -> pa.Table:
    """The rows of a metric that another one is computed from.

    Not by Spark: each metric has tests of its own, and two thirds of Spark's queries, which take most of the
    time of all tests, computed what the table under test is made of.
    """
    schema = result_schema(METRICS[name])
    if name in rows:
        return pa.Table.from_pylist(rows[name], schema)
    with _embedded(engine) as embedded:
        return _fetched(embedded, name, scope, rows).select(schema.names).cast(schema)


@contextmanager
def _embedded(engine: Engine) -> Iterator[Engine]:
    if engine.name == "duckdb":
        yield engine
        return
    with TemporaryDirectory() as scratch:
        embedded = open_engine(EngineSettings(threads=1), Path(scratch))
        yield embedded
        embedded.close()


def _input(engine: Engine, name: str, scope: Scope, rows: dict[str, Any]) -> object:
    if name in METRICS:  # as a run does: what a metric is computed from is a table, not a part of its query
        return engine.table(_made_of(engine, name, scope, rows))
    raw = "enrollment_event" if name == "filled_enrollment_event" else name.removeprefix("counted_")
    raw, _, window = raw.partition("_of_")
    if raw in FACTS or raw in ALL:
        given = rows.get(raw, [])
        begin = scope.this_week if window == "this_week" else scope.current_week
        if window == "two_weeks":
            given = [row for row in given if row["date"] > scope.last_day - timedelta(days=14)]
        elif window:
            given = [row for row in given if (row["date"] < begin) == (window == "complete_weeks")]
        table = engine.table(pa.Table.from_pylist(given, _schema(raw)))
        is_renamed = raw in ALL and ALL[raw].course in table.columns  # as the inputs of a run are
        return table.rename(course_id=ALL[raw].course) if is_renamed else table
    if name == "answer_metadata":
        return engine.table(pa.Table.from_pylist(rows.get(name, []), answer_metadata.SCHEMA))
    if name == "country_of":
        return scope.country_of(engine)
    return _value(name, scope, rows)


def _value(name: str, scope: Scope, rows: dict[str, Any]) -> object:
    match name:
        case "reports_since":
            return rows.get(name, Reports().since)
        case "response_types":
            return rows.get(name, Problems().response_types)
        case "grades_are_known" | "users_are_known" | "enrollments_are_known" | "enrollments_are_of_then":
            return bool(rows.get(KNOWN[name.partition("_")[0]]))
        case "newest_enrollment":
            created = [row.get("created") for row in rows.get("student_courseenrollment", [])]
            return max((moment for moment in created if moment is not None), default=None)
    return rows.get(name, getattr(scope, name))


def _schema(name: str) -> pa.Schema:
    if name in ALL:
        return ALL[name].schema
    return FACTS[name].schema.append(pa.field("date", pa.date32()))


def columns(rows: Iterable[tuple[Any, ...]], table: str, *names: str) -> Rows:
    """These columns of the rows of a table."""
    places = [
        [column.name for column in contract.columns(METRICS[table].table)].index(name) for name in names
    ]
    return [tuple(row[place] for place in places) for row in rows]


def day(text: str) -> date:
    """`03-02` is the second of March 2024."""
    return date.fromisoformat(f"2024-{text}")
