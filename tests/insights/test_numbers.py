"""The numbers a page shows are those of the Data API, by the rules and examples of spec 06 §9."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from tests.insights.world import (
    COUNTRIES,
    DAYS,
    EDUCATION,
    LAST_DAY,
    UNTIL,
    World,
    fill,
    publish,
    rows_of,
    world_of,
)

from pharos.config import Counting
from pharos.demo.campus import Campus
from pharos.insights import activity_weeks, enrollment_days, periods
from pharos.insights.files import BOM
from pharos.insights.language import languages
from pharos.insights.pages import age, education, engagement, geography
from pharos.result_store import tables

WORDS = languages()["en"]
FIRST_DAY = UNTIL - timedelta(days=DAYS)


class Tables(HTMLParser):
    """The cells of the tables of a page, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._open = False

    def handle_starttag(self, tag: str, _attributes: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        self._open = self._open or tag in {"td", "th"}
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.rows[-1][-1] += data


def table(html: str) -> list[list[str]]:
    parser = Tables()
    parser.feed(html)
    return [[" ".join(cell.split()) for cell in row] for row in parser.rows]


def figures(html: str) -> dict[str, str]:
    value = r'<dd class="v[^"]*">(?:<a [^>]*>)?([^<]*)(?:</a>)?</dd>'
    found = re.findall(r'data-stat-type="([^"]+)"><dt>[^<]*</dt>' + value, html)
    return dict(found)


def test_enrollment_table_shows_what_the_api_says(world: World) -> None:
    said = world.api_rows(f"courses/{world.course_id}/enrollment/mode/?end_date=2099-01-01")
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/enrollment/activity/?period=7d").text
    head, *rows = table(page)
    assert head == ["Date", "Current", "Change", "Joined", "Left", "Audit", "Master’s", "Verified", "Total"]
    for row, day, before in zip(rows, reversed(said[-7:]), reversed(said[-8:-1]), strict=True):
        assert row[0].startswith(WORDS.weekday(date.fromisoformat(day["date"]), beside=LAST_DAY))
        change = day["count"] - before["count"]
        left = (date.fromisoformat(day["date"]) - FIRST_DAY).days % 3
        flow = [change + left, left]
        tracks = [day["audit"], day["masters"], day["verified"]]
        counts = [day["count"], change, *flow, *tracks, day["cumulative_count"]]
        assert [int(cell.replace(",", "")) for cell in row[1:]] == counts
    assert figures(page) == {
        "cumulative_enrollment": "443",
        "current_enrollment": "356",
        "enrollment_change_last_7_days": "+24",
        "joined": "32",
        "left": "8",
        "verified_enrollment": "44",
        "masters_enrollment": "5",
    }
    assert "<strong>grew 7.2%</strong> from 332 to <strong>356</strong>" in page
    assert '(<span class="when">16–22 Nov 2026</span>).' in page


def test_engagement_table_shows_what_the_api_says(world: World) -> None:
    said = world.api_rows(f"courses/{world.course_id}/activity/?end_date=2099-01-01")
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/engagement/content/").text
    rows = table(page)[1:]
    kinds = ("any", "played_video", "attempted_problem", "posted_forum")
    assert [[int(c) for c in row[1:5]] for row in rows] == [[w[k] for k in kinds] for w in reversed(said)]
    assert rows[0][0] == "22 Nov 2026"
    assert rows[0][5] == "27.2%"


def test_comparison_is_with_the_same_weekdays_before(world: World) -> None:
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/enrollment/activity/?period=7d&compare=before").text
    head, first, *_ = table(page)
    assert head[-1] == "Period before"
    assert first[-1] == "332"  # 15 November, seven days earlier


def test_period_and_sort_and_page_come_from_the_url(world: World) -> None:
    address = f"/courses/{world.course_id}/enrollment/activity/"
    with world.client("sofia") as client:
        rows = table(client.get(f"{address}?period=custom&from=2026-10-01&to=2026-10-05&sort=count").text)[1:]
        assert [row[0].partition(" ")[2] for row in rows] == ["1 Oct", "2 Oct", "3 Oct", "4 Oct", "5 Oct"]
        second = table(client.get(f"{address}?page=2").text)[1:]
        assert second[0][0].startswith("Sun 8 Nov")
        wild = client.get(f"{address}?period=x&from=y&to=z&sort=nope&page=999&compare=q")
        assert wild.status_code == 200


def test_an_empty_course_says_so(world: World) -> None:
    with world.client("sofia") as client:
        for path in (
            "",
            "enrollment/activity/",
            "engagement/content/",
            "enrollment/geography/",
            "enrollment/demographics/age/",
        ):
            page = client.get(f"/courses/{world.campus.courses[2].id}/{path}")
            assert page.status_code == 200
            assert "No data yet" in page.text
        file = client.get(f"/courses/{world.campus.courses[2].id}/csv/enrollment/")
        assert file.status_code == 404


def test_course_list_adds_up(world: World) -> None:
    with world.client("sofia") as client:
        page = client.get("/courses/").text
        assert figures(page)["current_enrollment"] == "1,068"
        assert "6 of 6 courses" in page
        assert "1 of 6 courses" in client.get("/courses/?q=old+101").text
        assert "No course matches" in client.get("/courses/?q=c%2B%2B(").text
        assert "3 of 6 courses" in client.get("/courses/?availability=Archived&sort=-current").text
        file = client.get("/courses/csv/course_list/?q=nothing")
        assert file.text.count("\r\n") == 7
        head = file.text.lstrip(BOM).split("\r\n")[0].split(",")
        assert head == sorted(head)
        assert "enrollment_modes.audit.count" in head
        assert "created" not in head


# --- Worked examples of the specification ------------------------------------------------------------------


def mode_row(day: str, count: int, **modes: int) -> dict[str, Any]:
    return {"date": day, "count": count, "cumulative_count": count, **modes}


def test_gaps_are_filled_and_unused_tracks_vanish() -> None:
    """spec 06 §9.4, example."""
    rows = [
        mode_row("2024-01-01", 5, audit=5),
        mode_row("2024-01-02", 7, audit=6, verified=1),
        mode_row("2024-01-05", 6, audit=5, verified=1),
    ]
    days = enrollment_days.days_of(rows)
    assert [d.count for d in days] == [5, 7, 7, 7, 6]
    assert enrollment_days.growth_in_week(days).change == 6  # nobody before the first day
    assert enrollment_days.tracks_in_use(days) == ["verified", "audit"]
    assert len(enrollment_days.days_of(rows, date(2024, 1, 9))) == 9


def test_other_modes_count_as_other_tracks() -> None:
    """spec 05 §5.4: keys may add up to less than the count."""
    [day] = enrollment_days.days_of([mode_row("2031-03-01", 12, audit=5, verified=3, professional=3)])
    assert day.tracks["other"] == 1


def test_weeks_of_lagging_enrollment() -> None:
    """spec 06 §9.9, example."""
    weeks = activity_weeks.weeks_of(
        [
            {"interval_end": "2024-03-04T000000", "any": 40},
            {"interval_end": "2024-03-11T000000", "any": 48, "played_video": 0},
        ],
        {date(2024, 3, 3): 160},
    )
    assert [w.ending.isoformat() for w in weeks] == ["2024-03-03", "2024-03-10"]
    assert [w.share() for w in weeks] == [0.25, None]
    first, second, _ = engagement.figures(WORDS, weeks[-1], ["any", "played_video", "attempted_problem"], "")
    assert (first.value, first.note) == ("48", WORDS.days(date(2024, 3, 4), date(2024, 3, 10)))
    assert second.value == "0"


def test_median_age() -> None:
    """spec 06 §9.5, example, and §17.56."""
    rows: list[dict[str, Any]] = [
        {"birth_year": 2004, "count": 3},
        {"birth_year": 1994, "count": 2},
        {"birth_year": 1984, "count": 1},
        {"birth_year": None, "count": 4},
        {"birth_year": 2090, "count": 1},
    ]
    ages = age.ages_of(rows, 2024)
    assert ages == {20: 3, 30: 2, 40: 1, None: 5}
    assert age.median_age(ages) == 25.0
    assert age.median_age(Counter({30: 1})) == 30.0
    assert age.median_age(Counter({None: 3})) is None


@given(st.dictionaries(st.integers(5, 90), st.integers(1, 20), min_size=1))
def test_median_age_is_the_middle_of_everybody_in_a_row(counts: dict[int, int]) -> None:
    ages: Counter[int | None] = Counter(counts)
    row = sorted(age for age, n in counts.items() for _ in range(n))
    middle = (row[(len(row) - 1) // 2] + row[len(row) // 2]) / 2
    assert age.median_age(ages) == middle


def test_demographics_pages(world: World) -> None:
    base = f"/courses/{world.course_id}/enrollment/demographics/"
    with world.client("sofia") as client:
        levels = client.get(f"{base}education/").text
        gender = client.get(f"{base}gender/").text
        ages = client.get(f"{base}age/?sort=group").text
    assert "of 102" in ages  # spec 06 §17.58: ages 0 to 100, and those not given
    counts = {row[0]: row[1] for row in table(levels)[1:]}
    assert counts["Bachelor’s"] == str(EDUCATION["bachelors"])
    assert counts["Not given"] == "60"
    assert len(counts) == 10
    assert "10.0% are female" in gender  # spec 06 §9.7, example
    assert table(gender)[1][1:] == ["2,000", "100", "400", "500", "1,000"]


def test_a_site_may_keep_ages_to_itself(tmp_path: Path) -> None:
    """Setting `insights.show_age`: no page, no file, no link (spec 06 §3.1, §17.17)."""
    with world_of(tmp_path, fill, show_age=False) as world, world.client("sofia") as client:
        course = f"/courses/{world.course_id}/"
        assert client.get(f"{course}enrollment/demographics/age/").status_code == 404
        assert client.get(f"{course}csv/enrollment/demographics/age/").status_code == 404
        for report in ("", "enrollment/demographics/gender/"):
            page = client.get(course + report).text
            assert "demographics/age" not in page
            assert "demographics/education" in page


def test_help_and_support_are_where_the_settings_say(tmp_path: Path) -> None:
    addresses: dict[str, Any] = {"help_url": "https://help.example/", "support_email": "help@example.org"}
    with world_of(tmp_path, fill, **addresses) as world, world.client("sofia") as client:
        assert 'id="help" href="https://help.example/"' in client.get("/courses/").text
        assert 'href="mailto:help@example.org"' in client.get("/nowhere/").text


def test_unknown_levels_are_not_given() -> None:
    assert education.levels_of([{"education_level": "alien", "count": 2}]) == {None: 2}


def test_geography(world: World) -> None:
    with world.client("sofia") as client:
        page = client.get(f"/courses/{world.course_id}/enrollment/geography/").text
    assert figures(page)["num-countries"] == str(len(COUNTRIES) - 1)
    assert figures(page)["top-country-1"] == "India"
    rows = {row[0]: row[1:3] for row in table(page)[1:]}
    assert rows["United States"] == ["60", "11.8%"]
    assert rows["Unknown country"] == ["30", "5.9%"]


@given(st.integers(1, 10_000_000))
def test_classes_of_the_map_rise_and_hold_the_largest(most: int) -> None:
    steps = geography.steps(most)
    assert steps[0] == 1
    assert steps == sorted(set(steps))
    assert len(steps) <= geography.CLASSES
    assert steps[-1] <= max(1, most)


# --- Periods -----------------------------------------------------------------------------------------------


@given(st.integers(0, 2000), st.sampled_from(["7d", "30d", "90d", "all", "start", "nonsense"]))
def test_a_period_lies_within_the_data_and_compares_same_weekdays(length: int, choice: str) -> None:
    first = LAST_DAY - timedelta(days=length)
    period = periods.chosen({"period": choice, "compare": "before"}, first, LAST_DAY, None)
    assert first <= period.start <= period.last <= LAST_DAY
    assert period.shift.days % 7 == 0
    assert period.shift >= period.end - period.start


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"period": "custom", "from": "2026-01-05", "to": "2026-01-07"}, ("2026-01-05", "2026-01-07")),
        ({"period": "custom", "from": "2020-01-05", "to": "2030-01-07"}, ("2026-01-01", "2026-01-31")),
        ({"period": "custom", "from": "2026-01-09", "to": "2026-01-07"}, ("2026-01-07", "2026-01-09")),
        ({"from": "2026-01-09"}, ("2026-01-09", "2026-01-31")),
        ({"period": "custom", "from": "x"}, ("2026-01-01", "2026-01-31")),
        ({"period": "start"}, ("2026-01-10", "2026-01-31")),
    ],
)
def test_custom_periods(query: dict[str, str], expected: tuple[str, str]) -> None:
    period = periods.chosen(query, date(2026, 1, 1), date(2026, 1, 31), date(2026, 1, 10))
    assert (period.start.isoformat(), period.last.isoformat()) == expected


def test_weeks_begin_as_the_site_wants(tmp_path: Path) -> None:
    """From Sunday on; the numbers reach to Sunday 22 November, so that the last complete week is 15 to 21."""

    def fill_weeks(engine: sa.Engine, campus: Campus) -> None:
        fill(engine, campus)
        rows = [
            (campus.courses[0].id, start, start + timedelta(days=7), "ACTIVE", count)
            for start, count in ((datetime(2026, 11, 1), 5), (datetime(2026, 11, 15), 9))
        ]
        start = datetime(2026, 11, 15)
        rows.append((campus.courses[1].id, start, start + timedelta(days=7), "ACTIVE", 9))
        names = ("course_id", "interval_start", "interval_end", "label", "count")
        publish(engine, {tables.course_activity_site_week: rows_of(names, rows)})
        this_week = [
            (campus.courses[number].id, date(2026, 11, 22), start, start + timedelta(days=7), "ACTIVE", 3)
            for number, start in enumerate((datetime(2026, 11, 22), datetime(2026, 11, 16)))
        ]
        current = rows_of(("course_id", "date", *names[1:]), this_week)
        publish(engine, {tables.course_activity_current_week: current})

    counting = Counting(week_start="sunday")
    with world_of(tmp_path, fill_weeks, counting=counting) as world, world.client("sofia") as client:
        path = f"/courses/{world.course_id}/engagement/content/"
        other_id = world.campus.courses[1].id
        page = client.get(path, params={"language": "en"}).text
        days = WORDS.days(date(2026, 11, 15), date(2026, 11, 21))
        assert f'<strong>9 learners were active</strong> in the week of <span class="when">{days}' in page
        assert "<strong>9</strong> more than the week before" in page
        assert [row[:2] for row in table(page)[1:]] == [
            ["21 Nov 2026", "9"],
            ["14 Nov 2026Final Exam and Course ends", "0"],
            ["7 Nov 2026", "5"],
        ]
        assert "Distinct learners per week, Sunday to Saturday, UTC" in page
        today = WORDS.days(date(2026, 11, 22), date(2026, 11, 22))
        text = re.sub(r"<[^>]+>", "", page)
        assert f"In the week so far ({today}) 3 learners have been active; a whole week" in text
        other = client.get(path.replace(world.course_id, other_id), params={"language": "en"}).text
        assert "were active</strong>" in other
        assert "week so far" not in other, "it was counted from Monday on, before the setting changed"
        assert "weeks that begin on the day of the setting counting.week_start" in page
        one = client.get(path, params={"from": "2026-11-10", "to": "2026-11-10"}).text
        assert [row[0][:11] for row in table(one)[1:]] == ["14 Nov 2026"]
        file = client.get(f"/courses/{world.course_id}/csv/engagement/activity_trend/").text.splitlines()
        place = file[0].split(",").index("interval_end")
        assert [line.split(",")[place][:10] for line in file[1:]] == [
            "2026-11-08",
            "2026-11-15",
            "2026-11-22",
        ]
        home = client.get(f"/courses/{world.course_id}/", params={"language": "en"}).text
        assert days in home
        assert len(world.api_rows(f"courses/{world.course_id}/activity/?end_date=2099-01-01")) == 12
