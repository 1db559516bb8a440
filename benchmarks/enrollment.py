"""What the tables of enrollment cost: by events, not by learners times days; how fast addresses are located.

python benchmarks enrollment                        # 1 million learners, 5 years, 1 million addresses
python benchmarks enrollment --learners 50000

Facts are written as the pipeline writes them, a file a day. Beside them, on a twentieth of the learners, the
plain way: a row per learner, course and day, as the original has it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from datetime import date, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.measuring import run
from rich.console import Console
from rich.table import Table

from pharos import geolocation
from pharos.config import EngineSettings
from pharos.engine import Engine, open_engine
from pharos.facts.enrollment import ACTIVATED, DEACTIVATED, MODE_CHANGED
from pharos.lms.tables import ALL
from pharos.pipeline.graph import FACTS, METRICS, in_order
from pharos.pipeline.inputs import fact_of
from pharos.pipeline.scope import Scope

OUT = Path(__file__).parent / "out" / "enrollment"
START = date(2020, 1, 1)
COURSES = 200
MODES = ("audit", "honor", "verified")
TABLES = [
    metric
    for metric in in_order()
    if "filled_enrollment_event" in metric.inputs or metric.name.startswith("course_enr")
]
PLAIN = """
WITH events AS (SELECT * FROM read_parquet('{files}/*.parquet', hive_partitioning = false)),
states AS (
    SELECT course_id, user_id, CAST(time AS DATE) AS date, mode,
        arg_max(event_type, time) FILTER (event_type NOT LIKE '%mode_changed') OVER learner
            LIKE '%.activated' AS enrolled,
        lead(CAST(time AS DATE), 1, DATE '{end}') OVER learner AS following
    FROM events WINDOW learner AS (PARTITION BY course_id, user_id ORDER BY time)
),
days AS (
    SELECT course_id, user_id, mode, enrolled,
        unnest(generate_series(date, following - 1, INTERVAL 1 DAY)) AS day
    FROM states WHERE following > date
)
SELECT course_id, day, mode, count(*) FILTER (enrolled), count(*) FROM days GROUP BY ALL
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--learners", type=int, default=1_000_000)
    parser.add_argument("--addresses", type=int, default=1_000_000)
    parser.add_argument("--case", choices=["points", "plain"], help=argparse.SUPPRESS)
    parser.add_argument("--years", type=int, default=5, help=argparse.SUPPRESS)
    parser.add_argument("--events", type=int, default=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    folder = OUT / f"{chosen.learners}-{chosen.years}-{chosen.events}"
    if chosen.case:
        (compute if chosen.case == "points" else plain)(folder, _end(chosen.years))
        return
    console = Console(width=110)
    console.print(costs(chosen.learners))
    console.print(locations(chosen.addresses))
    shutil.rmtree(OUT)


def costs(learners: int) -> Table:
    """Each case in a process of its own."""
    table = Table("what", "learners", "years", "events", "learner-days", "wall s", "cpu s", "peak MB", "rows")
    few = learners // 20
    for case, size, years, events in (
        ("points", learners, 1, 3), ("points", learners, 5, 3), ("points", learners, 5, 6),
        ("points", few, 1, 3), ("points", few, 5, 3), ("plain", few, 1, 3), ("plain", few, 5, 3),
    ):  # fmt: skip
        folder = OUT / f"{size}-{years}-{events}"
        count, days = generate(folder, size, years, events)
        options = ["--case", case, "--learners", str(size), "--years", str(years), "--events", str(events)]
        measured = run([sys.executable, str(Path(__file__).parent), "enrollment", *options])
        what = f"{len(TABLES)} tables" if case == "points" else "1 table by days"
        table.add_row(
            what, f"{size:,}", str(years), f"{count:,}", f"{days:,}", f"{measured.wall_s:.1f}",
            f"{measured.cpu_s:.1f}", f"{measured.peak_mb:,.0f}", (folder / f"{case}.rows").read_text(),
        )  # fmt: skip
    return table


def generate(folder: Path, learners: int, years: int, events: int) -> tuple[int, int]:
    """Write facts and snapshots; how many events and days of learners they are."""
    rng = np.random.default_rng(1)
    days = years * 365
    first = rng.integers(0, days - 1, learners)
    moments = np.sort(
        np.concatenate([first[:, None], rng.integers(first[:, None], days, (learners, events - 1))], axis=1),
        axis=1,
    )
    kinds = rng.integers(0, 3, moments.shape)
    kinds[:, 0] = 0
    if not folder.exists():
        microseconds = moments * 86_400_000_000 + rng.integers(0, 86_400_000_000, moments.shape)
        courses = [f"course-v1:UniX+C{number}+2020" for number in range(COURSES)]
        rows = pa.table(
            {
                "course_id": _chosen(courses, np.arange(learners).repeat(events) % COURSES),
                "user_id": np.arange(learners).repeat(events),
                "time": (np.datetime64(START, "us") + microseconds.ravel()),
                "event_type": _chosen([ACTIVATED, DEACTIVATED, MODE_CHANGED], kinds.ravel()),
                "mode": _chosen(list(MODES), rng.integers(0, 3, moments.size)),
            }
        ).cast(FACTS["enrollment_event"].schema)  # fmt: skip
        order = np.argsort(moments.ravel(), kind="stable")
        ends = np.searchsorted(moments.ravel()[order], np.arange(days + 1))
        rows = rows.take(order)
        for day in range(days):
            place = folder / "facts" / f"date={START + timedelta(days=day)}"
            place.mkdir(parents=True)
            pq.write_table(
                rows.slice(ends[day], ends[day + 1] - ends[day]), place / "fact.parquet", compression="zstd"
            )
        pq.write_table(_profiles(learners), folder / "auth_userprofile.parquet")
    return moments.size, int((days - first).sum())


def _chosen(texts: list[str], numbers: np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), texts).cast(pa.string())


def _profiles(learners: int) -> pa.Table:
    numbers = np.arange(learners)
    return pa.table(
        {
            "user_id": numbers,
            "name": _chosen([""], numbers * 0),
            "gender": _chosen(["f", "m", "o", ""], numbers % 4),
            "year_of_birth": 1950 + numbers % 60,
            "level_of_education": _chosen(["b", "m", "hs", "none", ""], numbers % 5),
        }
    ).cast(ALL["auth_userprofile"].schema)


def _end(years: int) -> date:
    return START + timedelta(days=years * 365)


def compute(folder: Path, end: date) -> None:
    """All tables of enrollment, as a run computes them: each from the files of facts and of other tables."""
    scope = Scope(datetime.combine(end, datetime.min.time()))
    results: dict[str, Path] = {}
    rows = 0
    engine = open_engine(EngineSettings(), OUT / "spill")
    for metric in TABLES:
        table = engine.fetch(
            metric.function(**{name: _input(engine, folder, scope, results, name) for name in metric.inputs})
        )
        results[metric.name] = folder / f"{metric.name}.parquet"
        pq.write_table(table, results[metric.name], compression="zstd")
        rows += table.num_rows
    engine.close()
    (folder / "points.rows").write_text(f"{rows:,}")


def _input(engine: Engine, folder: Path, scope: Scope, results: dict[str, Path], name: str) -> object:
    fact = fact_of(name)
    if fact is not None:
        files = sorted(folder.glob("facts/*/*.parquet")) if fact == "enrollment_event" else []
        rows = engine.read(files, FACTS[fact].schema)
        return rows.mutate(date=rows.time.cast("date"))
    if name in METRICS:
        return engine.read([results[name]], pq.read_schema(results[name]))
    if name.removeprefix("counted_") in ALL:
        snapshot = folder / f"{name.removeprefix('counted_')}.parquet"
        return engine.read([snapshot] if snapshot.exists() else [], ALL[name.removeprefix("counted_")].schema)
    if name == "country_of":
        return scope.country_of(engine)
    return {"grades_are_known": False, "enrollments_are_known": False, "newest_enrollment": None}.get(
        name, scope.last_day
    )


def plain(folder: Path, end: date) -> None:
    """Enrollment by mode from a row per learner, course and day."""
    import duckdb  # noqa: PLC0415 - only this part needs it

    connection = duckdb.connect(config={"memory_limit": "8GB", "temp_directory": str(OUT / "spill")})
    rows = connection.execute(PLAIN.format(files=f"{folder}/facts/*", end=end)).to_arrow_table().num_rows
    (folder / "plain.rows").write_text(f"{rows:,}")


def locations(count: int) -> Table:
    """Distinct random addresses of both kinds, located by each engine from a file."""
    rng = Random(1)
    addresses = [str(IPv4Address(rng.getrandbits(32))) for _ in range(count * 4 // 5)]
    addresses += [
        str(IPv6Address(rng.randrange(0x2000, 0x2C10) << 112 | rng.getrandbits(112)))
        for _ in range(count // 5)
    ]
    file = OUT / "addresses.parquet"
    pq.write_table(pa.table({"ip": addresses}), file, row_group_size=100_000)
    table = Table("engine", "addresses", "first s", "again s", "countries")
    for name in ("duckdb", "spark"):
        engine = open_engine(EngineSettings(name=name), OUT / "spill")
        rows = engine.read([file], pa.schema([("ip", pa.string())]))
        function = engine.function(partial(geolocation.codes, str(geolocation.SHIPPED), None))
        times = []
        for _ in range(2):
            began = time.perf_counter()
            found = engine.fetch(
                rows.mutate(code=function(rows.ip)).group_by("code").agg(n=lambda located: located.count())
            )
            times.append(f"{time.perf_counter() - began:.1f}")
        table.add_row(name, f"{count:,}", *times, str(found.num_rows))
        engine.close()
    return table


if __name__ == "__main__":
    main()
