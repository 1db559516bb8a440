"""A lake in a bucket: the results are those of a lake in the home, on whichever host a run takes place."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pipeline.conftest import Installation, few, log

from pharos.pipeline.care import verify_lake

pytestmark = pytest.mark.xdist_group("s3")


def with_lake_at(url: str, folder: Path) -> Installation:
    installation = Installation(folder)
    installation.settings = installation.settings.model_copy(update={"lake_url": url})
    return installation


@few
def test_runs_on_two_hosts_give_what_one_gives(bucket_url: str, tmp_path: Path, fresh: Installation) -> None:
    one, other = (with_lake_at(bucket_url, tmp_path / name) for name in ("one", "other"))
    half = len(log()) // 2
    one.run(log()[:half])
    report = other.run(log())
    assert report.ingested.events == len(log()) - half  # the log has another name there, and is known
    fresh.run(log())
    assert other.tables() == fresh.tables()
    assert other.parts() == fresh.parts()
    assert not verify_lake(one.settings).damaged
    kept = {path.name for path in (tmp_path / "one" / "home" / "lake").iterdir()}
    assert kept & {"events", "ledger", "quarantine", "lms", "id"} == set()
