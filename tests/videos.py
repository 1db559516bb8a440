"""What learners do with videos, written short, for the tests of several rooms."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tests.lines import COURSE, event

Event = dict[str, Any]


def moves(user: int, text: str, day: str = "2024-03-05", **more: Any) -> list[Event]:
    """Rows of the fact `video_event`: `10:00:09 seek 9.4>30 · 10:00:10 play 9.4 /120`, the last a duration.

    `more` are columns replaced.
    """
    return [_move(user, part.split(), day) | more for part in text.split("·")]


def _move(user: int, words: list[str], day: str) -> Event:
    clock, kind, where, *length = words
    old, _, new = where.rpartition(">")
    return {
        "course_id": COURSE,
        "user_id": user,
        "video": "v",
        "session": "",
        "is_mobile": False,
        "date": date.fromisoformat(day),
        "time": datetime.fromisoformat(f"{day} {clock}"),
        "event_type": f"{kind}_video",
        "position": float(new),
        "old_position": float(old) if old else None,
        "duration": float(length[0][1:]) if length else None,
        "unused": None,
        "count": 1,
    }


def line(row: Event) -> str:
    """The line of a log that such a row is made from."""
    payload = {"id": row["video"], "code": "html5"}
    if row["event_type"] == "seek_video":
        payload |= {"new_time": row["position"], "old_time": row["old_position"]}
    else:
        payload |= {"currentTime": row["position"], "duration": row["duration"]}
    moment = row["time"].replace(tzinfo=UTC).isoformat()
    return event(
        str(row["date"]), row["event_type"], user=row["user_id"], course=row["course_id"],
        source="mobile" if row["is_mobile"] else "browser",
        session=row["session"], time=moment, event=payload,
    )  # fmt: skip
