"""Videos by section, subsection and video: numbers of the API, sentences counted by hand, every look."""

from __future__ import annotations

import json
from collections.abc import Sequence

import httpx
import pytest
from playwright.sync_api import Browser
from tests.insights.test_browser import LOOKS, sign_in
from tests.insights.test_files import rows_of as rows_of_file
from tests.insights.test_files import workbook
from tests.insights.test_numbers import figures, table
from tests.insights.test_problem_lists import answer, in_path, looked_at, mean, percent
from tests.insights.videos_watched import ODD_VIDEO, videos_of, watched
from tests.insights.world import OLD_STYLE, World

from pharos.demo.courses import Block
from pharos.insights.language import languages

VIDEOS = "engagement/videos/"


def with_videos(world: World) -> list[tuple[Block, Block]]:
    """Sections and subsections with videos, in the order of the course."""
    return [
        (chapter, subsection)
        for chapter in world.campus.courses[0].root.children
        for subsection in chapter.children
        if any(block.type == "video" for block in subsection.walk())
    ]


def in_order(world: World) -> list[str]:
    return [block.id for block in videos_of(world.campus.courses[0])]


def counted(world: World, block: Block) -> list[tuple[int, int]]:
    """Complete and incomplete views of the videos in a block; the last video of the course has none."""
    places = in_order(world)
    found = []
    for video in block.walk():
        if video.type == "video":
            i = places.index(video.id)
            start, end = watched(i) if i < len(places) - 1 else (0, 0)
            found.append((end, max(0, start - end)))
    return found


def sums(views: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return sum(complete for complete, _ in views), sum(incomplete for _, incomplete in views)


def share(views: Sequence[tuple[int, int]]) -> str:
    complete, incomplete = sums(views)
    return percent(complete, complete + incomplete)


def said_of(world: World, block: Block) -> str:
    """The sentence of a list of videos, counted from the rows as a person would."""
    videos = [video for video in block.walk() if video.type == "video"]
    views = counted(world, block)
    told = [
        (complete / (complete + incomplete), -complete - incomplete, n)
        for n, (complete, incomplete) in enumerate(views)
        if complete + incomplete >= 10
    ]
    watched = [one for one in views if sum(one)]
    if len(watched) > 1:  # who watches two videos is no two persons
        said = f"Over {len(watched)} videos, {share(views)} of viewers reached the end."
    else:
        said = f"{share(views)} of {sum(sums(views))} viewers reached the end."
    if len(told) > 1:
        n = min(told)[2]
        said += f" The fewest reach the end of {videos[n].name}: {share([views[n]])}."
    return said


def subsection_path(chapter: Block, subsection: Block) -> str:
    return f"{VIDEOS}sections/{in_path(chapter.id)}/subsections/{in_path(subsection.id)}/"


def drawn(page: str) -> dict[str, list[str]]:
    """What the chart tells of each bar."""
    text = page.partition('<script type="application/json">')[2].partition("</script>")[0]
    return {bar["name"]: [told for _, told in bar["rows"]] for bar in json.loads(text)["bars"]}


def averages(views: Sequence[tuple[int, int]]) -> list[str]:
    complete, incomplete = sums(views)
    return [
        str(len(views)), mean(complete, len(views)), mean(incomplete, len(views)), share(views),
    ]  # fmt: skip


def test_sections(sofia: httpx.Client, world: World) -> None:
    root = world.campus.courses[0].root
    page = sofia.get(VIDEOS).text
    assert answer(page) == said_of(world, root)
    chapters = [chapter for chapter in root.children if counted(world, chapter)]
    shown = {row[0]: row[1:] for row in table(page)[1:]}
    assert {c.name: shown[c.name] for c in chapters} == {
        c.name: averages(counted(world, c)) for c in chapters
    }
    empty = [chapter for chapter in root.children if not counted(world, chapter)]
    assert all(shown[c.name] == ["0", "–", "–", "–"] for c in empty)
    assert figures(page)["videos_watched"] == str(len(in_order(world)) - 1)
    assert figures(page)["viewers"] == str(sum(sums(counted(world, root))))


def test_a_section_and_its_subsections(sofia: httpx.Client, world: World) -> None:
    for chapter, subsection in with_videos(world):
        page = sofia.get(f"{VIDEOS}sections/{in_path(chapter.id)}/").text
        assert answer(page) == said_of(world, chapter)
        rows = {row[0]: row[1:] for row in table(page)[1:]}
        assert rows[subsection.name] == averages(counted(world, subsection))
        assert f'href="/courses/{world.course_id}/{subsection_path(chapter, subsection)}"' in page


def test_a_subsection_and_its_videos(sofia: httpx.Client, world: World) -> None:
    for chapter, subsection in with_videos(world):
        page = sofia.get(subsection_path(chapter, subsection)).text
        assert answer(page) == said_of(world, subsection)
        videos = [block for block in subsection.walk() if block.type == "video"]
        for row, video, views in zip(table(page)[1:], videos, counted(world, subsection), strict=True):
            complete, incomplete = views
            if complete + incomplete == 0:
                assert row == [video.name, "–", "–", "–"]
                assert f"modules/{in_path(video.id)}/" not in page, "nothing to lead to"
            else:
                assert row == [video.name, str(complete), str(incomplete), share([views])]
                assert drawn(page)[video.name] == row[1:], "the chart says the same"
                assert f"modules/{in_path(video.id)}/timeline/" in page


def test_the_numbers_are_those_of_the_data_api(sofia: httpx.Client, world: World) -> None:
    rows = world.api_rows(f"courses/{world.course_id}/videos/")
    lost = sum(max(0, row["users_at_start"] - row["users_at_end"]) for row in rows)
    assert figures(sofia.get(VIDEOS).text)["viewers"] == str(sum(r["users_at_end"] for r in rows) + lost)
    file = rows_of_file(sofia.get(f"csv/{VIDEOS}"))
    assert [(row["pipeline_video_id"], int(row["users_at_end"])) for row in file] == [
        (row["pipeline_video_id"], row["users_at_end"]) for row in rows
    ]
    first, *_ = workbook(sofia.get(f"xlsx/{VIDEOS}").content).values()
    assert len(first) == len(rows) + 1


def test_a_course_that_the_lms_does_not_tell_of(world: World) -> None:
    with world.client("sofia") as client:
        page = client.get(f"/courses/{OLD_STYLE}/{VIDEOS}").text
        assert "its videos are listed by their ids" in page
        assert table(page)[1] == [ODD_VIDEO, "6", "0", "100.0%"]
        assert "<b>odd</b>" not in page
        assert answer(page) == "100.0% of 6 viewers reached the end."
        below = client.get(f"/courses/{OLD_STYLE}/{VIDEOS}sections/x/subsections/y/").text
        assert table(below)[1:] == table(page)[1:]


def test_videos_that_nobody_watched(world: World) -> None:
    course = world.campus.courses[2]
    with world.client("sofia") as client:
        page = client.get(f"/courses/{course.id}/{VIDEOS}").text
    assert answer(page) == f"Nobody has watched yet. There are {len(videos_of(course))} videos."
    assert "No views yet" in page
    assert "<table" not in page


def test_places_that_are_not_there(sofia: httpx.Client, world: World) -> None:
    chapter, subsection = with_videos(world)[0]
    other = with_videos(world)[1][1]
    for address in (
        f"{VIDEOS}sections/no/",
        f"{VIDEOS}sections/{in_path(chapter.id)}/subsections/{in_path(other.id)}/",
        f"{VIDEOS}sections/no/subsections/{in_path(subsection.id)}/",
    ):
        assert sofia.get(address).status_code == 404, address


@pytest.mark.parametrize("code", languages())
def test_every_language_has_the_pages(sofia: httpx.Client, world: World, code: str) -> None:
    chapter, subsection = with_videos(world)[0]
    for address in (VIDEOS, f"{VIDEOS}sections/{in_path(chapter.id)}/", subsection_path(chapter, subsection)):
        page = sofia.get(address, params={"language": code}).text
        assert answer(page)
        assert "%(" not in page
        assert "%%" not in page


@pytest.mark.parametrize("name", LOOKS)
def test_axe_finds_nothing_and_no_page_is_too_wide(browser: Browser, world: World, name: str) -> None:
    chapter, subsection = with_videos(world)[0]
    course = f"/courses/{world.course_id}/"
    pages = [
        course + VIDEOS,
        f"{course}{VIDEOS}sections/{in_path(chapter.id)}/",
        course + subsection_path(chapter, subsection),
        f"/courses/{OLD_STYLE}/{VIDEOS}",
        f"/courses/{world.campus.courses[2].id}/{VIDEOS}",
    ]
    looked_at(browser, world, name, pages)


def test_the_chart_is_read_by_keyboard(browser: Browser, world: World) -> None:
    context = browser.new_context(**LOOKS["light"], base_url=world.url)
    page = context.new_page()
    sign_in(page, world)
    page.goto(f"/courses/{world.course_id}/{VIDEOS}")
    page.wait_for_selector("#chart .chart svg")
    page.locator("#chart .chart").press("ArrowDown")
    row = page.locator("#table tbody tr").first
    name = row.locator("th").inner_text()
    _, complete, incomplete, reached = row.locator("td").all_inner_texts()
    assert page.locator("#chart [aria-live]").inner_text() == (
        f"{name}: Complete views {complete}, Incomplete views {incomplete}, Reached the end {reached}"
    )
    context.close()
