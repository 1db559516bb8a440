"""A damaged ledger is made anew without losing an event that a data file or a log holds."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from tests.lake.harm import HARMS, swap
from tests.lake.place import NOW, Place
from tests.lake.strategies import regular

from pharos.errors import PharosError
from pharos.lake.damage import DataFilesDamaged
from pharos.lake.lake import Lake
from pharos.lake.ledger import LedgerDamaged
from pharos.lake.salvage import rebuild

LOGS = 9


@pytest.fixture
def logs(place: Place, tmp_path: Path) -> Path:
    """Logs that share events, read one by one, one of them in three steps; small files are merged."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(LOGS):
        lines = [regular(5 * number + item) for item in range(7)]
        lines.insert(2, b"no event %d" % number)
        path = folder / f"tracking.log-{number}"
        for end in (3, 6, len(lines)) if number % 3 == 0 else (len(lines),):
            path.write_bytes(b"\n".join([*lines[:end], b""]))
            place.read(path)
    return folder


def ids(place: Place) -> list[str]:
    return sorted(row["event_id"] for row in place.events())


@pytest.mark.parametrize("seed", range(25))
def test_whatever_is_missing_damaged_or_swapped_every_event_is_counted_once(
    place: Place, logs: Path, seed: int
) -> None:
    draw, expected, quarantine = random.Random(seed), ids(place), sorted(place.quarantine())
    ledger = sorted((place.root / "ledger").iterdir())
    harmed = draw.sample(ledger, draw.randint(1, len(ledger)))
    for path in harmed:
        draw.choice(HARMS)(draw, path)
    data = sorted(place.root.glob("events/*/*.parquet"))
    if seed % 2:
        for path in draw.sample(data, draw.randint(1, len(data))):
            draw.choice(HARMS)(draw, path)
    if seed % 3 == 0 and len(data) > 1 and all(path.exists() for path in data[:2]):
        swap(*data[:2])
    try:
        place.read(logs)
    except LedgerDamaged:
        assert not rebuild(Lake(place.root, is_read=False), NOW).was_whole
    except DataFilesDamaged:
        assert rebuild(
            Lake(place.root, is_read=False), NOW
        ).was_whole  # what was harmed of the ledger is of no importance
        return
    place.read(logs)
    assert ids(place) == expected
    assert sorted(place.quarantine()) == quarantine
    assert place.status.sum.closes
    assert rebuild(Lake(place.root, is_read=False), NOW).was_whole


def test_with_all_data_files_it_is_known_again_what_was_read(place: Place, logs: Path) -> None:
    before, status = ids(place), place.status
    shutil.rmtree(place.root / ".set-aside", ignore_errors=True)
    (place.root / "ledger" / "0000000002.json").unlink()  # what was read by it is told by the next one, too
    done = rebuild(Lake(place.root, is_read=False), NOW)
    assert not done.reads_again
    assert not done.set_aside
    again = place.read(logs)
    assert (again.lines, again.events) == (0, 0)
    assert ids(place) == before
    assert place.status.sum == status.sum


def test_without_any_ledger_and_without_logs_the_events_stay(place: Place, logs: Path) -> None:
    before = ids(place)
    shutil.rmtree(place.root / "ledger")
    shutil.rmtree(logs)
    with pytest.raises(LedgerDamaged, match="there is none, and there are"):
        Lake(place.root)
    done = rebuild(Lake(place.root, is_read=False), NOW)
    assert done.reads_again
    assert done.events == len(before)
    place.read()
    assert ids(place) == before


def test_files_that_were_merged_and_still_lie_there_are_not_counted_twice(place: Place, logs: Path) -> None:
    before = ids(place)
    merged = max(Lake(place.root).events(), key=lambda path: path.stat().st_size)
    shutil.copy(merged, merged.with_name("00000001-9.parquet"))
    shutil.rmtree(place.root / "ledger")
    done = rebuild(Lake(place.root, is_read=False), NOW)
    assert len([path for path in done.set_aside if path.startswith("events")]) == 1
    assert ids(place) == before
    place.read(logs)
    assert ids(place) == before


def test_the_old_ledger_is_kept(place: Place, logs: Path) -> None:
    assert logs.exists()
    (place.root / "ledger" / "head").unlink()
    names = {path.name for path in (place.root / "ledger").iterdir()}
    rebuild(Lake(place.root, is_read=False), NOW)
    [kept] = (place.root / ".set-aside").glob("ledger-*")
    assert names <= {path.name for path in kept.iterdir()}


def test_a_lake_in_use_is_not_rebuilt(place: Place, logs: Path) -> None:
    assert logs.exists()
    with Lake(place.root).locked(), pytest.raises(PharosError, match="another run is writing"):
        rebuild(Lake(place.root, is_read=False), NOW)
