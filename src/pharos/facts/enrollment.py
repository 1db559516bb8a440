"""Enrollments, unenrollments and mode changes of learners, with their time."""

from __future__ import annotations

import ibis
import pyarrow as pa

from pharos import keys
from pharos.engine.functions import storable, stripped
from pharos.facts.course import course_run
from pharos.facts.fact import fact
from pharos.facts.payload import payload_integer, payload_text

ACTIVATED = "edx.course.enrollment.activated"
DEACTIVATED = "edx.course.enrollment.deactivated"
MODE_CHANGED = "edx.course.enrollment.mode_changed"
TYPES = (ACTIVATED, DEACTIVATED, MODE_CHANGED)

# Objects, lists and numbers with a fraction or an exponent: no engine writes them like another.
_NO_MODE = r"\A(?:[\[{\"]|-?[0-9]+(?:\.[0-9]+|(?:\.[0-9]+)?[eE][+-]?[0-9]+)\z)"


@fact(
    pa.schema(
        [
            ("course_id", pa.string()),
            ("user_id", pa.int64()),
            ("time", pa.timestamp("us")),
            ("event_type", pa.string()),
            ("mode", pa.string()),
            ("is_from_browser", pa.bool_()),
            ("is_mode_changed", pa.bool_()),
            ("events", pa.int64()),
        ]
    ),
    course="course_id",
    learner="user_id",
)
def enrollment_event(events: ibis.Table) -> ibis.Table:
    """Each enrollment event with the course, learner and mode of its payload. `spec 01 §5.1`

    The payload is used because the context names the acting person and may lack the course. Any event source
    counts. Events without a valid course, an integer user or a mode are left out. An empty text is a valid
    mode; a number with a fraction, an object or a list is not. A mode too long for the LMS is cut. Equal
    events at the same moment are one row, `events` is their number. `is_mode_changed` is true if the mode of
    one of them was cut or had a NUL character replaced. `is_from_browser` is true if all of them came from
    browsers: the LMS writes its own events on the server, but any signed-in user can send any event from a
    browser.
    """
    relevant = events.filter(events.event_type.isin(TYPES))
    written = payload_text(relevant, "$.mode")
    read = relevant.select(
        "date",
        "time",
        "event_type",
        course_id=stripped(payload_text(relevant, "$.course_id")),
        user_id=payload_integer(relevant, "$.user_id"),
        mode=storable(written).left(keys.LONGEST_MODE),
        written=written,
        is_from_browser=ibis.coalesce(relevant.event_source, "") == "browser",
    )
    valid = read.filter(
        keys.is_valid_course_id(read.course_id), read.user_id.notnull(), ~read.mode.re_search(_NO_MODE)
    )
    events = valid.mutate(course_id=course_run(valid.course_id))
    return events.group_by("date", "course_id", "user_id", "time", "event_type", "mode").agg(
        is_from_browser=events.is_from_browser.all(),
        is_mode_changed=(events.written != events.mode).any(),
        events=events.count(),
    )
