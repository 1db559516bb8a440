"""What each learner is doing. `spec 90 §9-6..8`"""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.metrics.conftest import Compute, Rows, columns, day
from tests.metrics.naive import Enrollment
from tests.metrics.naive_engagement import Act
from tests.metrics.naive_status import statuses
from tests.metrics.test_roster import accounts, enrollment, facts, joined

from pharos.metrics.learner_status import Pauses

UNTIL = datetime(2024, 3, 31)
LAST = date(2024, 3, 30)
TABLE, COUNTS = "learner_status", "learner_status_count"


def acts(user: int | None, *days: str, name: str = "", course: str = "C") -> list[Act]:
    return [Act(user, name or f"u{user}", day(on), " active", course=course) for on in days]


def passing(user: int, on: datetime, letter: str | None = "Pass", course: str = "C") -> dict[str, Any]:
    return {"user_id": user, "course_id": course, "letter_grade": letter, "passed_timestamp": on}


def told(compute: Compute, *names: str, until: datetime = UNTIL, **given: Any) -> Rows:
    return columns(compute(TABLE, until, **given), TABLE, "user_id", *names)


def test_each_status_with_its_reason(compute: Compute) -> None:
    """By hand: nine learners, one for each way to be judged."""
    events = [*joined(*range(1, 10), on="03-01"), enrollment(9, "03-20", "deactivated")]
    done = [
        *acts(2, "03-02", "03-12", "03-30"),  # back after ten days
        *acts(3, "03-02", "03-23"),  # seven days ago
        *acts(4, "03-02", "03-24"),  # six
        *acts(5, "03-16"),  # fourteen
        *acts(6, "03-17", "03-18", "03-19", "03-20", "03-24", "03-27"),  # four days, then two, none in three
        *acts(7, "03-17", "03-18", "03-19", "03-20", "03-24", "03-28"),  # the same, the last two days ago
        *acts(8, "03-30"),
        *acts(9, "03-30"),
    ]
    grades = [passing(8, datetime(2024, 3, 25, 23, 59))]
    rows = compute(
        TABLE, UNTIL, enrollment_event=events, interaction=facts(done), grades_persistentcoursegrade=grades
    )
    first = day("03-01")
    assert [row[1:] for row in rows] == [
        (1, "never started", "no activity", first, first, None, None, None, None, None),
        (2, "active", "recent activity", day("03-30"), first, day("03-02"), day("03-30"), 7, None, None),
        (3, "slowing down", "pause", day("03-30"), first, day("03-02"), day("03-23"), 7, None, None),
        (4, "active", "recent activity", day("03-24"), first, day("03-02"), day("03-24"), 7, None, None),
        (5, "quiet", "pause", day("03-30"), first, day("03-16"), day("03-16"), 14, None, None),
        (6, "slowing down", "fewer days", None, first, day("03-17"), day("03-27"), None, 2, 4),
        (7, "active", "recent activity", day("03-17"), first, day("03-17"), day("03-28"), 7, None, None),
        (8, "passed", "passing grade", day("03-25"), first, day("03-30"), day("03-30"), None, None, None),
        (9, "left", "unenrolled", day("03-20"), first, day("03-30"), day("03-30"), None, None, None),
    ]
    counts = compute(
        COUNTS, UNTIL, enrollment_event=events, interaction=facts(done), grades_persistentcoursegrade=grades
    )
    assert counts == [
        ("C", "active", 3), ("C", "left", 1), ("C", "never started", 1), ("C", "passed", 1),
        ("C", "quiet", 1), ("C", "slowing down", 2),
    ]  # fmt: skip


def test_who_is_active_today_is_never_inactive(compute: Compute) -> None:
    """spec 90 §9-6: whatever happened before."""
    done = [
        *acts(1, "03-30"),
        *acts(2, "01-02", "03-30"),
        *acts(3, *(f"03-{on}" for on in range(17, 24)), "03-30"),
    ]
    found = told(
        compute, "status", enrollment_event=joined(1, 2, 3, on="01-01"), interaction=facts(done)
    )  # fmt: skip
    assert found == [(user, "active") for user in (1, 2, 3)]


def test_a_look_at_the_public_page_is_no_activity(compute: Compute) -> None:
    """spec 90 §9-7: enrolled, never opened. The second looked at it and opened the course on the same day."""
    looks = [*acts(1, "03-29", "03-29"), *acts(2, "03-29", "03-29", "03-29"), *acts(3, "03-20")]
    seen = [Act(one.user, one.name, one.day, " outside", course="C") for one in looks if one.user != 3]
    done = facts([*looks, *seen[:-1]])
    found = told(compute, "status", "last_date", enrollment_event=joined(1, 2, 3), interaction=done)
    assert found == [
        (1, "never started", None), (2, "active", day("03-29")), (3, "slowing down", day("03-20")),
    ]  # fmt: skip


def test_who_comes_back_is_no_longer_left(compute: Compute) -> None:
    """spec 90 §9-8: the first day of enrollment stays."""
    events = [
        *joined(1), enrollment(1, "03-05", "deactivated"), enrollment(1, "03-09", "activated"),
        enrollment(2, "03-02", "activated"), enrollment(2, "03-02", "deactivated"),
        enrollment(3, "03-02", "mode_changed", "verified"),
    ]  # fmt: skip
    assert told(compute, "status", "enrolled_date", enrollment_event=events) == [
        (1, "never started", day("03-01")),
        (2, "left", day("03-02")),
    ]


def test_events_without_a_number_are_of_the_learner_with_the_name(compute: Compute) -> None:
    done = [*acts(1, "03-02", name="ana"), *acts(None, "03-29", name="ana"), *acts(None, "03-29", name="bo")]
    found = told(
        compute, "first_date", "last_date", enrollment_event=joined(1, 2), interaction=facts(done),
        auth_user=accounts({1: "anna"}),
    )  # fmt: skip
    assert found == [(1, day("03-02"), day("03-29")), (2, None, None)]


def test_grades_that_do_not_pass(compute: Compute) -> None:
    """One after the last day, one without a letter, one without a time; and one of another course run."""
    grades = [
        passing(1, datetime(2024, 3, 31, 0, 0)),
        passing(2, datetime(2024, 3, 30), ""),
        passing(3, datetime(2024, 3, 30)) | {"passed_timestamp": None},
        passing(4, datetime(2024, 3, 30), course="D"),
    ]
    found = told(
        compute, "status", enrollment_event=joined(1, 2, 3, 4), grades_persistentcoursegrade=grades
    )  # fmt: skip
    assert found == [(user, "never started") for user in (1, 2, 3, 4)]


@pytest.mark.parametrize("last", [day("03-22"), day("03-23"), day("03-29"), day("03-30")])
def test_days_of_a_site_and_of_a_course(compute: Compute, last: date) -> None:
    """A learner of each course run was active on 20 March; the days of D are 3 and 9, else 10 and 20."""
    done = [*acts(1, "03-20"), *acts(1, "03-20", course="D")]
    found = compute(
        TABLE, datetime.combine(last + timedelta(1), datetime.min.time()),
        enrollment_event=[*joined(1), *joined(1, course="D")], interaction=facts(done),
        pauses=Pauses(10, 20, (("D", 3, 9),)),
    )  # fmt: skip
    expected = {
        day("03-22"): ("active", "active"), day("03-23"): ("active", "slowing down"),
        day("03-29"): ("active", "quiet"), day("03-30"): ("slowing down", "quiet"),
    }  # fmt: skip
    assert tuple(status for (status,) in columns(found, TABLE, "status")) == expected[last]


def test_a_day_later_only_what_happened_has_changed(compute: Compute) -> None:
    """Days without activity are in no column: of 60 learners those change who cross a threshold."""
    events = joined(*range(1, 61))
    done = [act for user in range(1, 61) for act in acts(user, f"03-{1 + user % 30:02}")]
    before, after = (
        compute(TABLE, UNTIL + timedelta(days), enrollment_event=events, interaction=facts(done))
        for days in (0, 1)
    )
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert {row[2] for row in changed} == {"slowing down", "quiet"}
    assert len(changed) == 4


def test_much_random_activity(compute: Compute) -> None:
    """Equal to the naive count."""
    dice = random.Random(11)
    start = datetime(2024, 2, 1, 8)
    users, courses = range(1, 120), ("C", "D", "E")
    events = [
        Enrollment(
            dice.choice(courses),
            dice.choice(users),
            start + timedelta(hours=dice.randrange(50 * 24)),
            kind,
            "audit",
        )
        for kind in ("activated", "activated", "activated", "deactivated")
        for _ in range(150)
    ]
    done = []
    for _ in range(400):
        user, course, first = dice.choice(users), dice.choice(courses), dice.randrange(58)
        for on in {dice.randrange(first, min(first + 12, 59)) for _ in range(dice.choice((1, 3, 14)))}:
            number = None if dice.random() < 0.1 else user
            done.append(Act(number, f"u{user}", start.date() + timedelta(on), " active", course=course))
    grades = [
        passing(user, start + timedelta(days=dice.randrange(62)), dice.choice(("Pass", "", "B")), "C")
        for user in dice.sample(users, 30)
    ]
    pauses = Pauses(7, 11, (("D", 2, 4),))
    found = compute(
        TABLE, UNTIL, enrollment_event=[event.fact() for event in events], interaction=facts(done),
        grades_persistentcoursegrade=grades, pauses=pauses,
    )  # fmt: skip
    days = {"C": (7, 11), "D": (2, 4), "E": (7, 11)}
    expected = statuses(events, done, grades, LAST, days)
    assert {row[:2]: row[2:] for row in found} == expected
    assert len(Counter((row[2], row[3]) for row in found)) == 7


def test_nobody(compute: Compute) -> None:
    assert compute(TABLE, UNTIL) == compute(COUNTS, UNTIL) == []
