"""Each learner's last answer to each part of each problem: the rows of a report. `spec 02 §5`"""

from __future__ import annotations

import json
import re
from datetime import date

import ibis
import ibis.expr.datatypes as dt

from pharos.facts.answer_text import items_of
from pharos.metrics.metric import metric
from pharos.metrics.submissions import of_learners
from pharos.result_store import tables

DELETED = "(Deleted block :)"
DELETED_PLACE = -1  # before all blocks of the outline
_SPACE = re.compile(r"\s+")
# An element without content, one with, one that is never closed.
_HINT = re.compile(r"<choicehint[^>]*/>|<choicehint.*?</choicehint>|<choicehint.*?>")


def clean_text(text: str) -> str:
    """The text with single blanks for white space, and without the hints of choices. `spec 02 §5.3`"""
    return _HINT.sub("", _SPACE.sub(" ", text))


def clean_items(answer: str, items: str) -> str:
    """The items of an answer (see `items_of`), each cleaned, as JSON."""
    return json.dumps([clean_text(item) for item in items_of(answer, items)], ensure_ascii=False)


_clean = ibis.udf.scalar.python(clean_text, signature=((dt.string,), dt.string))
_clean_items = ibis.udf.scalar.python(clean_items, signature=((dt.string,) * 2, dt.string))


@metric(tables.problem_response, by="course_id")
def problem_response(
    counted_problem_submission: ibis.Table, course_blocks: ibis.Table, reports_since: date
) -> ibis.Table:
    """The parts of each learner's last submission of each problem, with the number and days of all
    submissions.
    """
    rows = counted_problem_submission
    submissions = of_learners(rows.filter(rows.date >= ibis.literal(reports_since)))
    of_learner = ["course_id", "problem_id", "learner", "nameless"]
    counts = (
        submissions.select(*of_learner, "time", "moment")
        .distinct()
        .group_by(of_learner)
        .agg(
            total_attempts=lambda found: found.count(),
            first_attempt_date=lambda found: found.time.min(),
            last_attempt_date=lambda found: found.time.max(),
            last_moment=lambda found: found.moment.max(),
        )
    )
    shown = submissions.filter(submissions.part_id.notnull())
    found = shown.inner_join(counts, of_learner).inner_join(_names(submissions), _LEARNER)
    return _located(found.filter(found.moment == found.last_moment), course_blocks)


_LEARNER = ["course_id", "learner", "nameless"]


def _names(submissions: ibis.Table) -> ibis.Table:
    """The newest user name of each learner in a course run: (…, newest_name)."""
    return submissions.group_by(_LEARNER).agg(newest_name=submissions.username.argmax(submissions.moment))


def _located(responses: ibis.Table, course_blocks: ibis.Table) -> ibis.Table:
    """The rows of the table, with their place in the outline if it still has the problem. `spec 02 §5.4`"""
    is_there = ~(course_blocks.is_deleted | course_blocks.is_orphan)
    blocks = course_blocks.filter(is_there).select(
        course="course_id", block="block_id", path="course_path", place_in_course="sort_idx"
    )
    is_block = [responses.course_id == blocks.course, responses.problem_id == blocks.block]
    rows = responses.left_join(blocks, is_block)
    problem = _clean(ibis.coalesce(rows.problem_name, ""))
    cleaned = rows.mutate(
        problem=problem,
        question=_clean(ibis.coalesce(rows.question, "")),
        answer=_clean_items(rows.answer, ibis.coalesce(rows.answer_items, "")),
    )
    correct = ibis.cases(
        (cleaned.correctness == "correct", True), (cleaned.correctness == "incorrect", False)
    )
    return cleaned.select(
        "course_id",
        "problem_id",
        "problem",
        "question",
        "answer",
        "total_attempts",
        "first_attempt_date",
        "last_attempt_date",
        answer_id=cleaned.part_id,
        user_id=cleaned.learner.nullif(0),
        username=cleaned.newest_name,
        score=cleaned.grade,
        max_score=cleaned.max_grade,
        correct=correct,
        location=ibis.coalesce(cleaned.path, DELETED) + " / " + cleaned.problem,
        sort_idx=ibis.coalesce(cleaned.place_in_course, DELETED_PLACE),
    )
