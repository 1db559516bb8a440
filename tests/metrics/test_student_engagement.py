"""What learners did by day, by week and in all. `spec 03 §3, 5.105-114`"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.metrics.conftest import Compute, Rows, columns

DAILY, WEEKLY, ALL = (f"student_engagement_{period}" for period in ("daily", "weekly", "all"))
UNTIL = datetime(2015, 9, 16)
DAY = date(2015, 9, 3)
NUMBERS = (
    "days_active", "problems_attempted", "problem_attempts", "problems_correct", "videos_played",
    "forum_posts", "forum_responses", "forum_comments", "forum_upvotes_given", "forum_downvotes_given",
    "forum_upvotes_received", "forum_downvotes_received", "textbook_pages_viewed",
)  # fmt: skip
Item = dict[str, Any]


def item(
    name: str, kind: str, entity: str = "", *, on: date = DAY, count: int = 1, user: int | None = None,
    minute: int = 0, course: str = "C",
) -> Item:  # fmt: skip
    """A row of the fact."""
    return {
        "date": on, "course_id": course, "user_id": user, "username": name, "kind": kind, "entity_id": entity,
        "last_time": datetime.combine(on, datetime.min.time()) + timedelta(minutes=minute), "count": count,
    }  # fmt: skip


def of(compute: Compute, table: str, items: Iterable[Item], *names: str, until: datetime = UNTIL) -> Rows:
    return columns(compute(table, until, activity_item=list(items)), table, "username", "end_date", *names)


@pytest.mark.parametrize("table", ["daily", "weekly", "all"])
def test_the_tables_are_empty_unless_they_are_wanted(compute: Compute, table: str) -> None:
    """`reports.student_engagement`"""
    told = {"activity_item": [item("ana", "thread")], "student_reports": False, "student_reports_until": None}
    assert compute(f"student_engagement_{table}", UNTIL, **told) == []


def test_the_forum_example(compute: Compute) -> None:
    """§3.4, by day and by week"""
    items = [
        item("s", "thread", count=2), item("h", "thread"), item("u", "thread"),
        item("h", "response"), item("v", "comment"),
        # h votes for s and takes it back; s votes for h; u votes for s twice and for h once; v votes for u.
        item("h", "up given", count=0), item("s", "up given"), item("u", "up given", count=3),
        item("v", "up given"), item("s", "up received", count=2), item("h", "up received", count=2),
        item("u", "up received"),
    ]  # fmt: skip
    names = (
        "forum_posts",
        "forum_responses",
        "forum_comments",
        "forum_upvotes_given",
        "forum_upvotes_received",
    )
    expected = {"u": (1, 0, 0, 3, 1), "h": (1, 1, 0, 0, 2), "s": (2, 0, 0, 1, 2), "v": (0, 0, 1, 1, 0)}
    for table, end in ((DAILY, DAY), (WEEKLY, date(2015, 9, 8)), (ALL, date(2015, 9, 15))):
        assert {row[0]: row[2:] for row in of(compute, table, items, *names)} == expected
        assert {row[1] for row in of(compute, table, items)} == {end}


def test_weeks_end_on_the_weekday_of_the_last_day(compute: Compute) -> None:
    """§3.1: E is a Wednesday."""
    ends = {
        date(2014, 1, 1): date(2014, 1, 1), date(2013, 12, 27): date(2014, 1, 1),
        date(2013, 12, 25): date(2013, 12, 25), date(2013, 12, 23): date(2013, 12, 25),
    }  # fmt: skip
    items = [item(str(on), "other", on=on) for on in ends]
    found = of(compute, WEEKLY, items, until=datetime(2014, 1, 2))
    assert {date.fromisoformat(name): end for name, end in found} == ends


def test_problems_videos_and_subsections(compute: Compute) -> None:
    """§5.106-108: right once is right; the latest path of whatever order."""
    items = [
        item("a", "attempted", "p", count=2), item("a", "correct", "p"),
        item("a", "correct", "q", on=date(2015, 9, 1)), item("a", "attempted", "q"),
        item("a", "played", "v", count=3), item("a", "page", count=2),
        item("a", "subsection", "/z/", minute=3), item("a", "subsection", "/b/", minute=5),
        item("a", "subsection", "/c/", minute=4), item("b", "other", user=9),
    ]  # fmt: skip
    names = NUMBERS[:5] + NUMBERS[-1:] + ("last_subsection_viewed",)
    assert of(compute, DAILY, items, *names) == [
        ("a", date(2015, 9, 1), 1, 1, 1, 1, 0, 0, ""),
        ("a", DAY, 1, 2, 4, 1, 1, 2, "/b/"),
        ("b", DAY, 1, 0, 0, 0, 0, 0, ""),
    ]
    assert of(compute, ALL, items, *names)[0] == ("a", date(2015, 9, 15), 2, 2, 5, 2, 1, 2, "/b/")
    renamed = compute(
        ALL, UNTIL, activity_item=items, auth_user=[{"id": 9, "username": "bea"}], interaction=[]
    )
    assert columns(renamed, ALL, "username") == [("a",), ("bea",)]


def reduced(items: Iterable[Item], ends: dict[date, date]) -> dict[tuple[str, str, date], tuple[Any, ...]]:
    """§3.2 once more: (course, user name, last day of the time) -> the columns."""
    groups: dict[tuple[str, str, date], list[Item]] = defaultdict(list)
    for row in items:
        groups[row["course_id"], row["username"], ends[row["date"]]].append(row)
    found = {}
    for key, rows in groups.items():

        def of_kind(*kinds: str, rows: list[Item] = rows) -> list[Item]:
            return [row for row in rows if row["kind"] in kinds]

        def total(*kinds: str, rows: list[Item] = rows) -> int:
            return sum(row["count"] for row in rows if row["kind"] in kinds)

        last = max(of_kind("subsection"), key=lambda row: (row["last_time"], row["entity_id"]), default=None)
        found[key] = (
            len({row["date"] for row in rows}),
            len({row["entity_id"] for row in of_kind("attempted", "correct")}),
            total("attempted", "correct"),
            len({row["entity_id"] for row in of_kind("correct")}),
            len({row["entity_id"] for row in of_kind("played")}),
            *(total(kind) for kind in ("thread", "response", "comment", "up given", "down given",
                                       "up received", "down received", "page")),
            last["entity_id"] if last else "",
        )  # fmt: skip
    return found


@pytest.mark.parametrize("table", [DAILY, WEEKLY, ALL])
def test_equals_the_second_implementation(compute: Compute, table: str) -> None:
    rng = random.Random(5)
    kinds = [
        "other",
        "thread",
        "response",
        "comment",
        "up given",
        "down given",
        "up received",
        "down received",
        "page",
    ]
    found: dict[tuple[Any, ...], Item] = {}
    for _ in range(500):
        kind, entity = rng.choice(
            [(rng.choice(kinds), ""), ("attempted", "p"), ("correct", rng.choice("pq")),
             ("played", rng.choice("vw")), ("subsection", rng.choice(["/a/", "/b/"]))]
        )  # fmt: skip
        row = item(
            rng.choice("abc"), kind, entity, on=date(2015, 8, 25) + timedelta(days=rng.randrange(22)),
            count=rng.choice([1, 2, -1]), minute=rng.randrange(9), course=rng.choice("CD"),
        )  # fmt: skip
        found[tuple(row[name] for name in ("date", "course_id", "username", "kind", "entity_id"))] = row
    last = date(2015, 9, 15)
    days = [date(2015, 8, 25) + timedelta(days=number) for number in range(22)]
    ends = {
        DAILY: {day: day for day in days},
        WEEKLY: {day: day + timedelta(days=(last - day).days % 7) for day in days},
        ALL: dict.fromkeys(days, last),
    }[table]
    rows = compute(table, UNTIL, activity_item=list(found.values()))
    told = columns(rows, table, "course_id", "username", "end_date", *NUMBERS, "last_subsection_viewed")
    assert {row[:3]: row[3:] for row in told} == reduced(found.values(), ends)
