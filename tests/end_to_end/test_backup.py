"""Lake and Result Store copied in the middle of a run, restored elsewhere, run again: the same numbers."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tarfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pharos.config import load
from pharos.data_api.tokens import create_token, list_tokens
from pharos.lake.backup import copy_lake
from pharos.lake.lake import Lake
from pharos.pipeline.run import run_pipeline
from pharos.result_store.backup import copy_store
from pharos.result_store.store import connect

PHAROS = str(Path(sys.executable).with_name("pharos"))
CAMPUS = Path(__file__).parents[1] / "data" / "previous" / "campus.tar.gz"
UNTIL = datetime(2026, 3, 1)


def numbers(home: Path) -> dict[str, list[Any]]:
    """All rows of all published tables, without the times at which they were written."""
    database = sqlite3.connect(home / "result_store.sqlite")
    names = [name for (name,) in database.execute("SELECT table_name FROM pharos_publication ORDER BY 1")]
    found = {}
    for name in names:
        columns = [column for _, column, *_ in database.execute(f"PRAGMA table_info({name})")]
        kept = ", ".join(column for column in columns if column not in {"id", "created"})
        found[name] = sorted(database.execute(f"SELECT {kept} FROM {name}"), key=repr)  # noqa: S608
    database.close()
    return found


@pytest.mark.slow
def test_copies_made_during_a_run_give_the_numbers_of_that_run(tmp_path: Path) -> None:
    with tarfile.open(CAMPUS) as archive:
        archive.extractall(tmp_path, filter="data")
    home, logs = tmp_path / "first", tmp_path / "all"
    shutil.copytree(tmp_path / "logs", logs)
    run(home, tmp_path)
    store = f"sqlite:///{home / 'result_store.sqlite'}"
    engine = connect(store)
    create_token(engine, "insights")
    engine.dispose()
    shutil.copytree(tmp_path / "later", logs, dirs_exist_ok=True)

    arguments = [
        *("--until", f"{UNTIL:%Y-%m-%d}"),
        *("--lms-database", lms(tmp_path)),
        *("--logs", str(logs)),
    ]
    copies: list[Path] = []
    with subprocess.Popen(
        [PHAROS, "run", "--home", str(home), *arguments], stdout=subprocess.DEVNULL
    ) as program:
        while program.poll() is None:
            copies.append(tmp_path / f"copy-{len(copies)}")
            copy_lake(Lake(home / "lake"), Lake(copies[-1] / "lake"))
            assert copy_store(store, copies[-1] / "result_store.sqlite")
            time.sleep(0.1)
    assert program.returncode == 0
    states = {Lake(copy / "lake").state.number: copy for copy in copies}  # a copy of each state that was met

    for copy in states.values():
        run(copy, tmp_path)
        assert numbers(copy) == numbers(home)
    engine = connect(f"sqlite:///{copies[0] / 'result_store.sqlite'}")
    assert [token.name for token in list_tokens(engine)] == ["insights"]
    engine.dispose()


def lms(folder: Path) -> str:
    return f"sqlite:///{folder / 'lms.sqlite'}"


def run(home: Path, folder: Path) -> None:
    settings = load(home, lms={"database": lms(folder)}, engine={"threads": 1})
    run_pipeline(settings, logs=[str(folder / "all")], until=UNTIL)
