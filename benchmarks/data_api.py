"""How fast the Data API answers: 50 keep-alive clients, MariaDB, 5,000 courses and three years of days.

Prints, per endpoint, requests per second and the time to answer at the 50th, 95th and 99th percentile; once
for answers that must be made from the database ("first") and once as clients see them ("again"). Server,
database and clients share the machine. Run it with `python benchmarks/data_api.py [--courses N --days N]`.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from pharos.data_api.tokens import create_token
from pharos.result_store import store, tables
from pharos.result_store.store import Publication

CLIENTS = 50
SECONDS = 5
MODES = ("audit", "honor", "verified")
FIRST_DAY = date(2028, 1, 1)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--courses", type=int, default=5000)
    options.add_argument("--days", type=int, default=3 * 365)
    given = options.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder, mariadb(Path(folder)) as url:
        started = time.perf_counter()
        rows, token = fill(url, given.courses, given.days)
        took = time.perf_counter() - started
        console.print(f"{rows:,} rows published in {took:.1f} s ({rows / took:,.0f} rows/s)")
        with served(url) as port:
            console.print(measured(port, token, given.courses, given.days))


# --- The store -------------------------------------------------------------------------------------------


@contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """A private server with an empty database."""
    shutil.chown(folder, "nobody") if Path("/proc/self").owner() == "root" else None
    user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]
    port, data = free_port(), folder / "data"
    subprocess.run(
        [*user, "mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    initial = folder / "initial.sql"
    initial.write_text("CREATE USER bench IDENTIFIED BY 'bench';\nGRANT ALL ON *.* TO bench;\n")
    command = [
        shutil.which("mariadbd") or "/usr/sbin/mariadbd",
        "--no-defaults",
        f"--datadir={data}",
        f"--port={port}",
        f"--socket={folder}/socket",
        f"--pid-file={folder}/pid",
        f"--init-file={initial}",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--innodb-buffer-pool-size=1G",
        "--innodb-log-file-size=512M",
        "--innodb-flush-log-at-trx-commit=2",
    ]
    server = subprocess.Popen([*user, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield f"mysql+pymysql://bench:bench@127.0.0.1:{port}/reports"
    finally:
        server.terminate()
        server.wait()


def fill(url: str, courses: int, days: int) -> tuple[int, str]:
    """Publish the days of all courses; the number of rows, and a token."""
    store.upgrade(url)
    engine = store.connect(url)
    publication = Publication(
        fingerprint="bench",
        until=datetime.combine(FIRST_DAY, datetime.min.time()) + timedelta(days=days),
        last_event=None,
        version=1,
    )
    every = np.arange(courses * days)
    names = pa.array([course(number) for number in range(courses)])
    ids = names.take(pa.array(every // days))
    dates = pa.array((every % days).astype("int32") + (FIRST_DAY - date(1970, 1, 1)).days).cast(pa.date32())
    counts = pa.array((every * 7919) % 100_000)
    daily = pa.table({"course_id": ids, "date": dates, "count": counts, "cumulative_count": counts})
    rows = store.publish(engine, tables.course_enrollment_daily, daily, publication)
    last = daily.slice(0, courses).set_column(0, "course_id", names)
    modes = pa.concat_tables(
        [last.append_column("mode", pa.array([mode] * courses)) for mode in MODES]
    ).set_column(1, "date", dates.take(pa.array([0] * courses * len(MODES))))
    rows += store.publish(engine, tables.course_enrollment_mode_daily, modes, publication)
    rows += store.publish(engine, tables.course_meta_summary_enrollment, summaries(names), publication)
    rows += store.publish(engine, tables.course_activity, activity(names, 52), publication)
    token = create_token(engine, "bench", requests_per_minute=10**9)
    engine.dispose()
    return rows, token


def course(number: int) -> str:
    return f"course-v1:Org{number % 50}+C{number}+2031_T1"


def summaries(names: pa.Array) -> pa.Table:
    count = len(names) * len(MODES)
    numbers = pa.array(range(count), pa.int64())
    return pa.table(
        {
            "course_id": pa.concat_arrays([names] * len(MODES)),
            "enrollment_mode": [mode for mode in MODES for _ in range(len(names))],
            "catalog_course_title": ["A course with a title of usual length"] * count,
            "catalog_course": ["Org+C"] * count,
            "start_time": pa.array([datetime.combine(FIRST_DAY, datetime.min.time())] * count),
            "end_time": pa.nulls(count, pa.timestamp("us")),
            "pacing_type": ["self_paced"] * count,
            "availability": ["Current"] * count,
            "count": numbers,
            "count_change_7_days": numbers,
            "cumulative_count": numbers,
            "passing_users": numbers,
        }
    )


def activity(names: pa.Array, weeks: int) -> pa.Table:
    labels = ("ACTIVE", "ATTEMPTED_PROBLEM", "PLAYED_VIDEO", "POSTED_FORUM")
    monday = datetime(2030, 1, 7)  # noqa: DTZ001 - UTC by definition
    grid = [(week, label) for week in range(weeks) for label in labels]
    starts = [monday + timedelta(weeks=week) for week, _ in grid]
    size = len(names) * len(grid)
    return pa.table(
        {
            "course_id": names.take(pa.array(np.repeat(np.arange(len(names)), len(grid)))),
            "interval_start": pa.array(starts * len(names)),
            "interval_end": pa.array([start + timedelta(weeks=1) for start in starts] * len(names)),
            "label": [label for _, label in grid] * len(names),
            "count": pa.array(range(size), pa.int64()),
        }
    )


# --- The server ------------------------------------------------------------------------------------------


SERVER = """
import sys, uvicorn
from pharos.config import Settings
from pharos.data_api.app import create_app
app = create_app(Settings(result_store={"url": sys.argv[1]}))
uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
"""


@contextmanager
def served(url: str) -> Iterator[int]:
    """The Data API in a process of its own."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", SERVER, url, str(port)])
    try:
        wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(0.5)
                return
        time.sleep(0.1)
    raise TimeoutError(port)


# --- The clients -----------------------------------------------------------------------------------------


def measured(port: int, token: str, courses: int, days: int) -> Table:
    """Each endpoint under load. `{}` is a course: with many courses each answer is made anew."""
    start = (FIRST_DAY + timedelta(days=max(0, days - 500))).isoformat()
    endpoints = {
        "enrollment, newest day": "courses/{}/enrollment/",
        "enrollment, 500 days": f"courses/{{}}/enrollment/?start_date={start}",
        "enrollment, 500 days, CSV": f"courses/{{}}/enrollment.csv?start_date={start}",
        "enrollment by mode": "courses/{}/enrollment/mode/",
        "activity, newest week": "courses/{}/activity/",
        "activity, 52 weeks": "courses/{}/activity/?start_date=2030-01-01",
        "course summaries, 10 courses": "course_summaries/?course_ids={}",
        f"course summaries, all {courses:,}": "course_summaries/",
    }
    table = Table("endpoint", "answers", "requests/s", "p50 ms", "p95 ms", "p99 ms", "worst ms")
    for column in table.columns[2:]:
        column.justify = "right"
    for name, path in endpoints.items():
        for answers in ("first", "again"):
            paths = requested(path, answers, courses)
            clients = min(CLIENTS, len(paths)) if answers == "first" else CLIENTS
            times, took = asyncio.run(load(port, token, paths, clients, once=answers == "first"))
            times.sort()
            at = [times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.95, 0.99)]
            figures = [f"{value * 1000:.1f}" for value in (*at, times[-1])]
            table.add_row(name, answers, f"{len(times) / took:,.0f}", *figures)
    return table


def requested(path: str, answers: str, courses: int) -> list[str]:
    if "{}" not in path:
        return [path]
    numbers = range(courses) if answers == "first" else range(10)
    return [path.format(quote(course(number), safe="")) for number in numbers]


async def load(
    port: int, token: str, paths: list[str], clients: int, *, once: bool
) -> tuple[list[float], float]:
    """Seconds each answer took, and all together. `once`: each path is asked for at most once."""
    times: list[float] = []
    started = time.perf_counter()
    shares = [paths[number::clients] or paths for number in range(clients)]
    limits = [len(share) if once else None for share in shares]
    asking = (ask(port, token, *share, times) for share in zip(shares, limits, strict=True))
    await asyncio.gather(*asking)
    return times, time.perf_counter() - started


async def ask(port: int, token: str, paths: list[str], limit: int | None, times: list[float]) -> None:
    """One client: a request after the other on one connection. Raw, so that it costs little."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS and done != limit:
        path = paths[done % len(paths)]
        request = f"GET /api/v1/{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Token {token}\r\nAccept-Encoding: gzip\r\n\r\n"
        begun = time.perf_counter()
        writer.write(request.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        times.append(time.perf_counter() - begun)
        done += 1
    writer.close()


if __name__ == "__main__":
    main()
