"""A copy is whole at whatever moment it is made."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from tests import lines
from tests.lake.place import NOW, Place
from tests.lines import event
from typer.testing import CliRunner

from pharos.cli import app
from pharos.engine import Engine
from pharos.lake.backup import CopyIsLater, copy_lake
from pharos.lake.compaction import FEW, compact
from pharos.lake.lake import Lake, LakeNotWritable
from pharos.lake.safely import move_safely

STEPS = 30


def grow(place: Place, logs: Path, step: int) -> None:
    """Some more events and a line that is none, of two days; now and then small files are merged."""
    day = f"2024-03-0{step % 2 + 1}"
    log = [event(f"{day} 09:00:{step:02d}", "play_video", user=user) for user in (1, 2)]
    place.read(lines.write(logs / f"tracking.log-{step}", [*log, f"no event {step}"]))
    lake = Lake(place.root)
    with lake.locked():
        compact(lake, place.engine, NOW)


def test_a_copy_has_the_same_events_and_accounts(place: Place, tmp_path: Path) -> None:
    grow(place, tmp_path, 0)
    copied = copy_lake(Lake(place.root), Lake(tmp_path / "copy"))
    copy = Place(tmp_path / "copy", place.engine)
    assert copied.files == copied.new_files == 2
    assert (copy.events(), copy.quarantine(), copy.status) == (
        place.events(),
        place.quarantine(),
        place.status,
    )


def test_the_next_copy_takes_what_is_new_and_forgets_what_is_gone(place: Place, tmp_path: Path) -> None:
    for step in range(2 * FEW):
        grow(place, tmp_path, step)
        copied = copy_lake(Lake(place.root), Lake(tmp_path / "copy"))
        assert copied.new_files <= 4
        copy = Place(tmp_path / "copy", place.engine)
        assert copy.events() == place.events()
        held = {path.relative_to(copy.root) for path in copy.root.rglob("events/*/*.parquet")}
        assert held == {path.relative_to(place.root) for path in Lake(place.root).events()}


def test_copies_made_while_the_lake_grows_are_whole(place: Place, tmp_path: Path) -> None:
    grow(place, tmp_path, 0)
    done, copies = threading.Event(), 0

    def fill() -> None:
        try:
            for step in range(1, STEPS):
                grow(place, tmp_path, step)
        finally:
            done.set()

    filling = threading.Thread(target=fill)
    filling.start()
    while not done.is_set():
        copy = Place(tmp_path / f"copy-{copies}", place.engine)
        copy_lake(Lake(place.root), Lake(copy.root))
        total = copy.status.sum
        assert total.closes
        assert len(copy.events()) == total.events == 2 * len(copy.quarantine())
        copies += 1
    filling.join()
    assert copies > 3


@pytest.mark.parametrize("moment", range(2))
def test_a_copy_that_was_interrupted_is_the_one_before(
    place: Place, tmp_path: Path, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(place, tmp_path, 0)
    copy = Place(tmp_path / "copy", place.engine)
    copy_lake(Lake(place.root), Lake(copy.root))
    before = copy.events()
    grow(place, tmp_path, 1)
    moves = iter(range(100))

    def full(names: list[tuple[Path, Path]]) -> None:
        if next(moves) == moment:
            raise OSError(28, "No space left on device")
        move_safely(names)

    monkeypatch.setattr("pharos.lake.folder.move_safely", full)
    with pytest.raises(LakeNotWritable, match="No space left"):
        copy_lake(Lake(place.root), Lake(copy.root))
    assert copy.events() == before
    monkeypatch.undo()
    copy_lake(Lake(place.root), Lake(copy.root))
    assert copy.events() == place.events()


def test_a_later_state_is_not_overwritten_by_an_earlier_one(
    place: Place, tmp_path: Path, embedded: Engine
) -> None:
    grow(place, tmp_path, 0)
    other = Place(tmp_path / "other", embedded)
    for step in range(3):
        grow(other, tmp_path, step)
    copy_lake(Lake(other.root), Lake(tmp_path / "copy"))
    with pytest.raises(CopyIsLater, match="later state"):
        copy_lake(Lake(place.root), Lake(tmp_path / "copy"))
    assert Place(tmp_path / "copy", embedded).events() == other.events()


def test_plain_copies_beside_a_run_are_not_whole_in_either_order(place: Place, tmp_path: Path) -> None:
    """Why there is a verb for it: the ledger's copy names files that the copy does not have."""
    for step in range(2 * FEW):
        grow(place, tmp_path, step)
    for number, order in enumerate((("ledger", "events"), ("events", "ledger"))):
        copy = Lake(tmp_path / f"plain-{number}")
        for part in order:
            shutil.copytree(place.root / part, copy.root / part)
            grow(place, tmp_path, 2 * FEW + 2 * number)  # a run that commits, and merges what is small
            grow(place, tmp_path, 2 * FEW + 2 * number + 1)
        copy.refresh()
        assert not all(path.exists() for path in copy.events())


def test_the_program_copies_a_lake_and_compares_both(place: Place, tmp_path: Path) -> None:
    grow(place, tmp_path, 2)
    copy = Place(tmp_path / "copy", place.engine)
    told = CliRunner().invoke(app, ["lake", "copy", str(place.root), str(copy.root)])
    assert (told.exit_code, copy.events()) == (0, place.events())
    digest = sum(file.digest for files in place.lake.state.events.values() for file in files) % 2**64
    assert f"{len(place.events())} events in " in told.output
    assert f"{digest:016x}" in told.output
    nowhere = CliRunner().invoke(app, ["lake", "copy", str(tmp_path / "nowhere"), str(tmp_path / "other")])
    assert "there is no lake to copy" in str(nowhere.exception)
    assert not (tmp_path / "other").exists()
