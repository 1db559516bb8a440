"""Tables of the pages: order, pages, and the links to both."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from fastapi import Request

from pharos.insights.tables import Column, Table, table


@dataclass(frozen=True)
class Place:
    name: str
    learners: int | None


PLACES = [Place("b", 2), Place("none", None), Place("a", 5), Place("c", 2), Place("neither", None)]
COLUMNS: list[Column[Place]] = [
    Column("name", "Name", lambda row: row.name, lambda row: row.name, numeric=False),
    Column("count", "Learners", lambda row: row.learners, lambda row: row.learners or "-"),
    Column("loss", "Loss", lambda row: row.learners, lambda row: row.learners, rising=True),
    Column("shape", "Shape", lambda row: row.name, lambda _: "", drawn=True),
]


def shown(query: str = "", rows: list[Place] = PLACES, page_size: int = 10) -> Table:
    request = Request(
        {"type": "http", "path": "/p/", "query_string": query.encode(), "headers": [], "server": ("x", 80)}
    )
    return table(request, "Places", COLUMNS, rows, sort="-count", page_size=page_size, number=str)


def names(table: Table) -> list[str]:
    return [row[0].text for row in table.rows]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a", "b", "c", "none", "neither"]),
        ("sort=count", ["b", "c", "a", "none", "neither"]),
        ("sort=-count", ["a", "b", "c", "none", "neither"]),
        ("sort=name", ["a", "b", "c", "neither", "none"]),
        ("sort=-name", ["none", "neither", "c", "b", "a"]),
        ("sort=nonsense", ["a", "b", "c", "none", "neither"]),
        ("sort=shape", ["a", "b", "c", "none", "neither"]),  # a drawing has no order
    ],
)
def test_missing_values_come_last_in_both_directions(query: str, expected: list[str]) -> None:
    assert names(shown(query)) == expected


@pytest.mark.parametrize(
    ("query", "first", "last", "expected"),
    [
        ("", 1, 2, ["a", "b"]),
        ("page=2", 3, 4, ["c", "none"]),
        ("page=3", 5, 5, ["neither"]),
        ("page=4", 5, 5, ["neither"]),
        ("page=0", 1, 2, ["a", "b"]),
        ("page=-7", 1, 2, ["a", "b"]),
        ("page=x", 1, 2, ["a", "b"]),
    ],
)
def test_pages(query: str, first: int, last: int, expected: list[str]) -> None:
    found = shown(query, page_size=2)
    assert (names(found), found.first, found.last, found.total) == (expected, first, last, 5)


def test_an_empty_table_has_one_page() -> None:
    found = shown(rows=[])
    assert (found.rows, found.first, found.last, found.total) == ([], 1, 0, 0)
    assert (found.previous, found.next) == (None, None)


@pytest.mark.parametrize(
    ("page", "numbers", "previous", "next_"),
    [
        (1, "1 2 3 - 20", None, "?page=2"),
        (2, "1 2 3 4 - 20", "", "?page=3"),
        (4, "1 2 3 4 5 6 - 20", "?page=3", "?page=5"),
        (5, "1 - 3 4 5 6 7 - 20", "?page=4", "?page=6"),
        (19, "1 - 17 18 19 20", "?page=18", "?page=20"),
        (20, "1 - 18 19 20", "?page=19", None),
    ],
)
def test_links_to_pages(page: int, numbers: str, previous: str | None, next_: str | None) -> None:
    found = shown(f"page={page}", [Place(str(n), n) for n in range(20)], page_size=1)
    assert " ".join("-" if link is None else link.label for link in found.pages) == numbers
    assert [link.label for link in found.pages if link and link.current] == [str(page)]
    assert [found.previous, found.next] == [
        None if href is None else href or "/p/" for href in (previous, next_)
    ]


def test_heads_say_and_turn_the_order() -> None:
    """The first click on numbers shows the largest, on losses and names the first."""
    name, count, loss, _ = shown("sort=-count&page=2").heads
    assert (name.sorted, count.sorted, loss.sorted) == (None, "descending", None)
    assert (name.href, count.href, loss.href) == ("?sort=name", "?sort=count", "?sort=loss")
    name, count, _, _ = shown("sort=name").heads
    assert (name.sorted, count.sorted) == ("ascending", None)
    assert (name.href, count.href) == ("?sort=-name", "?sort=-count")
