"""Clients that do not read, read slowly, or leave: they take nothing from anybody else."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa

from pharos.config import Settings
from pharos.data_api import streaming
from pharos.data_api.app import create_app
from pharos.data_api.tokens import create_token
from pharos.result_store import store, tables
from pharos.result_store.store import Publication

ROWS = 160_000
PATH = "/api/v1/tables/course_enrollment_daily.csv"
TOKENS = ["a" * 40, "b" * 40, "c" * 40]


@pytest.fixture
def full_store(store_url: str) -> str:
    """A store with a table that is larger than what sockets keep."""
    store.upgrade(store_url)
    fill(store_url, TOKENS)
    return store_url


def fill(url: str, tokens: list[str]) -> None:
    """Publish a table that is larger than what sockets keep, and know the tokens."""
    engine = store.connect(url)
    numbers = pa.array(np.arange(ROWS) % 40_000)
    ids = pa.array(["course-v1:OrgX+ABC101+2031_T1", "a/b/c", "d/e/f", "g/h/i"]).take(
        pa.array(np.arange(ROWS) // 40_000)
    )
    rows = pa.table(
        {
            "course_id": ids,
            "date": numbers.cast(pa.int32()).cast(pa.date32()),
            "count": numbers,
            "cumulative_count": numbers,
        }
    )
    publication = Publication(fingerprint="f", until=datetime(2031, 3, 2), last_event=None, version=1)
    store.publish(engine, tables.course_enrollment_daily, rows, publication)
    for token in tokens:
        create_token(engine, token[:3], token=token)
    engine.dispose()


@contextmanager
def asking(url: str, path: str = PATH, token: str = TOKENS[0]) -> Iterator[socket.socket]:
    """A client that has asked and reads nothing by itself."""
    parts = urlsplit(url)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((parts.hostname, parts.port))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Token {token}\r\n\r\n".encode())
        client.settimeout(30)
        yield client


def status_of(client: socket.socket) -> int:
    return int(client.recv(12)[-3:])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.usefixtures("full_store")
def test_stalled_exports_stop_nobody_and_end(
    serve: Callable[[Any], str], store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "STALLED_S", 3)
    url = serve(create_app(Settings(result_store={"url": store_url})))
    headers = {"Authorization": f"Token {TOKENS[0]}"}
    with httpx.Client(base_url=url, headers=headers, timeout=30) as api, ExitStack() as stack:
        asked = [asking(url, token=TOKENS[number % 2]) for number in range(15)]
        clients = [stack.enter_context(client) for client in asked]
        assert sorted(map(status_of, clients)) == [200] * 8 + [429] * 7
        refused = api.get(PATH)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
        assert api.get("/health/").status_code == 200
        assert api.get("/api/v1/courses/a/b/c/enrollment/").status_code == 200
        full = api.get(PATH, headers={"Authorization": f"Token {TOKENS[2]}"})
        assert (full.status_code, full.headers["Retry-After"]) == (503, "30")
        until(lambda: 'pharos_exports_total{ended="stalled"} 8.0' in api.get("/metrics").text)
        assert api.get(PATH).text.count("\r\n") == ROWS + 1


@pytest.mark.usefixtures("full_store")
def test_a_client_that_leaves_takes_its_connection_with_it(
    serve: Callable[[Any], str], store_url: str
) -> None:
    url = serve(create_app(Settings(result_store={"url": store_url})))
    for form in ("csv", "ndjson", "json", "parquet"):
        before = connections(store_url)
        with asking(url, f"/api/v1/tables/course_enrollment_daily.{form}") as client:
            assert status_of(client) == 200
            until(lambda before=before: before is None or connections(store_url) == before + 1)  # type: ignore[misc]
        until(lambda before=before: connections(store_url) == before)  # type: ignore[misc]
    # Of SQLite nobody tells how many connections are open: the figures follow a moment later.
    until(lambda: 'pharos_exports_total{ended="left"} 4.0' in httpx.get(f"{url}/metrics").text)


def connections(url: str) -> int | None:
    """Connections to the database that are in the middle of a query of an export."""
    questions = {
        "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND state <> 'idle' AND pid <> pg_backend_pid()",
    }
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    question = questions.get(engine.dialect.name)
    if question is None:
        return None
    with engine.connect() as connection:
        return int(connection.execute(sa.text(question)).scalar_one())


def test_a_report_that_nobody_reads_gives_its_place_back(
    serve_api: Callable[..., httpx.Client], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "STALLED_S", 1)
    (home / "reports").mkdir()
    (home / "reports" / "a_b_c_problem_response.csv").write_bytes(b"course_id,y\n" + b"a/b/c,1\n" * 2_500_000)
    api = serve_api()
    link = api.get("/api/v1/courses/a/b/c/reports/problem_response/").json()["download_url"]
    path = link.removeprefix(str(api.base_url))
    with ExitStack() as stack:
        clients = [stack.enter_context(asking(str(api.base_url), path)) for _ in range(5)]
        assert sorted(map(status_of, clients)) == [200, 200, 200, 200, 429]
        until(lambda: 'downloads_total{ended="stalled"} 4.0' in api.get("/metrics").text)
    assert len(api.get(link).content) == 12 + 20_000_000
