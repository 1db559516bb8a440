"""The functions of every engine mean the same on each, whatever an engine calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ibis
import pyarrow as pa
import pytest
from ibis.expr.types import StringValue

from pharos.engine import Engine
from pharos.engine.functions import json_text, stripped


def results(
    engine: Engine, texts: Sequence[str | None], function: Callable[[StringValue], ibis.Value]
) -> dict[str | None, str | None]:
    rows = engine.table(pa.table({"text": pa.array(texts, pa.string())}))
    found = engine.fetch(rows.select(rows.text, value=function(rows.text)))
    return dict(zip(found["text"].to_pylist(), found["value"].to_pylist(), strict=True))


def test_json_text(engine: Engine) -> None:
    expected = {
        '{"a":"x"}': "x",
        ' {"a": "x"} ': "x",
        '{"a":"caf\\u00e9 caf\N{LATIN SMALL LETTER E WITH ACUTE}"}': "caf\u00e9 caf\u00e9",
        '{"a":""}': "",
        '{"a":7}': "7",
        '{"a":-0.5}': "-0.5",
        '{"a":12345678901234567890123}': "12345678901234567890123",
        '{"a":true}': "true",
        '{"a":{"c":1, "b":[2, "x"]}}': '{"c":1,"b":[2,"x"]}',
        '{"a":null}': None,
        '{"A":"x"}': None,
        '{"b":{"a":"x"}}': None,
        '[{"a":"x"}]': None,
        '"a"': None,
        '{"a":"x"': None,
        "a=x&b=y": None,
        "": None,
        None: None,
    }
    assert results(engine, list(expected), lambda text: json_text(text, "$.a")) == expected


@pytest.mark.xfail(strict=True, reason="each engine has its own idea of what is nearly JSON")
def test_json_text_of_what_is_nearly_json(engine: Engine) -> None:
    """R-DATA: none of it is JSON to the LMS's own reader, so nothing is read from it."""
    nearly: list[str | None] = [
        '{"a":"x"} and more',
        "{'a':'x'}",
        '{"a":"x\ny"}',
        '{"a":"x"}{"a":"y"}',
        '{"a":"x",}',
        '{"a":NaN}',
    ]
    assert results(engine, nearly, lambda text: json_text(text, "$.a")) == dict.fromkeys(nearly)


def test_stripped(engine: Engine) -> None:
    expected = {"fv ": "fv", " \t\r\nvf of\n \f": "vf of", "a  b": "a  b", " \n ": "", "": "", None: None}
    assert results(engine, list(expected), stripped) == expected
