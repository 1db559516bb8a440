"""What is known is asked again when it is old, and a failure is not asked for by everybody."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from pharos.data_api.reading import FRESH_FOR_S, Recent
from pharos.errors import PharosError


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
