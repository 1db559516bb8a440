"""The map of videos: a bar for each video as high as its share, the lowest named, the table lowest first."""

from __future__ import annotations

import re
from datetime import date

import pytest
from markupsafe import Markup
from playwright.sync_api import Browser
from tests.insights.test_browser import LOOKS
from tests.insights.test_course_map import without_a_structure_or_numbers
from tests.insights.test_numbers import figures, table
from tests.insights.test_problem_lists import answer, in_path, looked_at, percent, plain
from tests.insights.videos_watched import WEEKS, coverage, videos_of, watched
from tests.insights.world import OLD_STYLE, World

from pharos.insights.directory import Course
from pharos.insights.language import languages
from pharos.insights.outline import Block, Outline
from pharos.insights.pages.video_map import sentence, spots_of, worst_of
from pharos.insights.video_counts import Video
from pharos.insights.video_watching import Watched, shares_by_week

MAP = "engagement/video_map/"
WORDS = languages()["en"]


def test_every_video_is_a_bar_and_the_lowest_three_are_named(world: World) -> None:
    videos = videos_of(world.campus.courses[0])
    views = [(end, max(start, end)) for start, end in map(watched, range(len(videos) - 1))]
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/{MAP}").text
    order = sorted(range(len(views)), key=lambda i: (views[i][0] / views[i][1], -views[i][1]))
    one, two, three = (f"{videos[i].name} ({percent(*views[i])})" for i in order[:3])
    assert answer(page) == f"The fewest viewers reach the end of {one}, {two} and {three}."
    bars = re.findall(r'<rect class="s1" x="[^"]+" y="([^"]+)" width="16" height="([^"]+)"/>', page)
    assert len(bars) == len(views)
    for (y, height), (end, most) in zip(bars, views, strict=True):
        assert float(height) == pytest.approx(55.5 * end / most, abs=0.01)
        assert float(y) + float(height) == pytest.approx(74, abs=0.02)
    assert page.count('class="w"') == 3
    assert page.count('class="none"') == 1, "nobody watched the last one"
    rows = table(page.partition('id="weeks"')[0])[1:]
    assert [row[1] for row in rows] == [percent(*views[i]) for i in order] + ["–"]
    learners = [sum(n for _, n in coverage(i)) for i in order]
    whole = [coverage(i)[-1][1] for i in order]
    assert [row[2] for row in rows[:-1]] == [percent(*pair) for pair in zip(whole, learners, strict=True)]
    assert figures(page)["below_half"] == str(sum(1 for end, most in views if end * 2 < most))


def test_which_share_of_active_learners_watched_which_video(world: World) -> None:
    """The weeks are complete ones; every video of these tests has the same viewers."""
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/{MAP}").text
    before, _, rest = page.partition('id="weeks"')
    activity = world.api_rows(f"courses/{in_path(world.course_id)}/activity/?start_date=2026-09-28")
    active = {row["interval_start"][:10]: row for row in activity}
    assert len(active) == 8
    last = active["2026-11-16"]
    week = plain(WORDS.days(date(2026, 11, 16), date(2026, 11, 22)))
    assert plain(re.findall(r'<p class="said">(.*?)</p>', before)[-1]) == (
        f"In the week {week}, {last['played_video']} of {last['any']} active learners watched a video."
    )
    viewers = {monday: n for monday, n, _ in WEEKS}
    shares = [percent(viewers.get(week, 0), row["any"]) for week, row in sorted(active.items())]
    rows = re.findall(r"<tr>(.*?)</tr>", rest.partition("</table>")[0], re.DOTALL)[1:]
    videos = videos_of(world.campus.courses[0])
    assert [[plain(c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows] == [
        [video.name, *shares] for video in videos[:-1]
    ]


def test_without_weeks_that_fit_nothing_is_said_of_them() -> None:
    watched = [Watched(Markup("V"), {date(2026, 11, 16): 3})]
    sunday = {"interval_start": "2026-11-15T000000", "any": 5, "played_video": 3}
    assert shares_by_week(WORDS, watched, [sunday]) is None
    monday = sunday | {"interval_start": "2026-11-16T000000"}
    assert shares_by_week(WORDS, watched, [monday]) is not None
    assert shares_by_week(WORDS, watched, [monday | {"any": 0}]) is None
    assert shares_by_week(WORDS, [], [monday]) is None


def test_videos_that_left_the_course_stay_in_the_table() -> None:
    outline = Outline(Block("c", "course", "C", children=(Block("v", "video", "V"),)))
    videos = {"gone": Video("gone", 9, 5, 20, 1), "v": Video("v", 9, 5, 20, 9)}
    spots = spots_of(WORDS, Course("a/b/c", "C"), videos, [], outline)
    assert [(spot.order, spot.name, spot.section, spot.covered) for spot in spots] == [
        (1, "V", "V", None),
        (2, "gone", "not in the course any more", None),
    ]
    assert [spot.name for spot in worst_of(spots)] == ["gone", "V"]
    few = spots_of(WORDS, Course("a/b/c", "C"), {"v": Video("v", 9, 5, 9, 0)}, [], outline)
    assert "Too few to tell" in sentence(WORDS, worst_of(few))


def test_without_a_structure_or_viewers(world: World) -> None:
    assert without_a_structure_or_numbers(world, MAP) == "Nobody has watched a video yet."


@pytest.mark.parametrize("code", languages())
def test_every_language_draws_it(world: World, code: str) -> None:
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/{MAP}", params={"language": code}).text
    assert answer(page)
    assert "%(" not in page
    assert "%%" not in page


@pytest.mark.parametrize("name", LOOKS)
def test_axe_finds_nothing(browser: Browser, world: World, name: str) -> None:
    looked_at(browser, world, name, [f"/courses/{course}/{MAP}" for course in (world.course_id, OLD_STYLE)])
