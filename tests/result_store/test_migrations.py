"""Every migration goes up and down, with data in the tables."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from alembic import command

from pharos.result_store import store, tables


def _migrate(engine: sa.Engine, revision: str) -> None:
    with engine.begin() as connection:
        configuration = store.migrations()
        configuration.attributes["connection"] = connection
        direction = command.downgrade if revision in ("base", "0001") else command.upgrade
        direction(configuration, revision)


def test_down_and_up_again_keeps_the_rows_of_older_tables(store_url: str) -> None:
    store.upgrade(store_url)
    engine = store.engine_for(store_url)
    with engine.begin() as connection:
        for table in (tables.course_enrollment_daily, tables.course_enrollment_gender_daily):
            connection.execute(sa.insert(table).values(course_id="a/b/c", date=date(2031, 3, 1), count=3))
    _migrate(engine, "0001")
    assert "course_enrollment_gender_daily" not in sa.inspect(engine).get_table_names()
    _migrate(engine, "head")
    with engine.connect() as connection:
        counts = sa.select(tables.course_enrollment_daily.c["count"])
        assert connection.execute(counts).scalars().all() == [3]
        gone = sa.select(sa.func.count()).select_from(tables.course_enrollment_gender_daily)
        assert connection.scalar(gone) == 0
    _migrate(engine, "base")
    assert sa.inspect(engine).get_table_names() == [store.VERSION_TABLE]
    engine.dispose()
