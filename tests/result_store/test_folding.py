"""Texts as people look for them."""

from __future__ import annotations

import pytest

from pharos.result_store.folding import folded


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
