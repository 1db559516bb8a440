"""The rules of the tables of items written down once more, learner by learner, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import atanh, sqrt, tanh
from statistics import StatisticsError, correlation, mean, median, quantiles
from typing import Any

FEW, FEW_COMPARED = 10, 20


@dataclass(frozen=True)
class Item:
    """A learner's answers to a part, all variants together or one of them (`variant`)."""

    problem: str
    part: str
    variant: int | None
    learner: object
    answers: tuple[dict[str, Any], ...]  # rows of the fact, in order

    @property
    def first(self) -> dict[str, Any]:
        return self.answers[0]

    @property
    def last(self) -> dict[str, Any]:
        return self.answers[-1]


def value(row: dict[str, Any]) -> str:
    """What tells answers apart."""
    internal = row.get("value_id")
    return str(row["answer"] if internal is None else internal)[:255]


def items(facts: Iterable[dict[str, Any]]) -> list[Item]:
    """Of the facts of one course run."""
    found: dict[tuple[str, str, int | None, object], list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(facts, key=lambda row: row["moment"]):
        if row.get("part_id") is None:
            continue
        learner = row["user_id"] if row["user_id"] is not None else row["username"]
        seed = row.get("variant") or ""
        for variant in {None, int(seed) if seed.isdigit() else None}:
            found[row["problem_id"], row["part_id"], variant, learner].append(row)
    return [
        Item(problem, part, variant, learner, tuple(rows))
        for (problem, part, variant, learner), rows in found.items()
    ]


def rest_scores(all_items: Sequence[Item]) -> dict[tuple[str, object], int]:
    """(problem, learner) -> score in the other problems, in thousandths, rounded half up."""
    whole = [item for item in all_items if item.variant is None]
    scores = {}
    for problem, learner in {(item.problem, item.learner) for item in whole}:
        others = [item for item in whole if item.learner == learner and item.problem != problem]
        if len(others) >= 3:
            share = sum(item.first["is_correct"] for item in others) * 1000 / len(others)
            scores[problem, learner] = int(share + 0.5)
    return scores


def third(score: int | None, all_scores: Sequence[int]) -> str:
    if score is None:
        return ""
    strong = sum(other > score for other in all_scores) / len(all_scores) < 1 / 3
    weak = sum(other < score for other in all_scores) / len(all_scores) < 1 / 3
    return "strong" if strong and not weak else "weak" if weak and not strong else ""


def quality(facts: Iterable[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """(problem, part, variant) -> figures of `item_quality`, by the names of its columns."""
    found = {}
    all_items = items(facts)
    scores = rest_scores(all_items)
    for key, group in _kept(all_items).items():
        tried = len(group)
        own = [scores.get((item.problem, item.learner)) for item in group]
        known = [score for score in own if score is not None]
        thirds = [third(score, known) for score in own]
        right = [item.first["is_correct"] for item in group]
        attempts = [len(item.answers) for item in group]
        enough = tried >= FEW
        figures = {
            "tried": tried,
            "right_first": sum(right),
            "right_last": sum(item.last["is_correct"] for item in group),
            "attempts": sum(attempts),
            "attempts_mean": mean(attempts) if enough else None,
            "attempts_median": median(attempts) if enough else None,
            "attempts_p90": quantiles(attempts, n=10, method="inclusive")[8] if enough else None,
            "difficulty": 1 - sum(right) / tried if enough else None,
            "discrimination_learners": len(known),
            "strong_learners": thirds.count("strong"),
            "weak_learners": thirds.count("weak"),
            "strong_right": list(zip(thirds, right, strict=True)).count(("strong", True)),
            "weak_right": list(zip(thirds, right, strict=True)).count(("weak", True)),
        }
        pairs = [(is_right, score) for is_right, score in zip(right, own, strict=True) if score is not None]
        found[key] = figures | discrimination(pairs)
    return found


def discrimination(pairs: Sequence[tuple[bool, int]]) -> dict[str, float | None]:
    names = ("discrimination", "discrimination_low", "discrimination_high")
    try:
        r = correlation([float(right) for right, _ in pairs], [float(score) for _, score in pairs])
    except StatisticsError:
        return dict.fromkeys(names)
    if len(pairs) < FEW_COMPARED:
        return dict.fromkeys(names)
    r = max(-1.0, min(1.0, r))
    reach = 1.959964 / sqrt(len(pairs) - 3)
    ends = (r, r) if abs(r) > 1 - 1e-12 else (tanh(atanh(r) - reach), tanh(atanh(r) + reach))
    return dict(zip(names, (r, *ends), strict=True))


def answers(facts: Iterable[dict[str, Any]]) -> dict[tuple[Any, ...], list[tuple[Any, ...]]]:
    """(problem, part, variant) -> (answer, first, last, strong, weak, shares of the two) of each answer."""
    found = {}
    all_items = items(facts)
    scores = rest_scores(all_items)
    for key, group in _kept(all_items).items():
        own = [scores.get((item.problem, item.learner)) for item in group]
        known = [score for score in own if score is not None]
        thirds = [third(score, known) for score in own]
        rows: list[tuple[Any, ...]] = []
        for answer in {value(row) for item in group for row in (item.first, item.last)}:
            first = [of for item, of in zip(group, thirds, strict=True) if value(item.first) == answer]
            last = sum(value(item.last) == answer for item in group)
            counts = [first.count(name) for name in ("strong", "weak")]
            wholes = [thirds.count(name) for name in ("strong", "weak")]
            shares = [
                count / whole if whole >= FEW else None for count, whole in zip(counts, wholes, strict=True)
            ]
            rows.append((answer, len(first), last, *counts, *shares))
        found[key] = sorted(rows, key=lambda row: (-row[1] - row[2], row[0]))
    return found


def _kept(all_items: Iterable[Item]) -> dict[tuple[Any, ...], list[Item]]:
    groups: dict[tuple[Any, ...], list[Item]] = defaultdict(list)
    for item in all_items:
        groups[item.problem, item.part, item.variant].append(item)
    return {key: group for key, group in groups.items() if key[2] is None or len(group) >= FEW}


def changed(contents: Sequence[str]) -> int | None:
    """The place where the content changed last, of a part that tells one thing at a time."""
    switches = [place for place, (old, new) in enumerate(pairwise(contents), 1) if old != new]
    if not switches or contents[-1] in contents[: switches[-1]]:
        return None
    old, new = switches[-1], len(contents) - switches[-1]
    return switches[-1] if old >= 5 and new >= 5 else None
