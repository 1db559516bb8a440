"""Facts and results whose files were damaged on disk, with the size and the time they had."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.pipeline.conftest import UNTIL, Installation, few, log

from pharos.lake.lake import Lake
from pharos.pipeline import care, parted
from pharos.pipeline.event_types import unknown_event_types
from pharos.pipeline.refused_submissions import changed_modes


def spoil(path: Path, change: Callable[[bytearray], None]) -> None:
    """Change the content of a file as a failing disk does: nothing else tells of it."""
    before, content = path.stat(), bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def zeros(content: bytearray) -> None:
    """All rows are gone; the footer, of which a reader learns where they lie, is there."""
    content[4 : len(content) // 3] = bytes(len(content) // 3 - 4)


def one_bit(content: bytearray) -> None:
    content[len(content) // 5] ^= 1


def files_of(installation: Installation, folder: str) -> list[Path]:
    """The files with rows."""
    table = parted.load(installation.settings.lake / folder)
    return [table.path(name) for name in table.files]


@few
@pytest.mark.parametrize(
    "folder", ["facts/interaction", "facts/enrollment_event", "results/course_enrollment_daily"]
)
def test_a_run_makes_what_cannot_be_read_anew(
    installation: Installation, fresh: Installation, folder: str
) -> None:
    installation.run(log()[:-9])
    for path in files_of(installation, folder):
        spoil(path, zeros)
    lake = Lake(installation.settings.lake)
    assert (changed_modes(lake), unknown_event_types(lake)) == (0, []), "the status goes on"
    installation.run(log())
    fresh.run(log())
    assert installation.tables() == fresh.tables()


@few
def test_a_changed_bit_is_found_by_verifying_and_made_right_by_the_next_run(
    installation: Installation,
) -> None:
    installation.run(log())
    path, *_ = files_of(installation, "facts/interaction")
    right = installation.parts()
    spoil(path, one_bit)
    [found] = care.verify_lake(installation.settings).damaged
    assert str(found) == f"facts/interaction/{path.name} does not fit its checksum"
    report = installation.run(log(), UNTIL + timedelta(hours=1))
    assert ("interaction", "10 of 10 days: events changed") in report.why
    assert installation.parts()["facts/interaction"] == right["facts/interaction"]
    assert care.verify_lake(installation.settings).damaged == []
