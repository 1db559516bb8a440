"""Which result tables are stale, and computing them.

A result is the file `results/<table>/<code>-<inputs>.parquet`; as with facts, its name says of which code and
of which inputs it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from pharos.engine import Engine
from pharos.lake import lms_tables, snapshots
from pharos.lake.lake import Lake
from pharos.lake.safely import move_sealed
from pharos.lms.tables import ALL as LMS_TABLES
from pharos.metrics import population
from pharos.metrics.enrollment_gaps import with_gaps_filled
from pharos.metrics.metric import Metric
from pharos.pipeline import facts
from pharos.pipeline.facts import FactDay
from pharos.pipeline.graph import FACTS, METRICS, Given, code_fingerprint, fingerprint, in_order
from pharos.pipeline.target import Target

EVENTS, ENROLLMENTS = "enrollment_event", "student_courseenrollment"
STAFF = ("auth_user", "student_courseaccessrole", "casbin_rule")  # what says who is


@dataclass(frozen=True, kw_only=True)
class Result(Target):
    """A result table: where it is or shall be."""

    metric: Metric

    NEW = "never computed"
    CHANGED = "inputs changed"


def results(lake: Lake, days: dict[str, list[FactDay]], given: Given) -> list[Result]:
    """All results, each after those it is computed from."""
    found: dict[str, Result] = {}
    for metric in in_order():
        parts = [f"{name}={_input_fingerprint(lake, name, days, found, given)}" for name in metric.inputs]
        parts += _counting_fingerprint(lake, metric, given)
        if _is_filled(metric, given):
            code, validations = code_fingerprint(with_gaps_filled), lms_tables.validations_fingerprint(lake)
            parts.append(f"gaps={code} {validations} {given.last_day}")
        inputs = fingerprint(f"version={metric.table.info['definition'].version}", *parts)
        stem = f"{code_fingerprint(metric.function)}-{inputs}"
        path = lake.root / "results" / metric.name / f"{stem}.parquet"
        found[metric.name] = Result(metric=metric, path=path)
    return list(found.values())


def compute(
    lake: Lake,
    engine: Engine,
    result: Result,
    days: dict[str, list[FactDay]],
    known: dict[str, Result],
    given: Given,
) -> None:
    """Compute one result; those it is computed from must be there."""
    inputs: dict[str, Any] = {
        name: _input(lake, engine, name, days, known, given) for name in result.metric.inputs
    }
    if _is_filled(result.metric, given):
        inputs[EVENTS] = _filled(lake, engine, inputs[EVENTS], given)
    table = result.metric.function(**inputs)
    keys = [(name, "ascending") for name in result.metric.table.info["key"]]
    rows = engine.fetch(table).sort_by(keys)
    result.path.parent.mkdir(parents=True, exist_ok=True)
    temporary = result.path.with_suffix(".tmp")
    pq.write_table(rows, temporary, compression="zstd")
    move_sealed([(temporary, result.path)])


def rows(result: Result) -> pa.Table:
    """The rows of a result that is there."""
    return pq.ParquetFile(result.path).read()


def _is_filled(metric: Metric, given: Given) -> bool:
    """Whether gaps in the enrollment events are filled for this metric; those that look for gaps see them."""
    return given.fills_gaps and EVENTS in metric.inputs and ENROLLMENTS not in metric.inputs


def _filled(lake: Lake, engine: Engine, events: ibis.Table, given: Given) -> ibis.Table:
    """The events with their gaps filled, worked out once for all metrics of a run."""
    path = lake.staging / f"{EVENTS}.parquet"
    if not path.exists():
        validations = _counted(lake, engine, lms_tables.validations(engine, lake, given.last_day), given)
        path.parent.mkdir(parents=True, exist_ok=True)
        engine.write(with_gaps_filled(events, validations, given.last_day), path)
    return engine.read([path], events.schema().to_pyarrow())


def _input_fingerprint(
    lake: Lake, name: str, days: dict[str, list[FactDay]], found: dict[str, Result], given: Given
) -> str:
    if name in FACTS:
        return fingerprint(*(f"{item.day}/{item.fingerprint}" for item in days[name]))
    if name in METRICS:
        return found[name].fingerprint
    if name in LMS_TABLES:
        return snapshots.fingerprint(lake, name)
    return given.fingerprint(name)


def _input(
    lake: Lake,
    engine: Engine,
    name: str,
    days: dict[str, list[FactDay]],
    known: dict[str, Result],
    given: Given,
) -> object:
    if name in FACTS:
        rows = facts.read(engine, FACTS[name], days[name])
        if name == EVENTS:
            rows = population.enrollment_events(rows, from_browsers=given.counts_browser_enrollments)
        return _counted(lake, engine, rows, given)
    if name in METRICS:
        path = known[name].path
        return engine.read([path], pq.read_schema(path))
    if name == ENROLLMENTS:
        return _counted(lake, engine, lms_tables.read(engine, lake, name), given)
    if name in LMS_TABLES:
        return lms_tables.read(engine, lake, name)
    return given.value(name, engine)


def _counted(lake: Lake, engine: Engine, rows: ibis.Table, given: Given) -> ibis.Table:
    """The rows of an input without those that shall not count."""
    if not given.counts_staff and "user_id" in rows.columns:
        rows = population.without_staff(rows, *(lms_tables.read(engine, lake, table) for table in STAFF))
    if not given.counts_libraries and "course_id" in rows.columns:
        rows = population.without_libraries(rows)
    return rows


def _counting_fingerprint(lake: Lake, metric: Metric, given: Given) -> list[str]:
    """What a result depends on because of what shall not count; nothing as long as everything counts."""
    found = []
    if not given.counts_staff:
        known = " ".join(snapshots.fingerprint(lake, table) for table in STAFF)
        found.append(f"staff={code_fingerprint(population.without_staff)} {known}")
    if not given.counts_libraries:
        found.append(f"libraries={code_fingerprint(population.without_libraries)}")
    if not given.counts_browser_enrollments and EVENTS in metric.inputs:
        found.append(f"servers={code_fingerprint(population.enrollment_events)}")
    return found if any(name in FACTS or name == ENROLLMENTS for name in metric.inputs) else []
