"""Shares of good counts, such as right answers, and the search for the lowest shares. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

ENOUGH = 10
"""Answers, viewers or learners below which a share is not compared with others: too few to tell."""


class Share(Protocol):
    """A total, and the good share of it; the share is None if the total is 0."""

    @property
    def total(self) -> int: ...

    @property
    def share(self) -> float | None: ...


class InOrder(Protocol):
    """An object with a position in the order of the course."""

    @property
    def order(self) -> int: ...


T = TypeVar("T", bound=InOrder)


def lowest(items: Iterable[T], counts: Callable[[T], Share]) -> list[T]:
    """The items with enough counts, the lowest share first.

    Ties are decided by the number of counts, then by the order of the course.
    """
    told = [item for item in items if counts(item).total >= ENOUGH]
    return sorted(told, key=lambda item: (counts(item).share or 0.0, -counts(item).total, item.order))


def lowest_of_several(items: Iterable[T], counts: Callable[[T], Share]) -> T | None:
    """The first of `lowest`; None if fewer than two items have enough counts: a single one is also the
    highest.
    """
    found = lowest(items, counts)
    return found[0] if len(found) > 1 else None
