"""Findings in words: on the page of the problem, and the first ones on the course map."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from tests.insights import videos_watched
from tests.insights.answers_given import FOUND, finding_rows, problems_of
from tests.insights.test_course_map import MAP
from tests.insights.test_problem_lists import in_path, plain
from tests.insights.videos_watched import videos_of
from tests.insights.world import OLD_STYLE, World

from pharos.insights import findings
from pharos.insights.language import languages

WORDS = languages()["en"]
SAID = {
    "wrong_answer_preferred": "20 of 31 strong learners first answered “<b>7.5</b>”, which counts as "
    "wrong; 9 gave the right answer. Look at the key.",
    "nobody_right": "Variant 3: Nobody found the right answer: 12 learners tried. Look at the key, then "
    "at the question. This stands on few learners.",
    "negative_discrimination": "Who does well elsewhere does worse here: at first 11 of 40 strong learners "
    "were right, and 29 of 38 weak ones. Look at the wording.",
    "answer_after_change": "Since the last edit 8 of 35 learners first answered (empty), which nobody did "
    "before. Look at what was edited.",
    "mostly_skipped": "Only 61 of 210 learners who saw the problem tried it. Look at its place and text.",
    "all_right_at_once": "The first answers of all 57 learners were right. Look whether the problem asks "
    "anything.",
    "never_tried": "Nobody tried it, though 44 learners reached its unit. Look at its place, and whether it "
    "works.",
}
"""Written by hand from FOUND."""


def found_on(page: str) -> list[str]:
    """The findings of a page as a person reads them."""
    section = page.partition('aria-labelledby="findings"')[2].partition("</section>")[0]
    return [plain(item) for item in re.findall(r"<li>(.*?)</li>", section, re.DOTALL)]


def test_each_problem_says_what_was_found_about_it(sofia: httpx.Client, world: World) -> None:
    problems = problems_of(world.campus.courses[0])
    for i, (kind, *_) in enumerate(FOUND):
        page = sofia.get(f"performance/problems/{in_path(problems[i].id)}/").text
        assert found_on(page) == ([SAID[kind]] if kind in SAID else []), kind
        assert "<b>7.5</b>" not in page, "an answer is text, not markup"
    assert found_on(sofia.get(f"performance/problems/{in_path(problems[len(FOUND)].id)}/").text) == []


def test_the_map_has_the_most_urgent_ones_with_their_problems(sofia: httpx.Client, world: World) -> None:
    problems = problems_of(world.campus.courses[0])
    page = sofia.get(MAP).text
    known = [(i, kind) for i, (kind, *_) in enumerate(FOUND) if kind in SAID]
    assert found_on(page) == [f"{problems[i].name}: {SAID[kind]}" for i, kind in known[:5]]
    assert f'href="/courses/{world.course_id}/performance/problems/{in_path(problems[0].id)}/"' in page


VIDEOS_SAID = {
    0: "14 of 52 learners who are still there leave between 0:40 and 1:00. Look at what happens there.",
    2: "21 of 30 learners watch 5:00–5:30 more than once. Look whether it is hard to follow.",
    4: "12 of 20 learners skip 0:05–0:25. Look whether the beginning is needed. This stands on few learners.",
    10: "Only 2 of 20 learners reached the end. Look at its length and its last part. This stands on few "
    "learners.",
    11: "Nobody reached the end: 16 learners began. Look at its length and its last part. This stands on few "
    "learners.",
}
"""Written by hand from videos_watched.FOUND."""


def test_each_video_says_what_was_found_about_it_and_the_map_all(sofia: httpx.Client, world: World) -> None:
    videos = videos_of(world.campus.courses[0])
    for i, video in enumerate(videos[:-1]):
        page = sofia.get(f"engagement/videos/modules/{in_path(video.id)}/timeline/").text
        assert found_on(page) == ([VIDEOS_SAID[i]] if i in VIDEOS_SAID else []), i
        assert "Strong and weak learners" not in page
    page = sofia.get("engagement/video_map/").text
    assert found_on(page) == [f"{videos[i].name}: {said}" for i, said in VIDEOS_SAID.items()]
    assert "Strong and weak learners" not in page


def test_languages_of_transcripts_that_nobody_asks_for_stand_where_languages_do(sofia: httpx.Client) -> None:
    said = (
        "3 of the videos have transcripts in German, which no browser of 450 learners asks for. Look whether "
        "they are needed."
    )
    assert said in plain(sofia.get("enrollment/geography/").text)


def test_a_course_without_findings_says_nothing_of_them(world: World) -> None:
    with world.client("sofia") as client:
        for course_id in (OLD_STYLE, world.campus.courses[2].id):
            assert 'id="findings"' not in client.get(f"/courses/{course_id}/{MAP}").text


def test_only_findings_about_the_part_or_the_whole_problem() -> None:
    def row(**values: Any) -> dict[str, Any]:
        return {"kind": "nobody_right", "subject": "p", "part_id": "p_2_1", **values}

    rows = [row(), row(part_id="p_3_1"), row(part_id=""), row(subject="q"), row(kind="of later")]
    assert findings.about(rows, "p", "p_2_1") == [rows[0], rows[2]]


@pytest.mark.parametrize("code", languages())
def test_every_language_says_all_numbers(world: World, code: str) -> None:
    words = languages()[code]
    for row, (kind, _, _, numbers) in zip(finding_rows(world.campus.courses[0]), FOUND, strict=True):
        if kind not in SAID:
            continue
        row["numbers"] = numbers
        text = findings.sentence(words, row)
        for name in set(numbers) - {"learners_with_answer", "attempts", "tried_before"}:
            assert words.number(numbers[name]) in text, (kind, name)
        assert "%" not in text
    for kind, confidence, numbers in videos_watched.FOUND.values():
        text = findings.sentence(
            words, {"kind": kind, "variant": None, "confidence": confidence, "numbers": numbers}
        )
        for name in set(numbers) - {"start_second", "end_second", "finished"}:
            assert words.number(numbers[name]) in text, (kind, name)
        assert "%" not in text
