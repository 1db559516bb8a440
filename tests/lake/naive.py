"""A second opinion on log lines, written from the specification with `json` and a dict: short and slow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import xxhash

COURSE = re.compile(r"(course-v1:([\w.~:-]+)\+[\w.~:-]+\+[\w.~:-]+|([\w.%-]+)/[\w.%-]+/[\w.%-]*)")
ADDRESS = re.compile(r"/courses/(course-v1:[^/?#]+|[^/+]+/[^/+]+/[^/?#]+)")
TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?\s*(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE
)
TEXTS = [
    "event_type", "name", "event_source", "ip", "session", "agent", "host", "page", "referer",
    "accept_language",
]  # fmt: skip


@dataclass
class Counted:
    """What a number of logs come to."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)  # event_id -> columns
    lines: int = 0
    refused: int = 0
    blank: int = 0

    @property
    def duplicates(self) -> int:
        return self.lines - self.refused - self.blank - len(self.events)


def count(logs: Iterable[bytes]) -> Counted:
    """All lines of all logs; the last line of a log counts as well if something stands on it."""
    counted = Counted()
    for log in logs:
        *lines, rest = log.split(b"\n")
        for line in [*lines, rest] if rest.strip() else lines:
            counted.lines += 1
            columns = event(line)
            if not line.strip():
                counted.blank += 1
            elif columns is None:
                counted.refused += 1
            else:
                counted.events[columns["event_id"]] = columns
    return counted


def event(line: bytes) -> dict[str, Any] | None:
    """The columns of the event on a line; None if it is none."""
    value = _log_form(_object(line))
    time = _utc(value.get("time", value.get("timestamp"))) if value is not None else None
    if value is None or time is None:
        return None
    if not (value.get("event_type") or value.get("name") or "event" in value or "data" in value):
        return None
    context = value["context"] if isinstance(value.get("context"), dict) else None
    columns = {member: _text(value.get(member)) for member in TEXTS}
    course, page_course = _courses(context, columns)
    return {
        **columns,
        "event_id": xxhash.xxh3_128_hexdigest(line[line.index(b"{") :].rstrip()),
        "time": time,
        "username": (_text(value.get("username")) or "").strip() or None,
        "user_id": _user(context.get("user_id")) if context else None,
        "course_id": course,
        "page_course_id": page_course,
        "org_id": _organisation(page_course),
    }


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None
    for attempt in (text, text[text.find("{") :].rstrip() if "{" in text else ""):
        try:
            value = json.loads(attempt)
        except ValueError:
            continue
        return value if isinstance(value, dict) else None
    return None


def _log_form(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """An event of the event bus as it would stand in a log; any other as it is."""
    if value is None or "event" in value or "data" not in value:
        return value
    context = value["context"] if isinstance(value.get("context"), dict) else {}
    moved = {member: context[member] for member in [*TEXTS, "username"] if member in context}
    defaults = {"event_source": "server", "event_type": value.get("name")}
    named = {} if "event_type" in value else {"event_type": value.get("name")}
    return {**defaults, **moved, **named, **value}


def _text(value: object) -> str | None:
    """The text; a half of a surrogate pair, which UTF-8 has no place for, becomes U+FFFD."""
    return re.sub("[\ud800-\udfff]", "\ufffd", value) if isinstance(value, str) else None


def _utc(written: object) -> datetime | None:
    if not isinstance(written, str) or not TIME.fullmatch(written.strip()):
        return None
    try:
        time = datetime.fromisoformat(re.sub(r"\s", "", written).upper())
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError):
        return None


def _user(written: object) -> int | None:
    if isinstance(written, bool) or not isinstance(written, int | str):
        return None
    number = int(written) if re.fullmatch(r"\s*[0-9]{1,19}\s*", str(written)) else 0
    return number if 0 < number < 2**63 else None


def _courses(context: dict[str, Any] | None, columns: dict[str, str | None]) -> tuple[str | None, str | None]:
    if context is None:
        return None, None
    written = context.get("course_id")
    course = written.strip() if isinstance(written, str) else ""
    if course:
        return (course, course) if COURSE.fullmatch(course) else (None, None)
    where = {"server": columns["event_type"], "browser": columns["page"]}.get(columns["event_source"] or "")
    found = ADDRESS.search(where or "")
    return None, found[1] if found and COURSE.fullmatch(found[1]) else None


def _organisation(course: str | None) -> str | None:
    match = COURSE.fullmatch(course) if course else None
    return (match[2] or match[3]) if match else None
