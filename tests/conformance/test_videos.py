"""Videos of small logs with right values beside them, and of a real one, on both engines. `spec 03 §1`"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests import lines
from tests.conftest import one_on_spark
from tests.metrics.naive_videos import usage, viewings
from tests.pipeline.conftest import computing
from tests.videos import Event, line, moves

from pharos import config
from pharos.config import EngineSettings
from pharos.pipeline.run import run_pipeline

Rows = list[tuple[Any, ...]]
UNTIL = datetime(2024, 3, 12)


def run(home: Path, engine: EngineSettings, log: Path, until: datetime, *, compat: bool = False) -> None:
    settings = config.load(home, engine=engine.model_dump(), video={"compat": compat})
    with computing("video", "video_timeline"):
        run_pipeline(settings, logs=[str(log)], until=until)


def published(home: Path) -> tuple[Rows, Rows]:
    """The rows of both tables, without number and moment, in order."""
    database = sa.create_engine(f"sqlite:///{home / 'result_store.sqlite'}")
    with database.connect() as connection:
        videos = connection.exec_driver_sql(
            "SELECT course_id, encoded_module_id, duration, segment_length, users_at_start, users_at_end, "
            "total_viewed_seconds FROM video ORDER BY pipeline_video_id"
        ).all()
        timeline = connection.exec_driver_sql(
            "SELECT pipeline_video_id, segment, num_users, num_views FROM video_timeline ORDER BY 1, 2"
        ).all()
    database.dispose()
    return [tuple(row) for row in videos], [tuple(row) for row in timeline]


EXPECTED: dict[str, tuple[Rows, Rows]] = {
    "video-rewatched": (
        [("course-v1:FUT+V2+R", "v2", 20, 5, 1, 0, 30)],
        [("course-v1:FUT+V2+R|v2", 0, 1, 3), ("course-v1:FUT+V2+R|v2", 1, 1, 3)],
    ),
    "video-end-before-start": (
        [("course-v1:FUT+V3+R", "v3", 60, 5, 0, 0, 10)],
        [("course-v1:FUT+V3+R|v3", 8, 1, 1), ("course-v1:FUT+V3+R|v3", 9, 1, 1)],
    ),
}


@pytest.mark.parametrize(("engine_settings", "name"), one_on_spark(EXPECTED), indirect=["engine_settings"])
def test_small_logs(shared_data: Path, engine_settings: EngineSettings, tmp_path: Path, name: str) -> None:
    """With the original's rules and with ours: here they agree."""
    log = shared_data / "field" / "future" / f"{name}.log"
    for compat in (True, False):
        run(tmp_path, engine_settings, log, datetime(2024, 3, 6), compat=compat)
        assert published(tmp_path) == EXPECTED[name]


# What is carried from run to run on Spark: `tests/pipeline/test_publishing.py`. Here it took four runs.
@pytest.mark.parametrize("engine_settings", ["duckdb"], indirect=True)
def test_a_play_and_its_end_in_different_files_days_and_runs(
    engine_settings: EngineSettings, tmp_path: Path
) -> None:
    """`spec 90 §4 D1`: in whatever pieces events come, and repeated, they give the rows of all at once."""
    viewings = [
        *moves(1, "23:59:30 play 0 /120"),
        *moves(1, "00:00:20 pause 50 · 10:00:00 play 50 /120 · 10:00:30 stop 80", day="2024-03-06"),
        *moves(2, "09:00:00 play 0 /120 · 09:00:12 seek 12>60 · 09:00:12.2 play 12 /120"),
        *moves(2, "08:00:00 pause 67.9", day="2024-03-07"),
        *moves(3, "12:00:00 play 0 · 12:00:20 pause 20", is_mobile=True),
    ]
    texts = [line(row) for row in viewings]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(whole, engine_settings, lines.write(whole / "tracking.log", texts), UNTIL)
    for number, piece in enumerate((texts[1::2], texts[:3], texts[::2][::-1])):
        run(parts, engine_settings, lines.write(parts / f"tracking.log-{number}", piece), UNTIL)
    assert published(parts) == published(whole)
    [(_, _, duration, _, at_start, at_end, _)], timeline = published(whole)
    assert (duration, at_start, at_end) == (120, 3, 0)
    assert [row[1:] for row in timeline if row[1] in (0, 10, 13, 16)] == [
        (0, 3, 3), (10, 1, 2), (13, 2, 2), (16, 1, 1),
    ]  # fmt: skip


# That Spark gives the same rows is seen with the small logs.
@pytest.mark.parametrize("engine_settings", ["duckdb"], indirect=True)
def test_a_real_log(shared_data: Path, engine_settings: EngineSettings, tmp_path: Path) -> None:
    """By the original's rules: the rows that one state per learner and video gives, read line by line."""
    log = shared_data / "tracking" / "video_timeline.log"
    run(tmp_path, engine_settings, log, datetime(2017, 1, 1), compat=True)
    videos, timeline = published(tmp_path)
    expected = usage(viewings(_rows(log), compat=True))
    assert {row[:2]: (row[2], *row[4:]) for row in videos} == {
        video: whole for video, (whole, _) in expected.items()
    }
    assert timeline == sorted(
        (f"{course}|{video}", segment, *counts)
        for (course, video), (_, parts) in expected.items()
        for segment, counts in parts.items()
    )
    assert videos


def _rows(log: Path) -> list[Event]:
    """The events of a log that are well formed, as rows of the fact `video_event`."""
    found = {}
    for text in log.read_text(encoding="utf-8").splitlines():
        try:
            row = _row(json.loads(text))
        except (KeyError, TypeError, ValueError):
            continue
        found[tuple(row.items())] = row
    return list(found.values())


def _row(event: dict[str, Any]) -> Event:
    payload = event["event"]
    payload = json.loads(payload) if isinstance(payload, str) else payload
    kind = event["event_type"]
    if kind not in ("play_video", "pause_video", "stop_video", "seek_video"):
        raise ValueError(kind)
    is_seek = kind == "seek_video"
    position = float(payload["new_time" if is_seek else "currentTime"])
    old = float(payload["old_time"]) if is_seek else None
    if not 0 <= position <= 36_000 or not 0 <= (old or 0) <= 36_000:
        raise ValueError(position)
    return {
        "course_id": event["context"]["course_id"] or None,
        "user_id": int(event["context"]["user_id"]),
        "video": payload["id"].strip(),
        "session": event["session"],
        "is_mobile": event["event_source"] == "mobile",
        "time": datetime.fromisoformat(event["time"]).replace(tzinfo=None),
        "event_type": kind,
        "position": position,
        "old_position": old,
        "duration": None if is_seek else payload.get("duration"),
        "unused": None,
    }
