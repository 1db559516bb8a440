"""Checks rows against the contract of their table before they are published. Must not touch a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from pharos.result_store.errors import ContractViolation

INT_RANGE = {"INTEGER": 2**31, "BIGINT": 2**63}
OWN_COLUMNS = ("id", "created")  # the store's, not the result's


def columns(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns that a result must have, in the order of the table."""
    return [column for column in table.columns if column.name not in OWN_COLUMNS]


def schema(table: sa.Table) -> pa.Schema:
    """The Arrow schema of conforming rows."""
    return pa.schema([(column.name, _arrow_type(column.type)[0]) for column in columns(table)])


def conform(table: sa.Table, rows: pa.Table, names: Sequence[str] | None = None) -> pa.Table:
    """The rows in the table's column order and types: string, int64, double, bool, date32, timestamp (µs).

    `names` are the columns that the rows must have, all by default.

    Raises ContractViolation with column and first offending row: columns missing or unknown, a wrong type,
    null in a required column, text too long, a number out of range or not finite, a duplicate key.
    """
    expected = [column for column in columns(table) if names is None or column.name in names]
    names = [column.name for column in expected]
    for name in names:
        if name not in rows.column_names:
            raise ContractViolation(
                table.name, name, f"the column is missing; the rows have {rows.column_names}"
            )
    for name in rows.column_names:
        if name not in names or rows.column_names.count(name) > 1:
            raise ContractViolation(
                table.name, name, f"no such column in the contract, or twice; it has {names}"
            )
    rows = rows.select(names)
    for index, column in enumerate(expected):
        rows = rows.set_column(index, column.name, _typed(table, column, rows))
        _check_values(table, column, rows)
    _check_key(table, rows)
    return rows.combine_chunks()


def _typed(table: sa.Table, column: sa.Column[Any], rows: pa.Table) -> pa.ChunkedArray:
    values = rows.column(column.name)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    wanted, accepted = _arrow_type(column.type)
    if not (accepted(values.type) or pa.types.is_null(values.type)):
        raise ContractViolation(table.name, column.name, f"expected {wanted}, the rows have {values.type}")
    typed = values.cast(wanted, safe=not pa.types.is_timestamp(values.type))
    if pa.types.is_string(wanted):  # PostgreSQL cannot store the character NUL
        typed = pc.replace_substring(typed, pattern="\x00", replacement="\ufffd")
    return typed


def _arrow_type(type_: sa.types.TypeEngine[Any]) -> tuple[pa.DataType, Callable[[pa.DataType], bool]]:
    """The Arrow type of a column, and the test for Arrow types that can be cast to it."""
    types = pa.types
    match type_:
        case sa.Boolean():
            return pa.bool_(), types.is_boolean
        case sa.Integer():
            return pa.int64(), types.is_integer
        case sa.Float() | sa.Numeric():
            return pa.float64(), lambda t: types.is_floating(t) or types.is_integer(t) or types.is_decimal(t)
        case sa.DateTime():
            return pa.timestamp("us"), types.is_timestamp
        case sa.Date():
            return pa.date32(), types.is_date
        case _:
            return (
                pa.string(),
                lambda t: types.is_string(t) or types.is_large_string(t) or types.is_string_view(t),
            )


def _check_values(table: sa.Table, column: sa.Column[Any], rows: pa.Table) -> None:
    values = rows.column(column.name)
    if not column.nullable:
        _refuse(table, column, rows, pc.is_null(values), "null, where the contract allows none")
    type_ = column.type
    if isinstance(type_, sa.String) and type_.length:
        longer = pc.greater(pc.utf8_length(values), type_.length)
        _refuse(table, column, rows, longer, f"text of more than {type_.length} characters")
    elif isinstance(type_, sa.Integer):
        limit = INT_RANGE["BIGINT" if isinstance(type_, sa.BigInteger) else "INTEGER"]
        if limit < INT_RANGE["BIGINT"]:
            outside = pc.or_(pc.less(values, -limit), pc.greater_equal(values, limit))
            _refuse(table, column, rows, outside, "a number out of the range of INTEGER")
    elif isinstance(type_, sa.Float | sa.Numeric):
        _refuse(
            table, column, rows, pc.invert(pc.is_finite(values)), "not a finite number; infinity is null here"
        )


def _refuse(table: sa.Table, column: sa.Column[Any], rows: pa.Table, bad: pa.ChunkedArray, why: str) -> None:
    count = pc.sum(bad).as_py() or 0
    if count:
        first = pc.index(bad.combine_chunks(), value=True).as_py()
        raise ContractViolation(
            table.name, column.name, f"{why} ({count} rows)", rows.slice(first, 1).to_pylist()[0]
        )


def _check_key(table: sa.Table, rows: pa.Table) -> None:
    key = [name for name in table.info["key"] if name in rows.column_names]
    if not key:
        return
    counts = rows.select(key).group_by(key).aggregate([([], "count_all")])
    twice = counts.filter(pc.greater(counts.column("count_all"), 1))
    if twice.num_rows:
        first = twice.select(key).slice(0, 1).to_pylist()[0]
        raise ContractViolation(
            table.name, ", ".join(key), f"key occurs more than once ({twice.num_rows} keys)", first
        )
