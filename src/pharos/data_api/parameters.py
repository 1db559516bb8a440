"""Parameters of requests, read once and typed: time ranges and lists."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.exceptions import HTTPException

from pharos.data_api.errors import BadBody, IllegalParameter, NoData, UnsupportedMediaType
from pharos.data_api.times import read_moment

BODIES = ("application/json", "application/x-www-form-urlencoded")  # forms of a POST, as documented
MAX_FORM_FIELDS = 1_000_000
TWO_MONTHS = timedelta(days=62)


@dataclass(frozen=True)
class Between:
    """A half-open range of moments, UTC; either end may be open."""

    start: datetime | None
    end: datetime | None

    @property
    def is_open(self) -> bool:
        return self.start is None and self.end is None

    @property
    def is_long(self) -> bool:
        """True if the range may be longer than two months."""
        if self.is_open:
            return False  # the newest only
        return self.start is None or self.end is None or self.end - self.start > TWO_MONTHS

    @property
    def first_day(self) -> date | None:
        return None if self.start is None else self.start.date()

    @property
    def end_day(self) -> date | None:
        return None if self.end is None else self.end.date()


Moment = Annotated[
    str | None,
    Query(
        description="`YYYY-MM-DD`, `YYYY-MM-DDTHHMMSS` or ISO 8601; UTC. Empty: no limit.",
        examples=["2031-03-01"],
    ),
]


async def _between(start_date: Moment = None, end_date: Moment = None) -> Between:
    return Between(read_moment("start_date", start_date), read_moment("end_date", end_date))


Range = Annotated[Between, Depends(_between)]


def check_characters(request: Request) -> None:
    """Raises NoData if address or query contain NUL: no data contain it, and PostgreSQL refuses it."""
    values = [value for _, value in request.query_params.multi_items()]
    if any("\x00" in text for text in (request.scope["path"], *values)):
        raise NoData


def names_in(text: str) -> tuple[str, ...]:
    """The names in a list separated by commas."""
    return tuple(filter(None, text.split(",")))


def check_choices(parameter: str, chosen: Iterable[str], allowed: Collection[str]) -> None:
    """Raises IllegalParameter for the first value that is not allowed."""
    for value in chosen:
        if value not in allowed:
            raise IllegalParameter(f"{parameter} value '{value}' must be one of: ({', '.join(allowed)})")


class Given:
    """Parameters of a list over courses, from the query or, for long lists, from the body of a POST.

    A list may be separated by commas, given by repeated keys, or be an array. Elements of an array are not
    split: a comma in one belongs to an id (spec 05 §7).
    """

    def __init__(self, values: Mapping[str, Sequence[object]], arrays: Collection[str] = ()) -> None:
        """`arrays`: the names of values that were given as arrays."""
        self._values, self._arrays = values, arrays

    def list(self, name: str) -> list[str] | None:
        """The parts of a list; None if it is absent or empty."""
        given = self._values.get(name, ())
        if all(value in ("", None) for value in given):
            return None
        if name in self._arrays:
            return [str(value) for value in given]
        return [part.strip() for value in given for part in str(value).split(",")]

    def text(self, name: str) -> str | None:
        """The last value of a parameter; None if it is absent or empty."""
        given = self._values.get(name, ())
        return str(given[-1]) if given and given[-1] not in ("", None) else None

    def switch(self, name: str) -> bool:
        """True if the parameter is given and is not empty, false, 0, no, off or none."""
        text = self.text(name)
        return text is not None and text.lower() not in ("false", "0", "no", "off", "none")

    def shown(self, items: Sequence[Mapping[str, object]]) -> Sequence[dict[str, object]]:
        """The items with only the keys of `fields`, and without the keys of `exclude`."""
        fields, exclude = self.list("fields"), self.list("exclude") or ()
        return [
            {
                key: value
                for key, value in item.items()
                if key not in exclude and (fields is None or key in fields)
            }
            for item in items
        ]


async def _given(request: Request) -> Given:
    if request.method != "POST":
        query = request.query_params
        return Given({name: query.getlist(name) for name in query})
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return await _form(request)
    body = await request.body()
    if content_type == "application/json":
        return _json_object(body)
    if body.strip() or content_type:
        raise UnsupportedMediaType(content_type)
    return Given({})


async def _form(request: Request) -> Given:
    try:
        form = await request.form(max_fields=MAX_FORM_FIELDS)
    except HTTPException as error:
        raise BadBody(f"Form parse error - {error.detail}") from error
    return Given({name: form.getlist(name) for name in form})


def _json_object(body: bytes) -> Given:
    try:
        given = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise BadBody(f"JSON parse error - {error}") from error
    if not isinstance(given, dict):
        raise BadBody("The body must be a JSON object.")
    arrays = {name for name, value in given.items() if isinstance(value, list)}
    return Given({name: value if name in arrays else [value] for name, value in given.items()}, arrays)


Asked = Annotated[Given, Depends(_given)]
