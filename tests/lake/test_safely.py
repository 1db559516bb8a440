"""Writing safely: seals show every changed byte, and readers of Parquet do not see them."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pharos.lake.safely import checksum, is_whole, move_safely, move_sealed, seal, write_atomically

ROWS = pa.table({"number": list(range(5000)), "text": [f"event {number % 97}" for number in range(5000)]})


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    pq.write_table(ROWS, tmp_path / "staged.parquet", compression="zstd", row_group_size=1000)
    move_sealed([(tmp_path / "staged.parquet", tmp_path / "folder" / "sealed.parquet")])
    return tmp_path / "folder" / "sealed.parquet"


def test_a_sealed_file_is_read_as_any_other(sealed: Path) -> None:
    assert is_whole(sealed)
    assert pq.read_table(sealed).equals(ROWS)
    with duckdb.connect() as connection:
        total = connection.execute(
            "select sum(number), count(distinct text) from read_parquet(?)", [str(sealed)]
        )
        assert total.fetchall() == [(sum(range(5000)), 97)]
        connection.execute(f"copy (from read_parquet('{sealed}')) to '{sealed}.duckdb' (format parquet)")
    seal(Path(f"{sealed}.duckdb"))
    assert is_whole(Path(f"{sealed}.duckdb"))
    assert pq.read_table(f"{sealed}.duckdb").equals(ROWS)


def test_every_changed_bit_and_every_cut_is_seen(sealed: Path, tmp_path: Path) -> None:
    whole, draw, changed = sealed.read_bytes(), random.Random(1), tmp_path / "changed.parquet"
    last = range(len(whole) * 8 - 700, len(whole) * 8)  # seal, footer and the end of the file
    for bit in [*draw.sample(range(len(whole) * 8), 500), *last]:
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        changed.write_bytes(data)
        assert not is_whole(changed), bit
        assert checksum(changed) != checksum(sealed), bit
    for length in [0, 1, 7, 8, 12, *draw.sample(range(len(whole)), 100)]:
        changed.write_bytes(whole[:length])
        assert not is_whole(changed), length
    changed.write_bytes(whole + b"\0")
    assert not is_whole(changed)


def test_a_file_without_seal_or_without_name_is_not_whole(tmp_path: Path) -> None:
    pq.write_table(ROWS, tmp_path / "plain.parquet")
    assert not is_whole(tmp_path / "plain.parquet")
    assert not is_whole(tmp_path / "absent.parquet")
    assert not is_whole(tmp_path)


def test_what_is_written_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    write_atomically(tmp_path / "a", b"new")
    move_safely([(tmp_path / "a", tmp_path / "deep" / "er" / "b")])
    assert (tmp_path / "deep" / "er" / "b").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
