"""Who showed captions or transcript."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.facts.conftest import EventsOf
from tests.lines import COURSE, event

from pharos.engine import Engine
from pharos.facts.video_caption import video_caption

AT = "2024-03-05 10:00"


def line(second: int, kind: str = "show_transcript", /, payload: object = None, **more: Any) -> str:
    return event(f"{AT}:{second:02}", kind, source="browser", event=payload or {"id": " v"}, **more)


def test_captions_and_transcripts_shown(engine: Engine, events_of: EventsOf) -> None:
    """Hidden ones tell nothing, nor do events without learner, course run or video, or with long ids."""
    lines = [
        line(0),
        line(1, "edx.video.closed_captions.shown"),
        line(2, "edx.video.transcript.shown", user=8),
        line(3, "hide_transcript", user=9),
        line(4, "edx.video.closed_captions.hidden", user=9),
        line(5, user=None),
        line(6, course="bad"),
        line(7, payload={"code": "html5"}, user=9),
        line(8, payload={"id": "x" * (255 - len(COURSE))}, user=9),
        line(9, payload={"id": "y" * (254 - len(COURSE))}, user=9),
    ]
    found = engine.fetch(video_caption(events_of(lines))).to_pylist()
    rows = sorted(found, key=lambda row: row["user_id"])
    assert [(row["user_id"], row["video"][:1], row["count"]) for row in rows] == [
        (7, "v", 2), (8, "v", 1), (9, "y", 1),
    ]  # fmt: skip
    assert {(row["course_id"], row["date"]) for row in rows} == {(COURSE, date(2024, 3, 5))}
