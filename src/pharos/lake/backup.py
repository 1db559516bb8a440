"""Makes a consistent copy of the lake while runs go on.

The order makes it consistent: first the ledger is read, then the files it names are copied, and the copy's
own ledger is written last. Files never change, and no file is removed while a reader is registered. So files
that a run adds meanwhile are in the next copy, and an interrupted copy leaves the previous copy valid. Facts
and results are not copied: the next run computes them again.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from pharos.errors import PharosError
from pharos.lake import damage, data_files, snapshots
from pharos.lake.identity import identity
from pharos.lake.identity import put as put_id
from pharos.lake.lake import Lake
from pharos.lake.ledger import DataFile
from pharos.lake.snapshots import SnapshotDamaged
from pharos.lms.tables import ALL as LMS_TABLES

FILES_AT_ONCE = 64  # brought to this machine before they go on to the copy


class CopyIsLater(PharosError):
    """The copy is newer than the lake: it is a copy of another lake, or the lake was restored to an older
    state.
    """

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target

    def __str__(self) -> str:
        return (
            f"{self.target} holds a later state than the lake, or another lake; it was left as it is. Name "
            "another folder for the copy"
        )


@dataclass
class Copied:
    """The number of files in a copy, and how many files and bytes of it were new."""

    files: int = 0
    new_files: int = 0
    new_bytes: int = 0


@dataclass
class Proof:
    """The content that two equal lakes hold: counts and a digest."""

    files: int = 0
    bytes: int = 0
    events: int = 0
    digest: int = 0
    """Sum of the ids of all events, modulo 2**64."""


class NotEqual(PharosError):
    """A copy differs from the lake."""

    def __init__(self, target: str, why: str) -> None:
        super().__init__(target, why)
        self.target, self.why = target, why

    def __str__(self) -> str:
        return f"{self.target} is not equal to what was copied: {self.why}. Copy again"


def prove(lake: Lake, copy: Lake) -> Proof:
    """Read a whole copy at its place and compare it with the lake as it was copied. Raises NotEqual.

    Events are counted, and their ids summed, from the files of the copy.
    """
    copy.refresh()
    for name in ("logs", "files", "events", "quarantine", "lost"):
        if getattr(copy.state, name) != getattr(lake.state, name):
            raise NotEqual(copy.place.address, f"its ledger has other {name}")
    proof = Proof()
    for file in (file for files in copy.state.events.values() for file in files):
        if (reason := damage.problem(copy.place, file)) is not None:
            raise NotEqual(copy.place.address, f"{file.path} {reason}")
        local = copy.place.local(file.path)
        ids = data_files.read_ids(local)
        if (len(ids), data_files.digest(ids)) != (file.rows, file.digest):
            raise NotEqual(copy.place.address, f"{file.path} holds other events")
        proof.files += 1
        proof.events += len(ids)
        proof.digest = (proof.digest + file.digest) % 2**64
        proof.bytes += local.stat().st_size
        copy.place.let_go(file.path)
    for path in copy.state.quarantine:
        if (reason := damage.problem_of_sealed(copy.place, path)) is not None:
            raise NotEqual(copy.place.address, f"{path} {reason}")
    for table in LMS_TABLES:
        reason = snapshots.problem(copy, table)
        if reason is not None or snapshots.fingerprint(copy, table) != snapshots.fingerprint(lake, table):
            raise NotEqual(copy.place.address, f"the table {table} of the LMS {reason or 'is another one'}")
    return proof


def copy_lake(lake: Lake, copy: Lake) -> Copied:
    """Bring `copy` to the content of this lake; files that the copy already has are not copied again.

    Raises CopyIsLater, LakeNotWritable, LedgerDamaged, and DataFilesDamaged or SnapshotDamaged if a file to
    copy is damaged; then the copy keeps its previous content.
    """
    copied = Copied()
    with copy.alone(), lake.reading():
        copy.refresh()
        of_another = identity(copy) not in {None, identity(lake)}
        if of_another or copy.state.number > lake.state.number:
            raise CopyIsLater(copy.place.address)
        copy.ledger.begin()
        copy.ledger.ahead = lake.state.number
        files = [file for files in lake.state.events.values() for file in files]
        there = damage.data_files(copy.place)
        new = [file for file in files if not _is_there(file, there)]
        for start in range(0, len(new), FILES_AT_ONCE):
            some = new[start : start + FILES_AT_ONCE]
            damage.check(lake.place, some)
            _copy(lake, copy, [file.path for file in some], copied)
        _copy(lake, copy, [path for path in lake.state.quarantine if path not in there], copied)
        copied.files += len(files) + len(lake.state.quarantine)
        for record in sorted(path for path in lake.place.sizes("lms") if path.endswith(snapshots.RECORD)):
            _copy_table(lake, copy, record.split("/")[1], copied)
        copy.ledger.fold(replace(lake.state, removed=_gone(copy, lake)))
        copy.refresh()
        if (id_ := identity(lake)) is not None:
            put_id(copy, id_)
        copy.clear_leftovers()
        copy.ledger.ahead = 0
        shutil.rmtree(copy.staging, ignore_errors=True)
    return copied


def _is_there(file: DataFile, there: dict[str, int]) -> bool:
    """True if the copy already has a file of events; `there` maps the copy's files to their sizes."""
    return file.path in there and there[file.path] == (file.size or there[file.path])


def _gone(copy: Lake, lake: Lake) -> list[str]:
    """Files of the copy that the lake no longer has."""
    held, holds = (
        {file.path for files in one.state.events.values() for file in files} | set(one.state.quarantine)
        for one in (copy, lake)
    )
    return sorted(held - holds)


def _copy(lake: Lake, copy: Lake, paths: Sequence[str], copied: Copied) -> None:
    """Copy the files that the copy lacks. No local copies of them are kept on this machine."""
    moves = []
    lake.place.bring(paths)
    for path in paths:
        part = copy.staging / path
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(lake.place.local(path), part)
        lake.place.let_go(path)
        moves.append((part, path))
        copied.new_bytes += part.stat().st_size
    copy.place.take(moves)
    for path in paths:
        copy.place.let_go(path)
    copied.new_files += len(paths)


def _copy_table(lake: Lake, copy: Lake, table: str, copied: Copied) -> None:
    """Copy the snapshot of an LMS table; if an import replaces it meanwhile, the newer one."""
    while True:
        state, reason = snapshots.state(lake, table), snapshots.problem(lake, table)
        if reason is None:
            try:
                if state.snapshot is not None:
                    folder = snapshots.folder(table)
                    path = f"{folder}/{state.snapshot.file}"
                    if path not in copy.place.sizes(folder):
                        _copy(lake, copy, [path], copied)
                    copied.files += 1
            except FileNotFoundError:
                continue
            break
        if state == snapshots.state(lake, table):
            raise SnapshotDamaged(f"{lake.place.address}/{snapshots.folder(table)}", reason)
    snapshots.put(copy, state)
