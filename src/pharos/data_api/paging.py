"""Pages of a list: numbers, links and the object around the results (spec 05 §8.1, §10.2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from starlette.datastructures import URL

from pharos.data_api.errors import NoData

DEFAULT_SIZE = 25
MAX_SIZE = 100


@dataclass(frozen=True)
class Page:
    """A requested page. `number` is the text of the request: its validity depends on the count."""

    number: str
    size: int
    url: URL

    def cut(self, count: int, rows: Callable[[int, int], Sequence[Any]]) -> dict[str, Any]:
        """The page object; calls `rows(offset, limit)` for its results. Raises NoData if the page does not
        exist.
        """
        pages = max(1, math.ceil(count / self.size))
        number = self._number(pages)
        return {
            "count": count,
            "num_pages": pages,
            "next": self._link(number + 1) if number < pages else None,
            "previous": self._link(number - 1) if number > 1 else None,
            "results": list(rows((number - 1) * self.size, self.size)),
        }

    def _number(self, pages: int) -> int:
        if self.number == "last":
            return pages
        number = int(self.number) if self.number.isascii() and self.number.isdigit() else 0
        if not 1 <= number <= pages:
            raise NoData("Invalid page.")
        return number

    def _link(self, number: int) -> str:
        if number == 1:
            return str(self.url.remove_query_params("page"))
        return str(self.url.include_query_params(page=number))


def size_of(text: str | None, default: int = DEFAULT_SIZE, largest: int = MAX_SIZE) -> int:
    """The page size: at most `largest`; the default if the text is not a positive number."""
    if text and text.isascii() and text.isdigit() and int(text) > 0:
        return min(int(text), largest)
    return default


def public_url(request: Request) -> URL:
    """The address of the request as the client sees it: below `data_api.public_url`, if that is set."""
    public: str | None = request.app.state.settings.public_url
    if public is None:
        return request.url
    return URL(f"{public.rstrip('/')}{request.url.path}").replace(query=request.url.query)


async def _page(
    request: Request,
    page: Annotated[str, Query(description="Number of the page, from 1, or `last`.")] = "1",
    page_size: Annotated[
        str | None, Query(description=f"Items on a page: {DEFAULT_SIZE}, at most {MAX_SIZE}.")
    ] = None,
) -> Page:
    return Page(page, size_of(page_size), public_url(request))


PageAsked = Annotated[Page, Depends(_page)]
