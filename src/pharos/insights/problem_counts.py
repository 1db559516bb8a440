"""Counts of answers to problems, and their sums over groups of problems (spec 06 §9.13). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pharos.insights.api import Row
from pharos.insights.shares import lowest_of_several


@dataclass(frozen=True)
class Counts:
    """The number of last answers, and of the right ones."""

    total: int = 0
    right: int = 0

    @property
    def wrong(self) -> int:
        return self.total - self.right

    @property
    def share(self) -> float | None:
        """The share of right answers; None without answers."""
        return self.right / self.total if self.total else None


NOTHING = Counts()


@dataclass(frozen=True)
class Line:
    """A line of a list: a problem or a group of problems. `href` is empty if nothing was answered."""

    order: int
    name: str
    counts: Counts
    href: str = ""
    problems: int = 1
    note: str = ""
    """The second line below its name."""
    weight: float | None = None
    """Its share of the grade, if it has one."""
    difficulty: str = ""
    """As its authors tagged it."""

    def per_problem(self, count: int) -> float:
        """A count divided by the number of all problems of the line, including those without answers."""
        return count / self.problems if self.problems else 0.0


def counts_of(rows: Iterable[Row]) -> dict[str, Counts]:
    """The counts of each problem, by its id."""
    return {row["module_id"]: Counts(row["total_submissions"], row["correct_submissions"]) for row in rows}


def total(counts: Mapping[str, Counts], problem_ids: Iterable[str]) -> Counts:
    """The sums over the problems; problems without answers count as zero."""
    found = [counts.get(problem_id, NOTHING) for problem_id in problem_ids]
    return Counts(sum(c.total for c in found), sum(c.right for c in found))


def hardest(problems: Sequence[Line]) -> Line | None:
    """The problem with the lowest share of right answers; None if fewer than two have enough answers.

    Ties are decided by the number of answers, then by the order of the list.
    """
    return lowest_of_several(problems, lambda line: line.counts)
