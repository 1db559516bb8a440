"""Activity in sentences: active learners of a week, their share, and the weeks and runs before."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pharos.insights.activity_weeks import Week, last_active
from pharos.insights.api import Row
from pharos.insights.gaps import WEEK
from pharos.insights.language import Language
from pharos.insights.reports import strong, when
from pharos.insights.weeks import WeekSoFar


def headline(words: Language, weeks: Sequence[Week], shown: Sequence[Week]) -> Markup:
    """A sentence about the last of the weeks shown; `weeks` are all weeks up to the last complete one."""
    last = shown[-1]
    before = next((week for week in weeks if week.ending == last.ending - WEEK), None)
    parts = [active(words, last)]
    if before is not None:
        parts.append(against_week_before(words, last, before))
    if not last.active:
        parts.append(_last_activity(words, [week for week in weeks if week.ending < last.ending]))
    if len(shown) > 1:
        parts.append(_range(words, shown))
    return words.sentences(*filter(None, parts))


def active(words: Language, week: Week) -> Markup:
    """The number of learners active in the week, and their share of the enrolled."""
    days = when(words, week.first, week.ending)
    if not week.active:
        return words.html("<strong>Nobody was active</strong> in the week of %(days)s.", days=days)
    share = week.share()
    first = words.htmls(
        "<strong>%(n)s learner was active</strong> in the week of %(days)s",
        "<strong>%(n)s learners were active</strong> in the week of %(days)s",
        week.active,
        days=days,
    )
    if share is not None and week.enrollment:
        return words.htmls(
            "%(sentence)s, %(percent)s of the %(n)s learner enrolled at its end.",
            "%(sentence)s, %(percent)s of the %(n)s learners enrolled at its end.",
            week.enrollment,
            sentence=first,
            percent=words.percent(share),
        )
    if week.not_enrolled:
        return words.htmls(
            "%(sentence)s; at least %(n)s of them was not enrolled at its end.",
            "%(sentence)s; at least %(n)s of them were not enrolled at its end.",
            week.not_enrolled,
            sentence=first,
        )
    return words.html("%(first)s.", first=first)


def against_week_before(words: Language, week: Week, before: Week) -> Markup:
    """The active learners compared with the week before."""
    change = week.active - before.active
    if change > 0:
        return words.html("That is %(count)s more than the week before.", count=strong(words.number(change)))
    if change < 0:
        return words.html(
            "That is %(count)s fewer than the week before.", count=strong(words.number(-change))
        )
    return words.html("That is as many as the week before.")


def so_far(words: Language, row: Row | None, week: WeekSoFar) -> Markup:
    """A sentence about the current week, without comparison to whole weeks."""
    days = when(words, week.first, week.last)
    count = (row or {}).get("any") or 0
    if not count:
        return words.html("In the week so far (%(days)s) nobody has been active.", days=days)
    return words.htmls(
        "In the week so far (%(days)s) %(n)s learner has been active; a whole week may have more.",
        "In the week so far (%(days)s) %(n)s learners have been active; a whole week may have more.",
        count,
        days=days,
    )


def against_last_run(words: Language, count: int, then: int | None) -> Markup:
    """The active learners compared with the same week of the last run."""
    if then is None:
        return words.html("The last run has no count for this week of the course.")
    values = {"then": words.number(then), "change": words.number(abs(count - then))}
    if count > then:
        return words.html("In this week of the last run it was %(then)s, %(change)s fewer.", **values)
    if count < then:
        return words.html("In this week of the last run it was %(then)s, %(change)s more.", **values)
    return words.html("In this week of the last run it was as many.")


def against_runs(words: Language, then: tuple[int, int] | None) -> Markup:
    """The range of earlier runs in the same week of the course."""
    if then is None:
        return words.html("The earlier runs have no count for this week of the course.")
    return words.html(
        "In this week of the course the earlier runs had between %(low)s and %(high)s.",
        low=words.number(then[0]),
        high=words.number(then[1]),
    )


def _last_activity(words: Language, weeks: Sequence[Week]) -> Markup:
    week = last_active(weeks)
    if week is None:
        return Markup("")
    return words.htmls(
        "The last week with activity was %(days)s, with %(n)s learner.",
        "The last week with activity was %(days)s, with %(n)s learners.",
        week.active,
        days=when(words, week.first, week.ending),
    )


def _range(words: Language, shown: Sequence[Week]) -> Markup:
    """The lowest and highest number of the weeks; empty if all are equal."""
    low, high = min(week.active for week in shown), max(week.active for week in shown)
    if low == high:
        return Markup("")
    return words.htmls(
        "In the %(n)s week shown it was between %(low)s and %(high)s a week.",
        "In the %(n)s weeks shown it was between %(low)s and %(high)s a week.",
        len(shown),
        low=words.number(low),
        high=words.number(high),
    )
