"""Lists that the database puts together are those that its rows would give."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import sqlalchemy as sa

from pharos.data_api.lists import Listed
from pharos.data_api.reading import Reading, ResultStore
from pharos.result_store import connecting, store, tables

TABLE = tables.course_enrollment_mode_daily
COURSE = 'course-v1:Ö"rg+C\\1+R'


@pytest.fixture
def filled(store_url: str) -> str:
    store.upgrade(store_url)
    engine = store.connect(store_url)
    row = {"course_id": COURSE, "cumulative_count": 3, "created": datetime(2031, 3, 2, 4, 5, 6)}
    with engine.begin() as connection:
        for mode, count in (('a,"]', 1), ("ü\\t", 2), ("b", None)):
            connection.execute(
                sa.insert(TABLE), {**row, "date": date(2031, 3, 1), "mode": mode, "count": count}
            )
    engine.dispose()
    return store_url


def listed() -> Listed:
    columns = [TABLE.c[name] for name in ("date", "mode", "count", "created")]
    here = TABLE.c.course_id == sa.bindparam("course_id")
    return Listed(columns, here, order=[TABLE.c.date, TABLE.c["count"].is_(None), TABLE.c["count"]])


ROWS = [
    ["2031-03-01", 'a,"]', 1, "2031-03-02T040506"],
    ["2031-03-01", "ü\\t", 2, "2031-03-02T040506"],
    ["2031-03-01", "b", None, "2031-03-02T040506"],
]


def test_rows_are_the_same_from_every_database(filled: str) -> None:
    reading = ResultStore(filled)
    for _ in range(2):  # what kind of server it is, is known from the second time on
        assert listed().rows(Reading(reading, {}), are_many=True, course_id=COURSE) == ROWS
        assert listed().rows(Reading(reading, {}), are_many=True, course_id="a/b/c") == []
    assert reading.packs_lists == filled.startswith("mysql")
    reading.close()


def test_a_list_that_the_server_cuts_off_is_read_row_by_row(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for most_bytes in (4, 40, 100):
        monkeypatch.setattr(connecting, "LONGEST_LIST_BYTES", most_bytes)
        reading = ResultStore(filled)
        for _ in range(2):
            assert listed().rows(Reading(reading, {}), are_many=True, course_id=COURSE) == ROWS
        reading.close()
