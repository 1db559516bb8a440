"""The columns of the lake: of events, and of quarantined lines."""

from __future__ import annotations

from datetime import date

import pyarrow as pa

EVENTS = pa.schema(
    [
        pa.field(
            "event_id", pa.string(), False, {"meaning": "XXH3-128 of the event's JSON text, hexadecimal."}
        ),
        pa.field("time", pa.timestamp("us"), False, {"meaning": "The event's own time, UTC."}),
        pa.field(
            "event_type", pa.string(), True, {"meaning": "What happened; a path for implicit server events."}
        ),
        pa.field(
            "name", pa.string(), True, {"meaning": "As event_type; the new-style name for mobile events."}
        ),
        pa.field("event_source", pa.string(), True, {"meaning": "server, browser, mobile or task."}),
        pa.field(
            "username",
            pa.string(),
            True,
            {"meaning": "Acting person's user name, without outer white space."},
        ),
        pa.field(
            "user_id",
            pa.int64(),
            True,
            {"meaning": "Acting person's LMS id (context.user_id); null if none."},
        ),
        pa.field(
            "course_id", pa.string(), True, {"meaning": "Course run of the context; null if none or invalid."}
        ),
        pa.field(
            "page_course_id",
            pa.string(),
            True,
            {"meaning": "course_id, else the course run in the address or payload."},
        ),
        pa.field("org_id", pa.string(), True, {"meaning": "Organisation of page_course_id."}),
        pa.field(
            "ip",
            pa.string(),
            True,
            {"meaning": "Client address, IPv4 or IPv6; `country:IE` where only its country is kept."},
        ),
        pa.field("session", pa.string(), True, {"meaning": "Session key."}),
        pa.field("agent", pa.string(), True, {"meaning": "HTTP User-Agent."}),
        pa.field("host", pa.string(), True, {"meaning": "Host name of the site."}),
        pa.field("page", pa.string(), True, {"meaning": "Address of the page (browser) or component."}),
        pa.field("referer", pa.string(), True, {"meaning": "HTTP Referer."}),
        pa.field("accept_language", pa.string(), True, {"meaning": "HTTP Accept-Language."}),
        pa.field(
            "payload",
            pa.string(),
            True,
            {"meaning": "The member `event`: its JSON, or its text if it is a string."},
        ),
        pa.field(
            "payload_is_text", pa.bool_(), False, {"meaning": "Whether the member `event` is a JSON string."}
        ),
        pa.field(
            "payload_is_object",
            pa.bool_(),
            True,
            {"meaning": "Whether `payload` is an object in strict JSON; null in files of older releases."},
        ),
        pa.field("context", pa.string(), True, {"meaning": "The member `context` as JSON."}),
        pa.field(
            "absent", pa.string(), False, {"meaning": "Envelope members the original lacks, comma separated."}
        ),
        pa.field(
            "raw", pa.string(), True, {"meaning": "The whole original JSON, where columns cannot rebuild it."}
        ),
        pa.field("source", pa.string(), False, {"meaning": "Log the event was read from first."}),
        pa.field("line", pa.int64(), False, {"meaning": "Its line there, from 1."}),
    ]
)

# Partitioned by the UTC date of `time`; the folder's name holds it: events/date=YYYY-MM-DD/.
PARTITION = "date"

# Earlier events come from clocks that had lost the time: they are kept, reported and not counted, since one
# of them would stretch a course's days over centuries. The platform is younger.
FIRST_DAY = date(2000, 1, 1)

SORTED_BY = ["page_course_id", "time", "event_id"]  # rows of a data file; rows without course come first

QUARANTINE = pa.schema(
    [
        pa.field("log", pa.string(), False, {"meaning": "Key of the log in the ledger."}),
        pa.field("source", pa.string(), False, {"meaning": "Log the line is from."}),
        pa.field("line", pa.int64(), False, {"meaning": "Its line there, from 1."}),
        pa.field("reason", pa.string(), False, {"meaning": "Why it is no event."}),
        pa.field("data", pa.binary(), False, {"meaning": "The line, byte by byte."}),
    ]
)
