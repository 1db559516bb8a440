"""Formats of values, shared by the modules that write the demo's LMS database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from pharos.demo.campus import Campus

Row = tuple[Any, ...]


def time_text(moment: datetime) -> str:
    """A moment (UTC) in SQLite's text form."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def at(campus: Campus, us: int) -> str:
    """The moment this many microseconds after the campus begins."""
    return time_text(campus.start + timedelta(microseconds=us))


def numbered(rows: Iterable[Row], first: int = 1) -> Iterator[Row]:
    """Rows with an id before their values."""
    for number, row in enumerate(rows, start=first):
        yield (number, *row)
