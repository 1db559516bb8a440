"""Normalises texts for searching: case and accents are ignored, in every script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Letters that are not another letter with an accent; the last one is a small i without a dot.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "\u0131": "i"}
)


def folded(text: str) -> str:
    """The text in lower case without accents, with single blanks for white space.

    `Ærø ÉLAN` and `ærø élan` both become `aero elan`. Other letters are not changed.
    """
    if text.isascii():  # most names are: 15 times as fast
        return " ".join(text.lower().split())
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return " ".join(plain.translate(_LETTERS).split())


LONGEST_TOKEN = 64
MOST_WORDS = 16  # of a text; names are shorter
MOST_ENDINGS = 8
_PARTS = re.compile(r"[^\W_]+")
_WITHOUT_BLANKS = re.compile(  # Thai, Lao, Burmese, Khmer, Japanese, Chinese
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def words(text: str) -> list[str]:
    """The first words of a text, folded, each cut to the length of a token."""
    return [word[:LONGEST_TOKEN] for word in folded(text).split()[:MOST_WORDS]]


def tokens(text: str) -> set[str]:
    """The folded words for the search in a text; a search finds the text by the beginning of any of them.

    `Jean-Luc 王小明` has `jean-luc`, `jean`, `luc`, `王小明`, `小明` and `明`.
    """
    found: set[str] = set()
    for word in words(text):
        for part in (word, *_PARTS.findall(word)):
            found.update(_endings(part) if _WITHOUT_BLANKS.search(part) else [part])
    return found


def _endings(word: str) -> Iterator[str]:
    yield word
    for start in range(max(1, len(word) - MOST_ENDINGS), len(word)):
        yield word[start:]
