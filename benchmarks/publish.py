"""How long a run takes and what it writes: for the first time, and for one more day.

python benchmarks publish                           # 5,000 courses, 3 years, 100,000 enrollment events
python benchmarks publish --courses 500 --stores sqlite
python benchmarks publish --history                 # one more day on 30 days and on 5 years of the same days

Rows written are those deleted, inserted or stamped in the Result Store. The last column is the ratio of one
more day to the first run of the same store.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from benchmarks.data_api import free_port, mariadb, wait_for
from benchmarks.measuring import Measured, run
from rich.console import Console
from rich.table import Table

from pharos.facts.enrollment import ACTIVATED, DEACTIVATED, MODE_CHANGED

OUT = Path(__file__).parent / "out" / "publish"
START = datetime(2021, 3, 1)  # noqa: DTZ001 - UTC, naive
MODES = ("audit", "audit", "audit", "verified")
STORES = ("sqlite", "mariadb", "postgresql")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--courses", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=3 * 365)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--more", type=int, default=200, help="events of the day after")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    parser.add_argument("--history", action="store_true")
    chosen = parser.parse_args()
    console = Console(width=120)
    if chosen.history:
        console.print(history())
    else:
        console.print(stores(chosen))
    shutil.rmtree(OUT, ignore_errors=True)


def stores(chosen: argparse.Namespace) -> Table:
    """A first run and one more day on each database."""
    table = Table("store", "run", "wall s", "cpu s", "peak MB", "rows written", "file MB", "ratio")
    for name in chosen.stores:
        with _store(name) as url:
            home = _fresh(f"home-{name}")
            logs = home / "logs"
            written = {}
            _write(logs / "history.log", chosen.courses, 0, chosen.days, chosen.events, seed=1)
            written["first"] = _run(home, url, chosen.days)
            _write(logs / "next.log", chosen.courses, chosen.days, 1, chosen.more, seed=2)
            written["one more day"] = _run(home, url, chosen.days + 1)
            written["nothing new"] = _run(home, url, chosen.days + 1)
            for what, (measured, rows) in written.items():
                file = home / "result_store.sqlite"
                size = f"{file.stat().st_size / 1e6:,.0f}" if name == "sqlite" else ""
                ratio = f"{measured.wall_s / written['first'][0].wall_s:.3f}"
                table.add_row(name, what, *_shown(measured), f"{rows:,}", size, ratio)
    return table


def history() -> Table:
    """One more day of 500 events in 200 courses, on histories of the same days."""
    table = Table("history", "run", "wall s", "cpu s", "peak MB", "rows written", "ratio")
    base = 0.0
    for days in (30, 5 * 365):
        home = _fresh(f"history-{days}")
        _write(home / "logs" / "history.log", 200, 0, days, 500 * days, seed=1)
        first = _run(home, None, days)
        _write(home / "logs" / "next.log", 200, days, 1, 500, seed=2)
        more = _run(home, None, days + 1)
        base = base or more[0].wall_s
        table.add_row(f"{days:,} days", "first", *_shown(first[0]), f"{first[1]:,}", "")
        ratio = f"{more[0].wall_s / base:.2f}"
        table.add_row("", "one more day", *_shown(more[0]), f"{more[1]:,}", ratio)
    return table


def _fresh(name: str) -> Path:
    home = OUT / name
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    return home


def _write(path: Path, courses: int, first_day: int, days: int, events: int, *, seed: int) -> None:
    """A log of enrollment events, in the order of time: learners come, leave and change their mode."""
    rng = Random(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    moments = sorted(rng.uniform(0, days * 86_400) for _ in range(events))
    with path.open("w", encoding="utf-8") as file:
        for number, seconds in enumerate(moments):
            moment = START + timedelta(days=first_day, seconds=seconds)
            kind = rng.choices((ACTIVATED, DEACTIVATED, MODE_CHANGED), (6, 2, 2))[0]
            user = rng.randrange(1, 60_000) if number else 1
            course = f"course-v1:UniX+C{rng.randrange(courses):05}+2023"
            file.write(json.dumps(_line(moment, kind, user, course, rng.choice(MODES))) + "\n")


def _line(moment: datetime, kind: str, user: int, course: str, mode: str) -> dict[str, object]:
    return {
        "name": kind, "event_type": kind, "event_source": "server", "time": f"{moment.isoformat()}+00:00",
        "username": f"user{user}", "session": "", "ip": f"87.32.{user % 4}.{user % 250}", "agent": "",
        "host": "lms.example.org", "page": None, "referer": "", "accept_language": "en",
        "context": {"user_id": user, "course_id": course, "org_id": "UniX", "path": "/"},
        "event": {"course_id": course, "user_id": user, "mode": mode},
    }  # fmt: skip


def _run(home: Path, url: str | None, days: int) -> tuple[Measured, int]:
    """A whole `pharos run`, and the rows it wrote."""
    report = home / "report.json"
    until = str(START + timedelta(days=days))
    command = [sys.executable, str(Path(__file__).parent), "publish"]
    command += ["--of-run", str(home), url or "", until, str(report)]
    measured = run(command)
    return measured, json.loads(report.read_text())["rows_written"]


def _run_here(home: Path, url: str, until: str, report: Path) -> None:
    """Run the program as an operator does; its report goes to a file."""
    store = {"PHAROS_RESULT_STORE__URL": url} if url else {}
    done = subprocess.run(
        [Path(sys.executable).with_name("pharos"), "run", "--home", home, "--logs", home / "logs",
         "--until", until.replace(" ", "T"), "--log-format", "json"],
        env={"PATH": "/usr/bin:/bin"} | store, check=True, capture_output=True, text=True,
    )  # fmt: skip
    told = [json.loads(line) for line in done.stderr.splitlines() + done.stdout.splitlines() if "{" in line]
    report.write_text(json.dumps(next(line for line in told if "rows_written" in line)))


@contextmanager
def _store(name: str) -> Iterator[str | None]:
    """The address of an empty store; None for the file below the home."""
    if name == "sqlite":
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = mariadb if name == "mariadb" else postgresql
        with server(Path(folder)) as url:
            yield url


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A private server with an empty database."""
    is_root = Path("/proc/self").owner() == "root"
    user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"] if is_root else []
    if is_root:
        shutil.chown(folder, "nobody", "nogroup")
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    data, port = folder / "data", free_port()
    prepare = [
        f"{programs}/initdb",
        f"--pgdata={data}",
        "--username=bench",
        "--auth=trust",
        "--encoding=UTF8",
    ]
    subprocess.run([*user, *prepare], check=True, capture_output=True, cwd=folder)
    command = [
        f"{programs}/postgres", "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder),
        "-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB",
    ]  # fmt: skip
    server = subprocess.Popen([*user, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield f"postgresql+psycopg://bench@127.0.0.1:{port}/reports"
    finally:
        server.terminate()
        server.wait()


def _shown(measured: Measured) -> tuple[str, str, str]:
    return f"{measured.wall_s:.1f}", f"{measured.cpu_s:.1f}", f"{measured.peak_mb:,.0f}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--of-run"]:
        _run_here(Path(sys.argv[2]), sys.argv[3], sys.argv[4], Path(sys.argv[5]))
    else:
        main()
