"""Number of learners by their first and last answer to each part of a problem. `spec 02 §4`"""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt

from pharos.facts.answer_text import answer_of_items, named_items, number_text, plain_answer
from pharos.metrics.metric import metric
from pharos.metrics.submissions import of_learners
from pharos.result_store import tables

CHOICES = ("choiceresponse", "multiplechoiceresponse")  # response types answered by ids of choices
LONGEST_ID = 255  # characters, in the Result Store
_VARIANT = r"\A-?[0-9]{1,9}\z"  # fits INTEGER on every database

_plain = ibis.udf.scalar.python(plain_answer, signature=((dt.string,) * 2, dt.string))
_number_text = ibis.udf.scalar.python(number_text, signature=((dt.string,), dt.string))
_named_items = ibis.udf.scalar.python(named_items, signature=((dt.string,) * 3, dt.string))
_answer_of_items = ibis.udf.scalar.python(answer_of_items, signature=((dt.string,), dt.string))


@metric(tables.answer_distribution, by="course_id")
def answer_distribution(
    counted_problem_submission: ibis.Table, answer_metadata: ibis.Table, response_types: tuple[str, ...]
) -> ibis.Table:
    """For each distinct answer, the learners who gave it first and the learners who gave it last."""
    answers = described(_distinct(first_and_last(of_learners(counted_problem_submission))), answer_metadata)
    parts = _newest_of_parts(answers)
    reported = parts.filter(parts.response_type.isin(response_types))
    return _rows(answers.join(reported, ["course_id", "part_id"]))


def first_and_last(submissions: ibis.Table) -> ibis.Table:
    """The parts of each learner's first and last submission of each problem. `spec 02 §4.2`

    `is_first` and `is_last` are 1 for parts of that submission, else 0. For a part missing in the last
    submission the learner has no last answer.
    """
    of_learner = ["course_id", "problem_id", "learner", "nameless"]
    ends = submissions.group_by(of_learner).agg(first=submissions.moment.min(), last=submissions.moment.max())
    rows = submissions.filter(submissions.part_id.notnull()).inner_join(ends, of_learner)
    rows = rows.filter((rows.moment == rows["first"]) | (rows.moment == rows["last"]))
    return rows.mutate(
        is_first=(rows.moment == rows["first"]).cast("int64"),
        is_last=(rows.moment == rows["last"]).cast("int64"),
    )


def _distinct(responses: ibis.Table) -> ibis.Table:
    """The distinct answers of each part, with their counts as first and as last answer.

    Two answers are the same if their variant and their internal value are; without an internal value the text
    is compared. All other columns come from the most recent response with this answer. `spec 02 §4.5`
    """
    newest = ibis.struct(
        {
            name: responses[name]
            for name in (
                "problem_id", "problem_name", "response_type", "question", "answer",
                "answer_items", "shows_answer", "value_id", "is_correct", "variant",
            )
        }
    )  # fmt: skip
    compared = responses.mutate(
        newest=newest,
        same_value=ibis.coalesce(responses.value_id, responses.answer),
        same_variant=ibis.ifelse(responses.variant == "", "1", responses.variant),
    )
    found = compared.group_by("course_id", "part_id", "same_value", "same_variant").agg(
        first_response_count=compared.is_first.sum(),
        last_response_count=compared.is_last.sum(),
        newest=compared.newest.argmax(compared.moment),
        moment=compared.moment.max(),
    )
    return found.drop("same_value", "same_variant").unpack("newest")


def described(answers: ibis.Table, answer_metadata: ibis.Table) -> ibis.Table:
    """The answers, with texts about their parts added from the metadata if old events lack them. `spec 02
    §4.3`
    """
    known = answer_metadata.rename({f"known_{name}": name for name in answer_metadata.columns})
    joined = answers.left_join(known, answers.part_id == known.known_part_id)
    filled = joined.mutate(
        {name: _filled(joined, name) for name in ("problem_name", "response_type", "question")}
    )
    is_silent = filled.known_part_id.notnull() & ~filled.shows_answer
    is_choice = ibis.coalesce(filled.response_type, "").isin(CHOICES)
    is_named = is_silent & is_choice & filled.known_names.notnull()
    named, others = filled.filter(is_named), filled.filter(~is_named)
    items = _named_items(named.answer, ibis.coalesce(named.answer_items, ""), named.known_names)
    named = named.mutate(answer_items=items, answer=_answer_of_items(items), shows_answer=True)
    is_typed = others.known_part_id.notnull() & ~others.shows_answer
    is_typed &= ~ibis.coalesce(others.response_type, "").isin(CHOICES)
    others = others.mutate(
        value_id=ibis.ifelse(is_typed, ibis.null("string"), others.value_id),
        shows_answer=others.shows_answer | is_typed,
    )
    return ibis.union(named.select(answers.columns), others.select(answers.columns))


def _filled(rows: ibis.Table, name: str) -> ibis.Value:
    """The value from the events; if that is null or empty, the value from the metadata."""
    return ibis.ifelse(
        ibis.coalesce(rows[name], "") == "", ibis.coalesce(rows[f"known_{name}"], rows[name]), rows[name]
    )


def _newest_of_parts(answers: ibis.Table) -> ibis.Table:
    """For each part, values of its most recent response. `spec 02 §4.4, 4.5`

    Columns: course_id, part_id, response_type, module_id, problem_display_name, uses_value_id.
    """
    newest = ibis.struct(
        {
            "response_type": answers.response_type,
            "module_id": answers.problem_id,
            "problem_display_name": answers.problem_name,
            "uses_value_id": answers.value_id.notnull(),
        }
    )
    found = answers.mutate(newest=newest)
    found = found.group_by("course_id", "part_id").agg(newest=found.newest.argmax(found.moment))
    return found.unpack("newest")


def _rows(answers: ibis.Table) -> ibis.Table:
    """The rows of the table; answers that are equal in all its columns are added up."""
    value_id = ibis.ifelse(answers.uses_value_id, ibis.coalesce(answers.value_id, ""), "")
    shown = ibis.ifelse(answers.uses_value_id & ~answers.shows_answer, "", answers.answer)
    items = ibis.coalesce(answers.answer_items, "")
    text = ibis.ifelse((value_id != "") & (shown != ""), _plain(answers.answer, items), shown)
    rows = answers.mutate(value=value_id.left(LONGEST_ID), text=text)
    seed = ibis.ifelse(rows.variant.re_search(_VARIANT), rows.variant, ibis.null("string")).cast("int64")
    rows = rows.select(
        "course_id",
        "module_id",
        "part_id",
        "first_response_count",
        "last_response_count",
        correct=rows.is_correct,
        value_id=rows.value.nullif(""),
        answer_value_text=rows.text.nullif(""),
        answer_value_numeric=_number_text(rows.text).nullif("").cast("float64"),
        variant=seed.nullif(0),
        problem_display_name=rows.problem_display_name.nullif(""),
        question_text=rows.question.nullif(""),
    )
    counts = ("first_response_count", "last_response_count")
    alike = [name for name in rows.columns if name not in counts]
    return rows.group_by(alike).agg(**{name: rows[name].sum() for name in counts})
