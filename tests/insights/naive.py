"""The sentences of Insights a second time, from rows and dates alone, as a person would count them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pharos.insights.language import languages

WORDS = languages()["en"]
DAY = timedelta(days=1)
LONG_AGO = date(1970, 1, 1)


def number(value: int) -> str:
    return f"{value:,}"


def percent(part: int, whole: int) -> str:
    share = Decimal(part) / Decimal(whole)
    if 0 < share < Decimal("0.0005"):
        return "<0.1%"
    return f"{(share * 100).quantize(Decimal('0.1'), ROUND_HALF_UP):,}%"


def many(count: int, one: str, several: str) -> str:
    return f"{number(count)} {one if count == 1 else several}"


def on(rows: Mapping[date, int], day: date) -> int:
    """The newest value up to the day, 0 before the first."""
    return next((rows[d] for d in sorted(rows, reverse=True) if d <= day), 0)


def days_asked(
    query: Mapping[str, str], first: date, last: date, course_start: date | None
) -> tuple[date, date]:
    """First and last day of a period of the daily reports."""
    period = query.get("period", "")
    if period in {"7d", "30d", "90d"}:
        return max(first, last - (int(period[:-1]) - 1) * DAY), last
    if period == "start" and course_start and first <= course_start <= last:
        return course_start, last
    if period == "custom":
        try:
            a, b = sorted((date.fromisoformat(query["from"]), date.fromisoformat(query["to"])))
        except ValueError:
            return first, last
        wanted = [first + i * DAY for i in range((last - first).days + 1) if a <= first + i * DAY <= b]
        return (wanted[0], wanted[-1]) if wanted else (first, last)
    return first, last


def weeks_asked(query: Mapping[str, str], first: date, last: date, course_start: date | None) -> list[date]:
    """The Sundays of a period of the weekly report, from the Monday `first` to the Sunday `last`."""
    sundays = [first + (6 + 7 * i) * DAY for i in range((last - first).days // 7 + 1)]
    period = query.get("period", "")
    if period in {"4w", "12w"}:
        return sundays[-int(period[:-1]) :]
    start, end = days_asked({} if period in {"7d", "30d", "90d"} else query, first, last, course_start)
    return [sunday for sunday in sundays if start <= sunday and sunday - 6 * DAY <= end]


def enrollment(
    counts: Mapping[date, int],
    ever: Mapping[date, int],
    verified: Mapping[date, int],
    flows: Mapping[date, tuple[int, int]],
    passed: Mapping[date, int],
    query: Mapping[str, str],
    days: tuple[date, date],
    first_day: date,
) -> str:
    """The answer of Enrollment Activity without its comparison."""
    start, last = days
    now, ever_now = on(counts, last), on(ever, last)
    shows_all = days == (first_day, max(first_day, last)) and (
        query.get("period", "all") not in {"7d", "30d", "90d", "start", "custom"}
        or query.get("_all") == "yes"
    )
    if shows_all:
        parts = [
            f"{many(now, 'learner is', 'learners are')} enrolled on {WORDS.day(last)}."
            if now
            else f"Nobody is enrolled on {WORDS.day(last)}.",
            f"{many(ever_now, 'person has', 'people have')} ever been enrolled." if ever_now else "",
        ]
    else:
        parts = [*growth(counts, flows, start, last)]
    count = on(verified, last)
    if count:
        parts.append(f"{many(count, 'is', 'are')} in the verified track.")
    if passed:
        passing = sum(number for day, number in passed.items() if day <= last)
        parts.append(f"{many(passing, 'learner', 'learners') if passing else 'Nobody'} had passed.")
    return " ".join(filter(None, parts))


def growth(
    counts: Mapping[date, int], flows: Mapping[date, tuple[int, int]], start: date, last: date
) -> tuple[str, str]:
    """How enrollment changed from the start of one day to the end of another; how many joined and left."""
    before, now = on(counts, start - DAY), on(counts, last)
    days = f"({WORDS.days(start, last)})"
    if now == before:
        changed = f"Enrollment did not change: it is {number(now)} {days}."
    else:
        verb = "grew" if now > before else "fell"
        if before < 10 or now > 2 * before:
            changed = f"Enrollment {verb} by {number(abs(now - before))} to {number(now)} {days}."
        else:
            share = percent(abs(now - before), before)
            changed = f"Enrollment {verb} {share} from {number(before)} to {number(now)} {days}."
    joined, left = (sum(flow[i] for day, flow in flows.items() if start <= day <= last) for i in (0, 1))
    if not joined and not left:
        return changed, ""
    came = f"{many(joined, 'learner', 'learners')} joined" if joined else "Nobody joined"
    return changed, f"{came}, {number(left) if left else 'nobody'} left."


def activity(
    active: Mapping[date, int], enrolled: Mapping[date, int], shown: list[date], *, known: bool = True
) -> str:
    """The answer of Engagement Content; both by day, activity by the Sunday that ends its week."""
    sunday = shown[-1]
    days, count, base = WORDS.days(sunday - 6 * DAY, sunday), active.get(sunday, 0), on(enrolled, sunday)
    if not count:
        parts = [f"Nobody was active in the week of {days}."]
    else:
        first = f"{many(count, 'learner was', 'learners were')} active in the week of {days}"
        if not known:
            parts = [f"{first}."]
        elif base >= count:
            share = percent(count, base)
            parts = [f"{first}, {share} of the {many(base, 'learner', 'learners')} enrolled at its end."]
        else:
            missing = count - base
            was = "was" if missing == 1 else "were"
            parts = [f"{first}; at least {number(missing)} of them {was} not enrolled at its end."]
    if sunday > min(active):
        change = count - active.get(sunday - 7 * DAY, 0)
        if change:
            more = "more" if change > 0 else "fewer"
            parts.append(f"That is {number(abs(change))} {more} than the week before.")
        else:
            parts.append("That is as many as the week before.")
    if not count:
        last = max((s for s, n in active.items() if n and s < sunday), default=None)
        if last is not None:
            whole = WORDS.days(last - 6 * DAY, last)
            learners = many(active[last], "learner", "learners")
            parts.append(f"The last week with activity was {whole}, with {learners}.")
    values = [active.get(s, 0) for s in shown]
    if len(shown) > 1 and min(values) != max(values):
        parts.append(
            f"In the {number(len(shown))} weeks shown it was between {number(min(values))} and "
            f"{number(max(values))} a week."
        )
    return " ".join(parts)


# --- Who they are: learners of the last day by answer, None without one

NAMES = {"FR": "France", "DE": "Germany", "GR": "Greece", "IN": "India", "TV": "Tuvalu"}
Counts = Mapping[Any, int]


def unsaid(counts: Counts) -> str:
    everybody = sum(counts.values())
    return f"There {'is' if everybody == 1 else 'are'} {many(everybody, 'learner', 'learners')}."


def ages(by_year: Counts, last: date) -> str:
    """One line of ages, the youngest first; half of the learners stand before its middle."""
    line = sorted(last.year - year for year, n in by_year.items() if year is not None for _ in range(n))
    if not line:
        return f"Nobody has said. {unsaid(by_year)}"
    middle = (line[(len(line) - 1) // 2] + line[len(line) // 2]) / 2
    told = f"{middle:.0f}" if middle == int(middle) else f"{middle:.1f}"
    share = percent(len(line), sum(by_year.values()))
    return f"Half of your learners are {told} or younger; {share} gave a year of birth."


def levels(by_level: Counts) -> str:
    names = {"masters": "Master’s degree"}
    told = {level: n for level, n in by_level.items() if level is not None and n}
    if not told:
        return f"Nobody has said. {unsaid(by_level)}"
    top = max(told, key=lambda level: told[level])
    share = percent(told[top], sum(told.values()))
    return f"The most frequent level is {names[top]}, with {share} of those who gave one."


def genders(by_gender: Counts, day: str) -> str:
    told = [by_gender.get(gender, 0) for gender in "fmo"]
    if not sum(told):
        return f"Nobody has said. {unsaid(by_gender)}"
    female, male, other = (percent(n, sum(told)) for n in told)
    return (
        f"Of those who said and were enrolled on {day}, {female} are female, {male} male and {other} other."
    )


def countries(by_code: Counts) -> str:
    told = sorted(((n, NAMES[code]) for code, n in by_code.items() if code is not None and n), reverse=True)
    if not told:
        return f"No country is known yet. {unsaid(by_code)}"
    first = [name for _, name in told[:3]]
    share = percent(sum(n for n, _ in told[:3]), sum(by_code.values()))
    come = f"Learners come from {many(len(told), 'country or region', 'countries or regions')}."
    if len(first) == 1:
        return f"{come} {first[0]} has {share} of them."
    return f"{come} {', '.join(first[:-1])} and {first[-1]} together have {share} of them."
