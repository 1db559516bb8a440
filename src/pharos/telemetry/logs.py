"""Log lines on standard error, for people as text or for programs as JSON, a line each.

A line is a constant event and facts as fields, so that lines can be counted: `event(log, "job ended",
job="daily", exit_code=0)`. Facts never name a person.
"""

from __future__ import annotations

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request being answered; empty outside of one."""
REQUESTS = logging.getLogger("pharos.requests")
"""A line for each request, in JSON only: on a terminal they would bury what matters."""


def configure(form: Literal["text", "json"]) -> None:
    """Write log lines in this form from now on: Pharos's own from INFO, those of libraries from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("pharos").setLevel(logging.INFO)
    REQUESTS.setLevel(logging.INFO if form == "json" else logging.WARNING)


def writes_json() -> bool:
    """True if log lines are JSON."""
    return any(isinstance(handler.formatter, JSONLines) for handler in logging.getLogger().handlers)


def write(log: logging.Logger, name: str, level: int = logging.INFO, **facts: object) -> None:
    """Write a line, if its level is enabled."""
    if log.isEnabledFor(level):
        log.log(level, "%s", name, extra={"facts": facts})


class JSONLines(logging.Formatter):
    """`{"time": …, "level": …, "logger": …, "event": …, …facts}` of a record."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return _escaped(msgspec.json.encode(line, enc_hook=str).decode())


class TextLines(logging.Formatter):
    """`2026-03-02T04:05:06Z WARNING event fact=value` of a record."""

    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(
            f" {name}={visible(str(value))}" for name, value in getattr(record, "facts", {}).items()
        )
        text = f"{_moment(record)} {record.levelname} {visible(record.getMessage())}{facts}"
        if not record.exc_info:
            return text
        # Indented: the text of an error may have line ends, and no line of it may look like a record.
        trace = self.formatException(record.exc_info).splitlines()
        return "\n".join([text, *(f"  {visible(line)}" for line in trace)])


def visible(text: str) -> str:
    """Text from outside, such as a course id, on one line: line ends and escape codes are escaped."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _escaped(line: str) -> str:
    """JSON text with these characters as JSON escapes; JSON requires that only for ASCII ones."""
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line)


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds')}Z"
