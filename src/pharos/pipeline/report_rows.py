"""Columns, cells and order of the reports. `spec 02 §4.8, 5.5`"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ibis
import ibis.expr.datatypes as dt

from pharos.config import Reports

Row = Mapping[str, Any]

_LAST = 2**31  # after every INTEGER
_PIECE_CHARACTERS = 1 << 18  # written at once
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report, made from the result of the same name.

    `prepared` adds to the rows of the result the values that `order` needs; `columns` are the header, `cells`
    the texts of a row.
    """

    name: str
    prepared: Callable[[ibis.Table], ibis.Table]
    order: tuple[str, ...]
    columns: Callable[[Reports], list[str]]
    cells: Callable[[Row, Reports], list[str]]


def natural(text: str) -> str:
    """A sort key that compares numbers in the text by value: `a_2_1` before `a_10_1`."""
    return re.sub(r"\d+", lambda digits: f"{len(digits[0]):04}{digits[0]}", text)


_natural = ibis.udf.scalar.python(natural, signature=((dt.string,), dt.string))

# Column of the table -> header of the file
_ANSWERS = {
    "module_id": "ModuleID",
    "part_id": "PartID",
    "correct": "Correct Answer",
    "first_response_count": "First Response Count",
    "last_response_count": "Last Response Count",
    "value_id": "ValueID",
    "answer_value_text": "AnswerValue",
    "variant": "Variant",
    "problem_display_name": "Problem Display Name",
    "question_text": "Question",
}


def _prepared_answers(rows: ibis.Table) -> ibis.Table:
    """Fill nulls for sorting: null texts sort before every text, a null variant after every number."""
    texts = ("value_id", "answer_value_text", "problem_display_name", "question_text")
    filled = rows.mutate({name: ibis.coalesce(rows[name], "") for name in texts})
    return filled.mutate(variant_order=ibis.coalesce(filled.variant, _LAST))


def _answer_cells(row: Row, _: Reports) -> list[str]:
    return [_answer_cell(row[name]) for name in _ANSWERS]


def _answer_cell(value: Any) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _prepared_responses(rows: ibis.Table) -> ibis.Table:
    return rows.mutate(answer_order=_natural(rows.answer_id))


def _response_cells(row: Row, settings: Reports) -> list[str]:
    return [_response_cell(name, row.get(name), settings) for name in settings.fields]


def _response_cell(name: str, value: Any, settings: Reports) -> str:
    if name == "answer":
        return settings.list_delimiter.join(json.loads(value))
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=UTC)
        return moment.strftime(settings.time_format) if settings.time_format else str(moment)
    return str(value)


REPORTS: dict[str, Report] = {
    report.name: report
    for report in (
        Report(
            name="answer_distribution",
            prepared=_prepared_answers,
            order=("course_id", *("variant_order" if name == "variant" else name for name in _ANSWERS)),
            columns=lambda _: list(_ANSWERS.values()),
            cells=_answer_cells,
        ),
        Report(
            name="problem_response",
            prepared=_prepared_responses,
            order=("course_id", "sort_idx", "username", "problem_id", "answer_order"),
            columns=lambda settings: list(settings.fields),
            cells=_response_cells,
        ),
    )
}


def as_csv(report: Report, rows: Iterable[Row], settings: Reports) -> Iterator[bytes]:
    """The file in pieces: UTF-8, lines end with CRLF."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(report.columns(settings))
    for row in rows:
        cells = report.cells(row, settings)
        writer.writerow(map(escaped, cells) if settings.escape_formulas else cells)
        if text.tell() > _PIECE_CHARACTERS:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def escaped(cell: str) -> str:
    """The text of a cell, changed so that no spreadsheet reads it as a formula; numbers are not changed."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell
