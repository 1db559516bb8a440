"""Log lines as hypothesis draws them: mostly regular events, few different ones, so that they repeat."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

COURSES = ["course-v1:UniX+CS1+2024", "course-v1:FooXé+1.23x+R~1", "UniX/CS1/2024", "not a course", "", None]
ADDRESSES = [
    "/courses/course-v1:UniX+CS1+2024/progress", "/courses/UniX/CS1/2024/info", "play_video", "/dashboard",
]  # fmt: skip
TIMES = [
    "2024-03-01T23:59:59.999999+00:00", "2024-03-02T00:00:00+00:00", "2024-03-02T09:00:00.120000+00:00",
    "2024-03-05T12:00:00+00:00", "2024-03-02T01:00:00+02:00", "2024-03-02T09:00:00.5Z", "2024-03-02 09:00:00",
    "bogus",
]  # fmt: skip
PREFIX = "2024-05-14 09:15:02,417 INFO 31 [tracking] [user 12] [ip 203.0.113.9] logger.py:41 - "

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
contexts = st.fixed_dictionaries(
    {"user_id": st.sampled_from([7, "8", "", None, 0, 7.5]), "course_id": st.sampled_from(COURSES)},
)
payloads = st.sampled_from(["", "{}", {}, {"a": [1, None]}, None, 5]) | json_values
texts = st.sampled_from(["ana", "", "é😀", "\ud800", None, 5])

objects = st.fixed_dictionaries(
    {
        "time": st.sampled_from(TIMES),
        "host": st.sampled_from(["h1", "h2", "h3"]),
        "name": st.sampled_from(["x", "y", "z", ""]),
    },
    optional={
        "event_source": st.sampled_from(["server", "browser", "mobile", "task"]),
        "event_type": st.sampled_from(ADDRESSES),
        "page": st.sampled_from([*ADDRESSES, None]),
        "username": texts | st.sampled_from(["bub\n", "  "]),
        "ip": texts,
        "context": contexts | st.sampled_from([None, [], "x", {}]),
        "event": payloads,
        "label": st.just(1),
    },
)
"""Objects of events (some with a time that is none), decoded."""


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line without its line end."""
    if draw(st.integers(0, 9)) == 0:
        return draw(
            st.sampled_from([
                b"", b"  ", b"\r", b"garbage", b'["a"]', b"null", b'{"time":', b"\xff{}", b"{}", b"\0" * 9,
            ])
        )  # fmt: skip
    value: dict[str, Any] = draw(objects)
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    before = draw(st.sampled_from(["", "", PREFIX, " "]))
    after = draw(st.sampled_from(["", "", "\r", " ", " x"]))
    return (before + text + after).encode(errors="surrogatepass")


def regular(number: int) -> bytes:
    """A line of an event like no other."""
    return b'{"name":"x","host":"%d","time":"2024-03-02T09:00:00+00:00","event":{"n":%d}}' % (number, number)


# --- What nobody would write ------------------------------------------------------------------------------

_PIECES = [
    b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\\ud800", b"\\u00", b"1", b"-", b".", b"e", b"NaN",
    b"null", b"true", b"\0", b"\t", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b" ", b"\r", b"+00:00", b"Z", b"T",
    b'"time":"2024-03-02T09:00:00+00:00"', b'"context":{"user_id":',
]  # fmt: skip
_MEMBERS = ["time", "timestamp", "data", "event", "context", "name", "event_type", "username", "page", "é"]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A line of an event in which a few things were cut out and put in."""
    line = bytearray(draw(lines()))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(line)))
        line[start : start + draw(st.integers(0, 6))] = draw(st.sampled_from(_PIECES))
    return bytes(line)


any_objects = st.dictionaries(
    st.sampled_from(_MEMBERS), json_values | contexts | st.sampled_from(TIMES), max_size=5
).map(lambda value: json.dumps({"time": TIMES[2], **value}).encode())
_pieces = st.lists(st.sampled_from(_PIECES), max_size=12).map(b"".join)
any_lines = (st.binary(max_size=60) | _pieces | damaged() | any_objects).map(
    lambda line: line.replace(b"\n", b"")
)
"""Lines of any bytes."""
