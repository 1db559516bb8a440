"""Help that learners took with problems: answers shown and hints."""

from __future__ import annotations

import ibis
import pyarrow as pa

from pharos.facts.course import course_run
from pharos.facts.fact import fact
from pharos.facts.payload import payload_text

ANSWER, HINT = "answer", "hint"
SHOWN_ANSWER, SHOWN_HINT = "showanswer", "edx.problem.hint.demandhint_displayed"
LONGEST_ID = 255  # characters, in the Result Store


@fact(
    pa.schema(
        [
            ("course_id", pa.string()),
            ("user_id", pa.int64()),
            ("problem_id", pa.string()),
            ("kind", pa.string()),
            ("count", pa.int64()),
        ]
    ),
    course="course_id",
    learner="user_id",
)
def problem_help(events: ibis.Table) -> ibis.Table:
    """Number of times a learner took help with a problem: `kind` is ANSWER or HINT.

    | event of the server | kind | problem |
    |---|---|---|
    | `showanswer` | the answer was shown | payload `problem_id` |
    | `edx.problem.hint.demandhint_displayed` | a hint was requested | payload `module_id` |

    The course is that of the context, as for submissions. Events without a course, without the learner's
    number or without a problem are left out.
    """
    shown = events.filter(events.event_source == "server", events.user_id.notnull())
    answers = shown.filter(shown.event_type == SHOWN_ANSWER)
    hints = shown.filter(shown.event_type == SHOWN_HINT)
    rows = ibis.union(_taken(answers, ANSWER, "$.problem_id"), _taken(hints, HINT, "$.module_id"))
    told = rows.filter(rows.course_id != "", rows.problem_id != "")
    return told.group_by("date", "course_id", "user_id", "problem_id", "kind").agg(count=told.count())


def _taken(events: ibis.Table, kind: str, problem: str) -> ibis.Table:
    return events.select(
        "date",
        "user_id",
        course_id=course_run(ibis.coalesce(events.course_id, "")),
        problem_id=ibis.coalesce(payload_text(events, problem), "").left(LONGEST_ID),
        kind=ibis.literal(kind),
    )
