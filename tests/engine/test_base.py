"""What every engine must do alike: the protocol of `pharos.engine.base`."""

from __future__ import annotations

import random
from datetime import date, datetime
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pharos.engine import Engine

SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("text", pa.string()),
        ("truth", pa.bool_()),
        ("day", pa.date32()),
        ("time", pa.timestamp("us")),
        ("share", pa.float64()),
    ]
)
ROWS = [
    {
        "number": 2**63 - 1,
        "text": "",
        "truth": True,
        "day": date(2024, 2, 29),
        "time": datetime(2024, 2, 29, 23, 59, 59, 999999),
        "share": 0.1,
    },
    {
        "number": -(2**53) - 1,  # no float holds it
        "text": "caf\u00e9 'quoted' \\ \n \U0001f600",
        "truth": False,
        "day": date(1, 1, 1),
        "time": datetime(1, 1, 1),
        "share": -1e300,
    },
    {
        "number": 0,
        "text": "\x00",
        "truth": True,
        "day": date(1500, 2, 28),  # before the Gregorian calendar
        "time": datetime(9999, 12, 31, 23, 59, 59, 999999),
        "share": 0.0,
    },
    dict.fromkeys(SCHEMA.names),
]


def rows(table: pa.Table) -> list[dict[str, object]]:
    return sorted(table.to_pylist(), key=repr)


def test_rows_go_in_and_come_out(engine: Engine) -> None:
    given = pa.Table.from_pylist(ROWS, SCHEMA)
    found = engine.fetch(engine.table(given))
    assert found.schema == SCHEMA
    assert rows(found) == rows(given)
    assert engine.fetch(engine.table(SCHEMA.empty_table())).schema == SCHEMA


def test_files_are_read_as_they_are(engine: Engine, tmp_path: Path) -> None:
    """Also from folders whose names mean something to an engine; missing columns come from folders' names."""
    folder = tmp_path / "odd [x] {a,b} *? 'q' %41 & more"
    files = []
    for number, row in enumerate(ROWS):
        path = folder / f"date=2024-03-0{number + 1}" / "part.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist([row], SCHEMA), path)
        files.append(path)
    found = engine.fetch(engine.read(files, SCHEMA.append(pa.field("date", pa.date32()))))
    expected = [row | {"date": date(2024, 3, number)} for number, row in enumerate(ROWS, 1)]
    assert rows(found) == sorted(expected, key=repr)
    assert rows(engine.fetch(engine.read(files[:1], SCHEMA))) == [ROWS[0]]
    assert engine.fetch(engine.read([], SCHEMA)).num_rows == 0


def test_moments_are_compared_to_the_microsecond(engine: Engine) -> None:
    table = engine.table(pa.Table.from_pylist(ROWS, SCHEMA))
    last = datetime(2024, 2, 29, 23, 59, 59, 999999)
    for moment, seen in ((last, 1), (datetime(2024, 3, 1), 2)):
        assert engine.fetch(table.filter(table.time < ibis.literal(moment))).num_rows == seen


def test_partitions_are_in_total_order(engine: Engine, tmp_path: Path) -> None:
    given = [
        {"day": date(2024, 3, day), "text": text, "number": number}
        for day in (1, 2, 29)
        for text in ("a", "B", "\u00e9", "", "z")
        for number in (10, 9, -1)
    ]
    random.Random(1).shuffle(given)
    schema = pa.schema([SCHEMA.field(name) for name in ("day", "text", "number")])
    source = tmp_path / "source.parquet"
    pq.write_table(pa.Table.from_pylist(given, schema), source)
    files = engine.write_partitions(
        engine.read([source], schema), tmp_path / "out", "day", ["text", "number"]
    )
    assert sorted(files) == ["2024-03-01", "2024-03-02", "2024-03-29"]
    for value, path in files.items():
        found = pq.ParquetFile(path).read()
        assert found.column_names == ["text", "number"]
        expected = [(row["text"], row["number"]) for row in given if str(row["day"]) == value]
        in_order = sorted(expected, key=lambda pair: (str(pair[0]).encode(), pair[1]))
        assert list(zip(*found.to_pydict().values(), strict=True)) == in_order


def test_no_rows_make_no_partitions(engine: Engine, tmp_path: Path) -> None:
    source = tmp_path / "source.parquet"
    pq.write_table(SCHEMA.empty_table(), source)
    assert engine.write_partitions(engine.read([source], SCHEMA), tmp_path / "out", "day", ["text"]) == {}


def test_work_is_spread_and_comes_back_in_order(engine: Engine) -> None:
    assert list(engine.map(str, [3, 1, 2])) == ["3", "1", "2"]
    assert list(engine.map(str, [1])) == ["1"]
    assert list(engine.map(str, [])) == []


def test_an_error_of_the_work_is_told(engine: Engine) -> None:
    with pytest.raises(Exception, match="not-a-number"):
        list(engine.map(int, ["1", "not-a-number"]))
