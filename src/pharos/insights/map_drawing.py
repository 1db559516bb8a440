"""A map of a course: one small bar for each problem, or each video, by section and subsection. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pharos.insights.outline import Outline

TOP, FULL = 18.5, 55.5
"""Of the drawing, in its units: where 100% is, and how far below it 0% is."""
WIDTH = 24
"""Of the place of a bar."""


@dataclass(frozen=True)
class Spot:
    """A block on the map; a spot without an address has no bar."""

    label: str
    href: str
    share: float | None
    """Height of the bar, of 1."""
    hollow: bool = False
    worst: str = ""
    """Its share in words, where it is one of the lowest."""


@dataclass(frozen=True)
class Bar:
    """A spot as drawn: `x` from the start of its row, `y` from the top."""

    spot: Spot
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Row:
    """The bars of one subsection."""

    name: str
    bars: tuple[Bar, ...]

    @property
    def width(self) -> int:
        return WIDTH * len(self.bars)


@dataclass(frozen=True)
class Chapter:
    """One section of the course."""

    name: str
    note: str
    rows: tuple[Row, ...]


def chapters(
    outline: Outline, spots: Mapping[str, Spot], note: Callable[[Sequence[str]], str]
) -> tuple[Chapter, ...]:
    """The sections of the course that have spots, with their subsections and bars.

    `spots` are by block id; `note` gives a text about the blocks of a section.
    """
    found = []
    for chapter in outline.root.children:
        blocks = [
            (block.name, [b.id for b in block.walk() if b.id in spots])
            for block in (chapter.children or (chapter,))
        ]
        if any(own for _, own in blocks):
            rows = (row_of(name, [spots[block_id] for block_id in own]) for name, own in blocks if own)
            found.append(Chapter(chapter.name, note([i for _, own in blocks for i in own]), tuple(rows)))
    return tuple(found)


def row_of(name: str, spots: Sequence[Spot]) -> Row:
    """The bars of some spots, side by side."""
    return Row(name, _bars(spots))


def _bars(spots: Sequence[Spot]) -> tuple[Bar, ...]:
    bars = []
    for place, spot in enumerate(spots):
        height = round((spot.share or 0.0) * FULL, 2)
        bars.append(Bar(spot, WIDTH * place, round(TOP + FULL - height, 2), height))
    return tuple(bars)


def median(values: Sequence[float]) -> float | None:
    """The median of sorted values; None if there are none."""
    if not values:
        return None
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2
