"""Formats of dates and times in the Data API, for output and input (spec 05 §2.4). Internally, all times are
naive UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from functools import lru_cache

from pharos.data_api.errors import IllegalParameter

COMPACT = "%Y-%m-%dT%H%M%S"
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


@lru_cache(maxsize=4096)
def compact(moment: datetime) -> str:
    """`2031-03-02T040506`: no colons, no zone, no fraction."""
    return f"{moment:%Y-%m-%dT%H%M%S}"


def compact_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else compact(moment)


def zulu(moment: datetime) -> str:
    """`2031-03-02T04:05:06Z`, with microseconds only if they are not zero."""
    return moment.isoformat() + "Z"


def read_moment(name: str, text: str | None) -> datetime | None:
    """The moment in a parameter; None if it is absent or empty. Raises IllegalParameter."""
    if not text:
        return None
    for form in (COMPACT, "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - UTC by definition
        except ValueError:
            continue
    try:
        if _ISO.fullmatch(text):
            moment = datetime.fromisoformat(text)
            return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        pass
    raise IllegalParameter(f"{name} value '{text}' is not a date like 2031-03-01 or 2031-03-01T040506 (UTC).")


def read_past_day(text: str, today: date) -> date:
    """A day before today. Raises ValueError with the original's words."""
    day = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007
    if day.date() >= today:
        raise ValueError(f'"{datetime.combine(day.date(), time())}" is not in the past')
    return day.date()
