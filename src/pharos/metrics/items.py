"""Quality of problem parts as questions: shares of right answers, discrimination, and the answers given.

`learner_item` holds each learner's first and last answer to each part, `item_content` the text of the part at
that time; the published tables are counted from these two. In both, and in all functions here, the variant is
a text: the seed, or empty for the rows that count all variants together.
"""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt

from pharos.engine.functions import storable
from pharos.facts.answer_text import plain_answer
from pharos.facts.problem_help import ANSWER, HINT
from pharos.metrics.metric import metric
from pharos.metrics.submissions import of_learners
from pharos.result_store import tables

FEW = 10  # learners: of fewer no share, mean or quantile is told
FEW_COMPARED = 20  # learners with a score in the rest of the course: of fewer no discrimination is told
OTHER_PARTS = 3  # parts of other problems that a learner must have tried to have such a score
THOUSAND = 1000  # scores are whole thousandths, so that sums are exact in any order
MOST_ANSWERS = 50  # of a part and variant; further answers are one row
TOLD_OFTEN = 5  # submissions that must tell the old content, and as many the new one
LONGEST, LONGEST_QUESTION = 255, 1000  # characters
Z = 1.959964  # of the normal distribution, for an interval of 95 %

_ITEM = ("course_id", "module_id", "part_id", "variant")
_PROBLEM = ("course_id", "module_id")
_LEARNER = ("user_id", "username")
_SEED = r"\A[0-9]{1,9}\z"  # fits INTEGER on every database

_plain = ibis.udf.scalar.python(plain_answer, signature=((dt.string,) * 2, dt.string))


@metric(tables.learner_item, by="course_id")
def learner_item(counted_problem_submission: ibis.Table) -> ibis.Table:
    """Each learner's first and last answer to each part, for all variants together and for each one."""
    rows = of_learners(counted_problem_submission)
    found = _of_variants(_answers(rows.mutate(user_id=rows.learner, username=rows.nameless), *_LEARNER))
    given = found.mutate(given=ibis.struct({"right": found.is_correct, "value": found.value}))
    items = given.group_by(*_ITEM, *_LEARNER).agg(
        attempts=given.count(),
        first_moment=given.moment.min(),
        last_moment=given.moment.max(),
        first=given.given.argmin(given.moment),
        last=given.given.argmax(given.moment),
    )
    ends = items.mutate(
        first_right=items["first"]["right"],
        last_right=items["last"]["right"],
        first_value=items["first"]["value"],
        last_value=items["last"]["value"],
    )
    return _in_thirds(_with_score(ends.drop("first", "last")))


def _answers(submissions: ibis.Table, *more: str) -> ibis.Table:
    """The parts with `value`, which identifies an answer, and `variant`, the seed or an empty text."""
    rows = submissions.filter(submissions.part_id.notnull())
    seed = ibis.ifelse(
        rows.variant.re_search(_SEED), rows.variant, ibis.null("string")
    ).cast("int64")  # fmt: skip
    return rows.select(
        "course_id",
        "part_id",
        "moment",
        "is_correct",
        *more,
        module_id=rows.problem_id,
        value=storable(ibis.coalesce(rows.value_id, rows.answer, "")).left(LONGEST),
        variant=ibis.coalesce(seed.cast("string"), ""),
    )


def _of_variants(rows: ibis.Table) -> ibis.Table:
    """The rows with an empty variant, plus the rows of randomised problems again with their own variant."""
    return ibis.union(rows.mutate(variant=ibis.literal("")), rows.filter(rows.variant != "")).select(
        rows.columns
    )


def _with_score(items: ibis.Table) -> ibis.Table:
    """The rows with `rest_score`: of the parts of all other problems of the course run that the learner
    tried, the share that was right at first, in thousandths. Null if these are fewer than OTHER_PARTS.
    """
    whole = items.filter(items.variant == "")
    own = whole.group_by(*_PROBLEM, *_LEARNER).agg(
        right=whole.first_right.cast("int64").sum(), parts=whole.count()
    )
    of_course = own.group_by("course_id", *_LEARNER).agg(all_right=own.right.sum(), all_parts=own.parts.sum())
    both = own.inner_join(of_course, ["course_id", *_LEARNER])
    rest = both.select(
        *_PROBLEM,
        *_LEARNER,
        others=both.all_parts - both.parts,
        others_right=(both.all_right - both.right).cast("int64"),
    )
    found = items.inner_join(rest, [*_PROBLEM, *_LEARNER])
    rounded = (found.others_right * (2 * THOUSAND) + found.others) // (found.others * 2).nullif(0)
    return found.select(
        items,
        rest_score=ibis.ifelse(
            found.others >= OTHER_PARTS, rounded.cast("int64"), ibis.null("int64")
        ),
    )  # fmt: skip


def _in_thirds(items: ibis.Table) -> ibis.Table:
    """The rows with `third`: `strong` if fewer than a third of the learners of the part have a higher score,
    `weak` if fewer than a third have a lower one; else, and if both are true, empty.
    """
    scored = items.mutate(is_scored=items.rest_score.notnull())
    apart = [*_ITEM, "is_scored"]
    lower = ibis.rank().over(ibis.window(group_by=apart, order_by="rest_score"))
    higher = ibis.rank().over(ibis.window(group_by=apart, order_by=ibis.desc("rest_score")))
    placed = scored.mutate(
        lower=lower, higher=higher, learners=ibis._.count().over(ibis.window(group_by=apart))
    )
    is_weak, is_strong = placed.lower * 3 < placed.learners, placed.higher * 3 < placed.learners
    third = ibis.cases(
        (~placed.is_scored | (is_weak & is_strong), ""), (is_strong, "strong"), (is_weak, "weak"), else_=""
    )
    return placed.mutate(third=third).drop("is_scored", "lower", "higher", "learners")


@metric(tables.item_content, by="course_id")
def item_content(counted_problem_submission: ibis.Table) -> ibis.Table:
    """The content of each part: question, text and correctness of each answer, with the first and last
    moment.
    """
    submissions = counted_problem_submission.filter(counted_problem_submission.refused.isnull())
    told = (
        "value_id", "answer", "answer_items", "shows_answer", "question", "problem_name", "response_type",
    )  # fmt: skip
    rows = _answers(submissions, "time", *told)
    same = [name for name in rows.columns if name not in ("time", "moment")]
    distinct = rows.group_by(same).agg(**_ends(rows, rows.count()))
    shown = _plain(distinct.answer, ibis.coalesce(distinct.answer_items, ""))
    is_choice = distinct.value_id.notnull() & distinct.shows_answer
    read = distinct.select(
        *_ITEM,
        "value",
        "is_correct",
        "submissions",
        "first_moment",
        "last_moment",
        "first_time",
        is_choice=is_choice,
        text=ibis.ifelse(is_choice, storable(shown).left(LONGEST), distinct.value),
        question=storable(ibis.coalesce(distinct.question, "")).left(LONGEST_QUESTION),
        problem_name=storable(ibis.coalesce(distinct.problem_name, "")).left(LONGEST),
        response_type=storable(ibis.coalesce(distinct.response_type, "")).left(LONGEST),
    )
    alike = [name for name in read.columns if name not in _ENDS]
    return read.group_by(alike).agg(
        submissions=read.submissions.sum(),
        first_moment=read.first_moment.min(),
        last_moment=read.last_moment.max(),
        first_time=read.first_time.min(),
    )


_ENDS = ("submissions", "first_moment", "last_moment", "first_time")


def _ends(rows: ibis.Table, submissions: ibis.IntegerValue) -> dict[str, ibis.Value]:
    return {
        "submissions": submissions,
        "first_moment": rows.moment.min(),
        "last_moment": rows.moment.max(),
        "first_time": rows.time.min(),
    }


@metric(tables.item_answer, by="course_id")
def item_answer(learner_item: ibis.Table, item_content: ibis.Table) -> ibis.Table:
    """The answers to each part, most frequent first, with the learners of each third who gave them."""
    told = _told(learner_item)
    items = told.group_by(*_ITEM).agg(strong=_learners(told, "strong"), weak=_learners(told, "weak"))
    first = told.group_by(*_ITEM, value=told.first_value).agg(
        first_count=told.count(), strong_count=_learners(told, "strong"), weak_count=_learners(told, "weak")
    )
    last = told.group_by(*_ITEM, value=told.last_value).agg(last_count=told.count())
    answers = _newest_answers(item_content)
    same = [*_ITEM, "value"]
    found = answers.left_join(first, same).select(
        answers, first.first_count, first.strong_count, first.weak_count
    )  # fmt: skip
    found = found.left_join(last, same).select(found, last.last_count)
    found = found.mutate(
        **{name: ibis.coalesce(found[name], 0) for name in _COUNTS}
    )  # fmt: skip
    rows = _most_frequent(found.filter(found.first_count + found.last_count > 0))
    counted = rows.inner_join(items, _ITEM)
    return counted.select(
        "course_id",
        "module_id",
        "part_id",
        "place",
        "answers",
        "value_id",
        "answer_value",
        "is_correct",
        *_COUNTS,
        "first_seen",
        variant=counted.variant.nullif("").cast("int64"),
        strong_share=_share(counted.strong_count, counted.strong),
        weak_share=_share(counted.weak_count, counted.weak),
    )


_COUNTS = ("first_count", "last_count", "strong_count", "weak_count")


def _told(learner_item: ibis.Table) -> ibis.Table:
    """The rows that count all variants together, plus the rows of single variants tried by at least FEW
    learners.
    """
    sizes = learner_item.group_by(*_ITEM).agg(tried=learner_item.count())
    kept = sizes.filter((sizes.variant == "") | (sizes.tried >= FEW))
    return learner_item.semi_join(kept, _ITEM)


def _newest_answers(item_content: ibis.Table) -> ibis.Table:
    """Each answer with the text and correctness from its newest submission."""
    contents = _of_variants(item_content)
    newest = ibis.struct(
        {name: contents[name] for name in ("is_choice", "text", "is_correct")}
    )  # fmt: skip
    contents = contents.mutate(newest=newest)
    return (
        contents.group_by(*_ITEM, "value")
        .agg(newest=contents.newest.argmax(contents.last_moment), first_seen=contents.first_time.min())
        .unpack("newest")
    )


def _most_frequent(answers: ibis.Table) -> ibis.Table:
    """The answers ranked from 1; answers after rank MOST_ANSWERS are summed in one row without a value."""
    frequent = ibis.desc(answers.first_count + answers.last_count)
    place = ibis.row_number().over(ibis.window(group_by=_ITEM, order_by=[frequent, answers.value])) + 1
    placed = answers.mutate(place=ibis.least(place, MOST_ANSWERS + 1))
    is_told = placed.place <= MOST_ANSWERS
    rows = placed.mutate(
        value_id=ibis.ifelse(is_told & placed.is_choice, placed.value, ibis.null("string")),
        answer_value=ibis.ifelse(is_told, placed.text, ibis.null("string")),
        is_correct=ibis.ifelse(is_told, placed.is_correct, ibis.null("boolean")),
    )
    return rows.group_by(*_ITEM, "place", "value_id", "answer_value", "is_correct").agg(
        answers=rows.count(),
        first_seen=rows.first_seen.min(),
        **{name: rows[name].sum() for name in _COUNTS},
    )


@metric(tables.item_quality, by="course_id")
def item_quality(
    learner_item: ibis.Table,
    item_content: ibis.Table,
    counted_problem_help: ibis.Table,
    counted_courseware_studentmodule: ibis.Table,
) -> ibis.Table:
    """For each part: learners who tried and who were right, difficulty, and discrimination."""
    changes = _changes(item_content)
    rows = _told(learner_item)
    rows = rows.left_join(changes, _ITEM).select(rows, changes.changed_moment)
    found = _figures(rows.mutate(is_since=ibis.coalesce(rows.first_moment >= rows.changed_moment, False)))
    found = _described(found, item_content, changes)
    of_problem = _of_problems(counted_problem_help, counted_courseware_studentmodule)
    found = found.left_join(of_problem, _PROBLEM).drop("course_id_right", "module_id_right")
    is_whole = found.variant == ""
    return found.mutate(
        variant=found.variant.nullif("").cast("int64"),
        seen=ibis.ifelse(is_whole, ibis.ifelse(found.seen < found.tried, found.tried, found.seen), None),
        shown_answer=ibis.ifelse(is_whole, ibis.coalesce(found.shown_answer, 0), None),
        hinted=ibis.ifelse(is_whole, ibis.coalesce(found.hinted, 0), None),
    )


def _figures(rows: ibis.Table) -> ibis.Table:
    """The figures of each part and variant that are counted over learners."""
    right = rows.first_right.cast("int64")
    scored = rows.rest_score.notnull()
    counts = rows.group_by(*_ITEM).agg(
        tried=rows.count(),
        right_first=right.sum(),
        right_last=rows.last_right.cast("int64").sum(),
        attempts=rows.attempts.sum(),
        median=rows.attempts.median(),
        p90=rows.attempts.quantile(0.9),
        compared=scored.cast("int64").sum(),
        compared_right=right.sum(where=scored),
        scores=rows.rest_score.sum(),
        lowest=rows.rest_score.min(),
        highest=rows.rest_score.max(),
        squares=(rows.rest_score * rows.rest_score).sum(),
        scores_of_right=(rows.rest_score * right).sum(),
        strong_learners=_learners(rows, "strong"),
        strong_right=(right * (rows.third == "strong").cast("int64")).sum(),
        weak_learners=_learners(rows, "weak"),
        weak_right=(right * (rows.third == "weak").cast("int64")).sum(),
        tried_since=rows.is_since.cast("int64").sum(),
        right_first_since=(right * rows.is_since.cast("int64")).sum(),
    )
    r = _point_biserial(counts)
    return _with_interval(
        counts.mutate(
            attempts_mean=_share(counts.attempts, counts.tried),
            attempts_median=_enough(counts.median.cast("float64"), counts.tried),
            # Between two whole numbers by tenths: what is not a tenth is an error of the arithmetic.
            attempts_p90=_enough(counts.p90.cast("float64").round(1), counts.tried),
            difficulty=_share(counts.tried - counts.right_first, counts.tried),
            discrimination=ibis.ifelse(counts.compared >= FEW_COMPARED, r, ibis.null("float64")),
            discrimination_learners=counts.compared,
        ).drop(*_INTERIM)
    )


_INTERIM = (
    "median", "p90", "compared", "compared_right", "scores", "lowest", "highest", "squares",
    "scores_of_right",
)  # fmt: skip


def _point_biserial(counts: ibis.Table) -> ibis.FloatingValue:
    """The correlation of being right at first (0 or 1) with the score in the rest of the course.

    Null if all learners are right, no learner is right, or all have the same score. Sums of integers make the
    result independent of the order of rows; they become floats before they are multiplied, because the
    products exceed 64 bits.
    """
    n, right, scores, squares, of_right = (
        ibis.coalesce(counts[name], 0).cast("float64")
        for name in ("compared", "compared_right", "scores", "squares", "scores_of_right")
    )
    spread = (right * (n - right)).sqrt() * ibis.greatest(n * squares - scores * scores, 0.0).sqrt()
    differ = counts.lowest < counts.highest
    return ibis.ifelse(differ, (n * of_right - right * scores) / spread.nullif(0.0), None).round(6)


def _with_interval(counts: ibis.Table) -> ibis.Table:
    """The rows with the 95 % interval of the discrimination, by Fisher's transformation.

    tanh(atanh(r) ± d) is (r ± t) / (1 ± r t), where t = tanh(d) and d = Z / sqrt(n - 3).
    """
    r, n = counts.discrimination, counts.discrimination_learners
    growth = (2 * Z / ibis.greatest(n - 3, 1).cast("float64").sqrt()).exp()
    t = (growth - 1) / (growth + 1)
    return counts.mutate(
        discrimination_low=((r - t) / (1 - r * t)).round(6),
        discrimination_high=((r + t) / (1 + r * t)).round(6),
    )


def _changes(item_content: ibis.Table) -> ibis.Table:
    """The time of the last edit of each part: (…, changed_moment, changed_at).

    The content of a part is its question, and the text and correctness of each answer, separately for each
    seed. It has changed if all submissions with the newest content are later than all submissions with
    another content, and each of the two occurs in at least TOLD_OFTEN submissions. The last edit lies after
    the latest submission with old content; its time is the first later submission with new content.
    """
    questions = item_content.filter(item_content.question != "")
    aspects = ibis.union(
        _aspects(item_content, "answer", item_content.value, item_content.is_correct.cast("string")),
        _aspects(item_content.filter(item_content.is_choice), "text", item_content.value, item_content.text),
        _aspects(questions, "question", ibis.literal(""), questions.question),
    )
    same = [*_ITEM, "aspect", "value"]
    contents = aspects.group_by(*same, "content").agg(
        submissions=aspects.submissions.sum(),
        first_moment=aspects.first_moment.min(),
        last_moment=aspects.last_moment.max(),
        first_time=aspects.first_time.min(),
    )
    newest = contents.group_by(*same).agg(newest_moment=contents.last_moment.max())
    both = contents.inner_join(newest, same)
    is_new = both.last_moment == both.newest_moment
    switches = both.group_by(*same).agg(
        old_moment=both.last_moment.max(where=~is_new),
        old_submissions=both.submissions.sum(where=~is_new),
        new_moment=both.first_moment.max(where=is_new),
        new_time=both.first_time.max(where=is_new),
        new_submissions=both.submissions.sum(where=is_new),
    )
    clean = switches.filter(
        switches.old_moment < switches.new_moment,
        switches.old_submissions >= TOLD_OFTEN,
        switches.new_submissions >= TOLD_OFTEN,
    )
    clean = _of_variants(clean)
    last = clean.group_by(*_ITEM).agg(last_old=clean.old_moment.max())
    later = clean.inner_join(last, _ITEM)
    later = later.filter(later.new_moment > later.last_old)
    return later.group_by(*_ITEM).agg(
        changed_moment=later.new_moment.min(), changed_at=later.new_time.min()
    )  # fmt: skip


def _aspects(
    contents: ibis.Table, aspect: str, value: ibis.StringValue, content: ibis.StringValue
) -> ibis.Table:
    return contents.mutate(aspect=ibis.literal(aspect), value=value, content=content).select(
        *_ITEM, "aspect", "value", "content", *_ENDS
    )


def _described(found: ibis.Table, item_content: ibis.Table, changes: ibis.Table) -> ibis.Table:
    """The figures with name, question and kind of the part, the number of its variants and the last edit."""
    contents = _of_variants(item_content)
    newest = ibis.struct({name: contents[name] for name in ("problem_name", "question", "response_type")})
    contents = contents.mutate(newest=newest)
    texts = (
        contents.group_by(*_ITEM).agg(newest=contents.newest.argmax(contents.last_moment)).unpack("newest")
    )
    part = ("course_id", "module_id", "part_id")
    seeds = item_content.filter(item_content.variant != "").select(*_ITEM).distinct()
    variants = seeds.group_by(*part).agg(variants=seeds.count())
    rows = found.inner_join(texts, _ITEM)
    rows = rows.left_join(variants, part).select(rows, variants.variants)
    rows = rows.left_join(changes, _ITEM).select(rows, changes.changed_at)
    is_changed = rows.changed_at.notnull()
    return rows.mutate(
        variants=ibis.coalesce(rows.variants, 0),
        problem_display_name=rows.problem_name.nullif(""),
        question_text=rows.question.nullif(""),
        response_type=rows.response_type.nullif(""),
        tried_since=ibis.ifelse(is_changed, rows.tried_since, None),
        right_first_since=ibis.ifelse(is_changed, rows.right_first_since, None),
    ).drop("problem_name", "question")


def _of_problems(problem_help: ibis.Table, studentmodule: ibis.Table) -> ibis.Table:
    """For each problem, the learners who saw it (from the LMS) and the learners who were shown the answer or
    a hint.
    """
    helped = problem_help.select("course_id", "user_id", "kind", module_id="problem_id").distinct()
    helps = helped.group_by(*_PROBLEM).agg(
        shown_answer=(helped.kind == ANSWER).cast("int64").sum(),
        hinted=(helped.kind == HINT).cast("int64").sum(),
    )
    states = studentmodule.filter(studentmodule.module_type == "problem")
    seen = states.group_by(*_PROBLEM).agg(seen=states.count())
    both = helps.outer_join(seen, _PROBLEM)
    return both.select(
        "shown_answer",
        "hinted",
        "seen",
        course_id=ibis.coalesce(both.course_id, both.course_id_right),
        module_id=ibis.coalesce(both.module_id, both.module_id_right),
    )


def _learners(rows: ibis.Table, third: str) -> ibis.IntegerValue:
    """The number of rows of a third."""
    return (rows.third == third).cast("int64").sum()


def _share(part: ibis.NumericValue, whole: ibis.NumericValue) -> ibis.FloatingValue:
    """The quotient; null if the denominator is below FEW learners."""
    return _enough(part.cast("float64") / whole.cast("float64"), whole)


def _enough(figure: ibis.FloatingValue, learners: ibis.NumericValue) -> ibis.FloatingValue:
    """The figure; null if it is counted from fewer than FEW learners."""
    return ibis.ifelse(learners >= FEW, figure, ibis.null("float64"))
