"""Answers about texts from outside, remembered within bounds."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

Text = TypeVar("Text", bound=str | None)
Answer = TypeVar("Answer")


def remembering(most: int, *, longest: int) -> Callable[[Callable[[Text], Answer]], Callable[[Text], Answer]]:
    """Remember what a function says of the texts it was asked about last, `most` of them.

    Only of texts of at most `longest` characters: anybody may send long ones, each another one.
    """

    def of(function: Callable[[Text], Answer]) -> Callable[[Text], Answer]:
        remembered = lru_cache(most)(function)

        @wraps(function)
        def answer(text: Text) -> Answer:
            is_short = text is None or len(text) <= longest
            return remembered(text) if is_short else function(text)

        return answer

    return of
