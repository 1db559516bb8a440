from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from pharos.config import load
from pharos.demo.campus import Campus
from pharos.demo.run import HomeTaken, prepare, run_demo, settings_of_demo
from pharos.lake.lake import Lake
from pharos.lake.snapshots import states
from pharos.lms.tables import ANSWERS, TABLES

UNTIL = date(2026, 3, 1)


def silent(_stage: str, _done: int, _total: int) -> None:
    pass


def small(learners: int = 20) -> Campus:
    return Campus(seed=2, learners=learners, days=12, until=UNTIL)


def test_same_campus_is_used_again(tmp_path: Path) -> None:
    events = prepare(tmp_path, small(), silent)
    stages: list[str] = []
    assert prepare(tmp_path, small(), lambda stage, _done, _total: stages.append(stage)) == events
    assert stages == []


def test_another_campus_replaces_the_first_with_all_that_came_of_it(tmp_path: Path) -> None:
    prepare(tmp_path, small(), silent)
    (tmp_path / "lake").mkdir()
    (tmp_path / "result_store.sqlite").touch()
    (tmp_path / "notes.txt").touch()
    prepare(tmp_path, small(learners=21), silent)
    assert {path.name for path in tmp_path.iterdir()} == {"demo.json", "logs", "lms.sqlite", "notes.txt"}


def test_interrupted_simulation_starts_over(tmp_path: Path) -> None:
    events = prepare(tmp_path, small(), silent)
    marker = tmp_path / "demo.json"
    fields = ("seed", "learners", "days", "until")
    begun = {key: value for key, value in json.loads(marker.read_text()).items() if key in fields}
    marker.write_text(json.dumps(begun))
    (tmp_path / "logs" / "edxapp-1" / "tracking.log").unlink()
    assert prepare(tmp_path, small(), silent) == events
    assert (tmp_path / "logs" / "edxapp-1" / "tracking.log").is_file()


def test_home_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    with pytest.raises(HomeTaken, match="lake"):
        prepare(tmp_path, small(), silent)
    assert [path.name for path in tmp_path.iterdir()] == ["lake"]


def test_demo_without_serving_leaves_its_results(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for _ in range(2):
        run_demo(load(home), serve=False, learners=20, days=12, seed=2, until=UNTIL)
    assert (home / "result_store.sqlite").is_file()
    known = {state.table: state for state in states(Lake(home / "lake"))}
    assert set(known) == {*TABLES, *ANSWERS}  # the database, the courses and the catalog
    assert not any(state.problem for state in known.values())
    assert all(snapshot.rows for name in ANSWERS if (snapshot := known[name].snapshot))


def test_learners_of_the_demo_are_shown(tmp_path: Path) -> None:
    ours = settings_of_demo(load(tmp_path, privacy={"mode": "names"}))
    assert ours.shows_learners_of("AnyX")
    assert ours.privacy.mode == "full"
