from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from pharos.config import LMS, EngineSettings
from pharos.engine import Engine, open_engine
from pharos.lake import lms_catalog, lms_tables
from pharos.lake.lake import Lake
from pharos.lake.snapshots import TableState

RUNS: dict[str, list[dict[str, Any]]] = {
    "edx": [
        {
            "key": "course-v1:U+A+1", "course": "U+A", "title": " All  about\n A ",
            "start": "2026-01-01T00:00:00Z", "end": None, "availability": "Current",
            "pacing_type": "self_paced",
            "programs": [
                {"uuid": "p1", "type": "XSeries", "title": "One"},
                {"uuid": "p2", "type": "MicroMasters", "title": None},
                {"uuid": "p1", "type": "XSeries", "title": "One"},
            ],
        },
        {"key": "course-v1:U+B+1", "course": "U+B", "title": "B", "programs": []},
        {"key": None, "course": "U+N"},
    ],
    "other": [{"key": "course-v1:O+C+1", "course": "O+C", "title": "C"}],
}  # fmt: skip


@pytest.fixture
def discovery(serve: Callable[[Any], str]) -> str:
    """Address of a discovery service with two partners, a course run a page; it is its own LMS."""
    app = FastAPI()
    app.post("/oauth2/access_token")(lambda: {"access_token": "t", "expires_in": 3600})

    @app.get("/api/v1/course_runs/")
    def runs(page: int, partner: str = "") -> Any:
        found = RUNS[partner] if partner else [run for part in RUNS.values() for run in part]
        return {"results": found[page - 1 : page], "next": "somewhere" if page < len(found) else None}

    return serve(app)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    lake = Lake(tmp_path / "lake")
    with lake.locked():
        yield lake


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(EngineSettings(threads=2), tmp_path / "scratch")
    yield engine
    engine.close()


def bring(lake: Lake, engine: Engine, url: str, *partners: str, fresh: int = 0) -> list[TableState]:
    settings = LMS(
        url=url, client_id="service", client_secret=SecretStr("secret"), catalog_url=f"{url}/api/v1/",
        catalog_partners=list(partners),
    )  # fmt: skip
    return lms_catalog.import_catalog(lake, engine, settings, fresh=timedelta(hours=fresh))


def rows(lake: Lake, engine: Engine, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = engine.fetch(lms_tables.read(engine, lake, table)).to_pylist()
    return found


def test_course_runs_and_programs(lake: Lake, embedded: Engine, discovery: str) -> None:
    """spec 04 §4.2, §12.29; what has no key is left out"""
    assert all(state.problem is None for state in bring(lake, embedded, discovery))
    runs = rows(lake, embedded, "course_catalog")
    assert [run["course_id"] for run in runs] == ["course-v1:O+C+1", "course-v1:U+A+1", "course-v1:U+B+1"]
    assert runs[1] == {
        "course_id": "course-v1:U+A+1", "catalog_course": "U+A", "catalog_course_title": "All about A",
        "start_time": datetime(2026, 1, 1), "end_time": None, "pacing_type": "self_paced",
        "availability": "Current",
    }  # fmt: skip
    programs = rows(lake, embedded, "program_course")
    assert [(row["course_id"], row["program_id"], row["program_title"]) for row in programs] == [
        ("course-v1:U+A+1", "p1", "One"),
        ("course-v1:U+A+1", "p2", None),
    ]


def test_only_the_partners_asked_for(lake: Lake, embedded: Engine, discovery: str) -> None:
    bring(lake, embedded, discovery, "other")
    assert [run["catalog_course"] for run in rows(lake, embedded, "course_catalog")] == ["O+C"]
    assert rows(lake, embedded, "program_course") == []
    bring(lake, embedded, discovery, "edx", "other", fresh=1)  # not asked again so soon
    assert len(rows(lake, embedded, "course_catalog")) == 1
    bring(lake, embedded, discovery, "edx", "other")
    assert len(rows(lake, embedded, "course_catalog")) == 3


def test_a_service_that_is_down_leaves_everything_as_it_is(
    lake: Lake, embedded: Engine, discovery: str, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(lake, embedded, discovery)
    monkeypatch.setattr(lms_catalog, "PATIENCE_S", 0.1)
    states = bring(lake, embedded, f"http://127.0.0.1:{free_port}")
    assert all(state.problem for state in states)
    assert len(rows(lake, embedded, "course_catalog")) == 3
