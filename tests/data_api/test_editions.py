"""No answer mixes two editions, and what says one edition is of that edition, while results are published."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pyarrow as pa
import pytest
import sqlalchemy as sa

from pharos.config import Settings
from pharos.data_api.app import create_app
from pharos.data_api.tokens import create_token
from pharos.result_store import store, tables
from pharos.result_store.store import Publication, WholeTable

TOKEN = "a" * 40
COURSES = [f"course-v1:Org+C{number}+R" for number in range(3)]
YESTERDAY = date(2024, 1, 1)
EDITIONS, ASKED = 25, 60


def publish(engine: sa.Engine, number: int) -> None:
    """An edition of which every figure is its number."""
    publication = Publication(
        fingerprint=f"f{number}",
        until=datetime(2031, 3, 2) + timedelta(hours=number),
        last_event=None,
        version=1,
    )
    every = {"course_id": COURSES}
    counts = {"count": [number] * 3, "cumulative_count": [number] * 3}
    texts = ("catalog_course_title", "catalog_course", "pacing_type", "availability")
    summary = {
        **every,
        **counts,
        **{name: pa.nulls(3, pa.string()) for name in texts},
        "start_time": pa.nulls(3, pa.timestamp("us")),
        "end_time": pa.nulls(3, pa.timestamp("us")),
        "enrollment_mode": ["audit"] * 3,
        "count_change_7_days": [number] * 3,
        "passing_users": [number] * 3,
    }
    program = {
        **every,
        "program_id": [f"p{number}"] * 3,
        "program_type": ["x"] * 3,
        "program_title": ["x"] * 3,
    }
    rows = {
        tables.course_meta_summary_enrollment: summary,
        tables.course_enrollment_daily: {**every, **counts, "date": [YESTERDAY] * 3},
        tables.course_program_metadata: program,
    }
    store.publish_together(
        engine,
        [
            WholeTable(table=table, rows=pa.table(columns), publication=publication)
            for table, columns in rows.items()
        ],
    )


@pytest.fixture
def api(serve: Callable[[Any], str], store_url: str) -> Iterator[httpx.Client]:
    store.upgrade(store_url)
    engine = store.connect(store_url)
    create_token(engine, "test", token=TOKEN)
    publish(engine, 1)
    engine.dispose()
    url = serve(create_app(Settings(result_store={"url": store_url})))
    with httpx.Client(base_url=url, headers={"Authorization": f"Token {TOKEN}"}, timeout=60) as client:
        yield client


@contextmanager
def publishing(store_url: str) -> Iterator[threading.Event]:
    """While editions are published one after the other; set when there is none any more."""
    done = threading.Event()

    def publish_all() -> None:
        engine = store.connect(store_url)
        for number in range(2, EDITIONS):
            publish(engine, number)
        engine.dispose()
        done.set()

    with ThreadPoolExecutor(1) as pool:
        publisher = pool.submit(publish_all)
        yield done
        publisher.result()


def test_what_an_answer_says_is_of_one_edition(api: httpx.Client, store_url: str) -> None:
    """Each answer is asked for in a spelling of its own, so that none is a kept one."""
    by_edition: dict[str, set[int]] = {}

    def ask(number: int) -> None:
        for path in (
            f"course_summaries/?recent_date={YESTERDAY}&programs=true&x={number}",
            f"courses/{COURSES[0]}/enrollment/?start_date={YESTERDAY}&x={number}",
            f"course_totals/?x={number}",
            f"programs/?x={number}",
        ):
            answer = api.get(f"/api/v1/{path}")
            assert answer.status_code == 200, answer.text
            found = numbers(answer.json())
            assert len(found) == 1, (path, found)
            by_edition.setdefault(answer.headers["X-Pharos-Edition"], set()).update(found)

    with publishing(store_url) as done, ThreadPoolExecutor(4) as pool:
        number = 0
        while not done.is_set():
            list(pool.map(ask, range(number, number + 8)))
            number += 8
    assert all(len(found) == 1 for found in by_edition.values()), by_edition
    assert len(by_edition) > 2


def numbers(answer: Any) -> set[int]:
    """The numbers of editions that an answer holds."""
    items = answer if isinstance(answer, list) else [answer]
    found: set[int] = set()
    for item in items:
        for name in ("count", "cumulative_count", "passing_users"):
            if name in item and "verified_enrollment" not in item:
                found.add(item[name])
        if "recent_count_change" in item and item["recent_count_change"] is not None:
            found.add(item["count"] - item["recent_count_change"])
        if "verified_enrollment" in item:
            found |= {item["count"] // 3, item["cumulative_count"] // 3}
        if "program_id" in item:
            found.add(int(item["program_id"][1:]))
        found |= {int(program[1:]) for program in item.get("programs") or []}
    return found


def test_an_edition_may_be_asked_for_as_long_as_it_is_the_current_one(
    api: httpx.Client, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pharos.data_api.reading.FRESH_FOR_S", 0)
    path = f"/api/v1/courses/{COURSES[0]}/enrollment/"
    first = api.get(path).headers["X-Pharos-Edition"]
    for _ in range(2):  # made and kept
        assert api.get(path, headers={"X-Pharos-Edition": first}).json()[0]["count"] == 1
    engine = store.connect(store_url)
    publish(engine, 2)
    engine.dispose()
    gone = api.get(path, headers={"X-Pharos-Edition": first})
    assert gone.status_code == 412
    current = gone.headers["X-Pharos-Edition"]
    assert current != first
    assert api.get(path, headers={"X-Pharos-Edition": current}).json()[0]["count"] == 2
    assert api.get("/api/v1/course_summaries/", headers={"X-Pharos-Edition": first}).status_code == 412
