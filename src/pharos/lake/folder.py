"""A lake in a folder of a file system, which may be mounted on several hosts."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pharos.errors import Busy
from pharos.lake.place import Hold
from pharos.lake.safely import move_safely, sync, write_atomically

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}  # of file systems that have none


@dataclass(frozen=True)
class Folder:
    """See `pharos.lake.place.Place`."""

    root: Path

    @property
    def address(self) -> str:
        """See the protocol."""
        return str(self.root)

    def sizes(self, folder: str) -> dict[str, int]:
        """See the protocol."""
        found = {}
        for parent, folders, names in os.walk(self.root / folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            inside = os.path.relpath(parent, self.root)
            for name in names:
                if not name.startswith("."):
                    with suppress(FileNotFoundError):  # removed since it was listed
                        found[f"{inside}/{name}"] = Path(parent, name).stat().st_size
        return found

    def size(self, name: str) -> int:
        """See the protocol."""
        return (self.root / name).stat().st_size

    def read(self, name: str) -> bytes:
        """See the protocol."""
        return (self.root / name).read_bytes()

    def put(self, name: str, data: bytes) -> None:
        """See the protocol."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)

    def put_new(self, name: str, data: bytes) -> None:
        """See the protocol. The file is renamed to its name only if no file has that name."""
        path = self.root / name
        temporary = path.with_name(f".{path.name}.tmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        sync(temporary)
        _rename_new(temporary, path)
        sync(path.parent)

    def take(self, moves: Sequence[tuple[Path, str]]) -> None:
        """See the protocol."""
        move_safely([(source, self.root / name) for source, name in moves])

    def local(self, name: str) -> Path:
        """See the protocol."""
        return self.root / name

    def bring(self, names: Iterable[str]) -> None:
        """See the protocol. Nothing to do: all files are local."""

    def let_go(self, name: str) -> None:
        """See the protocol. Nothing to do: there are no copies."""

    def move(self, name: str, new: str) -> None:
        """See the protocol."""
        target = self.root / new
        target.parent.mkdir(parents=True, exist_ok=True)
        _rename_new(self.root / name, target)

    def remove(self, name: str) -> None:
        """See the protocol."""
        (self.root / name).unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[Hold]:
        """See the protocol. A file lock of the system, which ends with the process."""
        self.root.mkdir(parents=True, exist_ok=True)
        with self._locked(".lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield Hold()

    def try_out(self) -> None:
        """See the protocol. Nothing to test: errors of a folder appear at first use."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See the protocol."""
        with self._locked(".readers", fcntl.LOCK_SH):
            yield

    @contextmanager
    def clearing(self) -> Iterator[None]:
        """See the protocol."""
        with self._locked(".readers", fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield

    @contextmanager
    def _locked(self, name: str, kind: int) -> Iterator[None]:
        descriptor = os.open(self.root / name, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(descriptor, kind)
            except BlockingIOError:
                raise Busy(f"{self.root}: another run is writing; this one did nothing") from None
            yield
        finally:
            os.close(descriptor)


def _rename_new(source: Path, target: Path) -> None:
    """Rename a file; raise FileExistsError if the name is taken."""
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        source.replace(target)
    else:
        source.unlink()
