"""The pages of problems: their numbers are those of the Data API, their sentences those of a naive count."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser
from tests.insights.answers_given import ODD_PROBLEM, ODD_TEXTS, counted, problems_of
from tests.insights.test_browser import LOOKS, complaints, sign_in
from tests.insights.test_files import rows_of as rows_of_file
from tests.insights.test_files import workbook
from tests.insights.test_numbers import figures, table
from tests.insights.world import OLD_STYLE, World, answer_rows, fill, world_of

from pharos.demo.campus import Campus
from pharos.demo.courses import Block
from pharos.insights.files import BOM
from pharos.insights.language import languages

GRADED = "performance/graded_content/"


def percent(part: int, whole: int) -> str:
    share = Decimal(part) * 100 / Decimal(whole)
    return f"{share.quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


def mean(total: int, count: int) -> str:
    return str((Decimal(total) / count).quantize(Decimal("0.1"), ROUND_HALF_UP))


def short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


def answer(page: str) -> str:
    return plain(page.partition('<p class="answer">')[2].partition("</p>")[0])


def assignments(world: World) -> list[Block]:
    return [
        block for block in world.campus.courses[0].root.walk() if block.type == "sequential" and block.graded
    ]


def problems_in(block: Block) -> list[Block]:
    return [found for found in block.walk() if found.type == "problem"]


def in_path(block_id: str) -> str:
    return quote(block_id, safe=":@+")


def said_of(world: World, problems: list[Block]) -> str:
    """The sentence of a list of problems, counted from the rows as a person would."""
    numbers = counted(answer_rows(world.campus), [problem.id for problem in problems])
    return sentence_of(problems, numbers, "answers")


def sentence_of(problems: list[Block], numbers: dict[str, tuple[int, int]], what: str) -> str:
    total, right = (sum(numbers[problem.id][n] for problem in problems) for n in (0, 1))
    enough = [problem for problem in problems if numbers[problem.id][0] >= 10]
    worst = min(enough, key=lambda p: (numbers[p.id][1] / numbers[p.id][0], -numbers[p.id][0]))
    last, found = numbers[worst.id]
    return (
        f"{percent(right, total)} of {total:,} {what} were right. The hardest problem is {worst.name}, with "
        f"{percent(found, last)}."
    )


def test_graded_content_by_type(sofia: httpx.Client, world: World) -> None:
    page = sofia.get(GRADED).text
    groups = assignments(world)
    assert answer(page) == said_of(world, [p for group in groups for p in problems_in(group)])
    head, *rows = table(page)
    assert head[0] == "Assignment type"
    said = {row["module_id"]: row for row in world.api_rows(f"courses/{world.course_id}/problems/")}
    assert len(said) == len(problems_of(world.campus.courses[0]))
    for row, line in zip(rows, world.campus.courses[0].policy, strict=True):
        problems = [p for group in groups if group.format == line.name for p in problems_in(group)]
        right, total = (
            sum(said[p.id][name] for p in problems) for name in ("correct_submissions", "total_submissions")
        )
        per_problem = [mean(n, len(problems)) for n in (right, total - right, total)]
        assert row == [
            line.name,
            f"{line.weight * 100:.1f}%",
            str(len(problems)),
            *per_problem,
            percent(right, total),
        ]


def test_from_the_type_to_the_part(sofia: httpx.Client, world: World) -> None:
    """Every link leads one level down, and each level says what it is about."""
    page = sofia.get(GRADED).text
    for expected in ("Homework", "Homework 1", "Symbols"):
        href = re.search(rf'<a href="([^"]+)"><bdi>{expected}</bdi></a>', page)
        assert href, expected
        page = sofia.get(f"{world.url}{href[1]}").text
        assert f"<bdi>{expected}</bdi></p>" in page.replace("\n", "").replace(" ", " ")
    assert "Part 1 of 2: Symbols" in page
    href = re.search(r'<a href="([^"]+)">Part 2</a>', page)
    assert href
    assert href[1].endswith("_3_1/answer_distribution/")
    assert "Which letter stands for a muddy bottom?" in sofia.get(f"{world.url}{href[1]}").text


def test_an_assignment_lists_its_problems(sofia: httpx.Client, world: World) -> None:
    for group in assignments(world):
        page = sofia.get(f"{GRADED}assignments/{in_path(group.id)}/").text
        numbers = counted(answer_rows(world.campus), [p.id for p in problems_in(group)])
        rows = table(page)[1:]
        for row, problem in zip(rows, problems_in(group), strict=True):
            total, right = numbers[problem.id]
            assert row == [problem.name, str(right), str(total - right), str(total), percent(right, total)]
        assert answer(page) == said_of(world, problems_in(group))


def test_a_problem_shows_its_answers(sofia: httpx.Client, world: World) -> None:
    """Of every problem and part, sentence, figures, table, chart and file are those of the rows."""
    for group in assignments(world):
        for problem in problems_in(group):
            base = f"{GRADED}assignments/{in_path(group.id)}/problems/{in_path(problem.id)}/"
            said = world.api_rows(f"problems/{quote(problem.id, safe='')}/answer_distribution/")
            for number, part_id in enumerate(sorted({row["part_id"] for row in said})):
                own = [row for row in said if row["part_id"] == part_id]
                page = sofia.get(f"{base}parts/{part_id}/answer_distribution/").text
                if number == 0:
                    assert answer(sofia.get(base).text) == answer(page)
                check_part(page, own, problem)
    file = sofia.get(f"csv/{GRADED}problems/{in_path(problem.id)}/answer_distribution/{part_id}/")
    rows = rows_of_file(file)
    assert [row["answer_value"] for row in rows] == [row["answer_value"] or "" for row in said]
    assert [int(row["last_response_count"]) for row in rows] == [row["last_response_count"] for row in said]
    assert list(rows[0]) == sorted(said[0])
    assert "performance-answer-distribution.csv" in file.headers["content-disposition"]


def check_part(page: str, own: list[dict[str, Any]], problem: Block) -> None:
    first, last = (sum(row[f"{name}_response_count"] for row in own) for name in ("first", "last"))
    right = [row for row in own if row["correct"]]
    right_first, right_last = (
        sum(row[f"{name}_response_count"] for row in right) for name in ("first", "last")
    )
    sentence = f"{percent(right_last, last)} of {last} learners ended with a right answer."
    if len(right) == 1:
        sentence = (
            f"{percent(right_last, last)} of {last} learners ended with the right answer, "
            f"“{short(right[0]['answer_value'])}”."
        )
    sentence += f" On the first attempt it was {percent(right_first, first)}."
    ordered = sorted(own, key=lambda row: -row["last_response_count"])
    wrong = next(row for row in ordered if not row["correct"])
    randomised = any(row["variant"] not in {None, 1} for row in own)
    if not randomised:
        share = percent(wrong["last_response_count"], last)
        sentence += f" The most frequent wrong answer is “{short(wrong['answer_value'])}” ({share})."
    assert answer(page) == sentence
    assert figures(page) == {
        "answered": str(last),
        "right_last": percent(right_last, last),
        "right_first": percent(right_first, first),
        "still_wrong": str(last - right_last),
    }
    head, *rows = table(page.partition('id="table"')[2].partition("</table>")[0])
    assert ("Variant" in head) is randomised
    for row, item in zip(rows, ordered, strict=True):
        cells = dict(zip(head, row, strict=True))
        assert cells["Answer"] == item["answer_value"]
        assert cells["Right"] == ("Right" if item["correct"] else "Wrong")
        assert int(cells["First attempt"]) == item["first_response_count"]
        assert int(cells["Last attempt"]) == item["last_response_count"]
    assert f"/jump_to/{in_path(problem.id)}" in page
    drawn = json.loads(page.partition('<script type="application/json">')[2].partition("</script>")[0])
    if randomised:
        variants = table(page.partition('id="variants"')[2].partition("</table>")[0])[1:]
        assert len(variants) == len({row["variant"] for row in own}) == len(drawn["bars"])
        assert sum(int(row[1]) for row in variants) == last
    else:
        assert [bar["last"] for bar in drawn["answers"]] == [row["last_response_count"] for row in ordered]


def test_numeric_answers_are_a_histogram_too(sofia: httpx.Client, world: World) -> None:
    group = assignments(world)[-1]
    [exam] = [problem for problem in problems_in(group) if problem.name == "Time under way"]
    page = sofia.get(f"{GRADED}assignments/{in_path(group.id)}/problems/{in_path(exam.id)}/").text
    assert 'id="sizes"' in page
    drawn = json.loads(page.split('<script type="application/json">')[2].partition("</script>")[0])
    said = world.api_rows(f"problems/{quote(exam.id, safe='')}/answer_distribution/")
    assert sum(bar["value"] for bar in drawn["bars"]) == sum(row["last_response_count"] for row in said)
    assert [bar["name"] for bar in drawn["bars"]][-1].startswith("≥")
    [other] = [p for p in problems_in(assignments(world)[0]) if p.name == "Knots"]
    address = f"{GRADED}assignments/{in_path(assignments(world)[0].id)}/problems/{in_path(other.id)}/"
    assert 'id="sizes"' not in sofia.get(address).text


def test_the_next_problem_of_the_assignment_is_one_click_away(sofia: httpx.Client, world: World) -> None:
    group = assignments(world)[1]
    first, second, *_ = problems_in(group)
    page = sofia.get(f"{GRADED}assignments/{in_path(group.id)}/problems/{in_path(first.id)}/").text
    assert "Previous problem" not in page
    href = re.search(r'<a href="([^"]+)" rel="next">', page)
    assert href
    assert href[1].endswith(f"/problems/{in_path(second.id)}/")


def test_what_is_not_there_is_not_found(sofia: httpx.Client, world: World) -> None:
    group, other = assignments(world)[:2]
    mine, theirs = problems_in(group)[0], problems_in(other)[0]
    base = f"{GRADED}assignments/{in_path(group.id)}/problems/"
    for address in (
        f"{GRADED}assignments/block-v1:x+y+z+type@sequential+block@no/",
        f"{base}{in_path(theirs.id)}/",
        f"{base}{in_path(mine.id)}/parts/no_2_1/answer_distribution/",
        "performance/problems/no/",
        f"csv/{GRADED}problems/no/answer_distribution/no/",
    ):
        assert sofia.get(address).status_code == 404, address
    unknown = sofia.get(f"{GRADED}no-such-type/")
    assert unknown.status_code == 200
    assert "This course has no assignments of this type." in unknown.text


def test_a_problem_of_another_course_is_not_shown(world: World) -> None:
    """Whoever may see one course cannot read the answers of another by writing their ids together."""
    theirs = in_path(problems_of(world.campus.courses[1])[0].id)
    with world.client("ines") as client:
        base = f"/courses/{world.course_id}"
        assert client.get(f"{base}/performance/problems/{theirs}/").status_code == 404
        for kind in ("csv", "xlsx"):
            file = f"{base}/{kind}/{GRADED}problems/{theirs}/answer_distribution/x/"
            assert client.get(file).status_code == 404


def test_answers_that_would_do_harm_are_text(world: World) -> None:
    """HTML, formulas, turned text and very long answers; in a course of which the LMS tells nothing."""
    with world.client("sofia") as client:
        address = f"/courses/{OLD_STYLE}/performance/problems/{in_path(ODD_PROBLEM)}/"
        page = client.get(address).text
        assert "<script>alert" not in page
        assert "\u202e" not in page
        assert "x" * 200 not in page
        assert "x" * 159 + "…" in page
        assert "How did learners answer this problem?" in page
        stem = f"{GRADED}problems/{in_path(ODD_PROBLEM)}/answer_distribution/x/"
        text = client.get(f"/courses/{OLD_STYLE}/csv/{stem}")
        found = {row["answer_value"] for row in rows_of_file(text)}
        assert "x" * 40_000 in found
        assert {"'=HYPERLINK(1)", "'+1", "'@SUM(1)"} <= found
        head, *rows = workbook(client.get(f"/courses/{OLD_STYLE}/xlsx/{stem}").content)["Data"]
        assert len(rows) == len(ODD_TEXTS) + 1
        place = head.index("answer_value")
        assert all(row[place] for row in rows[:1])


def test_a_course_whose_structure_nobody_tells_lists_its_problems(world: World) -> None:
    with world.client("sofia") as client:
        page = client.get(f"/courses/{OLD_STYLE}/{GRADED}").text
        assert "does not tell how this course is built" in page
        [row] = table(page)[1:]
        assert row[0].startswith("odd")
        assert ODD_PROBLEM in row[0]
        href = re.search(r'<a href="([^"]+)"><bdi>odd</bdi></a>', page)
        assert href
        assert client.get(href[1]).status_code == 200


def test_a_course_without_answers_says_so(world: World) -> None:
    course_id = world.campus.courses[2].id
    with world.client("sofia") as client:
        page = client.get(f"/courses/{course_id}/{GRADED}").text
        assert "Nobody has answered yet." in answer(page)
        assert "No answers yet" in page
        assert client.get(f"/courses/{course_id}/csv/performance/problems/").status_code == 404


def test_a_list_asks_the_data_api_once(world: World) -> None:
    """However many problems there are."""
    group = assignments(world)[0]
    problem = problems_in(group)[0]
    base = f"/courses/{world.course_id}/{GRADED}"
    with world.client("sofia") as client:
        for address, most in (
            (base, 2),  # and whether there is a report
            (f"{base}assignments/{in_path(group.id)}/", 1),
            (
                f"{base}assignments/{in_path(group.id)}/problems/{in_path(problem.id)}/",
                5,
            ),  # and findings and quality
        ):
            world.api.requests.clear()
            client.get(address)
            asked = [path for path in world.api.requests if "/courses/" in path or "/problems/" in path]
            assert len(asked) == most, asked


def test_the_file_of_all_problems(sofia: httpx.Client, world: World) -> None:
    said = world.api_rows(f"courses/{world.course_id}/problems/")
    file = sofia.get("csv/performance/problems/")
    assert file.text.startswith(BOM)
    rows = rows_of_file(file)
    assert [
        (row["module_id"], int(row["total_submissions"]), int(row["correct_submissions"])) for row in rows
    ] == [(row["module_id"], row["total_submissions"], row["correct_submissions"]) for row in said]
    assert {row["course_id"] for row in rows} == {world.course_id}


@pytest.mark.parametrize("code", languages())
def test_every_language_has_the_pages(sofia: httpx.Client, world: World, code: str) -> None:
    group = assignments(world)[1]
    for problem in problems_in(group):
        for address in (
            GRADED,
            f"{GRADED}homework/",
            f"{GRADED}assignments/{in_path(group.id)}/",
            f"{GRADED}assignments/{in_path(group.id)}/problems/{in_path(problem.id)}/",
        ):
            page = sofia.get(address, params={"language": code})
            assert page.status_code == 200
            assert answer(page.text)
            assert "%(" not in page.text


def looked_at(browser: Browser, world: World, name: str, pages: list[str]) -> None:
    """Pages in Chromium: axe finds nothing, nothing scrolls sideways, no script complains."""
    context = browser.new_context(**LOOKS[name], base_url=world.url)
    context.set_default_timeout(10_000)
    page = context.new_page()
    sign_in(page, world)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    if name == "arabic":
        page.goto("/courses/?language=ar")
    for address in pages:
        page.goto(address, wait_until="load")
        for number in range(page.locator("figure[data-chart]").count()):
            figure = page.locator("figure[data-chart]").nth(number)
            figure.locator("svg[aria-hidden] >> nth=0").wait_for(state="attached")
        assert complaints(page) == [], address
        wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= shown, f"{address} scrolls sideways"
    assert heard == []
    context.close()


@pytest.mark.parametrize("name", LOOKS)
def test_axe_finds_nothing_and_no_page_is_too_wide(browser: Browser, world: World, name: str) -> None:
    course = f"/courses/{world.course_id}/"
    homework, exam = assignments(world)[1], assignments(world)[-1]
    pages = [
        f"{course}{GRADED}",
        f"{course}{GRADED}homework/",
        f"/courses/{OLD_STYLE}/performance/problems/{in_path(ODD_PROBLEM)}/",
        f"/courses/{OLD_STYLE}/{GRADED}",
        f"/courses/{world.campus.courses[2].id}/{GRADED}",
    ]
    for group in (homework, exam):
        base = f"{course}{GRADED}assignments/{in_path(group.id)}/"
        pages += [base, *(f"{base}problems/{in_path(p.id)}/" for p in problems_in(group))]
    looked_at(browser, world, name, pages)


def test_a_chart_of_answers_is_read_by_keyboard(browser: Browser, world: World) -> None:
    context = browser.new_context(**LOOKS["light"], base_url=world.url)
    page = context.new_page()
    sign_in(page, world)
    group = assignments(world)[-1]
    [exam] = [problem for problem in problems_in(group) if problem.name == "Time under way"]
    page.goto(
        f"/courses/{world.course_id}/{GRADED}assignments/{in_path(group.id)}/problems/{in_path(exam.id)}/"
    )
    page.wait_for_selector("#chart .chart svg")
    page.locator("#chart .chart").press("ArrowDown")
    row = page.locator("#table tbody tr").first
    first, last = row.locator("td").all_inner_texts()[1:3]
    said = page.locator("#chart [aria-live]").inner_text()
    assert said == f"7.5 ✓ Right: First attempt {first}, Last attempt {last}"
    page.locator("#sizes .chart").press("ArrowDown")
    assert "Learners" in page.locator("#sizes [aria-live]").inner_text()
    assert (
        page.get_by_role("navigation", name="Reports").locator("[aria-current]").inner_text()
        == "Graded content"
    )
    context.close()


@pytest.fixture(scope="module")
def without_problems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The LMS knows a course without a section."""

    def emptied(campus: Campus) -> None:
        first, *others = campus.courses
        bare = replace(first, root=replace(first.root, children=()))
        object.__setattr__(campus, "courses", (bare, *others))

    folder: Path = tmp_path_factory.mktemp("without_problems")
    with world_of(folder, fill, emptied) as running:
        yield running


def test_a_course_without_problems(without_problems: World) -> None:
    with without_problems.client("sofia") as client:
        page = client.get(f"/courses/{without_problems.course_id}/{GRADED}")
        assert page.status_code == 200
        assert "Nobody has answered yet." in page.text or "no graded content" in page.text
