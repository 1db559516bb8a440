"""Metrics of a service for Prometheus, in its text format. Labels hold route patterns, never their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})


class Metrics:
    """Counts the requests of one service, and watches its process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "pharos_http_requests", "Requests answered.", ("method", "route", "status"),
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "pharos_http_request_seconds", "Time until the whole answer was sent.", ("route",),
            registry=self._registry, buckets=SECONDS,
        )  # fmt: skip

    def counter(self, name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
        """A counter of the service itself."""
        return Counter(name, meaning, labels, registry=self._registry)

    def watch(self, collector: Collector) -> None:
        """Include the metrics of a collector."""
        self._registry.register(collector)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(method if method in METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self, further: Iterable[Metric] = ()) -> bytes:
        """All metrics, and `further` ones that are computed for this request only."""
        asked = CollectorRegistry()
        asked.register(_Known(list(further)))
        return generate_latest(self._registry) + generate_latest(asked)


class _Known(Collector):
    """A collector of given metrics."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def gauge(name: str, meaning: str, values: Mapping[str, float | datetime | None], label: str = "") -> Metric:
    """A gauge with a value for each value of its label; None is left out.

    Moments (UTC) become seconds since 1970. Without a label there is one value, whose key is ignored.
    """
    family = GaugeMetricFamily(name, meaning, labels=[label] if label else [])
    for key, value in values.items():
        if value is not None:
            number = value.replace(tzinfo=UTC).timestamp() if isinstance(value, datetime) else value
            family.add_metric([key] if label else [], number)
    return family
