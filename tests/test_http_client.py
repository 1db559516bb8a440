"""A deadline for the whole of an exchange, whatever the other side does."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from tests.apart import run

from pharos.http_client import LIMITS, DeadlineClient


async def drip() -> AsyncIterator[bytes]:
    """A byte now and then: no single step takes long."""
    for _ in range(1000):
        yield b"x"
        await asyncio.sleep(0.02)


def test_an_answer_that_drips_ends_with_the_deadline(serve: Callable[[Any], str]) -> None:
    app = FastAPI()
    app.add_api_route("/", lambda: StreamingResponse(drip()))
    app.add_api_route("/quick", lambda: "all of it")
    url = serve(app)

    async def scene() -> str:
        async with DeadlineClient(0.3) as client:
            with pytest.raises(httpx.ReadTimeout, match=r"no whole answer in 0\.3 s"):
                await client.get(url)
            return (await client.get(f"{url}/quick")).text

    assert run(scene()) == '"all of it"'


class Hasty:
    """A server that answers one request of each connection and closes it when the next one comes."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self._line(connection):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    self._line(connection)
                elif not self.heard:
                    return

    def _line(self, connection: socket.socket) -> str:
        line = connection.recv(65_536).decode().partition(" HTTP/")[0]
        self.heard += [line] if line else []
        return line

    def close(self) -> None:
        self.heard.clear()
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def hasty() -> Iterator[Hasty]:
    server = Hasty()
    yield server
    server.close()


def test_a_connection_that_ends_as_it_is_used_again_costs_no_answer(hasty: Hasty) -> None:
    async def scene() -> list[str]:
        async with DeadlineClient(5) as client:
            return [(await client.get(f"{hasty.url}/{number}")).text for number in range(3)]

    assert run(scene()) == ["ok", "ok", "ok"]
    assert hasty.heard == ["GET /0", "GET /1", "GET /1", "GET /2", "GET /2"]


def test_what_may_not_be_repeated_is_sent_once(hasty: Hasty) -> None:
    async def scene() -> None:
        async with DeadlineClient(5) as client:
            await client.get(hasty.url)
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                await client.post(hasty.url)

    run(scene())
    assert hasty.heard == ["GET /", "POST /"]


def test_idle_connections_are_left_before_servers_close_them() -> None:
    """Uvicorn closes them after 5 s, Gunicorn after 2 s."""
    assert LIMITS.keepalive_expiry is not None
    assert LIMITS.keepalive_expiry < min(uvicorn.Config("app").timeout_keep_alive, 2)
