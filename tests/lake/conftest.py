"""What tests of the lake share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lake.place import Place

from pharos.config import EngineSettings
from pharos.engine import Engine, open_engine


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `everywhere` have their lake in a folder and in a bucket, most of the latter if wanted."""
    marker = metafunc.definition.get_closest_marker("everywhere")
    is_of_folders = metafunc.definition.get_closest_marker("folder") is not None
    if marker is not None and "place" in metafunc.fixturenames and not is_of_folders:
        remote = [] if marker.kwargs.get("always") else [pytest.mark.cluster]
        bucket = pytest.param("s3", marks=[pytest.mark.xdist_group("s3"), *remote])
        metafunc.parametrize("place", ["folder", bucket], indirect=True)


@pytest.fixture(scope="session")
def embedded() -> Iterator[Engine]:
    """The embedded engine without processes beside it: many small lakes are filled with it."""
    engine = open_engine(EngineSettings(name="duckdb", threads=1), Path("unused"))
    yield engine
    engine.close()


@pytest.fixture
def place(embedded: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    """An empty lake."""
    if getattr(request, "param", "folder") == "folder":
        return Place(tmp_path / "lake", embedded)
    return Place(tmp_path / "lake", embedded, request.getfixturevalue("bucket_url"))
