"""The condition of the data, for /health/ and /metrics: last moment and problems.

Both addresses need no credentials, so they show only kinds and counts of problems. The texts, which name logs
and tables, are shown by `pharos status`, alerts and logs.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from prometheus_client.metrics_core import Metric

from pharos.data_api.reading import Recent
from pharos.result_store import data_problems
from pharos.result_store.store import Publication
from pharos.telemetry.metrics import gauge

Known = tuple[list[data_problems.DataProblem], list[data_problems.LogSource]]


class Condition:
    """Problems and log sources of the last run, at most a second old, and tables that somebody changed."""

    def __init__(
        self, known: Recent[Known], altered: Recent[dict[str, str]], silent_hours: float | None
    ) -> None:
        self._known, self._altered = known, altered
        self._silent_hours = silent_hours

    async def of_health(self, published: dict[str, Publication]) -> dict[str, object]:
        """Fields of /health/: moments are UTC, null before the first run. Raises ResultStoreError."""
        until = min((publication.until for publication in published.values()), default=None)
        return {
            "data_until": _moment(until),
            "newest_event": _moment(_newest_event(published)),
            "problems": sorted(await self._counts()),
        }

    async def figures(self) -> list[Metric]:
        """Figures of /metrics. Raises ResultStoreError."""
        counts = await self._counts()
        _, sources = await self._known.get()
        return [
            gauge(
                "pharos_data_problems",
                "Problems of the data that the last run found, by kind.",
                {kind: counts[kind] for kind in data_problems.KINDS},
                "kind",
            ),
            gauge(
                "pharos_log_source_newest_event_timestamp_seconds",
                "Newest event of the log source.",
                {source.name: source.newest for source in sources},
                "source",
            ),
            gauge(
                "pharos_log_source_lines",
                "Lines read of the log source.",
                {source.name: source.lines for source in sources},
                "source",
            ),
            gauge(
                "pharos_log_source_quarantined_lines",
                "Lines of the log source that are no events.",
                {source.name: source.quarantined for source in sources},
                "source",
            ),
        ]

    async def _counts(self) -> Counter[str]:
        found, sources = await self._known.get()
        now = datetime.now(UTC).replace(tzinfo=None)
        silent = data_problems.silent(sources, self._silent_hours, now)
        counts = Counter(problem.kind for problem in [*found, *silent])
        if altered := await self._altered.get():
            counts[data_problems.ALTERED] = len(altered)
        return counts


def _newest_event(published: dict[str, Publication]) -> datetime | None:
    return max((p.last_event for p in published.values() if p.last_event), default=None)


def _moment(value: datetime | None) -> str | None:
    return f"{value.isoformat()}Z" if value else None
