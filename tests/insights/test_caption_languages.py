"""The part of a page about languages, of more languages than it has rows for."""

from __future__ import annotations

from pharos.insights.caption_languages import MOST_SHOWN, languages_of
from pharos.insights.directory import Course
from pharos.insights.language import languages

WORDS = languages()["en"]
COURSE = Course("course-v1:X+Y+1", "Y")


def test_a_language_that_many_chose_is_told_though_few_browsers_ask_for_it() -> None:
    """`el` is the last of twelve languages of browsers, and the one that most learners chose."""
    codes = ["en", "es", "fr", "de", "it", "pt", "pl", "tr", "id", "ja", "ar", "el"]
    rows = [
        {"language": code, "count": 50 - n, "chosen": 8 if code == "el" else 2 if code == "en" else 0}
        for n, code in enumerate(codes)
    ]
    told = languages_of(WORDS, COURSE, rows, [], [])
    assert told is not None
    assert "10 learners have chosen a language" in told.answer
    assert "<strong>Greek</strong> (80.0%) and <strong>English</strong> (20.0%)" in told.answer
    assert len(told.table.rows) == MOST_SHOWN + 1
    assert "Other languages" in str(told.table.rows[-1])
