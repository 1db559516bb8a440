"""Compares the files of the lake with their checksums, all at once or a slice at a time.

Damage that was found is kept in `verified.json` in the lake until it is repaired; the status shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pharos.errors import Busy
from pharos.lake import damage, data_files, safely, snapshots
from pharos.lake.damage import Damage
from pharos.lake.folder import Folder
from pharos.lake.lake import Lake
from pharos.lake.ledger import Commit, DataFile
from pharos.lake.place import Place
from pharos.lms.tables import ALL as LMS_TABLES

NAME = "verified.json"


class Found(Struct, kw_only=True, frozen=True):
    """A file found to be damaged."""

    path: str
    reason: str


class Record(Struct, kw_only=True):
    """The progress of verification, and the damage found."""

    last: str = ""
    """Path of the file that was verified last in this round, relative to the lake; empty between rounds."""
    ended: datetime | None = None
    """When the last whole round ended; UTC, naive."""
    damaged: list[Found] = msgspec.field(default_factory=list)


@dataclass
class Verified:
    """The outcome of one call: files and bytes read, and the damage found."""

    files: int = 0
    bytes: int = 0
    is_whole_round: bool = True
    """Whether the last file was reached."""
    damaged: list[Damage] = field(default_factory=list)


@dataclass(frozen=True)
class _Item:
    place: Place
    path: str
    file: DataFile | None
    look: Callable[[], str | None]


def record(lake: Lake) -> Record:
    """The findings of earlier calls; files that the lake no longer has are left out."""
    try:
        found = msgspec.json.decode(lake.place.read(NAME), type=Record)
    except (OSError, msgspec.MsgspecError):  # it is made again by the next round
        return Record()
    present = {item.path for item in _items(lake)}
    found.damaged = [one for one in found.damaged if one.path in present]
    return found


def verify(
    lake: Lake,
    now: datetime,
    *,
    slice_bytes: int | None = None,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Verified:
    """Read the files of events, quarantine, LMS tables, facts and results, and report the damaged ones.

    With `slice_bytes` only about this many bytes are read, from the point where the last call stopped.
    `report` is called with the number of files done and the number of all files. A run may go on meanwhile.
    `now` is UTC, naive.
    """
    verified, without_checksum = Verified(), []
    with lake.reading():
        known, items = record(lake), list(_items(lake))
        known.last = known.last if slice_bytes is not None else ""
        left = [item for item in items if item.path > known.last]
        for number, item in enumerate(left, 1):
            is_good = _look(lake, item, known, verified)
            if is_good and item.file is not None and not item.file.checksum:
                without_checksum.append(item.file)
            report(len(items) - len(left) + number, len(items))
            if slice_bytes is not None and verified.bytes >= slice_bytes and number < len(left):
                verified.is_whole_round = False
                break
        known.last, known.ended = ("", now) if verified.is_whole_round else (known.last, known.ended)
        lake.place.put(NAME, msgspec.json.format(msgspec.json.encode(known)))
    _add_checksums(lake, without_checksum, now)
    return verified


def _items(lake: Lake) -> Iterator[_Item]:
    """All files to verify, in the order of their paths."""
    items = [
        _Item(lake.place, file.path, file, partial(damage.problem, lake.place, file))
        for files in lake.state.events.values()
        for file in files
    ]
    made = [str(path.relative_to(lake.root)) for path in derived_files(lake)]
    for place, paths in ((lake.place, lake.state.quarantine), (Folder(lake.root), made)):
        items += [_Item(place, path, None, partial(damage.problem_of_sealed, place, path)) for path in paths]
    for table in LMS_TABLES:
        if (path := snapshots.name(lake, table)) is not None:
            items.append(_Item(lake.place, path, None, partial(snapshots.problem, lake, table)))
    yield from sorted(items, key=lambda item: item.path)


def derived_files(lake: Lake) -> list[Path]:
    """All files of facts and results, except files that are still being written."""
    return [path for part in damage.DERIVED for path in (lake.root / part).glob("*/[!.]*") if path.is_file()]


def _look(lake: Lake, item: _Item, known: Record, verified: Verified) -> bool:
    """Verify one file and record the result; True if it is undamaged."""
    item.place.let_go(item.path)  # what counts is what lies there
    reason = item.look()
    if reason == damage.MISSING and item.path.startswith(damage.DERIVED):
        reason = None  # a run has replaced it meanwhile
    if reason is None and item.file is not None and not item.file.checksum:
        reason = _unlike_its_events(lake.place, item.file)
    known.last = item.path
    known.damaged = [one for one in known.damaged if one.path != item.path]
    verified.files += 1
    with suppress(OSError):  # it is missing, as the reason says
        verified.bytes += item.place.size(item.path)
    if reason is not None:
        known.damaged.append(Found(path=item.path, reason=reason))
        verified.damaged.append(
            Damage(item.path, reason) if item.file is None else damage.of(item.file, reason)
        )
    return reason is None


def _unlike_its_events(place: Place, file: DataFile) -> str | None:
    """The damage of a file without a checksum, found by comparing its events with the ledger; None if
    undamaged.
    """
    try:
        ids = data_files.read_ids(place.local(file.path))
    except Exception as error:  # noqa: BLE001 - a damaged file may raise anything
        return f"cannot be read ({' '.join(str(error).split())})"
    is_same = (len(ids), data_files.digest(ids)) == (file.rows, file.digest)
    return None if is_same else "holds other events than were written into it"


def _add_checksums(lake: Lake, files: list[DataFile], now: datetime) -> None:
    """Record the checksums of files that an earlier release wrote, unless a run is in progress."""
    if not files:
        return
    try:
        with lake.locked():
            present = {file.path for some in lake.state.events.values() for file in some}
            new = [_with_checksum(lake.place, file) for file in files if file.path in present]
            lake.ledger.commit(
                lake.state,
                Commit(
                    number=lake.state.number + 1, at=now,
                    events_removed=[file.path for file in new], events_added=new,
                ),
            )  # fmt: skip
    except (Busy, damage.DataFilesDamaged):
        pass  # the next round does it


def _with_checksum(place: Place, file: DataFile) -> DataFile:
    path = place.local(file.path)
    return replace(
        file, size=path.stat().st_size, checksum=safely.checksum(path), sources=data_files.sources(path)
    )
