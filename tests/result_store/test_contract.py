"""Rows that do not fit are refused with table, column and the first offending row."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest

from pharos.result_store import contract, tables
from pharos.result_store.errors import ContractViolation

ENROLLMENT = tables.course_enrollment_daily
GOOD: dict[str, Any] = {
    "course_id": ["a/b/c", "x/y/z"],
    "date": [date(2031, 3, 1), date(2031, 3, 1)],
    "count": [1, 2],
    "cumulative_count": [None, 2],
}


def refusal(rows: pa.Table) -> ContractViolation:
    with pytest.raises(ContractViolation) as error:
        contract.conform(ENROLLMENT, rows)
    return error.value


def test_columns_may_come_in_any_order_and_narrower_types() -> None:
    rows = pa.table(
        {
            "count": pa.array([1, 2], pa.int16()),
            "cumulative_count": pa.nulls(2),
            "date": pa.array(GOOD["date"], pa.date32()),
            "course_id": pa.array(GOOD["course_id"], pa.large_string()),
        }
    )
    conforming = contract.conform(ENROLLMENT, rows)
    assert conforming.column_names == ["course_id", "date", "count", "cumulative_count"]
    assert conforming.column("count").to_pylist() == [1, 2]


@pytest.mark.parametrize(
    ("change", "column", "problem", "row"),
    [
        ({"course_id": ["a/b/c", None]}, "course_id", "null", {"count": 2}),
        ({"course_id": ["é" * 256, "a/b/c"]}, "course_id", "more than 255 characters", {"count": 1}),
        ({"course_id": [1, 2]}, "course_id", "expected string, the rows have int64", None),
        ({"count": ["1", "2"]}, "count", "expected int64, the rows have string", None),
        ({"count": [1, 2**31]}, "count", "out of the range", {"course_id": "x/y/z"}),
        ({"count": [1.0, 2.0]}, "count", "expected int64", None),
        ({"date": ["2031-03-01", "2031-03-02"]}, "date", "expected date32", None),
        ({"course_id": ["a/b/c", "a/b/c"]}, "course_id, date", "more than once", {"course_id": "a/b/c"}),
        ({"extra": [1, 2]}, "extra", "no such column", None),
    ],
)
def test_what_does_not_fit(
    change: dict[str, Any], column: str, problem: str, row: dict[str, Any] | None
) -> None:
    error = refusal(pa.table(GOOD | change))
    assert (error.table, error.column) == ("course_enrollment_daily", column)
    assert problem in error.problem
    if row is None:
        assert error.row is None
    else:
        assert error.row is not None
        assert row.items() <= error.row.items()
    assert str(error).startswith(f"course_enrollment_daily.{column}: ")


def test_a_missing_column_is_named() -> None:
    rows = pa.table(GOOD).drop_columns(["count"])
    assert refusal(rows).column == "count"


def test_null_counts_as_a_value_of_a_key() -> None:
    rows = pa.table({**GOOD, "gender": pa.array([None, None], pa.string())})
    contract.conform(tables.course_enrollment_gender_daily, rows)
    twice = rows.set_column(0, "course_id", pa.array(["a/b/c", "a/b/c"]))
    with pytest.raises(ContractViolation, match="more than once"):
        contract.conform(tables.course_enrollment_gender_daily, twice)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_infinity_is_written_as_null(value: float) -> None:
    table = tables.grade_distribution
    rows = {"module_id": ["m"], "course_id": ["a/b/c"], "grade": [value], "max_grade": [1.0], "count": [1]}
    with pytest.raises(ContractViolation, match="infinity is null"):
        contract.conform(table, pa.table(rows))


def test_moments_with_a_zone_become_utc() -> None:
    east = timezone(timedelta(hours=2))
    start = datetime(2031, 3, 3, 2, tzinfo=east)
    rows = {"course_id": ["a/b/c"], "label": ["ACTIVE"], "count": [1]}
    moments = pa.array([start], pa.timestamp("s", "+02:00"))
    table = pa.table({**rows, "interval_start": moments, "interval_end": moments})
    conforming = contract.conform(tables.course_activity, table)
    expected = start.astimezone(UTC).replace(tzinfo=None)
    assert conforming.column("interval_start").to_pylist() == [expected]
