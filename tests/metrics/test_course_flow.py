"""How learners move through a course: reached, completed, tried, watched, stopped. `spec 90 §9-13, 14`"""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from tests.metrics.conftest import Compute
from tests.metrics.naive_flow import Did, flow

from pharos.result_store.contract import columns as columns_of
from pharos.result_store.tables import course_flow

TABLE, UNTIL = "course_flow", datetime(2024, 3, 31)
TYPES = {"c": "chapter", "s": "sequential", "u": "vertical", "p": "problem", "v": "video", "h": "html"}
OUTLINE = """
c1
  s1
    u1: p1 v1
    u2: p2 h1
  s2
    u3: p3
c2
  s3
    u4: p4 v2
"""
Row = dict[str, Any]


def usage(name: str) -> str:
    return f"block-v1:C+type@{TYPES.get(name[0], 'course')}+block@{name}"


def outline(text: str = OUTLINE, gone: str = "") -> list[Row]:
    """Rows of `course_blocks`; `gone` are the blocks that were deleted."""
    rows, above = [], [("course", -1)]
    found: list[tuple[str, list[str]]] = [("course", [])]
    for line in filter(None, text.split("\n")):
        depth, (name, _, leaves) = (len(line) - len(line.lstrip())) // 2, line.strip().partition(":")
        above = above[: depth + 1]
        found.append((name, [one for one, _ in above]))
        above.append((name, depth))
        found += [(leaf, [one for one, _ in above]) for leaf in leaves.split()]
    for number, (name, ancestors) in enumerate(found):
        rows.append({
            "course_id": "C", "block_id": usage(name), "block_type": TYPES.get(name[0], "course"),
            "display_name": name.upper(), "is_root": not ancestors, "is_orphan": False, "is_dag": False,
            "is_deleted": name in gone.split(), "graded": False, "sort_idx": number,
            "parent_block_id": usage(ancestors[-1]) if ancestors else None,
            "ancestor_ids": [usage(one) for one in ancestors],
        })  # fmt: skip
    rows[0]["block_type"] = "course"
    return rows


def inputs(
    acts: list[Did], gone: Collection[int], blocks: list[Row], *, by_lms: bool = True
) -> dict[str, Any]:
    """What a run would be given, of learners who did this; `gone` are quiet."""
    day = date(2024, 3, 1)
    visits = [
        {"date": day, "course_id": "C", "user_id": act.user, "block_id": usage(act.block), "kind": act.what,
         "first_moment": act.moment, "last_moment": act.moment}
        for act in acts if act.what == "reached" or (act.what in ("completed", "taken back") and not by_lms)
    ]  # fmt: skip
    kinds = {"tried": ("problem", "attempted"), "watched": ("video", "viewed")}
    interactions = [
        {"date": day, "course_id": "C", "user_id": act.user, "username": f"u{act.user}", "count": 1,
         "entity_type": kinds[act.what][0], "action": kinds[act.what][1], "event_source": "server",
         "entity_id": act.block if act.what == "watched" else usage(act.block)}
        for act in acts if act.what in kinds
    ]  # fmt: skip
    completions = [
        {"id": number, "user_id": act.user, "course_key": "C", "block_key": usage(act.block),
         "completion": 1.0, "modified": UNTIL}
        for number, act in enumerate(acts) if act.what == "completed" and by_lms
    ]  # fmt: skip
    statuses = [
        {"course_id": "C", "user_id": user, "status": "quiet" if user in gone else "active",
         "rule": "pause" if user in gone else "recent activity", "enrolled_date": day}
        for user in {act.user for act in acts}
    ]  # fmt: skip
    return {
        "place_visit": visits, "interaction": interactions, "completion_blockcompletion": completions,
        "course_blocks": blocks, "learner_status": statuses,
    }  # fmt: skip


def flowed(compute: Compute, acts: list[Did], gone: Collection[int] = (), **more: Any) -> dict[str, Row]:
    """The rows by the block's name."""
    blocks = more.pop("blocks", None) or outline()
    names = [column.name for column in columns_of(course_flow)]
    given = inputs(acts, gone, blocks, **more)
    rows = [dict(zip(names, row, strict=True)) for row in compute(TABLE, UNTIL, **given)]
    return {row["block_id"].rpartition("@")[2]: row for row in rows}


def test_a_section_counts_a_learner_once(compute: Compute) -> None:
    """Ann visits three units of a section and tries two problems; Bo only opens the first subsection."""
    acts = [
        Did(1, "reached", "u1", 1), Did(1, "reached", "u2", 2), Did(1, "reached", "p3", 3),
        Did(1, "tried", "p1"), Did(1, "tried", "p2"), Did(1, "watched", "v1"), Did(2, "reached", "s1", 1),
        Did(3, "tried", "p4"),
    ]  # fmt: skip
    found = flowed(compute, acts)
    counts = {name: (row["reached"], row["tried"], row["watched"]) for name, row in found.items()}
    assert counts == {
        "course": (3, 2, 1), "c1": (2, 1, 1), "s1": (2, 1, 1), "u1": (1, 1, 1), "u2": (1, 1, 0),
        "s2": (1, 0, 0), "u3": (1, 0, 0), "c2": (1, 1, 0), "s3": (1, 1, 0), "u4": (1, 1, 0),
    }  # fmt: skip
    assert {row["completed"] for row in found.values()} == {None}, (
        "nobody is known to have completed anything"
    )


def test_all_needs_all(compute: Compute) -> None:
    """spec 90 §9-13: problems count, as one was completed; videos and texts do not."""
    acts = [Did(1, "completed", name) for name in ("p1", "p2", "p3")] + [Did(2, "completed", "p1")]
    for by_lms in (True, False):
        found = flowed(compute, acts, by_lms=by_lms)
        assert {name: row["completed"] for name, row in found.items()} == {
            "course": 0, "c1": 1, "s1": 1, "u1": 2, "u2": 1, "s2": 1, "u3": 1, "c2": None, "s3": None,
            "u4": None,
        }  # fmt: skip


def test_what_is_taken_back_is_not_complete(compute: Compute) -> None:
    acts = [
        Did(1, "completed", "p3", 1), Did(1, "taken back", "p3", 2),
        Did(2, "taken back", "p3", 1), Did(2, "completed", "p3", 2),
    ]  # fmt: skip
    assert flowed(compute, acts, by_lms=False)["u3"]["completed"] == 1


def test_where_learners_stop_and_where_they_go(compute: Compute) -> None:
    """Three go from s1 to s2 and two of them on to s3; one goes from s1 to s3 and back. 4 is not quiet."""
    tours = {1: "u1 u3 u4", 2: "u1 u3", 3: "u2 u3 u4", 4: "u1 u4 u1"}
    acts = [
        Did(user, "reached", name, moment)
        for user, tour in tours.items()
        for moment, name in enumerate(tour.split())
    ]
    found = flowed(compute, acts, gone={1, 2, 3})
    assert {name: row["stopped"] for name, row in found.items() if row["stopped"]} == {
        "course": 3, "c1": 1, "s2": 1, "u3": 1, "c2": 2, "s3": 2, "u4": 2,
    }  # fmt: skip
    nexts = {
        name: (row["next_block_id"], row["next_learners"])
        for name, row in found.items()
        if row["next_block_id"]
    }
    assert nexts == {"s1": (usage("s2"), 3), "s2": (usage("s3"), 2)}


def test_names_and_places_are_those_of_today(compute: Compute) -> None:
    """spec 90 §9-14: a subsection that was renamed, and one that was deleted after it was reached."""
    blocks = outline(gone="s2 u3 p3 s3")
    next(row for row in blocks if row["block_id"] == usage("s1"))["display_name"] = "New"
    found = flowed(compute, [Did(1, "reached", "s1", 1), Did(1, "reached", "u3", 2)], blocks=blocks)
    assert (found["s1"]["display_name"], found["s1"]["is_deleted"]) == ("New", False)
    assert (found["s2"]["display_name"], found["s2"]["is_deleted"], found["s2"]["reached"]) == ("S2", True, 1)
    assert "s3" not in found, "deleted, and nobody was there"
    assert found["c1"]["reached"] == found["course"]["reached"] == 1


def test_without_an_outline_there_is_nothing(compute: Compute) -> None:
    given = inputs([Did(1, "reached", "u1", 1)], set(), [])
    assert compute(TABLE, UNTIL, **given) == []


def test_much_random_activity(compute: Compute) -> None:
    """Equal to the naive count."""
    dice = random.Random(5)
    blocks = outline(gone="u2 p2 h1")
    leaves = [row["block_id"].rpartition("@")[2] for row in blocks]
    acts, moment = [], 0
    for _ in range(900):
        user, what = (
            dice.randrange(1, 60),
            dice.choice(("reached", "reached", "tried", "watched", "completed")),
        )
        of_kind = {"tried": "p", "watched": "v", "completed": "pvh"}.get(what, "csupvh")
        moment += dice.randrange(2)
        acts.append(Did(user, what, dice.choice([name for name in leaves if name[0] in of_kind]), moment))
    gone = {user for user in range(60) if user % 3}
    found = flowed(compute, acts, gone, blocks=blocks)
    named = [Did(act.user, act.what, usage(act.block), act.moment) for act in acts]
    expected = flow(blocks, named, gone)
    for (level, place), figures in expected.items():
        row = found[place.rpartition("@")[2]]
        assert row["level"] == level
        for name in ("reached", "tried", "watched", "completed", "stopped"):
            assert row[name] == (figures.get(name, 0)), (place, name)
        assert (row["next_block_id"], row["next_learners"]) == (
            figures.get("next"),
            figures.get("next_learners"),
        )
    assert sum(row["reached"] > 0 for row in found.values()) == len(expected)
