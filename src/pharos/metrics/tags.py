"""Submissions of tagged problems. `spec 02 §9`"""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt

from pharos.engine.functions import json_text
from pharos.facts.submission_payload import tag_rows
from pharos.metrics.metric import metric
from pharos.metrics.population import organisation
from pharos.result_store import tables

LONGEST = 255  # characters, in the Result Store

_tag_rows = ibis.udf.scalar.python(tag_rows, signature=((dt.string,), dt.string))


@metric(tables.tags_distribution, by="course_id")
def tags_distribution(
    counted_problem_submission: ibis.Table,
    oel_tagging_objecttag: ibis.Table,
    oel_tagging_tag: ibis.Table,
    oel_tagging_taxonomy: ibis.Table,
) -> ibis.Table:
    """Submissions and right submissions of each problem, repeated for each of its tags.

    The tags are those of the LMS; if the LMS has none for the problem, those of its most recent submission.
    """
    counts = _counts(counted_problem_submission)
    known = _of_the_lms(oel_tagging_objecttag, oel_tagging_tag, oel_tagging_taxonomy)
    by_lms = counts.inner_join(known, counts.module_id == known.object_id).drop("object_id", "tags")
    others = counts.anti_join(known, counts.module_id == known.object_id)
    tagged = ibis.union(by_lms, _of_events(others).select(by_lms.columns))
    rows = tagged.mutate(tag_name=tagged.tag_name.left(LONGEST), tag_value=tagged.tag_value.left(LONGEST))
    return rows.mutate(org_id=organisation(rows.course_id)).distinct()


def _counts(problem_submission: ibis.Table) -> ibis.Table:
    """Submissions of each problem, and the tags of the most recent one.

    Columns: course_id, module_id, total_submissions, correct_submissions, tags. Submissions without a user
    name or without an answer count, too.
    """
    rows = problem_submission.filter(problem_submission.course_id != "", problem_submission.problem_id != "")
    events = rows.select("course_id", "moment", "is_success", "tags", module_id=rows.problem_id).distinct()
    newest = events.mutate(newest=ibis.struct({"tags": events.tags}))  # or null would not be the newest
    return (
        newest.group_by("course_id", "module_id")
        .agg(
            total_submissions=newest.count(),
            correct_submissions=newest.is_success.cast("int64").sum(),
            newest=newest.newest.argmax(newest.moment),
        )
        .unpack("newest")
    )


def _of_events(counts: ibis.Table) -> ibis.Table:
    """The counts with `tag_name` and `tag_value`, one row for each of the problem's tags."""
    tagged = counts.filter(counts.tags.notnull())
    rows = tagged.mutate(row=_tag_rows(tagged.tags).split("\n").unnest()).drop("tags")
    return rows.mutate(tag_name=json_text(rows.row, "$.name"), tag_value=json_text(rows.row, "$.value"))


def _of_the_lms(objects: ibis.Table, tag: ibis.Table, taxonomy: ibis.Table) -> ibis.Table:
    """(object_id, tag_name, tag_value) of taxonomies that are in use. `spec 07 §3.10`"""
    kinds = taxonomy.filter(ibis.coalesce(taxonomy.enabled, True))
    named = objects.join(kinds, objects.taxonomy_id == kinds.id).select(
        "object_id", "tag_id", "_value", tag_name=kinds.name
    )
    values = tag.select(known_id=tag.id, value=tag.value)
    found = named.left_join(values, named.tag_id == values.known_id)
    found = found.select("object_id", "tag_name", tag_value=ibis.coalesce(found.value, found["_value"]))
    return found.filter(found.tag_value.notnull()).distinct()
