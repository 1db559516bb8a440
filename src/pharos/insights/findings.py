"""Findings about a course, in words; the rules are those of the table `finding`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markupsafe import Markup

from pharos.insights.language import Language
from pharos.insights.problem_lists import quoted
from pharos.insights.reports import strong

Row = Mapping[str, Any]
MOST_URGENT = 5
"""Findings that a map has room for; all stand on the pages of their subjects."""


def known(findings: Iterable[Row]) -> list[Row]:
    """The findings of kinds that this release knows; a newer Data API may have more kinds."""
    return [row for row in findings if row["kind"] in _KINDS]


def of_kind(findings: Iterable[Row], kind: str) -> list[Row]:
    """The findings by one rule."""
    return [row for row in findings if row["kind"] == kind]


def about(findings: Iterable[Row], subject: str, part_id: str = "") -> list[Row]:
    """The known findings about a part of a problem, or about a video (by its id in players' events)."""
    return [row for row in known(findings) if row["subject"] == subject and row["part_id"] in ("", part_id)]


def most_urgent(words: Language, findings: Iterable[Row], links: Mapping[str, Markup]) -> tuple[Markup, ...]:
    """The most urgent findings about these subjects, each after a link to its subject."""
    rows = [row for row in known(findings) if row["subject"] in links][:MOST_URGENT]
    return tuple(
        words.html("%(subject)s: %(finding)s", subject=links[row["subject"]], finding=sentence(words, row))
        for row in rows
    )


def sentence(words: Language, finding: Row) -> Markup:
    """The observation with its numbers, and the advice. Raises KeyError for an unknown kind."""
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


def _never_tried(words: Language, finding: Row) -> Markup:
    return words.htmls(
        "<strong>Nobody</strong> tried it, though %(n)s learner reached its unit. Look at its place, and "
        "whether it works.",
        "<strong>Nobody</strong> tried it, though %(n)s learners reached its unit. Look at its place, and "
        "whether it works.",
        finding["numbers"]["reached"],
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


def _rarely_finished(words: Language, finding: Row) -> Markup:
    numbers = finding["numbers"]
    if not numbers["finished"]:
        return words.htmls(
            "<strong>Nobody</strong> reached the end: %(n)s learner began. Look at its length and its last "
            "part.",
            "<strong>Nobody</strong> reached the end: %(n)s learners began. Look at its length and its last "
            "part.",
            numbers["viewers"],
        )
    return words.htmls(
        "Only %(finished)s of %(n)s learner reached the end. Look at its length and its last part.",
        "Only %(finished)s of %(n)s learners reached the end. Look at its length and its last part.",
        numbers["viewers"],
        finished=strong(words.number(numbers["finished"])),
    )


def _part_left(words: Language, finding: Row) -> Markup:
    return words.htmls(
        "%(learners)s of %(n)s learner who is still there leaves between %(from)s and %(to)s. Look at what "
        "happens there.",
        "%(learners)s of %(n)s learners who are still there leave between %(from)s and %(to)s. Look at what "
        "happens there.",
        finding["numbers"]["of_learners"],
        **span(words, finding["numbers"]),
    )


def _opening_skipped(words: Language, finding: Row) -> Markup:
    return words.htmls(
        "%(learners)s of %(n)s learner skip %(from)s–%(to)s. Look whether the beginning is needed.",
        "%(learners)s of %(n)s learners skip %(from)s–%(to)s. Look whether the beginning is needed.",
        finding["numbers"]["of_learners"],
        **span(words, finding["numbers"]),
    )


def _part_watched_again(words: Language, finding: Row) -> Markup:
    return words.htmls(
        "%(learners)s of %(n)s learner watch %(from)s–%(to)s more than once. Look whether it is hard to "
        "follow.",
        "%(learners)s of %(n)s learners watch %(from)s–%(to)s more than once. Look whether it is hard to "
        "follow.",
        finding["numbers"]["of_learners"],
        **span(words, finding["numbers"]),
    )


def _transcripts_unused(words: Language, finding: Row) -> Markup:
    return words.htmls(
        "%(videos)s of the videos have transcripts in %(language)s, which no browser of %(n)s learner asks "
        "for. Look whether they are needed.",
        "%(videos)s of the videos have transcripts in %(language)s, which no browser of %(n)s learners asks "
        "for. Look whether they are needed.",
        finding["numbers"]["learners"],
        videos=words.number(finding["numbers"]["videos"]),
        language=strong(words.language(finding["subject"])),
    )


def span(words: Language, place: Row) -> dict[str, Markup]:
    """Values for a sentence about a place of a video: its learners, `from` and `to`."""
    return {
        "learners": strong(words.number(place["learners"])),
        "from": words.video_time(place["start_second"]),
        "to": words.video_time(place["end_second"]),
    }


def _answer(words: Language, finding: Row) -> str:
    text = finding["answer"]
    return words.text("(empty)") if text is None else quoted(text)


_KINDS: dict[str, Callable[[Language, Row], Markup]] = {
    "wrong_answer_preferred": _wrong_answer_preferred,
    "nobody_right": _nobody_right,
    "negative_discrimination": _negative_discrimination,
    "answer_after_change": _answer_after_change,
    "never_tried": _never_tried,
    "mostly_skipped": _mostly_skipped,
    "video_rarely_finished": _rarely_finished,
    "video_part_left": _part_left,
    "video_opening_skipped": _opening_skipped,
    "video_part_watched_again": _part_watched_again,
    "transcripts_unused": _transcripts_unused,
    "all_right_at_once": _all_right_at_once,
}
