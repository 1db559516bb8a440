"""Formats stored answers for display: lists as `[a|b]`, HTML as text, placeholders decoded (spec 05 §6.1)."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

_PLACEHOLDER = re.compile(r"\*\*(?:(FOUR|THREE|TWO|ONE)?BACKSLASHQUOTE|(TWOBACKSLASH)|(BACKSLASHSPACE))\*\*")
_BACKSLASHES = {"FOUR": 4, "THREE": 3, "TWO": 2, "ONE": 1, None: 1}


def shown(stored: str | None) -> str | None:
    """The answer in readable form; null stays null."""
    if stored is None:
        return None
    items = _list(stored)
    text = _plain(stored) if items is None else f"[{'|'.join(_item(item) for item in items)}]"
    return _PLACEHOLDER.sub(_decoded, text)


def _list(text: str) -> list[Any] | None:
    """The items if the text is a JSON list. It is first read with backslashes kept literally: they may be
    LaTeX.
    """
    if not text.lstrip().startswith("["):
        return None
    for candidate in (text.replace("\\", "\\\\"), text):
        try:
            found = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, list) else None
    return None


def _item(item: Any) -> str:
    return _plain(item) if isinstance(item, str) else json.dumps(item, ensure_ascii=False)


def _decoded(match: re.Match[str]) -> str:
    count, two, space = match.groups()
    if two:
        return "\\\\"
    return "\\ " if space else "\\" * _BACKSLASHES[count] + '"'


def _plain(text: str) -> str:
    """The text nodes of HTML, trimmed, joined by one space."""
    if "<" not in text and "&" not in text:
        return text.strip()
    parser = _TextNodes()
    parser.feed(text)
    parser.close()
    return " ".join(node.strip() for node in parser.nodes if node.strip())


class _TextNodes(HTMLParser):
    """Collects the texts between tags; a text that the parser delivers in pieces is one node."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.nodes = [""]

    def handle_data(self, data: str) -> None:
        self.nodes[-1] += data

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.nodes.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self.nodes.append("")

    def handle_comment(self, data: str) -> None:  # noqa: ARG002
        self.nodes.append("")
