"""A database that hangs, is restarted, fails over or refuses connections, under clients who go on asking."""

from __future__ import annotations

import gc
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from tests.data_api.test_streaming import asking, fill, status_of
from tests.wires import Wire

from pharos.config import Settings
from pharos.data_api import reading, streaming
from pharos.data_api.app import create_app
from pharos.data_api.routes import operations

CLIENTS = 20
TOKEN = "a" * 40
PATHS = (
    "courses/OrgY%2FXYZ%2F2031/enrollment/",
    "course_summaries/?recent_date=2020-03-01",
    "courses/OrgY%2FXYZ%2F2031/problems/",
    "tables/course_enrollment_daily.csv",
)


@pytest.fixture(params=["mariadb", "postgres"])
def wired(request: pytest.FixtureRequest, fill_store: Callable[[str], None]) -> Iterator[tuple[str, Wire]]:
    """Address of a filled store behind a wire, and the wire."""
    server = sa.make_url(request.getfixturevalue(f"{request.param}_url"))
    name = f"wired_{time.monotonic_ns()}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    url = server.set(database=name)
    fill_store(url.render_as_string(hide_password=False))
    assert server.host is not None
    assert server.port is not None
    wire = Wire((server.host, server.port))
    yield url.set(port=wire.port).render_as_string(hide_password=False), wire
    wire.close()


def ask(url: str, path: str) -> int:
    """The status of an answer; 0 if it is cut off in the middle."""
    try:
        answer = httpx.get(f"{url}/api/v1/{path}", headers={"Authorization": f"Token {TOKEN}"}, timeout=60)
    except httpx.RemoteProtocolError:
        return 0
    return answer.status_code


def check_that_it_is_told(url: str) -> None:
    health = httpx.get(f"{url}/health/", timeout=60)
    assert (health.status_code, health.json()["overall_status"]) == (503, "UNAVAILABLE")
    assert httpx.get(f"{url}/status/", timeout=60).status_code == 200


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def until_all_answer(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        answers = {path: ask(url, path) for path in PATHS}
        answers["health"] = httpx.get(f"{url}/health/", timeout=60).status_code
        if set(answers.values()) == {200}:
            return
        assert time.monotonic() < deadline, answers
        time.sleep(0.1)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANSWER_S", "SHORT_S", "EXPORT_S", "HEALTH_S"):
        monkeypatch.setattr(reading, name, 3)
    monkeypatch.setattr(streaming, "PLACES", 50)
    monkeypatch.setattr(streaming, "OF_ONE_CALLER", 50)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("trouble", ["freeze", "restart", "refuse"])
def test_a_database_in_trouble_is_said_to_be_and_comes_back(
    serve: Callable[[Any], str], wired: tuple[str, Wire], trouble: str
) -> None:
    address, wire = wired
    url = serve(create_app(Settings(result_store={"url": address}, data_api={"requests_per_minute": 10**6})))
    until_all_answer(url)
    stop, statuses = threading.Event(), Counter[int]()

    def go_on_asking(number: int) -> None:
        while not stop.is_set():
            statuses[ask(url, PATHS[number % len(PATHS)])] += 1

    with ThreadPoolExecutor(CLIENTS) as clients:
        for number in range(CLIENTS):
            clients.submit(go_on_asking, number)
        try:
            getattr(wire, trouble)()
            if trouble != "restart":
                check_that_it_is_told(url)
                until(lambda: statuses[503] > 0)
                wire.go_on() if trouble == "freeze" else wire.accept()
            until_all_answer(url)
        finally:
            stop.set()
            wire.go_on()
    assert set(statuses) <= {0, 200, 429, 503}
    until_all_answer(url)


def test_the_figures_do_not_wait_for_a_database_that_falls_silent(
    serve: Callable[[Any], str], wired: tuple[str, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a limit of their own they would wait as long as other questions: here for ten minutes."""
    for name in ("ANSWER_S", "SHORT_S", "HEALTH_S"):
        monkeypatch.setattr(reading, name, 600)
    monkeypatch.setattr(operations, "HEALTH_S", 1)
    address, wire = wired
    url = serve(create_app(Settings(result_store={"url": address})))
    wire.freeze()
    figures = httpx.get(f"{url}/metrics", timeout=60).text
    assert "pharos_result_store_up 0.0" in figures
    assert httpx.get(f"{url}/health/", timeout=60).status_code == 503
    wire.go_on()
    until(lambda: "pharos_result_store_up 1.0" in httpx.get(f"{url}/metrics", timeout=60).text)


def test_an_export_whose_database_falls_silent_is_cut_off_and_ends(
    serve: Callable[[Any], str], wired: tuple[str, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "EXPORT_S", 1)
    address, wire = wired
    fill(address, [])
    url = serve(create_app(Settings(result_store={"url": address})))
    with asking(url, token=TOKEN) as client:
        assert status_of(client) == 200
        wire.freeze()
        read = b""
        while piece := client.recv(1 << 20):
            read = piece[-5:]
    assert read != b"0\r\n\r\n", "the reader sees that rows are missing"
    wire.go_on()
    ended = 'pharos_exports_total{ended="failed"} 1.0'
    until(lambda: ended in httpx.get(f"{url}/metrics", timeout=60).text)
    until(lambda: httpx.get(f"{url}/health/", timeout=60).status_code == 200)
    with asking(url, token=TOKEN) as client:
        assert status_of(client) == 200
    gc.collect()  # a cursor that was left open would warn, now and not in a later test
