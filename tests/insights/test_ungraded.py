"""Ungraded problems by section and subsection: the numbers of the Data API, the sentence of a naive count."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser
from tests.insights.answers_given import counted
from tests.insights.test_browser import LOOKS
from tests.insights.test_numbers import table
from tests.insights.test_problem_lists import answer, in_path, looked_at, percent, problems_in, said_of
from tests.insights.world import OLD_STYLE, World, answer_rows

from pharos.demo.courses import Block

UNGRADED = "performance/ungraded_content/"


def lectures(world: World) -> list[tuple[Block, Block]]:
    """The ungraded subsections with their sections."""
    return [(chapter, block) for chapter, block in world.campus.courses[0].sequentials if not block.graded]


def test_from_the_course_to_the_problem(world: World) -> None:
    """Each level says how its problems were answered and leads one level down."""
    numbers = counted(
        answer_rows(world.campus), [p.id for _, block in lectures(world) for p in problems_in(block)]
    )
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/{UNGRADED}").text
        assert answer(page) == said_of(world, [p for _, block in lectures(world) for p in problems_in(block)])
        head, *rows = table(page)
        assert head[0] == "Section"
        for row, (chapter, block) in zip(rows, lectures(world), strict=True):
            total = sum(numbers[p.id][0] for p in problems_in(block))
            right = sum(numbers[p.id][1] for p in problems_in(block))
            assert (row[0], row[1]) == (chapter.name, str(len(problems_in(block))))
            assert row[-1] == percent(right, total)
        chapter, block = lectures(world)[1]
        [problem] = problems_in(block)
        address = ""
        for level, name in (("Subsection", chapter.name), ("Problem", block.name), ("", problem.name)):
            [address] = set(re.findall(rf'<a href="([^"]+)"><bdi>{name}</bdi></a>', page)) - {address}
            page = client.get(address).text
            assert not level or table(page)[0][0] == level
        assert "How did learners answer this problem?" in page
        assert client.get(f"{address}parts/{in_path(part_of(problem))}/answer_distribution/").text.count(
            problem.name
        )


def part_of(problem: Block) -> str:
    assert problem.problem is not None
    return problem.problem.variants[0][1][0].id


def test_what_is_not_there_is_not_found(world: World) -> None:
    (chapter, block), (other, elsewhere) = lectures(world)[:2]
    base = f"/courses/{world.course_id}/{UNGRADED}sections/"
    with world.client("sofia") as client:
        for address in (
            f"{base}no/",
            f"{base}{in_path(chapter.id)}/subsections/{in_path(elsewhere.id)}/",
            f"{base}{in_path(chapter.id)}/subsections/{in_path(block.id)}/problems/{in_path(problems_in(elsewhere)[0].id)}/",
            f"{base}{in_path(other.id)}/subsections/{in_path(elsewhere.id)}/problems/no/",
        ):
            assert client.get(address).status_code == 404, address
        assert client.get(f"/courses/{OLD_STYLE}/{UNGRADED}").text.count("does not tell how this course") == 1
        empty = client.get(f"/courses/{world.campus.courses[2].id}/{UNGRADED}").text
        assert "Nobody has answered yet." in answer(empty)


@pytest.mark.parametrize("name", LOOKS)
def test_axe_finds_nothing(browser: Browser, world: World, name: str) -> None:
    chapter, block = lectures(world)[0]
    base = f"/courses/{world.course_id}/{UNGRADED}"
    section = f"{base}sections/{in_path(chapter.id)}/"
    subsection = f"{section}subsections/{in_path(block.id)}/"
    looked_at(browser, world, name, [base, section, subsection])
