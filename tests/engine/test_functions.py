"""The functions of every engine mean the same on each, whatever an engine calls them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import StringValue

from pharos.engine import Engine
from pharos.engine.functions import json_text, microseconds, stripped


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


def test_stripped(engine: Engine) -> None:
    """As by Python, whatever an engine takes for white space."""
    spaces = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
    others = ["\0", "\x1b", "\u200b", "\ufeff", "\u2060", "f", "v"]
    texts = [*(f"{sign}fv a{sign}\n b{sign}" for sign in spaces + others), "".join(spaces), "", None]
    expected = {text: None if text is None else text.strip() for text in texts}
    assert results(engine, texts, stripped) == expected


def test_columns_that_older_files_lack_are_null(engine: Engine, tmp_path: Path) -> None:
    """The schema's other columns and types stay, whichever file is read first."""
    wanted = pa.schema([("a", pa.int64()), ("b", pa.bool_()), ("c", pa.string())])
    pq.write_table(pa.table({"a": [1]}), tmp_path / "old.parquet")
    pq.write_table(pa.table({"c": ["x"], "b": [True], "a": [2]}), tmp_path / "new.parquet")
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    found = [engine.fetch(engine.read(files, wanted)) for files in ([old], [old, new], [new, old])]
    rows = [{"a": 1, "b": None, "c": None}, {"a": 2, "b": True, "c": "x"}]
    assert [table.schema for table in found] == [wanted] * 3
    assert [sorted(table.to_pylist(), key=lambda row: int(row["a"])) for table in found] == [
        rows[:1], rows, rows,
    ]  # fmt: skip


def test_microseconds(engine: Engine) -> None:
    expected = {
        datetime(2024, 3, 2, 10, 0, 0, 123456): 1709373600123456,
        datetime(1969, 12, 31, 23, 59, 59, 5): -999995,
        datetime(2200, 1, 1): 7258118400000000,
        None: None,
    }
    rows = engine.table(pa.table({"time": pa.array(expected, pa.timestamp("us"))}))
    found = engine.fetch(rows.select(rows.time, value=microseconds(rows.time)))
    assert dict(zip(*found.to_pydict().values(), strict=True)) == expected
