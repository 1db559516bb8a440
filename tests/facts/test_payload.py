"""Members of payloads, odd ones above all, are the same on every engine."""

from __future__ import annotations

import json

import pytest
from tests.facts.conftest import EventsOf
from tests.lines import event

from pharos.engine import Engine
from pharos.facts.payload import payload_integer, payload_number, payload_text

Read = tuple[str | None, int | None, float | None]
NOTHING: Read = (None, None, None)


def line(payload: str) -> str:
    """A server event with an object written in this way."""
    return event("2024-03-02 09:00", "x").replace('"event": {}', f'"event": {payload}')


def text_line(payload: str) -> str:
    """A browser event with this text as its payload."""
    return event("2024-03-02 09:00", "x", source="browser", event=payload)


def members(engine: Engine, events_of: EventsOf, lines: list[str]) -> dict[int, Read]:
    """By line: the member `a` as text, `n` as integer and as number."""
    events = events_of(lines)
    found = events.select(
        "line",
        text=payload_text(events, "$.a"),
        integer=payload_integer(events, "$.n"),
        number=payload_number(events, "$.n"),
    )
    return {
        row["line"]: (row["text"], row["integer"], row["number"]) for row in engine.fetch(found).to_pylist()
    }


# What a text holds, and what is read from it; an object in the event itself is read like its text.
TEXTS: dict[str, Read] = {
    '{"a":"x","n":7}': ("x", 7, 7.0),
    ' \t{"n": "7 ", "a": "x"}\r\n': ("x", 7, 7.0),
    '{"a":"","n":-7}': ("", -7, -7.0),
    '{"a":true,"n":7.5}': ("true", None, 7.5),
    '{"a":{"b":[1, "x"]},"n":"7.25"}': ('{"b":[1,"x"]}', None, 7.25),
    '{"a":null,"n":null}': NOTHING,
    "{}": NOTHING,
    '{"a":"caf\\u00e9 \\ud83d\\ude00 \\u0000","n":1e3}': ("caf\u00e9 \N{GRINNING FACE} \0", None, 1000.0),
    '{"a":"x","a":"y","n":1,"n":2}': ("x", 1, 1.0),
    # Python's `json` reads more than strict JSON: so do we, and write it anew.
    '{"a":"x","n":NaN}': ("x", None, None),
    '{"n":-Infinity,"a":"x"}': ("x", None, None),
    '{"n":NaN,"a":"x","a":"y"}': ("x", None, None),
    '{"a":"x","n":1e400}': ("x", None, None),
    '{"n":1e400,"b":NaN,"a":"x"}': ("x", None, None),
    '{"n":12345678901234567890123,"a":"x"}': ("x", None, 12345678901234567890123.0),
    '{"n":' + "9" * 400 + ',"a":"x"}': ("x", None, None),
    '{"n":' + "9" * 2000 + ',"a":"x"}': ("x", None, None),
    '{"n":0.' + "3" * 2000 + ',"a":"x"}': ("x", None, 1 / 3),
    '{"n":' + "9" * 6000 + ',"a":"x"}': ("x", None, None),
    '{"a":"x\\ud800y","n":7}': ("x\ufffdy", 7, 7.0),
    '{"\\udc00":1,"a":"x","n":7}': ("x", 7, 7.0),
    '{"a":"\\u000bx\\u00a0","n":"\\u000b7\\u00a0"}': ("\vx\u00a0", 7, 7.0),
    '{"n":7,"a":"' + "x" * 60_000 + '"}': ("x" * 60_000, 7, 7.0),
    '"{\\"a\\":\\"x\\",\\"n\\":7}"': ("x", 7, 7.0),
    # Neither reads these: no engine does.
    '{"a":"x","n":7} and more': NOTHING,
    '{"a":"x","n":7}{"a":"y"}': NOTHING,
    '{"a":"x","n":7}}': NOTHING,
    '{"a":"x","n":7': NOTHING,
    '{"a":"x","n":7,"b': NOTHING,
    "{'a':'x','n':7}": NOTHING,
    '{"a":"x","n":7,}': NOTHING,
    '{"a":"x\ty","n":7}': NOTHING,
    '{"n":7,"a":"x\ny"}': NOTHING,
    '{"a":"x","n":07}': NOTHING,
    '{"a":"x"/*b*/,"n":7}': NOTHING,
    '\u00a0{"a":"x","n":7}': NOTHING,
    '\v{"a":"x","n":7}': NOTHING,
    '\ufeff{"a":"x","n":7}': NOTHING,
    '[{"a":"x","n":7}]': NOTHING,
    '"{\\"a\\":\\"x\\",\\"n\\":7"': NOTHING,
    '{"n":' + "[" * 5000 + "]" * 5000 + ',"a":"x"}': NOTHING,
    '{"' + "k" * 60_000 + '":1,"a":"x","n":7}': NOTHING,
    '{"n":7,"a":"' + "x" * (2 << 20) + '"}': NOTHING,
    "a=x&n=7": NOTHING,
    "null": NOTHING,
    "": NOTHING,
}


def test_texts_that_are_objects_nearly_or_not_at_all(engine: Engine, events_of: EventsOf) -> None:
    found = members(engine, events_of, [text_line(text) for text in TEXTS])
    assert len(found) == len(TEXTS)
    for number, (text, expected) in enumerate(TEXTS.items(), 1):
        assert found[number] == pytest.approx(expected), text[:80]


def test_an_object_is_read_like_its_text(engine: Engine, events_of: EventsOf) -> None:
    """Whatever Python's `json` reads can stand on the line itself."""
    repeated = '"a":"x","a"'  # of an odd line the last of the same names counts, as `json` has it
    objects = {
        text: read
        for text, read in TEXTS.items()
        if read != NOTHING and "\n" not in text and repeated not in text
    }
    found = members(engine, events_of, [line(text) for text in objects])
    assert len(found) == len(objects)
    for number, (text, expected) in enumerate(objects.items(), 1):
        assert found[number] == pytest.approx(expected), text[:80]


def test_what_is_no_object_has_no_members(engine: Engine, events_of: EventsOf) -> None:
    payloads = ["null", "7", "false", '["a"]', "[[]]"]
    found = members(engine, events_of, [line(payload) for payload in payloads])
    assert found == dict.fromkeys(range(1, len(payloads) + 1), NOTHING)


def test_no_payload_has_no_members(engine: Engine, events_of: EventsOf) -> None:
    without = json.loads(line("{}"))
    del without["event"]
    assert members(engine, events_of, [json.dumps(without)]) == {1: NOTHING}


def test_deep_objects_are_objects_on_every_engine_or_on_none(engine: Engine, events_of: EventsOf) -> None:
    """Each has a limit of its own; nothing lies between the parser's and an engine's."""
    depths = [10, 500, *range(900, 1100, 7)]
    lines = [text_line('{"n":7,"b":' + "[" * depth + "]" * depth + ',"a":"x"}') for depth in depths]
    events = events_of(lines)
    read = engine.fetch(events.select("payload_is_object", text=payload_text(events, "$.a"))).to_pylist()
    assert {(row["payload_is_object"], row["text"]) for row in read} == {(True, "x"), (False, None)}
