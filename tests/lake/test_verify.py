"""Every change of a file of the lake is found, at once or slice by slice."""

from __future__ import annotations

import random
import shutil
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.lake.harm import flip
from tests.lake.place import NOW, Place
from tests.lake.strategies import regular

from pharos.lake import damage
from pharos.lake.folder import Folder
from pharos.lake.lake import Lake
from pharos.lake.verify import NAME, record, verify


@pytest.fixture
def filled(place: Place, tmp_path: Path) -> Lake:
    """Eight files of events, and two of quarantine."""
    for number in range(8):
        lines = b"".join(regular(10 * number + item) + b"\n" for item in range(3))
        lines = lines.replace(b"2024-03-02", b"2024-03-0%d" % (number // 3 + 1))
        lines += b"no event\n" if number in {2, 5} else b""
        (tmp_path / f"tracking.log-{number}").write_bytes(lines)
        place.read(tmp_path / f"tracking.log-{number}")
    return Lake(place.root)


def test_of_150_changed_bits_none_is_unseen(filled: Lake) -> None:
    draw = random.Random(1)
    files = [*filled.events(), *filled.quarantine()]
    assert not verify(filled, NOW).damaged
    for _ in range(150):
        path = draw.choice(files)
        whole = path.read_bytes()
        flip(draw, path)
        found = verify(filled, NOW)
        assert [damage.path for damage in found.damaged] == [str(path.relative_to(filled.root))]
        path.write_bytes(whole)
    assert not verify(filled, NOW).damaged


def test_no_bit_of_a_seal_or_of_a_length_changes_unseen(filled: Lake) -> None:
    path = filled.quarantine()[0]
    whole = path.read_bytes()
    seal = whole.index(b"XXH3-128")
    for place in [*range(seal, seal + 24), *range(len(whole) - 8, len(whole))]:
        for bit in range(8):
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            path.write_bytes(changed)
            assert damage.problem_of_sealed(Folder(filled.root), str(path.relative_to(filled.root))), place
    path.write_bytes(whole)
    assert not verify(filled, NOW).damaged


def test_slices_go_round(filled: Lake) -> None:
    """Each goes on where the last one stopped, whatever was added or removed meanwhile; damage is kept."""
    size = sum(path.stat().st_size for path in [*filled.events(), *filled.quarantine()])
    damaged = filled.events()[0]
    damaged.write_bytes(bytes(damaged.stat().st_size))
    rounds, slices, files = 0, 0, 0
    while rounds < 2:
        found = verify(filled, datetime(2024, 6, 1, slices), slice_bytes=size // 4)
        slices, files = slices + 1, files + found.files
        rounds += found.is_whole_round
        if rounds:
            assert [one.path for one in record(filled).damaged] == [str(damaged.relative_to(filled.root))]
    assert files == 2 * len([*filled.events(), *filled.quarantine()])
    assert slices >= 4
    assert record(filled).ended == datetime(2024, 6, 1, slices - 1)


def test_what_is_well_again_or_gone_is_no_longer_told(filled: Lake) -> None:
    path = filled.events()[0]
    whole = path.read_bytes()
    path.unlink()
    verify(filled, NOW)
    assert [one.reason for one in record(filled).damaged] == ["is missing"]
    path.write_bytes(whole)
    verify(filled, NOW)
    assert not record(filled).damaged
    (filled.root / NAME).write_bytes(b"{")
    assert not record(filled).damaged


def test_files_of_an_earlier_release_are_compared_with_their_events_and_gain_checksums(filled: Lake) -> None:
    old = filled.state
    for files in old.events.values():
        files[:] = [replace(file, size=0, checksum="", sources=()) for file in files]
    shutil.rmtree(filled.root / "ledger")
    (filled.root / "ledger").mkdir()
    text = msgspec.json.encode(old).replace(b',"removed":[]', b"")
    (filled.root / "ledger" / f"{old.number:010d}.state.json").write_bytes(text)
    first, second = filled.events()[:2]
    shutil.copy(first, second)
    lake = Lake(filled.root)
    found = verify(lake, NOW)
    assert [damage.reason for damage in found.damaged] == ["holds other events than were written into it"]
    files = [file for some in Lake(filled.root).state.events.values() for file in some]
    assert [bool(file.checksum and file.sources) for file in files] == [
        lake.root / file.path != second for file in files
    ]
    assert [damage.path for damage in verify(Lake(filled.root), NOW).damaged] == [found.damaged[0].path]
