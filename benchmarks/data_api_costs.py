"""What an answer of the Data API costs: processor time per request, the database's included, MariaDB.

Prints, per endpoint, milliseconds of the server and of the database, for answers that are asked for the first
time (every course and range of days once, by one client) and asked again. The original's costs are estimates,
in units of a fixed piece of work that is timed in this run: see ORIGINAL.

Run it with `python benchmarks data_api_costs [--requests N --only PART --program PHAROS]`; a `--program` of
another checkout is measured in turns with this one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from benchmarks.data_api import course, free_port, mariadb, summaries
from rich.console import Console
from rich.table import Table

from pharos.data_api.tokens import create_token
from pharos.result_store import store, tables
from pharos.result_store.store import Publication

COURSES, DAYS, WEEKS = 5_000, 141, 52
WITH_MODES = 1_000  # courses that have days by mode
PROBLEMS, ANSWERS, PROGRAMS = 10, 4, 2  # of a course; answers of a problem
MODES = ("audit", "honor", "verified")
LABELS = ("ACTIVE", "ATTEMPTED_PROBLEM", "PLAYED_VIDEO", "POSTED_FORUM")
FIRST_DAY = date(2030, 1, 7)  # a Monday
ROUNDS = 4

ORIGINAL = {
    "status": 19,
    "enrollment, 30 days": 39,
    "enrollment by mode, 141 days": 89,
    "activity, newest week": 27,
    "problems": 14,
    "answers": 108,
    "summaries of 3 courses with programs": 86,
}
"""Units per request. Estimated: the ratios that were once measured beside the original (9.6, 3.5, 2.7, 2.7,
1.1, 9.5, 0.24), times the units that our release of that time took here (2, 11, 33, 10, 13, 11, 360).
The requests of that measurement were of the same kinds as these, not the same.
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of processor time for a number of requests."""

    server: float = 0
    database: float = 0
    requests: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.server + other.server, self.database + other.database, self.requests + other.requests
        )

    @property
    def ms(self) -> float:
        return 1000 * (self.server + self.database) / self.requests


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=200)
    options.add_argument("--only", default="")
    options.add_argument("--program", action="append", default=[])
    given = options.parse_args()
    programs = [str(Path(sys.executable).with_name("pharos")), *given.program]
    console = Console(width=None if sys.stdout.isatty() else 130)
    with tempfile.TemporaryDirectory() as name, mariadb(Path(name)) as url, ExitStack() as stack:
        folder = Path(name)
        token = fill(url)
        database = int((folder / "pid").read_text())
        servers = [stack.enter_context(served(program, url, folder)) for program in programs]
        for program, _ in servers:
            console.print(program)
        console.print(compared(servers, database, token, given.requests, given.only))


def fill(url: str) -> str:
    """Publish the tables of the endpoints; a token."""
    store.upgrade(url)
    engine = store.connect(url)
    names = pa.array([course(number) for number in range(COURSES)])
    publication = Publication(
        fingerprint="bench",
        until=datetime.combine(FIRST_DAY, datetime.min.time()) + timedelta(days=DAYS),
        last_event=None,
        version=1,
    )
    for table, rows in rows_of(names).items():
        store.publish(engine, table, rows, publication)
    token = create_token(engine, "bench", requests_per_minute=10**9)
    engine.dispose()
    return token


def grid(names: pa.Array, *sizes: int) -> list[pa.Array]:
    """The names and the numbers of each size, all combined, the last running fastest."""
    axes = np.meshgrid(np.arange(len(names)), *map(np.arange, sizes), indexing="ij")
    first, *others = (pa.array(axis.ravel()) for axis in axes)
    return [names.take(first), *others]


def rows_of(names: pa.Array) -> dict[sa.Table, pa.Table]:
    """The rows of each table."""
    dates = pa.array([FIRST_DAY + timedelta(days=number) for number in range(DAYS)])
    starts = pa.array(
        [
            datetime.combine(FIRST_DAY, datetime.min.time()) + timedelta(weeks=number)
            for number in range(WEEKS + 1)
        ]
    )
    found = {tables.course_meta_summary_enrollment: summaries(names)}
    ids, day = grid(names, DAYS)
    found[tables.course_enrollment_daily] = pa.table(
        {"course_id": ids, "date": dates.take(day), "count": day, "cumulative_count": day}
    )
    ids, day, mode = grid(names[:WITH_MODES], DAYS, len(MODES))
    found[tables.course_enrollment_mode_daily] = pa.table(
        {
            "course_id": ids,
            "date": dates.take(day),
            "mode": pa.array(MODES).take(mode),
            "count": day,
            "cumulative_count": day,
        }
    )
    ids, week, label = grid(names, WEEKS, len(LABELS))
    found[tables.course_activity] = pa.table(
        {
            "course_id": ids,
            "interval_start": starts.take(week),
            "interval_end": starts.take(pc.add(week, 1)),
            "label": pa.array(LABELS).take(label),
            "count": week,
        }
    )
    ids, number = grid(names, PROGRAMS)
    codes = pa.array([f"{program:08d}-0000-4000-8000-000000000000" for program in range(COURSES)])
    found[tables.course_program_metadata] = pa.table(
        {
            "course_id": ids,
            "program_id": codes.take(
                pa.array(np.arange(len(ids)) // PROGRAMS // 10 + np.asarray(number) * (COURSES // 2))
            ),
            "program_type": pa.repeat("MicroMasters", len(ids)),
            "program_title": pa.repeat("A program", len(ids)),
        }
    )
    found[tables.answer_distribution] = answers(names)
    return found


def answers(names: pa.Array) -> pa.Table:
    ids, problem, answer = grid(names, PROBLEMS, ANSWERS)
    modules = pa.array(
        [module(number, each) for number in range(len(names)) for each in range(PROBLEMS)]
    ).take(pa.array(np.arange(len(ids)) // ANSWERS))
    size = len(ids)
    return pa.table(
        {
            "course_id": ids,
            "module_id": modules,
            "part_id": pc.binary_join_element_wise(modules, "2_1", "_"),
            "correct": pc.equal(answer, 0),
            "value_id": pa.array([f"choice_{each}" for each in range(ANSWERS)]).take(answer),
            "answer_value_text": pa.repeat("An answer of usual length", size),
            "answer_value_numeric": pa.nulls(size),
            "variant": pa.nulls(size),
            "problem_display_name": pa.repeat("A problem", size),
            "question_text": pa.repeat("Which of these is a question of usual length?", size),
            "first_response_count": problem,
            "last_response_count": answer,
        }
    )


def module(number: int, problem: int) -> str:
    return f"block-v1:Org{number % 50}+C{number}+2031_T1+type@problem+block@{problem:032x}"


def endpoints() -> dict[str, list[str]]:
    """Paths by what they ask; each is asked once. Courses and ranges of days vary."""
    chance = random.Random(1)

    def days(length: int) -> str:
        start = FIRST_DAY + timedelta(days=chance.randrange(DAYS - length + 1))
        return f"start_date={start}&end_date={start + timedelta(days=length)}"

    numbers = list(range(COURSES))
    chance.shuffle(numbers)
    courses = [quote(course(number), safe="") for number in numbers]
    modes = [quote(course(number), safe="") for number in numbers if number < WITH_MODES]
    return {
        "status": ["/status/"] * COURSES,
        "enrollment, 30 days": [f"/api/v1/courses/{each}/enrollment/?{days(30)}" for each in courses],
        "enrollment by mode, 141 days": [
            f"/api/v1/courses/{each}/enrollment/mode/?{days(DAYS)}" for each in modes
        ],
        "activity, newest week": [f"/api/v1/courses/{each}/activity/" for each in courses],
        "problems": [f"/api/v1/courses/{each}/problems/" for each in courses],
        "answers": [
            f"/api/v1/problems/{quote(module(number, number % PROBLEMS), safe='')}/answer_distribution/"
            for number in numbers
        ],
        "summaries of 3 courses with programs": [
            f"/api/v1/course_summaries/?programs=true&course_ids={','.join(courses[first : first + 3])}"
            for first in range(0, COURSES - 2, 3)
        ],
        "summaries of all courses": [
            f"/api/v1/course_summaries/?recent_date={date(2024, 1, 1) + timedelta(days=number)}"
            for number in range(20)
        ],
    }


@contextmanager
def served(program: str, url: str, folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """The program, and port and process of the Data API that it serves."""
    port = free_port()
    settings = {"PHAROS_RESULT_STORE__URL": url, "PHAROS_LOGGING__FORMAT": "text"}
    command = [program, "data-api", "--port", str(port), "--home", str(folder / f"home{port}")]
    with (folder / f"log{port}").open("wb") as log:
        server = subprocess.Popen(command, env=os.environ | settings, stderr=log)
    try:
        while b"serving" not in (folder / f"log{port}").read_bytes():
            if server.poll() is not None:
                raise RuntimeError((folder / f"log{port}").read_text())
            time.sleep(0.1)
        yield program, (port, server.pid)
    finally:
        server.terminate()
        server.wait()


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def unit_s() -> float:
    """Processor time of a fixed piece of work."""
    item = {
        "course_id": "course-v1:Org+C+R",
        "date": "2031-01-01",
        "count": 12,
        "created": "2031-01-01T000000",
    }
    began = time.process_time()
    for _ in range(100):
        json.loads(json.dumps([item] * 100))
    return (time.process_time() - began) / 100


def asked(client: socket.socket, token: str, paths: list[str]) -> None:
    for path in paths:
        client.sendall(
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Token {token}\r\n"
            "Accept-Encoding: gzip\r\n\r\n".encode()
        )
        answer = client.recv(65536)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(path, answer)
        head, _, body = answer.partition(b"\r\n\r\n")
        left = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]) - len(body)
        while left > 0:
            left -= len(client.recv(min(left, 65536)))


def measured(server: tuple[int, int], database: int, token: str, paths: list[str]) -> Cost:
    port, pid = server
    with socket.create_connection(("127.0.0.1", port)) as client:
        asked(client, token, ["/status/"])
        before = processor_s(pid), processor_s(database)
        asked(client, token, paths)
        return Cost(processor_s(pid) - before[0], processor_s(database) - before[1], len(paths))


def compared(
    servers: list[tuple[str, tuple[int, int]]], database: int, token: str, requests: int, only: str
) -> Table:
    table = Table(
        "endpoint",
        "program",
        "server ms",
        "database ms",
        "units",
        "original / this",
        "again ms",
        "original / again",
    )
    for column in table.columns[2:]:
        column.justify = "right"
    for name, paths in endpoints().items():
        if only not in name:
            continue
        share = min(requests, len(paths) // (ROUNDS + 1))
        first: dict[str, Cost] = {}
        again: dict[str, Cost] = {}
        units = []
        for number in range(ROUNDS + 1):
            part = paths[number * share : (number + 1) * share]
            for program, server in servers:
                cost = measured(server, database, token, part)
                if number:  # the first is to warm up
                    first[program] = first.get(program, Cost()) + cost
                    units.append(unit_s())
                    again[program] = again.get(program, Cost()) + measured(server, database, token, part)
        unit_ms = 1000 * sum(units) / len(units)
        for number, (program, _) in enumerate(servers):
            cost, kept = first[program], again[program]
            original = ORIGINAL.get(name)
            table.add_row(
                "" if number else name,
                str(number),
                f"{1000 * cost.server / cost.requests:.3f}",
                f"{1000 * cost.database / cost.requests:.3f}",
                f"{cost.ms / unit_ms:.2f}",
                f"{original * unit_ms / cost.ms:.1f}" if original else "",
                f"{kept.ms:.3f}",
                f"{original * unit_ms / kept.ms:.0f}" if original and kept.ms else "",
            )
    return table


if __name__ == "__main__":
    main()
