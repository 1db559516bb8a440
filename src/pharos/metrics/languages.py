"""Languages that the learners of a course run read, and languages of its videos' transcripts."""

from __future__ import annotations

import ibis

from pharos.facts.language import PRIMARY
from pharos.metrics.metric import metric
from pharos.result_store import tables

LONGEST = 50  # characters of the code of a language, in the Result Store
_TEXTS = {"course_id": "string", "language": "string"}


@metric(tables.course_enrollment_language_current, by="course_id")
def course_enrollment_language_current(
    counted_accept_language_by_learner_day: ibis.Table, enrollment_change_point: ibis.Table
) -> ibis.Table:
    """Learners of the last day by the language last requested by their browser; null if it never requested
    any.
    """
    asked = counted_accept_language_by_learner_day
    last = asked.group_by("user_id").agg(language=asked.language.argmax(asked.time))
    return _by_language(enrollment_change_point, last)


@metric(tables.course_enrollment_chosen_language_current, by="course_id")
def course_enrollment_chosen_language_current(
    enrollment_change_point: ibis.Table, user_api_userpreference: ibis.Table
) -> ibis.Table:
    """Learners of the last day by the language they chose for the LMS; null: none chosen. `spec 07 §1.7`"""
    preferences = user_api_userpreference
    chosen = preferences.select(
        "user_id", language=preferences.value.re_extract(PRIMARY, 1).lower().nullif("")
    )
    by_learner = chosen.group_by("user_id").agg(language=chosen.language.max())
    return _by_language(enrollment_change_point, by_learner)


def _by_language(points: ibis.Table, languages: ibis.Table) -> ibis.Table:
    """Enrolled learners of the last day by their language, null without one.

    `languages`: (user_id, language), one row for each learner.
    """
    enrolled = points.filter(points.end.isnull(), points.enrolled == 1).select("course_id", "user_id")
    learners = enrolled.left_join(languages, "user_id")
    return learners.group_by("course_id", "language").agg(count=learners.count())


@metric(tables.course_transcript_language, by="course_id")
def course_transcript_language(
    edxval_coursevideo: ibis.Table, edxval_videotranscript: ibis.Table, course_blocks: ibis.Table
) -> ibis.Table:
    """Videos of each course run that have a transcript, by language; hidden videos are left out.

    A course run that is missing in the LMS's list of videos is counted from its outline.
    """
    listed = edxval_coursevideo.filter(~edxval_coursevideo.is_hidden)
    videos = listed.select("course_id", "video_id").distinct()
    transcripts = edxval_videotranscript.select("video_id", language=edxval_videotranscript.language_code)
    in_list = videos.inner_join(transcripts.distinct(), "video_id").select("course_id", "language")
    blocks = course_blocks.filter(course_blocks.block_type == "video", ~course_blocks.is_deleted)
    others = blocks.anti_join(videos, "course_id")
    told = others.select("course_id", "block_id", language=others.transcript_languages.unnest()).distinct()
    in_outline = told.filter(told.language.length() <= LONGEST).select("course_id", "language")
    # The columns of both may be null or not: without a cast they are of two types.
    found = ibis.union(*(rows.cast(_TEXTS) for rows in (in_list, in_outline)))
    of_list = videos.group_by("course_id").agg(course_videos=videos.count())
    of_outline = others.group_by("course_id").agg(course_videos=others.block_id.nunique())
    all_videos = ibis.union(*(rows.cast({"course_id": "string"}) for rows in (of_list, of_outline)))
    counted = found.group_by("course_id", "language").agg(videos=found.count())
    return counted.inner_join(all_videos, "course_id").select(
        "course_id", "language", "videos", "course_videos"
    )
