"""Shares of those who said something of themselves, and of everybody."""

from __future__ import annotations

from datetime import date

import pytest
from fastapi import Request

from pharos.insights.demographics import Group, caption, group_table, newest, tip
from pharos.insights.language import languages

ENGLISH = languages()["en"]


@pytest.mark.parametrize(("known", "share"), [(1, "25.0%"), (3, "75.0%"), (4, "100.0%"), (0, "0.0%")])
def test_a_chart_says_what_share_said_so(known: int, share: str) -> None:
    text = caption(ENGLISH, known, 4, date(2026, 11, 22))
    assert text.startswith(f"{share} of the learners enrolled on ")
    assert "2026" in text


def test_a_tip_holds_number_and_share() -> None:
    assert [value for _, value in tip(ENGLISH, 3, 12)] == ["3", "25.0%"]
    assert [value for _, value in tip(ENGLISH, 0, 0)] == ["0", "–"]


def test_a_table_holds_the_share_of_everybody() -> None:
    """Also of those who did not say, whose name is a quiet one."""
    request = Request(
        {"type": "http", "path": "/p/", "query_string": b"", "headers": [], "server": ("x", 80)}
    )
    groups = [Group("f", 3, 0), Group("m", 4, 1), Group(None, 5, 2)]
    found = group_table(
        request, ENGLISH, "Gender", "Gender", groups, lambda key: key or "Not given", 12, "group"
    )
    rows = [[str(cell.text) for cell in row] for row in found.rows]
    assert rows == [
        ["f", "3", "25.0%"],
        ["m", "4", "33.3%"],
        ['<span class="quiet">Not given</span>', "5", "41.7%"],
    ]


def test_the_day_of_rows_is_the_newest() -> None:
    assert newest([{"date": "2026-01-02"}, {"date": "2026-01-03"}, {"date": "2026-01-01"}]) == date(
        2026, 1, 3
    )
    assert newest([]) is None
