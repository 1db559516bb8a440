"""How fast the Data API answers: 50 keep-alive clients, MariaDB, 5,000 courses and three years of days.

Prints, per endpoint, requests per second and the time to answer at the 50th, 95th and 99th percentile:

    first    each course asked for the first time, by all clients as fast as they are answered
    paced    the same at two requests a second by each client
    again    the courses of `first` again, as fast as they are answered

and how fast and with how much memory whole tables are exported. Server, database and clients share the
machine; the server is as many processes on one port as there are processors, or `--processes`. Run it with
`python benchmarks data_api [--courses N --days N --processes N --only PART_OF_A_NAME]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from pharos.data_api.tokens import create_token
from pharos.result_store import store, tables
from pharos.result_store.store import Publication

CLIENTS = 50
SECONDS = 3
PAUSE_S = 0.5
MODES = ("audit", "honor", "verified")
FIRST_DAY = date(2020, 1, 1)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--courses", type=int, default=5000)
    options.add_argument("--days", type=int, default=3 * 365)
    options.add_argument("--processes", type=int, default=os.cpu_count())
    options.add_argument("--only", default="", help="endpoints whose name holds this; then no exports")
    given = options.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 110)
    with tempfile.TemporaryDirectory() as folder, mariadb(Path(folder)) as url:
        started = time.perf_counter()
        rows, token = fill(url, given.courses, given.days)
        took = time.perf_counter() - started
        console.print(f"{rows:,} rows published in {took:.1f} s ({rows / took:,.0f} rows/s)")
        with served(url, Path(folder), given.processes) as (port, processes):
            console.print(asyncio.run(measured(port, token, given.courses, given.days, given.only)))
            if not given.only:
                console.print(exported(port, token, processes))


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
    for table, columns in small_tables(names, dates[0]).items():
        rows += store.publish(engine, table, pa.table(columns), publication)
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


VIDEOS, ANSWERS = 10, 20  # of a course


def small_tables(names: pa.Array, day: pa.Scalar) -> dict[sa.Table, dict[str, object]]:
    """A day by gender, the videos and the answers of each course."""
    size = len(names)

    def ids(times: int) -> pa.Array:
        return names.take(pa.array(np.repeat(np.arange(size), times)))

    def same(value: object, times: int) -> pa.Array:
        return pa.repeat(pa.scalar(value), times * size)

    videos = [f"v{number}" for number in range(VIDEOS)] * size
    problems = [f"block{number // 4}" for number in range(ANSWERS)] * size
    return {
        tables.course_enrollment_gender_daily: {
            "course_id": ids(4),
            "date": same(day, 4),
            "gender": ["f", "m", "o", None] * size,
            "count": same(1, 4),
            "cumulative_count": same(1, 4),
        },
        tables.video: {
            "course_id": ids(VIDEOS),
            "pipeline_video_id": pc.binary_join_element_wise(ids(VIDEOS), videos, "|"),
            "encoded_module_id": videos,
            **{name: same(100, VIDEOS) for name in VIDEO_NUMBERS},
        },
        tables.answer_distribution: {
            "course_id": ids(ANSWERS),
            "module_id": problems,
            "part_id": problems,
            "correct": [True, False] * (ANSWERS // 2) * size,
            "value_id": [f"choice_{number}" for number in range(ANSWERS)] * size,
            "answer_value_text": same("An answer", ANSWERS),
            "answer_value_numeric": pa.nulls(ANSWERS * size),
            "variant": pa.nulls(ANSWERS * size),
            "problem_display_name": same("A problem", ANSWERS),
            "question_text": same("A question?", ANSWERS),
            "first_response_count": same(5, ANSWERS),
            "last_response_count": same(7, ANSWERS),
        },
    }


VIDEO_NUMBERS = ("duration", "segment_length", "users_at_start", "users_at_end", "total_viewed_seconds")


# --- The server ------------------------------------------------------------------------------------------


@contextmanager
def served(url: str, home: Path, processes: int) -> Iterator[tuple[int, list[int]]]:
    """The Data API in processes of its own: port and process ids."""
    port, program = free_port(), str(Path(sys.executable).with_name("pharos"))
    settings = {
        "PHAROS_RESULT_STORE__URL": url,
        "PHAROS_DATA_API__SHARED_PORT": "true",
        "PHAROS_LOGGING__FORMAT": "json",
    }
    command = [program, "data-api", "--port", str(port), "--home", str(home / "home")]
    with (home / "log").open("wb") as log:
        servers = [subprocess.Popen(command, env=os.environ | settings, stderr=log) for _ in range(processes)]
    try:
        while (home / "log").read_text().count('"serving"') < processes:
            if any(server.poll() is not None for server in servers):
                raise RuntimeError((home / "log").read_text())
            time.sleep(0.1)
        yield port, [server.pid for server in servers]
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
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


Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def measured(port: int, token: str, courses: int, days: int, only: str) -> Table:
    """Each endpoint under load; `{}` is a course."""
    start = (FIRST_DAY + timedelta(days=max(0, days - 500))).isoformat()
    endpoints = {
        "enrollment, newest day": "courses/{}/enrollment/",
        "enrollment, 500 days": f"courses/{{}}/enrollment/?start_date={start}",
        "enrollment, 500 days, CSV": f"courses/{{}}/enrollment.csv?start_date={start}",
        "enrollment by mode": "courses/{}/enrollment/mode/",
        "enrollment by gender": "courses/{}/enrollment/gender/",
        "activity, newest week": "courses/{}/activity/",
        "activity, 52 weeks": "courses/{}/activity/?start_date=2030-01-01",
        "problems": "courses/{}/problems/",
        "videos": "courses/{}/videos/",
        "summary of a course": "course_summaries/?course_ids={}",
        f"summaries of all {courses:,}": "course_summaries/",
        "the same, by text": "course_summaries/?text_search=c1",
        "the same, recent date": "course_summaries/?recent_date=2021-06-01",
        "metrics": "metrics/",
    }
    table = Table("endpoint", "answers", "requests/s", "p50 ms", "p95 ms", "p99 ms", "worst ms")
    for column in table.columns[2:]:
        column.justify = "right"
    half = courses // 2
    chosen = {name: path for name, path in endpoints.items() if only in name}
    async with connected(port) as clients:  # what a process does once is not what is measured
        await load(clients, token, shared(["courses/a%2Fb%2Fc/problems/"]), once=True, found=404)
    for name, path in chosen.items():
        async with connected(port) as clients:  # each asks the same process again: it keeps what it made
            if "{}" in path:
                first = shared([path.format(quote(course(number), safe="")) for number in range(half)])
                paced = shared(
                    [path.format(quote(course(number), safe="")) for number in range(half, courses)]
                )
                done = add_row(table, name, "first", await load(clients, token, first, once=True))
                add_row(table, "", "paced", await load(clients, token, paced, once=True, pause=PAUSE_S))
                again = [share[: max(1, count)] for share, count in zip(first, done, strict=True)]
            else:
                again = [[path]] * CLIENTS
                add_row(table, name, "first", await load(clients[:1], token, again[:1], once=True))
            add_row(table, "", "again", await load(clients, token, again))
    return table


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[list[Client]]:
    """The connections of the clients, kept alive."""
    clients = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CLIENTS)]
    yield clients
    for _, writer in clients:
        writer.close()


def shared(paths: list[str]) -> list[list[str]]:
    """The paths, divided among the clients."""
    return [paths[number::CLIENTS] or paths for number in range(CLIENTS)]


def add_row(table: Table, name: str, answers: str, found: tuple[list[list[float]], float]) -> list[int]:
    """A line of figures; how many answers each client got."""
    by_client, took = found
    times = sorted(time for times in by_client for time in times)
    at = [times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.95, 0.99)]
    table.add_row(
        name, answers, f"{len(times) / took:,.0f}", *(f"{1000 * value:.1f}" for value in (*at, times[-1]))
    )
    return [len(times) for times in by_client]


async def load(
    clients: list[Client],
    token: str,
    shares: list[list[str]],
    *,
    once: bool = False,
    pause: float = 0,
    found: int = 200,
) -> tuple[list[list[float]], float]:
    """Seconds that each answer to each client took, and all together. `once`: each path at most once."""
    started = time.perf_counter()
    asking = (
        ask(client, token, share, len(share) if once else None, pause, found)
        for client, share in zip(clients, shares, strict=True)
    )
    return await asyncio.gather(*asking), time.perf_counter() - started


async def ask(
    client: Client, token: str, paths: list[str], limit: int | None, pause: float, found: int
) -> list[float]:
    """One client: a request after the other on its connection. Raw, so that it costs little."""
    reader, writer = client
    times: list[float] = []
    started = time.perf_counter()
    while time.perf_counter() - started < SECONDS and len(times) != limit:
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        path = paths[len(times) % len(paths)]
        begun = time.perf_counter()
        writer.write(request(path, token))
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 %d" % found):
            raise RuntimeError(head.decode())
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        times.append(time.perf_counter() - begun)
    return times


def request(path: str, token: str) -> bytes:
    """As most clients ask: they take compressed answers."""
    return (
        f"GET /api/v1/{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Token {token}\r\n"
        "Accept-Encoding: gzip\r\n\r\n"
    ).encode()


def exported(port: int, token: str, processes: list[int]) -> Table:
    """The largest table in each form, and how much memory a process of the server used at most by then."""
    table = Table("export of course_enrollment_daily", "MB", "seconds", "MB/s", "server's peak memory MB")
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("before", "", "", "", f"{peak_mb(processes):.0f}")
    for form in ("csv", "ndjson", "parquet"):
        url = f"http://127.0.0.1:{port}/api/v1/tables/course_enrollment_daily.{form}"
        headers = {"Authorization": f"Token {token}", "Accept-Encoding": "identity"}
        began, size = time.perf_counter(), 0
        with httpx.stream("GET", url, headers=headers, timeout=600) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_raw():
                size += len(chunk)
        took = time.perf_counter() - began
        table.add_row(
            form, f"{size / 1e6:.0f}", f"{took:.1f}", f"{size / 1e6 / took:.1f}", f"{peak_mb(processes):.0f}"
        )
    return table


def peak_mb(processes: list[int]) -> float:
    statuses = [Path(f"/proc/{process}/status").read_text() for process in processes]
    return max(int(status.partition("VmHWM:")[2].split()[0]) for status in statuses) / 1024


if __name__ == "__main__":
    main()
