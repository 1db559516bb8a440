"""The services as an operator runs them: one program, signals, one process's worth of memory."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests import lines
from tests.lines import enrollment

from pharos.sockets import raise_file_limit

PROGRAM = Path(sys.executable).parent / "pharos"
COURSE = "course-v1:edX+DemoX+Demo_Course"
IDLE_MB = 300  # design §8


@dataclass
class Served:
    """A running program, its log, and where it listens."""

    process: subprocess.Popen[bytes]
    log: Path
    urls: dict[str, str]

    def lines(self, event: str) -> list[dict[str, Any]]:
        written, _, _ = self.log.read_text().rpartition("\n")  # the last line may be half there
        entries = [json.loads(line) for line in written.splitlines()]
        return [entry for entry in entries if entry["event"] == event]

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 120
        while not condition():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def memory_mb(self) -> float:
        """What this process and those it started take of the memory; what they share counts once."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return sum(map(pss_mb, [str(self.process.pid), *children]))


def pss_mb(pid: str) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def settings(home: Path, **sections: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "lms": {"url": "http://127.0.0.1:9"},
        "data_api": {"port": 0},
        "insights": {"port": 0, "client_id": "a", "client_secret": "b", "secret_key": "c" * 32},
        "scheduler": {"tail_seconds": 0},
        "logging": {"format": "json"},
    }
    home.mkdir(exist_ok=True)
    whole |= sections
    (home / "pharos.yaml").write_text(yaml.safe_dump(whole))
    (home / "pharos.yaml").chmod(0o600)  # it holds secrets
    return whole


@contextmanager
def served(
    home: Path, verb: str, services: int, program: Sequence[str | Path] = (PROGRAM,)
) -> Iterator[Served]:
    log = home / "log"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PHAROS_")}
    with log.open("wb") as errors:
        process = subprocess.Popen([*program, verb, "--home", home], env=clean, stderr=errors)
    running = Served(process, log, {})
    try:
        running.until(lambda: len(running.lines("serving")) == services)
        running.urls = {line["service"]: line["address"] for line in running.lines("serving")}
        yield running
    finally:
        process.terminate()
        process.wait()


def test_one_program_serves_all_of_it_and_ends_well(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    tracking = tmp_path / "logs" / "tracking.log"
    start = (now - timedelta(days=3)).strftime("%Y-%m-%d %H:%M")
    lines.write(tracking, [enrollment(start, "activated", user=1)])
    home = tmp_path / "home"
    settings(
        home,
        logs={"sources": {"lms": {"paths": [str(tracking.parent)]}}},
        scheduler={"tail_seconds": 0.5, "jobs": {"daily": {"cron": "0 3 * * *"}}},
    )
    with served(home, "serve", 2) as running:
        api, insights = running.urls["Data API"], running.urls["Insights"]
        running.until(lambda: running.lines("job ended"))
        token = subprocess.run(
            [PROGRAM, "token", "create", "test", "--home", home], capture_output=True, text=True, check=True
        )
        headers = {"Authorization": f"Token {token.stdout.strip()}"}

        def enrolled() -> int:
            answer = httpx.get(f"{api}/api/v0/course_summaries/", headers=headers)
            return sum(row["count"] for row in answer.json()) if answer.is_success else 0

        running.until(lambda: enrolled() == 1)
        with tracking.open("a") as log:
            log.write(enrollment(start, "activated", user=2) + "\n")
        running.until(lambda: enrolled() == 2)
        assert httpx.get(f"{insights}/status/").status_code == 200
        running.until(lambda: len(running.lines("job ended")) >= 2)
        assert running.memory_mb() < IDLE_MB
        shown = subprocess.run(
            [PROGRAM, "status", "--json", "--home", home], capture_output=True, text=True, check=True
        )
        status = json.loads(shown.stdout)
        assert [turn["job"] for turn in status["next_runs"]] == ["daily"]
        assert status["last_runs"][0]["job"] == "live tail"
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0
    assert not running.lines("Traceback")


FEW_FILES, HALF_REQUESTS = 400, 650
IMPATIENT = "from pharos import cli, sockets; sockets.HEADERS_S = 3; cli.main()"


def test_half_requests_beyond_the_descriptors_shut_nobody_out(tmp_path: Path) -> None:
    """Twice as many as a process of few descriptors can hold: some are refused, all end, the log tells."""
    raise_file_limit()
    home = tmp_path / "home"
    settings(home)
    program = ["prlimit", f"--nofile={FEW_FILES}", sys.executable, "-c", IMPATIENT]
    with served(home, "serve", 2, program) as running, ExitStack() as stack:
        for url in running.urls.values():
            host, port = url.removeprefix("http://").split(":")
            for _ in range(HALF_REQUESTS):
                client = stack.enter_context(socket.create_connection((host, int(port))))
                client.sendall(b"GET /status/ HTTP/1.1\r\nHost: x\r\n")
        for url in running.urls.values():

            def answers(url: str = url) -> bool:
                with suppress(httpx.TransportError):
                    return httpx.get(f"{url}/status/", timeout=30).status_code == 200
                return False

            running.until(answers)
        ended = running.lines("connections ended")
        assert sum(line.get("too many connections", 0) for line in ended) > 0
        assert max(line["open"] for line in ended) < FEW_FILES
        assert httpx.get(f"{running.urls['Data API']}/health/", timeout=30).status_code in (200, 503)


def test_a_request_in_flight_is_answered_before_the_end(tmp_path: Path) -> None:
    """Half a request is sent, then the program is told to end, then the other half."""
    settings(tmp_path / "home")
    with served(tmp_path / "home", "data-api", 1) as running:
        url = httpx.URL(running.urls["Data API"])

        def body() -> Iterator[bytes]:
            yield b'{"username": '
            running.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            yield b'"a"}'

        headers = {"Content-Type": "application/json", "Content-Length": "17"}
        answer = httpx.post(f"{url}/api-token-auth/", content=body(), headers=headers)
        assert answer.status_code == 400
        assert answer.json() == {"password": ["This field is required."]}
        assert running.process.wait(60) == 0


def test_new_settings_count_after_a_signal_and_no_request_fails(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings(home)
    with served(home, "data-api", 1) as running:
        url, statuses = f"{running.urls['Data API']}/status/", []

        def reloaded(event: str, number: int) -> bool:
            statuses.append(httpx.get(url, headers={"Origin": "http://there"}).status_code)
            return len(running.lines(event)) >= number

        assert "access-control-allow-origin" not in httpx.get(url, headers={"Origin": "http://there"}).headers
        (home / "pharos.yaml").write_text("data_api: {prot: 0}")
        running.process.send_signal(signal.SIGHUP)
        running.until(lambda: reloaded("settings not reloaded", 1))
        assert "data_api.prot: no such setting" in running.lines("settings not reloaded")[0]["why"]
        settings(home, data_api={"port": 0, "cors_origins": ["http://there"]})
        running.process.send_signal(signal.SIGHUP)
        running.until(lambda: reloaded("settings reloaded", 1))
        answer = httpx.get(url, headers={"Origin": "http://there"})
        assert answer.headers["access-control-allow-origin"] == "http://there"
        assert set(statuses) == {200}


def test_the_scheduler_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    log = lines.write(tmp_path / "tracking.log", [lines.event("2024-03-02 09:00", "play_video")])
    sources = {"lms": {"paths": [str(log)]}}
    often = {"cron": "* * * * * *", "run": "ingest"}
    settings(home, logs={"sources": sources}, scheduler={"jobs": {"often": often}})
    with served(home, "scheduler", 0) as running:
        running.until(lambda: running.lines("job ended"))
        second = subprocess.run([PROGRAM, "scheduler", "--home", home], capture_output=True, check=False)
        assert second.returncode == 75
        assert b"another scheduler works in this home" in second.stderr
    assert running.lines("job ended")[0]["state"] == "done"
    assert running.lines("scheduler ended")


@pytest.mark.parametrize("verb", ["serve", "data-api"])
def test_a_taken_port_is_a_mistake_in_the_settings(verb: str, tmp_path: Path, free_port: int) -> None:
    home = tmp_path / "home"
    settings(home, data_api={"port": free_port})
    with served(home, "data-api", 1):
        done = subprocess.run([PROGRAM, verb, "--home", home], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"Data API cannot listen on 127.0.0.1:{free_port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_processes_that_may_share_a_port_divide_the_clients(tmp_path: Path, free_port: int) -> None:
    homes = [tmp_path / "first", tmp_path / "second"]
    for home in homes:
        settings(home, data_api={"port": free_port, "shared_port": True})
    with served(homes[0], "data-api", 1) as first, served(homes[1], "data-api", 1) as second:
        url = f"{first.urls['Data API']}/status/"
        first.until(lambda: httpx.get(url) and all(p.lines("request") for p in (first, second)))
        first.process.terminate()
        assert first.process.wait(60) == 0
        assert [httpx.get(url).status_code for _ in range(10)] == [200] * 10


def test_what_lives_as_long_as_the_process_is_set_aside_from_the_garbage_collector(tmp_path: Path) -> None:
    program = """
import gc
from fastapi import FastAPI
from pharos.config import load
from pharos.serving import Service, serve
from pharos.telemetry.metrics import Metrics

def make(settings):
    app = FastAPI()
    app.state.metrics = Metrics()
    app.add_api_route("/", gc.get_freeze_count)
    return app

serve(lambda: load(None, None, data_api={"port": 0}), [Service("Data API", make, lambda s: s.data_api)])
"""
    log = tmp_path / "log"
    with log.open("wb") as errors:
        clean = os.environ | {"PHAROS_LOGGING__FORMAT": "json", "PHAROS_HOME": str(tmp_path)}
        process = subprocess.Popen([sys.executable, "-c", program], env=clean, stderr=errors)
    running = Served(process, log, {})
    try:
        running.until(lambda: running.lines("serving"))
        assert httpx.get(running.lines("serving")[0]["address"]).json() > 10_000
    finally:
        process.terminate()
        process.wait()
