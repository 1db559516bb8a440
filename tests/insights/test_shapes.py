"""Sparklines: their shape, and who may see them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.insights.world import OLD_STYLE, World

from pharos.insights.shapes import points_of


def heights(points: str) -> list[float]:
    return [float(point.split(",")[1]) for point in points.split()]


def test_a_flat_course_looks_flat_and_a_growing_one_grows() -> None:
    assert heights(points_of([100, 101, 100])) == [3.9, 3.0, 3.9]
    assert heights(points_of([0, 50, 100])) == [21.0, 12.0, 3.0]
    assert points_of([5]) == ""
    assert heights(points_of([0, 0])) == [21.0, 21.0]


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=100))
def test_every_shape_stays_in_its_box(values: list[int]) -> None:
    assert all(3 <= height <= 21 for height in heights(points_of(values)))


def test_shapes_of_what_one_may_see_and_of_nothing_else(world: World) -> None:
    address = "/courses/shapes/"
    query = {"course": [world.course_id, OLD_STYLE, "course-v1:No+Such+Course"]}
    with world.client("sofia") as client:
        assert set(client.get(address, params=query).json()) >= {world.course_id, OLD_STYLE}
    with world.client("ines") as client:
        assert set(client.get(address, params=query).json()) == {world.course_id}
        assert client.get(address, params={"course": ["x"] * 1000}).status_code == 422
