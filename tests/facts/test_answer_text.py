"""Texts of answers. `spec 02 §4.6, 4.7, §11.21-22, 30`"""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from pharos.facts.answer_text import answer_text, items_of, number_text, plain_answer, text_of_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a<b>b</b></p>", "a b"),
        ("a &amp; b", "a & b"),
        ("x<br/>y", "x y"),
        ("x <!-- note --> y", "x y"),
        ("x <![CDATA[hidden]]> y", "x y"),
        ("<table><tr><td>p</td><td>q</td></tr></table> r", "p q r"),
        ('<img src="x"/>', ""),
        ("a<b", "a"),
        ("1 < 2", "1 < 2"),
        ("a br>b", "a br>b"),
        ("  A \t\n B  ", "A B"),
        ("[x]", "[x]"),
        # beyond the table of the spec
        ("", ""),
        ("<script>alert('x')</script>y<style>z</style><title>t</title>", "alert('x') z t y"),
        ("<b>" * 5000 + "deep", "deep"),
        ("a&nbsp;b", "a b"),
        ("&#xd800;", "\ufffd"),
        ("\u202ertl <i>é</i>", "\u202ertl é"),
    ],
)
def test_text_of_html(html: str, text: str) -> None:
    assert sorted(text_of_html(html).split()) == sorted(text.split())
    if "script" not in html:  # a browser puts some of it into the head of the document
        assert text_of_html(html) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" a\u00a0\n", "a"),
        (["choice_0", " choice_2 "], "[choice_0|choice_2]"),
        ([], "[]"),
        ("", ""),
        (3, "3"),
        (3.0, "3"),
        (2.5, "2.5"),
        (0.1, "0.1"),
        (10**30, "1" + "0" * 30),
        (True, "true"),
        (False, "false"),
        (None, ""),
        ({"b": [1, 2], "a": "é"}, '{"a":"é","b":[1,2]}'),
        ([1, None, True, ["x"], {"a": 10**30}], '[1||true|["x"]|{"a":1' + "0" * 30 + "}]"),
        ("a\x00b", "a\ufffdb"),
    ],
)
def test_answers_as_text(value: Any, text: str) -> None:
    assert answer_text(value) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("234", "234.0"),
        ("-1.5", "-1.5"),
        ("+1", "1.0"),
        (" 3 ", "3.0"),
        (".5", "0.5"),
        ("1.", "1.0"),
        ("1e3", "1000.0"),
        ("1E-3", "0.001"),
        ("0000", "0.0"),
    ],
)
def test_numbers(text: str, number: str) -> None:
    assert number_text(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "-3d",
        "nan",
        "NaN",
        "inf",
        "-Infinity",
        "1_000",
        "1e999",
        "0x10",
        "1,5",
        "[3]",
        "",
        ".",
        "1e",
        "٣",
        "1 2",
    ],
)
def test_what_is_no_number(text: str) -> None:
    assert number_text(text) == ""


def test_items_and_plain_answers() -> None:
    """§11.21: HTML is removed inside each item, and what separates items stays."""
    assert items_of("a", "") == ["a"]
    assert items_of("a", '" a "') == [" a "]
    assert items_of("[a|b]", '["a ","b"]') == ["a ", "b"]
    assert plain_answer("[<b>A</b>|C|D]", '["<b>A</b>","C|D"]') == "[A|C|D]"
    assert plain_answer("[<b>A</b>|C]", "") == "[ A |C]"  # a text that looks like a list is none
    assert plain_answer("[]", "[]") == "[]"


def test_long_answers_are_not_remembered() -> None:
    tracemalloc.start()
    for number in range(300):
        assert text_of_html(f"<p>{number:010000}</p>") == f"{number:010000}"
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000
