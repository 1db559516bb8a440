"""`behaviours.md` is complete, and names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
BEHAVIOURS = 134

ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in Path(__file__).with_name("behaviours.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| \d", line)
]


def numbers(text: str) -> list[int]:
    """`1-3, 5` are 1, 2, 3, 5."""
    ends = [[int(end) for end in part.split("-")] for part in text.split(", ")]
    return [number for end in ends for number in range(end[0], end[-1] + 1)]


def test_every_behaviour_stands_there_once() -> None:
    assert sorted(number for row in ROWS for number in numbers(row[0])) == list(range(1, BEHAVIOURS + 1))


def test_each_has_a_test_that_exists_or_a_reason() -> None:
    for behaviours, tests, note in ROWS:
        named = re.findall(r"`(.+?)::(\w+)`", tests)
        assert named or note, behaviours
        assert tests.count("::") == len(named)
        for file, test in named:
            text = (CHECKOUT / file).read_text(encoding="utf-8")
            assert f"\ndef {test}(" in text, f"{behaviours}: {file} has no {test}"
