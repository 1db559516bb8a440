"""Engagement of small logs with right values beside them, on both engines. `spec 03 §2, 4.2`"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from tests.pipeline.conftest import computing

from pharos import config
from pharos.config import EngineSettings
from pharos.data_api.app import create_app
from pharos.data_api.tokens import create_token
from pharos.pipeline.run import run_pipeline
from pharos.result_store import store, tables

Rows = list[tuple[Any, ...]]
LEARNERS = (
    tables.module_engagement, tables.module_engagement_metric_ranges, tables.module_engagement_roster,
    tables.module_engagement_roster_token, tables.module_engagement_user_segments,
    tables.student_engagement_daily, tables.student_engagement_weekly, tables.student_engagement_all,
)  # fmt: skip
PROBLEM = "block-v1:FUT+{}+R+type@problem+block@aaa"


def computed(home: Path, engine: EngineSettings, log: Path, until: datetime) -> sa.Engine:
    settings = config.load(home, engine=engine.model_dump(), reports={"student_engagement": True})
    # On Spark each table costs 3 to 5 s, however little it holds.
    with computing(*(table.name for table in LEARNERS)):
        run_pipeline(settings, logs=[str(log)], until=until)
    return sa.create_engine(f"sqlite:///{home / 'result_store.sqlite'}", poolclass=sa.NullPool)


def rows(database: sa.Engine, table: sa.Table, *columns: str) -> Rows:
    """These columns of all rows, in order."""
    chosen = [table.c[name] for name in columns]
    with database.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*chosen).order_by(*chosen))]


def engagement(database: sa.Engine) -> Rows:
    names = ("username", "date", "entity_type", "entity_id", "event", "count")
    return rows(database, tables.module_engagement, *names)


# On Spark the metrics have tests of their own; here it took 112 s of processor time.
@pytest.mark.parametrize("engine_settings", ["duckdb"], indirect=True)
def test_nothing_right(
    shared_data: Path, engine_settings: EngineSettings, tmp_path: Path, serve: Callable[[Any], str]
) -> None:
    log = shared_data / "field" / "future" / "engagement-nothing-right.log"
    database = computed(tmp_path, engine_settings, log, datetime(2024, 3, 12))
    today = date(2024, 3, 5)
    assert engagement(database) == [
        ("u1", today, "discussion", "course", "contributed", 1),
        ("u1", today, "problem", PROBLEM.format("E2"), "attempted", 3),
    ]
    week = rows(database, tables.module_engagement_summary, "start_date", "end_date", *METRICS, "days_active")
    assert week == [(today, date(2024, 3, 12), 3, 1, 0, None, 0, 1, 1)]
    assert rows(database, tables.module_engagement_user_segments, "segment") == []
    ranges = rows(
        database, tables.module_engagement_metric_ranges, "metric", "range_type", "low_value", "high_value"
    )
    assert [row for row in ranges if row[0] in METRICS[:1] + METRICS[2:4]] == [
        ("problem_attempts", "low", 0, 3),
        ("problem_attempts", "normal", 3, None),
        ("problem_attempts_per_completed", "low", 0, None),
        ("problem_attempts_per_completed", "normal", None, None),
        ("problems_completed", "normal", 0, None),
    ]
    learner = ("username", "segments", "attempt_ratio_order", "enrollment_date", "email")
    assert rows(database, tables.module_engagement_roster, *learner) == [("u1", "", -3, today, None)]
    report = ("username", "end_date", "days_active", "problems_attempted", "problem_attempts", "forum_posts")
    for table, end in (
        (tables.student_engagement_daily, today),
        (tables.student_engagement_weekly, date(2024, 3, 11)),
        (tables.student_engagement_all, date(2024, 3, 11)),
    ):
        assert rows(database, table, *report) == [("u1", end, 1, 1, 3, 1)]
    assert_the_endpoints_say_so(tmp_path, serve)


def assert_the_endpoints_say_so(home: Path, serve: Callable[[Any], str]) -> None:
    """What the Data API answers of learners, from the tables that were computed. `spec 05 §10`"""
    settings = config.load(home, data_api={"learners": True})
    database = store.connect(settings.store_url)
    create_token(database, "all", learners=True, token="t" * 40)
    database.dispose()
    course = "course-v1:FUT+E2+R"
    with httpx.Client(
        base_url=f"{serve(create_app(settings))}/api/v0",
        headers={"Authorization": f"Token {'t' * 40}"},
        params={"course_id": course},
    ) as api:
        [learner] = api.get("/learners/", params={"course_id": course, "text_search": "U1"}).json()["results"]
        assert learner == api.get("/learners/u1/").json()
        assert learner["engagements"] == {
            "discussion_contributions": 1, "problems_attempted": 1, "problems_completed": 0,
            "videos_viewed": 0, "problem_attempts_per_completed": None,
        }  # fmt: skip
        assert (learner["segments"], learner["last_updated"]) == ([], "2024-03-12")
        assert api.get("/engagement_timelines/u1/").json() == {
            "days": [
                {"date": "2024-03-05", "problems_attempted": 1, "problems_completed": 0,
                 "discussion_contributions": 1, "videos_viewed": 0}
            ]
        }  # fmt: skip
        metadata = api.get(f"/course_learner_metadata/{course}/").json()
    assert (metadata["enrollment_modes"], set(metadata["segments"].values())) == ({"audit": 1}, {0})
    ranges = metadata["engagement_ranges"]
    assert ranges["date_range"] == {"start": "2024-03-05", "end": "2024-03-12"}
    ranks = [f"class_rank_{rank}" for rank in ("bottom", "average", "top")]
    # Few attempts per completed problem are good: what is low is on top.
    assert [ranges["problem_attempts_per_completed"][rank] for rank in ranks] == [
        None, [None, None], [0.0, None],
    ]  # fmt: skip
    assert [ranges["problems_attempted"][rank] for rank in ranks] == [[0.0, 1.0], [1.0, None], None]


METRICS = (
    "problem_attempts", "problems_attempted", "problems_completed", "problem_attempts_per_completed",
    "videos_viewed", "discussion_contributions",
)  # fmt: skip


@pytest.mark.parametrize("engine_settings", ["duckdb"], indirect=True)
def test_a_retired_learner(shared_data: Path, engine_settings: EngineSettings, tmp_path: Path) -> None:
    """§4.2-26: one learner, under the newest name; with the event that the original leaves out."""
    log = shared_data / "field" / "future" / "engagement-retired-name.log"
    database = computed(tmp_path, engine_settings, log, datetime(2024, 3, 7))
    retired, problem = "retired__user_" + "a1" * 20, PROBLEM.format("E1")
    assert engagement(database) == [
        (retired, date(2024, 3, 5), "problem", problem, "attempted", 1),
        (retired, date(2024, 3, 6), "problem", problem, "attempted", 1),
        (retired, date(2024, 3, 6), "problem", problem, "completed", 1),
    ]
    assert rows(database, tables.module_engagement_roster, "username", "user_id") == [(retired, 7)]
