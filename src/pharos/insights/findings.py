"""What to look at first in the problems of a course, in words; the rules are those of the table `finding`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markupsafe import Markup

from pharos.insights.language import Language
from pharos.insights.problem_lists import quoted
from pharos.insights.reports import strong

Row = Mapping[str, Any]


def known(findings: Iterable[Row]) -> list[Row]:
    """The findings without those of kinds that a later release has."""
    return [row for row in findings if row["kind"] in _KINDS]


def about(findings: Iterable[Row], problem_id: str, part_id: str) -> list[Row]:
    """The known findings about a part of a problem, or about the whole problem."""
    return [
        row for row in known(findings) if row["subject"] == problem_id and row["part_id"] in ("", part_id)
    ]


def sentence(words: Language, finding: Row) -> Markup:
    """What was seen, with its numbers, and what to look at. Raises KeyError for a kind that is not known."""
    said = [_KINDS[finding["kind"]](words, finding)]
    if finding["variant"] is not None:
        said.insert(0, words.html("Variant %(seed)s:", seed=words.number(finding["variant"])))
    if finding["confidence"] == "low":
        said.append(words.html("This stands on few learners."))
    return words.sentences(*said)


def _wrong_answer_preferred(words: Language, finding: Row) -> Markup:
    numbers = finding["numbers"]
    return words.htmls(
        "%(given)s of %(n)s strong learner first answered %(answer)s, which counts as wrong; %(right)s "
        "gave the right answer. Look at the key.",
        "%(given)s of %(n)s strong learners first answered %(answer)s, which counts as wrong; "
        "%(right)s gave the right answer. Look at the key.",
        numbers["strong_learners"],
        given=strong(words.number(numbers["strong_with_answer"])),
        answer=_answer(words, finding),
        right=words.number(numbers["strong_right"]),
    )


def _nobody_right(words: Language, finding: Row) -> Markup:
    return words.htmls(
        "<strong>Nobody</strong> found the right answer: %(n)s learner tried. Look at the key, then at "
        "the question.",
        "<strong>Nobody</strong> found the right answer: %(n)s learners tried. Look at the key, then "
        "at the question.",
        finding["numbers"]["tried"],
    )


def _negative_discrimination(words: Language, finding: Row) -> Markup:
    numbers = finding["numbers"]
    return words.html(
        "Who does well elsewhere does <strong>worse</strong> here: at first %(strong_right)s of "
        "%(strong)s strong learners were right, and %(weak_right)s of %(weak)s weak ones. Look at the "
        "wording.",
        strong_right=words.number(numbers["strong_right"]),
        strong=words.number(numbers["strong_learners"]),
        weak_right=words.number(numbers["weak_right"]),
        weak=words.number(numbers["weak_learners"]),
    )


def _answer_after_change(words: Language, finding: Row) -> Markup:
    numbers = finding["numbers"]
    return words.htmls(
        "Since the last edit %(given)s of %(n)s learner first answered %(answer)s, which nobody did "
        "before. Look at what was edited.",
        "Since the last edit %(given)s of %(n)s learners first answered %(answer)s, which nobody did "
        "before. Look at what was edited.",
        numbers["tried_since"],
        given=strong(words.number(numbers["learners_with_answer"])),
        answer=_answer(words, finding),
    )


def _mostly_skipped(words: Language, finding: Row) -> Markup:
    numbers = finding["numbers"]
    return words.htmls(
        "Only %(tried)s of %(n)s learner who saw the problem tried it. Look at its place and text.",
        "Only %(tried)s of %(n)s learners who saw the problem tried it. Look at its place and text.",
        numbers["seen"],
        tried=strong(words.number(numbers["tried"])),
    )


def _all_right_at_once(words: Language, finding: Row) -> Markup:
    return words.htmls(
        "The first answer of %(n)s learner was right. Look whether the problem asks anything.",
        "The first answers of <strong>all</strong> %(n)s learners were right. Look whether the problem "
        "asks anything.",
        finding["numbers"]["tried"],
    )


def _answer(words: Language, finding: Row) -> str:
    text = finding["answer"]
    return words.text("(empty)") if text is None else quoted(text)


_KINDS: dict[str, Callable[[Language, Row], Markup]] = {
    "wrong_answer_preferred": _wrong_answer_preferred,
    "nobody_right": _nobody_right,
    "negative_discrimination": _negative_discrimination,
    "answer_after_change": _answer_after_change,
    "mostly_skipped": _mostly_skipped,
    "all_right_at_once": _all_right_at_once,
}
