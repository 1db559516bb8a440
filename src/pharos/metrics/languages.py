"""Which languages a course run's learners read, and in which its videos have transcripts."""

from __future__ import annotations

import ibis

from pharos.metrics.metric import metric
from pharos.result_store import tables


@metric(tables.course_enrollment_language_current, by="course_id")
def course_enrollment_language_current(
    counted_accept_language_by_learner_day: ibis.Table, enrollment_change_point: ibis.Table
) -> ibis.Table:
    """Learners of the last day by the language that their browser asked for last; null: none ever did."""
    asked = counted_accept_language_by_learner_day
    last = asked.group_by("user_id").agg(language=asked.language.argmax(asked.time))
    points = enrollment_change_point
    enrolled = points.filter(points.end.isnull(), points.enrolled == 1).select("course_id", "user_id")
    learners = enrolled.left_join(last, "user_id")
    return learners.group_by("course_id", "language").agg(count=learners.count())


@metric(tables.course_transcript_language, by="course_id")
def course_transcript_language(
    edxval_coursevideo: ibis.Table, edxval_videotranscript: ibis.Table
) -> ibis.Table:
    """Videos of each course run that have a transcript, by its language; hidden videos are left out."""
    videos = (
        edxval_coursevideo.filter(~edxval_coursevideo.is_hidden).select("course_id", "video_id").distinct()
    )
    all_videos = videos.group_by("course_id").agg(course_videos=videos.count())
    found = videos.inner_join(
        edxval_videotranscript.select("video_id", "language_code").distinct(), "video_id"
    )
    counted = found.group_by("course_id", "language_code").agg(videos=found.count())
    return counted.inner_join(all_videos, "course_id").select(
        "course_id", "videos", "course_videos", language=counted.language_code
    )
