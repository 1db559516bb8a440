"""The quality of a problem's part as a question, in words; the numbers are those of `item_quality`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from markupsafe import Markup

from pharos.insights.answers import readable
from pharos.insights.api import Row
from pharos.insights.language import Language
from pharos.insights.problem_lists import given, mark
from pharos.insights.reports import strong
from pharos.insights.shares import ENOUGH
from pharos.insights.tables import Column, Table, fixed


def of_part(rows: Iterable[Row], problem_id: str, part_id: str) -> Row | None:
    """The row of all variants of a part."""
    for row in rows:
        if (row["module_id"], row["part_id"], row["variant"]) == (problem_id, part_id, None):
            return row
    return None


def sentences(words: Language, item: Row) -> tuple[Markup, ...]:
    """Sentences about the question; a sentence is left out if it has too few learners."""
    told = (_attempts, _strength, _discrimination, _help, _change)
    return tuple(said for tell in told if (said := tell(words, item)) is not None)


def _attempts(words: Language, item: Row) -> Markup | None:
    if item["attempts_median"] is None:
        return words.htmls(
            "%(n)s learner tried: too few to tell more.",
            "%(n)s learners tried: too few to tell more.",
            item["tried"],
        )
    if item["attempts_p90"] == 1:
        return words.html("At least nine in ten learners tried <strong>once</strong>.")
    return words.html(
        "Half of the learners tried up to <strong>%(median)s</strong> times, nine in ten up to %(p90)s "
        "times.",
        median=_times(words, item["attempts_median"]),
        p90=_times(words, item["attempts_p90"]),
    )


def _strength(words: Language, item: Row) -> Markup | None:
    if min(item["strong_learners"], item["weak_learners"]) < ENOUGH:
        return None
    return words.html(
        "On the first attempt %(strong)s of the strong learners were right (%(strong_right)s of "
        "%(strong_learners)s), and %(weak)s of the weak ones (%(weak_right)s of %(weak_learners)s).",
        strong=strong(words.percent(item["strong_right"] / item["strong_learners"])),
        strong_right=words.number(item["strong_right"]),
        strong_learners=words.number(item["strong_learners"]),
        weak=strong(words.percent(item["weak_right"] / item["weak_learners"])),
        weak_right=words.number(item["weak_right"]),
        weak_learners=words.number(item["weak_learners"]),
    )


def _discrimination(words: Language, item: Row) -> Markup | None:
    """A sentence on the sign of the discrimination's interval; None if it is unknown."""
    low, high = item["discrimination_low"], item["discrimination_high"]
    if item["discrimination"] is None or low is None or high is None:
        return None
    if low > 0:
        said = words.html("Who is right here is more often right in the other problems.")
    elif high < 0:
        said = words.html("Who is right here is <strong>less</strong> often right in the other problems.")
    else:
        said = words.html("Nothing tells yet whether who is right here is right in the other problems.")
    numbers = words.htmls(
        "Correlation %(r)s, 95%% interval from %(low)s to %(high)s (%(n)s learner).",
        "Correlation %(r)s, 95%% interval from %(low)s to %(high)s (%(n)s learners).",
        item["discrimination_learners"],
        r=words.number(item["discrimination"], 2),
        low=words.number(low, 2),
        high=words.number(high, 2),
    )
    return words.sentences(said, numbers)


def _help(words: Language, item: Row) -> Markup | None:
    hinted, shown = item["hinted"] or 0, item["shown_answer"] or 0
    if not hinted and not shown:
        return None
    return words.html(
        "Learners who asked for a hint: %(hinted)s. Learners who had the answer shown: %(shown)s.",
        hinted=words.number(hinted),
        shown=words.number(shown),
    )


def _change(words: Language, item: Row) -> Markup | None:
    if item["changed_at"] is None:
        return None
    return words.htmls(
        "The question was edited; the first answer after it is of %(moment)s. Since then %(right)s of %(n)s "
        "first answer was right.",
        "The question was edited; the first answer after it is of %(moment)s. Since then %(right)s of %(n)s "
        "first answers were right.",
        item["tried_since"] or 0,
        moment=words.moment(datetime.fromisoformat(item["changed_at"]).replace(tzinfo=None)),
        right=words.number(item["right_first_since"] or 0),
    )


def _times(words: Language, value: float) -> str:
    return words.number(value, 0 if value == int(value) else 1)


def answers_table(words: Language, rows: Iterable[Row]) -> Table | None:
    """First answers of strong and weak learners, all variants together; None without such learners."""
    own = [row for row in rows if row["variant"] is None]
    if not any(row["strong_count"] or row["weak_count"] for row in own):
        return None
    return fixed(words.text("First answers of strong and weak learners"), _columns(words), own)


def _columns(words: Language) -> Sequence[Column[Row]]:
    def share(name: str, label: str) -> Column[Row]:
        return Column(name, label, lambda row: row[name], lambda row: words.percent(row[name]))

    return [
        Column("answer", words.text("Answer"), lambda row: row["place"], lambda r: _answer(words, r), False),
        Column(
            "correct",
            words.text("Right"),
            lambda r: r["is_correct"],
            lambda r: mark(words, r["is_correct"]),
            False,
        ),
        Column(
            "first",
            words.text("First attempt"),
            lambda r: r["first_count"],
            lambda r: words.number(r["first_count"]),
        ),
        share("strong_share", words.text("Strong learners")),
        share("weak_share", words.text("Weak learners")),
    ]


def _answer(words: Language, row: Row) -> Markup:
    """The answer; or the number of answers, if the row sums several."""
    if row["answers"] > 1:
        return Markup('<span class="quiet">{}</span>').format(
            words.texts("%(n)s other answer", "%(n)s other answers", row["answers"])
        )
    return given(words, readable(row["answer_value"]))
