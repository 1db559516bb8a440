"""Videos: how many learners watched each part. `spec 03 §1.7, 1.8`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pharos.facts.video_payload import PLAY
from pharos.metrics.metric import metric
from pharos.result_store import tables

if TYPE_CHECKING:
    from ibis.expr.types import FloatingValue, IntegerValue

SEGMENT = 5  # seconds
CREDITS = 30  # seconds at the end that nobody need watch
WATCHED = 0.95  # of a video: who watched there has reached its end
TENTH, COMPLETE = 10, 95  # percent of a video that learners have covered
DROP = 20  # a video of unknown length ends where so many times more learners watched before than after
EVENT, VIEWING = "event", "viewing"  # what is not counted
OUTSIDE = "outside a viewing"

_VIDEO = ("course_id", "encoded_module_id")


@metric(tables.video_segment, by="course_id")
def video_segment(viewing: ibis.Table) -> ibis.Table:
    """Learners and viewings of each five seconds of a video, with what is known of the whole video.

    Estimated viewings do not count. Segments that nobody watched have no row, those after the end neither.
    """
    counted = viewing.filter(viewing.dropped == "", ~viewing.is_estimated)
    segments = _counted(counted)
    videos = _lengths(counted, segments)
    joined = segments.inner_join(videos, list(_VIDEO)).select(segments, videos.length, videos.final)
    completion = _segment(ibis.greatest(joined.length - CREDITS, joined.length * WATCHED))
    by_video = ibis.window(group_by=list(_VIDEO))
    whole = joined.mutate(
        users_at_start=_users(joined, joined.segment == 0).over(by_video),
        users_at_end=_users(joined, joined.segment == completion).over(by_video),
        has_final=_users(joined, joined.segment == joined.final).over(by_video) > 0,
        pipeline_video_id=joined.course_id + "|" + joined.encoded_module_id,
        duration=joined.length.floor().cast("int64"),
    )
    # Where nobody watched the last segment, those after it are there: a viewing may end a second late.
    kept = whole.filter((whole.segment <= whole.final) | ~whole.has_final)
    return kept.drop("length", "final", "has_final")


@metric(tables.video, by="course_id")
def video(video_segment: ibis.Table) -> ibis.Table:
    """Videos that somebody watched, with their viewers at start and end."""
    rows = video_segment
    return rows.group_by("pipeline_video_id", *_VIDEO, "duration", "users_at_start", "users_at_end").agg(
        segment_length=ibis.literal(SEGMENT), total_viewed_seconds=rows.num_views.sum() * SEGMENT
    )


@metric(tables.video_timeline, by=None)
def video_timeline(video_segment: ibis.Table) -> ibis.Table:
    """Learners and viewings of each five seconds."""
    return video_segment.select("pipeline_video_id", "segment", "num_users", "num_views")


@metric(tables.video_learner, by="course_id")
def video_learner(viewing: ibis.Table, video_segment: ibis.Table) -> ibis.Table:
    """How much of each video a learner has watched, to the thousandth of a second. `spec 03 §4.1-7, 8`

    What was watched twice is covered once. Estimated viewings do not count.
    """
    counted = viewing.filter(viewing.dropped == "", ~viewing.is_estimated)
    parts = counted.select(
        *_VIDEO, "user_id", start=_thousandths(counted.start_offset), end=_thousandths(counted.end_offset)
    )
    before = ibis.window(group_by=[*_VIDEO, "user_id"], order_by=["start", "end"], preceding=(None, 1))
    reached = ibis.coalesce(parts.end.max().over(before), 0)
    fresh = parts.mutate(
        watched=parts.end - parts.start,
        covered=ibis.greatest(parts.end - ibis.greatest(parts.start, reached), 0),
    )
    learners = fresh.group_by(*_VIDEO, "user_id").agg(
        viewings=fresh.count(),
        watched_ms=fresh.watched.sum().cast("int64"),
        covered_ms=fresh.covered.sum().cast("int64"),
    )
    videos = video_segment.select(*_VIDEO, "pipeline_video_id", "duration").distinct()
    known = learners.inner_join(videos, list(_VIDEO)).select(
        learners, videos.pipeline_video_id, videos.duration
    )
    length = ibis.greatest(known.duration, 1) * 1000
    # A viewing may end a second after its video.
    return known.mutate(covered_percent=ibis.least(known.covered_ms * 100 // length, 100)).drop("duration")


@metric(tables.video_coverage, by="course_id")
def video_coverage(video_learner: ibis.Table) -> ibis.Table:
    """Learners of each video by how much of it they have covered."""
    percent = video_learner.covered_percent
    rows = video_learner.mutate(
        covered_percent=ibis.ifelse(percent >= COMPLETE, COMPLETE, percent // TENTH * TENTH)
    )
    return rows.group_by("pipeline_video_id", *_VIDEO, "covered_percent").agg(num_users=rows.count())


@metric(tables.video_event_use, by="course_id")
def video_event_use(counted_video_event: ibis.Table, viewing: ibis.Table) -> ibis.Table:
    """How many events of players and how many viewings count, and why others do not. `spec 03 §1.4`"""
    events = counted_video_event
    used = events.filter(events.unused.isnull())
    refused = _by_reason(events.mutate(kind=ibis.literal(EVENT), reason=ibis.coalesce(events.unused, "")))
    ends = used.filter(used.event_type != PLAY)
    closed = viewing.filter(viewing.reason != "", viewing.reason != PLAY)
    outside = ibis.union(
        ends.select("course_id", "count"),
        closed.select("course_id", count=ibis.literal(-1, "int64")),
    )
    outside = outside.mutate(kind=ibis.literal(VIEWING), reason=ibis.literal(OUTSIDE))
    viewings = viewing.select(
        "course_id", kind=ibis.literal(VIEWING), reason=viewing.dropped, count=ibis.literal(1, "int64")
    )
    found = ibis.union(refused, _by_reason(outside), _by_reason(viewings))
    return found.filter(found["count"] > 0)


def _by_reason(rows: ibis.Table) -> ibis.Table:
    return rows.group_by("course_id", "kind", "reason").agg(count=rows["count"].sum().cast("int64"))


def _thousandths(seconds: FloatingValue) -> IntegerValue:
    """In whole numbers, whose sums do not depend on their order."""
    return (seconds * 1000).round().cast("int64")


def _segment(seconds: FloatingValue) -> IntegerValue:
    """Number of the segment that holds a position, from 0."""
    return seconds.floor().cast("int64") // SEGMENT


def _users(rows: ibis.Table, where: ibis.expr.types.BooleanValue) -> IntegerValue:
    """The learners of the segment where this holds; 0 if there is none."""
    return ibis.ifelse(where, rows.num_users, 0).max()


def _counted(viewings: ibis.Table) -> ibis.Table:
    """(course_id, encoded_module_id, segment, num_users, num_views) of the segments that were watched.

    A viewing counts in every segment from that of its start to that of its end, both included; a learner
    counts once in each. Nothing is spread over segments until the viewings of a video are added up.
    """
    steps = _summed(_steps(_fresh(viewings)))
    by_video = {"group_by": list(_VIDEO), "order_by": "segment"}
    so_far = ibis.cumulative_window(**by_video)
    levels = steps.mutate(
        num_users=steps.users.sum().over(so_far).cast("int64"),
        num_views=steps.views.sum().over(so_far).cast("int64"),
        following=steps.segment.lead().over(ibis.window(**by_video)),
    )
    watched = levels.filter(levels.num_views > 0)
    spread = watched.mutate(segment=ibis.range(watched.segment, watched.following).unnest())
    return spread.select(*_VIDEO, "segment", "num_users", "num_views")


def _fresh(viewings: ibis.Table) -> ibis.Table:
    """Viewings that touch the same segments, counted: (course_id, encoded_module_id, first, last, fresh, n).

    From the segment `fresh` on the learner has not watched before; it is after `last` if there is none.
    """
    touched = viewings.select(
        *_VIDEO, "user_id", first=_segment(viewings.start_offset), last=_segment(viewings.end_offset)
    )
    before = ibis.window(group_by=[*_VIDEO, "user_id"], order_by=["first", "last"], preceding=(None, 1))
    reached = ibis.coalesce(touched["last"].max().over(before), -1)
    parts = touched.mutate(
        fresh=ibis.least(ibis.greatest(touched["first"], reached + 1), touched["last"] + 1)
    )
    return parts.group_by(*_VIDEO, "first", "last", "fresh").agg(n=parts.count())


def _steps(parts: ibis.Table) -> ibis.Table:
    """What a video gains and loses at each segment: (course_id, encoded_module_id, segment, users, views)."""
    none = ibis.literal(0, "int64")
    is_fresh = parts.fresh <= parts["last"]
    return ibis.union(
        parts.select(*_VIDEO, segment=parts["first"], users=none, views=parts.n),
        parts.filter(is_fresh).select(*_VIDEO, segment=parts.fresh, users=parts.n, views=none),
        parts.select(
            *_VIDEO, segment=parts["last"] + 1, users=-ibis.ifelse(is_fresh, parts.n, none), views=-parts.n
        ),
    )


def _summed(steps: ibis.Table) -> ibis.Table:
    return steps.group_by(*_VIDEO, "segment").agg(users=steps.users.sum(), views=steps.views.sum())


def _lengths(viewings: ibis.Table, segments: ibis.Table) -> ibis.Table:
    """(course_id, encoded_module_id, length, final): seconds of each video, and its last segment.

    If one viewing does not know the length, it is not known: then the video ends where viewing drops.
    `spec 03 §1.7`
    """
    told = viewings.group_by(*_VIDEO).agg(
        unknown=viewings.duration.isnull().cast("int64").max(), longest=viewings.duration.max()
    )
    in_order = ibis.window(group_by=list(_VIDEO), order_by="segment")
    before = segments.mutate(
        users_before=segments.num_users.lag().over(in_order), before=segments.segment.lag().over(in_order)
    )
    drops = ibis.coalesce(before.num_users * DROP <= before.users_before, False)
    ends = before.group_by(*_VIDEO).agg(
        dropped=ibis.ifelse(drops, before.before, ibis.null("int64")).max(),
        observed=before.segment.max(),
    )
    joined = told.inner_join(ends, list(_VIDEO))
    guess = ibis.coalesce(joined.dropped, joined.observed)
    length = ibis.ifelse(joined.unknown == 1, ((guess + 1) * SEGMENT - 1).cast("float64"), joined.longest)
    return joined.select(*_VIDEO, length=length, final=_segment(length))
