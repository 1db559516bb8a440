"""Rates: test 36 of spec 05 §16."""

from __future__ import annotations

import asyncio

import pytest

from pharos.limits import MAX_CALLERS, Limits, Turns


def test_the_window_slides(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    limits = Limits()
    assert limits.count("ann", 2) == 0
    now += 30
    assert limits.count("ann", 2) == 0
    assert limits.count("ann", 2) == 30
    now += 29.5
    assert limits.count("ann", 2) == 1  # never 0, which would be a request that was counted
    now += 0.5
    assert limits.count("ann", 2) == 0
    assert limits.count("ann", 2) == 30
    assert limits.count("bob", 2) == 0
    assert limits.count("ann", 3) == 0


def test_callers_are_forgotten_before_memory_runs_out() -> None:
    limits = Limits()
    for number in range(MAX_CALLERS):
        limits.count(str(number), 1)
    assert limits.count("0", 1) > 0
    limits.count("one more", 1)  # the longest silent is number 1, as 0 asked just now
    assert limits.count("2", 1) > 0
    assert limits.count("1", 1) == 0


def test_a_caller_who_asks_for_much_waits_for_itself_alone() -> None:
    async def play() -> tuple[list[str], int]:
        turns, begun, release = Turns(2), [], asyncio.Event()

        async def ask(caller: str) -> None:
            async with turns.of(caller):
                begun.append(caller)
                await release.wait()

        asked = [asyncio.create_task(ask(caller)) for caller in ("eager",) * 5 + ("bob", "ann")]
        for _ in range(10):
            await asyncio.sleep(0)
        first = list(begun)
        asked[0].cancel()
        release.set()
        await asyncio.gather(*asked, return_exceptions=True)
        assert len(begun) == len(asked)
        return first, len(turns._lines)  # noqa: SLF001 - what is kept of callers who are gone

    begun, kept = asyncio.run(play())
    assert sorted(begun) == ["ann", "bob", "eager", "eager"]
    assert kept == 0
