"""Findings: places that course teams should look at first; the rules are in the definition of the table.

A finding has a kind and a place; its words are written by the page that shows it. More kinds can be added:
add their rows to the union in `finding`, and the kinds to ORDER.
"""

from __future__ import annotations

import ibis

from pharos.metrics.course_flow import UNIT, outline_of
from pharos.metrics.items import FEW, FEW_COMPARED, MOST_ANSWERS
from pharos.metrics.metric import metric
from pharos.metrics.videos import DROP_OFF, PEAK, SKIPPED
from pharos.result_store import tables

WRONG_ANSWER_PREFERRED = "wrong_answer_preferred"
NOBODY_RIGHT = "nobody_right"
NEGATIVE_DISCRIMINATION = "negative_discrimination"
ANSWER_AFTER_CHANGE = "answer_after_change"
NEVER_TRIED = "never_tried"
MOSTLY_SKIPPED = "mostly_skipped"
RARELY_FINISHED = "video_rarely_finished"
PART_LEFT = "video_part_left"
OPENING_SKIPPED = "video_opening_skipped"
PART_WATCHED_AGAIN = "video_part_watched_again"
TRANSCRIPTS_UNUSED = "transcripts_unused"
ALL_RIGHT_AT_ONCE = "all_right_at_once"
ORDER = (  # the most urgent kind first
    WRONG_ANSWER_PREFERRED,
    NOBODY_RIGHT,
    NEGATIVE_DISCRIMINATION,
    ANSWER_AFTER_CHANGE,
    NEVER_TRIED,
    MOSTLY_SKIPPED,
    RARELY_FINISHED,
    PART_LEFT,
    OPENING_SKIPPED,
    PART_WATCHED_AGAIN,
    TRANSCRIPTS_UNUSED,
    ALL_RIGHT_AT_ONCE,
)
HIGH, MEDIUM = 100, 30  # learners that a finding stands on, for high and for medium confidence
FEW_ANSWERS = 5  # learners: an answer that fewer give after an edit is no finding

_COLUMNS = ("course_id", "kind", "subject", "part_id", "variant", "answer", "learners", "numbers")


@metric(tables.finding, by="course_id")
def finding(
    item_quality: ibis.Table,
    item_answer: ibis.Table,
    video: ibis.Table,
    video_place: ibis.Table,
    course_blocks: ibis.Table,
    course_flow: ibis.Table,
    course_transcript_language: ibis.Table,
    course_enrollment_language_current: ibis.Table,
) -> ibis.Table:
    """All findings of a course run, with their rank and confidence."""
    whole = item_quality.filter(item_quality.variant.isnull())
    found = ibis.union(
        _wrong_answers_preferred(item_quality, item_answer),
        _nobody_right(whole),
        _negative_discrimination(whole),
        _answers_after_change(whole, item_answer),
        _never_tried(item_quality, course_blocks, course_flow),
        _mostly_skipped(whole),
        _all_right_at_once(whole),
        _rarely_finished(video),
        _parts_left(video_place),
        _openings_skipped(video_place),
        _parts_watched_again(video_place),
        _transcripts_unused(course_transcript_language, course_enrollment_language_current),
    )
    return _ranked(found)


def _ranked(findings: ibis.Table) -> ibis.Table:
    """By kind, then by the learners it stands on; the rest of the order tells all findings apart."""
    place = ibis.cases(
        *((findings.kind == kind, number) for number, kind in enumerate(ORDER)), else_=len(ORDER)
    )
    order = [place, findings.kind, ibis.desc(findings.learners), findings.subject, findings.part_id]
    order += [ibis.coalesce(findings.variant, -1), ibis.coalesce(findings.answer, ""), findings.numbers]
    confidence = ibis.cases(
        (findings.learners >= HIGH, "high"), (findings.learners >= MEDIUM, "medium"), else_="low"
    )
    rank = ibis.row_number().over(ibis.window(group_by="course_id", order_by=order)) + 1
    return findings.mutate(rank=rank, confidence=confidence)


def _wrong_answers_preferred(item_quality: ibis.Table, item_answer: ibis.Table) -> ibis.Table:
    """A wrong answer that strong learners give more often than all right ones together, and a quarter of them
    at least. Of a randomised problem each variant counts for itself: one answer is right in one of them only.
    """
    items = item_quality.filter(item_quality.variant.notnull() | (item_quality.variants == 0))
    items = _keyed(items.filter(items.strong_learners >= FEW))
    answers = _keyed(item_answer.filter(item_answer.place <= MOST_ANSWERS))
    right = answers.group_by(_KEY).agg(
        right=ibis.coalesce(answers.strong_count.sum(where=answers.is_correct), 0)
    )
    wrong = answers.filter(~answers.is_correct)
    first = ibis.row_number().over(
        ibis.window(group_by=_KEY, order_by=[ibis.desc("strong_count"), wrong.place])
    )
    wrong = wrong.mutate(number=first)
    rows = wrong.filter(wrong.number == 0).inner_join(right, _KEY)
    rows = rows.inner_join(items.select(*_KEY, "strong_learners", "strong_right"), _KEY)
    rows = rows.filter(rows.strong_count > rows.right, rows.strong_count * 4 >= rows.strong_learners)
    return _found(
        rows,
        WRONG_ANSWER_PREFERRED,
        learners=rows.strong_learners,
        answer=rows.answer_value,
        numbers=_json(
            strong_learners=rows.strong_learners,
            strong_with_answer=rows.strong_count,
            strong_right=rows.strong_right,
            learners_with_answer=rows.first_count,
        ),
    )


def _nobody_right(items: ibis.Table) -> ibis.Table:
    """Parts that no learner answered correctly, neither at first nor at last."""
    rows = items.filter(items.tried >= FEW, items.right_first == 0, items.right_last == 0)
    numbers = _json(tried=rows.tried, attempts=rows.attempts)
    return _found(rows, NOBODY_RIGHT, learners=rows.tried, numbers=numbers)


def _all_right_at_once(items: ibis.Table) -> ibis.Table:
    """Parts that every learner answered correctly at first."""
    rows = items.filter(items.tried >= FEW_COMPARED, items.right_first == items.tried)
    return _found(rows, ALL_RIGHT_AT_ONCE, learners=rows.tried, numbers=_json(tried=rows.tried))


def _negative_discrimination(items: ibis.Table) -> ibis.Table:
    """Parts on which weak learners do better: the whole interval of the discrimination is below 0."""
    rows = items.filter(items.discrimination_high < 0)
    numbers = _json(
        strong_learners=rows.strong_learners,
        strong_right=rows.strong_right,
        weak_learners=rows.weak_learners,
        weak_right=rows.weak_right,
    )
    return _found(rows, NEGATIVE_DISCRIMINATION, learners=rows.discrimination_learners, numbers=numbers)


def _answers_after_change(items: ibis.Table, item_answer: ibis.Table) -> ibis.Table:
    """Answers never given before the last edit, but by at least a tenth of the learners since."""
    edited = items.filter(items.tried_since >= FEW, items.tried - items.tried_since >= FEW)
    answers = item_answer.filter(item_answer.variant.isnull(), item_answer.place <= MOST_ANSWERS)
    same = ["course_id", "module_id", "part_id"]
    figures = ("changed_at", "tried", "tried_since")
    rows = answers.inner_join(edited.select(*same, *figures), same)
    rows = rows.filter(
        rows.first_seen >= rows.changed_at,
        rows.first_count >= FEW_ANSWERS,
        rows.first_count * 10 >= rows.tried_since,
    )
    return _found(
        rows,
        ANSWER_AFTER_CHANGE,
        learners=rows.tried_since,
        answer=rows.answer_value,
        numbers=_json(
            learners_with_answer=rows.first_count,
            tried_since=rows.tried_since,
            tried_before=rows.tried - rows.tried_since,
        ),
    )


def _never_tried(items: ibis.Table, course_blocks: ibis.Table, course_flow: ibis.Table) -> ibis.Table:
    """A problem of the outline without any submission, in a unit that learners reached.

    Only problems directly in the unit: those in a library or a split test are shown to some learners only.
    """
    outline = outline_of(course_blocks)
    problems = outline.filter(
        outline.block_type == "problem",
        ~outline.is_deleted,
        ~outline.is_orphan,
        outline.parent_block_id == outline.unit,
    ).select("course_id", "unit", module_id=outline.block_id)
    units = course_flow.filter(course_flow.level == UNIT, course_flow.reached >= FEW)
    reached = units.select("course_id", "reached", unit=units.block_id)
    rows = problems.inner_join(reached, ["course_id", "unit"]).select(problems, reached.reached)
    rows = rows.anti_join(items, ["course_id", "module_id"])
    rows = rows.mutate(part_id=ibis.literal(""), variant=ibis.null("int64"))
    return _found(rows, NEVER_TRIED, learners=rows.reached, numbers=_json(reached=rows.reached))


def _mostly_skipped(items: ibis.Table) -> ibis.Table:
    """Problems of which less than half of the learners who saw them tried a part."""
    problems = items.group_by("course_id", "module_id").agg(seen=items.seen.max(), tried=items.tried.max())
    rows = problems.filter(problems.seen >= FEW, problems.tried * 2 < problems.seen)
    rows = rows.mutate(part_id=ibis.literal(""), variant=ibis.null("int64"))
    return _found(rows, MOSTLY_SKIPPED, learners=rows.seen, numbers=_json(seen=rows.seen, tried=rows.tried))


def _rarely_finished(videos: ibis.Table) -> ibis.Table:
    """Videos whose end at most a tenth of the viewers reach."""
    viewers = ibis.greatest(videos.users_at_start, videos.users_at_end)
    rows = videos.filter(viewers >= FEW, videos.users_at_end * 10 <= viewers)
    numbers = _json(viewers=rows.users_at_start, finished=rows.users_at_end)
    return _of_video(rows, RARELY_FINISHED, learners=rows.users_at_start, numbers=numbers)


def _parts_left(places: ibis.Table) -> ibis.Table:
    """Drops in which at least a quarter of the remaining viewers leave."""
    rows = places.filter(places.kind == DROP_OFF, places.learners * 4 >= places.of_learners)
    return _at_place(rows, PART_LEFT)


def _openings_skipped(places: ibis.Table) -> ibis.Table:
    """Openings that at least a quarter of the viewers skip."""
    return _at_place(places.filter(places.kind == SKIPPED), OPENING_SKIPPED)


def _parts_watched_again(places: ibis.Table) -> ibis.Table:
    """Peaks that more than half of their viewers watch again."""
    rows = places.filter(places.kind == PEAK, places.learners * 2 > places.of_learners)
    return _at_place(rows, PART_WATCHED_AGAIN)


def _transcripts_unused(transcripts: ibis.Table, readers: ibis.Table) -> ibis.Table:
    """A language of transcripts that no learner's browser asks for, unless most videos have it."""
    told = transcripts.mutate(subject=transcripts.language.lower().re_replace("[-_].*$", ""))
    languages = told.group_by("course_id", "subject").agg(videos=told.videos.max())
    languages = languages.mutate(most=languages.videos.max().over(ibis.window(group_by="course_id")))
    rest = languages.filter(languages.videos < languages.most)
    known = readers.filter(readers.language.notnull(), readers["count"] > 0)
    learners = known.group_by("course_id").agg(learners=known["count"].sum().cast("int64"))
    learners = learners.filter(learners.learners >= FEW)
    rows = rest.inner_join(learners, "course_id").select(rest, learners.learners)
    asked = known.select("course_id", subject=known.language)
    rows = rows.anti_join(asked, ["course_id", "subject"])
    rows = rows.rename(module_id="subject").mutate(part_id=ibis.literal(""), variant=ibis.null("int64"))
    numbers = _json(videos=rows.videos, learners=rows.learners)
    return _found(rows, TRANSCRIPTS_UNUSED, learners=rows.learners, numbers=numbers)


def _at_place(places: ibis.Table, kind: str) -> ibis.Table:
    rows = places.filter(places.of_learners >= FEW)
    numbers = _json(
        start_second=rows.start_second,
        end_second=rows.end_second,
        learners=rows.learners,
        of_learners=rows.of_learners,
    )
    return _of_video(rows, kind, learners=rows.of_learners, numbers=numbers)


def _of_video(
    rows: ibis.Table, kind: str, *, learners: ibis.IntegerValue, numbers: ibis.StringValue
) -> ibis.Table:
    """The findings of a kind about videos, by the id that players write."""
    named = rows.select(
        "course_id",
        module_id=rows.encoded_module_id,
        part_id=ibis.literal(""),
        variant=ibis.null("int64"),
        found_learners=learners.cast("int64"),
        found_numbers=numbers,
    )
    return _found(named, kind, learners=named.found_learners, numbers=named.found_numbers)


_KEY = ("course_id", "module_id", "part_id", "of_variant")


def _keyed(rows: ibis.Table) -> ibis.Table:
    """The rows with `of_variant`, by which rows of all variants together are joined as well."""
    return rows.mutate(of_variant=ibis.coalesce(rows.variant, -1))


def _found(
    rows: ibis.Table,
    kind: str,
    *,
    learners: ibis.IntegerValue,
    numbers: ibis.StringValue,
    answer: ibis.StringValue | None = None,
) -> ibis.Table:
    """The findings of a kind, one per row."""
    return rows.mutate(
        kind=ibis.literal(kind),
        subject=rows.module_id,
        answer=ibis.null("string") if answer is None else answer,
        learners=learners,
        numbers=numbers,
    ).select(_COLUMNS)


def _json(**numbers: ibis.IntegerValue) -> ibis.StringValue:
    """Integers as a JSON object; fractions are not used, because each engine writes them differently."""
    text: ibis.StringValue = ibis.literal("{")
    for place, (name, number) in enumerate(numbers.items()):
        text = text + f'{", " if place else ""}"{name}": ' + number.cast("int64").cast("string")
    return text + "}"
