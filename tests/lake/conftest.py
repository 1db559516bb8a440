"""What tests of the lake share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lake.place import Place

from pharos.config import EngineSettings
from pharos.engine import Engine, open_engine


@pytest.fixture(scope="session")
def embedded() -> Iterator[Engine]:
    """The embedded engine without processes beside it: many small lakes are filled with it."""
    engine = open_engine(EngineSettings(name="duckdb", threads=1), Path("unused"))
    yield engine
    engine.close()


@pytest.fixture
def place(embedded: Engine, tmp_path: Path) -> Place:
    """An empty lake."""
    return Place(tmp_path / "lake", embedded)
