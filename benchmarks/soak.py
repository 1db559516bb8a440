"""Memory of the Data API under requests of adversarial variety: 200,000 by default, on an SQLite store.

Paths, parameters, headers, tokens and methods vary at random, so that whatever is remembered of them grows.
Prints the resident memory as it goes. Run it with `python benchmarks soak [--requests N --seed N]`.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from benchmarks.data_api import free_port
from rich.console import Console
from rich.table import Table

from pharos.data_api.tokens import create_token
from pharos.result_store import store

TOKEN = "s" * 40
STEPS = 10
KNOWN = 0.8  # share of the requests with a good token


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=200_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        url = f"sqlite:///{home / 'result_store.sqlite'}"
        store.upgrade(url)
        engine = store.connect(url)
        create_token(engine, "soak", token=TOKEN, requests_per_minute=10**9)
        engine.dispose()
        table = Table("requests", "server's memory MB", "answers by status")
        port = free_port()
        command = [str(Path(sys.executable).with_name("pharos")), "data-api", "--port", str(port)]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen([*command, "--home", name], stderr=log, env=dict(os.environ))
        try:
            wait(port)
            for step in range(STEPS):
                statuses = soak(port, chance, given.requests // STEPS)
                done = (step + 1) * given.requests // STEPS
                table.add_row(f"{done:,}", f"{resident_mb(server.pid):.0f}", str(statuses))
        finally:
            server.terminate()
            server.wait()
        Console(width=None if sys.stdout.isatty() else 110).print(table)


def wait(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(port)


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def soak(port: int, chance: random.Random, count: int) -> dict[str, int]:
    """How many answers of each status."""
    statuses: dict[str, int] = {}
    client: socket.socket | None = None
    for _ in range(count):
        if client is None:
            client = socket.create_connection(("127.0.0.1", port), timeout=60)
        client.sendall(asked(chance))
        head = b""
        while b"\r\n\r\n" not in head and (part := client.recv(65536)):
            head += part
        status = head[9:12].decode() or "cut"
        statuses[status] = statuses.get(status, 0) + 1
        left = length(head)
        while left > 0 and (part := client.recv(min(left, 65536))):
            left -= len(part)
        if not head or b"connection: close" in head.lower() or left:
            client.close()
            client = None
    return statuses


def length(head: bytes) -> int:
    """Bytes of the body that are still to come."""
    headers, _, body = head.partition(b"\r\n\r\n")
    stated = headers.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return int(stated or 0) - len(body)


def text(chance: random.Random, most: int) -> str:
    return "".join(chance.choices(string.ascii_letters + string.digits, k=chance.randint(1, most)))


def asked(chance: random.Random) -> bytes:
    """A request unlike all others."""
    course = quote(f"course-v1:{text(chance, 20)}+{text(chance, 20)}+{text(chance, 20)}", safe="")
    path = chance.choice(
        (
            f"/api/v1/courses/{course}/enrollment/?start_date=2030-01-{chance.randint(1, 28):02d}",
            f"/api/v0/courses/{course}/activity/?{text(chance, 9)}={text(chance, 3000)}",
            f"/api/v1/problems/{text(chance, 3000)}/answer_distribution/",
            f"/api/v1/course_summaries/?text_search={text(chance, 500)}",
            f"/api/v1/metrics/?{text(chance, 2000)}",
            f"/{text(chance, 8)}/{text(chance, 6000)}",
            f"/downloads/{text(chance, 200)}?expires=1&signature={text(chance, 64)}",
        )
    )
    token = TOKEN if chance.random() < KNOWN else text(chance, 60)
    headers = {
        "Host": text(chance, 40),
        "Authorization": f"Token {token}",
        "Accept": chance.choice(("*/*", "text/csv", f"{text(chance, 1000)}/x, */*")),
        "X-Request-ID": text(chance, 90),
        text(chance, 20): text(chance, 2000),
    }
    method = chance.choice(("GET", "GET", "GET", "HEAD", "OPTIONS"))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method if method != 'HEAD' else 'GET'} {path} HTTP/1.1\r\n{lines}\r\n".encode()


if __name__ == "__main__":
    main()
