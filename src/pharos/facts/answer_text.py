"""The text of answers: values of JSON as text, text without HTML, text as a number. `spec 02 §4.6, 4.7`"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec
from selectolax.lexbor import LexborHTMLParser

from pharos.keys import LONGEST_REMEMBERED, REMEMBERED
from pharos.remembering import remembering

# As Python 2 reads a number: no `_` between digits, no words for what is not finite.
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)


def item_text(value: Any) -> str:
    """Any JSON value except a list, as text; outer white space is kept.

    Numbers have their shortest form; `true`, `false`; null is the empty text; objects and nested lists are
    JSON with sorted names.
    """
    match value:
        case str():
            return value.replace("\0", "\ufffd")  # which PostgreSQL cannot store
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value).removesuffix(".0")
        case int():
            return str(value)
    return json_of(value)


def answer_text(value: Any) -> str:
    """A value as text without outer white space; the items of a list as `[a|b]`."""
    if isinstance(value, list):
        return f"[{'|'.join(item_text(item).strip() for item in value)}]"
    return item_text(value).strip()


def json_of(value: Any) -> str:
    """A value as compact JSON with sorted names."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def text_of_html(text: str) -> str:
    """The words between the tags, joined by single blanks, as a browser reads HTML."""
    return " ".join((_html_text(text) if "<" in text or "&" in text else text).split())


@remembering(REMEMBERED, longest=LONGEST_REMEMBERED)
def _html_text(text: str) -> str:
    root = LexborHTMLParser(text).root
    if root is None:
        return text
    nodes = (node.text_content for node in root.traverse(include_text=True) if node.is_text_node)
    return " ".join(node for node in nodes if node)


def number_of(text: str) -> float | None:
    """The number in a text; None for any other text, and for a number beyond the range of floats."""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def number_text(text: str) -> str:
    """The number in a text, in a form that every engine reads.

    Empty for any other text, and for a number beyond the range of floats.
    """
    if not _NUMBER.fullmatch(text):
        return ""
    number = float(text)
    return repr(number) if math.isfinite(number) else ""


def items_of(text: str, items: str) -> list[str]:
    """The items of an answer as they were given, of the columns `answer` and `answer_items` of the fact
    `problem_submission` (empty for null); of an answer that is no list the one there is.
    """
    value = msgspec.json.decode(items) if items else text
    return value if isinstance(value, list) else [value]


def plain_answer(text: str, items: str) -> str:
    """As `items_of`, without HTML; the items of a list as `[a|b]`."""
    if not items.startswith("["):
        return text_of_html(text)
    return f"[{'|'.join(map(text_of_html, items_of(text, items)))}]"


def named_items(text: str, items: str, names: str) -> str:
    """The JSON of `answer_items` with the names of choices in place of their ids; `names`: a JSON object.

    Choices without a name become empty.
    """
    known = msgspec.json.decode(names)
    found = [item_text(known.get(item)) for item in items_of(text, items)]
    return json_of(found if items.startswith("[") else found[0])


def answer_of_items(items: str) -> str:
    """The text of an answer, of its items as JSON."""
    return answer_text(msgspec.json.decode(items))
