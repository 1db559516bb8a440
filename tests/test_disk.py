"""The disk that loses power keeps what was synced, and may lose everything else."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from tests.disk import Disk, record

PROGRAM = """
import os, sys
from pathlib import Path
from pharos.lake.safely import write_atomically
home = Path(sys.argv[1])
(home / "folder").mkdir()
(home / "plain").write_bytes(b"not synced")
(home / "renamed.tmp").write_bytes(b"new")
(home / "renamed.tmp").rename(home / "renamed")
write_atomically(home / "folder" / "safe", b"synced")
with (home / "renamed").open("r+b") as file:
    file.seek(1)
    file.write(b"X")
(home / "gone").unlink()
os.link(home / "plain", home / "linked")
"""


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """A disk after the program above; `old` and `gone` were there before it."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("old", "gone", "renamed"):
        (home / name).write_bytes(b"old")
    disk = Disk.of(home)
    for call in record([sys.executable, "-c", PROGRAM, str(home)], tmp_path / "trace"):
        disk.do(call)
    return disk


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_without_a_crash_everything_is_there(disk: Disk, tmp_path: Path) -> None:
    disk.crash(tmp_path / "after", random.Random(1), keeps=1)
    assert content(tmp_path / "after") == content(disk.root) == {
        "old": b"old", "plain": b"not synced", "renamed": b"nXw", "folder/safe": b"synced",
        "linked": b"not synced",
    }  # fmt: skip


def test_a_crash_may_lose_whatever_was_not_synced(disk: Disk, tmp_path: Path) -> None:
    seen: dict[str, set[bytes | None]] = {}
    for seed in range(60):
        disk.crash(tmp_path / str(seed), random.Random(seed), keeps=0.5)
        found = content(tmp_path / str(seed))
        for name in ("old", "gone", "plain", "renamed", "folder/safe"):
            seen.setdefault(name, set()).add(found.get(name))
    assert seen["old"] == {b"old"}
    assert seen["folder/safe"] == {b"synced"}
    assert {b"", b"not synced"} < seen["plain"]
    assert {b"", b"nXw"} < seen["renamed"]  # a name that counts before its content does
    assert seen["gone"] == {b"old", None}
