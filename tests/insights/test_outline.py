"""How a course is built, out of block trees whole and broken (spec 06 §8.2-8.4, §8.6, §8.7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharos.insights.outline import key_of, natural, outline_of, player_id, slug

BLOCKS: dict[str, Any] = {
    "course": {"type": "course", "children": ["week1", "week2", "exam"]},
    "week1": {"type": "chapter", "display_name": "Week 1", "graded": False, "children": ["reading", "hw"]},
    "reading": {"type": "sequential", "display_name": "Reading", "graded": False, "children": ["unit"]},
    "unit": {"type": "vertical", "graded": False, "children": ["p1", "video", "split"]},
    "split": {"type": "split_test", "graded": False, "children": ["p2"]},
    "p1": {"type": "problem", "display_name": "One", "graded": False},
    "p2": {"type": "problem", "display_name": "  Two\n", "graded": False},
    "video": {"type": "video", "display_name": "See", "graded": False},
    "hw": {
        "type": "sequential",
        "display_name": "HW",
        "graded": True,
        "format": "Homework",
        "children": ["p3", "ora"],
    },
    "p3": {"type": "problem", "graded": True, "format": "Homework"},
    "ora": {"type": "openassessment", "graded": True, "format": "Homework"},
    "week2": {"type": "chapter", "display_name": "Week 2", "graded": True, "children": ["loose"]},
    "loose": {"type": "sequential", "graded": True, "children": ["inner"]},
    "inner": {"type": "vertical", "graded": True, "format": "Lab", "children": ["p4"]},
    "p4": {"type": "problem", "display_name": "Four", "graded": True},
    "exam": {"type": "chapter", "display_name": "Exam", "children": []},
}


def test_graded_blocks_of_a_type_are_assignments_at_any_depth() -> None:
    """A graded block without a type is looked into; what is no graded problem is left out."""
    outline = outline_of({"root": "course", "blocks": BLOCKS})
    assert outline is not None
    found = [
        (group.block.id, group.block.format, [p.id for p in group.leaves]) for group in outline.assignments
    ]
    assert found == [("hw", "Homework", ["p3"]), ("inner", "Lab", ["p4"])]


def test_sections_hold_what_is_ungraded_at_every_level() -> None:
    """Units and split tests are transparent; a chapter that does not say whether it is graded is left out."""
    outline = outline_of({"root": "course", "blocks": BLOCKS})
    assert outline is not None
    [section] = outline.sections
    assert section.block.name == "Week 1"
    assert [(group.block.name, [p.name for p in group.leaves]) for group in section.subsections] == [
        ("Reading", ["One", "Two"])
    ]
    assert [problem.id for problem in section.leaves] == ["p1", "p2"]


def test_every_problem_has_its_place() -> None:
    outline = outline_of({"root": "course", "blocks": BLOCKS})
    assert outline is not None
    assert list(outline.problems) == ["p1", "p2", "p3", "p4"]
    assert [block.id for block in outline.problems["p2"]] == ["week1", "reading", "unit", "split", "p2"]
    assert outline.problems["p3"][-1].name == "p3"


@pytest.mark.parametrize(
    "tree", [{}, {"blocks": BLOCKS}, {"root": "x", "blocks": BLOCKS}, {"root": 1, "blocks": []}]
)
def test_a_tree_without_a_root_tells_nothing(tree: dict[str, Any]) -> None:
    assert outline_of(tree) is None


def test_circles_and_gaps_end() -> None:
    blocks = {
        "a": {"type": "chapter", "children": ["b", "gone", 7, None]},
        "b": {"type": "problem", "children": ["a", "b"], "graded": "yes", "display_name": {"x": 1}},
    }
    outline = outline_of({"root": "a", "blocks": blocks})
    assert outline is not None
    assert list(outline.problems) == ["b"]
    assert outline.problems["b"][-1].graded is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)
KEYS = st.sampled_from(["a", "b", "c"])
ODD_BLOCK = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["chapter", "sequential", "problem"]) | JSON,
        "children": st.lists(KEYS, max_size=3) | JSON,
        "graded": st.booleans() | JSON,
        "format": JSON,
        "display_name": JSON,
    },
)


@given(
    st.fixed_dictionaries(
        {}, optional={"root": KEYS | JSON, "blocks": st.dictionaries(KEYS, ODD_BLOCK | JSON)}
    )
)
def test_no_tree_is_too_odd(tree: dict[str, Any]) -> None:
    outline = outline_of(tree)
    if outline is not None:
        assert len(outline.problems) <= 3
        assert sum(len(group.leaves) for group in outline.assignments) <= 3
        assert sum(len(section.leaves) for section in outline.sections) <= 3


def test_slugs_are_those_of_the_specification() -> None:
    assert slug("hello world") == "hello-world"
    assert slug("straße road") == "strasse-road"
    assert slug("Éxamen Final!") == "examen-final"
    assert slug("期末考试") == "期末考试"
    assert slug("!?") == "-"


def test_digits_sort_as_numbers() -> None:
    assert sorted(["p_10_1", "p_2_1", "p_2_10", "a"], key=natural) == ["a", "p_2_1", "p_2_10", "p_10_1"]
    assert sorted(["2", "a", "10"], key=natural) == ["2", "10", "a"]


def test_the_last_part_of_an_id_tells_blocks_apart() -> None:
    assert key_of("block-v1:a+b+c+type@problem+block@123") == "123"
    assert key_of("i4x://a/b/problem/p1") == "p1"
    assert key_of("odd@") == "odd@"


def test_how_players_name_videos() -> None:
    assert player_id("block-v1:a+b+c+type@video+block@8f_1") == "8f_1"
    assert player_id("i4x://a/b/video/c") == "i4x-a-b-video-c"
    assert player_id("i4x-a-b-video-c/d") == "i4x-a-b-video-c/d", "it is the name that players give already"


def test_sections_of_videos_graded_or_not() -> None:
    outline = outline_of({"root": "course", "blocks": BLOCKS})
    assert outline is not None
    found = {
        group.block.id: [leaf.id for leaf in group.leaves]
        for section in outline.video_sections
        for group in section.subsections
    }
    assert found == {"reading": ["video"], "hw": [], "loose": []}
    assert [section.block.id for section in outline.video_sections] == ["week1", "week2", "exam"]
    assert list(outline.videos) == ["video"]
