"""The place of a lake's files: the few operations that a folder and an object store both offer.

A file is written whole, under a name that describes its content, and is not changed afterwards; only a few
small files that name the valid state are replaced. Names are relative to the place, with slashes. A file is
hidden if its name, or the name of a folder above it, begins with a point.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from pharos.errors import PharosError


class Unreachable(PharosError):
    """A place does not answer, or refuses access; its files may be undamaged."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason

    def __str__(self) -> str:
        return (
            f"{self.name}: the store does not answer as it should ({self.reason}); nothing that was already "
            "in the lake is lost. Look at its address, credentials and load, then run again"
        )


class Hold:
    """The right to be the only writer at a place."""

    number = 0
    """Greater than that of any holder before; 0 where a holder lives as long as its hold."""
    is_taken_over = False
    """Whether the writer before may still believe that it is the only one."""

    def check(self) -> None:
        """Raise Busy if another writer has taken over."""


class Place(Protocol):
    """A folder or an object store; it is pickled for workers. All methods raise OSError or Unreachable."""

    @property
    def address(self) -> str:
        """The address as shown to people."""

    def sizes(self, folder: str) -> dict[str, int]:
        """File name -> bytes, for all files below a folder that are not hidden; empty if the folder is
        missing.
        """

    def size(self, name: str) -> int:
        """The bytes of a file. Raises FileNotFoundError."""

    def read(self, name: str) -> bytes:
        """The content of a small file. Raises FileNotFoundError."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file atomically: it has its old or its new content, even after a power failure."""

    def put_new(self, name: str, data: bytes) -> None:
        """Write a new file. Raises FileExistsError if it exists, even if another process writes it
        simultaneously.
        """

    def take(self, moves: Sequence[tuple[Path, str]]) -> None:
        """Move local files (source, name) into the place; each appears whole or not at all."""

    def local(self, name: str) -> Path:
        """The local path of the file, for engines. May raise FileNotFoundError."""

    def bring(self, names: Iterable[str]) -> None:
        """Prepare these files for `local`, for example by copying them; missing files are skipped."""

    def let_go(self, name: str) -> None:
        """Drop the local copy of a file, if it has one."""

    def move(self, name: str, new: str) -> None:
        """Rename a file to an unused name. Raises FileExistsError, FileNotFoundError."""

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""

    def alone(self) -> AbstractContextManager[Hold]:
        """Be the only writer. Raises Busy."""

    def try_out(self) -> None:
        """Raise PharosError if the place is not writable or cannot exclude a second writer."""

    def reading(self) -> AbstractContextManager[None]:
        """Register as a reader: no file is cleared meanwhile."""

    def clearing(self) -> AbstractContextManager[None]:
        """Permission to remove files that readers may use. Raises Busy if somebody is reading."""
