"""Every kind of value comes back from every kind of store as it went in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pharos.result_store import bulk, contract, store, tables

CREATED = datetime(2031, 3, 2, 4, 5, 6)
ANSWERS = tables.answer_distribution
TEXTS = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.sampled_from(
        [
            "",
            "NULL",
            "\\N",
            "it's",
            'say "hi"',
            "\\",
            "\\'",
            "%s",
            "a,b",
            "a\r\nb",
            "😀",
            "\x00",
            " pad ",
            "NaN",
        ]
    ),
)
ANSWER = st.fixed_dictionaries(
    {
        "course_id": st.text(max_size=20),
        "module_id": st.just("m"),
        "part_id": st.just("p"),
        "correct": st.booleans(),
        "first_response_count": st.integers(-(2**31) + 1, 2**31 - 1),
        "last_response_count": st.just(0),
        "value_id": st.one_of(st.none(), st.text(max_size=20)),
        "answer_value_text": TEXTS,
        "answer_value_numeric": st.one_of(
            st.none(), st.floats(-1e300, 1e300, allow_nan=False, allow_subnormal=False)
        ),
        "variant": st.one_of(st.none(), st.integers(0, 99)),
        "problem_display_name": TEXTS,
        "question_text": TEXTS,
    }
)


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    store.upgrade(store_url)
    engine = store.connect(store_url)
    yield engine
    engine.dispose()


def stamped(rows: pa.Table) -> pa.Table:
    """The rows with the time of their publication."""
    return rows.append_column("created", pa.repeat(pa.scalar(CREATED, pa.timestamp("us")), rows.num_rows))


@given(rows=st.lists(ANSWER, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_values_come_back_as_they_went_in(engine: sa.Engine, rows: list[dict[str, object]]) -> None:
    rows = [row | {"part_id": str(number)} for number, row in enumerate(rows)]  # keys are unique
    types = {column.name: column.type.python_type for column in contract.columns(ANSWERS)}
    arrow = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
    given_rows = pa.table({name: pa.array([row[name] for row in rows], arrow[types[name]]) for name in types})
    with engine.connect() as connection, connection.begin() as transaction:
        bulk.insert(connection, ANSWERS, stamped(contract.conform(ANSWERS, given_rows)))
        found = connection.execute(sa.select(ANSWERS).order_by(ANSWERS.c.id)).mappings().all()
        transaction.rollback()
    for row, back in zip(rows, found, strict=True):
        expected = {
            name: value.replace("\x00", "\ufffd") if isinstance(value, str) else value
            for name, value in row.items()
        }
        assert {name: back[name] for name in expected} == expected
        assert back["created"] == CREATED


def test_days_and_moments_and_more_rows_than_fit_a_statement(engine: sa.Engine) -> None:
    table, count = tables.course_meta_summary_enrollment, bulk.ROWS_AT_ONCE * 2 + 1
    nulls = {name: pa.nulls(count, pa.string()) for name in ("catalog_course", "pacing_type", "availability")}
    numbers = ("count", "count_change_7_days", "cumulative_count", "passing_users")
    moments = [datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)] * count
    rows = pa.table(
        {
            "course_id": [f"course-v1:Org+C{number}+R" for number in range(count)],
            "catalog_course_title": ["é" * 250] * count,
            "start_time": pa.array(moments, pa.timestamp("ms", "UTC")),
            "end_time": pa.nulls(count, pa.timestamp("us")),
            "enrollment_mode": pa.array(["audit"] * count).dictionary_encode(),
            **nulls,
            **{name: pa.array(range(count), pa.int32()) for name in numbers},
        }
    )
    with engine.begin() as connection:
        bulk.insert(connection, table, stamped(contract.conform(table, rows)))
        found = connection.execute(sa.select(table).order_by(table.c.id)).mappings().all()
    assert [row["passing_users"] for row in found] == list(range(count))
    assert {row["start_time"] for row in found} == {datetime(2031, 1, 2, 3, 4, 5)}
    assert {row["end_time"] for row in found} == {None}


def test_days(engine: sa.Engine) -> None:
    table = tables.course_enrollment_daily
    rows = {"course_id": ["a/b/c"], "date": [date(1999, 12, 31)], "count": [1], "cumulative_count": [1]}
    with engine.begin() as connection:
        bulk.insert(connection, table, stamped(contract.conform(table, pa.table(rows))))
        assert connection.scalar(sa.select(table.c.date)) == date(1999, 12, 31)
