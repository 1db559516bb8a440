"""Courses side by side: the numbers of the list, grouped; saved by its address."""

from __future__ import annotations

import re

import pytest
from tests.insights.test_numbers import table
from tests.insights.world import OLD_STYLE, World


def text_of(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_cards_have_the_numbers_of_the_list(world: World) -> None:
    with world.client("sofia") as client:
        listed = table(client.get("/courses/").text)[1:-1]
        page = client.get("/courses/portfolio/").text
    assert page.count("data-shape=") == len(listed) == 6
    for row in listed:
        assert f"{row[3]} enrolled , {row[5]} in 7 days" in text_of(page)


def test_groups_add_up_and_filters_hold(world: World) -> None:
    with world.client("sofia") as client:
        page = text_of(client.get("/courses/portfolio/?by=program").text)
        assert "Old Arts 1 course, 356 enrollments, +24 in 7 days" in page
        assert "In no program 4 courses" in page
        found = client.get("/courses/portfolio/?org=CampusX").text
        assert "1 of 6 courses" in found
        assert "<strong>356 learners</strong> are enrolled in the course shown" in found
        assert 'href="/courses/?org=CampusX"' in found
        assert "No course matches" in client.get("/courses/portfolio/?q=nothing").text


def test_only_what_one_may_see(world: World) -> None:
    with world.client("ines") as client:
        page = client.get("/courses/portfolio/").text
        assert page.count("data-shape=") == 1
        assert OLD_STYLE not in page
        assert client.get("/courses/switch/?q=old101").url.path == "/courses/"
    with world.client("lena") as client:
        assert client.get("/courses/portfolio/").status_code == 403


@pytest.mark.parametrize(
    ("code", "learners"),
    [("en", "learner"), ("es", "estudiante"), ("fr", "apprenant"), ("ar", "متعلم"), ("zh", "学习者")],
)
def test_sums_over_courses_are_of_enrollments_in_every_language(
    world: World, code: str, learners: str
) -> None:
    """A person in two courses is counted twice: no sentence, tile, group or file calls that a learner."""
    with world.client("sofia") as client:
        query = {"language": code}
        listed, cards = (client.get(f"/courses/{path}", params=query).text for path in ("", "portfolio/"))
        head = client.get("/courses/csv/course_list/").text.splitlines()[0]
        one = client.get("/courses/portfolio/", params=query | {"org": "CampusX"}).text
    parts = [
        *re.findall(r'<p class="answer">.*?</p>', listed + cards, re.DOTALL),
        *re.findall(r'<dl class="figures".*?</dl>', listed, re.DOTALL),
        *re.findall(r'<h2 id="group-\d+">.*?</p>', cards, re.DOTALL),
    ]
    assert len(parts) > 3
    assert not [part for part in parts if learners in part]
    assert "learner" not in head
    assert learners in text_of(one), "one course has learners"
