"""Lines of a tracking log in the form the LMS writes them, for the tests of several rooms."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

COURSE = "course-v1:UniX+CS1+2024"
KINDS = ("activated", "deactivated", "mode_changed")


def event(
    time: str,
    event_type: str,
    /,
    *,
    user: object = 7,
    course: object = COURSE,
    source: object = "server",
    **more: object,
) -> str:
    """A line at this time (`2024-03-02 09:00`, UTC); `more` are members added or replaced."""
    members: dict[str, object] = {
        "name": event_type,
        "event_type": event_type,
        "event_source": source,
        "time": f"{datetime.fromisoformat(time).isoformat()}+00:00",
        "username": "ana",
        "session": "0f",
        "ip": "203.0.113.9",
        "agent": "Mozilla/5.0",
        "host": "lms.example.org",
        "page": None,
        "referer": "",
        "accept_language": "en",
        "context": {"user_id": user, "course_id": course, "org_id": "UniX", "path": "/"},
        "event": {},
    }
    return json.dumps(members | more)


def enrollment(
    time: str,
    kind: str,
    /,
    *,
    user: object = 7,
    mode: object = "audit",
    course: object = COURSE,
    **more: object,
) -> str:
    """A line that says so of the learner; `kind` is one of KINDS."""
    payload = {"course_id": course, "user_id": user, "mode": mode}
    return event(time, f"edx.course.enrollment.{kind}", user=user, course=course, **{"event": payload} | more)


def write(path: Path, lines: Iterable[str]) -> Path:
    """A log file with these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
