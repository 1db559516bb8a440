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

from msgspec.structs import replace

from pharos.errors import PharosError
from pharos.lake import damage, snapshots
from pharos.lake.identity import identity
from pharos.lake.identity import put as put_id
from pharos.lake.lake import Lake
from pharos.lake.ledger import DataFile
from pharos.lake.safely import move_safely
from pharos.lake.snapshots import SnapshotDamaged


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

    Raises CopyIsLater, LakeNotWritable, LedgerDamaged, and DataFilesDamaged or SnapshotDamaged of what
    is to be copied; what the copy held before still counts then.
    """
    copied = Copied()
    copy = Lake(target)
    with copy.alone(), lake.reading():
        copy.refresh()
        of_another = identity(copy) not in {None, identity(lake)}
        if of_another or copy.state.number > lake.state.number:
            raise CopyIsLater(target)
        copy.ledger.begin()
        copy.ledger.ahead = lake.state.number
        files = [file for files in lake.state.events.values() for file in files]
        damage.check(lake.root, (file for file in files if not _is_there(target / file.path, file)))
        for file in files:
            _copy(
                lake.root / file.path,
                target / file.path,
                copied,
                is_there=_is_there(target / file.path, file),
            )
        for path in lake.quarantine():
            _copy(path, target / path.relative_to(lake.root), copied)
        for table in sorted(path.parent.name for path in lake.root.glob("lms/*/snapshot.json")):
            _copy_table(lake, copy, table, copied)
        copy.ledger.fold(replace(lake.state, removed=_gone(copy, lake)))
        copy.refresh()
        if (id_ := identity(lake)) is not None:
            put_id(copy, id_)
        copy.clear_leftovers()
        copy.ledger.ahead = 0
    return copied


def _is_there(path: Path, file: DataFile) -> bool:
    """Whether the copy has a file of events already."""
    return path.exists() and path.stat().st_size == (file.size or path.stat().st_size)


def _gone(copy: Lake, lake: Lake) -> list[str]:
    """Files of the copy that the lake no longer has."""
    held, holds = (
        {file.path for files in one.state.events.values() for file in files} | set(one.state.quarantine)
        for one in (copy, lake)
    )
    return sorted(held - holds)


def _copy(source: Path, target: Path, copied: Copied, *, is_there: bool | None = None) -> None:
    copied.files += 1
    if target.exists() if is_there is None else is_there:
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
        state, reason = snapshots.state(lake, table), snapshots.problem(lake, table)
        if reason is None:
            try:
                if state.snapshot is not None:
                    file = state.snapshot.file
                    _copy(snapshots.folder(lake, table) / file, snapshots.folder(copy, table) / file, copied)
            except FileNotFoundError:
                continue
            break
        if state == snapshots.state(lake, table):
            raise SnapshotDamaged(snapshots.folder(lake, table), reason)
    snapshots.put(copy, state)
