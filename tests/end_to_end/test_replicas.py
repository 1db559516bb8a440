"""Two Data APIs and two Insights behind nginx: one of each dies under load, and nobody notices.

All is real: the programs, nginx, the sign-in at the LMS stand-in. The configuration of nginx is the one that
docs/operations/serving.md gives.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from tests.insights.world import CLIENT, SERVICE, TOKEN, World, fill, world_of
from tests.ports import free_ports

PROGRAM = Path(sys.executable).parent / "pharos"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
DOCUMENT = Path(__file__).parents[2] / "docs" / "operations" / "serving.md"
ANSWERS = 4  # to each client, before and after each death
PATIENCE_S = 120
CLIENTS = 4

pytestmark = pytest.mark.skipif(not Path(NGINX).exists(), reason="nginx is not installed")


def wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, f"nobody listens on {port}"
            time.sleep(0.05)
        else:
            return


def nginx_configuration(ports: dict[str, int]) -> str:
    """The one of the documentation, with the ports of the test for those it names."""
    block, *_ = re.findall(r"```nginx\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    for named, port in ports.items():
        assert named in block
        block = block.replace(named, f"127.0.0.1:{port}")
    user = "user root;" if os.geteuid() == 0 else ""  # its temporary folders are the test's
    return (
        f"{user} daemon off; worker_processes 1; pid nginx.pid; error_log error.log; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;"
        f" uwsgi_temp_path t4; scgi_temp_path t5;\n{block}}}\n"
    )


@contextmanager
def nginx(folder: Path, ports: dict[str, int], listening: list[int]) -> Iterator[None]:
    folder.mkdir()
    (folder / "nginx.conf").write_text(nginx_configuration(ports))
    command = [NGINX, "-p", str(folder), "-c", "nginx.conf"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            for port in listening:
                wait_until_open(port)
            yield
        finally:
            server.terminate()


@contextmanager
def replica(verb: str, config: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PHAROS_")}
    command = [str(PROGRAM), verb, "--config", str(config), "--port", str(port)]
    with subprocess.Popen(command, env=clean, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_open(port)
            yield process
        finally:
            process.kill()


class Fleet:
    """Where the load balancer listens, and the replicas behind it."""

    def __init__(self, world: World, folder: Path, stack: ExitStack, web: int) -> None:
        self.world = world
        api, *inner = free_ports(5)
        self.api, self.web = f"http://127.0.0.1:{api}", f"http://127.0.0.1:{web}"
        config = folder / "fleet.yaml"
        config.write_text(yaml.safe_dump(self._settings(folder)))
        config.chmod(0o600)  # it holds secrets
        self.data_apis = [stack.enter_context(replica("data-api", config, port)) for port in inner[:2]]
        self.insights = [stack.enter_context(replica("insights", config, port)) for port in inner[2:]]
        named = ["api-1:8100", "api-2:8100", "insights-1:8110", "insights-2:8110"]
        ports = {**dict(zip(named, inner, strict=True)), "0.0.0.0:8100": api, "0.0.0.0:80": web}
        stack.enter_context(nginx(folder / "nginx", ports, [api, web]))

    def _settings(self, folder: Path) -> dict[str, object]:
        return {
            "home": str(folder),
            "lms": {"url": self.world.lms_url, "client_id": SERVICE.id, "client_secret": SERVICE.secret},
            "result_store": {"url": f"sqlite:///{self.world.settings.home / 'result_store.sqlite'}"},
            "data_api": {"token_requests_per_minute": 1_000_000},
            "insights": {
                "requests_per_minute": 1_000_000,
                "url": self.web,
                "data_api_url": self.api,
                "data_api_token": TOKEN,
                "secret_key": "the same on all replicas of Insights",
                "client_id": CLIENT.id,
                "client_secret": CLIENT.secret,
            },
        }


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    [web] = free_ports(1)
    with world_of(tmp_path, fill, also_at=f"http://127.0.0.1:{web}") as world, ExitStack() as stack:
        yield Fleet(world, tmp_path, stack, web)


class Load(threading.Thread):
    """Somebody who asks again and again, and counts how it ended."""

    def __init__(self, client: httpx.Client, address: str) -> None:
        super().__init__()
        self.client, self.address = client, address
        self.ends: Counter[str] = Counter()
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                answer = self.client.get(self.address)
            except httpx.HTTPError as error:
                self.ends[type(error).__name__] += 1
            else:
                self.ends[str(answer.status_code)] += 1


def answer_everybody(loads: list[Load]) -> None:
    """Wait until each client has got some answers more."""
    wanted = {load: load.ends["200"] + ANSWERS for load in loads}
    deadline = time.monotonic() + PATIENCE_S
    while any(load.ends["200"] < wanted[load] for load in loads):
        assert time.monotonic() < deadline, [load.ends for load in loads]
        time.sleep(0.05)


def test_one_of_each_dies_under_load_and_nobody_notices(fleet: Fleet) -> None:
    with ExitStack() as stack:
        loads = []
        for _ in range(CLIENTS):
            reader = stack.enter_context(httpx.Client(base_url=fleet.api, timeout=30))
            reader.headers["Authorization"] = f"Token {TOKEN}"
            loads.append(Load(reader, f"/api/v0/courses/{fleet.world.course_id}/enrollment/"))
            browser = stack.enter_context(httpx.Client(base_url=fleet.web, timeout=30, follow_redirects=True))
            sign_in(browser)
            loads.append(Load(browser, f"/courses/{fleet.world.course_id}/"))
        for load in loads:
            load.start()
        answer_everybody(loads)
        for victim in (fleet.data_apis[0], fleet.insights[1]):
            victim.send_signal(signal.SIGKILL)
            answer_everybody(loads)
        for load in loads:
            load.stop.set()
        for load in loads:
            load.join()
    ends = [load.ends for load in loads]
    failed = sum((end for end in ends), Counter()) - Counter({"200": 10**9})
    assert failed.total() <= 2, ends  # an answer that each was sending at that moment


def test_a_session_is_good_on_every_replica(fleet: Fleet) -> None:
    """Whoever signed in stays signed in when the one that signed them in is gone."""
    with httpx.Client(base_url=fleet.web, timeout=30, follow_redirects=True) as browser:
        sign_in(browser)
        fleet.insights[0].kill()
        fleet.insights[0].wait()
        for _ in range(4):
            page = browser.get("/courses/")
            assert (page.status_code, page.url.path) == (200, "/courses/")


def sign_in(browser: httpx.Client) -> None:
    """The whole sign-in, through the load balancer: its steps are answered by different replicas."""
    form = browser.get("/login/", params={"next": "/courses/"})
    answers = {"username": "sofia", "password": "sofia-demo", "next": form.url.params["next"]}
    page = browser.post(str(form.url), data=answers)
    assert (page.status_code, page.url.path) == (200, "/courses/")
