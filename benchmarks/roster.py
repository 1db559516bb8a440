"""How long a search takes in a course of 100,000 learners, through the Data API, on each database.

python benchmarks roster                            # sqlite, mariadb, postgresql
python benchmarks roster --stores sqlite --learners 20000

Prints, for each kind of question, milliseconds of the middle and of the slowest of twenty answers, and of 50
people who ask all kinds, each one question every five seconds, the middle and the 95th hundredth. "scan" is
the count of the same question by reading names and addresses of the whole course (LIKE), the last column the
ratio of the scan to the answer.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pyarrow as pa
import sqlalchemy as sa
import uvicorn
from benchmarks.data_api import free_port, mariadb, wait_for
from benchmarks.publish import STORES, postgresql
from rich.console import Console
from rich.table import Table

from pharos.config import DataAPISettings, ResultStoreSettings, Settings
from pharos.data_api.app import create_app
from pharos.data_api.tokens import create_token
from pharos.result_store import contract, store, tables
from pharos.result_store.folding import tokens, words
from pharos.result_store.store import Publication

BIG, OTHERS = "course-v1:BigX+C100+1", [f"course-v1:BigX+C{number}+1" for number in range(10)]
OF_OTHERS = 5_000  # learners of each of them
SYLLABLES = re.findall("..", "anbecadoelfigahainjokalumanoolpaqurasataulviwaxeyazoørée")
ACTIVE = 0.4  # of the learners in a week
SEGMENTS = ("", "", "inactive", "inactive", "inactive", "disengaging", "struggling", "highly_engaged")
ROSTER = tables.module_engagement_roster
TIMES = 20
CLIENTS, ROUNDS, PAUSE_S = 50, 5, 5
TOKEN = "b" * 32


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--learners", type=int, default=100_000)
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    chosen = parser.parse_args()
    table = Table("store", "question", "found", "p50 ms", "slowest ms", "scan ms", "ratio")
    for name in chosen.stores:
        with _store(name) as url:
            _fill(url, chosen.learners)
            _measure(name, url, table)
    Console(width=120).print(table)


def _measure(name: str, url: str, table: Table) -> None:
    with _served(url) as api:
        engine = store.connect(url)
        for question, query in _questions(Random(7)).items():
            found, times = 0, []
            for number in range(TIMES):
                began = time.perf_counter()
                answer = api.get("/api/v0/learners/", params={"course_id": BIG, **query(number)})
                times.append((time.perf_counter() - began) * 1000)
                found = answer.raise_for_status().json()["count"]
            scan = _scan(engine, query(TIMES - 1).get("text_search", ""))
            middle, slow = sorted(times)[TIMES // 2], max(times)
            compared = [f"{scan:.1f}", f"{scan / middle:.1f}"] if scan else []
            table.add_row(name, question, f"{found:,}", f"{middle:.1f}", f"{slow:.1f}", *compared)
        for part in ("first", "again"):
            began = time.perf_counter()
            api.get(f"/api/v0/course_learner_metadata/{BIG}/").raise_for_status()
            passed = (time.perf_counter() - began) * 1000
            table.add_row(name, f"counts by track, cohort, segment ({part})", "", f"{passed:.1f}")
        times = sorted(_of_clients(api))
        middle, slow = times[len(times) // 2], times[len(times) * 95 // 100]
        table.add_row(name, f"{CLIENTS} people (p95)", "", f"{middle:.1f}", f"{slow:.1f}")
        engine.dispose()


def _of_clients(api: httpx.Client) -> list[float]:
    """Milliseconds of the answers that people get who ask at the same time."""

    def ask(client: int) -> list[float]:
        random, times = Random(client), []
        questions = list(_questions(random).values())
        for number in range(ROUNDS):
            time.sleep(random.uniform(0, 2 * PAUSE_S))
            query = random.choice(questions)(number)
            began = time.perf_counter()
            api.get("/api/v0/learners/", params={"course_id": BIG, **query}).raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
        return times

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [passed for times in pool.map(ask, range(CLIENTS)) for passed in times]


def _questions(random: Random) -> dict[str, Callable[[int], dict[str, str]]]:
    """Query of each kind; each time another name."""
    names = [_name(random) for _ in range(TIMES)]
    return {
        "first page": lambda _: {},
        "by problems tried": lambda _: {"order_by": "problems_attempted", "sort_order": "desc"},
        "by attempts per right problem": lambda _: {"order_by": "problem_attempts_per_completed"},
        "not inactive, by videos": lambda _: {"ignore_segments": "inactive", "order_by": "videos_viewed"},
        "page 2,000": lambda _: {"page": "2000"},
        "a name": lambda number: {"text_search": names[number]},
        "two beginnings": lambda number: {"text_search": f"{names[number][:3]} {names[-number][:2]}"},
        "three letters, by problems": lambda number: {
            "text_search": names[number][:3], "order_by": "problems_attempted", "sort_order": "desc",
        },
        "one letter": lambda number: {"text_search": names[number][:1]},
        "an address": lambda number: {"text_search": f"{names[number]}{number}@mail"},
    }  # fmt: skip


def _scan(engine: sa.Engine, text: str) -> float:
    """Milliseconds of the search without tokens: every name of the course is read."""
    if not text:
        return 0.0
    texts = ROSTER.c.name + " " + ROSTER.c.username + " " + ROSTER.c.email
    holds = [sa.func.lower(texts).contains(word, autoescape=True) for word in words(text)]
    query = sa.select(sa.func.count()).where(ROSTER.c.course_id == BIG, *holds)
    times = []
    with engine.connect() as connection:
        for _ in range(5):
            began = time.perf_counter()
            connection.execute(query).all()
            times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[2]


def _name(random: Random) -> str:
    return "".join(random.choice(SYLLABLES) for _ in range(random.randint(2, 4)))


def _fill(url: str, learners: int) -> None:
    store.upgrade(url)
    engine, random = store.connect(url), Random(1)
    rows = [row for course in OTHERS for row in _learners(random, course, OF_OTHERS)]
    rows += _learners(random, BIG, learners)
    publication = Publication(fingerprint="b", until=datetime(2031, 3, 3), last_event=None, version=1)  # noqa: DTZ001
    for table, found in ((ROSTER, rows), (tables.module_engagement_roster_token, list(_tokens(rows)))):
        store.publish(engine, table, pa.Table.from_pylist(found, contract.schema(table)), publication)
    create_token(engine, "bench", learners=True, token=TOKEN)
    engine.dispose()


def _learners(random: Random, course: str, number: int) -> Iterator[dict[str, Any]]:
    for user in range(number):
        first, last = _name(random), _name(random)
        tried = int(random.paretovariate(1)) if random.random() < ACTIVE else 0
        right = tried * 2 // 3
        yield {
            "course_id": course, "username": f"{first}_{user}", "user_id": user,
            "name": f"{first.title()} {last.title()}", "email": f"{last}{user}@mail.example",
            "enrollment_mode": random.choice(("audit", "audit", "verified")),
            "enrollment_date": date(2031, 1, 1), "cohort": random.choice((None, "A", "B")),
            "problem_attempts": 2 * tried, "problems_attempted": tried, "problems_completed": right,
            "problem_attempts_per_completed": 2 * tried / right if right else None,
            "videos_viewed": tried // 2, "discussion_contributions": tried // 9,
            "segments": random.choice(SEGMENTS), "attempt_ratio_order": 2 * tried if right else -2 * tried,
        }  # fmt: skip


def _tokens(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        found = dict.fromkeys(words(row["email"]), "email")
        found |= dict.fromkeys(tokens(row["username"]), "username")
        found |= dict.fromkeys(tokens(row["name"]), "name")
        for word, field in found.items():
            yield {"course_id": row["course_id"], "username": row["username"], "token": word, "field": field}


@contextmanager
def _served(url: str) -> Iterator[httpx.Client]:
    """The Data API in this process."""
    with ExitStack() as running:
        home = Path(running.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings(
            home=home,
            result_store=ResultStoreSettings(url=url),
            data_api=DataAPISettings(learners=True, token_requests_per_minute=1_000_000),
        )
        port = free_port()
        running.enter_context(_running(create_app(settings), port))
        headers = {"Authorization": f"Token {TOKEN}"}
        yield running.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60)
        )


@contextmanager
def _running(app: Any, port: int) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(port)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def _store(name: str) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="pharos-bench-"))
    try:
        if name == "sqlite":
            yield f"sqlite:///{folder / 'store.sqlite'}"
        else:
            with (mariadb if name == "mariadb" else postgresql)(folder) as url:
                yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
