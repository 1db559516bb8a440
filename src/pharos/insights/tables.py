"""Data tables: columns over rows, sorted and paged on the server by the URL (`?sort=-count&page=2`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import Request

from pharos.insights.rendering import Link, with_query

R = TypeVar("R")
SORT, PAGE = "sort", "page"
AROUND = 2


@dataclass(frozen=True)
class Column(Generic[R]):
    """One column: the sort value and the text shown."""

    key: str
    label: str
    value: Callable[[R], Any]
    show: Callable[[R], Any]
    numeric: bool = True
    optional: bool = False
    """May be left out on a phone, because the fact is elsewhere too."""
    quiet: bool = False
    tight: bool = False
    """Never broken into lines, for dates."""
    drawn: bool = False
    """A drawing that a script fills in: no order, and not there without scripts."""
    help: str = ""
    """What the column holds, in a sentence."""
    unsorted: bool = False
    """Rows cannot be put in its order."""
    rising: bool = False
    """Sorted from the smallest up at the first click, as where losses are negative numbers."""


@dataclass(frozen=True)
class Head:
    """A rendered column head."""

    label: str
    numeric: bool
    optional: bool
    drawn: bool
    help: str
    href: str
    sorted: str | None
    """`ascending` or `descending` when the rows are in its order."""


@dataclass(frozen=True)
class Cell:
    """A rendered cell."""

    text: Any
    numeric: bool
    optional: bool
    quiet: bool
    tight: bool
    drawn: bool


@dataclass(frozen=True)
class Table:
    """The rendered page of a table."""

    caption: str
    heads: list[Head]
    rows: list[list[Cell]]
    footer: list[Any] | None
    first: int
    last: int
    total: int
    pages: list[Link | None]
    """None stands for pages left out."""
    previous: str | None
    next: str | None


def table(
    request: Request,
    caption: str,
    columns: Sequence[Column[R]],
    rows: Sequence[R],
    *,
    sort: str,
    page_size: int,
    number: Callable[[int], str],
    footer: list[Any] | None = None,
) -> Table:
    """The page of the rows that the URL requests; `sort` is the default order, `-key` descending."""
    wish = request.query_params.get(SORT, sort)
    key, descending = wish.removeprefix("-"), wish.startswith("-")
    column = next((c for c in columns if c.key == key and not c.drawn), None)
    if column is None:
        key, descending = sort.removeprefix("-"), sort.startswith("-")
        column = next(c for c in columns if c.key == key)
    ordered = _ordered(rows, column.value, descending=descending)
    last_page = max(1, -(-len(ordered) // page_size))
    page = min(max(1, _whole(request.query_params.get(PAGE))), last_page)
    start = (page - 1) * page_size
    shown = ordered[start : start + page_size]
    cut = Cut(key, descending, page, page_size, len(ordered))
    return page_of(request, caption, columns, shown, cut, number=number, footer=footer)


@dataclass(frozen=True)
class Cut:
    """The order of rows, and the page to show."""

    key: str
    """Of the column they are sorted by."""
    descending: bool
    page: int
    page_size: int
    total: int


def page_of(
    request: Request,
    caption: str,
    columns: Sequence[Column[R]],
    shown: Sequence[R],
    cut: Cut,
    *,
    number: Callable[[int], str],
    footer: list[Any] | None = None,
) -> Table:
    """A table of rows that are already sorted and paged."""
    last_page, start = max(1, -(-cut.total // cut.page_size)), (cut.page - 1) * cut.page_size

    def to(n: int) -> str:
        return with_query(request, page=str(n) if n > 1 else None)

    return Table(
        caption,
        [_head(request, c, cut.key, descending=cut.descending) for c in columns],
        [[_cell(column, row) for column in columns] for row in shown],
        footer,
        start + 1,
        start + len(shown),
        cut.total,
        [
            Link(to(n), number(n), n == cut.page) if n is not None else None
            for n in _page_numbers(cut.page, last_page)
        ],
        to(cut.page - 1) if cut.page > 1 else None,
        to(cut.page + 1) if cut.page < last_page else None,
    )


def fixed(caption: str, columns: Sequence[Column[R]], rows: Sequence[R]) -> Table:
    """All rows in their order, for the second table of a page: the URL sorts the first one."""
    heads = [Head(c.label, c.numeric, c.optional, c.drawn, c.help, "", None) for c in columns]
    cells = [[_cell(column, row) for column in columns] for row in rows]
    return Table(caption, heads, cells, None, 1, len(rows), len(rows), [], None, None)


def _ordered(rows: Sequence[R], value: Callable[[R], Any], *, descending: bool) -> list[R]:
    """The rows in order; missing values are last in either direction, and equal rows keep their order."""
    keyed = [(value(row), row) for row in rows]
    known = [item for item in keyed if item[0] is not None]
    known.sort(key=lambda item: item[0], reverse=descending)
    return [row for _, row in known] + [row for key, row in keyed if key is None]


def _cell(column: Column[R], row: R) -> Cell:
    return Cell(column.show(row), column.numeric, column.optional, column.quiet, column.tight, column.drawn)


def _head(request: Request, column: Column[R], key: str, *, descending: bool) -> Head:
    current = column.key == key
    first_click_descends = column.numeric and not column.rising
    falls = not descending if current else first_click_descends
    href = (
        ""
        if column.unsorted
        else with_query(request, sort=f"-{column.key}" if falls else column.key, page=None)
    )
    order = ("descending" if descending else "ascending") if current else None
    return Head(column.label, column.numeric, column.optional, column.drawn, column.help, href, order)


def _page_numbers(page: int, last: int) -> list[int | None]:
    """The first, last and neighbouring page numbers; None marks a gap."""
    wanted = [n for n in range(1, last + 1) if n in (1, last) or abs(n - page) <= AROUND]
    numbers: list[int | None] = []
    for n in wanted:
        if numbers and numbers[-1] is not None and n - numbers[-1] > 1:
            numbers.append(None)
        numbers.append(n)
    return numbers


def _whole(text: str | None) -> int:
    try:
        return int(text or 1)
    except ValueError:
        return 1
