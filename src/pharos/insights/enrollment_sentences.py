"""Enrollment in sentences: numbers, change, learners who joined and left, and the last run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

from pharos.insights.enrollment_days import Day, Growth
from pharos.insights.language import Language
from pharos.insights.reports import when

# Of fewer learners a percentage says little: "grew 200 %" were two people.
FEWEST_FOR_PERCENT = 10


def enrolled(words: Language, day: Day) -> Markup:
    """The number of learners who are enrolled, and who ever were."""
    on = words.day(day.day)
    if day.count:
        first = words.htmls(
            "<strong>%(n)s learner</strong> is enrolled on %(day)s.",
            "<strong>%(n)s learners</strong> are enrolled on %(day)s.",
            day.count,
            day=on,
        )
    else:
        first = words.html("<strong>Nobody is enrolled</strong> on %(day)s.", day=on)
    if not day.ever:
        return first
    second = words.htmls(
        "%(n)s person has ever been enrolled.", "%(n)s people have ever been enrolled.", day.ever
    )
    return words.sentences(first, second)


def changed(words: Language, growth: Growth) -> Markup:
    """The change of enrollment in percent; in numbers for fewer than ten learners or a change above 100 %."""
    change, before = growth.change, growth.before
    values = {
        "before": words.number(before),
        "count": words.number(growth.last.count),
        "days": when(words, growth.first, growth.last.day),
    }
    if not change:
        return words.html("Enrollment <strong>did not change</strong>: it is %(count)s (%(days)s).", **values)
    if before < FEWEST_FOR_PERCENT or change > before:
        values["change"] = words.number(abs(change))
        if change > 0:
            return words.html(
                "Enrollment <strong>grew by %(change)s</strong> to <strong>%(count)s</strong> (%(days)s).",
                **values,
            )
        return words.html(
            "Enrollment <strong>fell by %(change)s</strong> to <strong>%(count)s</strong> (%(days)s).",
            **values,
        )
    values["percent"] = words.percent(abs(change) / before)
    if change > 0:
        return words.html(
            "Enrollment <strong>grew %(percent)s</strong> from %(before)s to <strong>%(count)s</strong> "
            "(%(days)s).",
            **values,
        )
    return words.html(
        "Enrollment <strong>fell %(percent)s</strong> from %(before)s to <strong>%(count)s</strong> "
        "(%(days)s).",
        **values,
    )


def joined_and_left(words: Language, growth: Growth) -> Markup:
    """The numbers of learners who joined and left; empty if both are zero or not computed."""
    if not (growth.joined or growth.left):
        return Markup("")
    if growth.joined:
        joined = words.htmls(
            "<strong>%(n)s learner</strong> joined", "<strong>%(n)s learners</strong> joined", growth.joined
        )
    else:
        joined = words.html("Nobody joined")
    if not growth.left:
        return words.html("%(joined)s, nobody left.", joined=joined)
    return words.htmls(
        "%(joined)s, <strong>%(n)s</strong> left.",
        "%(joined)s, <strong>%(n)s</strong> left.",
        growth.left,
        joined=joined,
    )


def verified(words: Language, day: Day) -> Markup:
    """The number of learners in the verified track; empty if it is zero."""
    if not day.tracks["verified"]:
        return Markup("")
    return words.htmls(
        "<strong>%(n)s</strong> is in the verified track.",
        "<strong>%(n)s</strong> are in the verified track.",
        day.tracks["verified"],
    )


def against_last_run(words: Language, count: int, then: int | None, day: date) -> Markup:
    """The count compared with the last run on the same day of the course."""
    if then is None:
        return words.html(
            "The last run has no count for the day of the course that is %(day)s.", day=words.day(day)
        )
    values = {"then": words.number(then), "change": words.number(abs(count - then))}
    if count > then:
        return words.html(
            "Enrollment is %(change)s higher than at this day of the last run, when it was %(then)s.",
            **values,
        )
    if count < then:
        return words.html(
            "Enrollment is %(change)s lower than at this day of the last run, when it was %(then)s.", **values
        )
    return words.html("Enrollment is as at this day of the last run.")


def against_runs(words: Language, then: tuple[int, int] | None) -> Markup:
    """The range of earlier runs on the same day of the course."""
    if then is None:
        return words.html("The earlier runs have no count for this day of the course.")
    return words.html(
        "At this day of the course the earlier runs had between %(low)s and %(high)s.",
        low=words.number(then[0]),
        high=words.number(then[1]),
    )


def passing(words: Language, count: int | None, then: int | tuple[int, int] | None = None) -> Markup:
    """The number of passed learners on the last day, and on the same day of the last run or of earlier runs.

    Empty if no learner passed, neither in this run nor in earlier ones.
    """
    then_most = then[1] if isinstance(then, tuple) else then
    if count is None and not then_most:
        return Markup("")
    parts = [words.html("Nobody had passed.")]
    if count:
        parts = [
            words.htmls(
                "<strong>%(n)s learner</strong> had passed.",
                "<strong>%(n)s learners</strong> had passed.",
                count,
            )
        ]
    if isinstance(then, tuple):
        low, high = map(words.number, then)
        parts.append(
            words.html(
                "At this day of the earlier runs it was between %(low)s and %(high)s.", low=low, high=high
            )
        )
    elif then is not None:
        parts.append(words.html("At this day of the last run it was %(then)s.", then=words.number(then)))
    return words.sentences(*parts)


def verified_share(words: Language, day: Day, then: Sequence[float], *, several: bool = False) -> Markup:
    """The verified share compared with the last run's; empty if there is none."""
    if not (then and day.count) or not (day.tracks["verified"] or any(then)):
        return Markup("")
    now = words.percent(day.tracks["verified"] / day.count)
    if several:
        return words.html(
            "%(now)s of the learners are verified; at this day of the earlier runs it was between %(low)s "
            "and %(high)s.",
            now=now,
            low=words.percent(min(then)),
            high=words.percent(max(then)),
        )
    return words.html(
        "%(now)s of the learners are verified; at this day of the last run it was %(then)s.",
        now=now,
        then=words.percent(then[0]),
    )
