"""The worlds of these tests, as fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.insights.world import World, fill, world_of


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Shared and never changed."""
    with world_of(tmp_path_factory.mktemp("world"), fill, learners=True) as running:
        yield running


@pytest.fixture
def sofia(world: World) -> Iterator[httpx.Client]:
    """A superuser, whose addresses begin below the first course."""
    with world.client("sofia") as client:
        client.base_url = httpx.URL(f"{world.url}/courses/{world.course_id}/")
        yield client


@pytest.fixture
def own_world(tmp_path: Path) -> Iterator[World]:
    """For tests that break something; what the LMS says on access counts for a second."""
    with world_of(tmp_path, fill, permissions_seconds=1) as running:
        yield running
