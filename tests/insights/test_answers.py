"""Answers out of rows of the Data API, and histograms of numbers (spec 06 §9.15)."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharos.insights.answers import Bin, cut, histogram, number_of, parts_of, readable
from pharos.insights.language import languages
from pharos.insights.pages.problem import _shown, sentence

WORDS = languages()["en"]


def row(answer: str | None, last: int, *, correct: bool | None = False, **fields: Any) -> dict[str, Any]:
    return {
        "part_id": "p_2_1",
        "answer_value": answer,
        "correct": correct,
        "first_response_count": fields.pop("first", last),
        "last_response_count": last,
        "variant": None,
        "question_text": "Q?",
        "problem_display_name": "P",
        **fields,
    }


def test_answers_come_by_frequency_and_an_empty_one_is_known_as_such() -> None:
    """The example of spec 06 §9.15."""
    [part] = parts_of([row("A", 10, correct=True), row("B", 30), row(None, 5)])
    assert [answer.text for answer in part.answers] == ["B", "A", None]
    assert not part.numeric
    assert not part.variants
    assert (part.last, part.right_last, part.share_last) == (45, 10, 10 / 45)


def test_parts_are_numbered_in_natural_order() -> None:
    parts = parts_of([row("x", 1, part_id=f"p_{n}_1") for n in (10, 2, 3)])
    assert [(part.number, part.part_id) for part in parts] == [(1, "p_2_1"), (2, "p_3_1"), (3, "p_10_1")]


def test_the_last_row_tells_the_question() -> None:
    [part] = parts_of(
        [
            row("a", 1, question_text="Old?"),
            row("b", 1, question_text="New?"),
            row("c", 1, question_text=None),
        ]
    )
    assert part.question == "New?"


def test_a_part_is_randomised_if_a_variant_is_neither_null_nor_one() -> None:
    assert not parts_of([row("1", 1, variant=1), row("2", 1)])[0].variants
    [part] = parts_of(
        [row("1", 4, variant=11, correct=True), row("2", 6, variant=11), row("1", 3, variant=7), row("9", 2)]
    )
    assert [(v.seed, v.last, v.right_last) for v in part.variants] == [(7, 3, 0), (11, 10, 4), (None, 2, 0)]


def test_sixty_parts_and_ten_thousand_answers_are_all_there() -> None:
    parts = parts_of([row("x", 1, part_id=f"p_{n}_1") for n in range(61, 1, -1)])
    assert [part.number for part in parts] == list(range(1, 61))
    assert parts[-1].part_id == "p_61_1"
    [part] = parts_of([row(str(n / 8), 1 + n % 3, variant=n % 900) for n in range(10_000)])
    assert len(part.answers) == 10_000
    assert len(part.variants) == 900
    assert sum(variant.last for variant in part.variants) == part.last
    assert sum(b.learners for b in histogram(part)) == part.last


def test_markup_of_learners_is_text_in_sentence_and_table() -> None:
    """The Data API takes tags away; another one might not."""
    [part] = parts_of([row("<script>x</script>", 5, correct=True), row("<img src=x>", 4)])
    for shown in (sentence(WORDS, part), *(_shown(WORDS, answer) for answer in part.answers)):
        assert "<script" not in shown
        assert "<img" not in shown
        assert "&lt;" in shown


def test_the_oldest_tables_have_one_count() -> None:
    old = {**row("a", 3, correct=True), "count": 7}
    del old["first_response_count"], old["last_response_count"]
    [part] = parts_of([old])
    assert (part.last, part.first, part.share_first) == (7, None, None)
    assert "On the first attempt" not in sentence(WORDS, part)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3.0),
        (" .5 ", 0.5),
        ("1.", 1.0),
        ("-2e3", -2000.0),
        *((text, None) for text in ("1_000", "0x10", "1,5", "nan", "inf", "1e999", "٣", "", "[1|2]")),
    ],
)
def test_numbers_are_those_of_the_specification(text: str, number: float | None) -> None:
    """spec 02 §4.7."""
    assert number_of(text) == number


def test_text_keeps_its_words_and_loses_what_turns_the_page() -> None:
    assert readable("a\n b\t c") == "a b c"
    assert readable("\u202eevil\u2066") == "evil"
    assert readable("a\x00b\x1b") == "a�b�"
    assert readable("half \ud800") == "half ?"
    assert readable(None) == ""
    assert cut("x" * 10, 10) == "x" * 10
    assert cut("abc def", 5) == "abc…"


def bins(*answers: tuple[str, int, bool]) -> list[Bin]:
    [part] = parts_of([row(text, last, correct=right) for text, last, right in answers])
    return histogram(part)


def test_a_histogram_has_round_steps_and_no_answer_is_lost() -> None:
    found = bins(("0.1", 2, False), ("0.3", 5, True), ("0.45", 1, False), ("0.9", 3, False))
    assert [b.learners for b in found] == [2, 0, 5, 1, 0, 0, 0, 0, 3]
    assert [b.low for b in found][:4] == [0.1, 0.2, 0.3, 0.4]
    assert [b.right for b in found] == [0, 0, 5, 0, 0, 0, 0, 0, 0]


def test_whole_numbers_have_steps_of_at_least_one() -> None:
    assert [(b.low, b.learners) for b in bins(("1", 1, False), ("2", 4, True), ("3", 2, False))] == [
        (1, 1),
        (2, 4),
        (3, 2),
    ]


def test_a_number_far_away_does_not_hide_the_others() -> None:
    """7.3, 7.5 and 8 stay apart though somebody wrote 235.2; that is in the last bar, which says so."""
    found = bins(("7.5", 55, True), ("7.3", 6, False), ("8", 4, False), ("235.2", 2, False))
    assert found[-1].open_above
    assert found[-1].learners == 2
    assert len([b for b in found if b.learners]) == 4
    low = bins(("7.5", 55, True), ("7.3", 6, False), ("8", 4, False), ("-900", 2, False))
    assert low[0].open_below
    assert low[0].learners == 2


def test_many_learners_far_away_and_right_answers_are_not_outside() -> None:
    assert not any(
        b.open_above for b in bins(("1", 5, True), ("2", 5, False), ("3", 3, False), ("500", 9, False))
    )
    assert not any(b.open_above for b in bins(("1", 50, False), ("2", 50, False), ("500", 1, True)))


def test_two_numbers_are_no_histogram() -> None:
    assert bins(("1", 5, True), ("2", 5, False)) == []
    assert bins(("1", 5, True), ("1.0", 2, True), ("2", 5, False)) == []


NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-50, 50).map(float)


@given(st.lists(st.tuples(NUMBERS, st.integers(1, 50), st.booleans()), min_size=1, max_size=30))
def test_any_numbers_are_a_histogram_of_all_learners(answers: list[tuple[float, int, bool]]) -> None:
    found = bins(*((repr(value), last, right) for value, last, right in answers))
    if not found:
        return
    assert sum(b.learners for b in found) == sum(last for _, last, _ in answers)
    assert sum(b.right for b in found) == sum(last for _, last, right in answers if right)
    assert len(found) <= 16
    assert all(math.isfinite(b.low) and b.low <= b.high for b in found)


TEXTS = st.none() | st.text(max_size=8)


@given(
    st.lists(
        st.builds(
            row,
            TEXTS,
            st.integers(0, 9),
            correct=st.none() | st.booleans(),
            variant=st.none() | st.integers(0, 3),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(sorted(languages())),
)
def test_any_answers_have_a_sentence(rows: list[dict[str, Any]], code: str) -> None:
    [part] = parts_of(rows)
    said = sentence(languages()[code], part)
    assert said
    assert "%(" not in said.replace("%(", "", sum("%(" in (r["answer_value"] or "") for r in rows))
