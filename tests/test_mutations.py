"""The script that changes the program to see whether a test notices."""

from __future__ import annotations

import ast
from pathlib import Path

from scripts.mutations import changes_of, chosen
from tests import mirrors

TEXT = '''"""Ä text of 3 words: not True."""

@dataclass(frozen=True)
class Some:
    size: int = 7

    def is_small(self, limit: int = 20, *, strictly: bool = False) -> bool:
        """Not 5."""
        if self.size < limit and not strictly:
            self.keep("ä" != "b", 5000)
            log.info("small")
        return self.size in (1, limit) or (self.size
            > 3)
'''


def test_the_changes_of_a_text() -> None:
    found = [
        (change.line, TEXT[change.start : change.end], change.new) for change in changes_of(Path("x"), TEXT)
    ]
    assert found == [
        (5, "7", "8"),
        (7, "20", "21"),
        (7, "False", "True"),
        (9, "self.size < limit and not strictly", "not (self.size < limit and not strictly)"),
        (9, "<", "<="),
        (9, "and", "or"),
        (9, "not strictly", "(strictly)"),
        (10, 'self.keep("ä" != "b", 5000)', "None"),
        (10, "!=", "=="),
        (12, "in", "not in"),
        (12, "1", "2"),
        (12, "or", "and"),
        (12, ">", ">="),
        (13, "3", "4"),
    ]


def test_every_change_of_the_program_can_be_parsed() -> None:
    for change in chosen(seed=7, count=300):
        ast.parse(change.applied((mirrors.SOURCE / change.module).read_text(encoding="utf-8")))


def test_the_same_seed_chooses_the_same_changes_of_all_rooms() -> None:
    changes = chosen(seed=1, count=100)
    few = [chosen(seed=seed, count=9, only=["facts"]) for seed in (1, 1, 2)]
    assert few[0] == few[1] != few[2]
    rooms = {mirrors.room_of(path) for path in mirrors.modules() if mirrors.tests_of(path)}
    assert {mirrors.room_of(mirrors.SOURCE / change.module) for change in changes} == rooms


def test_changes_of_a_part_of_the_program() -> None:
    assert {change.module.as_posix() for change in chosen(seed=1, count=50, only=["keys.py"])} == {"keys.py"}
