"""Where learners are. `spec 01 §7, §11.112-117`"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.metrics.conftest import Compute, columns
from tests.metrics.test_enrollment import EXAMPLE, facts

TABLE = "course_enrollment_location_current"
UNTIL = datetime(2024, 3, 8)
IRISH, THAI, PRIVATE = "87.32.1.1", "1.47.1.1", "10.0.0.5"


def seen(user: int, moment: str, ip: str) -> dict[str, Any]:
    time = datetime.fromisoformat(f"2024-{moment}")
    return {"date": time.date(), "user_id": user, "time": time, "ip": ip}


def enrolled(user: int, *, is_active: bool, course: str = "C") -> dict[str, Any]:
    return {
        "id": user, "user_id": user, "course_id": course, "created": UNTIL, "is_active": is_active,
        "mode": "audit",
    }  # fmt: skip


ADDRESSES = [
    seen(1, "03-01 09:00", PRIVATE),
    seen(2, "03-01 09:00", IRISH),
    seen(4, "03-02 09:00", THAI),
    seen(4, "03-01 08:00", IRISH),
]
ROWS = [enrolled(user, is_active=user != 1) for user in (1, 2, 3, 4)]


def places(rows: list[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    return set(columns(rows, TABLE, "course_id", "country_code", "count", "cumulative_count"))


def test_the_example(compute: Compute) -> None:
    """§7.4: never seen is null, a private address UNKNOWN, the latest address counts."""
    rows = compute(TABLE, UNTIL, last_address_by_learner_day=ADDRESSES, student_courseenrollment=ROWS)
    assert places(rows) == {("C", None, 1, 1), ("C", "UNKNOWN", 0, 1), ("C", "IE", 1, 1), ("C", "TH", 1, 1)}
    assert {row[0] for row in columns(rows, TABLE, "date")} == {datetime(2024, 3, 7).date()}


def test_the_order_of_addresses_does_not_matter(compute: Compute) -> None:
    """§11.114, 118: latest overall, and of equal times one; the same rows again change nothing."""
    twice = [*ADDRESSES, seen(5, "03-01 09:00", THAI), seen(5, "03-01 09:00", IRISH)]
    rows = [*ROWS, enrolled(5, is_active=True)]
    one = compute(TABLE, UNTIL, last_address_by_learner_day=twice, student_courseenrollment=rows)
    for other in (twice[::-1], twice * 2):
        assert compute(TABLE, UNTIL, last_address_by_learner_day=other, student_courseenrollment=rows) == one
    assert ("C", "TH", 2, 2) in places(one), "of one moment the last in the alphabet"


def test_a_country_that_has_taken_the_place_of_an_address(compute: Compute) -> None:
    """§10.37: the same numbers, whichever addresses are forgotten."""
    moment = "03-01 09:00"
    addresses = [*ADDRESSES, seen(5, moment, THAI), seen(5, moment, IRISH)]
    kept = {THAI: "country:TH", IRISH: "country:IE", PRIVATE: "country:UNKNOWN"}
    rows = [*ROWS, enrolled(5, is_active=True)]
    known = compute(TABLE, UNTIL, last_address_by_learner_day=addresses, student_courseenrollment=rows)
    for forgotten in ({THAI}, {IRISH}, set(kept)):
        mixed = [row | {"ip": kept[row["ip"]]} if row["ip"] in forgotten else row for row in addresses]
        assert (
            compute(TABLE, UNTIL, last_address_by_learner_day=mixed, student_courseenrollment=rows) == known
        )


def test_an_active_row_counts_now_and_every_row_counts_ever(compute: Compute) -> None:
    """§11.115-117: never seen is null; without any address all are."""
    assert places(compute(TABLE, UNTIL, student_courseenrollment=ROWS)) == {("C", None, 3, 4)}


def test_without_the_lms_table_the_events_say_who_is_enrolled(compute: Compute) -> None:
    addresses = [seen(7, "03-01 09:00", IRISH), seen(9, "03-01 09:00", THAI)]
    rows = compute(TABLE, UNTIL, last_address_by_learner_day=addresses, **facts(EXAMPLE))
    assert places(rows) == {("C", "IE", 0, 1), ("C", "TH", 1, 1), ("C", None, 0, 1)}


def test_one_country_for_all_courses_of_a_learner(compute: Compute) -> None:
    rows = compute(
        TABLE, UNTIL, last_address_by_learner_day=ADDRESSES,
        student_courseenrollment=[enrolled(2, is_active=True), enrolled(2, is_active=True, course="D")],
    )  # fmt: skip
    assert places(rows) == {("C", "IE", 1, 1), ("D", "IE", 1, 1)}
