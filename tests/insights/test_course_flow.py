"""Course flow: a bar for each subsection, the section where most stop, the largest drop, the last run."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser
from tests.insights.flow_counted import BEGAN, DROP, GONE, reached, subsections
from tests.insights.test_browser import LOOKS
from tests.insights.test_numbers import figures, table
from tests.insights.test_problem_lists import answer, looked_at, percent
from tests.insights.world import OLD_STYLE, World

from pharos.insights.language import languages
from pharos.insights.pages.course_flow import flow_of, sentence, worst_drop

PAGE = "engagement/course_flow/"
WORDS = languages()["en"]


def test_the_page(world: World) -> None:
    places = subsections(world.campus.courses[0])
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/{PAGE}").text
    section, before, after = places[2][0].name, places[DROP - 1][1].name, places[DROP][1].name
    assert answer(page) == (
        f"Of {BEGAN} learners who began, 60 stop in {section}, the highest number of all sections. "
        f"The largest drop is from {before} to {after}: 100 learners fewer."
    )
    heights = re.findall(r'<rect class="s1" [^>]*height="([^"]+)"/>', page)
    shares = [reached(i) / BEGAN for i in range(len(places))]
    # The one that was deleted has its bar in its section, the first one.
    expected = [*shares[:2], 5 / BEGAN, *shares[2:]]
    assert [float(height) for height in heights] == pytest.approx([55.5 * s for s in expected], abs=0.01)
    assert page.count('class="w"') == 1
    _, *rows = table(page)
    half = [percent(reached(i) // 2, BEGAN // 2) for i in range(len(places))]
    assert [row[1:4] for row in rows[:-1]] == [
        [str(reached(i)), percent(reached(i), BEGAN), half[i]] for i in range(len(places))
    ]
    assert rows[-1][0].startswith(GONE)
    assert "not in the course any more" in rows[-1][0]
    assert figures(page)["stopped"] == "150"


def test_the_files_have_every_level(world: World) -> None:
    with world.client("sofia") as client:
        text = client.get(f"/courses/{world.course_id}/csv/engagement/course_flow/").text
    places = subsections(world.campus.courses[0])
    sections = {chapter.id for chapter, _ in places}
    assert len(text.strip().splitlines()) == 1 + 1 + len(sections) + len(places) + 1


def rows(*learners: int, began: int = 20, stopped: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    """A course of sections with one subsection each, reached by so many."""
    found = [_row("course", "r", None, began, sum(stopped))]
    for i, count in enumerate(learners):
        here = stopped[i] if stopped else 0
        found.append(_row("section", f"C{i}", "r", count, here))
        found.append(_row("subsection", f"S{i}", f"C{i}", count, here))
    return found


def _row(level: str, name: str, parent: str | None, learners: int, stopped: int) -> dict[str, Any]:
    return {
        "level": level, "block_id": name, "parent_block_id": parent, "display_name": name,
        "reached": learners, "stopped": stopped, "is_deleted": False, "next_block_id": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (rows(20, 20, 12, 11, stopped=(0, 5, 0, 0)), ("5 stop in C1", "from S1 to S2: 8 learners")),
        (rows(20, 12, 4), ("20 learners began, and nobody has stopped", "from S0 to S1: 8 learners")),
        (rows(20, 12, 0), ("nobody has stopped", "from S0 to S1: 8 learners")),
        (rows(12, 20, stopped=(1, 0)), ("1 stop in C0, the highest number of all sections.",)),
        (rows(9, 1, began=9, stopped=(3, 0)), ("Of 9 learners who began, 3 stop in C0",)),
    ],
)
def test_what_is_said(given: list[dict[str, Any]], said: tuple[str, ...]) -> None:
    """The first of equal drops; places that nobody reached are not open yet; of few no drop is told."""
    text = re.sub("<[^>]+>", "", sentence(WORDS, flow_of(WORDS, given)))
    assert all(part in text for part in said)
    assert ("largest drop" in text) == (len(said) > 1)


def test_without_visits(world: World) -> None:
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.campus.courses[2].id}/{PAGE}").text
    assert answer(page) == "Nobody has begun yet."
    assert worst_drop(flow_of(WORDS, [])) is None


@pytest.mark.parametrize("code", languages())
def test_every_language_draws_it(world: World, code: str) -> None:
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/{PAGE}", params={"language": code}).text
    assert answer(page)
    assert "%(" not in page
    assert "%%" not in page


@pytest.mark.parametrize("name", LOOKS)
def test_axe_finds_nothing(browser: Browser, world: World, name: str) -> None:
    empty = world.campus.courses[2].id
    looked_at(
        browser, world, name, [f"/courses/{course}/{PAGE}" for course in (world.course_id, OLD_STYLE, empty)]
    )
