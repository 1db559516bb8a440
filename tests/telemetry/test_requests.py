"""What each service says of the requests it answers, seen from outside: real servers, real requests."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator

import httpx
import pytest
from tests.insights.world import TOKEN, World, fill, world_of
from tests.telemetry.test_metrics import samples

from pharos.telemetry import logs


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("world"), fill) as running:
        yield running


@pytest.fixture
def records() -> Iterator[list[str]]:
    """Every line that is written while the test runs, as JSON."""
    written: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    root, ours, handler = logging.getLogger(), logging.getLogger("pharos"), Kept()
    before = ours.level, logs.REQUESTS.level
    handler.setFormatter(logs.JSONLines())
    root.addHandler(handler)
    ours.setLevel(logging.INFO)
    logs.REQUESTS.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    ours.setLevel(before[0])
    logs.REQUESTS.setLevel(before[1])


def requests(records: list[str], service: str) -> list[dict[str, object]]:
    entries = [json.loads(line) for line in records]
    return [entry for entry in entries if entry["event"] == "request" and entry["service"] == service]


def test_an_id_is_given_or_kept(world: World) -> None:
    for base in (world.url, world.api_url):
        given = httpx.get(f"{base}/status/").headers["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{32}", given)
        kept = httpx.get(f"{base}/status/", headers={"X-Request-ID": "lb-7.a_b"})
        assert kept.headers["x-request-id"] == "lb-7.a_b"
        forged = httpx.get(f"{base}/status/", headers={"X-Request-ID": 'a" b'})
        assert re.fullmatch(r"[0-9a-f]{32}", forged.headers["x-request-id"])


def test_one_id_leads_from_insights_to_the_data_api(world: World, records: list[str]) -> None:
    with world.client("ines") as client:
        address = f"/courses/{world.course_id}/enrollment/activity/"
        client.get(address, headers={"X-Request-ID": "one-page"}).raise_for_status()
    asked = [entry for entry in requests(records, "data-api") if entry.get("request_id") == "one-page"]
    assert {entry["route"] for entry in asked} >= {"/api/v1/courses/{course_id:course}/enrollment/mode/"}


def test_lines_name_routes_and_no_person(world: World, records: list[str]) -> None:
    headers = {"Authorization": f"Token {TOKEN}"}
    with world.client("ines") as client:
        client.get(f"/courses/{world.course_id}/").raise_for_status()
        assert client.get("/courses/course-v1:No+Such+Course/").status_code == 403
        httpx.get(f"{world.api_url}/api/v0/learners/ines/", params={"course_id": "a/b/c"}, headers=headers)
        httpx.get(f"{world.api_url}/ines", headers=headers)
    written = "\n".join(records)
    for secret in ("ines", TOKEN, "Inês"):
        assert secret not in written
    routes = {entry["route"] for entry in requests(records, "data-api")}
    assert "/api/v0/learners/{username}/" in routes
    assert "none" in routes
    assert requests(records, "insights")[-1]["status"] == 403


def test_both_services_tell_prometheus(world: World) -> None:
    headers = {"Authorization": f"Token {TOKEN}"}
    for _ in range(2):  # the second answer is a kept one
        path = f"/api/v0/courses/{world.course_id}/enrollment"
        httpx.get(world.api_url + path, headers=headers).raise_for_status()
    answer = httpx.get(f"{world.api_url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = samples(answer.content)
    route = "/api/v0/courses/{course_id:course}/enrollment/"
    assert found["pharos_http_requests_total", f"GET,{route},200"] >= 2
    assert found["pharos_result_store_up", ""] == 1
    assert found["pharos_results_until_timestamp_seconds", "course_enrollment_daily"] == 1795392000
    httpx.get(f"{world.url}/status/").raise_for_status()
    found = samples(httpx.get(f"{world.url}/metrics").content)
    assert found["pharos_data_api_up", ""] == 1
    assert found["pharos_results_until_timestamp_seconds", ""] == 1795392000
    assert found["pharos_http_requests_total", "GET,/status/,200"] >= 1


def test_without_the_store_the_services_still_tell(own_world: World) -> None:
    (own_world.settings.home / "result_store.sqlite").unlink()
    own_world.api.down = True
    assert samples(httpx.get(f"{own_world.url}/metrics").content)["pharos_data_api_up", ""] == 0
    own_world.api.down = False
    assert samples(httpx.get(f"{own_world.api_url}/metrics").content)["pharos_result_store_up", ""] == 0


@pytest.fixture
def own_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("own"), fill) as running:
        yield running


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
def test_figures_are_not_for_who_comes_through_a_proxy(header: str, world: World) -> None:
    for base in (world.url, world.api_url):
        assert httpx.get(f"{base}/metrics").status_code == 200
        for path in ("/metrics", "/metrics/", "//metrics", "/%6detrics"):
            answer = httpx.get(f"{base}{path}", headers={header: "203.0.113.9"}, follow_redirects=True)
            assert answer.status_code == 404, path
            assert "pharos_" not in answer.text
        assert httpx.get(f"{base}/status/", headers={header: "203.0.113.9"}).status_code == 200
