"""The lists of behaviours are complete, and name tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
BEHAVIOURS = {"behaviours.md": 134, "behaviours_of_problems.md": 50}


def rows(file: str) -> list[list[str]]:
    """The cells of the rows that begin with a number."""
    return [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in Path(__file__).with_name(file).read_text(encoding="utf-8").splitlines()
        if re.match(r"\| \d", line)
    ]


def numbers(text: str) -> list[int]:
    """`1-3, 5` are 1, 2, 3, 5."""
    ends = [[int(end) for end in part.split("-")] for part in text.split(", ")]
    return [number for end in ends for number in range(end[0], end[-1] + 1)]


@pytest.mark.parametrize(("file", "count"), BEHAVIOURS.items())
def test_every_behaviour_stands_there_once(file: str, count: int) -> None:
    assert sorted(number for row in rows(file) for number in numbers(row[0])) == list(range(1, count + 1))


@pytest.mark.parametrize("file", BEHAVIOURS)
def test_each_has_a_test_that_exists_or_a_reason(file: str) -> None:
    for behaviours, tests, note in rows(file):
        named = re.findall(r"`(.+?)::(\w+)`", tests)
        assert named or note, behaviours
        assert tests.count("::") == len(named)
        for path, test in named:
            text = (CHECKOUT / path).read_text(encoding="utf-8")
            assert f"\ndef {test}(" in text, f"{behaviours}: {path} has no {test}"
