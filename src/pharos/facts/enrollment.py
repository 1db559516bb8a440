"""Who was enrolled, unenrolled or moved to another mode, and when."""

from __future__ import annotations

import ibis
import pyarrow as pa

from pharos import keys
from pharos.engine.functions import json_text, stripped
from pharos.facts.course import course_run
from pharos.facts.fact import fact

ACTIVATED = "edx.course.enrollment.activated"
DEACTIVATED = "edx.course.enrollment.deactivated"
MODE_CHANGED = "edx.course.enrollment.mode_changed"

LONGEST_MODE = 100  # characters, in the LMS
INTEGER = r"\A-?[0-9]{1,18}\z"


@fact(
    pa.schema(
        [
            ("course_id", pa.string()),
            ("user_id", pa.int64()),
            ("time", pa.timestamp("us")),
            ("event_type", pa.string()),
            ("mode", pa.string()),
        ]
    )
)
def enrollment_event(events: ibis.Table) -> ibis.Table:
    """Each enrollment event with the course, learner and mode of its payload. `spec 01 §5.1`

    Of the payload, because the context names the acting person and may lack the course. Any event source
    counts. Events without a valid course, an integer user or a mode are left out; an empty mode is one, and
    one too long for the LMS is cut.
    Equal events of one moment are one.
    """
    relevant = events.filter(events.event_type.isin([ACTIVATED, DEACTIVATED, MODE_CHANGED]))
    read = relevant.select(
        "date",
        "time",
        "event_type",
        course_id=stripped(json_text(relevant.payload, "$.course_id")),
        user=stripped(json_text(relevant.payload, "$.user_id")),
        mode=json_text(relevant.payload, "$.mode").left(LONGEST_MODE),
    )
    valid = read.filter(
        keys.is_valid_course_id(read.course_id), read.user.re_search(INTEGER), read.mode.notnull()
    )
    return (
        valid.mutate(course_id=course_run(valid.course_id), user_id=valid.user.cast("int64"))
        .drop("user")
        .distinct()
    )
