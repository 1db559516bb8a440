"""The lake: the paths of its parts, its locks, and its present state."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path

from msgspec.structs import replace

from pharos.errors import Busy, PharosError
from pharos.lake import damage
from pharos.lake.damage import DataFilesDamaged
from pharos.lake.folder import Folder
from pharos.lake.ledger import Commit, Ledger, LedgerDamaged, Overtaken, State
from pharos.lake.place import Place

log = logging.getLogger(__name__)
SET_ASIDE = ".set-aside"
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}  # raised without the name of a file


class LakeNotWritable(PharosError):
    """The lake's place cannot be written to."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"{self.path}: cannot be written ({self.reason}); nothing that was already in the lake is lost. "
            "Make room or give this user the right to write there, then run again"
        )


class Lake:
    """The lake of events. `state` is the ledger's state when it was last read.

    Events, quarantine, ledger and snapshots of the LMS lie at `place`; `root` is a folder of this machine for
    data derived from them and for work in progress. By default both are the same folder.
    """

    def __init__(self, root: Path, place: Place | None = None, *, is_read: bool = True) -> None:
        """Read the ledger, unless `is_read` is false, for rebuilding it. Raises LedgerDamaged."""
        self.root = root.absolute()
        self.place = Folder(self.root) if place is None else place
        self.ledger = Ledger(self.place)
        self.state = State()
        if is_read:
            self.refresh()

    @property
    def staging(self) -> Path:
        """The folder for work in progress; emptied whenever a run begins."""
        return self.root / ".staging"

    def events_file(self, day: date, commit: int, part: int = 0) -> str:
        """Path, relative to the lake, for new events of a UTC date."""
        return f"events/date={day}/{commit:08d}-{self._writer}{part}.parquet"

    def quarantine_file(self, commit: int, part: int | str) -> str:
        """Path, relative to the lake, for a file of quarantined lines."""
        return f"quarantine/{commit:08d}-{self._writer}{part}.parquet"

    @property
    def _writer(self) -> str:
        """A part of data files' names that differs between writers, even if one was thought dead."""
        return f"{self.ledger.hold.number}-" if self.ledger.hold.number else ""

    def refresh(self) -> None:
        """Read the ledger again. Raises LedgerDamaged."""
        self.state = self.ledger.read()
        if not self.ledger.is_there and (found := damage.data_files(self.place)):
            raise LedgerDamaged(self.ledger.address, f"there is none, and there are {len(found)} data files")

    def events(self, days: list[date] | None = None) -> list[Path]:
        """The data files of all UTC dates; with `days`, of these, after comparing each with its checksum.

        Raises DataFilesDamaged in the second case.
        """
        if days is None:
            return [self.place.local(file.path) for files in self.state.events.values() for file in files]
        files = [file for day in days for file in self.state.events.get(day, [])]
        damage.check(self.place, files)
        return [self.place.local(file.path) for file in files]

    def quarantine(self) -> list[Path]:
        """The files of quarantined lines."""
        return [self.place.local(path) for path in self.state.quarantine]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the write lock of an undamaged lake; first remove leftovers of a crash.

        Raises Busy, LakeNotWritable, LedgerDamaged, DataFilesDamaged.
        """
        with self.alone():
            self.fence()
            there = self.check()
            self.ledger.begin()
            if not self.ledger.is_sealed:
                self._seal(there)
            shutil.rmtree(self.staging, ignore_errors=True)
            self.clear_leftovers()
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the write lock, even if the lake is damaged. Raises Busy, LakeNotWritable."""
        with ExitStack() as stack:
            try:
                self.root.mkdir(parents=True, exist_ok=True)
                self.ledger.hold = stack.enter_context(self.place.alone())
            except OSError as error:
                raise LakeNotWritable(self.place.address, error.strerror or str(error)) from error
            try:
                yield
            except OSError as error:
                if not self._is_ours(error):
                    raise
                raise LakeNotWritable(self.place.address, error.strerror or str(error)) from error

    def fence(self) -> None:
        """Ensure that the previous writer can commit nothing more, if it was taken for dead but still runs.

        Raises LedgerDamaged.
        """
        while self.ledger.hold.is_taken_over:
            self.refresh()
            commit = Commit(number=self.state.number + 1, at=datetime.now(UTC).replace(tzinfo=None))
            with suppress(Overtaken):  # by the writer before; its next commit has a greater number
                self.ledger.commit(self.state, commit)
                break

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read the lake's files while a run may go on: no file that the ledger named is removed meanwhile."""
        with self.place.reading():
            self.refresh()
            yield

    def clear_leftovers(self) -> None:
        """Remove data files that no commit names. Does nothing while somebody reads; the next run repeats it.

        Such files were merged by compaction, or written by a run that crashed before its commit. A file of
        unknown origin is moved into `.set-aside`.
        """
        known = {file.path for files in self.state.events.values() for file in files}
        known.update(self.state.quarantine)
        removed, ahead = set(self.state.removed), self._uncommitted
        writer = self.ledger.hold.number
        with suppress(Busy), self.place.clearing():
            self.ledger.hold.check()
            for path in damage.data_files(self.place).keys() - known:
                if writer and damage.writer(path) > writer:
                    continue  # of a run that took this one for dead
                if path in removed or damage.number(path) in range(self.state.number + 1, ahead + 1):
                    self.place.remove(path)
                else:
                    self.set_aside(path)
            self.state.removed = []

    def set_aside(self, path: str) -> None:
        """Move a file, named relative to the lake, into the folder of files that are kept but not used."""
        target, number = f"{SET_ASIDE}/{path}", 0
        while True:
            try:
                self.place.move(path, target)
            except FileExistsError:
                number += 1
                target = f"{SET_ASIDE}/{path}.{number}"
            else:
                break
        log.warning("%s/%s is no part of the lake; it was moved to %s", self.place.address, path, target)

    @property
    def _uncommitted(self) -> int:
        """The highest commit number whose data files may exist without a commit, after a crash."""
        return max(self.state.number + 1, self.ledger.ahead)

    def check(self) -> dict[str, int]:
        """Read the ledger again and compare the data files with it, by name and size; return the sizes.

        The lake must be held. Raises LedgerDamaged, DataFilesDamaged.
        """
        self.refresh()
        there, ahead = damage.data_files(self.place), self._uncommitted
        later = [path for path in there if damage.number(path) > ahead]
        if later:
            raise LedgerDamaged(
                self.ledger.address,
                f"it ends with commit {self.state.number}, and there are {len(later)} data files of later "
                f"ones, up to {max(later, key=damage.number)}",
            )
        damaged = list(damage.missing_or_cut(self.state, there))
        if damaged:
            raise DataFilesDamaged(self.place.address, damaged)
        return there

    def _seal(self, there: dict[str, int]) -> None:
        """Add digests, and the sizes of data files, to the ledger of an earlier release."""
        for day, files in self.state.events.items():
            self.state.events[day] = [replace(file, size=there[file.path]) for file in files]
        self.ledger.fold(self.state)

    def _is_ours(self, error: OSError) -> bool:
        """True if the error came from the lake's own files, not from a connection, a log or the store."""
        if isinstance(error.filename, str | bytes):
            name = os.fsdecode(error.filename)
            return name.startswith(self.place.address) or Path(name).absolute().is_relative_to(self.root)
        return error.errno in DISK_ERRORS or str(self.root) in str(error)
