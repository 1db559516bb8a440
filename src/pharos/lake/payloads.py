"""Decides once, for every engine, which payloads are objects whose members can be read.

Engines disagree about text that is nearly JSON: one reads `{'a': 1}`, another reads `{"a": NaN}`, a third
fails on a document with half a surrogate pair. So no engine decides. A payload is an object if Python's
`json` reads an object from it (R-DATA of spec 01 §1.5, which tolerates `NaN`). All engines read strict JSON
(RFC 8259) alike; an object that is not strict, or exceeds a limit of some engine, is rewritten:

- `NaN`, `Infinity` and numbers that no double can hold become null;
- halves of surrogate pairs become U+FFFD;
- JSON text of JSON text, as log collectors leave it, is unwrapped.

If members have the same name, the first one counts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Raw, UnsetType

# The LMS writes events of at most 50,000 characters; Spark reads no name longer than that.
USUAL_BYTES = 50_000
LONGEST_BYTES = 1 << 20  # a longer payload is no object
MOST_DIGITS = 1000  # of a number: Spark reads no longer ones
WRAPPED = 3  # texts in texts that are unwrapped

_SAMPLE = 127  # bytes between samples: so many that 7 of them lie in 1000 digits, and prime
_LONG_NUMBER = re.compile(rb"[0-9.eE+-]{%d}" % MOST_DIGITS)
_decode_texts: Callable[[bytes], list[str]] = msgspec.json.Decoder(list[str]).decode


class _Object(msgspec.Struct):
    """Any JSON object; its members are checked, but not kept."""


_check: Callable[[str], _Object] = msgspec.json.Decoder(_Object).decode


@dataclass(frozen=True)
class Payloads:
    """Payloads of neighbouring events, one entry for each event."""

    texts: list[str | None]  # JSON, or the text itself of a JSON string; None if there is no payload
    are_text: list[bool]  # whether the event holds a JSON string
    are_objects: list[bool]
    rewritten: list[int]  # numbers of the payloads whose text is not as it was written


def payloads_of(values: Sequence[Raw | UnsetType]) -> Payloads:
    """The payloads of events from the JSON of their members `event`."""
    # JSON on a line has no line end in it. Joined and split again it is copied at once, not one by one.
    joined = b"\n".join([b"" if value is UNSET else value for value in values])
    data = joined.split(b"\n") if values else []
    beginnings = [value[:1] for value in data]
    are_text = [beginning == b'"' for beginning in beginnings]
    decoded = _decode_texts(b"[%b]" % b",".join(compress(data, are_text)))
    of_texts = iter(zip(decoded, _are_strict_objects(decoded), strict=True))
    texts: list[str | None] = []
    are_objects: list[bool] = []
    for value, beginning, is_text in zip(data, beginnings, are_text, strict=True):
        if is_text:
            text, is_object = next(of_texts)
            texts.append(text)
            are_objects.append(is_object)
        else:
            texts.append(str(value, "utf-8") if value else None)
            are_objects.append(beginning == b"{")
    rewritten = []
    for number in _unusual(data, joined, texts, are_objects):
        strict = rewritten_object(texts[number] or "")
        are_objects[number] = strict is not None
        if strict is not None and strict != texts[number]:
            texts[number] = strict
            rewritten.append(number)
    return Payloads(texts, are_text, are_objects, rewritten)


def _are_strict_objects(texts: list[str]) -> list[bool]:
    """A boolean per text: true if it is an object in strict JSON."""
    found: list[bool] = []
    checked = map(_check, texts)
    while True:
        try:
            for _ in checked:
                found.append(True)  # noqa: PERF401 - results before a refused text are kept
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            found.append(False)
        else:
            return found


def _unusual(data: list[bytes], joined: bytes, texts: list[str | None], are_objects: list[bool]) -> list[int]:
    """Numbers of the payloads that need a closer look: possibly an object, or beyond a limit."""
    unusual = {
        number
        for number, (text, is_object) in enumerate(zip(texts, are_objects, strict=True))
        if not is_object and text is not None and text[-1:] in _LAST and _may_be_object(text)
    }
    lengths = np.fromiter(map(len, data), np.int64, len(data))
    unusual.update(np.flatnonzero(lengths > USUAL_BYTES).tolist())
    if _may_have_long_number(joined):
        unusual.update(
            number
            for number in np.flatnonzero(lengths >= MOST_DIGITS).tolist()
            if _LONG_NUMBER.search(data[number])
        )
    return sorted(unusual)


_LAST = ("}", '"', " ", "\n", "\r", "\t")


def _may_be_object(text: str) -> bool:
    """True if the text may be JSON of an object, or of a text that holds an object."""
    return text.lstrip()[:1] in ("{", '"') and text.rstrip()[-1:] in ("}", '"')


def _may_have_long_number(joined: bytes) -> bool:
    """False if the text certainly has no `MOST_DIGITS` consecutive digits."""
    samples = np.frombuffer(joined, np.uint8)[::_SAMPLE]
    are_digits = (samples - np.uint8(ord("0"))) < 10  # noqa: PLR2004 - smaller letters become large numbers
    count = MOST_DIGITS // _SAMPLE
    if len(samples) < count:
        return False
    together = are_digits[: len(samples) - count + 1].copy()
    for offset in range(1, count):
        together &= are_digits[offset : len(samples) - count + 1 + offset]
    return bool(together.any())


def rewritten_object(text: str) -> str | None:
    """The object that Python's `json` reads from a text, in JSON that all engines read alike; None if there
    is none.
    """
    value: Any = text
    try:
        for _ in range(1 + WRAPPED):
            if not isinstance(value, str) or len(value) > LONGEST_BYTES:
                break
            value = _lenient(value)
        return strict_json(value) if isinstance(value, dict) else None
    except (ValueError, RecursionError):  # not JSON, too deep, a name that is too long
        return None


def strict_json(value: object) -> str:
    """The value in strict JSON. Raises RecursionError."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:  # a number that JSON does not know
        text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"))
    return whole_characters(text)


def whole_characters(text: str) -> str:
    """The text with U+FFFD for halves of surrogate pairs, which UTF-8 cannot hold."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _finite(value: object) -> object:
    """The value with null for `NaN` and `Infinity`."""
    if isinstance(value, dict):
        return {name: _finite(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _first_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if len(name) > USUAL_BYTES:
            raise ValueError(name)
        members.setdefault(name, value)
    return members


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) < MOST_DIGITS else None


def _number(digits: str) -> float | None:
    return float(digits) if math.isfinite(float(digits)) else None


_lenient: Callable[[str], Any] = json.JSONDecoder(
    object_pairs_hook=_first_members, parse_int=_integer, parse_float=_number, parse_constant=lambda _: None
).decode
