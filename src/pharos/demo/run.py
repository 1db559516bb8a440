"""`pharos demo`: a simulated campus on disk, computed, and served until Ctrl-C.

A campus in home with the same parameters is used again, another one is replaced; a home with any other
content is not touched.
"""

from __future__ import annotations

import json
import shutil
import signal
import threading
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType

from pydantic import SecretStr
from rich.console import Console, Group
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pharos.config import Logs, Privacy, Settings
from pharos.demo.campus import Campus
from pharos.demo.lms_database import write_lms_database
from pharos.demo.log_files import write_logs
from pharos.demo.releases import NEWEST, Release
from pharos.demo.serving import Addresses, lms_alone, serving
from pharos.errors import PharosError
from pharos.pipeline.ingestion import OnProgress
from pharos.pipeline.run import run_pipeline

LEARNERS, DAYS, SEED = 2000, 90, 1
MARKER = "demo.json"
LOGS = "logs"
DATABASE = "lms.sqlite"


class HomeTaken(PharosError):
    """Home contains something other than a demo."""

    def __init__(self, home: Path, found: str) -> None:
        super().__init__(home, found)
        self.home, self.found = home, found

    def __str__(self) -> str:
        return (
            f"{self.home} holds {self.found}, which no demo has made; the demo would have to replace it. "
            "Give the demo a folder of its own with --home."
        )


def run_demo(
    settings: Settings,
    *,
    serve: bool,
    learners: int = LEARNERS,
    days: int = DAYS,
    seed: int = SEED,
    until: date | None = None,
    release: Release = NEWEST,
) -> None:
    """Simulate, compute and, with `serve`, show a campus. `until` (UTC) is today when not given.

    The LMS stand-in behaves like one of the `release`.

    Raises HomeTaken, and what the pipeline and the services raise.
    """
    console = Console()
    campus = Campus(seed=seed, learners=learners, days=days, until=until or datetime.now(UTC).date())
    settings = settings_of_demo(settings)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        report = _reporter(bars)
        events = prepare(settings.home, campus, report, release)
        with lms_alone(settings, campus, release) as with_lms:
            run_pipeline(with_lms, until=campus.end.replace(tzinfo=None), progress=report)
    console.print(f"{events:,} events of {learners:,} learners are in {settings.home / LOGS}")
    if serve:
        with serving(settings, campus, release) as addresses:
            console.print(_welcome(campus, addresses))
            _wait_for_end()
        console.print("Stopped.")


def prepare(home: Path, campus: Campus, report: OnProgress, release: Release = NEWEST) -> int:
    """Write logs and LMS database of the campus below `home`, unless they exist; return the number of events.

    The marker file is written first, so that an interrupted demo is recognised, and completed last.
    """
    marker = home / MARKER
    wanted = {
        "seed": campus.seed,
        "learners": campus.learners,
        "days": campus.days,
        "until": campus.until.isoformat(),
        "release": release.value,
    }
    found = json.loads(marker.read_text("utf-8")) if marker.is_file() else None
    if found is not None and {key: found.get(key) for key in wanted} == wanted and "events" in found:
        return int(found["events"])
    _clear(home, ours=found is not None)
    home.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps(wanted), "utf-8")
    summary = write_logs(home / LOGS, campus, lambda done, days: report("Simulating the campus", done, days))
    write_lms_database(home / DATABASE, campus, summary.records, release)
    counts = ("lines", "events", "twice", "damaged", "blank", "late", "size_bytes")
    complete = {**wanted, **{name: getattr(summary, name) for name in counts}}
    marker.write_text(json.dumps(complete, indent=1), "utf-8")
    return summary.events


def settings_of_demo(settings: Settings) -> Settings:
    """The settings with the logs and the database of the demo. Its learners are invented, so they are shown
    in full.
    """
    database = f"sqlite:///{(settings.home / DATABASE).resolve()}"
    return settings.model_copy(
        update={
            "logs": Logs.model_validate({"sources": {"campus": {"paths": [str(settings.home / LOGS)]}}}),
            "lms": settings.lms.model_copy(update={"database": SecretStr(database)}),
            "data_api": settings.data_api.model_copy(update={"learners": True}),
            "privacy": Privacy(mode="full"),
        }
    )


def _clear(home: Path, *, ours: bool) -> None:
    """Remove the files of an earlier demo, and nothing else. Raises HomeTaken."""
    store = [f"result_store.sqlite{ending}" for ending in ("", "-wal", "-shm")]
    for name in (LOGS, DATABASE, "lake", *store):
        path = home / name
        if not path.exists():
            continue
        if not ours:
            raise HomeTaken(home, name)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _reporter(bars: Progress) -> OnProgress:
    """A progress callback that shows each stage as a separate bar."""
    tasks: dict[str, TaskID] = {}

    def report(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage[:1].upper() + stage[1:])
        bars.update(tasks[stage], completed=done, total=total)

    return report


def _welcome(campus: Campus, addresses: Addresses) -> Panel:
    """The addresses, and the names and passwords to sign in with."""
    table = Table.grid(padding=(0, 2))
    table.add_row("[bold]Insights[/bold]", f"[bold]{addresses.insights}[/bold]", "the pages; start here")
    table.add_row("Data API", addresses.data_api, "its answers; Authorization: Token …")
    table.add_row("LMS stand-in", addresses.lms, "where signing in happens")
    table.add_row("")
    table.add_row("[bold]Sign in as[/bold]", "[bold]Password[/bold]", "")
    for person in campus.personas:
        table.add_row(person.username, person.password, person.role)
    token = Text(f"Token {addresses.token}")
    return Panel(
        Group(table, "", token), title="Pharos demo", subtitle="Ctrl-C stops it", expand=False, padding=(1, 2)
    )


def _wait_for_end() -> None:
    """Return at SIGINT (Ctrl-C) or SIGTERM."""
    end = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        end.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        end.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
