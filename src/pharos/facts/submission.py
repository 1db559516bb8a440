"""Submissions of learners to problems: the fact from which answers, tags and reports are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa

from pharos.engine.functions import json_text, microseconds
from pharos.facts.course import course_run
from pharos.facts.fact import fact
from pharos.facts.payload import payload_object
from pharos.facts.submission_payload import Refused, submission_rows

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, FloatingValue, StringValue

_OF_EVENTS = ("date", "course_id", "user_id", "username", "time", "moment")
MOST_AT_ONCE = 1024  # submissions of a course run in one microsecond that have an order
# The engine calls it once for each event.
_rows_of = ibis.udf.scalar.python(submission_rows, signature=((dt.string,) * 3, dt.string))


@fact(
    pa.schema(
        [
            ("course_id", pa.string()),
            ("user_id", pa.int64()),
            ("username", pa.string()),
            ("problem_id", pa.string()),
            ("time", pa.timestamp("us")),
            ("moment", pa.int64()),
            ("refused", pa.string()),
            ("problem_name", pa.string()),
            ("part_id", pa.string()),
            ("response_type", pa.string()),
            ("question", pa.string()),
            ("answer", pa.string()),
            ("answer_items", pa.string()),
            ("shows_answer", pa.bool_()),
            ("value_id", pa.string()),
            ("is_correct", pa.bool_()),
            ("correctness", pa.string()),
            ("variant", pa.string()),
            ("grade", pa.float64()),
            ("max_grade", pa.float64()),
            ("is_success", pa.bool_()),
            ("tags", pa.string()),
        ]
    ),
    course="course_id",
    learner="user_id",
)
def problem_submission(events: ibis.Table) -> ibis.Table:
    """The server's `problem_check` events: a row per visible part of each submission. `spec 02 §2, 3`

    A submission without a visible part, or without answers (reason in `refused`), has one row whose `part_id`
    is null. The course is that of the context; empty if there is none. `moment` orders all submissions of a
    course run and depends only on their content: microseconds since 1970 times MOST_AT_ONCE, plus the rank
    among submissions of the same microsecond.

    | column | meaning |
    |---|---|
    | `answer` | the text shown to the learner; if the event lacks it, the internal value; lists `[a|b]` |
    | `answer_items` | the items of a list, or the answer with outer white space, as JSON; else null |
    | `shows_answer` | true if the event has the text shown to the learner |
    | `value_id` | the internal value, if it differs from the text shown; else null |
    | `is_correct` | right, or right in part; false if unknown |
    | `correctness` | of the grader: `correct`, `incorrect`, `partially-correct`, `unknown`, … |
    | `variant` | the seed of a randomised problem; empty if it is not randomised; null if unknown |
    | `grade`, `max_grade` | points of the whole problem |
    | `is_success` | true if every part is right |
    | `tags` | the values of each tag, as JSON; null without tags |
    """
    checks = events.filter(events.event_type == "problem_check", events.event_source == "server")
    of_a_moment = ibis.window(group_by=["course_id", "time"], order_by="event_id")
    placed = checks.mutate(place=ibis.row_number().over(of_a_moment))
    named = placed.mutate(
        course_id=course_run(ibis.coalesce(placed.course_id, "")),
        username=ibis.coalesce(placed.username, ""),
        moment=microseconds(placed.time) * MOST_AT_ONCE + ibis.least(placed.place, MOST_AT_ONCE - 1),
    )
    refused = ibis.cases(
        (named.course_id == "", Refused.NO_COURSE.value),
        (named.username == "", Refused.NO_LEARNER.value),
        else_="",
    )
    rows = _rows_of(payload_object(named), ibis.coalesce(named.context, ""), refused)
    return _typed(named.select(*_OF_EVENTS, row=rows.split("\n").unnest()))


def _typed(rows: ibis.Table) -> ibis.Table:
    """The rows with typed columns, read from the JSON in the column `row`."""

    def text(name: str) -> StringValue:
        return json_text(rows.row, f"$.{name}")

    def truth(name: str) -> BooleanValue:
        return ibis.coalesce(text(name), "") == "true"

    def number(name: str) -> FloatingValue:
        return text(name).cast("float64")

    return rows.select(
        *_OF_EVENTS,
        problem_id=ibis.coalesce(text("problem_id"), ""),
        refused=text("refused"),
        problem_name=text("problem_name"),
        part_id=text("part_id"),
        response_type=text("response_type"),
        question=text("question"),
        answer=text("answer"),
        answer_items=text("answer_items"),
        shows_answer=truth("shows_answer"),
        value_id=text("value_id"),
        is_correct=truth("is_correct"),
        correctness=text("correctness"),
        variant=text("variant"),
        grade=number("grade"),
        max_grade=number("max_grade"),
        is_success=truth("is_success"),
        tags=text("tags"),
    )  # fmt: skip
