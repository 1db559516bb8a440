"""Which payloads are objects, and that what is written anew is strict JSON of the same object."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw
from tests.lake.strategies import json_values

from pharos.lake import payloads
from pharos.lake.payloads import payloads_of, rewritten_object


def raws(*texts: str | None) -> list[Any]:
    """As members of regular events: JSON text, or none."""
    return [UNSET if text is None else Raw(text.encode()) for text in texts]


def test_what_was_written_stays_where_it_is_strict() -> None:
    written = ['{"a": 1.10}', "[1]", "null", None, "7", '"text"', '"{\\"a\\": 1}"', '""']
    found = payloads_of(raws(*written))
    assert found.texts == ['{"a": 1.10}', "[1]", "null", None, "7", "text", '{"a": 1}', ""]
    assert found.are_text == [False, False, False, False, False, True, True, True]
    assert found.are_objects == [True, False, False, False, False, False, True, False]
    assert found.rewritten == []


def test_an_odd_one_does_not_touch_its_neighbours() -> None:
    odd = [
        json.dumps('{"a":NaN}'), json.dumps('{"a":1'), json.dumps('{"a":' + "9" * 1500 + "}"),
        json.dumps("{'a':1}"), json.dumps("[" * 3000),
    ]  # fmt: skip
    plain = [json.dumps(f'{{"n":{number}}}') for number in range(6)]
    together = [text for pair in zip(plain, odd, strict=False) for text in pair] + plain[-1:]
    found = payloads_of(raws(*together))
    assert found.are_objects == [True, True, True, False, True, True, True, False, True, False, True]
    assert found.rewritten == [1, 5]
    assert (found.texts[1], found.texts[5]) == ('{"a":null}', '{"a":null}')
    assert found.texts[::2] == [json.loads(text) for text in plain]


@given(before=st.integers(0, 2000), after=st.integers(0, 2000), is_text=st.booleans())
def test_a_long_number_is_found_wherever_it_lies(before: int, after: int, *, is_text: bool) -> None:
    """Only every 127th letter is looked at."""
    objects = ['{"a":"' + "-" * before + '","n":' + "1" * 1000 + "}", '{"b":"' + "x" * after + '"}']
    found = payloads_of(raws(*(json.dumps(text) if is_text else text for text in objects)))
    assert found.rewritten == [0]
    assert json.loads(found.texts[0] or "") == {"a": "-" * before, "n": None}


@given(
    st.lists(
        st.dictionaries(st.text(max_size=3), json_values, max_size=3) | json_values, min_size=1, max_size=5
    )
)
def test_all_values_of_json_are_judged_by_what_they_are(values: list[Any]) -> None:
    # The decoder of lines refuses `Infinity` outside a text, so no member of a regular event holds it.
    regular = [value for value in values if "Infinity" not in json.dumps(value)]
    _are_judged(payloads_of(raws(*map(json.dumps, regular))), regular, are_text=False)
    _are_judged(_as_texts([json.dumps(value) for value in values]), values, are_text=True)


def _are_judged(found: payloads.Payloads, values: list[Any], *, are_text: bool) -> None:
    assert found.are_text == [are_text or isinstance(value, str) for value in values]
    for value, text, is_object in zip(values, found.texts, found.are_objects, strict=True):
        inner = _unwrapped(value)
        assert is_object == isinstance(inner, dict)
        assert not is_object or json.loads(text or "") == _strict(inner)


def _as_texts(written: list[str]) -> payloads.Payloads:
    return payloads_of(raws(*map(json.dumps, written)))


def _unwrapped(value: Any) -> Any:
    """What a text holds, if it is JSON."""
    try:
        return _unwrapped(json.loads(value)) if isinstance(value, str) else value
    except ValueError:
        return value


def _strict(value: Any) -> Any:
    """The value as strict JSON can say it."""
    if isinstance(value, dict):
        return {_strict(name): _strict(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return None if isinstance(value, float) and not math.isfinite(value) else value


def test_text_of_text_is_unwrapped_a_few_times() -> None:
    text = '{"a":1}'
    for times in range(6):
        assert (rewritten_object(text) is not None) == (times <= payloads.WRAPPED)
        text = json.dumps(text)


@given(st.text(alphabet='{}[]":,\\0aNe. \ud800\n'))
def test_any_text_is_an_object_or_none(text: str) -> None:
    strict = rewritten_object(text)
    assert strict is None or isinstance(json.loads(strict.encode()), dict)
