"""Values of a service that is there, slow, or down: who waits, who gets an old value, who gets the error."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

import pytest

from pharos.insights import directory, permissions
from pharos.insights.outline import Block, Outline
from pharos.insights.refreshed import Refreshed
from pharos.insights.sessions import Viewer
from pharos.lms.rest import LMSClient


class Down(Exception):
    """The service fails."""


class Service:
    """Answers how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.down = False
        self.holds = asyncio.Event()
        self.holds.set()

    async def __call__(self, _key: object) -> int:
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


def test_not_more_than_so_many_values_are_kept() -> None:
    async def scene() -> None:
        service = Service()
        values = Refreshed(service, fresh_s=100, stale_s=100, forgiven=Down, most=2)
        for key in "abcbcc":
            await values.get(key)
        assert service.asked == 3
        assert set(values._entries) == {"b", "c"}  # noqa: SLF001
        values.forget("b")
        await values.get("d")
        assert set(values._entries) == {"c", "d"}  # noqa: SLF001

    asyncio.run(scene())


def test_large_values_are_fewer() -> None:
    """The n-th answer weighs n, and ten are kept together."""

    async def scene() -> None:
        values = Refreshed(Service(), fresh_s=0, stale_s=100, forgiven=Down, most=10, weigh=int)
        kept = []
        for key in "aabcdefghijk":
            await values.get(key)
            kept.append("".join(map(str, values._entries)))  # noqa: SLF001
        assert kept == ["a", "a", "ab", "abc", "cd", "e", "f", "g", "h", "i", "i", "i"]

    asyncio.run(scene())


@pytest.mark.parametrize("key", ["x" * 1001, ("x" * 500, "y" * 501)])
def test_nothing_is_kept_of_long_keys(key: str | tuple[str, ...]) -> None:
    async def scene() -> None:
        service = Service()
        values: Refreshed[Hashable, int] = Refreshed(
            service, fresh_s=100, stale_s=9, forgiven=Down, failed_s=9
        )
        assert [await values.get(key), await values.get(key)] == [1, 2]
        service.down = True
        for _ in range(2):
            with pytest.raises(Down):
                await values.get(key)
        assert service.asked == 4
        assert not values._entries  # noqa: SLF001
        assert not values._failures  # noqa: SLF001
        assert not values._renewals  # noqa: SLF001

    asyncio.run(scene())


class Team(LMSClient):
    """An LMS in which everybody is staff of a hundred courses, by either question."""

    def __init__(self) -> None:
        self.asked = 0

    async def course_ids_of_staff(self, username: str) -> frozenset[str]:  # noqa: ARG002
        """The same courses for everybody."""
        self.asked += 1
        return frozenset(f"course-v1:a+{number}+c" for number in range(100))

    async def course_ids_of_staff_access(self, username: str) -> frozenset[str]:
        """Nothing more."""
        return await self.course_ids_of_staff(username)


def test_of_many_viewers_with_many_courses_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "MOST_IDS", 1000)

    async def scene() -> None:
        lms = Team()
        kept = permissions.Permissions(lms, fresh_s=100)
        viewers = [Viewer(username=f"ana{number}", language=None, global_staff=False) for number in range(20)]
        for viewer in viewers:
            assert (await kept.decide(viewer, "course-v1:a+7+c")).allowed
        asked = lms.asked
        for viewer in viewers[-9:]:
            await kept.courses(viewer)
        assert lms.asked == asked
        await kept.courses(viewers[0])
        assert lms.asked > asked

    asyncio.run(scene())


def test_outlines_weigh_what_is_in_them() -> None:
    root = Block("c", "course", "", children=(Block("a", "chapter", "", children=(Block("b", "x", ""),)),))
    assert [directory.blocks_of(Outline(root)), directory.blocks_of(None)] == [3, 1]
