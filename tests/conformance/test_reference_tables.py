"""Our results against tables the reference system computed from the same logs, on both engines."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from pymysql.constants import CLIENT
from tests.pipeline.conftest import computing

from pharos import config
from pharos.config import EngineSettings
from pharos.pipeline.run import import_only, run_pipeline
from pharos.result_store.tables import kept_in_lake

ENROLLMENT = (
    "course_enrollment_daily",
    "course_enrollment_mode_daily",
    "course_enrollment_gender_daily",
    "course_enrollment_birth_year_daily",
    "course_enrollment_education_level_daily",
    "course_enrollment_summary",
    "course_meta_summary_enrollment",
)
Rows = list[dict[str, str | None]]
UNTIL = datetime(2014, 8, 7)  # of the reference tables of enrollment


def expected(path: Path) -> Rows:
    """The rows of a reference table: tab separated, `\\N` for null."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            {name: None if value == r"\N" else _text(value) for name, value in row.items()} for row in rows
        ]


def stored(home: Path, table: str, columns: list[str]) -> Rows:
    """The rows of a result, every value as text, read without our own code."""
    if table in kept_in_lake.tables:
        folder = home / "lake" / "results" / table
        # Of a first run there is one file, beside the manifest; the stamp is the run's.
        [file] = [path for path in folder.glob("*.parquet") if path.name != "manifest.parquet"]
        lake_rows = [row | {"end_time": UNTIL} for row in pq.ParquetFile(file).read().to_pylist()]
        return [
            {name: None if row[name] is None else _text(row[name]) for name in columns} for row in lake_rows
        ]
    engine = sa.create_engine(f"sqlite:///{home / 'result_store.sqlite'}")
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM {table}").mappings().all()  # noqa: S608
    engine.dispose()
    return [{name: None if value is None else _text(value) for name, value in row.items()} for row in rows]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):  # files that Spark writes name the zone, which is UTC
        value = value.replace(tzinfo=None)
    # A moment is written with and without its microseconds.
    return str(value).removesuffix(".000000")


def in_order(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: [(value is not None, value) for value in row.values()])


def compute(home: Path, engine: EngineSettings, log: Path, until: datetime, tables: Iterable[str]) -> None:
    settings = config.load(home, engine=engine.model_dump())
    with computing(*tables):
        run_pipeline(settings, logs=[str(log)], until=until.replace(tzinfo=None))


def assert_equal(home: Path, table: str, reference: Path) -> None:
    rows = expected(reference)
    assert rows
    assert in_order(stored(home, table, list(rows[0]))) == in_order(rows)


@pytest.fixture
def lms_database(shared_data: Path, mariadb_url: str) -> str:
    """The LMS's profiles and grades, as their dumps fill a database."""
    engine = sa.create_engine(mariadb_url, connect_args={"client_flag": CLIENT.MULTI_STATEMENTS})
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS dumped; CREATE DATABASE dumped; USE dumped")
        for table in ("auth_userprofile", "grades_persistentcoursegrade"):
            dump = (shared_data / "lms" / f"load_{table}.sql").read_text(encoding="utf-8")
            cursor = connection.connection.cursor()
            cursor.execute(dump)
            while cursor.nextset():
                pass
            cursor.close()
    engine.dispose()
    return mariadb_url.replace("/test?charset=utf8mb4", "/dumped").replace("mysql+pymysql", "mysql")


@pytest.fixture
def discovery_url(shared_data: Path, serve: Callable[[Any], str]) -> str:
    """A discovery service with the catalog's course runs, which is its own LMS without courses."""
    lines = (shared_data / "lms" / "course_runs.json").read_text(encoding="utf-8").splitlines()
    app = FastAPI()
    app.post("/oauth2/access_token")(lambda: {"access_token": "t", "expires_in": 3600})
    app.get("/api/v1/course_runs/")(lambda: {"results": [json.loads(line) for line in lines], "next": None})
    return serve(app)


def test_every_table_is_compared(shared_data: Path) -> None:
    assert {path.stem for path in (shared_data / "expected" / "enrollment").iterdir()} == set(ENROLLMENT)


def test_enrollment(
    shared_data: Path, lms_database: str, discovery_url: str, engine_settings: EngineSettings, tmp_path: Path
) -> None:
    """§11.92: the acceptance scenario with its whole history, and with the catalog."""
    log = shared_data / "tracking" / "enrollment_trends_tracking.log"
    lms = {
        "database": lms_database, "url": discovery_url, "client_id": "pharos", "client_secret": "secret",
        "catalog_url": f"{discovery_url}/api/v1",
    }  # fmt: skip
    import_only(config.load(tmp_path, lms=lms))
    tables = (*ENROLLMENT, "course_program_metadata")
    compute(tmp_path, engine_settings, log, UNTIL.replace(tzinfo=UTC), tables)
    for table in ENROLLMENT:
        assert_equal(tmp_path, table, shared_data / "expected" / "enrollment" / f"{table}.tsv")
    programs = stored(tmp_path, "course_program_metadata", ["course_id", "program_type", "program_title"])
    runs = (shared_data / "lms" / "course_runs.json").read_text(encoding="utf-8").splitlines()
    assert in_order(programs) == in_order(
        [
            {"course_id": run["key"], "program_type": program["type"], "program_title": program["title"]}
            for run in map(json.loads, runs)
            for program in run["programs"]
        ]
    )


def test_activity(shared_data: Path, engine_settings: EngineSettings, tmp_path: Path) -> None:
    log = shared_data / "tracking" / "user_activity_tracking.log"
    compute(tmp_path, engine_settings, log, datetime(2014, 7, 1, tzinfo=UTC), ["course_activity"])
    assert_equal(tmp_path, "course_activity", shared_data / "expected" / "activity" / "course_activity.tsv")


def test_both_engines_read_every_log_alike(
    shared_data: Path, engine_settings: EngineSettings, tmp_path: Path
) -> None:
    """Each line of every reference log becomes an event, and none is lost."""
    settings = config.load(tmp_path, engine=engine_settings.model_dump())
    with computing():
        report = run_pipeline(settings, logs=[str(shared_data / "tracking")], until=datetime(2017, 1, 1))
    lines = sum(len(path.read_bytes().splitlines()) for path in (shared_data / "tracking").glob("*.log"))
    assert report.ingested.lines == lines
