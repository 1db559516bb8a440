"""Due dates of graded assignments, found in the block tree of a course run as the LMS gives it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pharos.lms.rest import moment, one_line


@dataclass(frozen=True)
class Deadline:
    """The due time (UTC) of an assignment, and its name in the course."""

    due: datetime
    name: str


def deadlines_of(tree: Mapping[str, Any]) -> tuple[Deadline, ...]:
    """The assignments with a due date, by date.

    An assignment is the highest graded block of an assignment type (spec 06 §8.4); blocks inside it belong to
    it.
    """
    found = [
        Deadline(due, one_line(block.get("display_name")) or one_line(block.get("format")) or "")
        for block in _assignments(tree)
        if (due := moment(block.get("due"))) is not None
    ]
    return tuple(sorted(found, key=lambda deadline: deadline.due))


def _assignments(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Assignments in the tree. A tree from outside may have gaps and cycles: each existing block is visited
    once.
    """
    blocks = tree.get("blocks")
    waiting, seen = [tree.get("root")], set()
    while waiting and isinstance(blocks, Mapping):
        key = waiting.pop()
        block = blocks.get(key) if isinstance(key, str) and key not in seen else None
        seen.add(key)
        if not isinstance(block, Mapping):
            continue
        if block.get("graded") is True and block.get("format"):
            yield block
        else:
            waiting.extend(block.get("children") or [])
