"""Submissions by the reason why they tell no answers. `spec 02 §12.2.14`"""

from __future__ import annotations

from datetime import date, datetime

from tests.metrics.conftest import Compute
from tests.problems import PART, part, payload, rows

UNTIL = datetime(2020, 3, 1)


def test_submissions_are_counted_once_by_reason(compute: Compute) -> None:
    """However many parts they have; in the course that they name, or in none."""
    two = payload({PART: part("a"), "aaa_3_1": part("b")})
    first, second = datetime(2020, 2, 1), datetime(2020, 2, 2)
    facts = [
        *rows(1, first, two),
        *rows(1, first, two, tie=1),
        *rows(2, first, payload({}, answers={})),
        *rows(3, second, payload({}, answers=[])),
        *rows(3, second, payload({}, answers=[]), course=""),
    ]
    assert compute("refused_submissions", UNTIL, problem_submission=facts) == [
        (date(2020, 2, 1), "", 2),
        (date(2020, 2, 1), "no answers", 1),
        (date(2020, 2, 2), "the answers are no object", 2),
    ]
