"""Rates: test 36 of spec 05 §16."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from pharos.data_api.errors import Throttled
from pharos.data_api.limits import MAX_CALLERS, Limits


def test_one_more_than_the_rate_is_refused_and_says_when_to_come_back(
    serve_api: Callable[..., httpx.Client],
) -> None:
    api = serve_api(token_requests_per_minute=5)
    answers = [api.get("/authenticated/") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    wait = int(answers[-1].headers["Retry-After"])
    assert 1 <= wait <= 60
    assert answers[-1].json() == {"detail": f"Request was throttled. Expected available in {wait} seconds."}
    other = httpx.get(f"{api.base_url}/authenticated/", headers={"Authorization": f"Token {'b' * 40}"})
    assert other.status_code == 200
    assert api.get("/status/").status_code == 200
    assert api.get("/health/").status_code == 200


def test_the_window_slides(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    limits = Limits(2, 100)
    limits.count("ann")
    now += 30
    limits.count("ann")
    with pytest.raises(Throttled) as error:
        limits.count("ann")
    assert error.value.headers["Retry-After"] == "30"
    now += 30
    limits.count("ann")
    with pytest.raises(Throttled):
        limits.count("ann")
    limits.count("bob")
    limits.count("ann", per_minute=3)


def test_callers_are_forgotten_before_memory_runs_out() -> None:
    limits = Limits(1, 1)
    for number in range(MAX_CALLERS + 10):
        limits.count(str(number))
    limits.count("0")
