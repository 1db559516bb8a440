"""Reads log files of any compression as blocks of whole lines with their positions.

Positions count decompressed bytes, so that a position stays valid when the log is compressed later. This
module does not know events.
"""

from __future__ import annotations

import bz2
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO, cast

import xxhash
import zstandard
from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor, IsalError

from pharos.lake.storage import chunks, open_file

_MAGIC = {
    "gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd", "bzip2": b"BZh", "xz": b"\xfd7zXZ\0", "zip": b"PK\3\4",
}  # fmt: skip
_ARMOR = b"-----BEGIN PGP MESSAGE"
_PACKETS = b"\x84\x85\x8c\xc1"  # first bytes of data that GnuPG has encrypted; no UTF-8 begins with them
BLOCK_BYTES = 4 << 20  # larger ones leave the processor's caches, smaller ones cost more calls
RESCUE_BYTES = 256  # read at once where a file is damaged
RATIO = 8  # how much smaller logs get; only guides how much is read at once
LONGEST_LINE_BYTES = 64 << 20
HEAD_BYTES = 64 << 10  # of a log's beginning, which identify the log


class LogDamaged(Exception):
    """The rest of a log cannot be read; the content before it is usable. `str()` gives the reason."""


class LogMoved(LogDamaged):
    """The file is missing or replaced, as after a rotation: its log will be found under another name."""


def decompressed(path: str, step: int) -> Iterator[bytes]:
    """The content of a plain or compressed file in chunks. Raises LogDamaged where it cannot be read on.

    `step` is the approximate number of bytes of content per chunk. The compression is detected from the first
    bytes, because names given by rotation programs are unreliable.
    """
    try:
        with open_file(path) as file:
            kind = _kind(file)
            if kind is None:
                yield from chunks(file, step)
            elif kind == "zip":
                yield from _zipped(file, step)
            elif kind == "gpg":
                raise LogDamaged("is encrypted (gpg): give its plain text, or a pattern that leaves it out")
            else:
                yield from _members(file, kind, _INFLATERS[kind], step)
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> LogDamaged:
    kind = LogMoved if isinstance(error, FileNotFoundError) else LogDamaged
    return kind(f"cannot be read: {error.strerror or error}")


def _kind(file: BinaryIO) -> str | None:
    """The kind of an open file by its first bytes: a name of `_MAGIC`, `gpg`, or None for plain text."""
    begin = file.read(len(_ARMOR))
    file.seek(0)
    if begin.startswith(_ARMOR) or (begin and begin[0] in _PACKETS):
        return "gpg"
    return next((kind for kind, magic in _MAGIC.items() if begin.startswith(magic)), None)


def _after(skip: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces without the first bytes."""
    for piece in pieces:
        if skip >= len(piece):
            skip -= len(piece)
        else:
            yield piece[skip:] if skip else piece
            skip = 0


class _Member:
    """A member of a gzip file, a frame of a zstd file."""

    _inflater: Any

    @property
    def rest(self) -> bytes | None:
        """The bytes after the compressed member; None if it has not ended."""
        rest: bytes | None = self._inflater.unused_data if self._inflater.eof else None
        return rest


class _Gzip(_Member):
    """Decompressed in pieces of the wanted size, because larger pieces are copied more often."""

    def __init__(self, step: int) -> None:
        self._step, self._inflater = step, IgzipDecompressor(flag=DECOMP_GZIP)

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """The decompressed content of the next bytes of the file."""
        inflater = self._inflater
        yield inflater.decompress(chunk, self._step)
        while not inflater.eof and not inflater.needs_input:
            yield inflater.decompress(b"", self._step)


class _Zstd(_Member):
    def __init__(self, _step: int) -> None:
        self._inflater = zstandard.ZstdDecompressor().decompressobj()

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """The decompressed content of the next bytes of the file."""
        yield self._inflater.decompress(chunk)


class _Standard(_Member):
    """Decompressed by an object of the standard library."""

    def __init__(self, new: Callable[[], Any], step: int) -> None:
        self._step, self._inflater = step, new()

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """The decompressed content of the next bytes of the file."""
        inflater = self._inflater
        try:
            yield inflater.decompress(chunk, self._step)
            while not inflater.eof and not inflater.needs_input:
                yield inflater.decompress(b"", self._step)
        except OSError as error:  # bzip2's way to say it: the file itself can be read
            raise zlib.error(str(error)) from error


_INFLATERS: dict[str, Callable[[int], Any]] = {
    "gzip": _Gzip,
    "zstd": _Zstd,
    "bzip2": partial(_Standard, bz2.BZ2Decompressor),
    "xz": partial(_Standard, lzma.LZMADecompressor),
}
# Errors of the inflaters. The stub of one is wrong.
_DAMAGE: tuple[type[Exception], ...] = (IsalError, zstandard.ZstdError, lzma.LZMAError, zlib.error)  # type: ignore[assignment]


def _zipped(file: BinaryIO, step: int) -> Iterator[bytes]:
    """The files in a zip file, one after the other, each ended by a line end."""
    last = b""
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if last and member.file_size and not last.endswith(b"\n"):
                    yield b"\n"
                with archive.open(member) as content:
                    for last in chunks(cast("BinaryIO", content), step):
                        yield last
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise LogDamaged(f"zip data is damaged: {error}") from error
    except (
        NotImplementedError,
        RuntimeError,
    ) as error:  # encrypted, or packed in a way that few programs know
        raise LogDamaged(f"zip data cannot be read: {error}") from error


def _members(file: BinaryIO, kind: str, new: Callable[[int], Any], step: int) -> Iterator[bytes]:
    """The members of a file, one after the other; zero padding after a member is not damage."""
    given = 0
    try:
        for piece in _inflated(file, kind, new, step):
            given += len(piece)
            yield piece
    except _DAMAGE as error:
        # Content before the damage in the same piece is lost, too: small pieces lose little.
        file.seek(0)
        with suppress(*_DAMAGE):
            yield from _after(given, _inflated(file, kind, new, RESCUE_BYTES))
        raise LogDamaged(f"{kind} data is damaged: {error}") from error


def _inflated(file: BinaryIO, kind: str, new: Callable[[int], Any], step: int) -> Iterator[bytes]:
    member = new(step)
    fed = 0
    while chunk := file.read(max(step // RATIO, 32)):
        while chunk:
            if not fed and not (chunk := chunk.lstrip(b"\0")):
                break
            fed += len(chunk)
            yield from filter(None, member.pieces(chunk))
            chunk = b""
            if member.rest is not None:
                chunk, fed = member.rest, 0
                member = new(step)
    if fed:
        raise LogDamaged(f"{kind} data ends too early (truncated file)")


def content(path: str, start: int) -> Iterator[bytes]:
    """The content from a position on, in chunks. Raises LogDamaged where it cannot be read on."""
    if start and not is_compressed(path):
        try:
            with open_file(path) as file:
                file.seek(start)
                yield from chunks(file, BLOCK_BYTES)
        except OSError as error:
            raise _unreadable(error) from error
        return
    yield from _after(start, decompressed(path, BLOCK_BYTES))


def is_compressed(path: str) -> bool:
    """True if the file begins like compressed data; False also if it cannot be read."""
    try:
        with open_file(path) as file:
            return _kind(file) is not None
    except OSError:
        return False


class ContentDigest:
    """A digest of a growing prefix of a log; it can be continued without the earlier bytes.

    XXH3-128 over the digest of all earlier whole MiB followed by the bytes since then.
    """

    STEP = 1 << 20

    def __init__(self, chain: str = "", position: int = 0) -> None:
        self.chain = chain  # digest up to the last multiple of STEP
        self.position = position  # a multiple of STEP on creation
        self._hash = xxhash.xxh3_128(chain.encode())

    def update(self, data: bytes) -> None:
        """Add the next bytes."""
        start, view = 0, memoryview(data)
        while start < len(data):
            piece = view[start : start + self.STEP - self.position % self.STEP]
            self._hash.update(piece)
            start += len(piece)
            self.position += len(piece)
            if self.position % self.STEP == 0:
                self.chain = self._hash.hexdigest()
                self._hash = xxhash.xxh3_128(self.chain.encode())

    @property
    def value(self) -> str:
        """Digest of all bytes added."""
        return self._hash.hexdigest()


class LineBlocks:
    """The content of a log from a position on, in blocks of whole lines.

    While iterating, `position` is the end of the current block. Afterwards `rest` holds the bytes after the
    last line end, and `damage` the reason if reading stopped early. A line longer than 64 MiB gives one block
    with its beginning, and `is_oversized` is true, so that no log can fill the memory.
    """

    def __init__(self, path: str, position: int, digest: ContentDigest, expected: str = "") -> None:
        """`digest` must stand at the last multiple of its step before `position`, and is then advanced to it.

        Its value at `position` must equal `expected`; otherwise the file has changed since it was chosen.
        """
        self.position = position
        self.is_oversized = False
        self.rest = b""
        self.damage: str | None = None
        self.is_moved = False  # whether the damage is a rotation
        self._path, self._digest, self._expected = path, digest, expected

    def __iter__(self) -> Iterator[bytes]:
        pieces: list[bytes] = []  # of a line whose end has not come yet
        oversized: bytes | None = None  # the beginning of a line that is too long to keep
        try:
            for chunk in self._content():
                end = chunk.rfind(b"\n") + 1
                if oversized is not None:
                    cut = chunk.find(b"\n") + 1
                    self._consume(chunk[: cut or len(chunk)])
                    if not cut:
                        continue
                    yield from self._give_oversized(oversized)
                    oversized = None
                    chunk, end = chunk[cut:], end - cut  # noqa: PLW2901 - what is left of it
                if end:
                    block = b"".join((*pieces, memoryview(chunk)[:end]))
                    self._consume(block)
                    yield block
                    pieces = []
                if end < len(chunk):
                    pieces.append(chunk[end:])
                if sum(map(len, pieces)) > LONGEST_LINE_BYTES:
                    oversized = b"".join(pieces)[:HEAD_BYTES]
                    for piece in pieces:
                        self._consume(piece)
                    pieces = []
        except LogDamaged as error:
            self.damage, self.is_moved = str(error), isinstance(error, LogMoved)
        if oversized is not None:
            yield from self._give_oversized(oversized)
        self.rest = b"".join(pieces)

    def consume_rest(self) -> None:
        """Count the rest as consumed."""
        self._consume(self.rest)
        self.rest = b""

    def _content(self) -> Iterator[bytes]:
        """The content from `position` on; first advances the digest to `position`."""
        for chunk in content(self._path, self._digest.position):
            before = self.position - self._digest.position
            if before > 0:
                self._digest.update(chunk[:before])
            if self._expected and self._digest.position == self.position:
                if self._digest.value != self._expected:
                    raise LogMoved("was replaced by another log while it was read; the next run reads both")
                self._expected = ""
            if len(chunk) > max(before, 0):
                yield chunk[before:] if before > 0 else chunk

    def _consume(self, data: bytes) -> None:
        self._digest.update(data)
        self.position += len(data)

    def _give_oversized(self, beginning: bytes) -> Iterator[bytes]:
        self.is_oversized = True
        yield beginning
        self.is_oversized = False


def head(path: str) -> tuple[bytes, str | None]:
    """Up to 64 KiB from the beginning of the content, and the reason if reading stopped early.

    Raises LogMoved.
    """
    data = b""
    try:
        for chunk in decompressed(path, HEAD_BYTES):
            data += chunk[: HEAD_BYTES - len(data)]
            if len(data) == HEAD_BYTES:
                break
    except LogMoved:
        raise
    except LogDamaged as error:
        return data, str(error)
    return data, None


def begins_with(path: str, length: int, digest: str, *, since: int = 0, chain: str = "") -> bool:
    """True if the first `length` bytes of the content have this digest.

    With `since` and `chain` (a digest's state at a multiple of its step) only the bytes from `since` on are
    read.
    """
    known = ContentDigest(chain, since)
    try:
        for chunk in content(path, since):
            known.update(chunk[: length - known.position])
            if known.position == length:
                break
    except LogDamaged:
        pass
    return known.position == length and known.value == digest
