"""A copy of the lake that is whole, made while runs go on.

The order is what makes it whole: first the ledger is read, then the files it names are copied, and the
copy's own ledger is written last. Files never change and, as long as somebody reads, none is removed; so
what a run adds meanwhile is in the next copy, and a copy that was interrupted is the one before. Facts and
results are left out: the next run makes the same again.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pharos.errors import PharosError
from pharos.lake import snapshots
from pharos.lake.lake import Lake
from pharos.lake.safely import move_safely


class CopyIsLater(PharosError):
    """The copy holds more than the lake: it is of another lake, or the lake was put back."""

    def __init__(self, target: Path) -> None:
        super().__init__(target)
        self.target = target

    def __str__(self) -> str:
        return (
            f"{self.target} holds a later state than the lake, or another lake; it was left as it is. Name "
            "another folder for the copy"
        )


@dataclass
class Copied:
    """What a copy holds, and how much of it was new."""

    files: int = 0
    new_files: int = 0
    new_bytes: int = 0


def copy_lake(lake: Lake, target: Path) -> Copied:
    """Make `target` a lake with the content of this one; files that are there already are not copied again.

    Raises CopyIsLater, LakeNotWritable, LedgerDamaged; what the copy held before still counts then.
    """
    copied = Copied()
    copy = Lake(target)
    with copy.locked(), lake.reading():
        if copy.state.number > lake.state.number:
            raise CopyIsLater(target)
        for path in [*lake.events(), *lake.quarantine()]:
            _copy(path, target / path.relative_to(lake.root), copied)
        for table in sorted(path.parent.name for path in lake.root.glob("lms/*/snapshot.json")):
            _copy_table(lake, copy, table, copied)
        (target / "ledger").mkdir(exist_ok=True)
        copy.ledger.fold(lake.state)
        copy.refresh()
        copy.clear_leftovers()
    return copied


def _copy(source: Path, target: Path, copied: Copied) -> None:
    copied.files += 1
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.tmp")
    shutil.copyfile(source, part)
    move_safely([(part, target)])
    copied.new_files += 1
    copied.new_bytes += target.stat().st_size


def _copy_table(lake: Lake, copy: Lake, table: str, copied: Copied) -> None:
    """The snapshot of an LMS table; an import that replaces it meanwhile gives the newer one."""
    while True:
        state = snapshots.state(lake, table)
        try:
            if state.snapshot is not None:
                file = state.snapshot.file
                _copy(snapshots.folder(lake, table) / file, snapshots.folder(copy, table) / file, copied)
        except FileNotFoundError:
            continue
        break
    snapshots.put(copy, state)
