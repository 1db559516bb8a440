"""Columns, cells and order of reports. `spec 02 §4.8, 5.5, §11.28, 38-40`"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from pharos.config import Reports
from pharos.pipeline.report_rows import REPORTS, as_csv, escaped, natural

RESPONSES, ANSWERS = REPORTS["problem_response"], REPORTS["answer_distribution"]


def response(**members: Any) -> dict[str, Any]:
    return {"username": "ann", "score": 1.0, "correct": True, "answer": '["x"]'} | members


def test_cells_of_responses() -> None:
    """The example of §5.6: what is not known is None, an unknown column too."""
    settings = Reports(fields=["username", "score", "correct", "answer", "odd"])
    rows = [
        response(username="zed", score=0.5, correct=False, answer='["a,b"]'),
        response(),
        response(username="zoe", correct=None, answer='["x","y"]', score=None),
    ]
    assert b"".join(as_csv(RESPONSES, rows, settings)) == (
        b"username,score,correct,answer,odd\r\n"
        b'zed,0.5,False,"a,b",None\r\n'
        b"ann,1.0,True,x,None\r\n"
        b"zoe,None,None,x|y,None\r\n"
    )


def test_moments_and_delimiters() -> None:
    """§11.39"""
    row = response(first_attempt_date=datetime(2020, 2, 1, 10), answer='["x","y"]')
    fields = ["first_attempt_date", "answer"]
    plain = Reports(fields=fields)
    odd = Reports(fields=fields, time_format="", list_delimiter="\n")
    assert RESPONSES.cells(row, plain) == ["2020-02-01T10:00:00Z", "x|y"]
    assert RESPONSES.cells(row, odd) == ["2020-02-01 10:00:00+00:00", "x\ny"]


def test_the_columns_of_responses_are_those_of_the_setting() -> None:
    """§11.38: in its order."""
    assert RESPONSES.columns(Reports())[:3] == ["username", "problem_id", "answer_id"]
    assert RESPONSES.columns(Reports(fields=["problem", "course_id"])) == ["problem", "course_id"]


def test_cells_of_answers() -> None:
    """§4.8: blank for what is not there; a learner's None stays."""
    names = ("module_id", "part_id", "correct", "first_response_count", "last_response_count")
    row = dict(zip(names, ("m", "p", True, 1, 2), strict=True)) | {
        "value_id": "",
        "answer_value_text": "None",
        "variant": None,
        "problem_display_name": "N",
        "question_text": 'a "q", b',
    }
    assert b"".join(as_csv(ANSWERS, [row], Reports())).decode() == (
        "ModuleID,PartID,Correct Answer,First Response Count,Last Response Count,ValueID,AnswerValue,Variant,"
        'Problem Display Name,Question\r\nm,p,1,1,2,,None,,N,"a ""q"", b"\r\n'
    )


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"), ("+x", "'+x"), ("-3d", "'-3d"), ("@a", "'@a"), ("\tx", "'\tx"), ("-3", "-3"),
        ("+1.5e3", "+1.5e3"), ("a=b", "a=b"), ("", ""),
    ],
)  # fmt: skip
def test_formulas(cell: str, safe: str) -> None:
    """§12.1.13: escaped where the setting says so, and only there."""
    assert escaped(cell) == safe
    row = response(answer=f'["{cell}"]'.replace("\t", "\\t"))
    assert RESPONSES.cells(row, Reports(fields=["answer"])) == [cell]
    text = b"".join(as_csv(RESPONSES, [row], Reports(fields=["answer"], escape_formulas=True))).decode()
    assert text.split("\r\n")[1].strip('"') == safe


def test_long_reports_come_in_pieces() -> None:
    pieces = list(as_csv(RESPONSES, (response(username="x" * 1000) for _ in range(1000)), Reports()))
    assert len(pieces) > 2
    assert b"".join(pieces).count(b"\r\n") == 1001


def test_natural_order() -> None:
    assert sorted(["a_10_1", "a_2_1", "a_2_10", "a_2_2"], key=natural) == [
        "a_2_1",
        "a_2_2",
        "a_2_10",
        "a_10_1",
    ]
