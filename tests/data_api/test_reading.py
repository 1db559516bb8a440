"""What is known is asked again when it is old, and a failure is not asked for by everybody."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
import sqlalchemy as sa

from pharos.data_api.reading import FRESH_FOR_S, Recent, ResultStore
from pharos.errors import PharosError
from pharos.result_store.errors import StoreUnreachable


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Mock:
    clock = Mock(return_value=1000.0)
    monkeypatch.setattr("time.monotonic", clock)
    return clock


def test_a_value_is_kept_for_a_second(clock: Mock) -> None:
    ask = Mock(side_effect=["a", "b"])
    recent = Recent(ask)
    assert recent.at_hand() is None
    assert [recent.get(), recent.get(), recent.at_hand()] == ["a", "a", "a"]
    clock.return_value += FRESH_FOR_S
    assert recent.at_hand() is None
    assert recent.get() == "b"


def test_a_failure_is_an_answer_for_a_second(clock: Mock) -> None:
    ask = Mock(side_effect=[PharosError("gone"), "back"])
    recent = Recent(ask)
    for _ in range(3):
        with pytest.raises(PharosError, match="gone"):
            recent.get()
    assert ask.call_count == 1
    clock.return_value += FRESH_FOR_S
    assert recent.get() == "back"


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
