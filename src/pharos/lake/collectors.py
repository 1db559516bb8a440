"""Restores log lines from the records of log collectors and container runtimes.

They wrap a line into a record (`{"log": …}` of Docker, `{"message": …}` of Vector and Fluent Bit, exports of
Loki and CloudWatch), a record into another record, or several lines into one record; or they split a long
line into parts; or they decode the event's JSON and write it in another form. Events as the LMS wrote them
are not changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from pharos.lake import parse
from pharos.lake.parse import NotAnEvent

# Members that hold the line: of Docker and Fluent Bit, Vector, Loki, CloudWatch, journald and others.
LINE_MEMBERS = ("log", "message", "line", "@message", "MESSAGE", "msg", "textPayload", "_raw", "original")
# Members that no event of the LMS has: a collector that adds them has rewritten the whole event.
_MARKS = {
    "@timestamp", "@version", "container_id", "container_name", "docker", "file", "fluentbit_timestamp",
    "kubernetes", "labels", "log_file", "logtag", "source_type", "stream",
}  # fmt: skip

_CRI = re.compile(rb"\S+ (stdout|stderr) ([PF]) ")
_LOKI_LABELS = re.compile(rb'^\S*\s*\{\w+="(?:[^"\\]|\\.)*"(?:,\s*\w+="(?:[^"\\]|\\.)*")*\}\s*')
_CSV = re.compile(rb'"([^"{]*\{"".*\}\s*)"')


class _Record(Struct):
    """A container runtime's or collector's record of a line."""

    log: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    line: str | UnsetType = UNSET
    stream: str | UnsetType = UNSET
    logtag: str | UnsetType = UNSET
    event_type: Raw | UnsetType = UNSET
    event: Raw | UnsetType = UNSET


_decode_record: Callable[[bytes], _Record] = msgspec.json.Decoder(_Record).decode


@dataclass(frozen=True)
class Part:
    """A line of a container, or a part of one: container runtimes split lines after 16 KiB."""

    stream: str  # parts of one line are in one stream; empty if the record does not say
    text: bytes
    is_last: bool
    is_record: bool  # whether the text was in a JSON text


def part_of(line: bytes) -> Part | None:
    """The part of a line in the format of a container runtime or file collector; None for any other line."""
    if (match := _CRI.match(line)) is not None:
        return Part(match[1].decode(), line[match.end() :], is_last=match[2] == b"F", is_record=False)
    try:
        record = _decode_record(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    text = next((text for text in (record.log, record.message, record.line) if text is not UNSET), None)
    if text is None or record.event is not UNSET or record.event_type is not UNSET:
        return None
    stream = "" if record.stream is UNSET else record.stream
    if record.logtag is not UNSET:
        is_last = record.logtag == "F"
    else:  # Docker ends all parts but the last without a line end
        is_last = not stream or record.log is UNSET or text.endswith("\n")
    return Part(stream, text.encode(), is_last, is_record=True)


def lines_in(value: object) -> list[bytes]:
    """The log lines in a decoded record, if one of them holds an event; else an empty list.

    An event in the form that the LMS writes is not a record. An event that a collector has decoded and
    rewritten is one: its original line is restored.
    """
    if isinstance(value, dict) and parse.is_typed_event(value) and not _is_rewritten(value):
        return _lines_in_member(value, LINE_MEMBERS)
    return _lines_in(value)


def _lines_in(value: object) -> list[bytes]:
    if isinstance(value, str):
        return _lines_in_text(value)
    if isinstance(value, list):
        return _lines_in_list(value)
    if not isinstance(value, dict):
        return []
    if lines := _lines_in_member(value, LINE_MEMBERS):
        return lines
    return [_line_of(value)] if parse.is_typed_event(value) else _lines_in_member(value, value)


def _lines_in_member(value: dict[str, Any], names: Iterable[str]) -> list[bytes]:
    """The lines in the first of these members that holds an event; some collectors store it in two."""
    return next(filter(None, (_lines_in(value.get(name)) for name in names)), [])


def _lines_in_list(values: list[Any]) -> list[bytes]:
    """The lines of all items; if one item holds an event, items without one are lines as well."""
    found = [_lines_in(value) for value in values]
    if not any(found):
        return []
    alone = [json.dumps(value).encode() if isinstance(value, dict | list) else b"" for value in values]
    return [line for lines, text in zip(found, alone, strict=True) for line in lines or filter(None, [text])]


def _lines_in_text(text: str) -> list[bytes]:
    if "{" not in text:
        return []
    try:
        line = text.encode()
        value, _ = parse.decoded(line)
    except (NotAnEvent, UnicodeError):
        return []
    if isinstance(value, str):
        return []
    is_event = isinstance(value, dict) and parse.is_typed_event(value) and not _is_rewritten(value)
    return [line] if is_event else _lines_in(value)


def _is_rewritten(event: dict[str, Any]) -> bool:
    """True if a collector has decoded this event and written it in another form."""
    return not _MARKS.isdisjoint(event) or isinstance(_decoded_text(event.get("context")), dict)


def _line_of(event: dict[str, Any]) -> bytes:
    """The line of a decoded event in the LMS's form, without members that a collector has added."""
    if _is_rewritten(event):
        event = {name: member for name, member in event.items() if name in _EVENT_MEMBERS}
        context, payload = _decoded_text(event.get("context")), _decoded_text(event.get("event"))
        if isinstance(context, dict):
            event["context"] = context
            is_request = str(event.get("event_type", "")).startswith("/")
            # The LMS writes a text for requests, and for what browsers and mobile apps send.
            if isinstance(payload, dict) and event.get("event_source") == "server" and not is_request:
                event["event"] = payload
    return json.dumps(event).encode()


_EVENT_MEMBERS = {*parse.MEMBERS, "timestamp", "data"}


def _decoded_text(value: object) -> object:
    """The value of a text that holds a JSON object; None for every other value."""
    if not isinstance(value, str) or value[:1] != "{":
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def cleaned(line: bytes) -> bytes | None:
    """The line without Loki's labels or the quotes of CSV; None if it has neither."""
    if (match := _LOKI_LABELS.match(line)) is not None:
        return line[match.end() :]
    if (match := _CSV.search(line)) is not None:
        return match[1].replace(b'""', b'"')
    return None
