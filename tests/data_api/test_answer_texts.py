"""The table and the placeholders of spec 05 §6.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharos.data_api.answer_texts import shown


@pytest.mark.parametrize(
    ("stored", "served"),
    [
        (None, None),
        ("choice_1", "choice_1"),
        ('["a <b>b</b>", "c"]', "[a b|c]"),
        ("[]", "[]"),
        ("<p>a</p><p>b</p>", "a b"),
        ("  pad  ", "pad"),
        ("<script>s</script>t", "s t"),
        ('<img src="x"/>', ""),
        ('[1, "b", null, true, {"k": [1]}]', '[1|b|null|true|{"k": [1]}]'),
        ('{"a": 1}', '{"a": 1}'),
        ("&lt;b&gt; &amp; c", "<b> & c"),
        ("5 < 6", "5 < 6"),
        ("[broken", "[broken"),
        ('"quoted"', '"quoted"'),
        ("<!-- c -->d", "d"),
        (r'["a\nb"]', r"[a\nb]"),
        (r'["\frac{1}{2}", "x"]', r"[\frac{1}{2}|x]"),
        ("(0 1/3 0)", "(0 1/3 0)"),
        ('["é", "😀", "日本"]', "[é|😀|日本]"),
        ('[["a"], "b"]', '[["a"]|b]'),
        (r'["say \"hi\""]', '[say "hi"]'),
        ("**FOURBACKSLASHQUOTE**", '\\\\\\\\"'),
        ("**THREEBACKSLASHQUOTE**", '\\\\\\"'),
        ("**TWOBACKSLASHQUOTE**", '\\\\"'),
        ("**ONEBACKSLASHQUOTE**", '\\"'),
        ("**BACKSLASHQUOTE**", '\\"'),
        ("a**TWOBACKSLASH**b**BACKSLASHSPACE**c", "a\\\\b\\ c"),
    ],
)
def test_stored_answers_as_people_read_them(stored: str | None, served: str | None) -> None:
    assert shown(stored) == served


@given(st.text())
def test_no_text_is_too_odd_to_show(text: str) -> None:
    assert isinstance(shown(text), str)


@given(st.lists(st.text(alphabet="abcé日😀 ", max_size=5)))
def test_every_list_is_recognised(items: list[str]) -> None:
    stored = "[" + ", ".join(f'"{item}"' for item in items) + "]"
    assert shown(stored) == f"[{'|'.join(item.strip() for item in items)}]"
