"""Formats of answers: their negotiation (spec 05 §2.2-2.3) and the writers (§2.6).

Works on plain items (dictionaries of JSON values) and must not know their meaning.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pharos.data_api.errors import NoData, NotAcceptable

Item = Mapping[str, Any]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NESTED = {dict, list, tuple}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Format:
    """A format of answers: name (suffix and `format` parameter), media type, and writer."""

    name: str
    accept: str
    content_type: str
    render: Callable[[Any, Sequence[str] | None], bytes]


def as_json(answer: Any, _: Sequence[str] | None = None) -> bytes:
    """Compact JSON. `fields` chooses columns of tables only."""
    return msgspec.json.encode(answer)


def as_html(answer: Any, _: Sequence[str] | None = None) -> bytes:
    """The JSON in an HTML page, for browsers."""
    text = html.escape(json.dumps(answer, indent=2, ensure_ascii=False))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pharos Data API</title>'
        f'<p><a href="/docs/">All endpoints</a></p><pre>{text}</pre></html>\n'
    ).encode()


def as_csv(answer: Any, fields: Sequence[str] | None = None) -> bytes:
    """A header and a line per item; columns sorted by name, or the existing ones of `fields`, in order."""
    items = [flat(item) for item in items_of(answer)]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    names = column_names(items, fields)
    writer.writerow(names)
    writer.writerows([cell(item.get(name)) for name in names] for item in items)
    return out.getvalue().encode()


def as_ndjson(answer: Any, _: Sequence[str] | None = None) -> bytes:
    """A line of JSON per item."""
    return b"".join(as_json(item) + b"\n" for item in items_of(answer))


def as_parquet(answer: Any, fields: Sequence[str] | None = None) -> bytes:
    """The columns of the CSV, typed: days are dates, moments timestamps (UTC, without a zone)."""
    items = [flat(item) for item in items_of(answer)]
    names = column_names(items, fields)
    table = pa.table({name: _typed([item.get(name) for item in items]) for name in names})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _typed(values: list[Any]) -> pa.Array:
    """A column; texts become dates or timestamps if all of them are."""
    texts = [value for value in values if value is not None]
    if texts and all(type(value) is str for value in texts):
        for form, type_ in _TIMES:
            if all(form.fullmatch(text) for text in texts):
                read = [None if value is None else datetime.fromisoformat(value[:19]) for value in values]
                return pa.array(read, pa.timestamp("s")).cast(type_)
    return pa.array(values)


_TIMES = (
    (re.compile(r"\d{4}-\d\d-\d\d"), pa.date32()),
    (re.compile(r"\d{4}-\d\d-\d\dT\d{6}"), pa.timestamp("s")),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), pa.timestamp("s")),
)


JSON = Format("json", "application/json", "application/json", as_json)
HTML = Format("api", "text/html", "text/html; charset=utf-8", as_html)
CSV = Format("csv", "text/csv", "text/csv; charset=utf-8", as_csv)
NDJSON = Format("ndjson", "application/x-ndjson", "application/x-ndjson", as_ndjson)
PARQUET = Format("parquet", "application/vnd.apache.parquet", "application/vnd.apache.parquet", as_parquet)
FORMATS = (JSON, HTML, CSV, NDJSON, PARQUET)
SUFFIXES = {f.name: f for f in FORMATS}


def chosen(accept: str, *wanted: str | None) -> Format:
    """The format to write in: the one of suffix and `format` parameter, if the Accept header allows it.

    The most specific media type of Accept wins, then the order of FORMATS; quality values do not count (as in
    the original). Raises NoData for an unknown format, NotAcceptable if no format is left.
    """
    offered: Sequence[Format] = FORMATS
    for name in wanted:
        if name:
            if name not in SUFFIXES:
                raise NoData
            offered = [f for f in offered if f.name == name]
    ranges = [part.split(";")[0].strip().lower() for part in accept.split(",")] if accept.strip() else ["*/*"]
    for specific in (lambda r: "*" not in r, lambda r: r.endswith("/*") and r != "*/*", lambda r: r == "*/*"):
        for format_ in offered:
            if any(specific(r) and _covers(r, format_.accept) for r in ranges):
                return format_
    raise NotAcceptable


def _covers(accepted: str, media_type: str) -> bool:
    return accepted in ("*/*", media_type) or (
        accepted.endswith("/*") and media_type.startswith(accepted[:-1])
    )


def items_of(answer: Any) -> Sequence[Item]:
    """The items of a list, of a page, or the one object."""
    if isinstance(answer, Mapping):
        return answer["results"] if {"results", "count"} <= answer.keys() else [answer]
    items: Sequence[Item] = answer
    return items


def flat(item: Item, prefix: str = "") -> Item:
    """Nested objects as dotted names, lists as one text joined by comma and space."""
    if not prefix and _NESTED.isdisjoint(map(type, item.values())):
        return item
    columns: dict[str, Any] = {}
    for name, value in item.items():
        if isinstance(value, dict):
            columns.update(flat(value, f"{prefix}{name}."))
        elif isinstance(value, (list, tuple)):
            columns[prefix + name] = ", ".join(str(part) for part in value)
        else:
            columns[prefix + name] = value
    return columns


def column_names(items: Iterable[Mapping[str, Any]], fields: Sequence[str] | None) -> list[str]:
    present: set[str] = set().union(*items)
    return sorted(present) if fields is None else [name for name in fields if name in present]


def cell(value: Any) -> Any:
    """The value as a cell; a text that a spreadsheet would run as a formula gets a leading apostrophe."""
    if isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def attachment(name: str) -> str:
    """The value of Content-Disposition for a file name of any characters (RFC 6266)."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.+@:~") else "_" for c in name)
    if safe == name:
        return f"attachment; filename={name}"
    return f"attachment; filename=\"{safe}\"; filename*=UTF-8''{quote(name, safe='')}"
