from __future__ import annotations

import pytest

from pharos.remembering import remembering


@pytest.fixture
def asked() -> list[str | None]:
    """Texts that the function was asked about, in order."""
    return []


def test_a_short_text_is_asked_about_once_and_a_long_one_each_time(asked: list[str | None]) -> None:
    @remembering(2, longest=3)
    def length(text: str | None) -> int:
        asked.append(text)
        return len(text or "")

    assert [length(text) for text in ("abc", "abc", "abcd", "abcd", None, None)] == [3, 3, 4, 4, 0, 0]
    assert asked == ["abc", "abcd", "abcd", None]


def test_only_so_many_are_remembered(asked: list[str | None]) -> None:
    @remembering(2, longest=3)
    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    for text in ("a", "b", "c", "a"):
        length(text)
    assert asked == ["a", "b", "c", "a"]
