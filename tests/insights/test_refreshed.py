"""Values of a service that is there, slow, or down: who waits, who gets an old value, who gets the error."""

from __future__ import annotations

import asyncio

import pytest

from pharos.insights import refreshed
from pharos.insights.refreshed import Refreshed


class Down(Exception):
    """The service fails."""


class Service:
    """Answers how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.down = False
        self.holds = asyncio.Event()
        self.holds.set()

    async def __call__(self, _key: str) -> int:
        self.asked += 1
        await self.holds.wait()
        if self.down:
            raise Down
        return self.asked


def kept(
    service: Service, *, fresh_s: float, stale_s: float = 100, failed_s: float = 0
) -> Refreshed[str, int]:
    return Refreshed(service, fresh_s=fresh_s, stale_s=stale_s, forgiven=Down, failed_s=failed_s)


def test_a_fresh_value_is_not_asked_for_again() -> None:
    async def scene() -> None:
        service = Service()
        values = kept(service, fresh_s=100)
        assert [await values.get("a"), await values.get("a")] == [1, 1]
        assert await values.get("b") == 2
        values.forget("a")
        assert await values.get("a") == 3

    asyncio.run(scene())


def test_those_who_ask_at_once_share_an_answer() -> None:
    async def scene() -> None:
        service = Service()
        values = kept(service, fresh_s=100)
        assert await asyncio.gather(*(values.get("a") for _ in range(5))) == [1] * 5

    asyncio.run(scene())


def test_an_old_value_is_renewed_before_it_is_given() -> None:
    async def scene() -> None:
        values = kept(Service(), fresh_s=0)
        assert [await values.get("a"), await values.get("a")] == [1, 2]

    asyncio.run(scene())


def test_in_the_second_half_of_its_time_nobody_waits_for_the_renewal() -> None:
    async def scene() -> None:
        service = Service()
        values = kept(service, fresh_s=100)
        await values.get("a")
        values._entries["a"].fetched_at -= 60  # noqa: SLF001 - a clock that need not be waited for
        service.holds.clear()
        assert await values.get("a") == 1
        service.holds.set()
        await asyncio.sleep(0.01)
        assert await values.get("a") == 2

    asyncio.run(scene())


def test_while_the_service_is_down_the_old_value_goes_on_for_its_time() -> None:
    async def scene() -> None:
        service = Service()
        values = kept(service, fresh_s=0, stale_s=50)
        await values.get("a")
        service.down = True
        assert await values.get("a") == 1
        values._entries["a"].fetched_at -= 60  # noqa: SLF001
        values._entries["a"].retry_at = 0  # noqa: SLF001
        with pytest.raises(Down):
            await values.get("a")

    asyncio.run(scene())


def test_a_slow_service_is_waited_for_only_as_long_as_a_page_may() -> None:
    async def scene() -> None:
        service = Service()
        values = Refreshed(service, fresh_s=0, stale_s=100, forgiven=Down, patience=lambda: 0.01)
        await values.get("a")
        service.holds.clear()
        assert await values.get("a") == 1
        with pytest.raises(TimeoutError):
            await values.get("b")
        service.holds.set()
        await asyncio.sleep(0.01)
        assert service.asked == 3  # what nobody waited for was fetched to the end
        assert await values.get("b") == 4

    asyncio.run(scene())


def test_a_failure_without_an_old_value_is_remembered_for_its_time() -> None:
    async def scene() -> None:
        service = Service()
        service.down = True
        asked_again, remembered = kept(service, fresh_s=9), kept(service, fresh_s=9, failed_s=9)
        for values, asked in ((asked_again, 2), (remembered, 1)):
            service.asked = 0
            for _ in range(2):
                with pytest.raises(Down):
                    await values.get("a")
            assert service.asked == asked
        service.down = False
        remembered.forget("a")
        assert await remembered.get("a") == 2

    asyncio.run(scene())


def test_not_more_than_so_many_values_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshed, "MOST_KEYS", 2)

    async def scene() -> None:
        values = kept(Service(), fresh_s=100)
        for key in "abc":
            await values.get(key)
        assert set(values._entries) == {"b", "c"}  # noqa: SLF001

    asyncio.run(scene())
