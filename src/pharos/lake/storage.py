"""Lists and opens files to read, on this machine or in an object store.

Local paths are plain. A path with a scheme is opened from the host that reads it, with that host's
credentials: `hdfs://` by our own client, which needs no Java; others (`s3://bucket/folder`, `gs://…`) through
Arrow's file systems.
"""

from __future__ import annotations

import glob
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa
from pyarrow import fs

if TYPE_CHECKING:
    import hdfs_native

HDFS = "hdfs://"
REMOTE_BYTES = 8 << 20  # read at once from a remote file: each request waits for its answer


@dataclass(frozen=True)
class Stored:
    """A file and the values that change when it does."""

    path: str
    size: int
    mtime_ns: int
    inode: int  # 0 if there is none
    is_closed_folder: bool = False  # this user may not look into it


def is_remote(path: str) -> bool:
    """True if the path has a scheme."""
    return "://" in path


def open_file(path: str) -> BinaryIO:
    """The file, for reading and seeking. Raises OSError."""
    if not is_remote(path):
        return Path(path).open("rb")
    if path.startswith(HDFS):
        with _hdfs_errors(path):
            cluster, name = _in_cluster(path)
            content = pa.PythonFile(_hdfs_client(cluster).read(name), mode="r")
            return io.BufferedReader(content, REMOTE_BYTES)
    system, name = _system(path)
    return io.BufferedReader(system.open_input_file(name), REMOTE_BYTES)


def files(text: str) -> tuple[list[Stored], bool] | None:
    """The sorted files at or below a path, and true if it is a folder; None if the path does not exist.

    Folders are searched recursively, hidden files left out. Raises OSError if the store refuses access.
    """
    if text.startswith(HDFS):
        with _hdfs_errors(text):
            return _in_hdfs(text)
    if is_remote(text):
        return _remote(text)
    path = Path(text).expanduser()
    if path.is_dir():
        any(path.iterdir())  # raises if this user may not look into it: the search would keep quiet
        return sorted(_below(path), key=lambda stored: stored.path), True
    stored = _stored(path)
    return None if stored is None else ([stored], False)


def matches(pattern: str) -> list[str]:
    """Local paths that match a glob, in order."""
    return sorted(glob.glob(str(Path(pattern).expanduser()), recursive=True))  # noqa: PTH207 - Path.glob: no absolute ones


def _below(folder: Path) -> Iterator[Stored]:
    closed: list[str] = []
    for parent, folders, names in os.walk(folder, onerror=lambda error: closed.append(error.filename)):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and (stored := _stored(Path(parent, name))) is not None:
                yield stored
    for path in closed:
        yield Stored(str(Path(path).resolve()), 0, 0, 0, is_closed_folder=True)


def _stored(path: Path) -> Stored | None:
    """The file; None if it is not a regular file or no longer exists (logs are rotated at any time)."""
    try:
        stat = path.stat()
    except PermissionError:
        raise
    except OSError:
        return None
    if not S_ISREG(stat.st_mode):
        return None
    return Stored(str(path.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ino)


def _remote(url: str) -> tuple[list[Stored], bool] | None:
    system, name = _system(url)
    scheme = url[: len(url) - len(url.split("://", 1)[1])]
    info = system.get_file_info(name.rstrip("/"))
    if info.type == fs.FileType.File:
        return [_remote_stored(scheme, info)], False
    if info.type == fs.FileType.NotFound:
        return None
    found = system.get_file_info(fs.FileSelector(name.rstrip("/"), recursive=True))
    # An object of no bytes stands for a folder in many tools.
    visible = [item for item in found if item.is_file and item.size and not item.base_name.startswith(".")]
    return [_remote_stored(scheme, item) for item in sorted(visible, key=lambda item: item.path)], True


def _remote_stored(scheme: str, info: fs.FileInfo) -> Stored:
    return Stored(f"{scheme}{info.path}", info.size, info.mtime_ns or 0, 0)


def _in_hdfs(url: str) -> tuple[list[Stored], bool] | None:
    cluster, name = _in_cluster(url)
    client = _hdfs_client(cluster)
    try:
        found = client.get_file_info(name)
    except FileNotFoundError:
        return None
    files = list(client.list_status(name, recursive=True)) if found.isdir else [found]
    return [
        Stored(f"{cluster}{file.path}", file.length, file.modification_time * 1_000_000, 0)
        for file in sorted(files, key=lambda file: file.path)
        if not file.isdir and not file.path.rsplit("/", 1)[-1].startswith(".")
    ], bool(found.isdir)


def _in_cluster(url: str) -> tuple[str, str]:
    """Address of the cluster, and the path within it."""
    cluster, _, path = url[len(HDFS) :].partition("/")
    return HDFS + cluster, f"/{path.rstrip('/')}"


@cache
def _hdfs_client(cluster: str) -> hdfs_native.Client:
    try:
        import hdfs_native  # noqa: PLC0415 - not everybody has it
    except ModuleNotFoundError as error:
        raise OSError("hdfs:// needs the extra: pip install 'pharos[hdfs]'") from error
    return hdfs_native.Client(cluster)


@contextmanager
def _hdfs_errors(url: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # the client's own, such as one for a name that no host has
        raise OSError(f"{url}: {error}") from error


def _system(url: str) -> tuple[fs.FileSystem, str]:
    try:
        return cast("tuple[fs.FileSystem, str]", fs.FileSystem.from_uri(url))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise OSError(f"{url}: {error}") from error


def chunks(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The rest of an open file."""
    while chunk := file.read(size):
        yield chunk
