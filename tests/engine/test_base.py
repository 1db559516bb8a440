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
from pharos.engine.errors import EngineFailed

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
    """Also from folders whose names mean something to an engine."""
    folder = tmp_path / "odd [x] {a,b} *? 'q' %41 & more"
    files = []
    for number, row in enumerate(ROWS):
        path = folder / f"date=2024-03-0{number + 1}" / "part.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist([row], SCHEMA), path)
        files.append(path)
    found = engine.fetch(engine.read(files, SCHEMA))
    assert rows(found) == sorted(ROWS, key=repr)
    assert rows(engine.fetch(engine.read(files[:1], SCHEMA))) == [ROWS[0]]
    assert engine.fetch(engine.read([], SCHEMA)).num_rows == 0


def test_moments_are_compared_to_the_microsecond(engine: Engine) -> None:
    table = engine.table(pa.Table.from_pylist(ROWS, SCHEMA))
    last = datetime(2024, 2, 29, 23, 59, 59, 999999)
    for moment, seen in ((last, 1), (datetime(2024, 3, 1), 2)):
        assert engine.fetch(table.filter(table.time < ibis.literal(moment))).num_rows == seen


def test_a_file_is_written_in_total_order(engine: Engine, tmp_path: Path) -> None:
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
    engine.write(engine.read([source], schema), tmp_path / "out.parquet", ["day", "text", "number"])
    found = pq.ParquetFile(tmp_path / "out.parquet").read().to_pylist()
    assert found == sorted(given, key=lambda row: (row["day"], str(row["text"]).encode(), row["number"]))


@pytest.mark.parametrize("order", [[], ["part"]])
def test_sums_stay_integers_in_files(engine: Engine, tmp_path: Path, order: list[str]) -> None:
    rows = engine.table(pa.table({"part": ["a", "a"], "count": pa.array([2**53, 1], pa.int64())}))
    target = tmp_path / "it's a file.parquet"
    engine.write(rows.group_by("part").agg(count=rows["count"].sum()), target, order)
    [total] = pq.ParquetFile(target).read()["count"]
    assert (total.type, total.as_py()) == (pa.int64(), 2**53 + 1)


def test_no_rows_make_an_empty_file(engine: Engine, tmp_path: Path) -> None:
    engine.write(engine.read([], SCHEMA), tmp_path / "out.parquet", ["text"])
    assert pq.read_metadata(tmp_path / "out.parquet").num_rows == 0


def test_digests_tell_parts_with_other_rows(engine: Engine) -> None:
    schema = pa.schema([SCHEMA.field(name) for name in ("text", "number")])

    def digests(rows: list[tuple[str | None, int | None]]) -> dict[str | None, tuple[int, int]]:
        table = engine.table(pa.Table.from_pylist([{"text": t, "number": n} for t, n in rows], schema))
        found = engine.digests(table.mutate(part=table.text), ["part"]).to_pylist()
        return {row["part"]: (row["rows"], row["digest"]) for row in found}

    before = digests([("a", 1), ("a", 2), ("b", 1), ("c", None), (None, 1)])
    assert digests([("b", 1), ("c", None), ("a", 2), (None, 1), ("a", 1)]) == before, "order is no matter"
    after = digests([("a", 1), ("a", 3), ("b", 1), ("c", 0), (None, 1)])
    assert {part for part in before if before[part] != after[part]} == {"a", "c"}
    assert {part: rows for part, (rows, _) in before.items()} == {"a": 2, "b": 1, "c": 1, None: 1}
    assert digests([]) == {}


def test_digests_tell_whether_two_rows_have_one_key(engine: Engine) -> None:
    rows = [("a", 1, "x"), ("a", None, "x"), ("a", None, "y"), ("b", 1, "x"), ("b", 2, "x")]
    table = engine.table(
        pa.table(dict(zip(["part", "number", "text"], zip(*rows, strict=True), strict=True)))
    )

    def most(*key: str) -> dict[str, int]:
        found = engine.digests(table, ["part"], key).to_pylist()
        assert {(row["part"], row["rows"]) for row in found} == {("a", 3), ("b", 2)}
        return {row["part"]: row["most_of_key"] for row in found}

    assert most("part", "number") == {"a": 2, "b": 1}, "null is a value of a key, too"
    assert most("number", "text") == {"a": 1, "b": 1}
    without = engine.digests(table, ["part"]).to_pylist()
    assert {row["digest"] for row in without} == {
        row["digest"] for row in engine.digests(table, ["part"], ["text"]).to_pylist()
    }


def test_the_names_of_folders_mean_nothing(engine: Engine, tmp_path: Path) -> None:
    """A home may lie below a folder that is named like a partition."""
    schema = pa.schema([SCHEMA.field("text")])
    paths = [tmp_path / "date=2026-11-28" / f"text={name}" / "rows.parquet" for name in "xy"]
    for path in paths:
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table({"text": ["kept"]}, schema), path)
    assert engine.fetch(engine.read(paths, schema)).to_pydict() == {"text": ["kept", "kept"]}


def test_a_column_that_older_files_lack_is_null(engine: Engine, tmp_path: Path) -> None:
    older, newer = tmp_path / "older.parquet", tmp_path / "newer.parquet"
    pq.write_table(pa.table({"text": ["old"]}), older)
    pq.write_table(pa.table({"text": ["new"], "number": pa.array([1], pa.int64())}), newer)
    schema = pa.schema([SCHEMA.field(name) for name in ("text", "number")])
    rows = engine.fetch(engine.read([older, newer], schema)).to_pylist()
    assert sorted((row["text"], row["number"]) for row in rows) == [("new", 1), ("old", None)]
    assert engine.fetch(engine.read([older], schema)).to_pylist() == [{"text": "old", "number": None}]


def test_an_error_of_the_engine_says_what_to_do(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1 is no Parquet file PAR1")
    with pytest.raises(EngineFailed, match=r"(?s)engine (duckdb|spark): .*pharos lake verify"):
        engine.fetch(engine.read([tmp_path / "damaged.parquet"], SCHEMA))


def test_work_is_spread_and_comes_back_in_order(engine: Engine) -> None:
    assert list(engine.map(str, [3, 1, 2])) == ["3", "1", "2"]
    assert list(engine.map(str, [1])) == ["1"]
    assert list(engine.map(str, [])) == []


def test_an_error_of_the_work_is_told(engine: Engine) -> None:
    with pytest.raises(Exception, match="not-a-number"):
        list(engine.map(int, ["1", "not-a-number"]))
