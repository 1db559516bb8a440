"""Which ids the lake holds already, compared by halves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharos.lake import known
from pharos.lake.columns import Numbers
from pharos.lake.known import KnownIds, in_order

few = st.sampled_from([0, 1, 2, 2**63, 2**64 - 1])  # so few that halves are alike often
pairs = st.lists(st.tuples(few, few), max_size=12, unique=True)


def _rows(ids: list[tuple[int, int]]) -> Numbers:
    return np.array(ids, np.dtype(">u8")).reshape(-1, 2)


@given(pairs, pairs)
def test_an_id_is_known_only_if_both_halves_are(
    ids: list[tuple[int, int]], others: list[tuple[int, int]]
) -> None:
    found = in_order(_rows(ids)).are_in(in_order(_rows(others)))
    assert found.tolist() == [pair in others for pair in ids]


def test_ids_are_read_again_when_they_were_let_go_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "KEPT_EVENTS", 3)
    files = [tmp_path / f"{number}.parquet" for number in range(4)]
    for number, path in enumerate(files):
        pq.write_table(pa.table({"event_id": [f"{number:032x}", f"{number + 1:032x}"]}), path)
    ids = KnownIds()
    for first, second in zip([*files, *files], [*files[1:], *files, files[0]], strict=False):
        is_next = int(second.stem) - int(first.stem) in {-1, 0, 1}
        assert ids.of(first).are_in(ids.of(second)).any() == is_next


def test_a_file_that_moved_or_is_written_anew(tmp_path: Path) -> None:
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    pq.write_table(pa.table({"event_id": [f"{1:032x}"]}), old)
    ids = KnownIds()
    ids.of(old)
    ids.move(old, str(new))
    old.unlink()
    assert ids.of(new).rows.tolist() == [0]
    ids.forget(new)
    pq.write_table(pa.table({"event_id": [f"{1:032x}", f"{2:032x}"]}), new)
    assert len(ids.of(new).rows) == 2
