"""The content of logs in every format, from any position; what cannot be read is named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from tests.lake.place import Place
from tests.lake.strategies import regular

from pharos.lake import reader

CONTENT = b"".join(regular(number) + b"\n" for number in range(3000))


def zipped(*files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(files):
            archive.writestr(f"tracking.log-{number}", data)
    return target.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}
STREAMS = ["gzip", "zstd", "bzip2", "xz"]


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("start", [0, 1, 1000, len(CONTENT) - 1, len(CONTENT)])
def test_the_content_from_a_position_on(tmp_path: Path, kind: str, start: int) -> None:
    path = tmp_path / "tracking.log"  # the name says nothing of the kind
    path.write_bytes(PACK[kind](CONTENT))
    assert b"".join(reader.content(str(path), start)) == CONTENT[start:]
    assert reader.is_compressed(str(path)) == (kind != "plain")
    assert reader.head(str(path)) == (CONTENT[: reader.HEAD_BYTES], None)


@pytest.mark.parametrize("kind", STREAMS)
def test_members_follow_each_other(tmp_path: Path, kind: str) -> None:
    path, pack = tmp_path / "tracking.log.1", PACK[kind]
    path.write_bytes(pack(CONTENT[:777]) + pack(b"") + pack(CONTENT[777:]) + b"\0" * 8)
    assert b"".join(reader.content(str(path), 0)) == CONTENT


def test_files_in_a_zip_file_follow_each_other_on_lines_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "logs.zip").write_bytes(zipped(b"a\nb", b"", b"c\n", b"d"))
    assert b"".join(reader.content(str(tmp_path / "logs.zip"), 0)) == b"a\nb\nc\nd"


@pytest.mark.parametrize("kind", STREAMS)
def test_what_precedes_a_cut_is_read_and_the_cut_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "tracking.log.1"
    whole = PACK[kind](CONTENT[:-500]) + PACK[kind](CONTENT[-500:])
    path.write_bytes(whole[:-20])
    chunks: list[bytes] = []
    with pytest.raises(reader.LogDamaged, match=rf"{kind} data ends too early"):
        chunks.extend(reader.content(str(path), 0))
    found = b"".join(chunks)
    assert len(found) >= len(CONTENT) - 500
    assert CONTENT.startswith(found)


@pytest.mark.parametrize("kind", [*STREAMS, "zip"])
def test_damage_is_named(tmp_path: Path, kind: str) -> None:
    data = bytearray(PACK[kind](CONTENT))
    data[len(data) // 2 : len(data) // 2 + 40] = b"\x55" * 40
    (tmp_path / "tracking.log.1").write_bytes(data)
    with pytest.raises(reader.LogDamaged, match=rf"{kind} data (is damaged|ends too early)"):
        list(reader.content(str(tmp_path / "tracking.log.1"), 0))


def test_what_is_encrypted_is_named(tmp_path: Path) -> None:
    is_zip_encrypted = bytearray(zipped(CONTENT))
    for header, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        is_zip_encrypted[is_zip_encrypted.index(header) + flags] |= 1
    files = {
        "armored.log": b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n",
        "public-key.log.gpg": b"\x85\x01\x0c\x03" + bytes(50),
        "password.log.gpg": b"\x8c\x0d\x04\x09" + bytes(50),
        "password.zip": bytes(is_zip_encrypted),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        begin, problem = reader.head(str(tmp_path / name))
        assert begin == b""
        assert problem is not None
        assert "encrypted" in problem
        assert name.endswith("zip") or "gpg" in problem


@pytest.mark.parametrize("kind", PACK)
def test_a_log_is_the_same_whatever_it_is_packed_in(place: Place, tmp_path: Path, kind: str) -> None:
    (tmp_path / "tracking.log").write_bytes(CONTENT)
    place.read(tmp_path / "tracking.log")
    (tmp_path / f"tracking.log-20240302.{kind}").write_bytes(PACK[kind](CONTENT + regular(9999) + b"\n"))
    assert place.read(tmp_path / f"tracking.log-20240302.{kind}").lines == 1
    assert len(place.status.logs) == 1
