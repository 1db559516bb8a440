"""Reads payloads of video players: video, position and length; or the reason why an event is not used.

The rules are those of spec 03 §1.3, with the recommendations of §4.1-13: no payload ends a run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import UNSET, Struct

PLAY, PAUSE, STOP, SEEK = "play_video", "pause_video", "stop_video", "seek_video"
KINDS = (PLAY, PAUSE, STOP, SEEK)
LONGEST_VIDEO = 36_000.0  # seconds: no position is later
LONGEST_ID = 255  # characters of a course run and a video together, in the Result Store


class Unused(StrEnum):
    """Reasons why a player's event is not used."""

    NO_LEARNER = "no learner"
    NO_COURSE = "no valid course"
    NO_OBJECT = "the payload is no object"
    NO_VIDEO = "no video"
    LONG_ID = "the ids of course and video are too long"
    NO_POSITION = "no position"
    ODD_POSITION = "the position is no number"
    INFINITE = "the position is not finite"
    NEGATIVE = "the position is negative"
    FAR = "the position is beyond ten hours"


class Row(Struct, omit_defaults=True, gc=False):
    """A row of the fact `video_event`, with the values of the payload; numbers are texts."""

    unused: str | None = None
    video: str | None = None
    position: str | None = None
    old_position: str | None = None
    duration: str | None = None


class _Payload(Struct, gc=False):
    id: Any = None
    currentTime: Any = UNSET  # noqa: N815 - players write it so
    new_time: Any = UNSET
    old_time: Any = UNSET
    duration: Any = None


class _Unused(Exception):
    """The event is not used; the argument is the reason."""


_payload: Callable[[str], _Payload] = msgspec.json.Decoder(_Payload).decode
_encode: Callable[[Row], bytes] = msgspec.json.Encoder().encode


def video_row(payload: str, event_type: str, course_id: str, unused: str) -> str:
    """One event as a JSON object. `unused` is a reason that is already known, or empty."""
    if unused:
        return _encode(Row(unused=unused)).decode()
    try:
        row = _row(_payload(payload), event_type, course_id)
    except (msgspec.MsgspecError, RecursionError):
        row = Row(unused=Unused.NO_OBJECT)
    except _Unused as reason:
        row = Row(unused=str(reason))
    return _encode(row).decode()


def _row(payload: _Payload, event_type: str, course_id: str) -> Row:
    video = payload.id.strip().replace("\0", "\ufffd") if isinstance(payload.id, str) else ""
    if not video:
        raise _Unused(Unused.NO_VIDEO)
    if len(course_id) + 1 + len(video) > LONGEST_ID:
        raise _Unused(Unused.LONG_ID)
    if event_type == SEEK:
        position, old = _position(payload.new_time), _position(payload.old_time)
        return Row(video=video, position=repr(position), old_position=repr(old))
    at = payload.currentTime
    # A pause at the very beginning may lack its position.
    position = 0.0 if at is UNSET and event_type == PAUSE else _position(at)
    return Row(video=video, position=repr(position), duration=_duration(payload.duration))


def _position(value: Any) -> float:
    """Seconds: a number, or a text that Python reads as one (V-TIME). Raises _Unused. `spec 03 §1.3`"""
    if value is UNSET or value is None:
        raise _Unused(Unused.NO_POSITION)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _Unused(Unused.ODD_POSITION)
    try:
        position = float(value)
    except OverflowError:
        raise _Unused(Unused.FAR) from None
    except ValueError:
        raise _Unused(Unused.ODD_POSITION) from None
    if not math.isfinite(position):
        raise _Unused(Unused.INFINITE)
    if position > LONGEST_VIDEO:
        raise _Unused(Unused.FAR)
    if position < 0:
        raise _Unused(Unused.NEGATIVE)
    return position + 0.0  # -0.0 is 0.0


def _duration(value: Any) -> str | None:
    """Seconds, of a finite positive number; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        duration = float(value)
    except OverflowError:
        return None
    return repr(duration) if math.isfinite(duration) and duration > 0 else None
