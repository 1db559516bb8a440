"""The rules of spec 01 §5.2-5.4, 5.6 and 6.3 written down once more, as slowly and literally as possible.

A row per learner, course and day, and everything counted from these rows: what the metrics must agree with.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Enrollment:
    """An enrollment event; `kind` is the last word of its type."""

    course: str
    user: int
    time: datetime
    kind: str
    mode: str

    def fact(self) -> dict[str, object]:
        """The row of `enrollment_event`."""
        return {
            "date": self.time.date(),
            "course_id": self.course,
            "user_id": self.user,
            "time": self.time,
            "event_type": f"edx.course.enrollment.{self.kind}",
            "mode": self.mode,
        }


@dataclass(frozen=True)
class DayRow:
    """A learner in a course at the end of a day. `spec 01 §5.2`"""

    day: date
    course: str
    user: int
    at_end: int
    change: int
    mode: str


@dataclass(frozen=True)
class Activity:
    """A learner's kind of activity on a day."""

    course: str
    user: int
    day: date
    label: str

    def fact(self) -> dict[str, object]:
        """Row of the fact `interaction`."""
        entity_type, action, source = {
            "ACTIVE": ("", "active", ""),
            "ATTEMPTED_PROBLEM": ("problem", "attempted", "server"),
            "PLAYED_VIDEO": ("video", "viewed", "browser"),
            "POSTED_FORUM": ("discussion", "contributed", "server"),
        }[self.label]
        return {
            "date": self.day, "course_id": self.course, "user_id": self.user, "username": None,
            "entity_type": entity_type, "entity_id": "", "action": action, "event_source": source, "count": 1,
        }  # fmt: skip


def day_rows(events: Iterable[Enrollment], last_day: date) -> list[DayRow]:
    """§5.2: the state machine."""
    groups: dict[tuple[str, int], list[Enrollment]] = defaultdict(list)
    for event in events:
        groups[event.course, event.user].append(event)
    rows = []
    for (course, user), group in groups.items():
        group.sort(key=lambda event: (event.time.isoformat(timespec="microseconds"), event.kind, event.mode))
        next_days = [event.time.date() for event in group[1:]] + [last_day + ONE_DAY]
        enrolled = previous = 0
        for event, next_day in zip(group, next_days, strict=True):
            day = event.time.date()
            if enrolled and event.kind == "deactivated":
                enrolled = 0
            elif not enrolled and event.kind == "activated":
                enrolled = 1
            if next_day != day:
                change = enrolled - previous
                while day < next_day:
                    rows.append(DayRow(day, course, user, enrolled, change, event.mode))
                    day, change = day + ONE_DAY, 0
                previous = enrolled
    return rows


def mode_daily(rows: Iterable[DayRow]) -> dict[tuple[str, date, str], tuple[int, int]]:
    """§5.3: (course, day, mode) -> (count, cumulative count)."""
    count: Counter[tuple[str, date, str]] = Counter()
    cumulative: Counter[tuple[str, date, str]] = Counter()
    for row in rows:
        count[row.course, row.day, row.mode] += row.at_end
        cumulative[row.course, row.day, row.mode] += 1
    return {key: (count[key], cumulative[key]) for key in cumulative}


def daily(rows: Iterable[DayRow]) -> dict[tuple[str, date], tuple[int, int]]:
    """§5.3: (course, day) -> (count, cumulative count)."""
    count: Counter[tuple[str, date]] = Counter()
    cumulative: Counter[tuple[str, date]] = Counter()
    for row in rows:
        count[row.course, row.day] += row.at_end
        cumulative[row.course, row.day] += 1
    return {key: (count[key], cumulative[key]) for key in cumulative}


def flows(rows: Iterable[DayRow]) -> dict[tuple[str, date], tuple[int, int]]:
    """(course, day) -> (joined, left), without days on which nobody did."""
    joined = Counter((row.course, row.day) for row in rows if row.change == 1)
    left = Counter((row.course, row.day) for row in rows if row.change == -1)
    return {key: (joined[key], left[key]) for key in joined.keys() | left.keys()}


def effective(events: Iterable[Enrollment]) -> dict[tuple[str, int], list[tuple[Enrollment, int, str]]]:
    """§5.4's table: (course, user) -> (event, enrolled and mode after it), ignored events left out."""
    groups: dict[tuple[str, int], list[Enrollment]] = defaultdict(list)
    for event in events:
        groups[event.course, event.user].append(event)
    found: dict[tuple[str, int], list[tuple[Enrollment, int, str]]] = {}
    for key, group in groups.items():
        enrolled, mode = 0, ""
        for event in sorted(group, key=lambda event: (event.time, event.kind, event.mode)):
            if event.kind == "activated" and not enrolled:
                enrolled, mode = 1, event.mode
            elif event.kind == "deactivated" and enrolled:
                enrolled = 0
            elif event.kind == "mode_changed" and enrolled:
                mode = event.mode
            else:
                continue
            found.setdefault(key, []).append((event, enrolled, mode))
    return found


def learners(events: Iterable[Enrollment], last_day: date) -> dict[tuple[str, int], tuple[object, ...]]:
    """§5.4: (course, user) -> the other columns of the summary."""
    end = datetime.combine(last_day + ONE_DAY, datetime.min.time())
    found: dict[tuple[str, int], tuple[object, ...]] = {}
    for key, history in effective(events).items():
        first, (_, enrolled, mode) = history[0], history[-1]
        ended = [event.time for event, is_enrolled, _ in history if not is_enrolled]
        in_mode = {
            name: [event.time for event, is_enrolled, mode in history if is_enrolled and mode == name]
            for name in ("verified", "credit")
        }
        found[key] = (
            mode, bool(enrolled), first[2], first[0].time, max(ended, default=None),
            min(in_mode["verified"], default=None), min(in_mode["credit"], default=None), end,
        )  # fmt: skip
    return found


def effective_daily(
    events: Iterable[Enrollment], last_day: date
) -> dict[tuple[str, date, str], tuple[int, int]]:
    """(course, day, mode) -> (enrolled in the mode at the end of the day, ever enrolled in it)."""
    count: Counter[tuple[str, date, str]] = Counter()
    ever: Counter[tuple[str, date, str]] = Counter()
    for (course, _), history in effective(events).items():
        day = history[0][0].time.date()
        while day <= last_day:
            so_far = [(enrolled, mode) for event, enrolled, mode in history if event.time.date() <= day]
            for mode in {mode for enrolled, mode in so_far if enrolled}:
                ever[course, day, mode] += 1
            if so_far[-1][0]:
                count[course, day, so_far[-1][1]] += 1
            day += ONE_DAY
    return {key: (count[key], ever[key]) for key in ever}


def summary(rows: Iterable[DayRow], last_day: date) -> dict[tuple[str, str], tuple[int, int, int]]:
    """§5.6: (course, mode) -> (count, change over seven days, cumulative count)."""
    modes = mode_daily(rows)
    return {
        (course, mode): (count, count - modes.get((course, day - 7 * ONE_DAY, mode), (0, 0))[0], cumulative)
        for (course, day, mode), (count, cumulative) in modes.items()
        if day == last_day
    }


def weekly(rows: Iterable[Activity], until: datetime) -> dict[tuple[str, date, str], int]:
    """§6.3: (course, Monday, kind) -> distinct learners, of the ISO weeks that are over at `until`."""
    learners: dict[tuple[str, date, str], set[int]] = defaultdict(set)
    for row in rows:
        monday = row.day - timedelta(days=row.day.isoweekday() - 1)
        if datetime.combine(monday, datetime.min.time()) + timedelta(days=7) <= until:
            learners[row.course, monday, row.label].add(row.user)
    return {key: len(users) for key, users in learners.items()}
