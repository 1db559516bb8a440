"""The ledger: what counts is what a commit says, whatever else lies beside it."""

from __future__ import annotations

import random
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pharos.lake.folder import Folder
from pharos.lake.ledger import FOLD_AFTER, FOLDER, Commit, DataFile, File, Ledger, LedgerDamaged, Log, State

NOW = datetime(2024, 6, 1)
DAY = date(2024, 3, 2)


def commit(number: int) -> Commit:
    """One that adds an event file, a log, a quarantine file, and takes away what the one before added."""
    return Commit(
        number=number, at=NOW,
        logs=[Log(key=f"{number % 7}", origin="lms", names=[f"/{number}"], lines=number)],
        files={f"/{number % 5}": File(size=number, mtime_ns=1, inode=1, log="1")},
        events_added=[
            DataFile(path=f"events/{number}", date=DAY, rows=1, oldest=NOW, newest=NOW, digest=number)
        ],
        events_removed=[f"events/{number - 1}"] if number % 3 == 0 else [],
        quarantine_added=[f"quarantine/{number}"],
        quarantine_removed=[f"quarantine/{number - 1}"] if number % 4 == 0 else [],
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The ledger's folder in an empty lake."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    return folder


def ledger_in(folder: Path) -> Ledger:
    return Ledger(Folder(folder.parent))


def fill(folder: Path, commits: int) -> State:
    ledger, state = ledger_in(folder), State()
    for number in range(1, commits + 1):
        ledger.commit(state, commit(number))
    return state


@pytest.mark.parametrize("commits", [0, 1, FOLD_AFTER, FOLD_AFTER + 1, 2 * FOLD_AFTER + 7])
def test_what_is_read_is_what_was_committed_also_when_folded(folder: Path, commits: int) -> None:
    expected = State()
    for number in range(1, commits + 1):
        expected.apply(commit(number))
    assert fill(folder, commits) == expected
    assert ledger_in(folder).read() == expected
    assert len(list(folder.glob("*.json"))) <= FOLD_AFTER


def test_what_a_crash_leaves_does_not_count(folder: Path) -> None:
    state = fill(folder, 3)
    (folder / ".0000000004.json.tmp").write_bytes(b'{"number": 4')
    assert ledger_in(folder).read() == state


def test_a_fold_that_was_cut_short_changes_nothing(folder: Path) -> None:
    """Between the new state's writing and the removal of the commits it holds, all of them lie there."""
    state = fill(folder, 5)
    commits = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    ledger_in(folder).fold(state)
    for kept in range(len(commits) + 1):
        for name in sorted(commits)[kept:]:
            (folder / name).write_bytes(commits[name])
        assert ledger_in(folder).read() == state
    ledger_in(folder).commit(state, commit(6))
    assert ledger_in(folder).read() == state


def test_any_missing_file_stops_everything(folder: Path) -> None:
    """Of commits alone, and of a state with commits after it."""
    for commits in (5, FOLD_AFTER + 4):
        folder = folder.parent / str(commits) / FOLDER
        state = fill(folder, commits)
        files = sorted(folder.iterdir())
        for missing in files:
            data = missing.read_bytes()
            missing.unlink()
            with pytest.raises(LedgerDamaged, match=r"missing.*nothing was changed.*pharos lake rebuild"):
                ledger_in(folder).read()
            missing.write_bytes(data)
        assert ledger_in(folder).read() == state


def test_a_gap_is_told_with_what_is_there(folder: Path) -> None:
    fill(folder, 9)
    for number in (2, 5, 6, 9):
        (folder / f"{number:010d}.json").unlink()
    with pytest.raises(LedgerDamaged) as caught:
        ledger_in(folder).read()
    assert "commits 2, 5 to 6, 9 are missing; found: commits 1, 3 to 4, 7 to 8" in str(caught.value)


def test_every_changed_bit_stops_everything(folder: Path) -> None:
    """A bit of `head` may make it smaller, which hides no commit that is there."""
    state = fill(folder, FOLD_AFTER + 2)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        bits = range(8 * len(whole))
        for bit in bits if len(whole) < 400 else random.Random(1).sample(bits, 400):
            data = bytearray(whole)
            data[bit // 8] ^= 1 << bit % 8
            path.write_bytes(data)
            try:
                found = ledger_in(folder).read()
            except LedgerDamaged:
                continue
            assert path.name == "head"
            assert found == state
        path.write_bytes(whole)


def test_two_files_that_change_places_stop_everything(folder: Path) -> None:
    fill(folder, 4)
    one, other = folder / "0000000002.json", folder / "0000000003.json"
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)
    with pytest.raises(LedgerDamaged, match="it holds commit 3"):
        ledger_in(folder).read()


def test_a_ledger_of_an_earlier_release_is_read_and_gains_digests(folder: Path) -> None:
    state = State()
    for number in range(1, 5):
        data = msgspec.json.format(msgspec.json.encode(commit(number)))
        (folder / f"{number:010d}.json").write_bytes(data)
        state.apply(commit(number))
    ledger = ledger_in(folder)
    assert ledger.read() == state
    assert not ledger.is_sealed
    ledger.fold(state)
    assert ledger.is_sealed
    assert ledger.read() == state
    assert ledger.is_sealed
    assert sorted(path.name for path in folder.iterdir()) == ["0000000004.state.json", "head"]


def test_who_reads_while_it_is_folded_sees_no_damage(folder: Path) -> None:
    """Files that are gone when they are opened were folded into one that is there."""
    state = fill(folder, 5)

    class Folding(Ledger):
        def _head(self) -> int | None:
            return 0

        def _decoded(self, name: str, kind: Any, number: int) -> Any:
            if number == 3:
                ledger_in(folder).fold(state)
            return super()._decoded(name, kind, number)

    assert Folding(Folder(folder.parent)).read() == state


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\0" * 50, b'{"number": "x"}', b"\xff"])
def test_a_damaged_ledger_stops_everything_and_is_named(folder: Path, data: bytes) -> None:
    fill(folder, 3)
    (folder / "0000000002.json").write_bytes(data)
    with pytest.raises(LedgerDamaged, match="nothing was changed") as caught:
        ledger_in(folder).read()
    assert "0000000002.json" in str(caught.value)


def test_a_ledger_can_be_read_by_a_person(folder: Path) -> None:
    fill(folder, 1)
    text = (folder / "0000000001.json").read_text()
    assert text.count("\n") > 10
    assert msgspec.json.decode(text)["logs"][0]["names"] == ["/1"]
