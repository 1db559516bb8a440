"""Age, gender and education. `spec 01 §5.3, §11.88-91`"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from tests.metrics.conftest import Compute, columns, day
from tests.metrics.test_enrollment import EXAMPLE, event, facts

UNTIL = datetime(2024, 3, 8)
E = date(2024, 3, 7)
GENDER, AGE, EDUCATION = (
    "course_enrollment_gender_daily",
    "course_enrollment_birth_year_daily",
    "course_enrollment_education_level_daily",
)
COUNTS = ("count", "cumulative_count")


def profile(user: int, gender: str | None, born: int | None, education: str | None) -> dict[str, Any]:
    return {
        "user_id": user, "name": "", "gender": gender, "year_of_birth": born, "level_of_education": education,
    }  # fmt: skip


PROFILES = [profile(7, "f", 1990, "p_oth"), profile(9, "", None, "none")]  # learner 8 has none


def test_gender_of_every_day_by_the_profiles_of_today(compute: Compute) -> None:
    """§11.88: empty, null and missing are one group; learner 9 and, from the 5th, learner 8 are in it."""
    rows = compute(GENDER, UNTIL, **facts(EXAMPLE), auth_userprofile=PROFILES)
    assert set(columns(rows, GENDER, "date", "gender", *COUNTS)) == {
        (day("03-02"), "f", 1, 1),
        (day("03-03"), "f", 1, 1), (day("03-03"), None, 1, 1),
        (day("03-04"), "f", 1, 1), (day("03-04"), None, 1, 1),
        (day("03-05"), "f", 1, 1), (day("03-05"), None, 1, 2),
        (day("03-06"), "f", 0, 1), (day("03-06"), None, 1, 2),
        (day("03-07"), "f", 0, 1), (day("03-07"), None, 1, 2),
    }  # fmt: skip


def test_year_of_birth_of_the_last_day_only(compute: Compute) -> None:
    """§11.89, §11.91"""
    rows = compute(AGE, UNTIL, **facts(EXAMPLE), auth_userprofile=PROFILES)
    assert set(columns(rows, AGE, "date", "birth_year", *COUNTS)) == {(E, 1990, 0, 1), (E, None, 1, 2)}


def test_education_of_the_last_day_only(compute: Compute) -> None:
    """§11.89: `none` is a level; no profile is none at all."""
    rows = compute(EDUCATION, UNTIL, **facts(EXAMPLE), auth_userprofile=PROFILES)
    assert set(columns(rows, EDUCATION, "date", "education_level", *COUNTS)) == {
        (E, "doctorate", 0, 1),
        (E, "none", 1, 1),
        (E, None, 0, 1),
    }


CODES = {
    "el": "primary", "jhs": "junior_secondary", "hs": "secondary", "a": "associates", "b": "bachelors",
    "m": "masters", "p": "doctorate", "p_se": "doctorate", "p_oth": "doctorate", "none": "none",
    "other": "other", "": None, "PhD": None,
}  # fmt: skip


def test_every_code_of_education(compute: Compute) -> None:
    """§5.3's mapping; a learner per code."""
    learners = list(enumerate(CODES, 1))
    events = [event("C", user, "03-02 09:00 a audit") for user, _ in learners]
    profiles = [profile(user, None, None, code) for user, code in learners]
    found = columns(
        compute(EDUCATION, UNTIL, **facts(events), auth_userprofile=profiles),
        EDUCATION,
        "education_level",
        "count",
    )
    levels = list(CODES.values())
    assert dict(found) == {level: levels.count(level) for level in levels}


@pytest.mark.parametrize("table", [GENDER, AGE, EDUCATION])
def test_the_groups_add_up_to_the_day(compute: Compute, table: str) -> None:
    """Whatever profiles say, nobody is lost or counted twice."""
    rows = columns(compute(table, UNTIL, **facts(EXAMPLE), auth_userprofile=PROFILES), table, "date", *COUNTS)
    whole = columns(
        compute("course_enrollment_daily", UNTIL, **facts(EXAMPLE)),
        "course_enrollment_daily",
        "date",
        *COUNTS,
    )
    for when, count, ever in whole:
        groups = [row for row in rows if row[0] == when]
        if groups:
            assert (sum(row[1] for row in groups), sum(row[2] for row in groups)) == (count, ever)
    assert {row[0] for row in rows} == ({row[0] for row in whole} if table == GENDER else {E})
