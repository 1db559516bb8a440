"""Beside what a number is set: the period before, or the last run of the course."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.insights.test_numbers import figures, table
from tests.insights.world import LAST_RUN_DAYS, World, enrollment_on

from pharos.insights import comparison
from pharos.insights.directory import Course
from pharos.insights.language import languages

WORDS = languages()["en"]


def run(name: str, start: date) -> Course:
    return Course(f"course-v1:A+B+{name}", name, datetime(start.year, start.month, start.day, tzinfo=UTC))


def test_the_last_run_stands_beside_the_same_day_of_the_course(world: World) -> None:
    address = f"/courses/{world.course_id}/enrollment/activity/"
    with world.client("sofia") as client:
        assert "Last run (R2), same course day" in client.get(address).text
        page = client.get(f"{address}?compare=run").text
    head, first, *_ = table(page)
    then = sum(enrollment_on(LAST_RUN_DAYS - 1).values())
    assert head[-1] == "Last run"
    assert first[-1] == str(then)
    assert "+35 against last run" in page
    assert figures(page)["current_enrollment"] == "356"


def test_a_run_the_viewer_may_not_see_is_not_offered(world: World) -> None:
    address = f"/courses/{world.course_id}/enrollment/activity/?compare=run"
    with world.client("ines") as client:
        page = client.get(address)
    assert page.status_code == 200
    assert "R2" not in page.text
    assert "Last run" not in page.text


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 1000))
def test_weeks_stand_beside_weeks_and_days_beside_days_of_the_course(start: date, days: int) -> None:
    previous, now = run("R1", start), run("R2", start + timedelta(days))
    by_day = comparison.last_run(WORDS, now, previous, {start: 7})
    by_week = comparison.last_run(WORDS, now, previous, {}, weekly=True)
    assert by_day.on(start + timedelta(days)) == 7
    assert by_week.shift.days % 7 == 0
    assert abs(by_week.shift.days - days) <= 3
