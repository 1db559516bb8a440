"""What disks, restores and people do to the files of a lake, drawn at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path


def flip(draw: random.Random, path: Path) -> None:
    """Change one bit."""
    data = bytearray(path.read_bytes())
    bit = draw.randrange(8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def cut(draw: random.Random, path: Path) -> None:
    """Lose the end, or everything."""
    data = path.read_bytes()
    path.write_bytes(data[: draw.choice([0, draw.randrange(len(data))])])


def remove(_: random.Random, path: Path) -> None:
    path.unlink()


def zero(draw: random.Random, path: Path) -> None:
    """A page of zeros, as file systems leave behind."""
    data = bytearray(path.read_bytes())
    start = draw.randrange(len(data))
    end = min(start + 512, len(data))
    data[start:end] = bytes(end - start)
    path.write_bytes(data)


HARMS: Sequence[Callable[[random.Random, Path], None]] = (flip, cut, remove, zero)


def swap(one: Path, other: Path) -> None:
    """Two files change places."""
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)
