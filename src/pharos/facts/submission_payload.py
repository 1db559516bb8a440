"""Reads the server's `problem_check` payloads: parts with their answers, or the reason why there are none.

The rules are those of spec 02 §2 and §3, with the recommendations of §12.2: no payload ends a run. A payload
without answers still counts as a submission of its problem (spec 02 §9).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from pharos.facts.answer_text import answer_text, item_text, json_of

LONGEST_ID = 255  # characters, in the Result Store
HIDDEN = ("_dynamath", "_comment")  # inputs that learners do not see
_ODD_ID = re.compile(r"[^\x00-\x7f]|[\n\t]")


class Refused(StrEnum):
    """Reasons why a submission gives no answers."""

    NO_OBJECT = "the payload is no object"
    NO_COURSE = "no valid course in the context"
    NO_LEARNER = "no user name"
    NO_PROBLEM = "no problem"
    NO_ANSWERS = "no answers"
    ODD_ANSWERS = "the answers are no object"
    ODD_SUBMISSION = "the submission, or a part of it, is no object"
    ODD_PART = "the id of a part holds a line end, a tab or letters outside ASCII"


class Row(Struct, omit_defaults=True, gc=False):
    """A row of the fact `problem_submission`, with the values of payload and context; numbers are texts."""

    problem_id: str | None = None
    refused: str | None = None
    problem_name: str | None = None
    part_id: str | None = None
    response_type: str | None = None
    question: str | None = None
    answer: str | None = None
    answer_items: str | None = None
    shows_answer: bool | None = None
    value_id: str | None = None
    is_correct: bool | None = None
    correctness: str | None = None
    variant: str | None = None
    grade: str | None = None
    max_grade: str | None = None
    is_success: bool = False
    tags: str | None = None


class _Payload(Struct, gc=False):
    problem_id: Any = None
    answers: Any = None
    submission: Any = UNSET
    correct_map: Any = None
    state: Raw | UnsetType = UNSET
    grade: Any = None
    max_grade: Any = None
    success: Any = None


class _Context(Struct, gc=False):
    module: Any = None
    asides: Any = None


class _NoAnswers(Exception):
    """The submission gives no answers; the argument is the reason."""


_payload: Callable[[str], _Payload] = msgspec.json.Decoder(_Payload).decode
_context: Callable[[str], _Context] = msgspec.json.Decoder(_Context).decode
_encode: Callable[[Row], bytes] = msgspec.json.Encoder().encode


def submission_rows(payload: str, context: str, refused: str) -> str:
    """The rows of one event, each as a JSON object on its own line; at least one.

    `payload` is an object in strict JSON, or empty; `refused` is a reason that is already known, or empty.
    There is a row for each visible part; or one row without a part, if the submission is refused or shows no
    part.
    """
    whole = _of_event(context)
    try:
        found = list(_parts(_payload(payload), whole, refused))
    except (msgspec.MsgspecError, RecursionError):
        whole.refused = Refused.NO_OBJECT
    except _NoAnswers as reason:
        whole.refused = str(reason)
    else:
        return "\n".join([_encode(row).decode() for row in found or [whole]])
    return _encode(whole).decode()


def _of_event(context: str) -> Row:
    """The values of the context that apply to all parts."""
    try:
        told = _context(context)
    except (msgspec.MsgspecError, RecursionError):
        told = _odd_context(context)
    name = _member(told.module, "display_name")
    return Row(
        problem_name=None if name is None else item_text(name),
        tags=_tags(_member(_member(told.asides, "tagging_aside"), "saved_tags")),
    )


def _odd_context(context: str) -> _Context:
    """A context that is not strict JSON, read by Python's `json`; empty if that fails, too."""
    try:
        value = json.loads(context)
    except (ValueError, RecursionError):
        return _Context()
    return _Context(_member(value, "module"), _member(value, "asides"))


def _tags(saved: Any) -> str | None:
    """The values of each tag, each once, as JSON; None without any. `spec 02 §9.2`"""
    if not isinstance(saved, dict):
        return None
    values = {name: value if isinstance(value, list) else [value] for name, value in saved.items()}
    texts = {
        name: sorted({item_text(item) for item in items if item is not None})
        for name, items in values.items()
    }
    found = {name: items for name, items in texts.items() if items}
    return json_of(found) if found else None


def tag_rows(tags: str) -> str:
    """The column `tags` of the fact `problem_submission` as rows: `{"name":…,"value":…}` on a line each."""
    found = [{"name": name, "value": value} for name, values in json.loads(tags).items() for value in values]
    return "\n".join(map(json_of, found))


def _parts(payload: _Payload, row: Row, refused: str) -> Iterator[Row]:
    """The visible parts; also fills in the values of the whole submission in `row`. Raises _NoAnswers."""
    row.is_success = payload.success == "correct"
    problem_id = payload.problem_id
    row.problem_id = None if problem_id is None else item_text(problem_id)[:LONGEST_ID]
    if refused:
        raise _NoAnswers(refused)
    if not row.problem_id:
        raise _NoAnswers(Refused.NO_PROBLEM)
    row.grade, row.max_grade = _number(payload.grade), _number(payload.max_grade)
    answers, submission = payload.answers, payload.submission
    if answers is None or answers == {}:
        raise _NoAnswers(Refused.NO_ANSWERS)
    if not isinstance(answers, dict):
        raise _NoAnswers(Refused.ODD_ANSWERS)
    correct_map = payload.correct_map if isinstance(payload.correct_map, dict) else {}
    if submission is UNSET or submission is None:
        _check_ids(answers)
        return _old_parts(answers, correct_map, _seed(payload.state), row)
    if not isinstance(submission, dict) or not all(isinstance(part, dict) for part in submission.values()):
        raise _NoAnswers(Refused.ODD_SUBMISSION)
    _check_ids(answers)
    _check_ids(submission)
    return _new_parts(submission, answers, correct_map, row)


def _new_parts(
    submission: dict[str, dict[str, Any]], answers: dict[str, Any], correct_map: dict[str, Any], row: Row
) -> Iterator[Row]:
    """Parts as the learner saw them. `spec 02 §3.1`"""
    for part_id, part in submission.items():
        if part_id.endswith(HIDDEN):
            continue
        shows = "answer" in part
        shown = part.get("answer")
        internal = answers.get(part_id, shown)
        has_id = internal != shown or (not shows and part_id in answers)
        variant, question, type_ = part.get("variant", ""), part.get("question"), part.get("response_type")
        yield _part(
            row,
            part_id,
            value=shown if shows else internal,
            shows_answer=shows or not has_id,
            value_id=answer_text(internal) if has_id else None,
            is_correct=bool(part.get("correct")),
            correctness=_member(correct_map.get(part_id), "correctness"),
            variant=None if variant is None else item_text(variant),
            question=None if question is None else item_text(question),
            response_type=None if type_ is None else item_text(type_),
        )


def _old_parts(answers: dict[str, Any], correct_map: dict[str, Any], seed: Any, row: Row) -> Iterator[Row]:
    """Parts of events before March 2014, which have only the ids of choices. `spec 02 §3.2`"""
    for part_id, internal in answers.items():
        if part_id.endswith(HIDDEN) or part_id not in correct_map:
            continue
        correctness = _member(correct_map[part_id], "correctness")
        yield _part(
            row,
            part_id,
            value=internal,
            shows_answer=False,
            value_id=answer_text(internal),
            is_correct=correctness == "correct",
            correctness=correctness,
            variant=None if seed is None else item_text(seed),
            question=None,
            response_type=None,
        )


def _part(
    row: Row,
    part_id: str,
    *,
    value: Any,
    shows_answer: bool,
    value_id: str | None,
    is_correct: bool,
    correctness: Any,
    variant: str | None,
    question: str | None,
    response_type: str | None,
) -> Row:
    text = answer_text(value)
    return Row(
        problem_id=row.problem_id,
        problem_name=row.problem_name,
        part_id=part_id[:LONGEST_ID],
        response_type=response_type,
        question=question,
        answer=text,
        answer_items=_items(value, text),
        shows_answer=shows_answer,
        value_id=value_id,
        is_correct=is_correct,
        correctness=correctness if isinstance(correctness, str) else None,
        variant=variant,
        grade=row.grade,
        max_grade=row.max_grade,
        is_success=row.is_success,
        tags=row.tags,
    )


def _items(value: Any, text: str) -> str | None:
    """The items of a list, or a text with its outer white space, as JSON; None if `text` is all there is."""
    if isinstance(value, list):
        return json_of([item_text(item) for item in value])
    whole = item_text(value)
    return None if whole == text else json_of(whole)


def _check_ids(parts: dict[str, Any]) -> None:
    if any(_ODD_ID.search(part_id) for part_id in parts):
        raise _NoAnswers(Refused.ODD_PART)


def _seed(state: Raw | UnsetType) -> Any:
    if state is UNSET:
        return None
    return _member(msgspec.json.decode(state), "seed")


def _member(value: Any, name: str) -> Any:
    """The member of an object; None if the value is not an object or lacks it."""
    return value.get(name) if isinstance(value, dict) else None


def _number(value: Any) -> str | None:
    """A finite number as text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return repr(number) if math.isfinite(number) else None
