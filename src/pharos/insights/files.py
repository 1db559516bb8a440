"""Files for download: CSV, and .xlsx with typed cells and the definition."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import xlsxwriter  # type: ignore[import-untyped]
from fastapi import Response
from fastapi.concurrency import run_in_threadpool

from pharos.insights.api import Definition, Row
from pharos.insights.directory import Course
from pharos.insights.language import Language

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Without it Excel reads UTF-8 as something else."""
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
CSV, XLSX = "csv", "xlsx"
MEDIA_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
TIMES = {"date", "created", "start_date", "end_date", "interval_start", "interval_end"}
"""Columns of days and moments."""
WIDEST = 60


@dataclass(frozen=True)
class Sheet:
    """Rows with their columns, and the definition of their numbers."""

    name: str
    """Of the file, without its ending."""
    columns: Sequence[str]
    rows: Sequence[Row]
    definition: Definition | None
    about: Sequence[tuple[str, str]] = ()
    """What else belongs beside the definition: of which course, of which days."""


def about_course(words: Language, course: Course) -> list[tuple[str, str]]:
    """The course of a file, as labels and texts."""
    return [(words.text("Course"), course.name), (words.text("Course ID"), course.course_id)]


async def response(words: Language, sheet: Sheet, kind: str) -> Response:
    """The file, CSV or XLSX, as an attachment; written in a thread, as many rows take a while."""
    write = partial(as_csv, sheet) if kind == CSV else partial(as_xlsx, words, sheet)
    content = await run_in_threadpool(write)
    headers = {"Content-Disposition": disposition(f"{sheet.name}.{kind}")}
    return Response(content, media_type=MEDIA_TYPES[kind], headers=headers)


def disposition(name: str) -> str:
    """The header with a file's name: ASCII for old programs, the whole name for all others (RFC 6266, RFC
    5987).
    """
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\/%' else "_" for c in name)
    header = f'attachment; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"


def as_csv(sheet: Sheet) -> bytes:
    """UTF-8 with a byte-order mark, CRLF, a header line; texts that a spreadsheet would run as a formula are
    quoted.
    """
    file = io.StringIO()
    file.write(BOM)
    writer = csv.DictWriter(file, sheet.columns, lineterminator="\r\n", restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({key: _harmless(value) for key, value in row.items()} for row in sheet.rows)
    return file.getvalue().encode()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_SIGNS) else value


def as_xlsx(words: Language, sheet: Sheet) -> bytes:
    """A workbook: the rows with typed cells, and a second sheet that explains them."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True})
        formats = {
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        }
        data = book.add_worksheet(words.text("Data"))
        data.freeze_panes(1, 0)
        for place, column in enumerate(sheet.columns):
            data.write_string(0, place, column, bold)
            data.set_column(place, place, max(12, min(WIDEST, len(column) + 2)))
        for line, row in enumerate(sheet.rows, 1):
            for place, column in enumerate(sheet.columns):
                value = row.get(column)
                typed = _time(value) if column in TIMES and isinstance(value, str) else value
                _write(data, line, place, typed, formats)
        _write_definition(words, book, sheet, bold)
        if words.direction == "rtl":
            for worksheet in book.worksheets():
                worksheet.right_to_left()
    return file.getvalue()


def _write(worksheet: Any, line: int, place: int, value: Any, formats: dict[type[date], Any]) -> None:
    if value is None:
        return
    if isinstance(value, datetime):
        worksheet.write_datetime(line, place, value, formats[datetime])
    elif isinstance(value, date):
        worksheet.write_datetime(line, place, value, formats[date])
    elif isinstance(value, (int, float)):
        worksheet.write_number(line, place, value)
    else:
        worksheet.write_string(line, place, str(value))


def _time(text: str) -> date | str:
    """A day or a moment (UTC) from the API; other texts unchanged."""
    try:
        return date.fromisoformat(text) if len(text) == len("2031-03-02") else _utc(text)
    except ValueError:
        return text


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _write_definition(words: Language, book: Any, sheet: Sheet, bold: Any) -> None:
    page = book.add_worksheet(words.text("Definition"))
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    page.set_column(0, 0, 24)
    page.set_column(1, 1, 100, wrap)
    for line, (name, text) in enumerate((*sheet.about, *_meaning(words, sheet.definition))):
        page.write_string(line, 0, name, bold)
        page.write_string(line, 1, text, wrap)


def _meaning(words: Language, definition: Definition | None) -> Iterable[tuple[str, str]]:
    if definition is None:
        return
    yield words.text("What it is"), words.phrase(definition.title).striptags()
    yield words.text("Meaning"), words.phrase(definition.meaning).striptags()
    yield words.text("How it is counted"), words.phrase(definition.formula).striptags()
    for case in definition.edge_cases:
        yield words.text("Good to know"), words.phrase(case).striptags()
    yield words.text("Source"), words.phrase(definition.source).striptags()
    if definition.last_event:
        yield words.text("Last event"), words.moment(definition.last_event)
    if definition.published:
        yield words.text("Counted"), words.moment(definition.published)
    yield words.text("Definition"), words.text("version %(number)s", number=words.number(definition.version))
