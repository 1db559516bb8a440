"""Places of a course that learners reached or completed, from events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from pharos.engine.functions import microseconds
from pharos.facts.course import course_run
from pharos.facts.fact import fact
from pharos.facts.payload import payload_number, payload_text

if TYPE_CHECKING:
    from ibis.expr.types import StringValue

REACHED, COMPLETED, TAKEN_BACK = "reached", "completed", "taken back"
COMPLETION = "edx.completion.block_completion.changed"
SEQUENCES = ("seq_goto", "seq_next", "seq_prev")
LONGEST_ID = 255  # characters, in the Result Store
_USAGE = r"((?:ccx-)?block-v1:[^/?#&\s]+\+type@[^/?#&+\s]+\+block@[^/?#&+\s]+)"
_COURSEWARE = r"/courses/[^/]+(?:/[^/+]+/[^/]+)?/courseware/[^/]+/([^/?#]+)"


@fact(
    pa.schema(
        [
            ("course_id", pa.string()),
            ("user_id", pa.int64()),
            ("block_id", pa.string()),
            ("kind", pa.string()),
            ("first_moment", pa.int64()),
            ("last_moment", pa.int64()),
        ]
    ),
    course="course_id",
    learner="user_id",
)
def place_visit(events: ibis.Table) -> ibis.Table:
    """Blocks that a learner reached, completed or took back, with the first and last moment of the day.

    | event | kind | block |
    |---|---|---|
    | of the server, its type a path | `reached` | the last usage id in the path |
    | the same, `/courses/…/courseware/section/subsection/…` | `reached` | the subsection |
    | of the browser | `reached` | the last usage id of its page, or the subsection of such a path |
    | `seq_goto`, `seq_next`, `seq_prev`, `edx.ui.lms.sequence.…` | `reached` | payload `id` |
    | COMPLETION | `completed` if its `completion` is 1, else `taken back` | payload `block_id` |

    Moments are microseconds since 1970, UTC. The course run is that of the event; if the event has none
    (units shown by the learning frontend), that of the usage id. Events without a learner's number and events
    of background tasks are left out.
    """
    told = events.filter(events.user_id.notnull(), events.event_source != "task", events.event_type.notnull())
    rows = ibis.union(_paths(told), _sequences(told), _completions(told))
    places = rows.mutate(
        course_id=course_run(ibis.coalesce(rows.page_course_id, _course_of(rows.block_id))),
        block_id=rows.block_id.left(LONGEST_ID),
    )
    found = places.group_by("date", "course_id", "user_id", "block_id", "kind").agg(
        first_moment=microseconds(places.first_time.min()),
        last_moment=microseconds(places.last_time.max()),
        # Conditions on what is grouped by would be moved down to the events, addresses taken apart for each.
        is_named=((places.block_id != "") & (places.course_id != "")).cast("int64").max(),
    )
    return found.filter(found.is_named == 1).drop("is_named")


def _paths(events: ibis.Table) -> ibis.Table:
    """The place in the address: of the event itself, or of the page in the browser."""
    address = ibis.ifelse(
        events.event_type.startswith("/"), events.event_type, ibis.coalesce(events.page, "")
    )
    named = events.mutate(address=address)
    named = named.filter(named.address.contains("block-v1:") | named.address.contains("/courseware/"))
    # Learners stay on a page for many events, and to look into an address costs more than to compare it.
    told = named.group_by("date", "user_id", "page_course_id", "address").agg(**_ends(named))
    clean = told.mutate(address=told.address.replace("%3A", ":").replace("%2B", "+").replace("%40", "@"))
    # Apart, not by a condition: an engine works out each branch of one anew wherever its result is used.
    has_usage = clean.address.contains("block-v1:")
    usages, others = clean.filter(has_usage), clean.filter(~has_usage)
    usage = usages.address.re_extract(rf"^.*[^a-z-]{_USAGE}", 1)
    return ibis.union(
        usages.select(*_VISIT, block_id=usage, kind=ibis.literal(REACHED)),
        others.select(*_VISIT, block_id=_subsection(others), kind=ibis.literal(REACHED)),
    )


def _subsection(visits: ibis.Table) -> StringValue:
    """The usage id of the subsection in an address of the older pages; empty if there is none."""
    run, name = course_run(visits.page_course_id), visits.address.re_extract(_COURSEWARE, 1)
    new = (
        run.replace("ccx-v1:", "ccx-block-v1:").replace("course-v1:", "block-v1:") + "+type@sequential+block@"
    )
    old = "i4x://" + run.re_extract("^([^/]+/[^/]+)/", 1) + "/sequential/"
    found = ibis.ifelse(run.contains("+"), new, old) + name
    return ibis.coalesce(ibis.ifelse(name != "", found, ""), "")


def _sequences(events: ibis.Table) -> ibis.Table:
    is_sequence = events.event_type.isin(SEQUENCES) | events.event_type.startswith("edx.ui.lms.sequence.")
    moves = events.filter(is_sequence)
    return _rows(moves, ibis.coalesce(payload_text(moves, "$.id"), ""), ibis.literal(REACHED))


def _completions(events: ibis.Table) -> ibis.Table:
    changes = events.filter(events.event_type == COMPLETION)
    is_done = ibis.coalesce(payload_number(changes, "$.completion") >= 1, False)
    kind = ibis.ifelse(is_done, COMPLETED, TAKEN_BACK)
    return _rows(changes, ibis.coalesce(payload_text(changes, "$.block_id"), ""), kind)


_VISIT = ("date", "user_id", "page_course_id", "first_time", "last_time")


def _rows(events: ibis.Table, block_id: StringValue, kind: StringValue) -> ibis.Table:
    named = events.mutate(block_id=block_id, kind=kind)
    told = named.group_by("date", "user_id", "page_course_id", "block_id", "kind").agg(**_ends(named))
    return told.select(*_VISIT, "block_id", "kind")


def _ends(events: ibis.Table) -> dict[str, ibis.Value]:
    return {"first_time": events.time.min(), "last_time": events.time.max()}


def _course_of(block_id: StringValue) -> StringValue:
    """The course run in a usage id; empty if there is none."""
    run = block_id.re_extract(r"^((?:ccx-)?block-v1:[^+]+\+[^+]+\+.*)\+type@", 1)
    return run.replace("ccx-block-v1:", "ccx-v1:").replace("block-v1:", "course-v1:")
