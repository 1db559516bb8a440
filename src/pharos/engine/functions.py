"""Functions that mean the same on every engine, where those of Ibis do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from ibis.expr.types import StringValue


@ibis.udf.scalar.builtin(name="get_json_object")  # type: ignore[untyped-decorator]
def json_text(document: str, path: str) -> str:  # type: ignore[empty-body]
    """The value at a path (`$.a.b`) of a JSON document: a string's text, anything else as JSON text.

    Null where the document is no JSON, the path leads nowhere or to JSON null. Spark has this function; the
    embedded engine is given it when it connects.
    """


def stripped(text: StringValue) -> StringValue:
    """The text without outer white space. Not Ibis's `strip`: on Spark that takes off the letters f and v."""
    return text.re_replace(r"^\s+|\s+$", "")
