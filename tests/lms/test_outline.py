from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharos.lms.outline import DELETED_PATH, Block, NoOutline, outline

C = "course-v1:U+C+R"


def tree(root: str, children: dict[str, list[str]], **more: Any) -> dict[str, Any]:
    """A block tree as the LMS gives it; names are the ids with `Name of`."""
    ids = {root, *children, *(child for below in children.values() for child in below)}
    blocks = {
        key: {
            "id": key,
            "type": "vertical",
            "display_name": f"Name of {key}",
            "children": children.get(key, []),
        }
        for key in ids
    }
    for key, values in more.items():
        blocks.setdefault(key, {"id": key, "type": "vertical", "display_name": f"Name of {key}"}).update(
            values
        )
    return {"root": root, "blocks": blocks}


def by_id(answer: dict[str, Any]) -> dict[str, Block]:
    return {block.block_id: block for block in outline(C, answer)}


def test_the_worked_example() -> None:
    """spec 04 §3.3"""
    rows = outline(C, tree("R", {"R": ["A", "B"], "A": ["X"], "B": ["X", "Y"]}, Z={}))
    r = "Name of R"
    assert [
        (
            row.block_id,
            row.parent_block_id,
            row.is_root,
            row.is_dag,
            row.is_orphan,
            row.course_path,
            row.sort_idx,
        )
        for row in rows
    ] == [
        ("R", None, True, False, False, "", 0),
        ("A", "R", False, False, False, r, 1),
        ("X", "A", False, True, False, f"{r} / Name of A", 2),
        ("B", "R", False, False, False, r, 3),
        ("Y", "B", False, False, False, f"{r} / Name of B", 4),
        ("Z", None, False, False, True, DELETED_PATH, 6),
    ]


def test_a_course_of_one_block() -> None:
    """spec 04 §12.26"""
    [row] = outline(C, tree("R", {}))
    assert (row.is_root, row.course_path, row.sort_idx, row.position, row.section) == (
        True,
        "",
        0,
        None,
        None,
    )


def test_what_is_below_a_block_with_several_parents_has_one() -> None:
    """spec 04 §12.26"""
    rows = by_id(tree("R", {"R": ["A", "B"], "A": ["X"], "B": ["X"], "X": ["P"]}))
    assert rows["X"].is_dag
    assert not rows["P"].is_dag
    assert rows["P"].ancestor_ids == ["R", "A", "X"]


def test_orphans_stand_behind_all_blocks_with_all_below_them() -> None:
    rows = by_id(tree("R", {"R": ["A"], "Z": ["Y"]}))
    assert {key: row.sort_idx for key, row in rows.items()} == {"R": 0, "A": 1, "Y": 4, "Z": 4}
    assert rows["Y"].is_orphan
    assert rows["Y"].parent_block_id is None


def test_labels_by_position() -> None:
    answer = tree("R", {"R": ["S1", "S2"], "S2": ["Q"], "Q": ["U", "V"], "V": ["P"]})
    rows = by_id(answer)
    problem = rows["P"]
    assert problem.position == "2.1.2.1"
    assert (problem.section, problem.subsection, problem.unit) == ("Name of S2", "Name of Q", "Name of V")
    assert (rows["Q"].section, rows["Q"].subsection, rows["Q"].unit) == ("Name of S2", "Name of Q", None)
    assert rows["R"].section is None


def test_names_and_formats() -> None:
    rows = by_id(
        tree(
            "R",
            {"R": ["block-v1:U+C+R+type@problem+block@p1", "i4x://U/C/problem/p2", "A"]},
            **{
                "block-v1:U+C+R+type@problem+block@p1": {"display_name": None},
                "i4x://U/C/problem/p2": {"display_name": " \n"},
                "A": {"display_name": "two\nlines  here", "graded": True, "format": "Homework"},
            },
        )
    )
    assert rows["block-v1:U+C+R+type@problem+block@p1"].display_name == "p1"
    assert rows["i4x://U/C/problem/p2"].display_name == "p2"
    assert rows["A"].display_name == "two lines here"
    assert (rows["A"].graded, rows["A"].format) == (True, "Homework")
    assert (rows["R"].graded, rows["R"].format) == (False, None)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"root": "R"},
        {"blocks": {}},
        {"root": "R", "blocks": {"A": {}}},
        {"root": None, "blocks": {None: {}}},
        {"root": "R", "blocks": []},
    ],
)
def test_what_is_no_tree_is_said_to_be_none(answer: dict[str, Any]) -> None:
    """spec 04 §12.25"""
    with pytest.raises(NoOutline):
        outline(C, answer)


KEYS = st.sampled_from("RABCDEF")


@given(st.dictionaries(KEYS, st.lists(KEYS, max_size=4)))
def test_any_graph_becomes_an_outline(children: dict[str, list[str]]) -> None:
    """Circles, several parents, blocks below themselves: each has one row and stands after its parent."""
    answer = tree("R", children)
    rows = outline(C, answer)
    assert sorted(row.block_id for row in rows) == sorted(answer["blocks"])
    places = {row.block_id: row.sort_idx for row in rows}
    placed = [row for row in rows if not row.is_orphan]
    assert [row.sort_idx for row in placed] == list(range(len(placed)))
    for row in placed:
        if row.is_root:
            assert row.block_id == "R"
        else:
            assert row.parent_block_id is not None
            assert places[row.parent_block_id] < row.sort_idx
            assert row.ancestor_ids[-1] == row.parent_block_id
            assert row.ancestor_ids[0] == "R"


def test_a_tree_of_any_depth() -> None:
    keys = [f"k{number}" for number in range(2000)]
    chain = dict(zip(keys, [[key] for key in keys[1:]], strict=False))
    assert len(outline(C, tree("k0", chain))) == 2000
