"""Retries: temporary failures of an HTTP service, and the waiting time before the next attempt."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

import httpx

from pharos.lms.errors import LMSUnreachable

T = TypeVar("T")
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
# Besides 5xx; the original does without 500 (spec 04 §3.1), which comes while an LMS restarts.
PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class TryAgain(Exception):
    """A temporary failure; retry after at least `wait_s` seconds."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.wait_s = reason, wait_s


async def patiently(address: str, attempt: Callable[[], Awaitable[T]], deadline_s: float) -> T:
    """The result of the attempt; it is repeated while it raises TryAgain or the connection fails.

    No attempt begins later than `deadline_s` seconds after the first. Raises LMSUnreachable with the last
    reason and the number of attempts.
    """
    begin = time.monotonic()
    number = 0
    while True:
        number += 1
        try:
            return await attempt()
        except TryAgain as failure:
            reason, least_s = failure.reason, failure.wait_s
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason, least_s = f"{type(error).__name__} {error}".strip(), 0.0
        delay_s = max(least_s, _delay_s(number))
        spent_s = time.monotonic() - begin
        if spent_s + delay_s > deadline_s:
            times = f"; tried {number} times in {spent_s:.0f} s" if number > 1 else ""
            raise LMSUnreachable(address, reason + times)
        await asyncio.sleep(delay_s)


def passing(answer: httpx.Response) -> TryAgain | None:
    """A TryAgain for a status that may be temporary; None if a repeated request would not help."""
    if not answer.is_server_error and answer.status_code not in PASSING:
        return None
    return TryAgain(f"status {answer.status_code}", _retry_after_s(answer.headers.get("Retry-After", "")))


def _delay_s(number: int) -> float:
    """Seconds to wait: doubled for each attempt, and random, to spread the retries of clients."""
    return min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** (number - 1)) * random.uniform(0.5, 1.0)  # noqa: S311


def _retry_after_s(text: str) -> float:
    """Seconds from a number or an HTTP date; 0 for an empty or invalid text."""
    if text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment.tzinfo else 0.0
