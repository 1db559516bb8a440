"""Lines as they stand in tracking logs, valid, odd and broken, and what must become of each.

`<T>` stands for `"time":"2024-03-02T09:00:00+00:00"`, `<C>` for the course run `course-v1:UniX+CS1+2024`.
Columns that a line does not mention are expected to be null; what the rules are is in spec 01 §1.2 to §1.6,
with the Better items of §10.1.
"""

# ruff: noqa: E501, RUF001 - a line of a log is a line here, in whatever script

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pharos.lake.parse import Reason

COURSE = "course-v1:UniX+CS1+2024"
TIME = datetime(2024, 3, 2, 9)


@dataclass(frozen=True)
class Line:
    """A line and what it is: an event with these columns, or no event for this reason, or neither."""

    title: str
    data: bytes
    columns: dict[str, Any] | None = None
    reason: Reason | None = None
    is_duplicate: bool = False
    is_kept_whole: bool = False  # whether the lake keeps its text because the columns cannot say it all


def _bytes(text: str | bytes) -> bytes:
    data = text if isinstance(text, bytes) else text.encode()
    return data.replace(b"<T>", b'"time":"2024-03-02T09:00:00+00:00"').replace(b"<C>", COURSE.encode())


def event(title: str, text: str | bytes, *, is_kept_whole: bool = False, **columns: Any) -> Line:
    """A line that is an event. Course and organisation follow from each other unless they are given."""
    is_object = (columns.get("payload") or "")[:1] == "{"
    if not any(f'"{member}"' in str(text) for member in ("name", "event_type", "event", "data")):
        # Nothing but a time would be no event.
        text, named = _bytes(text).replace(b'"time"', b'"name":"n","time"', 1), {"name": "n"}
        columns = named | columns
    columns = {"time": TIME, "payload_is_text": False, "payload_is_object": is_object, **columns}
    columns.setdefault("page_course_id", columns.get("course_id"))
    columns = {
        name: value.replace("<C>", COURSE) if isinstance(value, str) else value
        for name, value in columns.items()
    }
    if columns["page_course_id"] == COURSE:
        columns["org_id"] = "UniX"
    return Line(title, _bytes(text), columns, is_kept_whole=is_kept_whole)


def odd(title: str, text: str | bytes, **columns: Any) -> Line:
    """A line that is an event of unusual form: the lake keeps its text."""
    return event(title, text, is_kept_whole=True, **columns)


def at(title: str, written: str, *time: int, is_kept_whole: bool = True) -> Line:
    """An event at a time written in this way."""
    return event(
        title, f'{{"host":"{title}","time":"{written}"}}', is_kept_whole=is_kept_whole, host=title,
        time=datetime(*time),  # type: ignore[arg-type]
    )  # fmt: skip


def user(title: str, written: str, user_id: int | None) -> Line:
    """An event of a user whose id is written in this way."""
    return event(
        title, f'{{"host":"{title}",<T>,"context":{{"user_id":{written}}}}}', host=title, user_id=user_id,
        context=f'{{"user_id":{written}}}',
    )  # fmt: skip


def course(title: str, written: str, course_id: str | None, org_id: str | None) -> Line:
    """An event in a course whose id is written in this way, in JSON; the address names another course."""
    context = f'{{"course_id":{written}}}'
    return event(
        title, f'{{"event_source":"browser","page":"http://h/courses/A/B/{title}",<T>,"context":{context}}}',
        event_source="browser", page=f"http://h/courses/A/B/{title}", context=context, course_id=course_id,
        org_id=org_id,
    )  # fmt: skip


def address(title: str, source: str, url: str, found: str | None, org_id: str | None = None) -> Line:
    """An event without course in its context, but with an address."""
    member = {"server": "event_type", "browser": "page"}.get(source, "page")
    columns: dict[str, Any] = {"event_source": source, member: url}
    return event(
        title, f'{{"event_source":"{source}","{member}":"{url}","host":"{title}",<T>,"context":{{"course_id":""}}}}',
        host=title, context='{"course_id":""}', page_course_id=found, org_id=org_id, **columns,
    )  # fmt: skip


def named(title: str, type_: str, payload: str, found: str | None, context: str = '{"course_id":""}') -> Line:
    """A server event whose address names no course; perhaps its payload does."""
    text = payload.replace("<C>", COURSE)
    is_text = text[0] == '"'
    return event(
        title,
        f'{{"event_source":"server","event_type":"{type_}","page":"x_module","host":"{title}",<T>,'
        f'"context":{context},"event":{payload}}}',
        event_source="server", event_type=type_, page="x_module", host=title, context=context,
        payload=json.loads(text) if is_text else text, payload_is_text=is_text, page_course_id=found,
    )  # fmt: skip


def payload(title: str, written: str, text: str | None, **columns: Any) -> Line:
    """An event whose payload is written in this way, in JSON."""
    return event(title, f'{{"host":"{title}",<T>,"event":{written}}}', host=title, payload=text, **columns)


def refused(title: str, text: str | bytes, reason: Reason) -> Line:
    """A line that is no event."""
    return Line(title, _bytes(text), reason=reason)


def blank(title: str, text: str | bytes) -> Line:
    """A line of nothing but white space."""
    return Line(title, _bytes(text))


def repeated(title: str, text: str | bytes) -> Line:
    """A line whose event has been there already."""
    return Line(title, _bytes(text), is_duplicate=True)


# --- Event classes, in full (§1.3, §1.4) ----------------------------------------------------------------

_ENROLLMENT = (
    '{"name":"edx.course.enrollment.activated","event_type":"edx.course.enrollment.activated",'
    '"event_source":"server","time":"2024-03-02T09:00:00.120000+00:00","username":"ana","session":"0fa1",'
    '"ip":"203.0.113.9","agent":"Mozilla/5.0","host":"lms.example.org","referer":"http://lms.example.org/",'
    '"accept_language":"en","page":null,"context":{"user_id":7,"course_id":"<C>","org_id":"UniX",'
    '"path":"/change_enrollment","enterprise_uuid":""},"event":{"course_id":"<C>","user_id":7,"mode":"audit"}}'
)
_ENROLLMENT_COLUMNS: dict[str, Any] = {
    "name": "edx.course.enrollment.activated", "event_type": "edx.course.enrollment.activated",
    "event_source": "server", "time": datetime(2024, 3, 2, 9, 0, 0, 120000), "username": "ana",
    "session": "0fa1", "ip": "203.0.113.9", "agent": "Mozilla/5.0", "host": "lms.example.org",
    "referer": "http://lms.example.org/", "accept_language": "en", "user_id": 7, "course_id": "<C>",
    "context": '{"user_id":7,"course_id":"<C>","org_id":"UniX","path":"/change_enrollment",'
    '"enterprise_uuid":""}',
    "payload": '{"course_id":"<C>","user_id":7,"mode":"audit"}',
}  # fmt: skip
_PREFIX = "2024-03-02 09:00:00,417 INFO 31 [tracking] [user 12] [ip 203.0.113.9] logger.py:41 - "

CLASSES = [
    event("explicit server event", _ENROLLMENT, **_ENROLLMENT_COLUMNS),
    event(
        "browser event, its page is a block in a frame",
        '{"event_type":"play_video","name":"play_video","event_source":"browser","time":"2024-03-02T09:05:00+00:00",'
        '"username":"ana","page":"https://lms.example.org/xblock/block-v1:UniX+CS1+2024+type@vertical+block@v1?show_title=0",'
        r'"context":{"user_id":7,"course_id":"","org_id":"","path":"/event"},"event":"{\"id\":\"vid1\",\"currentTime\":0}"}',
        event_type="play_video", name="play_video", event_source="browser", time=datetime(2024, 3, 2, 9, 5),
        username="ana", user_id=7, page_course_id="<C>", payload='{"id":"vid1","currentTime":0}',
        payload_is_text=True, context='{"user_id":7,"course_id":"","org_id":"","path":"/event"}',
        page="https://lms.example.org/xblock/block-v1:UniX+CS1+2024+type@vertical+block@v1?show_title=0",
    ),
    event(
        "implicit server event",
        '{"event_type":"/courses/<C>/progress","event_source":"server","time":"2024-03-02T09:06:11.500000+00:00",'
        r'"event":"{\"POST\": {}, \"GET\": {}}","context":{"user_id":7,"course_id":"<C>"}}',
        event_type="/courses/<C>/progress", event_source="server", user_id=7, course_id="<C>",
        time=datetime(2024, 3, 2, 9, 6, 11, 500000), payload='{"POST": {}, "GET": {}}', payload_is_text=True,
        context='{"user_id":7,"course_id":"<C>"}',
    ),
    event(
        "mobile event: name and event_type differ, device time is days before arrival",
        '{"event_type":"play_video","name":"edx.video.played","event_source":"mobile","time":"2024-02-28T22:10:00+00:00",'
        '"context":{"user_id":7,"course_id":"<C>","received_at":"2024-03-02T08:00:01+00:00"},'
        r'"event":"{\"id\":\"vid1\",\"code\":\"mobile\",\"currentTime\":3}"}',
        event_type="play_video", name="edx.video.played", event_source="mobile", user_id=7, course_id="<C>",
        time=datetime(2024, 2, 28, 22, 10), payload='{"id":"vid1","code":"mobile","currentTime":3}',
        payload_is_text=True,
        context='{"user_id":7,"course_id":"<C>","received_at":"2024-03-02T08:00:01+00:00"}',
    ),
    event(
        "task event",
        '{"event_type":"edx.grades.subsection.grade_calculated","event_source":"task","ip":"","agent":"",<T>}',
        event_type="edx.grades.subsection.grade_calculated", event_source="task", ip="", agent="",
    ),
    event(
        "old event: no name, no context",
        '{"username":"bo","event_source":"server","event_type":"/dashboard","ip":"::1","event":"{}",<T>}',
        username="bo", event_source="server", event_type="/dashboard", ip="::1", payload="{}",
        payload_is_text=True,
    ),
    odd(
        "event with members of a marketing processor",
        '{"event_type":"seek_video","label":"v","nonInteraction":1,"augmented":{"country":"DE"},<T>}',
        event_type="seek_video",
    ),
    odd(
        "synthesised event",
        '{"event_type":"edx.course.enrollment.activated","synthesized":{"reason":"missing"},<T>}',
        event_type="edx.course.enrollment.activated",
    ),
    event("nothing but a time", "{<T>}"),
]  # fmt: skip

# --- Native form of the event bus (§1.3, Better) --------------------------------------------------------

NATIVE = [
    odd(
        "native server event",
        '{"name":"edx.bookmark.added","timestamp":"2024-03-02T09:00:00+00:00","data":{"a":1},"context":'
        '{"user_id":7,"course_id":"<C>","username":"ana","session":"s","ip":"10.0.0.1","agent":"A","host":"h",'
        '"referer":"r","accept_language":"de"}}',
        name="edx.bookmark.added", event_type="edx.bookmark.added", event_source="server", user_id=7,
        course_id="<C>", username="ana", session="s", ip="10.0.0.1", agent="A", host="h", referer="r",
        accept_language="de", payload='{"a":1}',
        context='{"user_id":7,"course_id":"<C>","username":"ana","session":"s","ip":"10.0.0.1",'
        '"agent":"A","host":"h","referer":"r","accept_language":"de"}',
    ),
    odd(
        "native browser event: source and page stand in the context",
        '{"name":"play_video","timestamp":"2024-03-02T09:00:00Z","data":"{}","context":'
        '{"event_source":"browser","page":"http://h/courses/<C>/x","course_id":""}}',
        name="play_video", event_type="play_video", event_source="browser", page="http://h/courses/<C>/x",
        page_course_id="<C>", payload="{}", payload_is_text=True,
        context='{"event_source":"browser","page":"http://h/courses/<C>/x","course_id":""}',
    ),
    odd(
        "native event, empty context",
        '{"name":"n1","timestamp":"2024-03-02T09:00:00Z","data":{},"context":{}}',
        name="n1", event_type="n1", event_source="server", payload="{}", context="{}",
    ),
    odd(
        "native event without context",
        '{"name":"n2","timestamp":"2024-03-02T09:00:00Z","data":null}',
        name="n2", event_type="n2", event_source="server", payload="null",
    ),
    odd(
        "native event, context null",
        '{"name":"n3","timestamp":"2024-03-02T09:00:00Z","data":[],"context":null}',
        name="n3", event_type="n3", event_source="server", payload="[]", context="null",
    ),
    odd("log form with timestamp for time", '{"event_type":"e1","timestamp":"2024-03-02T09:00:00Z","event":1}',
        event_type="e1", payload="1"),
    odd("both event and data: log form", '{"event_type":"e2",<T>,"event":1,"data":2}', event_type="e2", payload="1"),
    odd("both time and timestamp: time counts", '{"event_type":"e3",<T>,"timestamp":"2023-01-01T00:00:00Z"}',
        event_type="e3"),
    odd("data is odd text", r'{"name":"n4","timestamp":"2024-03-02T09:00:00Z","data":"\ud800"}',
        name="n4", event_type="n4", event_source="server", payload="\ufffd", payload_is_text=True),
]  # fmt: skip

# --- What stands around the object (§1.2, R-PARSE, §11 items 1 to 7) ------------------------------------

AROUND = [
    repeated("formatter prefix of current deployments", _PREFIX + _ENROLLMENT),
    repeated("syslog prefix", "Mar  2 09:00:00 app1 [service_variant=lms][tracking] INFO - " + _ENROLLMENT),
    repeated("white space after the object", _ENROLLMENT + " \t "),
    repeated("white space before the object", " \t" + _ENROLLMENT),
    repeated("Windows line end", _ENROLLMENT + "\r"),
    repeated("byte order mark", "\ufeff" + _ENROLLMENT),
    repeated("NUL bytes in front, as copy-truncate leaves them", "\0" * 40 + _ENROLLMENT),
    event("prefix of a learner without id", _PREFIX.replace("12", "None") + '{"host":"p1",<T>}', host="p1"),
    event("prefix with a } in it", 'x } y {"host":"p2",<T>}', host="p2"),
    event("prefix of letters outside ASCII", 'Größe: {"host":"p3",<T>}', host="p3"),
    event("prefix without a space before the object", 'x{"host":"p4",<T>}', host="p4"),
    event("form feed after the object", '{"host":"p5",<T>}\f', host="p5"),
    odd("no-break space after the object", '{"host":"p6",<T>}\u00a0', host="p6"),
    odd("space that only Unicode knows after the object", '{"host":"p7",<T>}\u2003\r', host="p7"),
    event(
        "white space inside",
        '{ "host" : "p8" , <T> ,\t"event" : { "a" : 1 } }',
        host="p8",
        payload='{ "a" : 1 }',
    ),
    refused("prefix with a { in it", '{x} {"host":"q1",<T>}', Reason.NOT_JSON),
    refused("text after the object", '{"host":"q2",<T>} done', Reason.NOT_JSON),
    refused("text after a prefixed object", _PREFIX + '{"host":"q3",<T>} x', Reason.NOT_JSON),
    refused("two objects on a line", '{"host":"q4",<T>}{"host":"q4",<T>}', Reason.NOT_JSON),
    refused("two objects with a space between", '{"host":"q5",<T>} {"host":"q5",<T>}', Reason.NOT_JSON),
    refused("NUL after the object", '{"host":"q6",<T>}\0', Reason.NOT_JSON),
    refused("comma after the object", '{"host":"q7",<T>},', Reason.NOT_JSON),
    refused("list around the object", '[{"host":"q8",<T>}]', Reason.NOT_OBJECT),
    refused("list", '["a", 1]', Reason.NOT_OBJECT),
    refused("empty list", "[]", Reason.NOT_OBJECT),
    refused("number", "42", Reason.NOT_OBJECT),
    refused("string", '"text"', Reason.NOT_OBJECT),
    refused("string that holds an object", r'"{\"time\":\"2024-03-02T09:00:00+00:00\"}"', Reason.NOT_OBJECT),
    refused("null", "null", Reason.NOT_OBJECT),
    refused("true", "true", Reason.NOT_OBJECT),
    refused("NaN", "NaN", Reason.NOT_OBJECT),
    refused("prefix and nothing else", _PREFIX, Reason.NOT_JSON),
    refused("prefix and null", _PREFIX + "null", Reason.NOT_JSON),
    refused("prefix and a list", _PREFIX + "[1]", Reason.NOT_JSON),
    refused("a word", "Traceback (most recent call last):", Reason.NOT_JSON),
    refused("only NUL bytes", b"\0" * 64, Reason.NOT_JSON),
    refused("only a no-break space", "\u00a0", Reason.NOT_JSON),
    refused("brace", "{", Reason.NOT_JSON),
    refused("braces the wrong way round", "}{", Reason.NOT_JSON),
    blank("nothing", ""),
    blank("spaces", "   "),
    blank("tab and form feed", "\t\f\v"),
    blank("Windows line end alone", "\r"),
]

# --- Broken and borderline JSON -------------------------------------------------------------------------

JSON = [
    refused("cut off", '{"host":"j1",<T>,"event":{"id":"i4x-', Reason.NOT_JSON),
    refused("cut off after a closing brace", '{"host":"j2",<T>,"event":{"a":{}', Reason.NOT_JSON),
    refused("cut at 2,043 characters", ('{"host":"' + "x" * 3000)[:2043], Reason.NOT_JSON),
    refused("single quotes", "{'time':'2024-03-02T09:00:00+00:00'}", Reason.NOT_JSON),
    refused("comma at the end", '{"host":"j3",<T>,}', Reason.NOT_JSON),
    refused("comment", '{"host":"j4",<T>/* c */}', Reason.NOT_JSON),
    refused("Python's None", '{"host":None,<T>}', Reason.NOT_JSON),
    refused("raw tab in a string", '{"host":"a\tb",<T>}', Reason.NOT_JSON),
    refused("raw tab in the payload", '{"event":{"k":"a\tb"},<T>}', Reason.NOT_JSON),
    refused("escape that JSON does not know", r'{"host":"\q",<T>}', Reason.NOT_JSON),
    refused("number with a leading zero", '{"event":01,<T>}', Reason.NOT_JSON),
    refused("number without an end", '{"event":1.,<T>}', Reason.NOT_JSON),
    refused("member without quotes", '{host:"j5",<T>}', Reason.NOT_JSON),
    refused("nested too deep", '{<T>,"event":' + "[" * 5000 + "]" * 5000 + "}", Reason.NOT_JSON),
    refused("not UTF-8", b'{"host":"caf\xe9",<T>}', Reason.NOT_UTF8),
    refused("not UTF-8 in the prefix", b'\xff {"host":"j6",<T>}', Reason.NOT_UTF8),
    refused("not UTF-8 and no object", b"\xc3\x28", Reason.NOT_UTF8),
    refused("surrogate in UTF-8", b'{"host":"\xed\xa0\x80",<T>}', Reason.NOT_UTF8),
    refused("compressed data", b"\x1f\x8b\x08\x00\x00", Reason.NOT_UTF8),
    event("nested, but not too deep", '{<T>,"event":' + "[" * 400 + "]" * 400 + "}", payload="[" * 400 + "]" * 400),
    event("escapes", r'{"host":"\u00e9\ud83d\ude00\n\"\\\/",<T>}', host='é😀\n"\\/'),
    event("letters outside ASCII", '{"host":"é😀ж",<T>}', host="é😀ж"),
    event("escaped name of a member", r'{"\u0068ost":"j7",<T>}', host="j7"),
    event("escaped NUL", r'{"host":"a\u0000b",<T>}', host="a\0b"),
    event("delete character", '{"host":"\x7f",<T>}', host="\x7f"),
    event("line separators of Unicode inside a string", '{"host":"a\u2028b\u0085c",<T>}', host="a\u2028b\u0085c"),
    event("member twice: the last counts", '{"host":"first","host":"last",<T>}', host="last"),
    event("time twice: the last counts", '{"time":"bogus","host":"j8",<T>}', host="j8"),
    event("payload twice: the last counts", '{"event":1,"event":2,"host":"j9",<T>}', host="j9", payload="2"),
    odd("NaN in the payload", '{"host":"j10",<T>,"event":{"currentTime":NaN}}', host="j10",
        payload='{"currentTime":null}'),
    odd("infinity in the context", '{"host":"j11",<T>,"context":{"user_id":8,"x":-Infinity}}', host="j11", user_id=8,
        context='{"user_id":8,"x":null}'),
    odd("lone surrogate in a member", r'{"host":"\ud800",<T>}', host="\ufffd"),
    odd("lone surrogate in the payload", r'{"host":"j12",<T>,"event":"a\udc00b"}', host="j12", payload="a\ufffdb",
        payload_is_text=True),
    odd("lone surrogate in the context", r'{"host":"j13",<T>,"context":{"user_id":9,"course_id":"\ud800"}}',
        host="j13", user_id=9, context='{"user_id":9,"course_id":"\ufffd"}'),
    odd("member nobody knows", '{"host":"j14",<T>,"who knows":[{"a":null}]}', host="j14"),
    odd("empty name of a member", '{"host":"j15",<T>,"":1}', host="j15"),
    event("number of 5,000 digits", '{"host":"j16",<T>,"event":' + "7" * 5000 + "}", host="j16", payload="7" * 5000),
    event("number beyond floating point", '{"host":"j17",<T>,"event":1e999}', host="j17", payload="1e999"),
]  # fmt: skip

# --- Time (R-TIME, Better; §11 items 8 to 12) -----------------------------------------------------------

TIMES = [
    at("t1", "2024-03-02T09:00:00.805444+00:00", 2024, 3, 2, 9, 0, 0, 805444, is_kept_whole=False),
    at("t2", "2024-03-02T23:59:59.999999+00:00", 2024, 3, 2, 23, 59, 59, 999999, is_kept_whole=False),
    at("t3", "2024-02-29T00:00:00+00:00", 2024, 2, 29, is_kept_whole=False),
    at("t4", "2024-03-02T09:00:00.805444", 2024, 3, 2, 9, 0, 0, 805444),
    at("t5", "2024-03-02T09:00:00", 2024, 3, 2, 9),
    at("t6", "2024-03-02T09:00:00Z", 2024, 3, 2, 9),
    at("t7", "2024-03-02T09:00:00.5z", 2024, 3, 2, 9, 0, 0, 500000),
    at("t8", "2024-03-02T09:00:00.000000+00:00", 2024, 3, 2, 9),
    at("t9", "2024-03-02T01:30:00+02:00", 2024, 3, 1, 23, 30),
    at("t10", "2024-03-02T22:30:00-05:00", 2024, 3, 3, 3, 30),
    at("t11", "2024-03-02T09:00:00+0530", 2024, 3, 2, 3, 30),
    at("t12", "2024-03-02T09:00:00-00:00", 2024, 3, 2, 9),
    at("t13", "2024-03-02T09:00:00.123+00:00", 2024, 3, 2, 9, 0, 0, 123000),
    at("t14", "2024-03-02T09:00:00.123456789+00:00", 2024, 3, 2, 9, 0, 0, 123456),
    at("t16", " 2024-03-02T09:00:00+00:00 ", 2024, 3, 2, 9),
    at("t17", "2024-03-02t09:00:00 Z", 2024, 3, 2, 9),
    at("far in the past", "1969-07-20T20:17:40+00:00", 1969, 7, 20, 20, 17, 40, is_kept_whole=False),
    at("in the future", "2199-12-31T23:59:59.999999+00:00", 2199, 12, 31, 23, 59, 59, 999999, is_kept_whole=False),
    refused("neither type, name nor payload", '{"host":"u0",<T>,"context":{"user_id":7}}', Reason.NO_EVENT),
    refused("type and name are empty", '{"name":"","event_type":null,<T>}', Reason.NO_EVENT),
    event("a name and nothing else", '{"name":"x",<T>}', name="x"),
    event("a payload and nothing else", '{<T>,"event":null}', payload="null"),
    refused("no time", '{"host":"u1"}', Reason.NO_TIME),
    refused("empty object", "{}", Reason.NO_TIME),
    refused("time null", '{"host":"u2","time":null}', Reason.NO_TIME),
    refused("time empty", '{"host":"u3","time":""}', Reason.NO_TIME),
    refused("time is a number", '{"host":"u4","time":1709370000}', Reason.BAD_TIME),
    refused("time is a list", '{"host":"u5","time":["2024-03-02T09:00:00+00:00"]}', Reason.BAD_TIME),
    refused("time is false", '{"host":"u6","time":false}', Reason.BAD_TIME),
    refused("bogus time", '{"host":"u7","time":"this is a bogus time"}', Reason.BAD_TIME),
    refused("blank in place of T", '{"host":"t15","time":"2024-03-02 09:00:00+00:00"}', Reason.BAD_TIME),
    refused("date alone", '{"host":"u8","time":"2024-03-02"}', Reason.BAD_TIME),
    refused("offset alone", '{"host":"u9","time":"+00:00"}', Reason.BAD_TIME),
    refused("30 February", '{"host":"u10","time":"2024-02-30T09:00:00+00:00"}', Reason.BAD_TIME),
    refused("29 February of a common year", '{"host":"u11","time":"2023-02-29T09:00:00+00:00"}', Reason.BAD_TIME),
    refused("hour 24", '{"host":"u12","time":"2024-03-02T24:00:00+00:00"}', Reason.BAD_TIME),
    refused("second 60", '{"host":"u13","time":"2024-03-02T09:00:60+00:00"}', Reason.BAD_TIME),
    refused("offset of a day", '{"host":"u14","time":"2024-03-02T09:00:00+24:00"}', Reason.BAD_TIME),
    refused("before the beginning of time", '{"host":"u15","time":"0001-01-01T00:00:00+01:00"}', Reason.BAD_TIME),
    refused("after the end of time", '{"host":"u16","time":"9999-12-31T23:59:59-01:00"}', Reason.BAD_TIME),
    refused("ISO week", '{"host":"u17","time":"2024-W01-1T09:00:00.123456+00:00"}', Reason.BAD_TIME),
    refused("comma for the fraction", '{"host":"u18","time":"2024-03-02T09:00:00,123456+00:00"}', Reason.BAD_TIME),
    refused("basic format", '{"host":"u19","time":"2024-03-02T090000.1+00:00"}', Reason.BAD_TIME),
    refused("two offsets", '{"host":"u20","time":"2024-03-02T09:00:00.12345Z+00:00"}', Reason.BAD_TIME),
    refused("digits of another script", '{"host":"u21","time":"٢٠٢٤-03-02T09:00:00+00:00"}', Reason.BAD_TIME),
    refused("day and month the other way", '{"host":"u22","time":"02.03.2024 09:00:00"}', Reason.BAD_TIME),
]  # fmt: skip

# --- Who (R-USERID, R-USERNAME) -------------------------------------------------------------------------

USERS = [
    user("user a number", "17", 17),
    user("decimal string", '"17"', 17),
    user("string with zeros in front", '"0017"', 17),
    user("string with spaces", '" 17\\n"', 17),
    user("user null", "null", None),
    user("user empty", '""', None),
    user("user blank", '"  "', None),
    user("zero", "0", None),
    user("zero as string", '"0"', None),
    user("negative", "-5", None),
    user("negative string", '"-5"', None),
    user("fraction", "17.5", None),
    user("whole floating point number", "17.0", None),
    user("exponent", "1e3", None),
    user("word", '"ana"', None),
    user("hexadecimal", '"0x11"', None),
    user("digits of another script as id", '"١٧"', None),
    user("user true", "true", None),
    user("user a list", "[17]", None),
    user("user an object", '{"id":17}', None),
    user("largest of 64 bits", "9223372036854775807", 9223372036854775807),
    user("one more than 64 bits", "9223372036854775808", None),
    user("thirty digits", "1" * 30, None),
    user("thirty digits as string", '"' + "1" * 30 + '"', None),
    user("five thousand digits", "1" * 5000, None),
    event("user name with a line end", r'{"username":"bub\n",<T>}', username="bub", is_kept_whole=True),
    event("user name blank", '{"username":" \t ",<T>}'.replace("\t", r"\t"), is_kept_whole=True),
    event("user name empty", '{"username":"",<T>}'),
    odd("user name null", '{"username":null,<T>}'),
    odd("user name a number", '{"username":5,<T>}'),
    event("user name of the context is not asked", '{"host":"n1",<T>,"context":{"username":"x"}}', host="n1",
          context='{"username":"x"}'),
    event("management command", '{"username":"anonymous",<T>}', username="anonymous"),
]  # fmt: skip

# --- Context (R-COURSE) ---------------------------------------------------------------------------------

_PAGE = '"event_source":"browser","page":"http://h/courses/<C>/info"'


def _context(title: str, written: str | None, *, looks_at_address: bool) -> Line:
    member = "" if written is None else f',"context":{written}'
    return event(
        title, f'{{{_PAGE},"host":"{title}",<T>{member}}}', event_source="browser", host=title,
        page="http://h/courses/<C>/info", context=written,
        page_course_id="<C>" if looks_at_address else None,
    )  # fmt: skip


CONTEXTS = [
    _context("no context: no look at the address", None, looks_at_address=False),
    _context("context null", "null", looks_at_address=False),
    _context("context a list", "[]", looks_at_address=False),
    _context("context a string", '"course_id"', looks_at_address=False),
    _context("context a number", "5", looks_at_address=False),
    _context("context false", "false", looks_at_address=False),
    _context("context empty", "{}", looks_at_address=True),
    _context("course null", '{"course_id":null}', looks_at_address=True),
    _context("course empty", '{"course_id":""}', looks_at_address=True),
    _context("course blank", r'{"course_id":" \n"}', looks_at_address=True),
    course("c1", '"course-v1:UniX+CS1+2024"', "<C>", "UniX"),
    course("c2", r'" course-v1:UniX+CS1+2024\n"', "<C>", "UniX"),
    course("c3", '"UniX/CS1/2024"', "UniX/CS1/2024", "UniX"),
    course("c4", '"a/b/"', "a/b/", "a"),
    course("c5", '"course-v1:FooXé+1.23x+2013_Spring"', "course-v1:FooXé+1.23x+2013_Spring", "FooXé"),
    course("c6", '"ccx-v1:org+c+r+ccx@13"', "ccx-v1:org+c+r+ccx@13", "org"),
    course("c7", '"library-v1:UniX+Lib"', "library-v1:UniX+Lib", "UniX"),
    course("c8", '"course-v1:UniX+CS1+2024+branch@draft"', "course-v1:UniX+CS1+2024+branch@draft", "UniX"),
    course("c9", '"course-v1:Uni X+C+R"', None, None),
    course("c10", '"org:course_id:run"', None, None),
    course("c11", '"course-v1:a+b"', None, None),
    course("c12", '"course-v1:a+b+c+d"', None, None),
    course("c13", '";;;;bad/id/val"', None, None),
    course("c14", r'"org/cours\ufffd_id/run"', None, None),
    course("c15", '"None"', None, None),
]  # fmt: skip

# --- Address (R-COURSE-URL, R-URL) ----------------------------------------------------------------------

ADDRESSES = [
    address("a1", "server", "/courses/<C>/about", "<C>"),
    address("a2", "server", "/courses/UniX/CS1/2024/info", "UniX/CS1/2024", "UniX"),
    address("a3", "server", "/courses/v1/blocks/", None),
    address("a4", "server", "/api/courses/v1/blocks/?course_id=<C>", None),
    address("a5", "server", "/api/courses/v1/courses/<C>", "<C>"),
    address("a6", "server", "play_video", None),
    address("a7", "server", "/courses/course-v1%3AUniX%2BCS1%2B2024/courseware/abc/", "<C>"),
    address("a8", "browser", "https://learning.example.org/learning/course/<C>/home", "<C>"),
    address("a9", "browser", "https://h/courses/<C>#frag", "<C>"),
    address("a10", "browser", "https://h/xblock/block-v1:a+b+c?x=0", None),
    address("a11", "browser", "", None),
    address("a12", "mobile", "https://h/courses/<C>/info", None),
    address("a13", "task", "https://h/courses/<C>/info", None),
    address("a14", "server", "/api/course_home/outline/<C>", "<C>"),
    address("a15", "server", "/api/course_home/v1/dates/course-v1%3AUniX%2BCS1%2B2024?x=1", "<C>"),
    address("a16", "server", "/api/learning_sequences/v1/course_outline/<C>", "<C>"),
    address("a17", "server", "/api/courseware/sequence/block-v1:UniX+CS1+2024+type@sequential+block@s", "<C>"),
    address("a18", "server", "/api/course_home/outline/UniX+CS1+2024", None),
    address("a19", "server", "/api/courses/v1/blocks/block-v1:UniX+CS1+2024+type@vertical+block@v", None),
    named("n1", "edx.forum.thread.created", '{"url":"https://h/courses/<C>/discussion/forum/c/threads/1"}', "<C>"),
    named("n2", "edx.forum.comment.created", '{"url":"https://h/elsewhere","problem_id":"<C>"}', None),
    named("n3", "edx.forum.response.created", '{"url":["/courses/<C>/"]}', None),
    named("n4", "edx.course.created", '{"url":"https://h/courses/<C>/"}', None),
    named("n5", "problem_check", '{"problem_id":"block-v1:UniX+CS1+2024+type@problem+block@p"}', "<C>"),
    named("n6", "problem_check", '{"problem_id":"i4x://UniX/CS1/problem/p"}', None),
    named("n7", "problem_check", '{"problem_id":7}', None),
    named("n8", "/problem_check", '{"problem_id":"block-v1:UniX+CS1+2024+type@problem+block@p"}', None),
    named("n9", "problem_check", '["<C>"]', None),
    named("n10", "problem_check", '{"problem_id":"block-v1:UniX+CS1+2024+type@problem+block@p"}', None,
          context='{"course_id":"no course"}'),
    named("n11", "showanswer", r'"{\"problem_id\":\"block-v1:UniX+CS1+2024+type@problem+block@p\"}"', "<C>"),
    event(
        "server event: the page is not asked",
        '{"event_source":"server","event_type":"x","page":"/courses/<C>/info",<T>,"context":{}}',
        event_source="server", event_type="x", page="/courses/<C>/info", context="{}",
    ),
    event(
        "browser event: the type is not asked",
        '{"event_source":"browser","event_type":"/courses/<C>/info",<T>,"context":{}}',
        event_source="browser", event_type="/courses/<C>/info", context="{}",
    ),
    event("address, but no source", '{"event_type":"/courses/<C>/info",<T>,"context":{}}',
          event_type="/courses/<C>/info", context="{}"),
]  # fmt: skip

# --- Payload (R-DATA reads it later; the lake keeps it as it was) ---------------------------------------

_CUT = r"{\"POST\": {\"input\": [\""
PAYLOADS = [
    payload("object", '{"a": 1}', '{"a": 1}'),
    payload("JSON in a string", r'"{\"a\": 1}"', '{"a": 1}', payload_is_text=True),
    payload("empty string", '""', "", payload_is_text=True),
    payload("key=value text", '"input_1=a&input_2=b"', "input_1=a&input_2=b", payload_is_text=True),
    payload("cut at 512 characters", f'"{_CUT}{"x" * 490}"', '{"POST": {"input": ["' + "x" * 490, payload_is_text=True,
            payload_is_object=False),
    payload("payload a list", "[1, {}]", "[1, {}]"),
    payload("payload null", "null", "null"),
    payload("payload the string null", '"null"', "null", payload_is_text=True),
    payload("payload a number", "3.25", "3.25"),
    payload("payload false", "false", "false"),
    payload("payload text", '"hello"', "hello", payload_is_text=True),
    payload("payload text with escapes", r'"a\u0000\ud83d\ude00\r\n"', "a\0😀\r\n", payload_is_text=True),
    payload("numbers stay as they were written", "[1.10, 1E2, -0]", "[1.10, 1E2, -0]"),
    payload("NaN in a text", r'"{\"a\": NaN}"', '{"a":null}', payload_is_text=True, is_kept_whole=True),
    payload("half a pair in a text", r'"{\"a\": \"\\ud800\"}"', '{"a":"\ufffd"}', payload_is_text=True,
            is_kept_whole=True),
    payload("text of a text", r'"\"{\\\"a\\\": 1}\""', '{"a":1}', payload_is_text=True, is_kept_whole=True),
    payload("text that goes on", r'"{\"a\": 1} and more"', '{"a": 1} and more', payload_is_text=True,
            payload_is_object=False),
    event("no payload", '{"host":"v1","name":"n",<T>}', name="n", host="v1"),
]  # fmt: skip

# --- Members of unexpected types ------------------------------------------------------------------------

TYPES = [
    odd("event_type a number", '{"event_type":5,"host":"w1",<T>}', host="w1"),
    odd("event_type a list", '{"event_type":["a"],"host":"w2",<T>}', host="w2"),
    odd("event_source an object", '{"event_source":{},"host":"w3",<T>}', host="w3"),
    odd("page a number", '{"page":1,"event_source":"browser","host":"w4",<T>,"context":{}}', host="w4",
        event_source="browser", context="{}"),
    odd("ip true", '{"ip":true,"host":"w5",<T>}', host="w5"),
    odd("session a number", '{"session":1,"host":"w6",<T>}', host="w6"),
    event("session null", '{"session":null,"host":"w7",<T>}', host="w7"),
    event("all members null that may be",
          '{"event_type":null,"name":null,"event_source":null,"ip":null,"agent":null,"page":null,"referer":null,"host":"w8",<T>,"event":null}',
          host="w8", payload="null"),
    event("IPv6", '{"ip":"2001:db8::1","host":"w9",<T>}', ip="2001:db8::1", host="w9"),
    event("text of 100,000 characters", '{"agent":"' + "x" * 100_000 + '",<T>}', agent="x" * 100_000),
    # Numbers that JSON calls equal are still different events: nothing is compared but bytes.
    event("event like the next", '{"host":"w10",<T>,"event":1}', host="w10", payload="1"),
    event("event like the one before, but a space", '{"host":"w10", <T>,"event":1}', host="w10", payload="1"),
    repeated("event like two before", '{"host":"w10",<T>,"event":1}'),
]  # fmt: skip

LINES = [
    *CLASSES, *NATIVE, *AROUND, *JSON, *TIMES, *USERS, *CONTEXTS, *ADDRESSES, *PAYLOADS, *TYPES,
]  # fmt: skip
