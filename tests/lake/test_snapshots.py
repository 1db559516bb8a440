"""What the lake holds of the LMS: damaged, it is made anew by an import and used by nobody before."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console
from tests.lake.harm import HARMS
from tests.lake.place import Place

from pharos.console import show_imported
from pharos.lake import lms_tables, snapshots
from pharos.lake.backup import copy_lake
from pharos.lake.lake import Lake
from pharos.lake.snapshots import SnapshotDamaged
from pharos.lake.verify import verify
from pharos.lms.tables import TABLES

TABLE = "course_groups_cohortmembership"
STARTED = datetime(2024, 6, 1)


def rows(*numbers: int) -> pa.Table:
    schema = TABLES[TABLE].schema
    return pa.table({field.name: pa.array(numbers, field.type) for field in schema}, schema=schema)


@pytest.fixture
def lake(place: Place) -> Lake:
    lake = Lake(place.root)
    with lake.locked():
        lms_tables.replace(lake, place.engine, TABLE, rows(1, 2, 3), "lms", STARTED)
    return lake


def parquet(lake: Lake) -> Path:
    [path] = (lake.root / snapshots.folder(TABLE)).glob("*.parquet")
    return path


def record(lake: Lake) -> Path:
    return lake.root / snapshots.folder(TABLE) / snapshots.RECORD


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_snapshot_is_named_and_not_used(
    lake: Lake, place: Place, harm: Callable[[random.Random, Path], None]
) -> None:
    path = parquet(lake)
    harm(random.Random(3), path)
    before = snapshots.fingerprint(lake, TABLE)
    with pytest.raises(SnapshotDamaged, match="pharos import") as caught:
        lms_tables.read(place.engine, lake, TABLE)
    assert str(path) in str(caught.value)
    assert snapshots.last(lake, TABLE) is None
    assert snapshots.fingerprint(lake, TABLE) == before  # nothing that was made of it is stale
    with pytest.raises(SnapshotDamaged):
        copy_lake(lake, Lake(lake.root.with_name("copy")))
    with lake.locked():
        lms_tables.replace(lake, place.engine, TABLE, rows(1, 2, 3), "lms", STARTED)
    assert place.engine.fetch(lms_tables.read(place.engine, lake, TABLE)).num_rows == 3


def test_an_import_goes_on_from_nothing_and_keeps_what_is_damaged(lake: Lake) -> None:
    path = parquet(lake)
    path.write_bytes(b"damaged")
    with lake.locked():
        assert snapshots.rows(lake, TABLE).num_rows == 0
    assert (lake.root / ".set-aside" / path.relative_to(lake.root)).read_bytes() == b"damaged"


def _unreadable(path: Path) -> None:
    path.write_bytes(b"\xff{")


@pytest.mark.parametrize("harm", [_unreadable, Path.unlink])
def test_a_damaged_or_missing_snapshot_json_is_told_and_does_not_count_as_no_rows(
    lake: Lake, place: Place, harm: Callable[[Path], None]
) -> None:
    harm(record(lake))
    assert TABLE in {table.table for table in snapshots.states(lake)}
    assert "import again" in str(snapshots.state(lake, TABLE).problem)
    console = Console(width=300)
    with console.capture() as shown:
        show_imported(console, snapshots.states(lake))
    assert f"lms/{TABLE}/snapshot.json" in shown.get()
    assert "what is published stays as it is" in shown.get()
    assert [found.path for found in verify(lake, STARTED).damaged] == [f"lms/{TABLE}/{snapshots.RECORD}"]
    with lake.locked():
        assert "the LMS is down" in str(snapshots.failed(lake, TABLE, "the LMS is down").problem)
    for use in (
        lambda: snapshots.fingerprint(lake, TABLE),
        lambda: lms_tables.read(place.engine, lake, TABLE),
    ):
        with pytest.raises(SnapshotDamaged, match=r"snapshot\.json"):
            use()
    with lake.locked():
        lms_tables.replace(lake, place.engine, TABLE, rows(4), "lms", STARTED)
    assert place.engine.fetch(lms_tables.read(place.engine, lake, TABLE)).num_rows == 1
    assert not verify(lake, STARTED).damaged


def test_a_snapshot_of_an_earlier_release_is_used_while_it_can_be_read(lake: Lake, place: Place) -> None:
    state = snapshots.state(lake, TABLE)
    assert state.snapshot is not None
    text = record(lake).read_text()
    record(lake).write_text(text.replace(state.snapshot.checksum, ""))
    assert place.engine.fetch(lms_tables.read(place.engine, lake, TABLE)).num_rows == 3
    parquet(lake).write_bytes(parquet(lake).read_bytes()[:-20])
    with pytest.raises(SnapshotDamaged, match="cannot be read"):
        lms_tables.read(place.engine, lake, TABLE)
