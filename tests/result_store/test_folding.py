"""Texts as people look for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import text

from pharos.result_store.folding import LONGEST_TOKEN, MOST_WORDS, folded, tokens, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ana\u00a0 Pérez\n", "ana perez"),
        ("Ana Pe\u0301rez", "ana perez"),
        ("STRASSE Straße", "strasse strasse"),
        ("ÆRØ Łódź Þór Đặng", "aero lodz thor dang"),
        ("İSTANBUL ısı", "istanbul isi"),  # noqa: RUF001 - Turkish
        ("Ёлка Σοφία ΣΑΣ", "елка σοφια σασ"),  # noqa: RUF001 - Russian and Greek
        ("ｆｕｌｌ　山田太郎", "full 山田太郎"),  # noqa: RUF001 - wide letters
        ("مُحَمَّد", "محمد"),
        ("ann.example+1@EXAMPLE.com", "ann.example+1@example.com"),
        ("", ""),
    ],
)
def test_without_case_and_accents(text: str, expected: str) -> None:
    assert folded(text) == expected


def test_a_part_of_a_syllable_is_found() -> None:
    """Who types Korean sees what begins like it at once."""
    assert folded("김") in folded("김민준")
    assert folded(folded("김 Élan")) == folded("김 Élan")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jean-Luc O'Brien", {"jean-luc", "jean", "luc", "o'brien", "o", "brien"}),
        ("王小明", {"王小明", "小明", "明"}),
        ("ann_b.2", {"ann_b.2", "ann", "b", "2"}),
        ("हिन्दी", {"हिनदी", "ह", "नद"}),
        (" - ", {"-"}),
        ("", set()),
    ],
)
def test_tokens(text: str, expected: set[str]) -> None:
    assert tokens(text) >= expected
    assert tokens(folded(text)) == tokens(text)


@given(text())
def test_whoever_types_a_name_finds_it(name: str) -> None:
    """Each word of a name, and each beginning of it, begins a token; none is longer than its column."""
    for word in words(name):
        for end in range(1, len(word) + 1):
            assert any(token.startswith(word[:end]) for token in tokens(name))
    assert all(0 < len(token) <= LONGEST_TOKEN for token in tokens(name))
    assert len(words(name)) <= MOST_WORDS
