"""Events per day. `spec 01 §9.1, §11.121-122`"""

from __future__ import annotations

from datetime import date, datetime

from tests.metrics.conftest import Compute


def test_a_row_a_day_with_events(compute: Compute) -> None:
    """§11.122: no events, no rows"""
    counts = [
        {"date": date(2024, 3, 5), "event_type": "/", "count": 3_000_000_000},
        {"date": date(2024, 3, 5), "event_type": "", "count": 7},
        {"date": date(2024, 3, 2), "event_type": "seek_video", "count": 1},
    ]
    rows = compute("total_events_daily", datetime(2024, 3, 8), event_count_by_type=counts)
    assert rows == [(date(2024, 3, 2), 1), (date(2024, 3, 5), 3_000_000_007)]
    assert compute("total_events_daily", datetime(2024, 3, 8)) == []
