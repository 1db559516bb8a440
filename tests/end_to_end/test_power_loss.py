"""The power fails at any moment of a run: the next run gives what an undisturbed one gives.

Of what the run had not put on disk by then, all, nothing or any part may be there: see `tests/disk.py`.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests import lines
from tests.disk import Disk, record
from tests.lines import enrollment, event

from pharos.config import Settings
from pharos.lake.lake import Lake
from pharos.pipeline.run import run_pipeline
from pharos.result_store.tables import RESULTS

PHAROS = str(Path(sys.executable).with_name("pharos"))
UNTIL = datetime(2024, 3, 5)
CRASHES = 12


def day(number: int) -> list[str]:
    """A log of one day, with a late event of the first and a line that is none."""
    date = f"2024-03-0{number}"
    log = [enrollment(f"{date} 09:00", "activated", user=user) for user in range(number, number + 3)]
    log += [event(f"{date} 10:{minute:02d}:00", "play_video", user=number) for minute in range(20)]
    return [*log, event(f"2024-03-01 23:00:0{number}", "play_video", user=9), f"no event {number}"]


def content(home: Path) -> dict[str, Any]:
    """All events and results, and the account of lines."""
    lake = Lake(home / "lake")
    ids = sorted(
        id_
        for path in lake.events()
        for id_ in pq.ParquetFile(path).read(["event_id"])["event_id"].to_pylist()
    )
    found: dict[str, Any] = {"events": ids}
    found["lines"] = sum(log.lines for log in lake.state.logs.values())
    with sqlite3.connect(home / "result_store.sqlite") as store:
        for table in RESULTS.values():
            columns = ", ".join(name for name in table.columns.keys() if name not in {"id", "created"})  # noqa: SIM118
            found[table.name] = sorted(map(repr, store.execute(f"select {columns} from {table.name}")))  # noqa: S608
    store.close()
    return found


@pytest.mark.slow
def test_a_power_failure_at_any_moment_of_a_run_changes_nothing(tmp_path: Path) -> None:
    logs, home = tmp_path / "logs", tmp_path / "home"
    for number in (1, 2, 3):
        lines.write(logs / f"tracking.log-{number}", day(number))
    command = [PHAROS, "run", "--home", str(home), "--logs", str(logs), "--until", UNTIL.isoformat()]
    run_pipeline(Settings(home=home), logs=[str(logs / "tracking.log-1")], until=UNTIL)
    shutil.copytree(home, tmp_path / "whole")
    run_pipeline(Settings(home=tmp_path / "whole"), logs=[str(logs)], until=UNTIL)
    expected = content(tmp_path / "whole")

    disk, dry = Disk.of(home), Disk.of(home)
    calls = record(command, tmp_path / "trace")
    assert content(home) == expected
    draw = random.Random(1)
    chosen = set(draw.sample([number for number, call in enumerate(calls) if dry.do(call)], CRASHES))
    for number, call in enumerate(calls):
        disk.do(call)
        if number in chosen:
            crashed = tmp_path / f"crashed-{number}"
            disk.crash(crashed, random.Random(number), keeps=draw.choice([0, 0.5, 0.5, 0.9]))
            run_pipeline(Settings(home=crashed), logs=[str(logs)], until=UNTIL)
            assert content(crashed) == expected, call
            shutil.rmtree(crashed)
