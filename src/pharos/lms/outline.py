"""Converts the LMS's block tree of a course run into rows of the outline (spec 04 §3.3). Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from pharos.lms.rest import moment, one_line

DELIMITER = " / "
DELETED_PATH = "(Deleted block :)"
_LEVELS = 3  # section, subsection, unit


@dataclass(frozen=True)
class Block:
    """A row of the outline."""

    course_id: str
    block_id: str
    block_type: str
    display_name: str
    is_root: bool
    is_orphan: bool
    """Not reached from the root: deleted, or cut off with what was above it."""
    is_dag: bool
    """Has several parents; its place is that below the first."""
    parent_block_id: str | None
    course_path: str
    """Names of the blocks above it."""
    ancestor_ids: list[str]
    """Ids of the blocks above it, the root first: names may hold the delimiter, ids do not."""
    sort_idx: int
    """Place in the order of the course, from 0."""
    position: str | None
    """Place below the root, like `2.1.3` for the third unit of the first subsection of the second section."""
    section: str | None
    subsection: str | None
    unit: str | None
    graded: bool
    format: str | None
    """Assignment type, if graded."""
    due: datetime | None
    """UTC, naive."""
    video_seconds: float | None
    """Length of a video, where the LMS knows it."""
    transcript_languages: list[str] | None
    """Of a video."""


class NoOutline(ValueError):
    """The answer is not a block tree."""


def outline(course_id: str, answer: Mapping[str, Any]) -> list[Block]:
    """The blocks in the order of the course; orphans last, in the order of their ids.

    A block with several parents is placed under the first one. Raises NoOutline with the reason. Source: spec
    04 §3.3, algorithm and worked example.
    """
    blocks, root = answer.get("blocks"), answer.get("root")
    if not isinstance(blocks, Mapping) or not isinstance(root, str) or root not in blocks:
        raise NoOutline("the answer has no root, or no block of that id")
    known = {key: block for key, block in blocks.items() if isinstance(block, Mapping)}
    places: dict[str, _Place] = {}
    several: set[str] = set()
    for place in _walk(root, known):
        if place.id in places:
            several.add(place.id)
        else:
            places[place.id] = place
    rows = [
        _row(course_id, known, place, number, is_dag=place.id in several)
        for number, place in enumerate(places.values())
    ]
    return rows + [_orphan(course_id, known, key) for key in sorted(known.keys() - places.keys())]


@dataclass(frozen=True)
class _Place:
    id: str
    ancestors: tuple[str, ...]
    numbers: tuple[int, ...]


def _walk(root: str, blocks: Mapping[str, Mapping[str, Any]]) -> Iterator[_Place]:
    """Every place of every block in pre-order; the children of a block are visited only at its first place.

    Uses a stack instead of recursion: a tree from outside may have any depth, and even a cycle.
    """
    seen: set[str] = set()
    waiting = [_Place(root, (), ())]
    while waiting:
        place = waiting.pop()
        if place.id not in blocks:
            continue
        yield place
        if place.id in seen:
            continue
        seen.add(place.id)
        children = blocks[place.id].get("children")
        below = [
            _Place(child, (*place.ancestors, place.id), (*place.numbers, number))
            for number, child in enumerate(children if isinstance(children, list) else [], start=1)
            if isinstance(child, str)
        ]
        waiting.extend(reversed(below))


def _row(
    course_id: str, blocks: Mapping[str, Mapping[str, Any]], place: _Place, number: int, *, is_dag: bool
) -> Block:
    names = [_name(blocks, ancestor) for ancestor in place.ancestors]
    levels = [*names[1:], _name(blocks, place.id)][:_LEVELS] if place.ancestors else []
    section, subsection, unit = (dict(enumerate(levels)).get(level) for level in range(_LEVELS))
    return Block(
        course_id=course_id,
        block_id=place.id,
        display_name=_name(blocks, place.id),
        is_root=not place.ancestors,
        is_orphan=False,
        is_dag=is_dag,
        parent_block_id=place.ancestors[-1] if place.ancestors else None,
        course_path=DELIMITER.join(names),
        ancestor_ids=list(place.ancestors),
        sort_idx=number,
        position=".".join(map(str, place.numbers)) or None,
        section=section,
        subsection=subsection,
        unit=unit,
        **_properties(blocks[place.id]),
    )


def _orphan(course_id: str, blocks: Mapping[str, Mapping[str, Any]], key: str) -> Block:
    return Block(
        course_id=course_id,
        block_id=key,
        display_name=_name(blocks, key),
        is_root=False,
        is_orphan=True,
        is_dag=False,
        parent_block_id=None,
        course_path=DELETED_PATH,
        ancestor_ids=[],
        sort_idx=len(blocks),
        position=None,
        section=None,
        subsection=None,
        unit=None,
        **_properties(blocks[key]),
    )


def _properties(block: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a block that do not depend on its place."""
    due, view = moment(block.get("due")), block.get("student_view_data")
    video = view if isinstance(view, Mapping) and block.get("type") == "video" else {}
    transcripts = video.get("transcripts")
    languages = transcripts if isinstance(transcripts, Mapping) else {}
    return {
        "block_type": str(block.get("type") or ""),
        "graded": block.get("graded") is True,
        "format": one_line(block.get("format")),
        "due": due and due.replace(tzinfo=None),
        "video_seconds": _seconds(video.get("duration")),
        "transcript_languages": sorted(filter(None, map(one_line, languages))) or None,
    }


def _seconds(value: object) -> float | None:
    """A length in seconds; None if it is unknown, for which the LMS gives 0."""
    return float(value) if isinstance(value, int | float) and isfinite(value) and value > 0 else None


def _name(blocks: Mapping[str, Mapping[str, Any]], key: str) -> str:
    """The display name; for a block without a name, the last part of the id."""
    return one_line(blocks[key].get("display_name")) or key.rpartition("@")[2].rpartition("/")[2] or key
