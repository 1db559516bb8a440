"""Interactions of learners: the fact from which activity, engagement, roster and reports are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from pharos.engine.functions import stripped
from pharos.facts.course import course_run
from pharos.facts.fact import fact
from pharos.facts.payload import payload_text

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue, StringValue

ACTIVE, OUTSIDE, ATTEMPTED, COMPLETED, VIEWED, CONTRIBUTED = (
    "active",
    "outside",
    "attempted",
    "completed",
    "viewed",
    "contributed",
)
PROBLEM, VIDEO, DISCUSSION = "problem", "video", "discussion"
# Ids with `+`, or of three parts with `/`. A page of the wiki may be called "about", too.
PUBLIC_PAGE = r"/courses/(?:[^/?#]*(?:\+|%2B)[^/?#]*|[^/?#+%]+/[^/?#]+/[^/?#]+)/about/?(?:[?#].*)?$"
LONGEST_ENTITY = 255  # characters, in the Result Store


@fact(
    pa.schema(
        [
            ("course_id", pa.string()),
            ("user_id", pa.int64()),
            ("username", pa.string()),
            ("entity_type", pa.string()),
            ("entity_id", pa.string()),
            ("action", pa.string()),
            ("event_source", pa.string()),
            ("count", pa.int64()),
        ]
    ),
    course="course_id",
    learner="user_id",
)
def interaction(events: ibis.Table) -> ibis.Table:
    """Events per learner, course run, entity, action and event source. `spec 01 §6.1, 03 §2.2`

    Counted are events with a person (an id or a name) and a course (R-COURSE-URL). Each event that is neither
    an enrollment event nor of a background task is an interaction `active` without an entity (its type and id
    and its event source are empty). If it tells of the course's public page (its type, or the page of the
    browser, is an address `/courses/{id}/about`) it is an interaction `outside` as well. Some are further
    interactions:

    | event type | entity | actions |
    |---|---|---|
    | `problem_check` of the server | problem, payload `problem_id` | `attempted`, see below `completed` |
    | `play_video` | video, payload `id` without outer white space | `viewed` |
    | `edx.forum.….created` | discussion, payload `commentable_id` | `contributed` |

    A submission is also `completed` if its `success` is "correct", in upper or lower case.
    `entity_id` is empty where the payload names none, and cut to 255 characters.
    """
    person = events.user_id.notnull() | events.username.notnull()
    named = events.filter(person, events.page_course_id.notnull(), events.event_type.notnull())
    # `date` and `time` are of the event; what an event does is told by its type alone.
    rows = named.select(
        "date", "user_id", "username", "event_type", "payload", "payload_is_object", "page",
        course_id=course_run(named.page_course_id),
        event_source=ibis.coalesce(named.event_source, ""),
    )  # fmt: skip
    return (
        ibis.union(_active(rows), _with_entities(rows))
        .group_by(
            "date", "course_id", "user_id", "username", "entity_type", "entity_id", "action", "event_source"
        )
        .agg(count=lambda found: found.count())
    )


def _active(rows: ibis.Table) -> ibis.Table:
    """An interaction for each event of a learner in a course run."""
    counted = rows.filter(~rows.event_type.startswith("edx.course.enrollment."), rows.event_source != "task")
    is_on_page = (counted.event_source == "browser") & _is_public_page(ibis.coalesce(counted.page, ""))
    is_outside = _is_public_page(counted.event_type) | is_on_page
    return ibis.union(
        _without_entity(counted, ACTIVE),
        _without_entity(counted.filter(is_outside), OUTSIDE),
    )


def _without_entity(rows: ibis.Table, action: str) -> ibis.Table:
    empty = ibis.literal("")
    return rows.select(
        "date", "course_id", "user_id", "username",
        entity_type=empty, entity_id=empty, action=ibis.literal(action), event_source=empty,
    )  # fmt: skip


def _is_public_page(address: StringValue) -> BooleanValue:
    """True if it is the address of a course run's public about page."""
    return address.contains("/about") & address.re_search(PUBLIC_PAGE)  # most addresses need no pattern


def _with_entities(rows: ibis.Table) -> ibis.Table:
    """The interactions with problems, videos and discussions."""
    problems = rows.filter(rows.event_type == "problem_check", rows.event_source == "server")
    attempts = _interactions(problems, PROBLEM, payload_text(problems, "$.problem_id"), ATTEMPTED)
    solved = problems.filter(payload_text(problems, "$.success").lower() == "correct")
    completions = _interactions(solved, PROBLEM, payload_text(solved, "$.problem_id"), COMPLETED)
    videos = rows.filter(rows.event_type == "play_video")
    views = _interactions(videos, VIDEO, stripped(payload_text(videos, "$.id")), VIEWED)
    posts = rows.filter(_is_post(rows.event_type))
    posted = _interactions(posts, DISCUSSION, payload_text(posts, "$.commentable_id"), CONTRIBUTED)
    return ibis.union(attempts, completions, views, posted)


def _is_post(event_type: StringValue) -> BooleanValue:
    return event_type.startswith("edx.forum.") & event_type.endswith(".created")


def _interactions(rows: ibis.Table, entity_type: str, entity_id: StringValue, action: str) -> ibis.Table:
    return rows.select(
        "date", "course_id", "user_id", "username",
        entity_type=ibis.literal(entity_type),
        entity_id=ibis.coalesce(entity_id, "").left(LONGEST_ENTITY),
        action=ibis.literal(action),
        event_source=rows.event_source,
    )  # fmt: skip
