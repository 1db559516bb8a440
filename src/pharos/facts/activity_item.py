"""Items of activity that the reports of learners' activity count, each of one kind. `spec 03 §3.1`

They differ from interactions: here an enrollment is activity, a vote counts for the learner who receives it,
and events that a report drops are not activity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from pharos.engine.functions import stripped
from pharos.facts.course import course_run
from pharos.facts.fact import fact
from pharos.facts.payload import payload_object, payload_text

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, StringValue

OTHER, ATTEMPTED, CORRECT, PLAYED, SUBSECTION, PAGE = (
    "other", "attempted", "correct", "played", "subsection", "page",
)  # fmt: skip
POSTS = {
    "edx.forum.thread.created": "thread",
    "edx.forum.response.created": "response",
    "edx.forum.comment.created": "comment",
}
VOTES = ("edx.forum.thread.voted", "edx.forum.response.voted")
UP_GIVEN, DOWN_GIVEN, UP_RECEIVED, DOWN_RECEIVED = "up given", "down given", "up received", "down received"
LONGEST_PATH = 1000  # characters
_CHUNK = "[^/+]+"
_SUBSECTION = rf"\A/courses/{_CHUNK}[/+]{_CHUNK}[/+][^/]+/courseware/[^/]+/[^/]+/"
_VOTE = r"\Aedx\.forum\.\w+\.voted"


@fact(
    pa.schema(
        [
            ("course_id", pa.string()),
            ("user_id", pa.int64()),
            ("username", pa.string()),
            ("kind", pa.string()),
            ("entity_id", pa.string()),
            ("last_time", pa.timestamp("us")),
            ("count", pa.int64()),
        ]
    ),
    course="course_id",
    learner="user_id",
)
def activity_item(events: ibis.Table) -> ibis.Table:
    """Items by learner, course run, kind and entity, with the time of the last one.

    Counted are events with a user name, a course (R-COURSE-URL) and a payload that can be read. Each is one
    item; a vote for a learner who is named is an item of that learner as well, whose number is not told.

    | event type | kind | entity | dropped |
    |---|---|---|---|
    | `problem_check` | `attempted`, or `correct` if `success` is | `problem_id` | other sources, no id |
    | `play_video` | `played` | `id` without outer white space | no id |
    | `/courses/…/courseware/…/…/…` | `subsection` | the path | |
    | `edx.forum.….created` | `thread`, `response`, `comment` | | |
    | `edx.forum.….voted` | `up given`, `down given`; of threads and responses only | | other values |
    | `book` | `page` | | |
    | any other | `other` | | |

    `count` of votes is less one for each that was taken back; so it may be 0 or negative.
    """
    is_named = events.username.notnull() & (events.username != "")
    is_read = (payload_object(events) != "") | (events.payload == "")
    rows = events.filter(
        is_named, events.page_course_id.notnull(), events.event_type.notnull(), is_read
    )  # fmt: skip
    named = rows.mutate(course_id=course_run(rows.page_course_id))
    items = ibis.union(_others(named), _problems(named), _videos(named), *_votes(named))
    return items.group_by("date", "course_id", "user_id", "username", "kind", "entity_id").agg(
        last_time=items.time.max(), count=items["count"].sum()
    )


def _others(rows: ibis.Table) -> ibis.Table:
    """Items of all events except problems, videos and votes."""
    type_ = rows.event_type
    others = rows.filter(~type_.isin(["problem_check", "play_video"]), ~type_.re_search(_VOTE))
    type_ = others.event_type
    is_subsection = type_.re_search(_SUBSECTION)
    kind = ibis.cases(
        (is_subsection, SUBSECTION),
        (type_ == "book", PAGE),
        *((type_ == name, kind) for name, kind in POSTS.items()),
        else_=OTHER,
    )
    return _items(others, kind, ibis.ifelse(is_subsection, type_.left(LONGEST_PATH), ""))


def _problems(rows: ibis.Table) -> ibis.Table:
    checks = rows.filter(rows.event_type == "problem_check", rows.event_source == "server")
    is_correct = ibis.coalesce(payload_text(checks, "$.success").lower() == "correct", False)
    items = _items(checks, ibis.ifelse(is_correct, CORRECT, ATTEMPTED), payload_text(checks, "$.problem_id"))
    return items.filter(items.entity_id != "")


def _videos(rows: ibis.Table) -> ibis.Table:
    plays = rows.filter(rows.event_type == "play_video")
    items = _items(plays, ibis.literal(PLAYED), stripped(payload_text(plays, "$.id")))
    return items.filter(items.entity_id != "")


def _votes(rows: ibis.Table) -> tuple[ibis.Table, ibis.Table]:
    """The items of voters, and the items of the authors who receive the votes."""
    votes = rows.filter(rows.event_type.re_search(_VOTE))
    told = votes.mutate(
        value=payload_text(votes, "$.vote_value"),
        undo=payload_text(votes, "$.undo_vote"),
        target=stripped(ibis.coalesce(payload_text(votes, "$.target_username"), "")),
    )
    told = told.filter(told.value.isin(["up", "down"]))
    is_counted = told.event_type.isin(VOTES)
    count = ibis.ifelse(ibis.coalesce(told.undo, "") == "true", -1, 1)
    given = _items(told, _kind(told, is_counted, UP_GIVEN, DOWN_GIVEN), ibis.literal(""), count)
    targets = told.filter(told.target != "")
    targets = targets.mutate(username=targets.target, user_id=ibis.null("int64"))
    is_counted = targets.event_type.isin(VOTES)
    count = ibis.ifelse(ibis.coalesce(targets.undo, "") == "true", -1, 1)
    return given, _items(
        targets, _kind(targets, is_counted, UP_RECEIVED, DOWN_RECEIVED), ibis.literal(""), count
    )


def _kind(votes: ibis.Table, is_counted: BooleanValue, up: str, down: str) -> StringValue:
    return ibis.ifelse(is_counted, ibis.ifelse(votes.value == "up", up, down), OTHER)


def _items(
    rows: ibis.Table, kind: StringValue, entity_id: StringValue, count: ibis.IntegerValue | None = None
) -> ibis.Table:
    return rows.select(
        "date", "course_id", "user_id", "username", "time",
        kind=kind,
        entity_id=ibis.coalesce(entity_id, ""),
        count=(ibis.literal(1) if count is None else count).cast("int64"),
    )  # fmt: skip
