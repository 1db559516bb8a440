"""How well a question works, on the page of its problem: sentences, and first answers of strong and weak."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from tests.insights.answers_given import problems_of
from tests.insights.test_problem_lists import in_path, plain
from tests.insights.world import OLD_STYLE, World

from pharos.insights import item_quality
from pharos.insights.language import languages

WORDS = languages()["en"]
STRONG = (
    "On the first attempt 64.5% of the strong learners were right (20 of 31), "
    "and 20.7% of the weak ones (6 of 29)."
)
EDITED = (
    "The question was edited; the first answer after it is of 3 February 2026, 09:30 UTC. "
    "Since then 30 of 35 first answers were right."
)
ELSEWHERE = (
    "Who is right here is more often right in the other problems. "
    "Correlation 0.41, 95% interval from 0.23 to 0.57 (90 learners)."
)
UNTOLD = (
    "Nothing tells yet whether who is right here is right in the other problems. "
    "Correlation \u22120.05, 95% interval from \u22120.32 to 0.23 (50 learners)."
)
SAID: tuple[list[str], ...] = (
    [
        "Half of the learners tried up to 1.5 times, nine in ten up to 4 times.",
        STRONG,
        ELSEWHERE,
        "Learners who asked for a hint: 0. Learners who had the answer shown: 12.",
        EDITED,
    ],
    ["4 learners tried: too few to tell more."],
    [
        "At least nine in ten learners tried once.",
        UNTOLD,
        "Learners who asked for a hint: 7. Learners who had the answer shown: 0.",
    ],
    [],
)
"""Written by hand from ITEMS, problem by problem; nothing is known of the fourth."""


def test_each_problem_says_how_well_it_works(sofia: httpx.Client, world: World) -> None:
    for block, expected in zip(problems_of(world.campus.courses[0]), SAID, strict=False):
        page = sofia.get(f"performance/problems/{in_path(block.id)}/").text
        section = page.partition('aria-labelledby="quality"')[2].partition("</section>")[0]
        assert [plain(item) for item in re.findall(r"<li>(.*?)</li>", section, re.DOTALL)] == expected
        assert bool(section) == bool(expected)


def test_answers_of_strong_and_weak_learners_stand_side_by_side(sofia: httpx.Client, world: World) -> None:
    first, second, *_ = problems_of(world.campus.courses[0])
    page = sofia.get(f"performance/problems/{in_path(first.id)}/").text
    table = page.partition('id="strength"')[2].partition("</table>")[0]
    rows = [
        [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)[1:]
    ]
    assert rows == [
        ["<b>7.5</b>", "Wrong", "44", "29.0%", "69.0%"],
        ["7.6", "Right", "41", "64.5%", "20.7%"],
        ["(empty)", "Wrong", "5", "0.0%", "10.3%"],
        ["12 other answers", "–", "3", "6.5%", "0.0%"],
    ]
    assert "<b>7.5</b>" not in page, "an answer is text, not markup"
    assert 'id="strength"' not in sofia.get(f"performance/problems/{in_path(second.id)}/").text


def test_a_course_without_numbers_of_its_questions_says_nothing_of_them(world: World) -> None:
    with world.client("ada") as client:
        page = client.get(
            f"/courses/{OLD_STYLE}/performance/problems/i4x:%2F%2FCampusX%2FOLD101%2Fproblem%2Fodd/"
        )
    assert 'id="quality"' not in page.text


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.2, "more often"),
        (-0.2, -0.01, "less often"),
        (0.0, 0.2, "tells yet"),
        (-0.1, 0.0, "tells yet"),
    ],
)
def test_which_way_a_discrimination_points(low: float, high: float, words: str) -> None:
    item: dict[str, Any] = {
        "tried": 40, "attempts_median": None, "strong_learners": 10, "weak_learners": 9, "hinted": None,
        "shown_answer": None, "changed_at": None, "discrimination": 0.1, "discrimination_low": low,
        "discrimination_high": high, "discrimination_learners": 40,
    }  # fmt: skip
    [_, said] = item_quality.sentences(WORDS, item)
    assert words in plain(said)
