"""The text Prometheus reads."""

from __future__ import annotations

from datetime import datetime

from prometheus_client.parser import text_string_to_metric_families

from pharos.telemetry.metrics import Metrics, gauge


def samples(text: bytes) -> dict[tuple[str, str], float]:
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_requests_are_counted_by_method_route_and_status() -> None:
    metrics = Metrics()
    metrics.count("GET", "/courses/{course_id}/", 200, 0.03)
    metrics.count("GET", "/courses/{course_id}/", 200, 0.3)
    metrics.count("BREW", "none", 405, 0.001)
    found = samples(metrics.text())
    assert found["pharos_http_requests_total", "GET,/courses/{course_id}/,200"] == 2
    assert found["pharos_http_requests_total", "other,none,405"] == 1
    assert found["pharos_http_request_seconds_bucket", "0.05,/courses/{course_id}/"] == 1
    assert found["pharos_http_request_seconds_count", "/courses/{course_id}/"] == 2
    assert found["process_resident_memory_bytes", ""] > 1e6


def test_figures_known_when_asked_are_added() -> None:
    moments = {"daily": datetime(2026, 3, 2, 2, 30), "never": None, 'odd "name"\n': 3}
    further = [gauge("pharos_job", "Of a job.", moments, "job"), gauge("pharos_up", "Up.", {"": 1})]
    found = samples(Metrics().text(further))
    assert found["pharos_job", "daily"] == 1772418600
    assert found["pharos_job", 'odd "name"\n'] == 3
    assert ("pharos_job", "never") not in found
    assert found["pharos_up", ""] == 1
