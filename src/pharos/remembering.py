"""Bounded caches of results for texts from outside."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

Text = TypeVar("Text", bound=str | None)
Answer = TypeVar("Answer")


def remembering(most: int, *, longest: int) -> Callable[[Callable[[Text], Answer]], Callable[[Text], Answer]]:
    """Cache a function's results for the `most` texts used last.

    Only texts of at most `longest` characters are cached: clients may send any number of long ones.
    """

    def of(function: Callable[[Text], Answer]) -> Callable[[Text], Answer]:
        remembered = lru_cache(most)(function)

        @wraps(function)
        def answer(text: Text) -> Answer:
            is_short = text is None or len(text) <= longest
            return remembered(text) if is_short else function(text)

        return answer

    return of
