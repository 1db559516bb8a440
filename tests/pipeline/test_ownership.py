"""Two homes and one Result Store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.pipeline.conftest import Installation, few, log

from pharos.lake.backup import CopyIsLater, copy_lake
from pharos.lake.identity import identity
from pharos.lake.lake import Lake
from pharos.pipeline import ownership
from pharos.pipeline.run import RunReport, compute_only
from pharos.result_store import data_problems, owner, store
from pharos.result_store.data_problems import OTHER_PUBLISHER
from pharos.result_store.errors import StoreOfAnotherLake

pytestmark = few

START = log()[:3]


def others(report: RunReport) -> list[str]:
    return [problem.text for problem in report.problems if problem.kind == OTHER_PUBLISHER]


def test_a_second_home_is_refused_until_it_takes_the_store_over(store_url: str, tmp_path: Path) -> None:
    first = Installation(tmp_path / "first", result_store={"url": store_url})
    second = Installation(tmp_path / "second", result_store={"url": store_url})
    first.run(START)
    database = store.connect(store_url)
    published = store.published(database)
    with pytest.raises(StoreOfAnotherLake) as refused:
        second.run(log())
    for said in ("first/home", "second/home", "pharos store claim", "result_store.url"):
        assert said in str(refused.value)
    assert "pharos:pharos" not in str(refused.value), "no password"
    assert {name: one.edition for name, one in store.published(database).items()} == {
        name: one.edition for name, one in published.items()
    }
    assert [problem.kind for problem in ownership.of_the_store(second.settings)] == [OTHER_PUBLISHER]
    assert ownership.of_the_store(first.settings) == []

    ownership.take_over(second.settings)
    assert second.run(log()).not_published == {}
    assert ownership.of_the_store(second.settings) == []
    with pytest.raises(StoreOfAnotherLake):
        compute_only(first.settings)
    known = owner.read(database)
    assert known is not None
    assert known.lake == identity(Lake(second.settings.lake))
    database.dispose()


def test_a_copy_that_publishes_too_is_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    home = Installation(tmp_path / "home", result_store={"url": url})
    assert others(home.run(START)) == []
    assert others(home.run(START)) == [], "runs of the home itself follow each other"
    shutil.copytree(home.folder, tmp_path / "copy")
    copy = Installation(tmp_path / "copy", result_store={"url": url})
    assert others(copy.run(START)) == []
    assert [problem.kind for problem in ownership.of_the_store(home.settings)] == [OTHER_PUBLISHER]
    [text] = others(home.run(START))
    assert "another home with a copy of this lake" in text
    database = store.connect(url)
    assert OTHER_PUBLISHER in {problem.kind for problem in data_problems.read(database)[0]}
    assert others(copy.run(START)), "and so in turn"
    database.dispose()


def test_a_moved_home_and_a_restored_backup_are_the_same_lake(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    home = Installation(tmp_path / "home", result_store={"url": url})
    home.run(START)
    id_ = identity(Lake(home.settings.lake))
    copy_lake(Lake(home.settings.lake), Lake(tmp_path / "backup" / "home" / "lake"))
    (tmp_path / "home").rename(tmp_path / "moved")
    moved = Installation(tmp_path / "moved", result_store={"url": url})
    assert others(moved.run(START)) == []
    shutil.rmtree(tmp_path / "moved")
    restored = Installation(tmp_path / "backup", result_store={"url": url})
    assert restored.run(START).not_published == {}
    assert identity(Lake(restored.settings.lake)) == id_
    database = store.connect(url)
    known = owner.read(database)
    assert known is not None
    assert "backup/home" in known.home
    database.dispose()


def test_a_backup_of_another_lake_is_not_overwritten(tmp_path: Path) -> None:
    one, other = Installation(tmp_path / "one"), Installation(tmp_path / "other")
    one.run(START)
    other.run(log())
    copy_lake(Lake(one.settings.lake), Lake(tmp_path / "backup"))
    with pytest.raises(CopyIsLater):
        copy_lake(Lake(other.settings.lake), Lake(tmp_path / "backup"))
