"""Files of the lake say the same again when they are read."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pharos.lake import data_files, schema
from pharos.lake.data_files import QuarantinedLine

IDS = ["0" * 31 + "1", "f" * 32, "8" + "0" * 31]
TIMES = [datetime(2024, 3, 2, hour) for hour in (9, 7, 8)]


def events() -> pa.Table:
    """Three events of one day; what is not named is null, or empty where it must not be."""
    empty = {"bool": False, "string": "", "int64": 1}
    columns = {
        field.name: pa.array([None if field.nullable else empty.get(str(field.type))] * 3, field.type)
        for field in schema.EVENTS
        if field.name not in {"event_id", "time"}
    }
    columns |= {"event_id": pa.array(IDS), "time": pa.array(TIMES, pa.timestamp("us"))}
    columns["username"] = pa.array(["ana", None, "ana"])
    return pa.table(columns, schema=schema.EVENTS)


def test_a_staged_file_is_described_by_its_events(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    file = data_files.stage(events(), path, date(2024, 3, 2))
    assert (file.rows, file.oldest, file.newest) == (3, TIMES[1], TIMES[0])
    assert file.digest == (0 + (2**64 - 1) + 2**63) % 2**64  # first halves of the ids
    found = data_files.read(path)
    assert pa.types.is_dictionary(found["username"].type)
    assert found.cast(schema.EVENTS) == events()


def test_ids_are_the_same_beside_the_file_and_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    data_files.stage(events(), path, date(2024, 3, 2))
    beside = data_files.read_ids(path)
    path.with_suffix(".npy").unlink()
    expected = [[int(text[:16], 16), int(text[16:], 16)] for text in IDS]
    assert beside.tolist() == expected
    assert np.array_equal(data_files.read_ids(path), beside)


def test_quarantined_lines_are_kept_byte_by_byte(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.parquet"
    lines = [
        QuarantinedLine("1-0", "a.log", 3, "not UTF-8", b"\xff\0x"),
        QuarantinedLine("1-0", "b.log", 1, "", b""),
    ]
    data_files.write_quarantine(lines, path)
    assert list(data_files.read_quarantine(path)) == lines
    assert lines[0].text == "\ufffd\0x"
    assert pq.read_schema(path).field("data").nullable is False
