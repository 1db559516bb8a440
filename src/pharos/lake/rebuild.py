"""Rebuilds the original JSON object of an event from its row: the proof that the lake loses nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pharos.lake.parse import MEMBERS, TEXT_MEMBERS


def original(row: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object of the original log line; `row` has the columns of `schema.EVENTS`."""
    if row["raw"] is not None:
        return dict(json.loads(row["raw"]))
    value = {name: row[name] for name in TEXT_MEMBERS}
    value["username"] = row["username"] or ""  # an event whose name is null keeps its text
    value["time"] = _as_written(row["time"])
    value["event"] = row["payload"] if row["payload_is_text"] else _decoded(row["payload"])
    value["context"] = _decoded(row["context"])
    absent = set(row["absent"].split(","))
    return {name: value[name] for name in MEMBERS if name not in absent}


def _as_written(time: datetime) -> str:
    """The time in the LMS's form. An event with a time in another form is kept as raw text."""
    return time.replace(tzinfo=None).isoformat() + "+00:00"


def _decoded(text: str | None) -> Any:
    return None if text is None else json.loads(text)
