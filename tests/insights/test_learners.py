"""The pages about single learners, recounted from their rows (spec 06 §9.17)."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.insights.learners_enrolled import RANGES, Row, days, learners, status
from tests.insights.test_audit import audited
from tests.insights.test_files import workbook
from tests.insights.test_numbers import figures, table
from tests.insights.world import LAST_DAY, World, fill, world_of

from pharos.config import Privacy
from pharos.insights.files import BOM
from pharos.insights.language import AVAILABLE, languages
from pharos.insights.learner_days import COUNTS, every_day
from pharos.insights.learner_status import STATUSES
from pharos.insights.roster import METRICS, RATIO, figure, rank, roster_path


@pytest.fixture(scope="module")
def everybody(world: World) -> list[Row]:
    return learners(world.course_id, LAST_DAY)


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())


def shown(page: str) -> list[str]:
    """User names in the table, in its order."""
    return re.findall(r'<span class="learner"><a href="[^"]*/learners/([^/"]+)/', page)


def answer(page: str) -> str:
    found = re.search(r'<p class="answer">(.*?)</p>', page, re.DOTALL)
    return text_of(found[1]) if found else ""


def in_segment(row: Row, name: str) -> bool:
    return name in row["segments"].split(",")


def is_said(row: Row, name: str) -> bool:
    return bool(status(row, LAST_DAY)["status"] == name)


def test_the_sentence_counts_who_took_part(sofia: httpx.Client, everybody: list[Row]) -> None:
    active = [row for row in everybody if row["start_date"]]
    gone = [row for row in everybody if in_segment(row, "disengaging")]
    struggling = [row for row in everybody if in_segment(row, "struggling")]
    assert answer(sofia.get("learners/").text) == (
        f"{len(active)} of 60 learners took part in the seven days 16–22 Nov 2026. "
        f"{len(gone)} took part in the seven days before, but not in these. "
        f"{len(struggling)} need many attempts for each right answer."
    )


@pytest.mark.parametrize("code", AVAILABLE)
def test_active_is_said_of_the_status_only(sofia: httpx.Client, code: str) -> None:
    """Segments and the sentence look at problems, videos and discussions; the status looks at everything."""
    page = sofia.get("learners/", params={"language": code}).text
    found = re.search(r'<nav class="seg segments"[^>]*>(.*?)</nav>', page)
    assert found
    active = languages()[code].text("Active").lower()[:4]
    assert active in text_of(page).lower()
    assert active not in (answer(page) + text_of(found[1])).lower()
    of_nobody = sofia.get("learners/learner_4/", params={"language": code}).text
    assert active not in answer(of_nobody + sofia.get("learners/learner_57/").text).lower()


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, lambda _: True),
        ({"segment": "struggling"}, lambda row: in_segment(row, "struggling")),
        ({"segment": "not_inactive"}, lambda row: not in_segment(row, "inactive")),
        ({"segment": "enrolled"}, lambda row: not in_segment(row, "unenrolled")),
        ({"segment": "unenrolled", "track": "audit"}, lambda row: in_segment(row, "unenrolled")),
        ({"cohort": "Athens & Co"}, lambda row: row["cohort"] == "Athens & Co"),
        ({"track": "verified", "q": "王小明"}, lambda _: False),
        ({"q": "ELAN"}, lambda row: (row["name"] or "").startswith("Élan")),
        ({"q": "小明 o"}, lambda row: row["name"] == "王小明 Ørsted"),
        ({"q": "learner5@mail"}, lambda row: row["email"] == "learner5@mail.example"),
        ({"q": "lan"}, lambda _: False),
        ({"segment": "nonsense", "status": "nonsense", "sort": "-nonsense"}, lambda _: True),
        ({"status": "quiet"}, lambda row: is_said(row, "quiet")),
        ({"status": "active", "segment": "struggling"},
            lambda row: in_segment(row, "struggling") and is_said(row, "active")),
    ],
)  # fmt: skip
def test_filters_find_who_is_wanted(
    sofia: httpx.Client, everybody: list[Row], query: dict[str, str], wanted: Callable[[Row], bool]
) -> None:
    expected = sorted(row["username"] for row in everybody if wanted(row))
    page = sofia.get("learners/", params=query).text
    assert shown(page) == expected[:25]
    assert f"{len(expected)} of 60 learners" in text_of(page)
    if not expected:
        assert "No learner matches" in page
        return
    rows = sofia.get("csv/learners/", params=query).text.removeprefix(BOM).splitlines()[1:]
    assert sorted(row.split(",")[1] for row in rows) == expected


def test_figures_of_enrollment_lead_to_the_learners_behind_them(
    world: World, sofia: httpx.Client, everybody: list[Row]
) -> None:
    """Each link opens the list of these learners; without the last day, or the right, there is none."""
    page = sofia.get("enrollment/activity/?period=7d&language=en").text
    found = re.findall(r'data-stat-type="(\w+)">(?:(?!data-stat).)*?<a href="([^"]+/learners/[^"]*)">', page)
    links = {key: html.unescape(address) for key, address in found}
    enrolled = [row for row in everybody if not in_segment(row, "unenrolled")]
    expected = {
        "cumulative_enrollment": everybody,
        "current_enrollment": enrolled,
        "verified_enrollment": [row for row in enrolled if row["enrollment_mode"] == "verified"],
        "masters_enrollment": [],
        "left": [row for row in everybody if is_said(row, "left")],
    }
    assert links.keys() == expected.keys()
    for key, rows in expected.items():
        listed = text_of(sofia.get(world.url + links[key]).text)
        assert f"{len(rows)} of {len(everybody)} learners" in listed, key
    past = "enrollment/activity/?from=2026-10-01&to=2026-10-31"
    assert "/learners/?" not in sofia.get(past).text


def test_each_learner_has_one_status_with_its_reason(sofia: httpx.Client, everybody: list[Row]) -> None:
    """The numbers of the six statuses add up to everybody; each learner's page says the same."""
    page = sofia.get("learners/").text
    nav = re.search(r'<nav class="seg segments" aria-label="Status">(.*?)</nav>', page)
    assert nav
    counts = Counter(status(row, LAST_DAY)["status"] for row in everybody)
    numbers = [int(text) for text in re.findall(r'<span class="n">(\d+)<', nav[1])]
    assert numbers == [60, *(counts[name] for name in STATUSES)]
    assert min(numbers) > 0
    reasons = {
        "unenrolled": "Left the course not enrolled since 20 November 2026",
        "no activity": "Never started no activity; enrolled on",
        "pause": "last active on 8 November 2026; days without activity: 14 (from 14 on)",
        "fewer days": "Slowing down active days: 2 of the last seven, 5 of the seven before",
        "passing grade": "Passed passing grade on 21 November 2026",
        "recent activity": "Active last active on 22 November 2026",
    }
    of_rule = {status(row, LAST_DAY)["rule"]: row for row in everybody if not is_said(row, "slowing down")}
    of_rule["fewer days"] = next(row for row in everybody if status(row, LAST_DAY)["rule"] == "fewer days")
    for rule, reason in reasons.items():
        name = of_rule[rule]["username"]
        assert reason in text_of(sofia.get(f"learners/{name}/").text)
        assert reason in text_of(sofia.get("learners/", params={"q": name}).text)


def test_files_say_the_status_and_its_reason_as_the_page(sofia: httpx.Client, everybody: list[Row]) -> None:
    text = sofia.get("csv/learners/").text.removeprefix(BOM)
    rows = {row["username"]: row for row in csv.DictReader(io.StringIO(text))}
    assert {name: row["status"] for name, row in rows.items()} == {
        row["username"]: status(row, LAST_DAY)["status"] for row in everybody
    }
    lines = re.findall(r'<tr><th scope="row">(.*?)</tr>', sofia.get("learners/").text, re.DOTALL)
    assert len(lines) == 25
    for line in lines:
        [name] = shown(line)
        said = f"{STATUSES[rows[name]['status']][0]} {rows[name]['status_reason']}"
        assert said in text_of(line)
    sheet, *_ = workbook(sofia.get("xlsx/learners/", params={"language": "fr"}).content).values()
    at = sheet[0].index("status_reason")
    assert {row[at][:20] for row in sheet[1:]} >= {"aucune activité ; in", "dernière activité le"}


@pytest.mark.parametrize("metric", METRICS)
def test_every_figure_sorts_both_ways(sofia: httpx.Client, everybody: list[Row], metric: str) -> None:
    def key(row: Row) -> tuple[Any, ...]:
        second = -row["attempt_ratio_order"] if metric == RATIO else 0
        return row[metric] is None, row[metric] or 0, second

    rising = shown(sofia.get("learners/", params={"sort": metric}).text)
    falling = shown(sofia.get("learners/", params={"sort": f"-{metric}"}).text)
    by_name = {row["username"]: row for row in everybody}
    assert [key(by_name[name]) for name in rising] == sorted(map(key, everybody))[:25]
    assert [key(by_name[name]) for name in falling] == sorted(map(key, everybody), reverse=True)[:25]


def test_pages_hold_everybody_once(sofia: httpx.Client, everybody: list[Row]) -> None:
    pages = [shown(sofia.get("learners/", params={"page": str(n)}).text) for n in (1, 2, 3)]
    assert [len(page) for page in pages] == [25, 25, 10]
    assert sorted(name for page in pages for name in page) == sorted(row["username"] for row in everybody)
    for beyond in ("4", "0", "x", "99999999999999999999"):
        assert shown(sofia.get("learners/", params={"page": beyond}).text) == pages[2]


def test_names_are_shown_as_text(sofia: httpx.Client) -> None:
    page = sofia.get("learners/?q=rao").text
    assert "<b>Rao</b>" not in page
    assert "&lt;b&gt;Rao&lt;/b&gt;" in page


def test_marks_are_by_the_ranges_of_the_course(sofia: httpx.Client, everybody: list[Row]) -> None:
    """Low below the lower bound, high from the upper one up, nothing for who was not active."""
    page = sofia.get("learners/").text
    lines = re.findall(r'<tr><th scope="row">(.*?)</tr>', page, re.DOTALL)
    by_name = {row["username"]: row for row in everybody}
    for line in lines:
        [name] = shown(line)
        row, cells = by_name[name], [text_of(cell) for cell in re.findall(r"<td.*?</td>", line, re.DOTALL)]
        for metric, cell in zip(METRICS, cells[2:], strict=True):
            low, high = RANGES.get(metric, (0.0, float("inf")))
            value = row[metric]
            if metric == RATIO and value is None and row["problems_attempted"]:
                value = float("inf")
            mark = ""
            if (
                value is not None
                and row["start_date"]
                and (row["problems_attempted"] or row["videos_viewed"])
            ):
                mark = "high" if metric in RANGES and value >= high else "low" if value < low else ""
            assert re.match(r"[a-z]*", cell)[0] == mark, (name, metric, cell)  # type: ignore[index]


@pytest.mark.parametrize(
    ("ratio", "tried", "bounds", "expected"),
    [
        (1.0, 4, ([0.0, 1.6], [1.6, None], [None, None]), "low"),
        (2.0, 4, ([0.0, 1.6], [1.6, None], [None, None]), "normal"),
        (None, 4, ([0.0, 1.6], [1.6, None], [None, None]), "high"),
        (None, 4, ([0.0, None], [None, None], None), "normal"),
        (None, 0, ([0.0, 1.6], [1.6, None], [None, None]), ""),
        (3.0, 4, (None, None, None), ""),
    ],
)
def test_ranks_of_attempts_per_right_problem(
    ratio: float | None, tried: int, bounds: tuple[Any, Any, Any], expected: str
) -> None:
    """Spec 03 §2.5: infinity lies in the highest range; the API calls low ratios the top."""
    counts = dict.fromkeys(METRICS, 0) | {"problems_attempted": tried, "videos_viewed": 1, RATIO: ratio}
    ranges = dict(zip(("class_rank_top", "class_rank_average", "class_rank_bottom"), bounds, strict=True))
    learner = {"engagements": counts}
    assert rank(learner, RATIO, {RATIO: ranges}) == expected
    found = figure(languages()["en"], learner, RATIO, {RATIO: ranges})
    mark = re.search(r'<span class="flag">([a-z]+)<', found)
    assert (mark[1] if mark else "") == expected.replace("normal", "")


def test_one_learner_day_by_day(sofia: httpx.Client, everybody: list[Row]) -> None:
    page = sofia.get("learners/learner_57/").text
    row = everybody[57]
    assert answer(page) == "Björn Qureshi took part on 3 days, last on 15 November 2026."
    for value in (row["username"], row["email"], "verified", "Athens & Co", "26 September 2026"):
        assert value in text_of(page)
    found = figures(page)
    told = [found[name] for name in ("problems_completed", "videos_viewed", "last_part")]
    assert told == ["28", "19", "15 Nov 2026"]
    acts = days("C", LAST_DAY)
    lines = sofia.get("csv/learners/learner_57/").text.removeprefix(BOM).splitlines()
    assert lines[0] == "date,problems_attempted,problems_completed,videos_viewed,discussion_contributions"
    assert len(lines) == 1 + 41  # from the first day to the last one counted
    by_day = {line.split(",")[0]: [int(value) for value in line.split(",")[1:]] for line in lines[1:]}
    for when, counts in by_day.items():
        of_day = [act for act in acts if act["date"].isoformat() == when]
        assert counts == [
            len({a["entity_id"] for a in of_day if a["event"] == "attempted"}),
            len({a["entity_id"] for a in of_day if a["event"] == "completed"}),
            len({a["entity_id"] for a in of_day if a["event"] == "viewed"}),
            sum(a["count"] for a in of_day if a["event"] == "contributed"),
        ]
    assert len(table(page)) == 1 + 28


def test_a_learner_without_activity(sofia: httpx.Client) -> None:
    page = sofia.get("learners/learner_4/").text
    assert answer(page) == "Élan <b>Rao</b> has tried no problem, played no video and written nothing yet."
    assert 'id="chart"' not in page
    assert sofia.get("csv/learners/learner_4/").status_code == 404
    assert sofia.get("learners/nobody/").status_code == 404


def test_the_way_back_keeps_the_filters(sofia: httpx.Client) -> None:
    page = sofia.get("learners/?q=bj&sort=-videos_viewed").text
    link = html.unescape(re.search(r'<span class="learner"><a href="([^"]+)"', page)[1])  # type: ignore[index]
    learner = sofia.get(httpx.URL(str(sofia.base_url)).join(link)).text
    back = html.unescape(re.search(r'<p class="report"><a href="([^"]+)"', learner)[1])  # type: ignore[index]
    assert parse_qs(urlsplit(back).query) == {"q": ["bj"], "sort": ["-videos_viewed"]}
    assert urlsplit(back).path.endswith("/learners/")


def test_the_way_back_leads_nowhere_else() -> None:
    class Somewhere:
        path = "/courses/c/"

    for back in ("//evil.example/", "x=1&q=a", "\r\nq=a", "#q"):
        assert roster_path(Somewhere(), back) in ("/courses/c/learners/", "/courses/c/learners/?q=a")  # type: ignore[arg-type]


def test_addresses_are_a_text_to_copy(sofia: httpx.Client, everybody: list[Row]) -> None:
    page = sofia.get("learner_addresses/?segment=struggling").text
    expected = [row["email"] for row in everybody if in_segment(row, "struggling") and row["email"]]
    [area] = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert sorted(area.split()) == sorted(expected)
    assert f"{len(expected)} learners of the list have an e-mail address." in text_of(page)


def test_every_look_is_written_down(world: World, everybody: list[Row]) -> None:
    before = len(audited(world))
    with world.client("ines") as client:
        course = f"/courses/{world.course_id}/"
        for path in (
            "learners/?q=bj",
            "learners/learner_57/",
            "csv/learners/?q=bj",
            "learner_addresses/?q=bj",
        ):
            assert client.get(course + path).status_code == 200
    looks = [line for line in audited(world)[before:] if line["event"] == "looked"]
    assert {(look["caller"], look["course"]) for look in looks} == {("ines", world.course_id)}
    found = sorted(row["username"] for row in everybody if "björn" in (row["name"] or "").lower())
    assert [look["learners"] for look in looks] == [
        ", ".join(found), "learner_57", f"{len(found)} of the query", f"{len(found)} of the query",
    ]  # fmt: skip
    columns = [set(look["columns"].split(", ")) for look in looks]
    assert ["email" in each for each in columns] == [False, True, True, True]
    assert all("name" in each for each in columns[:3])
    assert ["status" in each for each in columns] == [True, True, True, False]


@pytest.fixture
def privately(tmp_path: Path) -> Iterator[Callable[[str], World]]:
    """A world with another `privacy.mode`."""
    with ExitStack() as running:

        def start(mode: str) -> World:
            privacy = Privacy(mode=mode, key="k" * 32)
            return running.enter_context(world_of(tmp_path, fill, learners=True, privacy=privacy))

        yield start


@pytest.mark.parametrize("mode", ["names", "pseudonymous"])
def test_pages_and_files_hide_what_the_mode_hides(
    privately: Callable[[str], World], everybody: list[Row], mode: str
) -> None:
    world = privately(mode)
    hidden = {row["email"] for row in everybody if row["email"]}
    if mode == "pseudonymous":
        hidden |= {row["name"] for row in everybody if row["name"]}
        hidden |= {row["username"] for row in everybody}
    with world.client("sofia") as client:
        client.base_url = httpx.URL(f"{world.url}/courses/{world.course_id}/")
        roster = client.get("learners/").text
        somebody = shown(roster)[0]
        pages = [roster]
        for path in (
            f"learners/{somebody}/",
            "learners/?sort=-videos_viewed",
            "csv/learners/",
            "learners/?q=ana",
        ):
            found = client.get(path)
            assert found.status_code == 200, path
            pages.append(found.text)
        assert client.get("learner_addresses/").status_code == 404
    for page in pages:
        words = set(re.split(r"[\s,<>\"]+|&lt;|&gt;", html.unescape(page)))
        assert not [text for text in hidden if text in words or (" " in text and text in html.unescape(page))]
    assert (f"{len(shown(pages[0]))}", "email" in pages[3].splitlines()[0]) == ("25", False)


def test_without_the_switch_there_is_a_page_in_words(own_world: World) -> None:
    """Off by default: no entry in the navigation, no page, no file; no other page depends on it."""
    with own_world.client("sofia") as client:
        course = f"/courses/{own_world.course_id}/"
        for path in ("learners/", "learners/learner_57/", "csv/learners/", "learner_addresses/"):
            page = client.get(course + path)
            assert page.status_code == 404, path
            assert "Single learners are not shown here" in page.text
        assert "/learners/" not in client.get(course).text


def test_without_the_right_there_is_a_page_in_words(world: World) -> None:
    """The token of Insights may not read learners, or the Data API serves none."""
    api = world.api
    api.paths, api.status, api.body = ("/learners/",), 403, json.dumps({"detail": "no"}).encode()
    try:
        for status, body in ((403, {"detail": "no"}), (404, {"status": 404})):
            api.down, api.status, api.body = True, status, json.dumps(body).encode()
            with world.client("sofia") as client:
                page = client.get(f"/courses/{world.course_id}/learners/")
            assert (page.status_code, "Single learners are not shown here" in page.text) == (404, True)
    finally:
        api.down, api.paths, api.status, api.body = False, ("",), 503, b"down"


def test_days_without_engagement_are_zero() -> None:
    row = {"date": "2026-11-20", **dict.fromkeys(COUNTS, 1)}
    assert [day["date"] for day in every_day([row], LAST_DAY)] == ["2026-11-20", "2026-11-21", "2026-11-22"]
    assert every_day([row], None) == [row]
    assert every_day([], LAST_DAY) == []
