"""The outline of a course run from the LMS's block tree: assignments, sections, problems, videos. Pure.

Blocks are found by the rules of spec 06 §8.2-8.4.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pharos.lms.rest import one_line

DEEPEST = 30
"""Levels of a tree that are read; a course has about five."""


@dataclass(frozen=True)
class Block:
    """A node of a course; `format` is its assignment type, empty if it has none."""

    id: str
    type: str
    name: str
    graded: bool | None = None
    format: str = ""
    children: tuple[Block, ...] = ()

    def walk(self) -> Iterator[Block]:
        """The block and all blocks below it, in the order of the course."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Group:
    """A block that holds problems or videos: an assignment or a subsection."""

    block: Block
    leaves: tuple[Block, ...]
    """Its problems, or its videos."""


@dataclass(frozen=True)
class Section:
    """A section of the course with some of its subsections: the ungraded ones, or all."""

    block: Block
    subsections: tuple[Group, ...]

    @property
    def leaves(self) -> tuple[Block, ...]:
        """The problems, or the videos, of all its subsections."""
        return tuple(leaf for group in self.subsections for leaf in group.leaves)


@dataclass(frozen=True)
class Outline:
    """The structure of a course run, from the LMS."""

    root: Block

    @cached_property
    def assignments(self) -> tuple[Group, ...]:
        """Graded blocks of an assignment type with their graded problems."""
        return tuple(
            Group(block, tuple(_find(block, _is_graded_problem)))
            for block in _find(self.root, lambda block: block.graded is True and bool(block.format))
        )

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """Sections, subsections and their ungraded problems."""
        return self._sections("problem", _ungraded)

    @cached_property
    def video_sections(self) -> tuple[Section, ...]:
        """Sections, subsections and videos, graded or not."""
        return self._sections("video", _of_type)

    def _sections(self, leaf: str, matches: Callable[[str], Callable[[Block], bool]]) -> tuple[Section, ...]:
        return tuple(
            Section(
                chapter,
                tuple(
                    Group(sequential, tuple(_find(sequential, matches(leaf))))
                    for sequential in _find(chapter, matches("sequential"))
                ),
            )
            for chapter in _find(self.root, matches("chapter"))
        )

    @cached_property
    def videos(self) -> Mapping[str, tuple[Block, ...]]:
        """Like `problems`, by the video's id in players' events."""
        return {player_id(path[-1].id): path[1:] for path in _paths((self.root,)) if path[-1].type == "video"}

    @cached_property
    def problems(self) -> Mapping[str, tuple[Block, ...]]:
        """Problem id -> the blocks from below the root down to it, in the order of the course."""
        return {path[-1].id: path[1:] for path in _paths((self.root,)) if path[-1].type == "problem"}


def outline_of(tree: Mapping[str, Any]) -> Outline | None:
    """The outline from a block tree; None without a root. Gaps and cycles are left out."""
    blocks = tree.get("blocks")
    root = _block(blocks, tree.get("root"), set(), 0) if isinstance(blocks, Mapping) else None
    return Outline(root) if root is not None else None


def key_of(block_id: str) -> str:
    """The last part of a usage id, which people can recognise if a block has no name."""
    return re.split(r"[@/]", block_id)[-1] or block_id


def player_id(block_id: str) -> str:
    """The id of a video in players' events: `block-v1:…+block@x` is x, `i4x://a/b/video/c` is
    i4x-a-b-video-c.
    """
    _, is_new, key = block_id.partition("+block@")
    if is_new:
        return key
    return re.sub("[:/]+", "-", block_id) if block_id.startswith("i4x://") else block_id


def slug(text: str) -> str:
    """Lower case, words joined by hyphens, without accents, letters of any script (spec 06 §8.7)."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", "-", plain).strip("-") or "-"


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key that puts `p_2_1` before `p_10_1` (spec 06 §8.6)."""
    runs = re.findall(r"[0-9]+|[^0-9]+", text)
    return [(0, int(run), "") if run[0].isdigit() else (1, 0, run) for run in runs]


def _block(blocks: Mapping[Any, Any], key: object, seen: set[str], depth: int) -> Block | None:
    if not isinstance(key, str) or key in seen or depth > DEEPEST:
        return None
    found = blocks.get(key)
    if not isinstance(found, Mapping):
        return None
    seen.add(key)
    children = found.get("children")
    below = [_block(blocks, k, seen, depth + 1) for k in (children if isinstance(children, list) else ())]
    graded = found.get("graded")
    return Block(
        id=key,
        type=one_line(found.get("type")) or "",
        name=one_line(found.get("display_name")) or key_of(key),
        graded=graded if isinstance(graded, bool) else None,
        format=one_line(found.get("format")) or "",
        children=tuple(child for child in below if child is not None),
    )


def _find(block: Block, matches: Callable[[Block], bool]) -> Iterator[Block]:
    """The highest blocks that match; blocks inside a match are not searched."""
    if matches(block):
        yield block
    else:
        for child in block.children:
            yield from _find(child, matches)


def _is_graded_problem(block: Block) -> bool:
    return block.type == "problem" and block.graded is True


def _of_type(kind: str) -> Callable[[Block], bool]:
    return lambda block: block.type == kind


def _ungraded(kind: str) -> Callable[[Block], bool]:
    return lambda block: block.type == kind and block.graded is False


def _paths(path: tuple[Block, ...]) -> Iterator[tuple[Block, ...]]:
    yield path
    for child in path[-1].children:
        yield from _paths((*path, child))
