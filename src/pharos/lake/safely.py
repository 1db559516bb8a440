"""Writes files so that a name appears only after the content is on disk, and detects damage.

Files of the lake are written once, under a temporary name, and renamed when they are on disk. A sealed
Parquet file holds a digest of itself, in front of its footer, where Parquet readers do not look.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import xxhash

PIECE_BYTES = 1 << 20  # read at once
_MAGIC = b"PAR1"  # the last bytes of a Parquet file, after the length of its footer
_SEAL = b"XXH3-128"  # followed by the digest of all other bytes of the file
_SEAL_BYTES = len(_SEAL) + 16


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file: it has its old or its new content, even after a power failure."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(data)
    move_safely([(temporary, path)])


def move_safely(moves: Sequence[tuple[Path, Path]]) -> None:
    """Move files (source, target): each is complete under its new name, even after a power failure."""
    for source, target in moves:
        target.parent.mkdir(parents=True, exist_ok=True)
        sync(source)
        source.replace(target)
    parents = {target.parent for _, target in moves}
    for folder in parents | {parent.parent for parent in parents}:  # which may be new itself
        sync(folder)


def move_sealed(moves: Sequence[tuple[Path, Path]]) -> None:
    """Seal Parquet files (source, target) and move them safely: afterwards `is_whole(target)`."""
    for source, _ in moves:
        seal(source)
    move_safely(moves)


def seal(path: Path) -> None:
    """Write the digest of a Parquet file into it; its rows and all offsets in it stay the same."""
    with path.open("r+b") as file:
        end = _footer(file)
        digest = xxhash.xxh3_128()
        for piece in _pieces(file, 0, end):
            digest.update(piece)
        footer = file.read()
        digest.update(footer)
        file.seek(end)
        file.write(_SEAL + digest.digest() + footer)


def is_whole(path: Path) -> bool:
    """True if this is a sealed Parquet file without damage; False also if it cannot be read.

    Reads the whole file at the speed of the disk: call it before using a file, not in every run.
    """
    try:
        return bool(fits_seal(path))
    except (OSError, ValueError):
        return False


def fits_seal(path: Path) -> bool | None:
    """True if a Parquet file matches its seal, False if not; None if it has no seal.

    Raises OSError, and ValueError if it does not end like a Parquet file.
    """
    with path.open("rb") as file:
        end = _footer(file)
        digest = xxhash.xxh3_128()
        for piece in _pieces(file, 0, end - _SEAL_BYTES):
            digest.update(piece)
        found = file.read(_SEAL_BYTES)
        digest.update(file.read())
    if found.startswith(_SEAL):
        return found == _SEAL + digest.digest()
    is_seal = found[len(_SEAL) :] == digest.digest()  # and a bit of its name has changed
    return False if is_seal else None


def checksum(path: Path) -> str:
    """XXH3-128 of a file's bytes, hexadecimal. Raises OSError."""
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _footer(file: BinaryIO) -> int:
    """The offset of a Parquet file's footer. Raises ValueError if the file is not Parquet."""
    size = file.seek(0, os.SEEK_END)
    if size < len(_MAGIC) + 8:
        raise ValueError("too short for a Parquet file")
    file.seek(size - 8)
    length, magic = file.read(4), file.read(4)
    start = size - 8 - int.from_bytes(length, "little")
    if magic != _MAGIC or start < len(_MAGIC):
        raise ValueError("does not end like a Parquet file")
    return start


def _pieces(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """The bytes of a file between two positions. Raises ValueError if `end` lies before `start`."""
    file.seek(start)
    left = end - start
    if left < 0:
        raise ValueError("too short for a sealed file")
    while left and (piece := file.read(min(PIECE_BYTES, left))):
        yield piece
        left -= len(piece)


def sync(path: Path) -> None:
    """Flush the file, or the names in the folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
