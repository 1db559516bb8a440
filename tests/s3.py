"""An S3 server, and a gate in front of it that does what networks and stores do."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}
CONDITION = "If-None-Match"
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


@contextmanager
def server(port: int) -> Iterator[str]:
    """Its address."""
    address = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(address)
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait_for(address: str) -> None:
    for _ in range(600):
        try:
            httpx.get(f"{address}/moto-api/")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(address)


class Gate:
    """Passes requests on, unless told otherwise."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers_503: Callable[[], bool] = lambda: False
        """Asked for each request: whether the store has no time for it."""
        self.loses_answer: Callable[[], bool] = lambda: False
        """Asked for each request that writes: whether it is done, and then answered as if it was not."""
        self.ignores_conditions = False
        self.requests: list[str] = []


@contextmanager
def gate(address: str) -> Iterator[Gate]:
    """One before the server at this address."""
    host = address.removeprefix("http://")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _pass_on(self) -> None:
            found.requests.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if found.answers_503():
                self._answer(503, {}, SLOW_DOWN)
                return
            headers = {
                name: value
                for name, value in self.headers.items()
                if not (found.ignores_conditions and name.lower() == CONDITION.lower())
            }
            connection = http.client.HTTPConnection(host)
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            content = response.read()
            connection.close()
            if self.command == "PUT" and found.loses_answer():
                self._answer(503, {}, SLOW_DOWN)
                return
            self._answer(response.status, dict(response.getheaders()), content)

        def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                    self.send_header(name, value)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - names of the library

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        proxy.daemon_threads = True
        found = Gate(proxy.server_address[1])
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            proxy.shutdown()
            thread.join()
