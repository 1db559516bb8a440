"""One person who asks for much takes nothing from the others."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.insights.world import World, fill, world_of

PAGES_PER_MINUTE = 6


@pytest.fixture
def narrow_world(tmp_path: Path) -> Iterator[World]:
    """A person gets six pages a minute."""
    with world_of(tmp_path, fill, requests_per_minute=PAGES_PER_MINUTE) as running:
        yield running


def test_who_asks_too_often_is_told_so_in_words_and_others_are_served(narrow_world: World) -> None:
    address = f"/courses/{narrow_world.course_id}/enrollment/activity/"
    with narrow_world.client("sofia") as eager, narrow_world.client("marek") as other:
        pages = [eager.get(address) for _ in range(PAGES_PER_MINUTE + 2)]
        refused = pages[-1]
        assert [page.status_code for page in pages].count(429) >= 2
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert "You have asked for very many pages within a minute" in refused.text
        assert f'href="{address}"' in refused.text
        assert "Content-Security-Policy" in refused.headers
        assert other.get(address).status_code == 200
        assert eager.get("/health/").status_code == 200
        assert eager.get("/logout/", follow_redirects=False).status_code == 302
    narrow_world.api.requests.clear()
    with narrow_world.client() as nobody:
        assert [nobody.get("/").status_code for _ in range(PAGES_PER_MINUTE + 2)] == [200] * 8


class Counted:
    """An ASGI application and how many requests with this in their path it answers at the same time."""

    def __init__(self, app: Any, part: str) -> None:
        self.app, self.part, self.now, self.most = app, part, 0, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        counts = scope["type"] == "http" and self.part in scope["path"]
        self.now += counts
        self.most = max(self.most, self.now)
        try:
            await self.app(scope, receive, send)
        finally:
            self.now -= counts


@pytest.mark.parametrize("at_once", [1, 3])
def test_of_one_person_a_few_pages_are_made_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("pharos.insights.app.AT_ONCE", at_once)
    with world_of(tmp_path, fill) as world, world.client("sofia") as eager:
        counted = Counted(world.api.app, "/enrollment/location/")
        world.api.app = counted  # type: ignore[assignment]
        addresses = [
            f"/courses/{course.id}/enrollment/geography/?n={number}"
            for course in world.campus.courses
            for number in range(6)
        ]
        with ThreadPoolExecutor(12) as browsers:
            pages = list(browsers.map(eager.get, addresses))
        assert {page.status_code for page in pages} == {200}
        assert 1 <= counted.most <= at_once
