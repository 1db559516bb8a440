"""Functions that give the same value on every engine; used where the functions of Ibis differ between
engines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt

if TYPE_CHECKING:
    import pyarrow as pa
    from ibis.expr.types import StringValue

# Each step of an expression becomes a query of its own within the next one: to put them together took Ibis a
# fifth of a small run (0.8 of 4.2 s), and both engines do it again themselves.
ibis.options.sql.fuse_selects = False

# White space as Python's `str.strip` knows it: `\s` is another set of characters on each engine.
_SPACE = r"[\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"


@ibis.udf.scalar.builtin(name="get_json_object")  # type: ignore[untyped-decorator]
def json_text(document: str, path: str) -> str:  # type: ignore[empty-body]
    """The value at a path (`$.a.b`) of strict JSON: a string's text, any other value as JSON text.

    Null if the path does not exist or holds JSON null. Engines agree only about strict JSON, and they write
    numbers with a fraction or an exponent differently: use `pharos.facts.payload` for payloads of events.
    Spark has this function; DuckDB gets it when it connects.
    """


@ibis.udf.scalar.builtin(name="unix_micros")  # type: ignore[untyped-decorator]
def microseconds(time: dt.timestamp) -> int:  # type: ignore[empty-body]
    """Microseconds since 1970, UTC. Spark has this function; DuckDB gets it when it connects."""


def stripped(text: StringValue) -> StringValue:
    """The text without outer white space, as defined by Python's `str.strip`.

    Ibis's `strip` is not used: on Spark it also removes the letters f and v.
    """
    return text.re_replace(rf"\A{_SPACE}+|{_SPACE}+\z", "")


def storable(text: StringValue) -> StringValue:
    """The text in the form that every Result Store can hold: NUL, which PostgreSQL refuses, becomes U+FFFD.

    Apply it to texts before grouping by them, so that different keys stay different when they are published.
    """
    return text.re_replace(r"\x00", "\ufffd")


def with_schema(table: ibis.Table, schema: pa.Schema) -> ibis.Table:
    """The columns of the schema, in its types; a nullable column that the table lacks is null."""
    columns = ibis.Schema.from_pyarrow(schema)
    if _same_types(table.schema(), columns):
        return table
    missing = {
        name: ibis.null(columns[name])
        for name in schema.names
        if name not in table.columns and schema.field(name).nullable
    }
    return table.mutate(**missing).select(schema.names).cast(columns)


def _same_types(left: ibis.Schema, right: ibis.Schema) -> bool:
    """True if both have the same columns in the same order, with equal types apart from nullability."""
    return left.names == right.names and all(
        one.copy(nullable=True) == other.copy(nullable=True)
        for one, other in zip(left.types, right.types, strict=True)
    )
