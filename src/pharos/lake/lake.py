"""The lake's folder: where its parts lie, who may write, and what is in it now."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from msgspec.structs import replace

from pharos.errors import Busy, PharosError
from pharos.lake import damage
from pharos.lake.damage import DataFilesDamaged
from pharos.lake.ledger import Ledger, LedgerDamaged, State

log = logging.getLogger(__name__)
SET_ASIDE = ".set-aside"
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}  # raised without the name of a file


class LakeNotWritable(PharosError):
    """The lake's folder cannot be written to."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"{self.path}: cannot be written ({self.reason}); nothing that was already in the lake is lost. "
            "Make room or give this user the right to write there, then run again"
        )


class Lake:
    """A lake on a file system. `state` is what the ledger said when it was read last."""

    def __init__(self, root: Path, *, is_read: bool = True) -> None:
        """Read the ledger, unless it is to be made anew. Raises LedgerDamaged."""
        self.root = root.absolute()
        self.ledger = Ledger(self.root / "ledger")
        self.state = State()
        if is_read:
            self.refresh()

    @property
    def staging(self) -> Path:
        """Where work in progress lies; emptied whenever a run begins."""
        return self.root / ".staging"

    def refresh(self) -> None:
        """Read the ledger again. Raises LedgerDamaged."""
        self.state = self.ledger.read()
        if not self.ledger.is_there and (found := damage.data_files(self.root)):
            raise LedgerDamaged(self.ledger.folder, f"there is none, and there are {len(found)} data files")

    def events(self, days: list[date] | None = None) -> list[Path]:
        """The data files of all UTC dates; or of these, after comparing each with its checksum.

        Raises DataFilesDamaged in the second case.
        """
        if days is None:
            return [self.root / file.path for files in self.state.events.values() for file in files]
        files = [file for day in days for file in self.state.events.get(day, [])]
        damage.check(self.root, files)
        return [self.root / file.path for file in files]

    def quarantine(self) -> list[Path]:
        """The files of lines that are no events."""
        return [self.root / path for path in self.state.quarantine]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only writer of a lake that is whole; clear away what a crash left.

        Raises Busy, LakeNotWritable, LedgerDamaged, DataFilesDamaged.
        """
        with self.alone():
            there = self.check()
            self.ledger.begin()
            if not self.ledger.is_sealed:
                self._seal(there)
            shutil.rmtree(self.staging, ignore_errors=True)
            self.clear_leftovers()
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only writer, whatever state the lake is in. Raises Busy, LakeNotWritable."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise LakeNotWritable(self.root, error.strerror or str(error)) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(f"{self.root}: another run is writing; this one did nothing") from None
            yield
        except OSError as error:
            if not self._is_ours(error):
                raise
            raise LakeNotWritable(self.root, error.strerror or str(error)) from error
        finally:
            os.close(descriptor)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read the lake's files beside a run: none that the ledger named is removed meanwhile."""
        with self._guard(fcntl.LOCK_SH):
            self.refresh()
            yield

    def clear_leftovers(self) -> None:
        """Remove data files that no commit names, unless somebody is reading; the next run does it then.

        They are what compaction has merged, or were written by a run that did not live to commit. A file that
        is neither is moved into `.set-aside`.
        """
        known = {file.path for files in self.state.events.values() for file in files}
        known.update(self.state.quarantine)
        removed, ahead = set(self.state.removed), self._uncommitted
        try:
            with self._guard(fcntl.LOCK_EX | fcntl.LOCK_NB):
                for path in damage.data_files(self.root).keys() - known:
                    if path in removed or damage.number(path) in range(self.state.number + 1, ahead + 1):
                        (self.root / path).unlink()
                    else:
                        self.set_aside(path)
                self.state.removed = []
        except BlockingIOError:
            pass

    def set_aside(self, path: str) -> None:
        """Move a file, named relative to the lake, where it is kept but does not count."""
        target = self.root / SET_ASIDE / path
        target.parent.mkdir(parents=True, exist_ok=True)
        number = 0
        while target.exists():
            number += 1
            target = target.with_name(f"{Path(path).name}.{number}")
        (self.root / path).rename(target)
        log.warning("%s is no part of the lake; it was moved to %s", self.root / path, target)

    @property
    def _uncommitted(self) -> int:
        """The last commit whose data files a crash may have left without it."""
        return max(self.state.number + 1, self.ledger.ahead)

    def check(self) -> dict[str, int]:
        """Read the ledger again and compare the data files with it, by name and size; the sizes.

        The lake must be held. Raises LedgerDamaged, DataFilesDamaged.
        """
        self.refresh()
        there = damage.data_files(self.root)
        later = [path for path in there if damage.number(path) > self._uncommitted]
        if later:
            raise LedgerDamaged(
                self.ledger.folder,
                f"it ends with commit {self.state.number}, and there are {len(later)} data files of later "
                f"ones, up to {max(later, key=damage.number)}",
            )
        damaged = list(damage.missing_or_cut(self.state, there))
        if damaged:
            raise DataFilesDamaged(self.root, damaged)
        return there

    def _seal(self, there: dict[str, int]) -> None:
        """Give the ledger of an earlier release digests, and the sizes of data files."""
        for day, files in self.state.events.items():
            self.state.events[day] = [replace(file, size=there[file.path]) for file in files]
        self.ledger.fold(self.state)

    def _is_ours(self, error: OSError) -> bool:
        """Whether an operation on the lake's files failed, not one on a connection, a log or the store."""
        if isinstance(error.filename, str | bytes):
            return Path(os.fsdecode(error.filename)).absolute().is_relative_to(self.root)
        return error.errno in DISK_ERRORS or str(self.root) in str(error)

    @contextmanager
    def _guard(self, kind: int) -> Iterator[None]:
        """The lock between those who read files and those who remove them."""
        descriptor = os.open(self.root / ".readers", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)
