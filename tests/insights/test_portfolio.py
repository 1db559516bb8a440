"""Courses side by side: the numbers of the list, grouped; saved by its address."""

from __future__ import annotations

import re

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
        assert "<strong>356 learners</strong> are enrolled in your course" in found
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
