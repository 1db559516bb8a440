"""What an earlier release has left is taken over, and given back: lake, Result Store and every number.

`tests/data/previous` was written by an earlier commit (`scripts/previous.py`), not by this program.
"""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from pharos.config import Settings, load
from pharos.data_api.app import create_app
from pharos.data_api.tokens import create_token
from pharos.lake.lake import Lake
from pharos.pipeline.run import run_pipeline
from pharos.result_store import store
from pharos.result_store.tables import RESULTS

PREVIOUS = Path(__file__).parents[1] / "data" / "previous"
PREVIOUS_VERSION = "0003"  # of its tables
UNTIL = datetime(2026, 2, 27)  # of its last run
LATER = datetime(2026, 3, 1)
OWN = {"id", "created"}  # columns that say nothing about the campus
PATIENCE_S = 30  # a publication is noticed after about a second
# Tables whose numbers a later release means to change; see CHANGELOG.md. Events of a past day are not
# compared with the LMS's tables of a later one any more.
COUNTED_OTHERWISE = {"enrollment_difference", "enrollment_reconciliation"}

Rows = list[tuple[Any, ...]]


@dataclass
class Campus:
    """The frozen campus, unpacked for one test."""

    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / "home" / "result_store.sqlite"

    def settings(self, home: str = "home") -> Settings:
        return load(
            self.folder / home,
            lms={"database": f"sqlite:///{self.folder / 'lms.sqlite'}"},
            engine={"threads": 1},
        )

    def run(self, *logs: str, home: str = "home", until: datetime = UNTIL, **options: Any) -> Any:
        named = [str(self.folder / log) for log in logs]
        return run_pipeline(self.settings(home), logs=named, until=until, **options)

    def rows(self, table: str, columns: list[str], home: str = "home") -> Rows:
        with sqlite3.connect(self.folder / home / "result_store.sqlite") as database:
            found = database.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()  # noqa: S608
        database.close()
        return sorted(found, key=repr)


@pytest.fixture
def campus(tmp_path: Path) -> Campus:
    with tarfile.open(PREVIOUS / "campus.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    campus = Campus(tmp_path)
    database = sqlite3.connect(campus.store)
    database.executescript((PREVIOUS / "store.sql").read_text(encoding="utf-8"))
    database.close()
    return campus


def published(campus: Campus) -> dict[str, list[str]]:
    """The tables that were published, and their columns that hold results."""
    database = sqlite3.connect(campus.store)
    names = [name for (name,) in database.execute("SELECT table_name FROM pharos_publication ORDER BY 1")]
    columns = {
        table: [name for _, name, *_ in database.execute(f"PRAGMA table_info({table})") if name not in OWN]
        for table in names
    }
    database.close()
    return columns


def test_an_upgraded_store_and_lake_show_the_same_numbers(campus: Campus) -> None:
    before = {table: (columns, campus.rows(table, columns)) for table, columns in published(campus).items()}
    assert all(rows for _, rows in before.values())
    assert len(before) == 10
    events = Lake(campus.folder / "home" / "lake").events()

    report = campus.run()

    assert report.ingested.events == 0
    assert Lake(campus.folder / "home" / "lake").events() == events
    for table in before.keys() - COUNTED_OTHERWISE:
        columns, rows = before[table]
        assert campus.rows(table, columns) == rows, table


def test_an_upgraded_lake_equals_one_that_was_never_another(campus: Campus) -> None:
    campus.run("logs", "later", until=LATER)
    campus.run("logs", "later", home="fresh", until=LATER)
    assert len(published(campus)) > 10
    for table, columns in published(campus).items():
        assert campus.rows(table, columns) == campus.rows(table, columns, "fresh"), table


def test_the_logs_of_an_earlier_release_are_known_under_any_folder(campus: Campus) -> None:
    (campus.folder / "logs").rename(campus.folder / "elsewhere")
    assert campus.run("elsewhere").ingested.events == 0


def test_the_schema_goes_back_and_keeps_the_numbers(campus: Campus) -> None:
    schema = layout(campus.store)
    columns = published(campus)
    campus.run("logs", "later", until=LATER)
    after = {table: campus.rows(table, columns[table]) for table in columns}

    store.downgrade(campus.settings().store_url, PREVIOUS_VERSION)

    now = layout(campus.store)
    assert {table: now[table] for table in schema} == schema
    assert set(now) - set(schema) <= set(RESULTS), "tables that no migration made stay"
    assert {table: campus.rows(table, columns[table]) for table in columns} == after


def layout(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Tables and their columns: name, type, may be null."""
    database = sqlite3.connect(path)
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {
        name: sorted(column[1:4] for column in database.execute(f"PRAGMA table_info({name})"))
        for name in names
        if not name.startswith("sqlite_")
    }
    database.close()
    return found


def test_old_numbers_are_served_until_the_new_ones_are_published(
    campus: Campus, serve: Callable[[Any], str]
) -> None:
    settings = campus.settings()
    store.upgrade(settings.store_url)  # the first step of an upgrade: the tables, not yet their rows
    database = store.connect(settings.store_url)
    token = create_token(database, "test")
    database.dispose()
    api = serve(create_app(settings))
    (course,) = max(campus.rows("course_enrollment_daily", ["course_id"]))
    address = f"{api}/api/v0/courses/{course}/enrollment/?start_date=2026-01-01&end_date=2026-03-02"

    def answer() -> list[dict[str, Any]]:
        found = httpx.get(address, headers={"Authorization": f"Token {token}"}).raise_for_status()
        rows: list[dict[str, Any]] = found.json()
        return [{name: value for name, value in row.items() if name != "created"} for row in rows]

    old, seen = answer(), []
    kept = stems(campus)
    shutil.rmtree(campus.folder / "home" / "lake" / "results")  # every result is made anew
    campus.run(
        "logs", "later", until=LATER, progress=lambda stage, done, _: seen.append((stage, done, answer()))
    )

    before = [found for stage, _, found in seen if stage != "Publishing"]
    assert {stage for stage, _, _ in seen} >= {"Computing facts", "Computing metrics", "Publishing"}
    assert all(found == old for found in before)
    deadline = time.monotonic() + PATIENCE_S
    while (new := answer()) == old and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(new) > len(old)
    assert all(found in (old, new) for _, _, found in seen)
    assert kept != stems(campus)


def stems(campus: Campus) -> set[str]:
    """Names of the facts' files: code and inputs they were made of."""
    return {path.stem for path in (campus.folder / "home" / "lake" / "facts").rglob("*.parquet")}
