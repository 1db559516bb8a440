"""Parses one line of a tracking log into an event, or into the reason why it is not an event.

The rules are R-PARSE, R-TIME, R-USERID, R-COURSE, R-COURSE-URL and R-ORG of spec 01 §1.5, with the Better
items of §10.1: no line fails a run, offsets are converted, both native and log form are read. Regular lines
go through a compiled decoder; lines that it refuses are parsed again by the standard library, so the fast
path never decides the result. All engines use this parser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec
import numpy as np
from msgspec import UNSET, Raw, Struct, UnsetType

from pharos import keys
from pharos.lake.payloads import strict_json, whole_characters


class Reason(StrEnum):
    """Reasons why a line is not an event."""

    NOT_UTF8 = "not UTF-8"
    NOT_JSON = "not JSON"
    NOT_OBJECT = "JSON, but not an object"
    NO_EVENT = "JSON, but no event: neither type, name nor payload"
    NO_TIME = "no time"
    BAD_TIME = "time is not ISO 8601"
    TOO_LONG = "longer than 64 MiB"
    INCOMPLETE = "cut off at the end of the log"


Text = str | None | UnsetType
Moments: TypeAlias = "np.ndarray[Any, np.dtype[np.datetime64]]"  # microseconds, UTC


class Envelope(Struct, forbid_unknown_fields=True, gc=False):
    """A regular event: known members only, each a string or null. Order is that of `TEXT_MEMBERS`."""

    event_type: Text = UNSET
    name: Text = UNSET
    event_source: Text = UNSET
    username: Text = UNSET
    ip: Text = UNSET
    session: Text = UNSET
    agent: Text = UNSET
    host: Text = UNSET
    page: Text = UNSET
    referer: Text = UNSET
    accept_language: Text = UNSET
    time: str | UnsetType = UNSET
    event: Raw | UnsetType = UNSET
    context: Raw | UnsetType = UNSET


TEXT_MEMBERS = (
    "event_type", "name", "event_source", "username", "ip", "session", "agent", "host", "page", "referer",
    "accept_language",
)  # fmt: skip
MEMBERS = (*TEXT_MEMBERS, "time", "event", "context")


class _Context(Struct, gc=False):
    user_id: int | str | None = None
    course_id: str | None = None


class Context(Struct, gc=False, frozen=True, eq=False):
    """The values that the lake stores from an event's context."""

    user_id: int | None
    course_id: str | None  # valid or None
    may_use_url: bool  # whether R-COURSE-URL may look at the address
    is_odd: bool  # whether there is a course id, but of no known form


NO_CONTEXT = Context(None, None, may_use_url=False, is_odd=False)
TEXT_CONTEXT = Context(None, None, may_use_url=False, is_odd=False)
"""JSON in a text: no LMS writes that, a collector has."""

_decode_envelope: Callable[[bytes | memoryview], Envelope] = msgspec.json.Decoder(Envelope).decode
_IRREGULAR = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)  # errors of the decoders
_decode_context: Callable[[bytes | Raw], _Context | None] = msgspec.json.Decoder(_Context | None).decode
_decode_contexts: Callable[[bytes], list[_Context | None]]
_decode_contexts = msgspec.json.Decoder(list[_Context | None]).decode


@dataclass(frozen=True)
class NotAnEvent(Exception):
    """The line is not an event."""

    reason: Reason


def decoded(line: bytes) -> tuple[Any, bytes]:
    """The JSON value on any line by R-PARSE, and its text. Raises NotAnEvent.

    Accepts the same as Python's `json`, including `NaN`. The text is the line, or its part from the first
    `{`.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise NotAnEvent(Reason.NOT_UTF8) from None
    trimmed = text.strip()
    start = trimmed.find("{")
    for source in (trimmed, trimmed[start:] if start > 0 and trimmed.endswith("}") else ""):
        try:
            return json.loads(source), source.encode()
        except (ValueError, RecursionError):
            continue
    raise NotAnEvent(Reason.NOT_JSON)


def is_typed_event(value: dict[str, Any]) -> bool:
    """True if a decoded object has a time, and a type or a name, as every event of an LMS does."""
    time = value.get("time", value.get("timestamp"))
    return isinstance(time, str) and time != "" and _is_typed(value)


def _is_typed(value: dict[str, Any]) -> bool:
    return bool(value.get("event_type") or value.get("name"))


def odd_envelope(value: object) -> Envelope:
    """The event in a decoded JSON value; halves of surrogate pairs become U+FFFD. Raises NotAnEvent."""
    if not isinstance(value, dict):
        raise NotAnEvent(Reason.NOT_OBJECT)
    try:
        return _from_object(value)
    except RecursionError:  # writing takes a little more of the stack than reading
        raise NotAnEvent(Reason.NOT_JSON) from None


def _from_object(value: dict[str, Any]) -> Envelope:
    """An event from a decoded object; also the native form (`timestamp`, `data`, the rest in `context`)."""
    context = value.get("context", UNSET)
    is_native = "event" not in value and "data" in value
    moved = context if is_native and isinstance(context, dict) else {}
    members = {
        name: _as_text(value.get(name, moved.get(name))) if name in value or name in moved else UNSET
        for name in TEXT_MEMBERS
    }
    if is_native:
        members["event_type"] = _as_text(value.get("event_type", value.get("name")))
        if members["event_source"] is UNSET:
            members["event_source"] = "server"
    time = value.get("time", value.get("timestamp"))
    if time is None or time == "":
        raise NotAnEvent(Reason.NO_TIME)
    if not isinstance(time, str):
        raise NotAnEvent(Reason.BAD_TIME)
    if not _is_typed(value) and "event" not in value and "data" not in value:
        required_utc(time)
        raise NotAnEvent(Reason.NO_EVENT)
    event = value["event"] if "event" in value else value.get("data", UNSET)
    return Envelope(
        **members,
        time=whole_characters(time),
        event=UNSET if event is UNSET else Raw(strict_json(event).encode()),
        context=UNSET if context is UNSET else Raw(strict_json(context).encode()),
    )


def _as_text(value: Any) -> str | None:
    """A member's text; None if it is not a text. The raw event keeps other values."""
    return whole_characters(value) if isinstance(value, str) else None


def regular_events(texts: Iterable[bytes | memoryview]) -> tuple[list[Envelope | None], Moments]:
    """The event on each line if it is regular, else None; and the UTC times of the regular events.

    An event is regular if the lake's columns can reproduce its text. The lines must be UTF-8 and be cut to
    begin at their first `{`. Other lines must be given to `odd_envelope`.
    """
    events: list[Envelope | None] = []
    decoded = map(_decode_envelope, texts)
    while True:
        try:
            events.extend(decoded)  # events before a refused line are kept
        except _IRREGULAR:
            events.append(None)
        else:
            break
    moments = _usual_moments([event for event in events if event is not None])
    if moments is not None:
        return events, moments
    events = [event if event is not None and _is_regular(event) else None for event in events]
    clocks = [_clock(event) for event in events if event is not None]
    return events, np.array(clocks, "datetime64[us]")


def _clock(event: Envelope) -> str:
    """A regular event's time without offset."""
    return event.time[:-6]  # type: ignore[index]


def _is_regular(event: Envelope) -> bool:
    """True if the time is exactly in the LMS's form, and the user name has no outer white space."""
    time = event.time
    says_nothing = event.event is UNSET and event.event_type in _NO_TYPES and event.name in _NO_TYPES
    if says_nothing or event.username is None or not isinstance(time, str) or time[-6:] != "+00:00":
        return False
    clock = _clock(event)
    # ISO 8601 has many more ways to write a time, and `fromisoformat` reads most of them.
    if clock[4:20:3] != _SEPARATORS.get(len(clock)) or clock[11:13] == "24" or clock[19:] == ".000000":
        return False
    try:
        datetime.fromisoformat(time)
    except ValueError:
        return False
    return not isinstance(event.username, str) or event.username == event.username.strip()


_NO_TYPES = frozenset({UNSET, None, ""})
_SEPARATORS = {19: "--T::", 26: "--T::."}  # by length: of every third character from the fifth on


def _usual_moments(events: list[Envelope]) -> Moments | None:
    """The times, if all events are certainly regular; a fast check of all events at once, before
    `_is_regular`.
    """
    if not _NO_TYPES.isdisjoint({event.event_type for event in events}):
        return None
    names = {event.username for event in events}
    if None in names or any(name != name.strip() for name in names if isinstance(name, str)):
        return None
    times = [event.time for event in events]
    try:
        text = "".join(times).encode("ascii")  # type: ignore[arg-type]
        if {len(_USUAL)} != set(map(len, times)) or b".000000" in text:  # type: ignore[arg-type]
            return None
        letters = np.frombuffer(text, np.uint8).reshape(-1, len(_USUAL))
        clocks = np.ascontiguousarray(letters[:, :_CLOCK]).view(f"S{_CLOCK}")
        moments: Moments = clocks.ravel().astype("datetime64[us]")
    except (TypeError, ValueError):
        return None
    # A letter below the smallest allowed one becomes a large number.
    return moments if (letters - _LETTERS <= _SPAN).all() and (moments >= _FIRST_MOMENT).all() else None


_USUAL = b"0000-00-00T00:00:00.000000+00:00"  # a digit for each zero before the offset
_CLOCK = len(_USUAL) - len("+00:00")
_LETTERS = np.frombuffer(_USUAL, np.uint8)
_SPAN = np.where(np.equal(_LETTERS, ord("0")) & (np.arange(len(_USUAL)) < _CLOCK), 9, 0)
_FIRST_MOMENT = np.datetime64("0001-01-01")  # NumPy knows the year 0, Python does not
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE
)


def utc_text(time: str) -> str | None:
    """The time as UTC text `YYYY-MM-DDThh:mm:ss.ffffff`; None if it is not ISO 8601 (R-TIME, Better).

    No offset means UTC; digits beyond microseconds are cut. A blank in place of `T` is not accepted (R-DATE,
    Better).
    """
    match = _TIME.fullmatch(time.strip())
    if match is None:
        return None
    day, clock, fraction, offset = match.groups()
    offset = "+00:00" if offset is None or offset in "Zz" else offset
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '').ljust(6, '0')[:6]}{offset}")
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        return None


def required_utc(time: str | UnsetType) -> str:
    """`utc_text` of an event's time. Raises NotAnEvent."""
    utc = utc_text(time) if isinstance(time, str) else None
    if utc is None:
        raise NotAnEvent(Reason.BAD_TIME)
    return utc


def contexts_of(texts: list[Raw | UnsetType]) -> list[Context]:
    """Users and courses of contexts' JSON. `spec 01 §1.5 R-USERID, R-COURSE`."""
    try:
        decoded = _decode_contexts(b"[%b]" % b",".join(texts))  # type: ignore[arg-type]
    except (*_IRREGULAR, TypeError):
        return [NO_CONTEXT if text is UNSET else context_of(text) for text in texts]
    return [
        NO_CONTEXT if context is None else _context(context.user_id, context.course_id) for context in decoded
    ]


def context_of(text: bytes | Raw) -> Context:
    """User and course of one context's JSON."""
    try:
        context = _decode_context(text)
    except _IRREGULAR:
        return _odd_context(bytes(text))
    return NO_CONTEXT if context is None else _context(context.user_id, context.course_id)


def _odd_context(text: bytes) -> Context:
    """The readable members of a context whose members have unexpected types."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # a number of thousands of digits, too deep
        return NO_CONTEXT
    if not isinstance(value, dict):
        return TEXT_CONTEXT if isinstance(value, str) and value[:1] == "{" else NO_CONTEXT
    user, course = value.get("user_id"), value.get("course_id")
    user = user if isinstance(user, int | str) and not isinstance(user, bool) else None
    return _context(user, course if isinstance(course, str) else None)


@lru_cache(maxsize=65536)
def _context(user: int | str | None, course: str | None) -> Context:
    stripped = course.strip() if course else ""
    course_id = stripped if stripped and keys.is_course_id(stripped) else None
    # A non-empty but invalid course is an answer, not a gap: no look at the address (R-COURSE step 4).
    return Context(
        user_id_of(user), course_id, may_use_url=not stripped, is_odd=bool(stripped) and course_id is None
    )


def user_id_of(user: int | str | None) -> int | None:
    """The acting person's id; None if it is blank, 0 or not an integer of 64 bits (R-USERID)."""
    if isinstance(user, str):
        text = user.strip()
        if not (text.isascii() and text.isdigit()):
            return None
        user = int(text) if len(text) < 20 else 0  # noqa: PLR2004 - 2**63 has 19 digits
    return user if user and 0 < user < 2**63 else None


def address_of(event: Envelope) -> str | None:
    """The address in which R-COURSE-URL looks for a course: the path of server events, the page of browser
    events.
    """
    if event.event_source == "server":
        where = event.event_type
    elif event.event_source == "browser":
        where = event.page
    else:
        return None
    return None if where is UNSET else where


class _Named(Struct, gc=False):
    """Members of a payload that name a course."""

    url: Any = None  # of a thread of the forum
    problem_id: Any = None


_decode_named: Callable[[bytes | str | Raw], _Named] = msgspec.json.Decoder(_Named).decode
_decode_text: Callable[[Raw], str] = msgspec.json.Decoder(str).decode


def course_id_of_payload(event: Envelope) -> str | None:
    """The course of the forum thread or problem in a payload.

    Better than R-COURSE-URL: events of the forum's API, and `problem_check` with the page `x_module`, have no
    course elsewhere.
    """
    if event.event is UNSET or not event.event_type or event.event_type.startswith("/"):
        return None
    try:
        is_text = bytes(event.event)[:1] == b'"'
        named = _decode_named(_decode_text(event.event) if is_text else event.event)
    except _IRREGULAR:
        return None
    if event.event_type.startswith("edx.forum.") and isinstance(named.url, str):
        return keys.course_id_of_url(named.url)
    return keys.course_id_of_key(named.problem_id) if isinstance(named.problem_id, str) else None
