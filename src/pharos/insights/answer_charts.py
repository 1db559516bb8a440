"""The charts of a problem: its answers, its numeric answers by size, its variants."""

from __future__ import annotations

from typing import Any

from pharos.insights.answers import Bin, Part, cut, histogram
from pharos.insights.charts import Chart, Key
from pharos.insights.directory import Course
from pharos.insights.language import Language

MOST_ANSWERS, MOST_VARIANTS = 12, 14
"""Bars that charts have room for; the tables have all rows."""
SMALLEST, LARGEST = 1e-6, 1e12
"""Numbers outside are written by their power of ten."""
LONGEST = 40
"""Characters of an answer beside its bar."""


def answers_chart(words: Language, course: Course, part: Part) -> Chart:
    """The most frequent answers on the first and on the last attempt; all further ones as one bar."""
    shown = list(part.answers[:MOST_ANSWERS])
    others = part.answers[MOST_ANSWERS:]
    bars: list[dict[str, Any]] = [
        {
            "value": cut(answer.text, LONGEST) if answer.text is not None else words.text("(empty)"),
            "first": answer.first,
            "last": answer.last,
            "correct": bool(answer.correct),
        }
        for answer in shown
    ]
    if others:
        first = None if part.first is None else sum(answer.first or 0 for answer in others)
        name = words.texts("%(n)s other answer", "%(n)s other answers", len(others))
        bars.append({"value": name, "first": first, "last": sum(a.last for a in others), "correct": False})
    last, first_words = words.text("Last attempt"), words.text("First attempt")
    keys = [Key(last, "s1", "solid")]
    if part.first is not None:
        keys.insert(0, Key(first_words, "s1", "hollow"))
    return Chart(
        "answers",
        words.text("Answers on first and last attempt") if part.first is not None else words.text("Answers"),
        words.text("Learners by the answer that they gave; the most frequent last answers come first"),
        ", ".join(f"{bar['value']} {words.number(bar['last'])}" for bar in bars),
        {
            "answers": bars,
            "all": max(1, part.last),
            "allFirst": part.first or 0,
            "first": first_words,
            "last": last,
            "correct": words.text("Right"),
        },
        keys,
        "-".join([*course.parts, "answers"]),
    )


def histogram_chart(words: Language, course: Course, part: Part) -> Chart | None:
    """Last answers by size; None if answers are not numbers, or have too few different values."""
    bins = histogram(part) if part.numeric else []
    if not bins:
        return None
    bars = [
        {
            "name": _edge(words, one),
            "head": _range(words, one),
            "value": one.learners,
            "colour": "s3" if one.right else "s1",
            "rows": [
                (words.text("Learners"), words.number(one.learners)),
                (words.text("Right"), words.number(one.right)),
            ],
        }
        for one in bins
    ]
    return Chart(
        "bars",
        words.text("Numeric answers by size"),
        words.text("Learners by their last answer; each bar begins with the number below it"),
        ", ".join(
            f"{bar['head']}: {words.number(one.learners)}" for bar, one in zip(bars, bins, strict=True)
        ),
        {"bars": bars, "horizontal": False, "every": 1},
        [
            Key(words.text("With right answers"), "s3", "solid"),
            Key(words.text("Wrong answers"), "s1", "solid"),
        ],
        "-".join([*course.parts, "answers-by-size"]),
    )


def variants_chart(words: Language, course: Course, part: Part) -> Chart:
    """The share of right last answers in each variant, the lowest first."""
    told = sorted((v for v in part.variants if v.last), key=lambda variant: variant.share_last or 0.0)
    bars = [
        {
            "name": words.text("Variant %(seed)s", seed="–" if v.seed is None else words.number(v.seed)),
            "value": v.share_last,
            "rows": [
                (words.text("Learners"), words.number(v.last)),
                (words.text("Right at first"), words.percent(v.share_first)),
                (words.text("Right at last"), words.percent(v.share_last)),
            ],
        }
        for v in told[:MOST_VARIANTS]
    ]
    return Chart(
        "bars",
        words.text("Right answers by variant"),
        words.text("Share of learners whose last answer is right, the lowest first"),
        ", ".join(f"{bar['name']} {words.percent(v.share_last)}" for bar, v in zip(bars, told, strict=False)),
        {"bars": bars, "horizontal": True, "percent": True, "whole": True},
        [],
        "-".join([*course.parts, "variants"]),
    )


def _edge(words: Language, one: Bin) -> str:
    if one.open_below:
        return f"<{_number(words, one.high)}"
    return f"≥{_number(words, one.low)}" if one.open_above else _number(words, one.low)


def _range(words: Language, one: Bin) -> str:
    if one.open_below:
        return words.text("less than %(number)s", number=_number(words, one.high))
    if one.open_above:
        return words.text("%(number)s or more", number=_number(words, one.low))
    return words.text(
        "%(low)s to less than %(high)s", low=_number(words, one.low), high=_number(words, one.high)
    )


def _number(words: Language, value: float) -> str:
    """The number with its own digits; very large and very small ones with a power of ten."""
    if value and not SMALLEST <= abs(value) < LARGEST:
        return f"{value:.3g}"
    digits = len(f"{value:.10f}".rstrip("0").partition(".")[2])
    return words.number(value, digits)
