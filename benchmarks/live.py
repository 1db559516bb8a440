"""How long from a line written to a live log until the Data API shows it; memory of an idle `pharos serve`.

A simulated campus is history; then `pharos serve` follows a log to which one enrollment after the other is
written at random moments. Run it with
`python benchmarks live [--learners N --days N --times N --tail SECONDS]`.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import yaml
from benchmarks.data_api import free_port, wait_for
from rich.console import Console
from rich.table import Table

PROGRAM = str(Path(sys.executable).parent / "pharos")
COURSE = "course-v1:Bench+LIVE+1"
LOOK_S = 0.05
LOST_S = 300
QUIET_S = 20  # until the processes of a run have long ended


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--learners", type=int, default=2000)
    options.add_argument("--days", type=int, default=90)
    options.add_argument("--times", type=int, default=20)
    options.add_argument("--tail", type=float, default=10)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        size = ["--learners", str(chosen.learners), "--days", str(chosen.days)]
        pharos("demo", "--no-serve", *size, home=home)
        lines = json.loads(pharos("status", "--json", home=home))["sum"]["lines"]
        token = pharos("token", "create", "live", home=home).strip()
        with served(home, Path(folder) / "live", chosen.tail) as (url, pid):
            taken = [
                shown_after(Path(folder) / "live" / "tracking.log", url, token, number, chosen.tail)
                for number in range(1, chosen.times + 1)
            ]
            time.sleep(QUIET_S)
            idle = pss_mb(pid)
    table = Table("lines of history", "times", "p50 s", "p95 s", "max s", "idle MB", title="Live tail")
    p95 = statistics.quantiles(taken, n=20, method="inclusive")[-1] if len(taken) > 1 else taken[0]
    figures = [f"{seconds:.1f}" for seconds in (statistics.median(taken), p95, max(taken))]
    table.add_row(f"{lines:,}", str(len(taken)), *figures, f"{idle:.0f}")
    Console().print(table)


def pharos(*arguments: str, home: Path) -> str:
    """What a verb prints."""
    command = [PROGRAM, *arguments, "--home", str(home)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def served(home: Path, logs: Path, tail: float) -> Iterator[tuple[str, int]]:
    """`pharos serve` over the campus and a live log; the Data API's address and the number of the process."""
    logs.mkdir()
    (logs / "tracking.log").touch()
    api, web = free_port(), free_port()
    settings = {
        "home": str(home),
        "logs": {"sources": {"campus": {"paths": [str(home / "logs")]}, "live": {"paths": [str(logs)]}}},
        "lms": {"url": "http://127.0.0.1:9"},
        "data_api": {"port": api},
        "insights": {"port": web, "client_id": "bench", "client_secret": "x", "secret_key": "x"},
        "scheduler": {"tail_seconds": tail},
    }
    config = logs.with_name("pharos.yaml")
    config.write_text(yaml.safe_dump(settings))
    process = subprocess.Popen([PROGRAM, "serve", "--config", config])
    try:
        wait_for(api)
        wait_for(web)
        yield f"http://127.0.0.1:{api}", process.pid
    finally:
        process.terminate()
        process.wait()


def shown_after(log: Path, url: str, token: str, number: int, tail: float) -> float:
    """Seconds from the enrollment of one more learner until the Data API counts them."""
    time.sleep(random.uniform(0, tail))
    with log.open("a") as file:
        file.write(enrollment(number) + "\n")
    written = time.perf_counter()
    address = f"{url}/api/v0/courses/{COURSE}/enrollment/"
    while time.perf_counter() - written < LOST_S:
        answer = httpx.get(address, headers={"Authorization": f"Token {token}"})
        if answer.is_success and answer.json()[-1]["count"] == number:
            return time.perf_counter() - written
        time.sleep(LOOK_S)
    raise SystemExit(f"enrollment number {number} was not seen within {LOST_S} seconds")


def enrollment(number: int) -> str:
    """The line the LMS writes when a learner enrolls."""
    kind = "edx.course.enrollment.activated"
    context = {"course_id": COURSE, "org_id": "Bench", "user_id": 10**6 + number}
    return json.dumps(
        {
            "time": datetime.now(UTC).isoformat(),
            "event_type": kind,
            "name": kind,
            "event_source": "server",
            "username": f"live{number}",
            "context": context,
            "event": {"course_id": COURSE, "user_id": 10**6 + number, "mode": "audit"},
            "ip": "",
            "agent": "",
            "host": "",
            "page": None,
            "referer": "",
            "session": "",
        }
    )


def pss_mb(pid: int) -> float:
    """Memory of a process and its children; what they share counts once."""
    total = 0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for one in (str(pid), *children):
        text = Path(f"/proc/{one}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


if __name__ == "__main__":
    main()
