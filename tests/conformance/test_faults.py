"""`faults.md` holds forty faults at least, and each names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
AT_LEAST = 40
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in Path(__file__).with_name("faults.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| \d", line)
]


def test_faults_are_numbered() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, len(ROWS) + 1))
    assert len(ROWS) >= AT_LEAST


def test_each_is_told_and_has_a_test_that_exists() -> None:
    for number, fault, told, tests in ROWS:
        assert fault
        assert told, number
        named = re.findall(r"`(.+?)::(\w+)`", tests)
        assert named, number
        assert tests.count("::") == len(named)
        for file, test in named:
            text = (CHECKOUT / file).read_text(encoding="utf-8")
            assert f"\ndef {test}(" in text, f"{number}: {file} has no {test}"
