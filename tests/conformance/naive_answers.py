"""The rules of spec 02 §2 to §4 written down once more, literally, from lines of a log to rows.

Without the metadata file. Text without HTML is made by the standard library: good enough for real labels.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any

VALID = {
    "choiceresponse", "optionresponse", "multiplechoiceresponse", "numericalresponse", "stringresponse",
    "formularesponse",
}  # fmt: skip


class _Words(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def distribution(lines: Iterable[str]) -> list[tuple[Any, ...]]:
    """Rows: course, module, part, value id, text, number, correct, first, last, variant, name, question."""
    responses: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for events in _by_learner(lines).values():
        events.sort(key=lambda event: event["time"])
        for event, label in ((events[0], "first"), (events[-1], "last")):
            for part_id, response in _parts(event["event"]).items():
                whole = response | {
                    "label": label,
                    "time": event["time"],
                    "problem_id": event["event"]["problem_id"],
                    "name": event["context"].get("module", {}).get("display_name"),
                }
                responses[event["context"]["course_id"], part_id].append(whole)
    return [row for key, found in responses.items() for row in _rows(*key, found)]


def _by_learner(lines: Iterable[str]) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for event in map(json.loads, lines):
        if event.get("event_type") == "problem_check" and event.get("event_source") == "server":
            payload = event["event"]
            if payload.get("answers"):
                key = event["context"]["course_id"], payload["problem_id"], event["username"]
                found[key].append(event)
    return found


def _parts(payload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for part_id, shown in payload["submission"].items():
        if not part_id.endswith(("_dynamath", "_comment")):
            internal = payload["answers"][part_id]
            has_id = internal != shown["answer"]
            found[part_id] = shown | ({"answer_value_id": internal} if has_id else {})
    return found


def _rows(course: str, part_id: str, responses: list[dict[str, Any]]) -> Iterable[tuple[Any, ...]]:
    responses.sort(key=lambda response: response["time"], reverse=True)
    newest = responses[0]
    if newest["response_type"] not in VALID:
        return
    groups: dict[str, dict[str, Any]] = {}
    for response in responses:
        value = _text(response.get("answer_value_id", response["answer"]))
        key = f"{value}_{response['variant'] or 1}"
        group = groups.setdefault(key, response | {"first": 0, "last": 0})
        group[response["label"]] += 1
    for group in groups.values():
        value_id = _text(group.get("answer_value_id", "")) if "answer_value_id" in newest else ""
        text = _text(group["answer"], plain=bool(value_id))
        yield (
            course, newest["problem_id"], part_id, value_id or None, text or None, _number(text),
            int(bool(group["correct"])), group["first"], group["last"], group["variant"] or None,
            newest["name"] or None, group["question"] or None,
        )  # fmt: skip


def _text(value: Any, *, plain: bool = False) -> str:
    if isinstance(value, list):
        return f"[{'|'.join(_text(item, plain=plain) for item in value)}]"
    text = str(value)
    return " ".join(_Words(text).words) if plain else text.strip()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
