"""One video: its seconds are those of the Data API, its sentence that of a naive count."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import httpx
import pytest
from playwright.sync_api import Browser
from tests.insights.test_browser import LOOKS, sign_in
from tests.insights.test_files import rows_of as rows_of_file
from tests.insights.test_files import workbook
from tests.insights.test_numbers import figures, table
from tests.insights.test_problem_lists import answer, in_path, looked_at, percent, plain
from tests.insights.test_videos import VIDEOS, in_order, subsection_path, with_videos
from tests.insights.videos_watched import (
    ODD_VIDEO,
    PLACES,
    WEEKS,
    coverage,
    timeline,
    videos_of,
    watched,
    ways,
)
from tests.insights.world import LAST_RUN, OLD_STYLE, World

from pharos.demo.subtitles import subtitles
from pharos.insights.language import languages
from pharos.insights.outline import Block, Outline
from pharos.insights.pages.video import largest, same_position, sentence
from pharos.insights.video_counts import Video
from pharos.insights.video_watching import weekly

WORDS = languages()["en"]


def alone(world: World, i: int) -> str:
    """The address of video i apart from its section."""
    return f"{VIDEOS}modules/{in_path(in_order(world)[i])}/timeline/"


def clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


def said_of(i: int) -> str:
    start, end = watched(i)
    said = [f"{percent(end, start)} of {start} learners who watched the start reached the end."]
    if end > start:
        said = [f"{end} learners reached the end, more than watched the start ({start})."]
    for kind in ("drop", "peak", "skipped"):
        found = sorted((-row[3], row[1:]) for row in PLACES.get(i, ()) if row[0] == kind)
        if found:
            first, last, learners, everybody, _ = found[0][1]
            span = f"{clock(first)}–{clock(last)}"
            what = {
                "drop": f"leave between {clock(first)} and {clock(last)}",
                "peak": f"watch {span} more than once",
                "skipped": f"skip {span}",
            }
            said.append(f"{learners} of {everybody} learners {what[kind]}.")
    return " ".join(said)


def test_each_video_with_viewers_says_how_it_was_watched(sofia: httpx.Client, world: World) -> None:
    for i in range(len(in_order(world)) - 1):
        page = sofia.get(alone(world, i)).text
        assert answer(page) == said_of(i)
        start, end = watched(i)
        shown = figures(page)
        assert (shown["started"], shown["finished"]) == (str(start), str(end))
        assert shown["covered"] == str(coverage(i)[-1][1])
        assert f"of {sum(n for _, n in coverage(i))} who watched any" in page
        assert (f"of {start} at the start" in page) == (end <= start and "in the last run (" not in page)


def test_the_seconds_are_those_of_the_data_api(sofia: httpx.Client, world: World) -> None:
    block = videos_of(world.campus.courses[0])[0]
    assert block.video is not None
    rows = world.api_rows(f"videos/{in_path(world.course_id)}|{block.key}/timeline/")
    by_segment = {row["segment"]: row for row in rows}
    assert [(r["segment"], r["num_users"], r["num_views"]) for r in rows] == timeline(
        0, block.video.duration_s
    )
    page = sofia.get(alone(world, 0)).text
    shown = [row for row in table(page)[1:] if re.match(r"\d+:\d\d($| )", row[0])]
    assert len(shown) == block.video.duration_s // 5 + 1
    marked = {
        segment: kind for kind, first, last, *_ in PLACES[0] for segment in range(first // 5, last // 5)
    }
    for segment, (time, viewers, replays, before) in enumerate(shown):
        row = by_segment.get(segment, {"num_users": 0, "num_views": 0})
        flag = {"drop": " Drop", "peak": " Peak"}.get(marked.get(segment, ""), "")
        assert time == clock(segment * 5) + flag
        assert (viewers, replays) == (str(row["num_users"]), str(row["num_views"] - row["num_users"]))
        assert before == str(row["num_users"] // 2), "of the last run half as many"


def test_the_chart_ends_where_the_video_does(sofia: httpx.Client, world: World) -> None:
    block = videos_of(world.campus.courses[0])[0]
    page = sofia.get(alone(world, 0)).text
    drawn, covered = (
        json.loads(text)
        for text in re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    )
    assert block.video is not None
    assert drawn["seconds"][-2:] == [140, block.video.duration_s]
    assert drawn["viewers"][-1] == drawn["viewers"][-2]
    assert [(p["kind"], p["from"], p["to"]) for p in drawn["places"]] == [
        row[:3] for row in sorted(PLACES[0])
    ]
    verbs = {"peak": "watch it again", "drop": "leave", "skipped": "skip it"}
    assert [p["name"] for p in drawn["places"]] == [f"{row[3]} {verbs[row[0]]}" for row in sorted(PLACES[0])]
    learners = dict(coverage(0))
    assert [bar["value"] for bar in covered["bars"]] == [
        learners.get(share, 0) for share in (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
    ]


def test_peaks_and_drops_stand_in_a_table(sofia: httpx.Client, world: World) -> None:
    """With what is said there, and a link to the video at that second."""
    video = videos_of(world.campus.courses[0])[0].video
    assert video is not None
    lines = subtitles(video.duration_s, "en").split("\n")
    page = sofia.get(alone(world, 0)).text.partition('id="places"')[2]
    rows = [
        [plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    ]
    addresses = re.findall(r'<a href="([^"]+)" rel="noreferrer"><span class="when"', page)
    assert addresses == [
        f"https://www.youtube.com/watch?v={video.youtube}&amp;t={first}s"
        for first in sorted(row[1] for row in PLACES[0])
    ]
    for (_, first, last, *_), row in zip(sorted(PLACES[0], key=lambda row: row[1]), rows[1:4], strict=True):
        span = f"{clock(first)}–{clock(last)}"
        assert row[0].startswith(span + lines[first // 5 * 4 + 2])
        row[0] = span
    assert rows[1:4] == [
        [
            f"{clock(first)}–{clock(last)}", "Left here" if kind == "drop" else "Watched again",
            str(learners), str(everybody), str(expected),
        ]
        for kind, first, last, learners, everybody, expected in sorted(PLACES[0], key=lambda row: row[1])
    ]  # fmt: skip


def part(page: str, number: int) -> tuple[str, list[list[str]]]:
    """The sentence and the rows of a part: how it is watched, what comes next, week by week."""
    said, _, rest = page.partition(f'id="part-{number}"')
    rows = re.findall(r"<tr>(.*?)</tr>", rest.partition("</table>")[0], re.DOTALL)
    cells = [[plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]
    return plain(re.findall(r'<p class="said">(.*?)</p>', said)[-1]), cells[1:]


def test_without_the_lms_places_have_no_words(world: World) -> None:
    """The page is there as before: nothing but the text and the links is missing."""
    with world.client("sofia") as client:
        world.lms.down = True
        try:
            page = client.get(f"/courses/{world.course_id}/{alone(world, 3)}", params={"language": "es"}).text
        finally:
            world.lms.down = False
    assert 'id="places"' in page
    assert "youtube" not in page


def test_how_it_is_watched(sofia: httpx.Client, world: World) -> None:
    sentence, rows = part(sofia.get(alone(world, 0)).text, 1)
    told: dict[str, dict[str, tuple[int, int | None]]] = {}
    for kind, value, learners, seconds in ways(0):
        told.setdefault(kind, {})[value] = (learners, seconds)
    speeds, devices, tracks, cohorts = (
        {value: seconds or 0 for value, (_, seconds) in told[kind].items()}
        for kind in ("speed", "device", "track", "cohort")
    )
    viewers = sum(n for _, n in coverage(0))
    assert sentence == (
        f"{percent(speeds['1.5'], sum(speeds.values()))} of what is watched is played faster than normal. "
        f"{percent(devices['mobile'], sum(devices.values()))} of what is watched is watched in the "
        "mobile app. "
        f"{told['captions']['shown'][0]} of {viewers} learners who watched any of it have shown captions "
        "or the transcript."
    )
    names = [
        ("Speed 0.75", "speed", "0.75"), ("Normal speed", "speed", "1"), ("Speed 1.5", "speed", "1.5"),
        ("Browser", "device", "browser"), ("Mobile app", "device", "mobile"),
        ("Track: Audit", "track", "audit"), ("Track: own-track", "track", "own-track"),
        ("Cohort: Athens & Co", "cohort", "Athens & Co"),
    ]  # fmt: skip
    times = {"speed": speeds, "device": devices, "track": tracks, "cohort": cohorts}
    assert rows == [
        [
            name, str(told[kind][value][0]), f"{times[kind][value] / 60:,.1f}",
            percent(times[kind][value], sum(times[kind].values())),
        ]
        for name, kind, value in names
    ] + [["Showed captions or transcript", "7", "–", "–"]]  # fmt: skip
    plainly, _ = part(sofia.get(alone(world, 2)).text, 1)
    assert plainly.startswith("Nobody plays it faster than normal. Nobody watches it in the mobile app. 0 of")


def test_what_learners_do_next(sofia: httpx.Client, world: World) -> None:
    """A video with a page is a link, one that the course has no more is named by its id."""
    page = sofia.get(alone(world, 0)).text
    sentence, rows = part(page, 2)
    everybody = watched(0)[1] + 25
    assert sentence == (
        f"Within half an hour after it, 20 of {everybody} learners who pressed play go on to another video, "
        f"5 to a problem and {watched(0)[1]} to neither."
    )
    second = videos_of(world.campus.courses[0])[1]
    problem = next(block for block in world.campus.courses[0].root.walk() if block.type == "problem")
    assert rows == [
        [second.name, "18", percent(18, everybody)],
        [problem.name, "5", percent(5, everybody)],
        ["gone", "2", percent(2, everybody)],
        ["Neither", str(watched(0)[1]), percent(watched(0)[1], everybody)],
    ]
    assert f"modules/{in_path(in_order(world)[1])}/timeline/" in page.partition('id="part-2"')[2]


def test_week_by_week(sofia: httpx.Client, world: World) -> None:
    sentence, rows = part(sofia.get(alone(world, 1)).text, 3)
    last, most, first = (
        plain(WORDS.days(date.fromisoformat(monday), date.fromisoformat(monday) + timedelta(days=6)))
        for monday, *_ in reversed(WEEKS)
    )
    assert sentence == f"The week with the most viewers is {most}: 41 viewers."
    assert rows == [[last, "12", "10.0", "0.8"], [most, "41", "61.5", "1.5"], [first, "30", "30.0", "1.0"]]


def test_a_week_that_is_not_over_says_so_and_twelve_are_shown() -> None:
    rows = [
        {"week": (date(2026, 6, 1) + timedelta(weeks=n)).isoformat(), "num_users": 5, "watched_seconds": 60}
        for n in range(14)
    ]
    last = date(2026, 8, 31)  # a Monday
    found = weekly(WORDS, rows, last)
    assert found is not None
    weeks = [row[0].text for row in found.table.rows]
    week, before = (WORDS.days(day, day + timedelta(days=6)) for day in (last, last - timedelta(days=7)))
    assert weeks[:2] == [f"{week}, so far", before]
    assert len(weeks) == 12
    complete = weekly(WORDS, rows, last + timedelta(days=6))
    assert complete is not None
    assert complete.table.rows[0][0].text == week
    assert weekly(WORDS, [], last) is None


def test_the_same_page_below_its_subsection_leads_to_its_neighbours(
    sofia: httpx.Client, world: World
) -> None:
    """Across subsections; the last video, which nobody watched, is not among them."""
    places = [
        (video.id, subsection_path(chapter, subsection))
        for chapter, subsection in with_videos(world)
        for video in subsection.walk()
        if video.type == "video"
    ]
    base = f"/courses/{world.course_id}/"
    sofia.base_url = httpx.URL(world.url)
    addresses = [f"{base}{path}modules/{in_path(video)}/timeline/" for video, path in places[:-1]]
    for n, address in enumerate(addresses):
        page = sofia.get(address).text
        assert answer(page) == said_of(n)
        assert re.findall(r'<a href="([^"]+)" rel="prev"', page) == addresses[max(0, n - 1) : n]
        assert re.findall(r'<a href="([^"]+)" rel="next"', page) == addresses[n + 1 : n + 2]
        assert f"/jump_to/{in_path(places[n][0])}" in page


def test_videos_and_places_that_are_not_there(sofia: httpx.Client, world: World) -> None:
    chapter, subsection = with_videos(world)[0]
    elsewhere = in_path(in_order(world)[4])
    for address in (
        alone(world, -1),  # nobody watched it
        f"{VIDEOS}modules/no/timeline/",
        f"{subsection_path(chapter, subsection)}modules/{elsewhere}/timeline/",
        f"csv/{VIDEOS}{in_path(f'{LAST_RUN}|x')}/",
        f"csv/{VIDEOS}{in_path(f'{world.course_id}|no')}/",
    ):
        assert sofia.get(address).status_code == 404, address


def test_no_file_of_a_video_of_another_course(sofia: httpx.Client, world: World) -> None:
    other = world.campus.courses[1]
    theirs = f"{other.id}|{videos_of(other)[0].key}"
    assert sofia.get(f"csv/{VIDEOS}{in_path(theirs)}/").status_code == 404
    sofia.base_url = httpx.URL(world.url)
    assert sofia.get(f"/courses/{other.id}/csv/{VIDEOS}{in_path(theirs)}/").status_code == 200


def test_the_files_hold_every_part_that_was_watched(sofia: httpx.Client, world: World) -> None:
    video = videos_of(world.campus.courses[0])[0]
    assert video.video is not None
    name = f"{VIDEOS}{in_path(f'{world.course_id}|{video.key}')}/"
    file = sofia.get(f"csv/{name}")
    expected = timeline(0, video.video.duration_s)
    assert [
        (int(row["segment"]), int(row["num_users"]), int(row["num_views"])) for row in rows_of_file(file)
    ] == expected
    assert "engagement-video-timeline.csv" in file.headers["content-disposition"]
    first, *_ = workbook(sofia.get(f"xlsx/{name}").content).values()
    assert len(first) == len(expected) + 1
    page = sofia.get(alone(world, 0)).text
    assert f'href="/courses/{world.course_id}/csv/{name}"' in page


def test_an_id_that_would_do_harm_is_text(world: World) -> None:
    with world.client("sofia") as client:
        page = client.get(f"/courses/{OLD_STYLE}/{VIDEOS}modules/{in_path(ODD_VIDEO)}/timeline/").text
        assert answer(page) == "6 learners reached the end, more than watched the start (4)."
        assert "<b>odd</b>" not in page
        assert "jump_to" not in page, "its place in the LMS is not known"
        name = in_path(f"{OLD_STYLE}|{ODD_VIDEO}")
        assert len(rows_of_file(client.get(f"/courses/{OLD_STYLE}/csv/{VIDEOS}{name}/"))) == 3


def test_the_last_run_has_the_video_of_the_same_place() -> None:
    def course(*keys: str) -> Outline:
        blocks = tuple(Block(f"block-v1:a+b+c+type@video+block@{key}", "video", key) for key in keys)
        unit = Block("u", "vertical", "U", children=blocks)
        subsection = Block("s", "sequential", "S", children=(unit,))
        chapter = Block("h", "chapter", "H", children=(subsection,))
        return Outline(Block("c", "course", "C", children=(chapter,)))

    assert same_position(course("a", "b"), course("x", "y"), "b") == "y"
    assert same_position(course("a", "b"), course("x"), "b") == ""
    assert same_position(course("a"), course("x"), "gone") == ""


def test_the_largest_place_is_named_and_of_equal_ones_the_first() -> None:
    def row(kind: str, start: int, learners: int) -> dict[str, object]:
        return {
            "kind": kind,
            "start_second": start,
            "end_second": start + 5,
            "learners": learners,
            "of_learners": 90,
        }

    rows = [row("peak", 30, 8), row("peak", 10, 8), row("drop", 5, 6), row("a later kind", 0, 99)]
    assert largest(rows, "peak") is rows[1]
    said = sentence(WORDS, Video("v", 60, 5, 90, 80), rows).striptags()
    assert said == (
        "88.9% of 90 learners who watched the start reached the end. "
        "6 of 90 learners leave between 0:05 and 0:10. "
        "8 of 90 learners watch 0:10–0:15 more than once."
    )


def test_a_page_asks_a_few_questions(sofia: httpx.Client, world: World) -> None:
    """Videos, seconds, shares, places, ways, weeks and findings; and of the last run the first two."""
    world.api.requests.clear()
    sofia.get(alone(world, 0))
    asked = [path for path in world.api.requests if "/courses/" in path or "/videos/" in path]
    assert len(asked) == 9, asked


@pytest.mark.parametrize("code", languages())
def test_every_language_has_the_page(sofia: httpx.Client, world: World, code: str) -> None:
    words = languages()[code]
    page = sofia.get(alone(world, 0), params={"language": code}).text
    for number in (9, 52, 12, 45):
        assert words.number(number) in answer(page)
    assert "%(" not in page
    assert "%%" not in page


@pytest.mark.parametrize("name", LOOKS)
def test_axe_finds_nothing_and_no_page_is_too_wide(browser: Browser, world: World, name: str) -> None:
    course = f"/courses/{world.course_id}/"
    odd = f"/courses/{OLD_STYLE}/{VIDEOS}modules/{in_path(ODD_VIDEO)}/timeline/"
    looked_at(browser, world, name, [*(course + alone(world, i) for i in (0, 1, 4)), odd])


def test_the_charts_are_read_by_keyboard(browser: Browser, world: World) -> None:
    context = browser.new_context(**LOOKS["light"], base_url=world.url)
    page = context.new_page()
    sign_in(page, world)
    page.goto(f"/courses/{world.course_id}/{alone(world, 0)}")
    page.wait_for_selector("#chart .chart svg")
    chart, said = page.locator("#chart .chart"), page.locator("#chart [aria-live]")
    chart.press("Home")
    assert said.inner_text() == "0:00–0:05: Unique viewers 60, Replays 0, Last run 30"
    for _ in range(4):
        chart.press("ArrowRight")
    assert said.inner_text() == ("0:20–0:25: Unique viewers 58, Replays 3, Last run 29, 6 watch it again")
    assert "Unique viewers" in page.locator("#chart .tip").inner_text()
    page.locator("#coverage .chart").press("ArrowDown")
    assert page.locator("#coverage [aria-live]").inner_text() == "0% to less than 10%: Learners 4"
    context.close()
