"""What engagement costs: its tables, beside DuckDB adding up the same facts once.

python benchmarks engagement                          # 10 million rows of facts
python benchmarks engagement --rows 1000000

A hundredth as many learners as rows, each in five of 500 course runs, over 90 days. The bar is what DuckDB
needs to read the interactions, to add them up by course run, learner, day and entity, and to write the sums.
"""

from __future__ import annotations

import argparse
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks import computing
from rich.console import Console

from pharos.engine import Engine
from pharos.lms.tables import ALL
from pharos.pipeline.graph import FACTS, METRICS
from pharos.pipeline.inputs import result_schema

OUT = Path(__file__).parent / "out" / "engagement"
COURSES, OF_A_LEARNER, DAYS = 500, 5, 90
FIRST = np.datetime64("2024-01-01")
LAST_DAY, TWO_WEEKS = date(2024, 3, 30), date(2024, 3, 17)
NAMES = ("event_name", "learner_name")
ROSTER = ("module_engagement_summary", "module_engagement_user_segments")
CASES = {
    "plain": ((), "DuckDB reads, adds up and writes the interactions"),
    "names": (NAMES, "names of learners"),
    "days": (("module_engagement",), "what learners did by day"),
    "week": (
        (ROSTER[0], "module_engagement_metric_ranges", ROSTER[1]),
        "their last week, ranges and segments",
    ),
    "roster": (("module_engagement_roster",), "the roster"),
    "reports": (
        tuple(f"student_engagement_{period}" for period in ("daily", "weekly", "all")),
        "the reports by day, by week and in all",
    ),
}
VALUES = {
    "last_day": LAST_DAY, "smallest_group": 1, "users_are_known": True, "shows_profiles": True,
    "student_reports": True, "student_reports_until": LAST_DAY,
}  # fmt: skip
KINDS = ("problem attempted", "problem completed", "video viewed", " active")
ITEMS = ("attempted", "correct", "played", "other")
PLAIN = """
COPY (SELECT course_id, user_id, date, entity_type, entity_id, action, sum(count) AS count
FROM read_parquet('{file}') GROUP BY ALL ORDER BY ALL) TO '{file}.sums' (FORMAT parquet)
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--case", choices=list(CASES), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.case:
        if chosen.case == "plain":
            computing.plain(PLAIN.format(file=OUT / "interaction.parquet"), OUT)
        else:
            computing.compute(CASES[chosen.case][0], OUT, given)
        return
    generate(chosen.rows)
    told = {case: what for case, (_, what) in CASES.items()}
    Console(width=110).print(computing.beside("engagement", told, chosen.rows, "rows of facts"))
    shutil.rmtree(OUT)


def generate(rows: int) -> None:
    """Write the facts, and the enrollments and users of their learners."""
    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    learners = max(rows // 100, 1)
    user = rng.integers(1, learners + 1, rows)
    kind = rng.integers(0, len(KINDS), rows)
    known: dict[str, object] = {
        "course_id": _courses(user + rng.integers(0, OF_A_LEARNER, rows)),
        "user_id": user,
        "username": _texts("u", user),
        "date": FIRST + rng.integers(0, DAYS, rows),
        "entity_id": pa.array(np.where(kind < 3, rng.integers(0, 100, rows), -1)).cast(pa.string()),  # noqa: PLR2004
        "event_source": _texts("server", np.zeros(rows, "int64")),
        "count": np.ones(rows, "int64"),
        "last_time": np.full(rows, FIRST.astype("datetime64[us]")),
        "kind": pa.array(ITEMS).take(pa.array(kind)),
    }
    words = [text.split(" ") for text in KINDS]
    known["entity_type"] = pa.array([word[0] for word in words]).take(pa.array(kind))
    known["action"] = pa.array([word[1] for word in words]).take(pa.array(kind))
    for name in ("interaction", "activity_item"):
        schema = computing.fact_schema(name)
        columns = [pa.array(known[column], schema.field(column).type) for column in schema.names]
        pq.write_table(pa.table(columns, schema=schema), OUT / f"{name}.parquet", compression="zstd")
    _write_learners(np.arange(1, learners + 1))


def _write_learners(learners: np.ndarray) -> None:
    """Users of the LMS, and the state of each enrollment."""
    users = pa.table({"id": learners, "username": _texts("u", learners), "email": _texts("e", learners)})
    schema = ALL["auth_user"].schema
    missing = [name for name in schema.names if name not in users.column_names]
    for name in missing:
        users = users.append_column(name, pa.nulls(len(users), schema.field(name).type))
    pq.write_table(users.select(schema.names).cast(schema), OUT / "auth_user.parquet")
    several = np.repeat(learners, OF_A_LEARNER)
    places = np.tile(np.arange(OF_A_LEARNER), len(learners))
    schema = result_schema(METRICS["enrollment_change_point"])
    points = {
        "course_id": _courses(several + places),
        "user_id": several,
        "date": np.full(len(several), FIRST),
        "enrolled": np.ones(len(several), "int64"),
        "mode": _texts("audit", np.zeros(len(several), "int64")),
        "end": pa.nulls(len(several), pa.date32()),
    }
    columns = [pa.array(points[name], schema.field(name).type) for name in schema.names]
    pq.write_table(pa.table(columns, schema=schema), OUT / "enrollment_change_point.parquet")


def _courses(numbers: np.ndarray) -> pa.Array:
    return pa.array([f"course-v1:Uni+C{number}+2024" for number in range(COURSES)]).take(
        pa.array(numbers % COURSES)
    )


def _texts(prefix: str, numbers: np.ndarray) -> pa.Array:
    texts, places = np.unique(numbers, return_inverse=True)
    return pa.array([f"{prefix}{number}" for number in texts]).take(pa.array(places))


def given(engine: Engine, name: str) -> object:
    """An input of a metric."""
    if name in VALUES:
        return VALUES[name]
    raw, _, window = name.removeprefix("counted_").partition("_of_")
    if raw in METRICS:
        return computing.computed(engine, OUT, raw)
    file = OUT / f"{raw}.parquet"
    schema = computing.fact_schema(raw) if raw in FACTS else ALL[raw].schema
    rows = engine.read([file] if file.exists() else [], schema)
    return rows.filter(rows.date >= TWO_WEEKS) if window else rows


if __name__ == "__main__":
    main()
