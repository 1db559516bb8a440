"""A lake in an S3-compatible object store with conditional writes.

Files for an engine are first copied to this machine, once each: a file is compared with its checksum before
it is used, which reads the whole file in any case.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import obstore
from obstore import exceptions
from obstore.store import S3Store

from pharos.lake import lease
from pharos.lake.place import Hold, Unreachable

if TYPE_CHECKING:
    from obstore.store import RetryConfig

Item = TypeVar("Item")
_NO_BUCKET = "<Code>NoSuchBucket</Code>"
AT_ONCE = 8  # files that are copied at the same time
RETRIES: RetryConfig = {"max_retries": 10}  # of a request, while the store is too busy or not to be reached
KEPT_BYTES = 8 << 30  # of copies on this machine, when a run ends


@dataclass(frozen=True)
class Objects:
    """See `pharos.lake.place.Place`."""

    address: str
    copies: Path
    """Folder of this machine for copies; can be removed at any time."""

    def sizes(self, folder: str) -> dict[str, int]:
        """See the protocol."""
        found = {name: size for name, (size, _) in self._listed(folder).items()}
        return {name: size for name, size in found.items() if "/." not in name.removeprefix(folder)}

    def written(self, folder: str) -> dict[str, datetime]:
        """Object name -> time when it was last written, by the clock of the store, for all objects of a
        folder.
        """
        return {name: moment for name, (_, moment) in self._listed(folder).items()}

    def _listed(self, folder: str) -> dict[str, tuple[int, datetime]]:
        with self._errors(folder):
            pages = obstore.list(self._store, prefix=folder)
            return {item["path"]: (item["size"], item["last_modified"]) for page in pages for item in page}

    def size(self, name: str) -> int:
        """See the protocol."""
        with self._errors(name):
            return obstore.head(self._store, name)["size"]

    def read(self, name: str) -> bytes:
        """See the protocol."""
        with self._errors(name):
            return bytes(obstore.get(self._store, name).bytes())

    def put(self, name: str, data: bytes) -> None:
        """See the protocol."""
        with self._errors(name):
            obstore.put(self._store, name, data, use_multipart=False)

    def put_new(self, name: str, data: bytes) -> None:
        """See the protocol. The store itself refuses a name that exists.

        If the answer to a request is lost, the request is sent again and may find the object that it wrote
        itself.
        """
        try:
            with self._errors(name):
                obstore.put(self._store, name, data, mode="create", use_multipart=False)
        except FileExistsError:
            if self.read(name) != data:
                raise

    def take(self, moves: Sequence[tuple[Path, str]]) -> None:
        """See the protocol. The local files are kept as copies."""
        _at_once(self._upload, moves)

    def _upload(self, move: tuple[Path, str]) -> None:
        source, name = move
        with self._errors(name):
            obstore.put(self._store, name, source)
        copy = self.copies / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        source.replace(copy)

    def bring(self, names: Iterable[str]) -> None:
        """See the protocol."""

        def bring(name: str) -> None:
            with suppress(FileNotFoundError):
                self.local(name)

        _at_once(bring, list(names))

    def local(self, name: str) -> Path:
        """See the protocol."""
        copy = self.copies / name
        if copy.exists():
            with suppress(FileNotFoundError):
                os.utime(copy)  # the copies used last are kept longest
            return copy
        part = copy.with_name(f".{copy.name}.{uuid4().hex}")
        with self._errors(name):
            content = obstore.get(self._store, name)
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                for piece in content:
                    file.write(piece)
        part.replace(copy)
        return copy

    def let_go(self, name: str) -> None:
        """See the protocol."""
        (self.copies / name).unlink(missing_ok=True)

    def move(self, name: str, new: str) -> None:
        """See the protocol. After a crash both names may exist."""
        if new in self._listed(new.rpartition("/")[0]):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), f"{self.address}/{new}")
        with self._errors(name):
            obstore.copy(self._store, name, new)
        self.remove(name)

    def remove(self, name: str) -> None:
        """See the protocol."""
        with self._errors(name), suppress(FileNotFoundError):
            obstore.delete(self._store, name)
        self.let_go(name)

    @contextmanager
    def alone(self) -> Iterator[Hold]:
        """See the protocol. Uses a lease in the store. Raises PlaceUnfit."""
        with lease.held(self) as hold:
            try:
                yield hold
            finally:
                self._keep_few()

    def try_out(self) -> None:
        """Raise PlaceUnfit or Unreachable if the store is unsuitable for a lake."""
        lease.try_out(self)

    def reading(self) -> AbstractContextManager[None]:
        """See the protocol."""
        return lease.reading(self)

    def clearing(self) -> AbstractContextManager[None]:
        """See the protocol."""
        return lease.clearing(self)

    def _keep_few(self) -> None:
        """Remove the least recently used copies."""
        left = KEPT_BYTES
        copies = [(path, path.stat()) for path in self.copies.rglob("*") if path.is_file()]
        for path, stat in sorted(copies, key=lambda item: -item[1].st_mtime_ns):
            left -= stat.st_size
            if left < 0:
                path.unlink(missing_ok=True)

    @property
    def _store(self) -> S3Store:
        return _store(self.address)

    @contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        """Translates errors of the library into OSError or Unreachable, with the name of the file."""
        path = f"{self.address}/{name}"
        try:
            yield
        except FileNotFoundError as error:
            if _NO_BUCKET in str(error):  # or an empty lake would seem to be there
                raise Unreachable(self.address, "there is no such bucket") from error
            raise FileNotFoundError(errno.ENOENT, _short(error), path) from error
        except exceptions.AlreadyExistsError as error:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from error
        except (exceptions.BaseError, PermissionError) as error:
            raise Unreachable(path, _short(error)) from error


def _at_once(function: Callable[[Item], object], items: Sequence[Item]) -> None:
    """Call a function with all items, several in parallel."""
    if items:
        with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
            list(pool.map(function, items))


def _short(error: Exception) -> str:
    """The useful beginning of an error's text, without the library's internals."""
    return " ".join(str(error).partition("Debug source")[0].split())


@cache
def _store(address: str) -> S3Store:
    """The store at the endpoint, with the credentials, from the environment."""
    return S3Store.from_url(address, client_options={"allow_http": True}, retry_config=RETRIES)
