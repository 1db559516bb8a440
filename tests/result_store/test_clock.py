"""The time at the store's server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pharos.result_store import store
from pharos.result_store.clock import server_time


def test_a_server_tells_its_time_in_utc_and_a_file_has_none(store_url: str) -> None:
    store.upgrade(store_url)
    engine = store.connect(store_url)
    found = server_time(engine)
    engine.dispose()
    if store_url.startswith("sqlite"):
        assert found is None
    else:
        assert found is not None
        assert abs(found - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=1)  # same machine
