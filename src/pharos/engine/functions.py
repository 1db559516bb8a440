"""Functions that every engine has and Ibis does not know by one name."""

from __future__ import annotations

import ibis


@ibis.udf.scalar.builtin(name="get_json_object")  # type: ignore[untyped-decorator]
def json_text(document: str, path: str) -> str:  # type: ignore[empty-body]
    """The value at a path (`$.a.b`) of a JSON document: a string's text, anything else as JSON text.

    Null where the document is no JSON, the path leads nowhere or to JSON null. Spark has this function; the
    embedded engine is given it when it connects.
    """
