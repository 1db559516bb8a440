"""Learning outcomes: the worked example of spec 06 §9.16, the numbers of the Data API, a naive sentence."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser
from tests.insights.answers_given import problems_of, tags_of
from tests.insights.test_browser import LOOKS
from tests.insights.test_files import rows_of as rows_of_file
from tests.insights.test_numbers import table
from tests.insights.test_problem_lists import answer, in_path, looked_at, mean, percent, sentence_of
from tests.insights.world import World

from pharos.demo.courses import Block
from pharos.insights.api import Row
from pharos.insights.directory import Course
from pharos.insights.pages.outcomes import _outcome_lines, _problem
from pharos.insights.problem_counts import counts_of

OUTCOMES = "performance/learning_outcomes/"


def tagged(world: World, outcome: str = "") -> list[Block]:
    """The problems with an outcome, or with this one."""
    return [
        block
        for i, block in enumerate(problems_of(world.campus.courses[0]))
        if any(name == "learning_outcome" and outcome in ("", value) for name, value in tags_of(i))
    ]


def numbers(world: World) -> dict[str, tuple[int, int]]:
    said = world.api_rows(f"courses/{world.course_id}/problems_and_tags/")
    return {row["module_id"]: (row["total_submissions"], row["correct_submissions"]) for row in said}


def test_the_worked_example() -> None:
    """p1 has outcome a, 10 submissions of which 5 are right; p2 has a and b, 4 and 4."""
    rows: list[Row] = [
        {
            "module_id": "p1",
            "tags": {"learning_outcome": ["a"]},
            "total_submissions": 10,
            "correct_submissions": 5,
        },
        {
            "module_id": "p2",
            "tags": {"learning_outcome": ["a", "b"]},
            "total_submissions": 4,
            "correct_submissions": 4,
        },
    ]
    counts = counts_of(rows)
    a, b = _outcome_lines(Course("a/b/c", "C"), [_problem(row, None, counts, set()) for row in rows])
    assert (a.name, a.problems, a.counts.total, a.counts.right) == ("a", 2, 14, 9)
    assert (a.per_problem(a.counts.total), round(a.counts.share or 0, 3)) == (7.0, 0.643)
    assert (b.name, b.problems, b.counts.total, b.counts.right, b.counts.share) == ("b", 1, 4, 4, 1.0)


def test_outcomes_and_their_problems(world: World) -> None:
    said = numbers(world)
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/{OUTCOMES}").text
        assert answer(page) == sentence_of(tagged(world), said, "submissions")
        rows = {row[0]: row for row in table(page)[1:]}
        for outcome in ("Knows the terms", "Can apply the method"):
            own = tagged(world, outcome)
            total, right = (sum(said[p.id][n] for p in own) for n in (0, 1))
            means = [mean(n, len(own)) for n in (right, total - right, total)]
            assert rows[outcome] == [outcome, str(len(own)), *means, percent(right, total)]
        href = re.search(r'<a href="([^"]+)"><bdi>Knows the terms</bdi></a>', page)
        assert href
        page = client.get(href[1]).text
        own = tagged(world, "Knows the terms")
        assert answer(page) == sentence_of(own, said, "submissions")
        order = {block.id: i for i, block in enumerate(problems_of(world.campus.courses[0]))}
        for row, problem in zip(table(page)[1:], own, strict=True):
            total, right = said[problem.id]
            assert row[0].startswith(problem.name)
            hard = "Hard" if order[problem.id] % 3 == 0 else "Easy"
            assert row[1:] == [hard, str(right), str(total - right), str(total), percent(right, total)]
        problem = own[0]
        below = f"{href[1]}problems/{in_path(problem.id)}/"
        assert below in page
        shown = client.get(below).text
        assert "How did learners answer this problem?" in shown
        assert problem.problem is not None
        part = problem.problem.variants[0][1][0].id
        assert client.get(f"{below}parts/{part}/").status_code == 200
        first = problems_of(world.campus.courses[0])[0]
        assert client.get(f"{href[1]}problems/{in_path(first.id)}/").status_code == 404


def test_the_file_has_every_tag(world: World) -> None:
    said = world.api_rows(f"courses/{world.course_id}/problems_and_tags/")
    with world.client("sofia") as client:
        rows = rows_of_file(client.get(f"/courses/{world.course_id}/csv/{OUTCOMES}"))
    assert [row["module_id"] for row in rows] == [row["module_id"] for row in said]
    for row, item in zip(rows, said, strict=True):
        found = [f"{name}: {value}" for name, values in item["tags"].items() for value in values]
        assert row["tags"] == " | ".join(found)


def test_without_outcomes_it_says_so(world: World) -> None:
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.campus.courses[2].id}/{OUTCOMES}")
        assert page.status_code == 200
        assert answer(page.text) == "No problem of this course has a learning outcome."
        unknown = client.get(f"/courses/{world.course_id}/{OUTCOMES}nothing/")
        assert answer(unknown.text) == "No problem of this course has this learning outcome."


@pytest.mark.parametrize("name", LOOKS)
def test_axe_finds_nothing(browser: Browser, world: World, name: str) -> None:
    base = f"/courses/{world.course_id}/{OUTCOMES}"
    looked_at(
        browser,
        world,
        name,
        [base, f"{base}knows-the-terms/", f"/courses/{world.campus.courses[2].id}/{OUTCOMES}"],
    )
