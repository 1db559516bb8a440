"""Comparisons that are exact in every collation are still answered by an index."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from pharos.result_store import store, tables
from pharos.result_store.column_types import equal

TABLE = tables.course_enrollment_daily
PLANS = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN", "mysql": "EXPLAIN"}
BY_INDEX = {"sqlite": "SEARCH", "postgresql": "Index", "mysql": "uq_course_enrollment_daily"}


def test_an_exact_comparison_is_answered_by_an_index(store_url: str) -> None:
    store.upgrade(store_url)
    engine = store.connect(store_url)
    dialect = engine.dialect.name
    rows = [
        {"course_id": f"a/b/{number}", "date": date(2031, 3, 1), "count": number} for number in range(300)
    ]
    with engine.begin() as connection:
        connection.execute(sa.insert(TABLE), rows)
        found = sa.select(TABLE.c["count"]).where(equal(TABLE.c.course_id, "a/b/7"))
        assert connection.execute(found).scalars().all() == [7]
        if dialect == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")  # the table is small
        text = str(found.compile(engine, compile_kwargs={"literal_binds": True}))
        plan = connection.exec_driver_sql(f"{PLANS[dialect]} {text}").all()
        assert BY_INDEX[dialect] in str([row[5:6] if dialect == "mysql" else row for row in plan])
    engine.dispose()
