"""Texts as people look for them: without regard to case and accents, in every script."""

from __future__ import annotations

import unicodedata

# Letters that are no others with an accent; the last one is a small i without a dot.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "\u0131": "i"}
)


def folded(text: str) -> str:
    """The text in small letters without accents, with single blanks for white space.

    `Ærø ÉLAN` and `ærø élan` are both `aero elan`. Letters that no accent makes stay as they are.
    """
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return " ".join(plain.translate(_LETTERS).split())
