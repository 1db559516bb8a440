"""The rules of engagement written down once more, row by row, in plain Python. `spec 03 §2.2-2.6`"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import inf

Key = tuple[str, str, date, str, str, str]


@dataclass(frozen=True)
class Act:
    """What a learner did with something on a day; `user` None: the events do not tell the number."""

    user: int | None
    name: str | None
    day: date
    what: str  # `problem attempted p1`
    count: int = 1
    course: str = "C"
    source: str = "server"

    def fact(self) -> dict[str, object]:
        """The row of `interaction`."""
        entity_type, action, entity_id = self.parts
        return {
            "date": self.day, "course_id": self.course, "user_id": self.user, "username": self.name,
            "entity_type": entity_type, "entity_id": entity_id, "action": action, "event_source": self.source,
            "count": self.count,
        }  # fmt: skip

    @property
    def parts(self) -> tuple[str, str, str]:
        """Entity type, action and entity id."""
        entity_type, action, *entity_id = self.what.split(" ", 2)
        return entity_type, action, "".join(entity_id)


def names(acts: Iterable[Act], accounts: dict[int, str]) -> dict[tuple[str, int | None, str], str | None]:
    """(course, number, name in events) -> the name shown; None: nobody's."""
    acts = [act for act in acts if act.name]
    found: dict[tuple[str, int | None, str], str | None] = {}
    for act in acts:
        assert act.name
        user = act.user
        if user is None:
            same = [one.user for one in acts if (one.course, one.name) == (act.course, act.name)]
            user = min((number for number in same if number is not None), default=None)
        if user is not None:
            known = [
                (one.day, one.name)
                for one in acts
                if (one.course, one.user) == (act.course, user) and one.name
            ]
            found[act.course, act.user, act.name] = accounts.get(user) or max(known)[1]
        else:
            found[act.course, act.user, act.name] = act.name if len(act.name) <= 30 else None
    return found


def engagement(acts: Iterable[Act], accounts: dict[int, str] | None = None) -> dict[Key, int]:
    """The rows of `module_engagement`: all but the count -> the count."""
    acts = list(acts)
    shown = names(acts, accounts or {})
    counts: Counter[Key] = Counter()
    for act in acts:
        entity_type, action, entity_id = act.parts
        name = shown.get((act.course, act.user, act.name or ""))
        if name and entity_type and entity_id:
            counts[act.course, name, act.day, entity_type, entity_id, action] += act.count
    return dict(counts)


METRICS = (
    "problem_attempts", "problems_attempted", "problems_completed", "problem_attempts_per_completed",
    "videos_viewed", "discussion_contributions",
)  # fmt: skip
Summary = dict[tuple[str, str], dict[str, float]]  # infinity as such
Bounds = tuple[float, float]


def summary(rows: dict[Key, int], end: date) -> Summary:
    """§2.4: of the seven days before `end`, by course and learner; with days_active."""
    found: Summary = {}
    week = {key: count for key, count in rows.items() if end - timedelta(days=7) <= key[2] < end}
    for course, name in {key[:2] for key in week}:
        mine = {key[2:]: count for key, count in week.items() if key[:2] == (course, name)}
        attempts = {key: count for key, count in mine.items() if key[3] == "attempted"}
        completed = {key[2] for key in mine if key[3] == "completed"}
        tries = sum(attempts.values())
        found[course, name] = {
            "problem_attempts": tries,
            "problems_attempted": len({key[2] for key in attempts}),
            "problems_completed": len(completed),
            "problem_attempts_per_completed": tries / len(completed) if completed else inf,
            "videos_viewed": len({key[2] for key in mine if key[3] == "viewed"}),
            "discussion_contributions": sum(n for key, n in mine.items() if key[1] == "discussion"),
            "days_active": len({key[0] for key in mine}),
        }
    return found


def percentile(values: list[float], percent: int) -> float:
    """M-PCT, without its artefact."""
    place = Fraction((len(values) - 1) * percent, 100)
    k = int(place)
    if place == k:
        return values[k]
    following = values[min(k + 1, len(values) - 1)]
    return inf if inf in (values[k], following) else values[k] + float(place - k) * (following - values[k])


def ranges(values: list[float]) -> dict[str, Bounds]:
    """§2.5: of the values that take part."""
    if not values:
        return {"normal": (0, inf)}
    low, high = (percentile(sorted(values), percent) for percent in (15, 85))
    found = {"low": (0.0, low)} if low > 0 else {}
    if low == high:
        return found | {"normal": (low, inf)}
    return found | {"normal": (low, high), "high": (high, inf)}


def ranges_of(rows: Summary) -> dict[tuple[str, str], dict[str, Bounds]]:
    """(course, metric) -> its ranges."""
    found = {}
    for course in {course for course, _ in rows}:
        learners = [row for (at, _), row in rows.items() if at == course]
        for metric in METRICS:
            is_ratio = metric == "problem_attempts_per_completed"
            found[course, metric] = ranges(
                [row[metric] for row in learners if row["problem_attempts"] or not is_ratio]
            )
    return found


def segments(rows: Summary) -> dict[tuple[str, str, str], set[str]]:
    """§2.6, Better: (course, learner, segment) -> the metrics that are the reason."""
    found: dict[tuple[str, str, str], set[str]] = {}
    bounds = ranges_of(rows)
    for (course, name), row in rows.items():
        for metric in METRICS[1:]:
            is_ratio = metric == "problem_attempts_per_completed"
            high = bounds[course, metric].get("high")
            if high and row[metric] >= high[0] and (row["problem_attempts"] or not is_ratio):
                segment = "struggling" if is_ratio else "highly_engaged"
                found.setdefault((course, name, segment), set()).add(metric)
    return found
