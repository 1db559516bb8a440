"""The lake's folder: where its parts lie, who may write, and what is in it now."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from pharos.errors import Busy, PharosError
from pharos.lake.ledger import Ledger, State


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

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.ledger = Ledger(self.root / "ledger")
        self.state = State()
        self.refresh()

    @property
    def staging(self) -> Path:
        """Where work in progress lies; emptied whenever a run begins."""
        return self.root / ".staging"

    def refresh(self) -> None:
        """Read the ledger again."""
        self.state = self.ledger.read()

    def events(self, days: list[date] | None = None) -> list[Path]:
        """The data files of these UTC dates (of all, if None)."""
        chosen = self.state.events if days is None else days
        return [self.root / file.path for day in chosen for file in self.state.events.get(day, [])]

    def quarantine(self) -> list[Path]:
        """The files of lines that are no events."""
        return [self.root / path for path in self.state.quarantine]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only writer; clear away what a crash left. Raises Busy, LakeNotWritable."""
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
            self.refresh()
            shutil.rmtree(self.staging, ignore_errors=True)
            self.clear_leftovers()
            yield
        except OSError as error:
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

        They are what compaction has merged, or were written by a run that did not live to commit.
        """
        known = {self.root / file.path for files in self.state.events.values() for file in files}
        known.update(self.quarantine())
        try:
            with self._guard(fcntl.LOCK_EX | fcntl.LOCK_NB):
                for part in ("events", "quarantine"):
                    for path in (self.root / part).rglob("*.parquet"):
                        if path not in known:
                            path.unlink()
        except BlockingIOError:
            pass

    @contextmanager
    def _guard(self, kind: int) -> Iterator[None]:
        """The lock between those who read files and those who remove them."""
        descriptor = os.open(self.root / ".readers", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)
