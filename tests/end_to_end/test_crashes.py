"""Killed at any moment and run again, everything is as if nothing had happened.

A run is started in a process of its own, forked from one that has loaded the program already, and ends by
SIGKILL: before its n-th change of a file's name or existence, or somewhere in between.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.conftest import CHECKOUT

from pharos.demo.campus import Campus
from pharos.demo.log_files import write_logs
from pharos.lake.lake import Lake
from pharos.lake.quarantine import quarantined_lines
from pharos.lake.status import lake_status
from pharos.pipeline import parted

PHAROS = str(Path(sys.executable).with_name("pharos"))
UNTIL = datetime(2026, 3, 16)
KILLS = 60
COMPARED_EVERY = 20  # kills
CHANGES = 75  # on disk, about as many as a run makes
SECONDS = 1.0  # about as long as a run takes

RUNNER = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from tests.pipeline.conftest import FEW, computing
from pharos import cli, config
from pharos.pipeline import run  # loads what a run needs, before the fork

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "sqlite3.connect"}
WRITING = os.O_WRONLY | os.O_RDWR

def die_at(change):
    left = change

    def watch(event, arguments):
        nonlocal left
        if event in CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)

few = computing(*FEW)  # a kill hits any of them alike
few.__enter__()
for line in sys.stdin:
    home, logs, until, change = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setpgid(0, 0)
            if int(change) >= 0:
                die_at(int(change))
            run.run_pipeline(config.load(Path(home)), logs=[logs], until=datetime.fromisoformat(until))
            code = 0
        finally:
            os._exit(code)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@dataclass
class Runner:
    """Runs `pharos run` again and again."""

    process: subprocess.Popen[str]

    def run(self, home: Path, logs: Path, *, change: int = -1, seconds: float | None = None) -> int:
        """One run; ended before its n-th change on disk, or after some time, if that comes first."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{home}\t{logs}\t{UNTIL.isoformat()}\t{change}\n")
        self.process.stdin.flush()
        child = int(self.process.stdout.readline())
        if seconds is not None:
            time.sleep(seconds)
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return int(self.process.stdout.readline())


@pytest.fixture
def runner() -> Iterator[Runner]:
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=CHECKOUT, env={**os.environ, "PHAROS_ENGINE__THREADS": "1"},
    ) as process:  # fmt: skip
        yield Runner(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Lines of a small campus, late ones and broken ones among them."""
    folder = tmp_path_factory.mktemp("campus")
    summary = write_logs(folder, Campus(seed=3, learners=40, days=20, until=date(2026, 3, 16)))
    contents = [
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in sorted(summary.files, key=lambda path: path.name)
    ]
    return [line + b"\n" for content in contents for line in content.splitlines()]


def grow(logs: Path, lines: list[bytes], step: int) -> None:
    """A live log grows, now and then it is rotated and compressed; another server's logs have lines of it."""
    share = lines[step * len(lines) // KILLS : (step + 1) * len(lines) // KILLS]
    with (logs / "tracking.log").open("ab") as file:
        file.writelines(share[::2])
    if step % 7 == 6:
        rotated = logs / "tracking.log"
        (logs / f"tracking.log-{step}.gz").write_bytes(gzip.compress(rotated.read_bytes()))
        rotated.unlink()
    with (logs / f"other.tracking.log-{step // 10}").open("ab") as file:
        file.writelines(share[1::2] + share[:2])


def state(home: Path) -> dict[str, Any]:
    """All that may not depend on how often a run was needed. Under which name a line was read may."""
    lake = Lake(home / "lake")
    events = [row for path in lake.events() for row in pq.ParquetFile(path).read().to_pylist()]
    facts = {
        folder.name: {
            part["part"]: (part["rows"], part["digest"]) for part in parted.load(folder).parts.to_pylist()
        }
        for folder in sorted((home / "lake" / "facts").iterdir())
    }
    return {
        "events": sorted(repr({**row, "source": None, "line": None}) for row in events),
        "quarantine": sorted((line.reason, line.data) for line in quarantined_lines(lake)),
        "sum": lake_status(lake, datetime(2024, 6, 1)).sum,
        "days": {
            str(day): sum(file.rows for file in files) for day, files in lake.state.events.items() if files
        },
        "facts": facts,
        "store": store(home / "result_store.sqlite"),
    }


TOLD = {"table_updates", "pharos_data_problem", "pharos_owner"}  # hold the moments of runs, and the lake's id


def store(path: Path) -> dict[str, list[str]]:
    """All rows of all results, without the times at which they were published."""
    database = sqlite3.connect(path)
    try:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: rows(database, table) for table in sorted(tables) if table not in TOLD}
    finally:
        database.close()


def rows(database: sqlite3.Connection, table: str) -> list[str]:
    columns = [column[1] for column in database.execute(f"PRAGMA table_info({table})")]
    kept = ", ".join(column for column in columns if column not in {"id", "created", "published", "edition"})
    return sorted(map(repr, database.execute(f"SELECT {kept} FROM {table}")))  # noqa: S608 - names of its own


@pytest.mark.slow
def test_killed_runs_leave_no_trace(tmp_path: Path, runner: Runner, campus: list[bytes]) -> None:
    draw = random.Random(5)
    logs, calm, stormy = tmp_path / "logs", tmp_path / "calm", tmp_path / "stormy"
    logs.mkdir()
    killed = 0
    for step in range(KILLS):
        grow(logs, campus, step)
        if draw.random() < 0.7:
            ended = runner.run(stormy, logs, change=draw.randrange(CHANGES))
        else:
            ended = runner.run(stormy, logs, seconds=draw.uniform(0, SECONDS))
        assert ended in {0, -signal.SIGKILL}
        killed += ended == -signal.SIGKILL
        if step % COMPARED_EVERY == COMPARED_EVERY - 1:
            assert runner.run(calm, logs) == runner.run(stormy, logs) == 0
            expected, found = state(calm), state(stormy)
            for part in expected:
                assert found[part] == expected[part], f"{part} at step {step}"
    assert killed > KILLS * 2 // 3
    assert expected["sum"].closes
    assert expected["sum"].events > 1000


def test_the_program_itself_is_killed(tmp_path: Path, campus: list[bytes]) -> None:
    (tmp_path / "tracking.log").write_bytes(b"".join(campus))
    command = [PHAROS, "run", "--home", str(tmp_path / "home"), "--until", "2026-03-16", "--logs"]
    for seconds in (0.8, 1.6, 2.4):
        with subprocess.Popen(
            [*command, str(tmp_path / "tracking.log")], stdout=subprocess.DEVNULL
        ) as program:
            time.sleep(seconds)
            program.kill()
    subprocess.run([*command, str(tmp_path / "tracking.log")], check=True, stdout=subprocess.DEVNULL)
    status = subprocess.run(
        [PHAROS, "status", "--json", "--home", str(tmp_path / "home")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    total = json.loads(status.stdout)["sum"]
    assert total["lines"] == len(campus)
    assert json.loads(status.stdout)["sum_closes"]
    assert total["events"] > 1000
