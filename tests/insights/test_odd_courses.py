"""No page fails and no sentence is false: every page, period, comparison and language over odd courses."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import date
from itertools import cycle
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser
from tests.insights import naive
from tests.insights.odd_courses import COURSES, DAY, LAST_DAY, LAST_SUNDAY, Odd, fill, flows_of, prepare
from tests.insights.test_browser import complaints, sign_in
from tests.insights.test_numbers import figures, table
from tests.insights.world import World, world_of

from pharos.insights.files import BOM
from pharos.insights.language import AVAILABLE, languages

WORDS = languages()["en"]
DAILY = ("enrollment/activity/", "enrollment/demographics/gender/")
WEEKLY = ("engagement/content/",)
LATEST = ("", "enrollment/demographics/age/", "enrollment/demographics/education/", "enrollment/geography/")
PERIODS: tuple[dict[str, str], ...] = (
    {},
    {"period": "7d"},
    {"period": "30d"},
    {"period": "90d"},
    {"period": "4w"},
    {"period": "12w"},
    {"period": "start"},
    {"period": "nonsense"},
    {"period": "custom", "from": "2026-11-23", "to": "2026-11-25"},  # no Sunday
    {"period": "custom", "from": "2026-10-07", "to": "2026-10-12"},  # inside a gap
    {"period": "custom", "from": "2026-11-20", "to": "2026-11-02"},  # swapped
    {"period": "custom", "from": "2026-11-31", "to": "x"},  # unreadable
    {"period": "custom", "from": "2026-11-16", "to": "2026-11-16"},  # one day
    {"period": "custom", "from": "1999-01-01", "to": "2000-01-01"},  # long before
    {"period": "custom", "from": "0001-01-01", "to": "9999-12-31"},
)
COMPARISONS = ("", "before", "run", "runs")


@pytest.fixture(scope="module")
def odd_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("odd"), fill, prepare) as running:
        yield running


class Patient:
    """Asks again while a busy machine lets the Data API's two seconds pass: 503 is no answer of a page."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, address: str, params: dict[str, str] | None = None) -> httpx.Response:
        for _ in range(20):
            answer = self._client.get(address, params=params)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
        return answer


@pytest.fixture(scope="module")
def sofia(odd_world: World) -> Iterator[Patient]:
    with odd_world.client("sofia") as client:
        yield Patient(client)


def address(course_id: str, report: str) -> str:
    return f"/courses/{quote(course_id, safe='/:+@')}/{report}"


def answer(page: str) -> str:
    """The answer of a page as it is read."""
    found = re.search(r'<p class="answer">(.*?)</p>', page, re.DOTALL)
    assert found, page[:2000]
    return flat(html.unescape(re.sub(r"<[^>]+>", "", found[1])))


def flat(text: str) -> str:
    """The text with single blanks, also for the thin ones inside dates."""
    return " ".join(text.split())


def by_day(odd: Odd, which: int) -> dict[date, int]:
    """Enrolled (0) or ever enrolled (1) on the days that have rows."""
    return {when: sum(numbers[which] for numbers in modes.values()) for when, modes in odd.days.items()}


def verified(odd: Odd) -> dict[date, int]:
    return {when: modes.get("verified", (0, 0))[0] for when, modes in odd.days.items()}


def by_sunday(odd: Odd, label: str = "ACTIVE") -> dict[date, int]:
    return {monday + 6 * DAY: labels.get(label, 0) for monday, labels in odd.weeks.items()}


def is_whole(query: dict[str, str], first: date, start: date | None) -> bool:
    """Whether the page shows all days because it was asked to, or because it cannot do what it was asked."""
    period = query.get("period", "all")
    if period == "start":
        return not (start and first <= start <= LAST_DAY)
    if period != "custom":
        return period not in {"7d", "30d", "90d"}
    try:
        a, b = sorted((date.fromisoformat(query["from"]), date.fromisoformat(query["to"])))
    except ValueError:
        return True
    return a > LAST_DAY or b < first


def expected_enrollment(odd: Odd, query: dict[str, str]) -> str:
    first = min(odd.days)
    query = query | {"_all": "yes" if is_whole(query, first, odd.starts) else "no"}
    days = naive.days_asked(query, first, LAST_DAY, odd.starts)
    counts, ever = by_day(odd, 0), by_day(odd, 1)
    return naive.enrollment(counts, ever, verified(odd), flows_of(odd), odd.passed, query, days, first)


def expected_activity(odd: Odd, query: dict[str, str]) -> str:
    active = by_sunday(odd)
    shown = naive.weeks_asked(query, min(active) - 6 * DAY, LAST_SUNDAY, odd.starts)
    return naive.activity(active, by_day(odd, 0), shown, known=bool(odd.days))


def walks() -> Iterator[tuple[str, str, dict[str, str], str]]:
    """Course, report, query and language: each course with each report; periods and the rest in turn."""
    turns = cycle([(p, c, code) for code in AVAILABLE for c in COMPARISONS for p in PERIODS])
    codes = cycle(AVAILABLE)
    for course_id in COURSES:
        for report in (*DAILY, *WEEKLY):
            for _ in range(4):
                period, compare, code = next(turns)
                yield course_id, report, period | ({"compare": compare} if compare else {}), code
        for report in LATEST:
            for _ in range(2):
                yield course_id, report, {}, next(codes)


def test_no_page_fails_whatever_is_asked_of_whatever_course(sofia: Patient) -> None:
    failed = []
    for course_id, report, query, code in walks():
        page = sofia.get(address(course_id, report), params=query | {"language": code})
        text = answer(page.text) if page.status_code == 200 else page.text[:200]
        shares = re.findall(r"([\d.,]+)%", page.text.partition("<main")[2].partition("<script")[0])
        if page.status_code != 200 or not text or "None" in text or "nan" in text.lower().split():
            failed.append((course_id, report, query, code, page.status_code, text))
        if code == "en":
            too_much = [s for s in shares if float(s.replace(",", "")) > 100 and "%" in text and s in text]
            if too_much:
                failed.append((course_id, report, query, code, 0, f"more than all: {too_much}"))
    assert failed == []


@pytest.mark.parametrize("course_id", [c for c, odd in COURSES.items() if odd.days])
def test_the_sentence_on_enrollment_is_true(sofia: Patient, course_id: str) -> None:
    for query in PERIODS:
        page = sofia.get(address(course_id, DAILY[0]), params=query | {"language": "en"}).text
        assert answer(page) == flat(expected_enrollment(COURSES[course_id], query)), query


@pytest.mark.parametrize("course_id", [c for c, odd in COURSES.items() if odd.weeks])
def test_the_sentence_on_activity_is_true(sofia: Patient, course_id: str) -> None:
    for query in PERIODS:
        page = sofia.get(address(course_id, WEEKLY[0]), params=query | {"language": "en"}).text
        assert answer(page) == flat(expected_activity(COURSES[course_id], query)), query


WHO: dict[str, tuple[str, Callable[[naive.Counts], str]]] = {
    "birth_year": ("enrollment/demographics/age/", lambda counts: naive.ages(counts, LAST_DAY)),
    "education_level": ("enrollment/demographics/education/", naive.levels),
    "gender": ("enrollment/demographics/gender/", lambda counts: naive.genders(counts, WORDS.day(LAST_DAY))),
    "country_code": ("enrollment/geography/", naive.countries),
}


@pytest.mark.parametrize("column", WHO)
def test_the_sentences_on_who_learners_are_are_true(sofia: Patient, column: str) -> None:
    report, expected = WHO[column]
    courses = {c: odd.demographics[column] for c, odd in COURSES.items() if column in odd.demographics}
    told = [course_id for course_id, counts in courses.items() if sum(counts.values())]
    assert len(told) > 5
    for course_id in told:
        page = sofia.get(address(course_id, report), params={"language": "en"}).text
        assert answer(page) == flat(expected(courses[course_id])), course_id


@pytest.mark.parametrize("code", [code for code in AVAILABLE if code != "en"])
def test_other_languages_say_the_same_numbers(sofia: Patient, code: str) -> None:
    """Every number of the English sentence, as the language writes it; dates apart, which have words."""
    words = languages()[code]
    for course_id, odd in COURSES.items():
        if not odd.days:
            continue
        query = {"period": "30d", "language": code}
        said = answer(sofia.get(address(course_id, DAILY[0]), params=query).text)
        first, last = naive.days_asked({"period": "30d"}, min(odd.days), LAST_DAY, None)
        before, now = naive.on(by_day(odd, 0), first - DAY), naive.on(by_day(odd, 0), last)
        assert flat(words.number(now)) in said, (course_id, said)
        assert flat(words.days(first, last)) in said, (course_id, said)
        if now != before:
            in_percent = before >= 10 and now <= 2 * before
            change = (
                words.percent(abs(now - before) / before) if in_percent else words.number(abs(now - before))
            )
            assert flat(change) in said, (course_id, said)


def test_course_home_says_what_the_reports_say(sofia: Patient) -> None:
    """Seven days of enrollment and the last complete week of activity, both named."""
    for course_id, odd in COURSES.items():
        page = sofia.get(address(course_id, ""), params={"language": "en"}).text
        if odd.days:
            changed, came = naive.growth(by_day(odd, 0), flows_of(odd), LAST_DAY - 6 * DAY, LAST_DAY)
            assert answer(page).startswith(flat(changed))
            assert came in flat(html.unescape(re.sub(r"<[^>]+>", "", page)))
        if odd.weeks:
            said = naive.activity(by_sunday(odd), by_day(odd, 0), [LAST_SUNDAY], known=bool(odd.days))
            assert flat(said) in flat(html.unescape(re.sub(r"<[^>]+>", "", page)))


def test_weeks_without_rows_are_zero_in_sentence_tile_table_chart_and_file(sofia: Patient) -> None:
    page = sofia.get(address("course-v1:Odd+GAPWEEKS+1", WEEKLY[0]), params={"language": "en"}).text
    weeks = table(page)[1:]
    assert [row[1] for row in weeks] == ["3", "0", "0", "20"]
    assert '"values": [20, 0, 0, 3]' in page
    assert figures(page)["any"] == "3"
    assert "That is 3 more than the week before." in answer(page)


def test_the_list_and_the_page_agree_on_the_change(sofia: Patient) -> None:
    rows = {
        row[0]: row
        for row in table(sofia.get("/courses/", params={"language": "en", "sort": "-current"}).text)[1:]
    }
    for course_id, odd in COURSES.items():
        if not odd.days:
            continue
        page = sofia.get(address(course_id, DAILY[0]), params={"language": "en"}).text
        [row] = [row for name, row in rows.items() if name.endswith(short(course_id))]
        truth = naive.on(by_day(odd, 0), LAST_DAY) - naive.on(by_day(odd, 0), LAST_DAY - 7 * DAY)
        assert row[5] == WORDS.signed(truth), course_id
        assert figures(page)["enrollment_change_last_7_days"] == row[5], course_id
        week = [flow for when, flow in flows_of(odd).items() if when > LAST_DAY - 7 * DAY]
        joined, left = (WORDS.number(sum(flow[i] for flow in week)) for i in (0, 1))
        assert row[6:8] == [joined, left], course_id
        assert [figures(page)[key] for key in ("joined", "left")] == [joined, left], course_id


def short(course_id: str) -> str:
    """The end of a course's cell in the list."""
    known = bool(COURSES[course_id].starts) or course_id.startswith("ccx")
    return course_id.removeprefix("course-v1:") + ("" if known else "; not in the LMS’s list of courses")


def test_a_range_is_written_out_and_what_was_changed_of_it_is_told(sofia: Patient) -> None:
    said: dict[str, Any] = {
        "from=2026-11-05&to=2026-11-09": (None, "5–9 Nov 2026"),
        "period=custom&from=2026-11-09&to=2026-11-05": (
            "The first day was after the last",
            "5–9 Nov 2026",
        ),
        "period=custom&from=2026-11-05&to=nothing": ("A date in the address cannot be read", None),
        "period=custom&from=2020-11-05&to=2020-11-09": ("None of these days is counted", None),
        "period=custom&from=2026-11-05&to=2030-11-09": ("Not all of these days", "5–25 Nov 2026"),
        "period=century": ("no such period", None),
    }
    for query, (correction, days) in said.items():
        page = sofia.get(f"{address('course-v1:Odd+STALE+1', DAILY[0])}?{query}&language=en").text
        assert correction is None or correction in page, query
        assert (correction is None) == ('<p class="note"><svg' not in page.partition("bar controls")[0]), (
            query
        )
        summary = page.partition('<summary class="btn"')[2].partition("</summary>")[0]
        assert summary == (f' aria-current="true">{days}' if days else ">Dates…"), query
    page = sofia.get(
        f"{address('course-v1:Odd+STALE+1', WEEKLY[0])}?from=2026-11-04&to=2026-11-05&language=en"
    ).text
    assert "whole weeks" in page
    assert [row[0] for row in table(page)[1:]] == ["8 Nov 2026"]


def test_everybody_has_left(sofia: Patient) -> None:
    for report in LATEST[1:]:
        page = sofia.get(address("course-v1:Odd+LEFT+1", report), params={"language": "en"}).text
        assert answer(page) == "Nobody is enrolled on 25 November 2026."
        assert "Everybody has left" in page


def test_more_active_than_enrolled_is_said_and_is_no_percentage(sofia: Patient) -> None:
    page = sofia.get(address("ccx-v1:Odd+CCX+1+ccx@7", WEEKLY[0]), params={"language": "en"}).text
    assert "at least 2 of them were not enrolled" in answer(page)
    assert table(page)[1][-1] == "at least 2 not enrolled"


def test_the_last_run_stands_in_the_sentence(sofia: Patient) -> None:
    query = {"compare": "run", "language": "en"}
    page = sofia.get(address("course-v1:Odd+WHOLERUN+2", DAILY[0]), params=query).text
    begins = COURSES["course-v1:Odd+WHOLERUN+2"].starts
    before = COURSES["course-v1:Odd+WHOLERUN+1"]
    assert begins
    assert before.starts
    then = naive.on(by_day(before, 0), before.starts + (LAST_DAY - begins))
    assert (
        f"Enrollment is {28 - then} higher than at this day of the last run, when it was {then}."
        in answer(page)
    )
    page = sofia.get(address("course-v1:Odd+WHOLERUN+2", WEEKLY[0]), params=query).text
    assert "In this week of the last run it was 4, 7 fewer." in answer(page)


def test_several_earlier_runs_are_a_range(sofia: Patient) -> None:
    """On day 51 of the course run 1 had 16, run 0 had 50; in its seventh week 4 and 6."""
    query = {"compare": "runs", "language": "en", "period": "7d"}
    page = sofia.get(address("course-v1:Odd+WHOLERUN+2", DAILY[0]), params=query).text
    assert "At this day of the course the earlier runs had between 16 and 50." in answer(page)
    assert [row[-1] for row in table(page)] == ["Earlier runs", *["16–50"] * 7]
    assert '"band": [{"colour": "n0", "dash": null, "name": "Earlier runs", "values": [16, 16,' in page
    page = sofia.get(address("course-v1:Odd+WHOLERUN+2", WEEKLY[0]), params=query).text
    assert "In this week of the course the earlier runs had between 4 and 6." in answer(page)


def test_verified_share_and_passing_stand_beside_their_ranges_in_earlier_runs(sofia: Patient) -> None:
    """On day 51 run 1 had 0 of 16 verified and 4 passing, run 0 had 10 of 50 and 6."""
    query = {"compare": "runs", "language": "en"}
    page = sofia.get(address("course-v1:Odd+WHOLERUN+2", DAILY[0]), params=query).text
    assert "10.7% of current; earlier runs 0.0%–20.0%" in page
    assert (
        "10.7% of the learners are verified; at this day of the earlier runs it was between 0.0% and 20.0%."
        in answer(page)
    )
    assert "earlier runs 4–6" in page


def test_course_home_and_tile_have_the_verified_share_of_the_last_run(sofia: Patient) -> None:
    """Run 1 began 147 days after run 0 did: 10 of 50 were verified on that day of the course, 0 of 16 now."""
    course = "course-v1:Odd+WHOLERUN+2"
    home = flat(
        html.unescape(re.sub(r"<[^>]+>", "", sofia.get(address(course, ""), params={"language": "en"}).text))
    )
    assert "Enrollment is 12 higher than at this day of the last run, when it was 16." in home
    assert "10.7% of the learners are verified; at this day of the last run it was 0.0%." in home
    assert "In this week of the last run it was 4, 7 fewer." in home
    page = sofia.get(address(course, DAILY[0]), params={"compare": "run", "language": "en"}).text
    assert "10.7% of current; last run 0.0%" in page
    assert "10.7% of the learners are verified; at this day of the last run it was 0.0%." in answer(page)
    page = sofia.get(address(course, DAILY[0]), params={"period": "7d", "language": "en"}).text
    assert "10.7% of current; +3 in these days" in page


def test_ended_courses_do_not_lose_learners(sofia: Patient) -> None:
    """Odd+ENDED went from 40 to 38 after its end, Odd+LEFT from 10 to nobody while it is open."""
    page = sofia.get("/courses/", params={"language": "en"}).text
    assert "1 course lost learners: course-v1:Odd+LEFT+1." in answer(page)
    found = re.search(r'href="(/courses/\?losing[^"]*)"', page)
    assert found
    rows = table(sofia.get(html.unescape(found[1])).text)[1:-1]
    assert [row[5] for row in rows] == ["−10"]


def test_the_sentence_of_a_portfolio_is_of_the_courses_shown_and_so_is_its_link(sofia: Patient) -> None:
    query = {"language": "en", "q": "odd 1", "availability": "unknown", "by": "program"}
    page = sofia.get("/courses/portfolio/", params=query).text
    rows = table(sofia.get("/courses/", params=query).text)[1:-1]
    enrolled = sum(int(row[3].replace(",", "")) for row in rows)
    assert answer(page).startswith(f"There are {enrolled:,} enrollments in the {len(rows)} courses shown, ")
    found = re.search(r'<p class="answer">.*?href="([^"]*losing[^"]*)"', page, re.DOTALL)
    assert found
    assert [row[5] for row in table(sofia.get(html.unescape(found[1])).text)[1:-1]] == ["−10"]
    assert "q=odd+1&availability=unknown" in html.unescape(found[1])
    assert "not in the LMS’s list of courses" in page


def test_a_course_that_nobody_joined_is_listed(odd_world: World, sofia: Patient) -> None:
    rows = table(sofia.get("/courses/", params={"language": "en"}).text)
    [row] = [row for row in rows if odd_world.campus.courses[2].id.removeprefix("course-v1:") in row[0]]
    assert row[2:4] == ["0", "0"]


def test_the_gap_of_days_is_as_the_day_before(sofia: Patient) -> None:
    query = {"period": "custom", "from": "2026-10-06", "to": "2026-10-06", "language": "en"}
    page = sofia.get(address("course-v1:Odd+GAPDAYS+1", DAILY[0]), params=query).text
    assert table(page)[1][1:3] == ["10", "±0"]
    page = sofia.get(address("course-v1:Odd+GAPDAYS+1", DAILY[0]), params={"language": "en"}).text
    assert table(page)[1][0].startswith("Wed 25 Nov")


def test_files_have_the_zero_weeks_and_the_days_of_the_page(sofia: Patient) -> None:
    course = address("course-v1:Odd+GAPWEEKS+1", "")
    weeks = sofia.get(f"{course}csv/engagement/activity_trend/").text.splitlines()
    assert weeks[0].lstrip(BOM).split(",")[:2] == ["any", "attempted_problem"]
    assert [line.split(",")[0] for line in weeks[1:]] == ["20", "0", "0", "3"]
    page = sofia.get(f"{course}engagement/content/?from=2026-11-10&to=2026-11-12").text
    found = re.search(r'href="([^"]*csv[^"]*)"', page)
    assert found
    assert found[1].endswith("?from=2026-11-09&amp;to=2026-11-15")
    assert len(sofia.get(html.unescape(found[1])).text.splitlines()) == 2


def test_a_course_that_the_lms_does_not_list_says_so(sofia: Patient) -> None:
    said = "not in the LMS’s list of courses"
    assert said in sofia.get(address("course-v1:Odd+LEFT+1", ""), params={"language": "en"}).text
    assert said not in sofia.get(address("course-v1:Odd+ENDED+1", ""), params={"language": "en"}).text
    assert said not in sofia.get(address("ccx-v1:Odd+CCX+1+ccx@7", ""), params={"language": "en"}).text


def test_differences_from_the_lms_are_told_in_words(sofia: Patient) -> None:
    def said(course: str) -> list[str]:
        page = sofia.get(address(f"course-v1:Odd+{course}+1", DAILY[0]), params={"language": "en"}).text
        found = re.search(r'<ul class="cases" id="differences">(.*?)</ul>', page, re.DOTALL)
        items = re.findall(r"<li>(.*?)</li>", found[1], re.DOTALL) if found else []
        return [flat(html.unescape(re.sub(r"<[^>]+>", "", item))) for item in items]

    assert said("STALE") == [
        "The LMS has 32 learners enrolled, the events have 30.",
        "2 are enrolled in the LMS without an event: by hand or by a script, or the log is lost.",
    ]
    assert said("MOVE") == [
        "The LMS has 30 learners enrolled, the events have 30.",
        "They agree on every learner.",
    ]
    assert [item.split(" ")[0] for item in said("GAPWEEKS")[1:]] == ["1", "1", "1", "3", "1"]
    assert said("YOUNG") == []


def test_the_week_so_far_is_shown_apart(sofia: Patient) -> None:
    """Monday 23 to Wednesday 25 November; with the newest week only, and for nobody where that was quiet."""
    days = flat(WORDS.days(date(2026, 11, 23), LAST_DAY))
    expected = {
        "course-v1:Odd+GAPWEEKS+1": f"In the week so far ({days}) 2 learners have been active",
        "course-v1:Odd+WHOLERUN+2": f"In the week so far ({days}) 1 learner has been active",
        "course-v1:Odd+TWO+1": f"In the week so far ({days}) nobody has been active.",
        "course-v1:Odd+STALE+1": "",
    }
    for course_id, sentence in expected.items():
        page = sofia.get(address(course_id, WEEKLY[0]), params={"language": "en"}).text
        text = flat(html.unescape(re.sub(r"<[^>]+>", "", page)))
        assert sentence in text, course_id
        assert ("week so far" in text) == bool(sentence), course_id
        home = flat(html.unescape(re.sub(r"<[^>]+>", "", sofia.get(address(course_id, "")).text)))
        assert sentence in home, course_id
        assert "week so far" not in answer(page)
    query = {"language": "en", "from": "2026-10-26", "to": "2026-11-01"}
    assert "week so far" not in sofia.get(address("course-v1:Odd+GAPWEEKS+1", WEEKLY[0]), params=query).text


def test_passing_is_compared_by_day_of_the_course(sofia: Patient) -> None:
    """25 November is day 51 of the course: run 1 had 4 by 22 April and 9 in the end, run 0 had 6."""
    course = "course-v1:Odd+WHOLERUN+2"
    page = sofia.get(address(course, DAILY[0]), params={"compare": "run", "language": "en"}).text
    assert answer(page).endswith("5 learners had passed. At this day of the last run it was 4.")
    assert figures(page)["passing"] == "5"
    page = sofia.get(address(course, DAILY[0]), params={"compare": "runs", "language": "en"}).text
    assert answer(page).endswith("At this day of the earlier runs it was between 4 and 6.")
    home = flat(re.sub(r"<[^>]+>", "", sofia.get(address(course, ""), params={"language": "en"}).text))
    assert "5 learners had passed. At this day of the last run it was 4." in home
    page = sofia.get(address(course, DAILY[0]), params={"period": "7d", "language": "en"}).text
    head, *rows = table(page)
    place = head.index("Passing")
    assert [row[place] for row in rows] == ["5"] * 6 + ["2"]
    file = sofia.get(f"{address(course, '')}csv/enrollment/?period=7d").text.lstrip(BOM).splitlines()
    place = file[0].split(",").index("passing")
    assert [line.split(",")[place] for line in file[1:]] == ["2"] + ["5"] * 6


def test_languages_are_told_where_no_country_is_known(sofia: Patient) -> None:
    """As on a site without a file of the addresses of countries: learners are counted all the same."""
    page = sofia.get(address("course-v1:Odd+NOWHERE+1", LATEST[3]), params={"language": "en"}).text
    assert answer(page) == "No country is known yet. There are 7 learners."
    assert "Nothing has been counted" not in page
    assert table(page.partition('id="languages"')[2])[1][:2] == ["French", "6"]


def test_languages_of_browsers_stand_beside_those_of_transcripts(sofia: Patient) -> None:
    """20 browsers tell one; of four videos all have English, three one Spanish and one another."""
    course = "course-v1:Odd+WHOLERUN+2"
    page = sofia.get(address(course, LATEST[3]), params={"language": "en"}).text
    part = page.partition('id="languages"')[2].partition("</section>")[0]
    text = flat(html.unescape(re.sub(r"<[^>]+>", " ", part)))
    said = text.replace(" ,", ",").replace(" .", ".")
    shares = "Spanish (60.0%), English (30.0%) and Portuguese (10.0%)."
    assert f"The browsers of 20 learners name a language: {shares}" in said
    assert "Some videos, or all, have no transcript in Spanish and Portuguese." in text.replace(" .", ".")
    rows, of_accounts = table(part), ("Chose it for the LMS", "Share of chosen")
    assert rows == [
        ["Language", "Learners", "Share of known", *of_accounts, "Transcripts"],
        ["Spanish", "12", "60.0%", "3", "75.0%", "es-419: 3 of 4 videoses: 1 of 4 videos"],
        ["English", "6", "30.0%", "0", "0.0%", "4 of 4 videos"],
        ["Portuguese", "2", "10.0%", "0", "0.0%", "no video"],
        ["French", "0", "0.0%", "1", "25.0%", "no video"],
        ["Not known", "8", "", "24", "", ""],
    ]  # fmt: skip
    chosen = (
        "4 learners have chosen a language for the learning platform: Spanish (75.0%) and French (25.0%)."
    )
    assert chosen in said
    file = sofia.get(f"{address(course, '')}csv/enrollment/language/").text.lstrip(BOM).splitlines()
    assert [line.split(",")[:2] for line in file] == [
        ["chosen", "count"], ["3", "12"], ["0", "6"], ["0", "2"], ["24", "8"], ["1", "0"],
    ]  # fmt: skip
    assert 'id="languages"' not in sofia.get(address("course-v1:Odd+STALE+1", LATEST[3])).text


def test_a_browser_shows_the_sentences_of_changed_pages_and_axe_finds_nothing(
    browser: Browser, odd_world: World
) -> None:
    """Enrollment, activity and geography as they are read in Chromium, beside a naive count of the same."""
    context = browser.new_context(base_url=odd_world.url, viewport={"width": 390, "height": 844})
    page = context.new_page()
    sign_in(page, odd_world)
    for course_id in ("course-v1:Odd+LEFT+1", "course-v1:Odd+GAPWEEKS+1", "course-v1:Odd+WHOLERUN+2"):
        odd = COURSES[course_id]
        expected = {
            f"{DAILY[0]}?period=30d&language=en": expected_enrollment(odd, {"period": "30d"}),
            f"{WEEKLY[0]}?language=en": expected_activity(odd, {}),
        }
        for path, sentence in expected.items():
            page.goto(address(course_id, path))
            assert flat(page.locator(".answer").inner_text()) == flat(sentence)
            assert complaints(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.goto(address(course_id, f"{LATEST[3]}?language=en"))
        assert complaints(page) == []
        assert page.locator("#languages").count() == bool(odd.languages)
        for part in page.locator("#languages-table").all():
            assert part.evaluate("table => table.scrollWidth <= table.clientWidth")
    context.close()
