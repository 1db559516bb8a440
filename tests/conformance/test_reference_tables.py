"""Our results against tables the reference system computed from the same logs, on both engines."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from pymysql.constants import CLIENT

from pharos import config
from pharos.config import EngineSettings
from pharos.pipeline.run import import_only, run_pipeline

ENROLLMENT = (
    "course_enrollment_daily",
    "course_enrollment_mode_daily",
    "course_enrollment_gender_daily",
    "course_enrollment_birth_year_daily",
    "course_enrollment_education_level_daily",
    "course_meta_summary_enrollment",
)
FROM_THE_CATALOG = {  # of which we read nothing yet
    "catalog_course_title",
    "catalog_course",
    "start_time",
    "end_time",
    "pacing_type",
    "availability",
}
Rows = list[dict[str, str | None]]


def expected(path: Path) -> Rows:
    """The rows of a reference table: tab separated, `\\N` for null."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            {
                name: None if value == r"\N" else value
                for name, value in row.items()
                if name not in FROM_THE_CATALOG
            }
            for row in rows
        ]


def stored(store_path: Path, table: str, columns: list[str]) -> Rows:
    """The rows of a table of the Result Store, every value as text, read without our own code."""
    engine = sa.create_engine(f"sqlite:///{store_path}")
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM {table}").mappings().all()  # noqa: S608
    engine.dispose()
    return [{name: None if value is None else _text(value) for name, value in row.items()} for row in rows]


def _text(value: object) -> str:
    return str(value).removesuffix(".000000")  # SQLite holds a moment as text, with microseconds


def in_order(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: [(value is not None, value) for value in row.values()])


def compute(home: Path, engine: EngineSettings, log: Path, until: datetime) -> Path:
    settings = config.load(home, engine=engine.model_dump())
    run_pipeline(settings, logs=[str(log)], until=until.replace(tzinfo=None))
    return home / "result_store.sqlite"


def assert_equal(store: Path, table: str, reference: Path) -> None:
    rows = expected(reference)
    assert rows
    assert in_order(stored(store, table, list(rows[0]))) == in_order(rows)


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


def test_enrollment(
    shared_data: Path, lms_database: str, engine_settings: EngineSettings, tmp_path: Path
) -> None:
    log = shared_data / "tracking" / "enrollment_trends_tracking.log"
    import_only(config.load(tmp_path, lms={"database": lms_database}))
    store = compute(tmp_path, engine_settings, log, datetime(2014, 8, 7, tzinfo=UTC))
    for table in ENROLLMENT:
        assert_equal(store, table, shared_data / "expected" / "enrollment" / f"{table}.tsv")


def test_activity(shared_data: Path, engine_settings: EngineSettings, tmp_path: Path) -> None:
    log = shared_data / "tracking" / "user_activity_tracking.log"
    store = compute(tmp_path, engine_settings, log, datetime(2014, 7, 1, tzinfo=UTC))
    assert_equal(store, "course_activity", shared_data / "expected" / "activity" / "course_activity.tsv")


def test_both_engines_read_every_log_alike(
    shared_data: Path, engine_settings: EngineSettings, tmp_path: Path
) -> None:
    """Each line of every reference log becomes an event, and none is lost."""
    settings = config.load(tmp_path, engine=engine_settings.model_dump())
    report = run_pipeline(settings, logs=[str(shared_data / "tracking")], until=datetime(2017, 1, 1))
    lines = sum(len(path.read_bytes().splitlines()) for path in (shared_data / "tracking").glob("*.log"))
    assert report.ingested.lines == lines
