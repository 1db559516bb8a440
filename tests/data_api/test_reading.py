"""What is known is asked again when it is old, and a failure is not asked for by everybody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from pharos.data_api.reading import FRESH_FOR_S, Recent, ResultStore
from pharos.errors import PharosError
from pharos.result_store.errors import StoreUnreachable


class Asked:
    """A question to a database: `answers` are given in turn, errors among them are raised."""

    def __init__(self, *answers: str | PharosError) -> None:
        self.times, self.may_answer = 0, threading.Event()
        self._answers = iter(answers)
        self.may_answer.set()

    def __call__(self) -> str:
        self.times += 1
        self.may_answer.wait()
        answer = next(self._answers)
        if isinstance(answer, PharosError):
            raise answer
        return answer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """`clock(seconds)` lets the time of values pass."""
    passed = [0.0]
    monkeypatch.setattr("pharos.data_api.reading.monotonic", lambda: passed[0])

    def go(seconds: float) -> None:
        passed[0] += seconds

    return go


def test_a_value_is_kept_for_a_second(clock: Callable[[float], None]) -> None:
    async def check() -> None:
        recent = Recent(Asked("a", "b"))
        assert recent.at_hand() is None
        assert [await recent.get(), await recent.get(), recent.at_hand()] == ["a", "a", "a"]
        clock(FRESH_FOR_S)
        assert recent.at_hand() is None
        assert await recent.get() == "b"
        recent.close()

    asyncio.run(check())


def test_all_who_ask_at_once_share_an_answer() -> None:
    async def check() -> None:
        ask = Asked("a")
        recent = Recent(ask)
        assert await asyncio.gather(*(recent.get() for _ in range(50))) == ["a"] * 50
        assert ask.times == 1
        recent.close()

    asyncio.run(check())


def test_a_failure_is_an_answer_for_a_second(clock: Callable[[float], None]) -> None:
    async def check() -> None:
        ask = Asked(PharosError("gone"), "back")
        recent = Recent(ask)
        for _ in range(3):
            with pytest.raises(PharosError, match="gone"):
                await recent.get()
        assert ask.times == 1
        clock(FRESH_FOR_S)
        assert await recent.get() == "back"
        recent.close()

    asyncio.run(check())


def test_nobody_waits_long_for_a_database_that_did_not_answer_before(
    clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        ask = Asked(PharosError("gone"), "back")
        recent = Recent(ask)
        with pytest.raises(PharosError, match="gone"):
            await recent.get()
        clock(FRESH_FOR_S)
        ask.may_answer.clear()  # it hangs
        for _ in range(3):
            with pytest.raises(PharosError, match="gone"):
                await recent.get()
        assert ask.times == 2
        ask.may_answer.set()
        monkeypatch.setattr("pharos.data_api.reading.PATIENCE_S", 60)
        assert await recent.get() == "back"
        recent.close()

    monkeypatch.setattr("pharos.data_api.reading.PATIENCE_S", 0.01)
    asyncio.run(check())


def test_a_connection_that_the_database_closed_is_replaced(mariadb_url: str, postgres_url: str) -> None:
    ways = {
        mariadb_url: ("SELECT CONNECTION_ID()", "KILL :number"),
        postgres_url: ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend(:number)"),
    }
    for url, (who, end) in ways.items():
        reading, other = ResultStore(url), sa.create_engine(url)
        (number,) = reading.tuples(sa.text(who))[0]  # type: ignore[arg-type]
        with other.begin() as connection:
            connection.execute(sa.text(end), {"number": number})
        assert reading.tuples(sa.text(who))[0][0] != number  # type: ignore[arg-type]
        other.dispose()
        reading.close()


def test_a_database_that_is_gone_is_asked_once(free_port: int) -> None:
    reading = ResultStore(f"mysql+pymysql://x:y@127.0.0.1:{free_port}/z")
    with pytest.raises(StoreUnreachable):
        reading.tuples(sa.select(1))
