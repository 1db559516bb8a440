"""The bytes of a log file, whatever its compression, in blocks of whole lines with their positions.

Positions count decompressed bytes, so that a log keeps its place when it is compressed later. Knows nothing
of events.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import xxhash
import zstandard
from isal import isal_zlib
from isal.igzip_lib import IsalError

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
BLOCK_BYTES = 4 << 20
HEAD_BYTES = 64 << 10  # how much of a log's beginning tells it from others


class LogDamaged(Exception):
    """The rest of a log cannot be read; what came before can be used. `str()` says why."""


def decompressed(path: Path) -> Iterator[bytes]:
    """The content of a plain, gzip or zstd file in chunks. Raises LogDamaged where it cannot go on.

    The kind is told by the first bytes, not by the name: rotation programs are not to be trusted.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            if magic[:2] == GZIP_MAGIC:
                yield from _gzip(file)
            elif magic == ZSTD_MAGIC:
                yield from _zstd(file)
            else:
                while chunk := file.read(BLOCK_BYTES):
                    yield chunk
    except OSError as error:
        raise LogDamaged(f"cannot be read: {error.strerror or error}") from error


def _gzip(file: BinaryIO) -> Iterator[bytes]:
    """All members of a gzip file, one after the other; zero padding after a member is no damage."""
    inflater = isal_zlib.decompressobj(wbits=31)
    fed = 0
    try:
        while chunk := file.read(1 << 20):
            while chunk:
                if not fed and not (chunk := chunk.lstrip(b"\0")):
                    break
                fed += len(chunk)
                if piece := inflater.decompress(chunk):
                    yield piece
                chunk = b""
                if inflater.eof:
                    chunk, fed = inflater.unused_data, 0
                    inflater = isal_zlib.decompressobj(wbits=31)
    except IsalError as error:  # type: ignore[misc]  # its stub does not say that it is an exception
        raise LogDamaged(f"gzip data is damaged: {error}") from error
    if fed:
        raise LogDamaged("gzip data ends too early (truncated file)")


def _zstd(file: BinaryIO) -> Iterator[bytes]:
    try:
        with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as stream:
            while chunk := stream.read(BLOCK_BYTES):
                yield chunk
    except zstandard.ZstdError as error:
        raise LogDamaged(f"zstd data is damaged: {error}") from error


def content(path: Path, start: int) -> Iterator[bytes]:
    """The content from a position on, in chunks. Raises LogDamaged where it cannot go on."""
    if start and not is_compressed(path):
        with path.open("rb") as file:
            file.seek(start)
            while chunk := file.read(BLOCK_BYTES):
                yield chunk
        return
    skip = start
    for chunk in decompressed(path):
        if skip >= len(chunk):
            skip -= len(chunk)
        else:
            yield chunk[skip:] if skip else chunk
            skip = 0


def is_compressed(path: Path) -> bool:
    """Whether the file begins like gzip or zstd data."""
    with path.open("rb") as file:
        magic = file.read(4)
    return magic[:2] == GZIP_MAGIC or magic == ZSTD_MAGIC


class LineBlocks:
    """The content from a position on, in blocks of whole lines.

    Iterate; afterwards `rest` holds what follows the last line end, and `damage` says why reading stopped
    early, if it did.
    """

    def __init__(self, path: Path, start: int) -> None:
        self._path, self._start = path, start
        self.rest = b""
        self.damage: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        rest: list[bytes] = []
        try:
            for chunk in content(self._path, self._start):
                end = chunk.rfind(b"\n") + 1
                if not end:
                    rest.append(chunk)
                    continue
                head, tail = chunk[:end], chunk[end:]
                yield b"".join((*rest, head)) if rest else head
                rest = [tail] if tail else []
        except LogDamaged as error:
            self.damage = str(error)
        except OSError as error:
            self.damage = f"cannot be read: {error.strerror or error}"
        self.rest = b"".join(rest)


class ContentDigest:
    """A digest of a growing prefix of a log that can be taken up again without its earlier bytes.

    XXH3-128 over the digest of all earlier whole MiB followed by the bytes since then.
    """

    STEP = 1 << 20

    def __init__(self, chain: str = "", position: int = 0) -> None:
        self.chain = chain  # digest up to the last multiple of STEP
        self.position = position  # a multiple of STEP on creation
        self._hash = xxhash.xxh3_128(chain.encode())

    def update(self, data: bytes) -> None:
        """Take the next bytes in."""
        start = 0
        while start < len(data):
            piece = data[start : start + self.STEP - self.position % self.STEP]
            self._hash.update(piece)
            start += len(piece)
            self.position += len(piece)
            if self.position % self.STEP == 0:
                self.chain = self._hash.hexdigest()
                self._hash = xxhash.xxh3_128(self.chain.encode())

    @property
    def value(self) -> str:
        """Digest of everything taken in."""
        return self._hash.hexdigest()


def head(path: Path) -> tuple[bytes, str | None]:
    """The first 64 KiB of the content, or what there is of it, and what stopped the reading, if anything."""
    data = b""
    try:
        for chunk in decompressed(path):
            data += chunk[: HEAD_BYTES - len(data)]
            if len(data) == HEAD_BYTES:
                break
    except LogDamaged as error:
        return data, str(error)
    return data, None


def begins_with(path: Path, length: int, digest: str, *, since: int = 0, chain: str = "") -> bool:
    """Whether the first `length` bytes of the content have this digest.

    With `since` and `chain` (a digest's state at a multiple of its step) only the bytes from there are read.
    """
    known = ContentDigest(chain, since)
    try:
        for chunk in content(path, since):
            known.update(chunk[: length - known.position])
            if known.position == length:
                break
    except (LogDamaged, OSError):
        pass
    return known.position == length and known.value == digest
