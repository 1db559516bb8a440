"""Clients that send or take too little, too slowly or too much, against a server on real sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvicorn
from prometheus_client import CollectorRegistry, generate_latest

from pharos import sockets
from pharos.sockets import Connections

LARGE = 50_000_000


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body; answers its size, late below /late, and very much below /large."""
    size = 0
    while (message := await receive())["type"] == "http.request":
        size += len(message["body"])
        if not message["more_body"]:
            break
    if scope["path"] == "/late":
        await asyncio.sleep(2)
    body = b"x" * LARGE if scope["path"] == "/large" else str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


class Server:
    """The application behind guarded sockets."""

    def __init__(self, most: int) -> None:
        self.connections = Connections(most)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        config = uvicorn.Config(
            application,
            http=self.connections.protocol(),
            ws="none",
            lifespan="off",
            log_level="error",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)

    async def _run(self) -> None:
        watching = asyncio.ensure_future(self.connections.watch())
        await self._server._serve([self._listener])  # noqa: SLF001 - leaves signals to the test
        watching.cancel()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    def figures(self) -> str:
        registry = CollectorRegistry()
        registry.register(self.connections)
        return generate_latest(registry).decode()

    @contextmanager
    def client(self, begin: bytes = b"") -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
            client.sendall(begin)
            yield client


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HEADERS_S", "BODY_S", "TAKEN_S"):
        monkeypatch.setattr(sockets, name, 0.5)
    monkeypatch.setattr(sockets, "LOOK_EVERY_S", 0.1)
    monkeypatch.setattr(sockets, "WHOLE_BODY_S", 1.5)
    running = Server(20)
    yield running
    running.close()


def rest(client: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    found = b""
    try:
        while data := client.recv(65536):
            found += data
    except ConnectionError:
        pass
    return found


def trickle(client: socket.socket, piece: bytes) -> bytes:
    """What the server answers while a piece is sent every tenth of a second."""
    client.settimeout(0.1)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            client.sendall(piece)
            answer = client.recv(65536)
        except TimeoutError:
            continue
        except ConnectionError:
            return b""
        return answer
    pytest.fail("the server goes on waiting")


HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "why"), [(HEAD, "slow headers"), (POST, "slow body"), (POST + b"a", "slow body")]
)
def test_half_a_request_is_not_waited_for(server: Server, begin: bytes, why: str) -> None:
    with server.client(begin) as client:
        assert rest(client).startswith(b"HTTP/1.1 408 ")
    assert f'pharos_connections_ended_total{{why="{why}"}} 1.0' in server.figures()


@pytest.mark.parametrize(("begin", "piece"), [(HEAD, b"a: b\r\n"), (POST, b"a")])
def test_nor_is_one_that_comes_byte_by_byte(server: Server, begin: bytes, piece: bytes) -> None:
    with server.client(begin) as client:
        assert trickle(client, piece).startswith(b"HTTP/1.1 408 ")


def test_a_connection_without_a_request_is_closed_without_a_word(server: Server) -> None:
    with server.client() as client:
        assert rest(client) == b""
    assert "why=" not in server.figures()


def test_the_application_may_take_its_time(server: Server) -> None:
    with server.client(b"GET /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as client:
        assert rest(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HEAD + b"a: " + b"b" * 70_000 + b"\r\n", b"431"),
        (HEAD + b"a: b\r\n" * 12_000, b"431"),
        (POST.replace(b"100000", b"100000000"), b"413"),
    ],
)
def test_too_much_is_refused(server: Server, sent: bytes, status: bytes) -> None:
    with server.client(sent) as client:
        assert rest(client)[9:12] == status


@pytest.mark.parametrize("piece", [b"a: " + b"b" * 1000 + b"\r\n", b"a:" + b"b" * 1000])
def test_what_follows_a_body_is_no_way_around_the_limits(server: Server, piece: bytes) -> None:
    """Trailers are headers, too: 400 MB of them would be kept."""
    with server.client(CHUNKED + b"1\r\na\r\n0\r\n") as client, pytest.raises(ConnectionError):
        client.sendall(piece * 50_000)
    assert 'why="headers too large"' in server.figures()


def test_a_body_of_unknown_size_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "MOST_BODY_BYTES", 100_000)
    with server.client(CHUNKED) as client, pytest.raises(ConnectionError):
        client.sendall((b"2710\r\n" + b"a" * 10_000 + b"\r\n") * 10_000)
    assert 'why="body too large"' in server.figures()


def test_an_answer_that_nobody_takes_is_dropped(server: Server) -> None:
    with server.client(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n") as client:
        while 'why="untaken answer"' not in server.figures():
            time.sleep(0.05)
        assert len(rest(client)) < LARGE


def test_answers_that_nobody_takes_do_not_fill_the_memory(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "TAKEN_S", 1000)
    monkeypatch.setattr(sockets, "MOST_UNSENT_BYTES", 2 * LARGE)
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(server.client(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"))
        while 'why="untaken answers fill the memory"' not in server.figures():
            time.sleep(0.05)
        assert sum(each.unsent_bytes for each in list(server.connections.open)) <= 5 * LARGE


def test_more_clients_than_there_is_room_for_are_turned_away_and_told(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sockets, "HEADERS_S", 1000)
    caplog.set_level(logging.WARNING)
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(server.client(HEAD))
        with server.client(HEAD) as late:
            assert rest(late).startswith(b"HTTP/1.1 503 ")
    while "pharos_connections 0.0" not in server.figures():
        time.sleep(0.02)
    with server.client(HEAD + b"Connection: close\r\n\r\n") as client:
        assert rest(client).startswith(b"HTTP/1.1 200 ")
    assert "connections ended" in caplog.text
    assert 'pharos_connections_ended_total{why="too many connections"} 1.0' in server.figures()


def limits_of(command: Callable[[str], str]) -> str:
    code = "import resource, pharos.sockets as s; print(s.raise_file_limit(), *resource.getrlimit(7))"
    done = subprocess.run(
        ["/bin/sh", "-c", command(f'{sys.executable} -c "{code}"')],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_the_limit_of_descriptors_is_raised_as_far_as_allowed() -> None:
    assert limits_of(lambda program: f"ulimit -Sn 256; ulimit -Hn 4096; {program}") == "4096 4096 4096"
    assert limits_of(lambda program: f"ulimit -Sn 512; ulimit -Hn 512; {program}") == "512 512 512"
