"""How learners move through a course, counted once more in plain Python, learner by learner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

LEVELS = ("course", "section", "subsection", "unit")
HOLDERS = ("course", "chapter", "sequential", "vertical")


@dataclass(frozen=True)
class Did:
    """What a learner did with a block; `moment` of visits only."""

    user: int
    what: str  # reached, tried, watched, completed
    block: str
    moment: int = 0


def flow(
    blocks: Iterable[dict[str, Any]], acts: Iterable[Did], gone: set[int]
) -> dict[tuple[str, str], dict[str, Any]]:
    """(level, place) -> the figures of the place, of those that anybody reached."""
    known, acts = {block["block_id"]: block for block in blocks}, list(acts)
    path = {name: [*block["ancestor_ids"], name][:4] for name, block in known.items()}
    types = {known[act.block]["block_type"] for act in acts if act.what == "completed" and act.block in known}
    counting = {
        name for name, block in known.items()
        if block["block_type"] in types - set(HOLDERS) and not block["is_deleted"]
    }  # fmt: skip
    figures: dict[tuple[str, str], dict[str, Any]] = {}
    nexts: dict[str, Counter[str]] = {}
    for user in sorted({act.user for act in acts}):
        mine = [act for act in acts if act.user == user and act.block in known]
        visits = [act for act in mine if act.what == "reached"]
        done = {act.block for act in mine if act.what == "completed"}
        for depth, level in enumerate(LEVELS):
            for place in {path[act.block][depth] for act in mine if len(path[act.block]) > depth}:
                within = {act.what for act in mine if place in path[act.block]}
                needed = {name for name in counting if place in path[name]}
                row = figures.setdefault((level, place), Counter())
                row["reached"] += 1
                row["tried"] += "tried" in within
                row["watched"] += "watched" in within
                row["completed"] = None if not needed else row["completed"] + (needed <= done)
            seen = [
                (act.moment, known[path[act.block][depth]]["sort_idx"], path[act.block][depth])
                for act in visits if len(path[act.block]) > depth
            ]  # fmt: skip
            if seen and user in gone:
                figures[level, max(seen)[2]]["stopped"] += 1
            if level == "subsection":
                order = list(dict.fromkeys(place for _, _, place in sorted(seen)))
                for place, following in pairwise(order):
                    nexts.setdefault(place, Counter())[following] += 1
    for place, counts in nexts.items():
        best = min(counts, key=lambda name: (-counts[name], known[name]["sort_idx"]))
        row = figures["subsection", place]
        row["next"], row["next_learners"] = best, counts[best]
    return figures
