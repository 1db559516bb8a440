"""Learners who showed the captions or the transcript of a video."""

from __future__ import annotations

import ibis
import pyarrow as pa

from pharos.engine.functions import stripped
from pharos.facts.course import course_run
from pharos.facts.fact import fact
from pharos.facts.payload import payload_text
from pharos.facts.video_payload import LONGEST_ID

SHOWN = ("show_transcript", "edx.video.transcript.shown", "edx.video.closed_captions.shown")


@fact(
    pa.schema(
        [
            ("course_id", pa.string()),
            ("user_id", pa.int64()),
            ("video", pa.string()),
            ("count", pa.int64()),
        ]
    ),
    course="course_id",
    learner="user_id",
)
def video_caption(events: ibis.Table) -> ibis.Table:
    """Number of times a learner showed the captions of a video, or its transcript beside it.

    The event types are those of SHOWN. Events without a learner's number, a course run or a video are left
    out, and events whose ids are too long for the Result Store. `video` is the id that players write, without
    outer white space.
    """
    shown = events.filter(events.event_type.isin(SHOWN), ibis.coalesce(events.user_id, 0) > 0)
    named = shown.mutate(
        course_id=course_run(ibis.coalesce(shown.page_course_id, "")),
        video=ibis.coalesce(stripped(payload_text(shown, "$.id")), ""),
    )
    length = named.course_id.length() + 1 + named.video.length()
    used = named.filter(named.course_id != "", named.video != "", length <= LONGEST_ID)
    return used.group_by("date", "course_id", "user_id", "video").agg(count=used.count())
