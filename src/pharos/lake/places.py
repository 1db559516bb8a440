"""Opens lakes by the address of their place: a path, or a URL of an object store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pharos.config import Settings
from pharos.errors import ConfigurationError
from pharos.lake.folder import Folder
from pharos.lake.lake import Lake
from pharos.lake.place import Place

S3 = "s3://"
COPIES = ".copies"


def lake_of(settings: Settings, *, is_read: bool = True) -> Lake:
    """The lake of an installation; see `Lake`."""
    return lake_at(settings.lake_address, settings.lake, is_read=is_read)


def lake_at(address: str, root: Path, *, is_read: bool = True) -> Lake:
    """The lake at a path or URL. `root`: a folder of this machine for copies and for work in progress."""
    return Lake(root, _place(address, root.absolute() / COPIES), is_read=is_read)


@contextmanager
def passing_lake(address: str) -> Iterator[Lake]:
    """The lake at a path or URL, without an installation; local copies are removed at the end."""
    if "://" not in address:
        yield Lake(Path(address))
        return
    with TemporaryDirectory(prefix="pharos-") as scratch:
        yield lake_at(address, Path(scratch))


def _place(address: str, copies: Path) -> Place:
    if "://" not in address:
        return Folder(Path(address).absolute())
    if not address.startswith(S3):
        raise ConfigurationError(f"{address}: a lake lies in a folder or at s3://bucket/folder")
    try:
        from pharos.lake.objects import Objects  # noqa: PLC0415 - not everybody has the library
    except ModuleNotFoundError as error:
        raise ConfigurationError("a lake at s3:// needs the extra: pip install 'pharos[s3]'") from error
    return Objects(address.rstrip("/"), copies)
