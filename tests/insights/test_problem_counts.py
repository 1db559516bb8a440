"""Sums over problems by the worked example of spec 06 §9.13, and the hardest problem."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharos.insights.problem_counts import Counts, Line, counts_of, hardest, total


def test_the_sums_of_an_assignment() -> None:
    """P1(10 total, 7 correct), P2(4, 1), P3(none)."""
    rows = [
        {"module_id": "P1", "total_submissions": 10, "correct_submissions": 7},
        {"module_id": "P2", "total_submissions": 4, "correct_submissions": 1},
    ]
    found = total(counts_of(rows), ["P1", "P2", "P3"])
    assert (found.total, found.right, found.wrong) == (14, 8, 6)
    assert found.share == pytest.approx(0.571, abs=0.001)
    line = Line(1, "HW", found, problems=3)
    assert [round(line.per_problem(n), 1) for n in (found.total, found.right, found.wrong)] == [4.7, 2.7, 2.0]
    assert Line(1, "none", Counts(), problems=0).per_problem(5) == 0.0
    assert Counts().share is None


def test_with_too_few_answers_no_problem_is_the_hardest() -> None:
    few, enough = Line(1, "few", Counts(9, 0)), Line(2, "enough", Counts(10, 5))
    assert hardest([few, enough]) is None
    other = Line(3, "other", Counts(10, 4))
    assert hardest([few, enough, other]) is other
    assert hardest([]) is None


def test_of_equal_shares_the_one_with_more_answers_is_named() -> None:
    lines = [Line(1, "a", Counts(10, 5)), Line(2, "b", Counts(20, 10)), Line(3, "c", Counts(20, 10))]
    assert hardest(lines) is lines[1]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8))
def test_no_problem_is_harder_than_the_hardest(numbers: list[tuple[int, int]]) -> None:
    lines = [Line(i, str(i), Counts(max(n), min(n))) for i, n in enumerate(numbers)]
    found = hardest(lines)
    told = [line for line in lines if line.counts.total >= 10]
    if found is None:
        assert len(told) < 2
    else:
        assert all(
            line.counts.right / line.counts.total >= found.counts.right / found.counts.total for line in told
        )
