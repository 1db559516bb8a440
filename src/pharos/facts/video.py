"""Events of video players: the fact from which viewings are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa

from pharos.engine.functions import json_text, storable
from pharos.facts.course import course_run
from pharos.facts.fact import fact
from pharos.facts.payload import payload_object
from pharos.facts.video_payload import KINDS, Unused, video_row

if TYPE_CHECKING:
    from ibis.expr.types import StringValue

_OF_EVENTS = ("date", "course_id", "user_id", "session", "is_mobile", "time", "event_type")
# The engine calls it once for each event.
_row_of = ibis.udf.scalar.python(video_row, signature=((dt.string,) * 4, dt.string))


@fact(
    pa.schema(
        [
            ("course_id", pa.string()),
            ("user_id", pa.int64()),
            ("video", pa.string()),
            ("session", pa.string()),
            ("is_mobile", pa.bool_()),
            ("time", pa.timestamp("us")),
            ("event_type", pa.string()),
            ("position", pa.float64()),
            ("old_position", pa.float64()),
            ("duration", pa.float64()),
            ("unused", pa.string()),
            ("count", pa.int64()),
        ]
    ),
    course="course_id",
    learner="user_id",
)
def video_event(events: ibis.Table) -> ibis.Table:
    """Events that begin or end a viewing: play, pause, stop, seek. `spec 03 §1.2, 1.3`

    Events with equal values are one row, `count` is their number. An unused event has the reason in `unused`
    and an empty `video`. The course is R-COURSE-URL; empty if there is none.

    | column | meaning |
    |---|---|
    | `video` | id of the video as players write it, without outer white space |
    | `session` | the browser's session; empty if the event has none |
    | `event_type` | `play_video`, `pause_video`, `stop_video` or `seek_video`, also of the mobile app |
    | `position` | seconds into the video; of a seek, its target |
    | `old_position` | seconds into the video where a seek starts; null for other events |
    | `duration` | length of the video in seconds, from the player; null if missing, and for seeks |
    """
    moves = events.filter(events.event_type.isin(KINDS))
    named = moves.mutate(
        course_id=course_run(ibis.coalesce(moves.page_course_id, "")),
        session=storable(ibis.coalesce(moves.session, "")),
        is_mobile=ibis.coalesce(moves.event_source == "mobile", ibis.literal(value=False)),
    )
    unused = ibis.cases(
        (ibis.coalesce(named.user_id, 0) == 0, Unused.NO_LEARNER.value),
        (named.course_id == "", Unused.NO_COURSE.value),
        else_="",
    )
    row = _row_of(payload_object(named), named.event_type, named.course_id, unused)
    return _typed(named.select(*_OF_EVENTS, row=row))


def _typed(rows: ibis.Table) -> ibis.Table:
    """The distinct rows with typed columns, read from the JSON in the column `row`, and their `count`."""

    def text(name: str) -> StringValue:
        return json_text(rows.row, f"$.{name}")

    typed = rows.select(
        *_OF_EVENTS,
        video=ibis.coalesce(text("video"), ""),
        position=text("position").cast("float64"),
        old_position=text("old_position").cast("float64"),
        duration=text("duration").cast("float64"),
        unused=text("unused"),
    )
    return typed.group_by(*typed.columns).agg(count=typed.count())
