"""Asking again: for how long, how often, and when not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from pharos.lms.errors import LMSUnreachable
from pharos.lms.patience import TryAgain, passing, patiently


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited; time passes by waiting alone, and chance always says the longest."""
    waited: list[float] = []
    here, sleep_truly = threading.get_ident(), asyncio.sleep

    async def sleep(seconds: float) -> None:
        if threading.get_ident() != here:  # a server that another test has started
            await sleep_truly(seconds)
            return
        waited.append(seconds)

    monkeypatch.setattr("asyncio.sleep", sleep)
    monkeypatch.setattr("time.monotonic", lambda: 1000.0 + sum(waited))
    monkeypatch.setattr("random.uniform", lambda _, most: most)
    return waited


def failing(times: int, wait_s: float = 0.0) -> Callable[[], object]:
    left = iter(range(times))

    async def attempt() -> str:
        if next(left, None) is not None:
            raise TryAgain("status 503", wait_s)
        return "done"

    return attempt


def ask(attempt: Callable[[], object], deadline_s: float) -> object:
    return asyncio.run(patiently("http://lms", attempt, deadline_s))  # type: ignore[arg-type]


def test_waits_double_up_to_half_a_minute(waits: list[float]) -> None:
    assert ask(failing(9), 1000) == "done"
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_the_service_says_how_long_at_least(waits: list[float]) -> None:
    assert ask(failing(3, wait_s=1.5), 1000) == "done"
    assert waits == [1.5, 1.5, 2]


def test_no_attempt_begins_after_the_deadline(waits: list[float]) -> None:
    assert ask(failing(2), 1.5) == "done"
    waits.clear()
    with pytest.raises(LMSUnreachable, match=r"status 503; tried 2 times in 0 s"):
        ask(failing(2), 1.49)
    assert waits == [0.5]
    waits.clear()
    with pytest.raises(LMSUnreachable, match=r"status 503(?!; tried)"):
        ask(failing(1), 0.4)
    assert waits == []


def test_a_connection_that_fails_is_tried_again(waits: list[float]) -> None:
    left = iter(range(1))

    async def attempt() -> str:
        if next(left, None) is not None:
            raise httpx.ConnectError("refused")
        return "done"

    assert ask(attempt, 10) == "done"
    assert waits == [0.5]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 599])
def test_what_may_pass(status: int) -> None:
    assert passing(httpx.Response(status)) is not None


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 410])
def test_what_does_not_pass(status: int) -> None:
    assert passing(httpx.Response(status)) is None


@pytest.mark.parametrize(("text", "wait_s"), [("7", 7), ("", 0), ("soon", 0), ("-3", 0), ("0", 0)])
def test_seconds_to_wait(text: str, wait_s: float) -> None:
    failure = passing(httpx.Response(503, headers={"Retry-After": text}))
    assert failure is not None
    assert (failure.wait_s, failure.reason) == (wait_s, "status 503")


def test_a_moment_to_wait_for() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    for moment, least, most in ((later, 3000, 3601), (later - timedelta(hours=2), 0, 0)):
        text = format_datetime(moment, usegmt=True)
        failure = passing(httpx.Response(503, headers={"Retry-After": text}))
        assert failure is not None
        assert least <= failure.wait_s <= most
