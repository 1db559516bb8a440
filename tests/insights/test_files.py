"""Files: what stands in them is what the API says, readable by every program, with their definition."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.insights.world import OLD_STYLE, World

from pharos.insights.files import BOM, Sheet, as_csv, as_xlsx, disposition
from pharos.insights.language import languages
from pharos.insights.pages.downloads import DOWNLOADS

WORDS = languages()["en"]
SPACE = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
DAY_ZERO = datetime(1899, 12, 30)


def workbook(content: bytes) -> dict[str, list[list[Any]]]:
    """The cells of each sheet; numbers in cells of a date format as days or moments."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        texts = [
            "".join(text.text or "" for text in item.iter(f"{{{SPACE['x']}}}t"))
            for item in _xml(parts.read("xl/sharedStrings.xml"))
        ]
        styles = _xml(parts.read("xl/styles.xml"))
        formats = {
            item.get("numFmtId"): item.get("formatCode") for item in styles.iterfind(".//x:numFmt", SPACE)
        }
        cell_formats = [
            formats.get(item.get("numFmtId")) for item in styles.iterfind("./x:cellXfs/x:xf", SPACE)
        ]
        names = [
            item.get("name") or ""
            for item in _xml(parts.read("xl/workbook.xml")).iterfind(".//x:sheet", SPACE)
        ]
        found = {}
        for number, name in enumerate(names, 1):
            page = _xml(parts.read(f"xl/worksheets/sheet{number}.xml"))
            found[name] = [_row(row, texts, cell_formats) for row in page.iterfind(".//x:row", SPACE)]
    return found


def _xml(content: bytes) -> ET.Element:
    return ET.fromstring(content)  # noqa: S314 - of files we wrote


def _row(row: ET.Element, texts: list[str], formats: list[str | None]) -> list[Any]:
    """The cells at their places; empty ones are not in the file."""
    cells: list[Any] = []
    for cell in row:
        letters = (cell.get("r") or "").rstrip("0123456789")
        place = sum((ord(c) - 64) * 26**i for i, c in enumerate(reversed(letters)))
        cells += [None] * (place - 1 - len(cells))
        cells.append(_cell(cell, texts, formats))
    return cells


def _cell(cell: ET.Element, texts: list[str], formats: list[str | None]) -> Any:
    value = cell.findtext("x:v", namespaces=SPACE)
    assert cell.find("x:f", SPACE) is None, "a formula"
    if value is None:
        return None
    if cell.get("t") == "s":
        return texts[int(value)]
    code = formats[int(cell.get("s") or 0)]
    if code == "yyyy-mm-dd":
        return (DAY_ZERO + timedelta(days=int(value))).date()
    if code:
        return DAY_ZERO + timedelta(days=float(value))
    return float(value)


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix(BOM))))


def test_a_csv_has_the_rows_of_the_api_and_its_columns(world: World) -> None:
    said = world.api_rows(f"courses/{OLD_STYLE}/enrollment/mode/?end_date=2099-01-01")
    flows = world.api_rows(f"courses/{OLD_STYLE}/enrollment/flow/?end_date=2099-01-01")
    flow_of = {flow["date"]: {key: flow[key] for key in ("joined", "left")} for flow in flows}
    said = [row | flow_of[row["date"]] for row in said]
    with world.client("sofia") as client:
        answer = client.get(f"/courses/{OLD_STYLE}/csv/enrollment/")
    assert answer.content.startswith(BOM.encode())
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = rows_of(answer)
    assert [list(row) for row in rows] == [sorted((*said[0], "passing"))] * len(said)
    assert [{key: str(value) for key, value in row.items()} | {"passing": ""} for row in said] == rows


def test_a_workbook_has_the_same_rows_as_numbers_and_days_and_says_what_they_are(world: World) -> None:
    said = world.api_rows(f"courses/{world.course_id}/enrollment/mode/?end_date=2099-01-01")
    counts_before = {day["date"]: before["count"] for before, day in pairwise(said)}
    with world.client("sofia") as client:
        answer = client.get(f"/courses/{world.course_id}/xlsx/enrollment/?period=7d")
    assert answer.headers["content-disposition"] == (
        'attachment; filename="HarborX-NAV101-R3--enrollment--2026-11-16--2026-11-22.xlsx"'
    )
    book = workbook(answer.content)
    assert list(book) == ["Data", "Definition"]
    head, *rows = book["Data"]
    assert head == sorted((*said[0], "joined", "left", "passing"))
    assert len(rows) == 7
    for row, item in zip(rows, said[-7:], strict=True):
        shown = dict(zip(head, row, strict=True))
        assert shown["date"] == date.fromisoformat(item["date"])
        assert shown["course_id"] == world.course_id
        assert isinstance(shown["created"], datetime)
        assert shown["joined"] - shown["left"] == item["count"] - counts_before[item["date"]]
        apart = {"date", "course_id", "created", "joined", "left", "passing"}
        counts = {key: value for key, value in shown.items() if key not in apart}
        assert counts == {key: item[key] for key in counts}
    about = dict(row[:2] for row in book["Definition"])
    assert about["Course ID"] == world.course_id
    assert about["Days"] == WORDS.days(date(2026, 11, 16), date(2026, 11, 22))
    assert "at the end of each UTC day" in about["Meaning"]


@pytest.mark.parametrize("name", DOWNLOADS)
def test_every_file_speaks_every_language(world: World, name: str) -> None:
    with world.client("sofia") as client:
        for code in languages():
            book = client.get(f"/courses/{world.course_id}/xlsx/{name}/", params={"language": code})
            sheets = workbook(book.content)
            assert len(sheets) == 2
            assert sum(map(len, sheets.values())) > 5
        text = client.get(f"/courses/{world.course_id}/csv/{name}/")
        assert len(rows_of(text)) == len(next(iter(sheets.values()))) - 1
        assert client.get(f"/courses/{world.campus.courses[2].id}/xlsx/{name}/").status_code == 404


def test_the_list_is_a_file_too(world: World) -> None:
    with world.client("sofia") as client:
        text, book = client.get("/courses/csv/course_list/"), client.get("/courses/xlsx/course_list/")
    head, *rows = workbook(book.content)["Data"]
    assert head == list(rows_of(text)[0])
    assert len(rows) == len(rows_of(text)) == 6
    assert {type(row[head.index("count")]) for row in rows} == {float}


def test_the_list_has_a_course_that_nobody_joined_yet_with_zeros_and_its_dates(world: World) -> None:
    course = world.campus.courses[2]
    with world.client("sofia") as client:
        text, book = client.get("/courses/csv/course_list/"), client.get("/courses/xlsx/course_list/")
    [row] = [row for row in rows_of(text) if row["course_id"] == course.id]
    assert [row[key] for key in ("count", "cumulative_count", "recent_count_change")] == ["0"] * 3
    assert [row["recent_joined"], row["recent_left"]] == ["0", "0"]
    head, *rows = workbook(book.content)["Data"]
    [cells] = [dict(zip(head, row, strict=True)) for row in rows if course.id in row]
    assert cells["start_date"] == course.starts.replace(tzinfo=None)
    assert cells["catalog_course_title"] == course.name


def test_a_name_is_whole_for_new_programs_and_ascii_for_old_ones() -> None:
    assert disposition("a-b.csv") == 'attachment; filename="a-b.csv"'
    assert disposition('Ü"x;.csv') == "attachment; filename=\"__x;.csv\"; filename*=UTF-8''%C3%9C%22x%3B.csv"


@given(st.text(max_size=30))
def test_no_name_breaks_its_header(name: str) -> None:
    try:
        header = disposition(name)
    except UnicodeEncodeError:  # half a surrogate is no text
        return
    assert header.isascii()
    assert header.isprintable()
    assert header.partition(";")[2].count('"') == 2


def test_text_is_never_a_formula() -> None:
    sheet = Sheet("x", ["a", "b"], [{"a": "=1+1", "b": -5}, {"a": "2031-03-02T04:05", "b": None}], None)
    assert as_csv(sheet).decode() == f"{BOM}a,b\r\n'=1+1,-5\r\n2031-03-02T04:05,\r\n"
    assert workbook(as_xlsx(WORDS, sheet))["Data"][1] == ["=1+1", -5.0]
