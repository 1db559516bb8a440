"""The answers to a problem, by part, from the rows of the Data API (spec 06 §9.15). Pure.

A learner counts once per part with the last answer, and once with the first if it is counted.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from pharos.insights.api import Row
from pharos.insights.outline import natural

LONGEST_ANSWER, LONGEST_QUESTION = 160, 1_000
"""Characters that a page shows; files have every answer whole."""
BINS = 14
"""Bars of a histogram, at most; those at its ends take what lies outside."""
OUTSIDE, FAR = 0.1, 5
"""Share of the learners, at either end, whose answers may be outside; and how far away these are."""
LARGEST = 1e15
"""Beyond it floating point has no room for steps."""
_TURNING = dict.fromkeys(map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))


@dataclass(frozen=True)
class Answer:
    """One answer to a part and the learners who gave it."""

    text: str | None
    """None for an answer that is empty or not known."""
    correct: bool | None
    first: int | None
    """Learners whose first answer it was; None where that is not counted."""
    last: int
    variant: int | None
    """Seed of a randomised problem."""

    @property
    def gain(self) -> int | None:
        """The number of learners with it as last answer, less those with it as first."""
        return None if self.first is None else self.last - self.first


@dataclass(frozen=True)
class Answers:
    """Several answers, the most frequent last answer first."""

    answers: tuple[Answer, ...]

    @property
    def last(self) -> int:
        """Learners with a last answer."""
        return sum(answer.last for answer in self.answers)

    @property
    def right_last(self) -> int:
        """Learners whose last answer is right."""
        return sum(answer.last for answer in self.answers if answer.correct)

    @property
    def first(self) -> int | None:
        """Learners with a first answer; None if first answers are not counted."""
        return None if any(a.first is None for a in self.answers) else sum(a.first or 0 for a in self.answers)

    @property
    def right_first(self) -> int:
        """Learners whose first answer was right."""
        return sum(answer.first or 0 for answer in self.answers if answer.correct)

    @property
    def share_last(self) -> float | None:
        """The share of right answers among last answers; None without answers."""
        return self.right_last / self.last if self.last else None

    @property
    def share_first(self) -> float | None:
        """The share of right answers among first answers; None without answers."""
        return self.right_first / self.first if self.first else None


@dataclass(frozen=True)
class Variant(Answers):
    """One edition of a randomised part."""

    seed: int | None
    question: str


@dataclass(frozen=True)
class Part(Answers):
    """One input of a problem. Parts are counted from 1."""

    part_id: str
    number: int
    question: str
    problem: str
    """Name of the problem; empty if no answer tells it."""
    variants: tuple[Variant, ...]
    """Of a randomised part, by seed; else none."""

    @property
    def numeric(self) -> bool:
        """True if every known answer is a number."""
        texts = [answer.text for answer in self.answers if answer.text is not None]
        return bool(texts) and all(number_of(text) is not None for text in texts)


@dataclass(frozen=True)
class Bin:
    """A bar of a histogram: learners whose answer is at least `low` and less than `high`."""

    low: float
    high: float
    learners: int
    right: int
    open_below: bool = False
    open_above: bool = False


def parts_of(rows: Iterable[Row]) -> list[Part]:
    """The parts in natural order of their ids (spec 06 §8.6)."""
    ordered = sorted(rows, key=lambda row: natural(row["part_id"]))
    return [
        _part(number, part_id, list(group))
        for number, (part_id, group) in enumerate(groupby(ordered, key=lambda row: row["part_id"]), 1)
    ]


def _part(number: int, part_id: str, rows: Sequence[Row]) -> Part:
    by_seed: dict[int | None, list[Row]] = {}
    for row in rows:
        by_seed.setdefault(row["variant"], []).append(row)
    randomised = not by_seed.keys() <= {None, 1}
    seeds = sorted(by_seed, key=lambda seed: (seed is None, seed))
    return Part(
        answers=_answers(rows),
        part_id=part_id,
        number=number,
        question=_newest(rows, "question_text"),
        problem=_newest(rows, "problem_display_name"),
        variants=tuple(_variant(seed, by_seed[seed]) for seed in seeds) if randomised else (),
    )


def _variant(seed: int | None, rows: Sequence[Row]) -> Variant:
    return Variant(answers=_answers(rows), seed=seed, question=_newest(rows, "question_text"))


def _answers(rows: Sequence[Row]) -> tuple[Answer, ...]:
    found = [
        Answer(
            text=readable(row["answer_value"]) or None,
            correct=row["correct"],
            first=row.get("first_response_count"),
            last=row["last_response_count"] if "last_response_count" in row else row["count"],
            variant=row["variant"],
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda answer: -answer.last))


def _newest(rows: Sequence[Row], name: str) -> str:
    """The text of the last row that has a text."""
    return next((text for row in reversed(rows) if (text := readable(row[name]))), "")


def readable(text: str | None) -> str:
    """A text written by a learner or an author, as one line that cannot disturb the page around it.

    Characters that change the text direction are removed; other control characters and halves of characters
    become a replacement character.
    """
    whole = (text or "").translate(_TURNING)
    one_line = " ".join(whole.encode(errors="replace").decode().split())
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) == "Cc" else c for c in one_line)


def cut(text: str, longest: int = LONGEST_ANSWER) -> str:
    """The text; if it is too long, its beginning and an ellipsis."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def number_of(text: str) -> float | None:
    """The answer as a finite number, by spec 02 §4.7; None if it is not a number."""
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text.strip()):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def histogram(part: Part) -> list[Bin]:
    """Last answers in bins of equal width; empty if fewer than three different numbers were given.

    The widths are round numbers. Answers far from all others are counted in the outermost bins.
    """
    found = [
        (value, a) for a in part.answers if a.text is not None and a.last for value in [number_of(a.text)]
    ]
    values = sorted(((value, a) for value, a in found if value is not None), key=lambda item: item[0])
    if len({value for value, _ in values}) < 3:  # noqa: PLR2004 - two bars say less than the table
        return []
    low, high = _reach(values)
    step = _round_step((high - low) / (BINS - 3))
    if not math.isfinite(step) or max(abs(low), abs(high)) > LARGEST:
        return []
    if all(value == int(value) for value, _ in values):
        step = max(step, 1.0)
    start = _place(low, step)
    count = _place(high, step) - start + 1
    places = [min(max(_place(value, step) - start, -1), count) for value, _ in values]
    below, above = min(places) < 0, max(places) == count
    bins = []
    for place in range(-1 if below else 0, count + (1 if above else 0)):
        inside = [a for at, (_, a) in zip(places, values, strict=True) if at == place]
        bins.append(
            Bin(
                _decimal((start + place) * step),
                _decimal((start + place + 1) * step),
                sum(a.last for a in inside),
                sum(a.last for a in inside if a.correct),
                open_below=place < 0,
                open_above=place == count,
            )
        )
    return bins


def _reach(values: Sequence[tuple[float, Answer]]) -> tuple[float, float]:
    """The smallest and the largest number, without wrong answers that are far from all other numbers.

    An outermost number is far away if the range without it is a fifth of the range with it; at each end at
    most a tenth of the learners are left out.
    """
    learners: dict[float, int] = {}
    for value, answer in values:
        learners[value] = learners.get(value, 0) + answer.last
    right = {value for value, answer in values if answer.correct}
    inside, most = sorted(learners), sum(learners.values()) * OUTSIDE
    left_out = {0: 0, -1: 0}
    while len(inside) > 2:  # noqa: PLR2004 - two numbers are a range
        for end, rest in ((-1, inside[:-1]), (0, inside[1:])):
            far = inside[end]
            narrow = (rest[-1] - rest[0]) * FAR <= inside[-1] - inside[0]
            if narrow and far not in right and left_out[end] + learners[far] <= most:
                left_out[end] += learners[far]
                inside = rest
                break
        else:
            break
    return inside[0], inside[-1]


def _round_step(least: float) -> float:
    """The next of 1, 2, 5, 10, 20, … and their tenths."""
    if not math.isfinite(least) or least <= 0:
        return math.nan
    power: float = 10.0 ** math.floor(math.log10(least))
    return next(n * power for n in (1, 2, 5, 10) if n * power >= least * 0.999_999)


def _place(value: float, step: float) -> int:
    """The number of the step that contains a value, counted from 0; 0.3 is in step 3 of 0.1, not 2."""
    return math.floor(min(max(value / step + 1e-9, -LARGEST), LARGEST))


def _decimal(value: float) -> float:
    """The value without the noise of binary fractions: 0.30000000000000004 becomes 0.3."""
    return float(f"{value:.12g}")
