"""The course map: a bar for each problem as high as its share, the lowest named, the table worst first."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser
from tests.insights.answers_given import counted, problems_of
from tests.insights.test_browser import LOOKS
from tests.insights.test_numbers import figures, table
from tests.insights.test_problem_lists import answer, looked_at, percent
from tests.insights.world import OLD_STYLE, World, answer_rows

from pharos.insights.directory import Course
from pharos.insights.language import languages
from pharos.insights.outline import Block, Outline
from pharos.insights.pages.course_map import sentence, spots_of, worst_of
from pharos.insights.problem_counts import Counts

MAP = "performance/course_map/"
WORDS = languages()["en"]


def test_every_problem_is_a_bar_and_the_lowest_three_are_named(world: World) -> None:
    problems = problems_of(world.campus.courses[0])
    numbers = counted(answer_rows(world.campus), [p.id for p in problems])
    told = sorted(
        (p for p in problems if numbers[p.id][0] >= 10),
        key=lambda p: (numbers[p.id][1] / numbers[p.id][0], -numbers[p.id][0]),
    )
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/{MAP}").text
    shares = {p.id: percent(numbers[p.id][1], numbers[p.id][0]) for p in problems}
    one, two, three = (f"{p.name} ({shares[p.id]})" for p in told[:3])
    assert answer(page) == f"The fewest right answers are at {one}, {two} and {three}."
    bars = re.findall(r'<rect class="s1( o)?" x="[^"]+" y="([^"]+)" width="[^"]+" height="([^"]+)"/>', page)
    assert len(bars) == len(problems)
    for (hollow, y, height), problem in zip(bars, problems, strict=True):
        total, right = numbers[problem.id]
        assert bool(hollow) is not problem.graded
        assert float(height) == pytest.approx(55.5 * right / total, abs=0.01)
        assert float(y) + float(height) == pytest.approx(74, abs=0.02)
    assert page.count('class="w"') == 3
    rows = table(page)[1:]
    assert [row[2] for row in rows] == sorted(
        (shares[p.id] for p in problems), key=lambda text: float(text[:-1])
    )
    assert figures(page)["below_half"] == str(sum(1 for p in told if numbers[p.id][1] * 2 < numbers[p.id][0]))


def test_problems_that_left_the_course_stay_in_the_table() -> None:
    outline = Outline(Block("c", "course", "C", children=(Block("p", "problem", "P", True),)))
    spots = spots_of(WORDS, Course("a/b/c", "C"), {"gone": Counts(20, 1), "p": Counts(20, 9)}, outline)
    assert [(spot.name, spot.section) for spot in spots] == [
        ("P", "P"),
        ("gone", "not in the course any more"),
    ]
    assert [spot.name for spot in worst_of(spots)] == ["gone", "P"]
    assert "Too few to tell" in sentence(
        WORDS, worst_of(spots_of(WORDS, Course("a/b/c", "C"), {"p": Counts(9, 0)}, outline))
    )


def test_without_a_structure_or_answers(world: World) -> None:
    assert without_a_structure_or_numbers(world, MAP) == "Nobody has answered a problem yet."


def without_a_structure_or_numbers(world: World, path: str) -> str:
    """A map of a course whose structure nobody tells has one line and no drawing; what an empty map says."""
    with world.client("sofia") as client:
        untold = client.get(f"/courses/{OLD_STYLE}/{path}").text
        assert "does not tell how this course is built" in untold
        assert "coursemap" not in untold
        assert len(table(untold)) == 2
        return answer(client.get(f"/courses/{world.campus.courses[2].id}/{path}").text)


@pytest.mark.parametrize("code", languages())
def test_every_language_draws_it(world: World, code: str) -> None:
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/{MAP}", params={"language": code}).text
    assert answer(page)
    assert "%(" not in page
    assert "100%%" not in page


@pytest.mark.parametrize("name", LOOKS)
def test_axe_finds_nothing(browser: Browser, world: World, name: str) -> None:
    looked_at(browser, world, name, [f"/courses/{course}/{MAP}" for course in (world.course_id, OLD_STYLE)])
