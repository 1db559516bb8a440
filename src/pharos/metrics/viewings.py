"""Viewings: a viewing is a part of a video that a learner watched without interruption. `spec 03 §1.4, 4.1`

The original walks through the events of a learner and a video with one state, "is a viewing open?". A play
opens a viewing and replaces an open one; every other event closes the open one. So a viewing is a play and
the event directly after it, unless that is another play. Here all pairs are found at once, in the order of
time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pharos.engine.functions import microseconds
from pharos.facts.video_payload import LONGEST_VIDEO, PLAY, SEEK
from pharos.metrics.metric import metric
from pharos.result_store import tables

if TYPE_CHECKING:
    from ibis.expr.builders import WindowBuilder
    from ibis.expr.types import FloatingValue

SHORTEST = 0.25  # seconds of a viewing
PAST_END = 1.0  # seconds that a viewing may end after its video
STALE = 10.0  # seconds after which a seek says nothing of where the next play begins
FASTEST = 4.0  # times the clock
SLACK = 30.0  # seconds that a viewing may be longer than the clock allows

# Why a viewing does not count.
PAST, INVERTED, SHORT = "ends after the video", "ends before it starts", "too short"
REPLACED, OPEN = "played again before it ended", "never ended"

_VIDEO = ("course_id", "encoded_module_id")
_LEARNER = (*_VIDEO, "user_id")

MILLION = 1_000_000
MOST_TARGETS = 1 << 36  # more than there are millionths of a second in ten hours
NO_TARGET = MOST_TARGETS - 1


@metric(tables.viewing, by="course_id")
def viewing(counted_video_event: ibis.Table, course_blocks: ibis.Table, video_compat: bool) -> ibis.Table:
    """Every play of a learner with the event that ended it; uncounted plays are included and marked.

    With `video_compat` viewings are those of the original. Otherwise events of each session and of the mobile
    app are kept apart; a play starts at the target of the latest seek, if that was up to STALE seconds
    earlier and nothing was watched since; a viewing interrupted by another play gets an estimated end if the
    length of the video is known; and a viewing longer than the elapsed time allows is cut. Cut and estimated
    ends are marked.
    """
    rows = counted_video_event.filter(counted_video_event.unused.isnull()).drop("unused", "count", "date")
    events = rows.rename(encoded_module_id="video")
    if video_compat:
        pairs = _pairs_of_the_original(events)
        return _judged(pairs.mutate(longest=pairs.duration, is_estimated=ibis.literal(value=False)))
    known = lengths(events, course_blocks)
    pairs = _pairs(events)
    found = pairs.left_join(known, list(_VIDEO)).select(pairs, known.length)
    longest = ibis.coalesce(found.duration, found.length)
    timed = found.mutate(longest=longest, duration=found.length).drop("length")
    return _judged(_cut(_estimated(timed)))


def lengths(events: ibis.Table, course_blocks: ibis.Table) -> ibis.Table:
    """Known lengths of videos in seconds: (course_id, encoded_module_id, length).

    From the LMS; else the length that most plays of the video report, and the greatest of several equally
    frequent ones. Lengths above ten hours are ignored. `spec 03 §1.5, 4.1-1, 4.1-11`
    """
    plays = events.filter(events.event_type == PLAY, events.duration <= LONGEST_VIDEO)
    told = plays.group_by(*_VIDEO, "duration").agg(plays=plays.count())
    most = told.mutate(most=told.plays.max().over(ibis.window(group_by=list(_VIDEO))))
    most = most.filter(most.plays == most.most)
    by_players = most.group_by(*_VIDEO).agg(told=most.duration.max())
    by_lms = _lengths_of_the_lms(course_blocks)
    found = by_players.outer_join(by_lms, list(_VIDEO))
    return found.select(
        course_id=ibis.coalesce(by_players.course_id, by_lms.course_id),
        encoded_module_id=ibis.coalesce(by_players.encoded_module_id, by_lms.encoded_module_id),
        length=ibis.coalesce(by_lms.seconds, by_players.told),
    )


def _lengths_of_the_lms(course_blocks: ibis.Table) -> ibis.Table:
    """(course_id, encoded_module_id, seconds) of blocks whose length the LMS knows."""
    blocks = course_blocks.filter(
        course_blocks.video_seconds > 0, course_blocks.video_seconds <= LONGEST_VIDEO
    )
    named = blocks.mutate(
        encoded_module_id=ibis.ifelse(
            blocks.block_id.contains("+block@"),
            blocks.block_id.re_replace(r"^.*\+block@", ""),
            blocks.block_id.re_replace("[:/]+", "-"),  # of old keys: i4x://org/course/video/name
        )
    )
    return named.group_by(*_VIDEO).agg(seconds=named.video_seconds.max())


def _pairs_of_the_original(events: ibis.Table) -> ibis.Table:
    """Each play with the next event: the columns of `_paired`, and start_offset."""
    in_order = _in_order(*_LEARNER)
    typed = events.mutate(before=events.event_type.lag().over(in_order))
    # Events that neither open nor close a viewing change nothing, not even after a seek.
    used = typed.filter((typed.event_type == PLAY) | (ibis.coalesce(typed.before, "") == PLAY))
    last = used.mutate(
        last_type=used.event_type.lag().over(in_order), last_position=used.position.lag().over(in_order)
    )
    follows_seek = ibis.coalesce(last.last_type, "") == SEEK
    return _paired(
        last.mutate(start_offset=ibis.ifelse(follows_seek, last.last_position, last.position)), in_order
    )


def _pairs(events: ibis.Table) -> ibis.Table:
    """Each play with the next event, by session and device; a seek counts until something was watched."""
    in_order = _in_order(*_LEARNER, "session", "is_mobile")
    typed = events.mutate(before=events.event_type.lag().over(in_order))
    # A pause or stop outside a viewing changes nothing; the latest seek always counts.
    used = typed.filter(typed.event_type.isin([PLAY, SEEK]) | (ibis.coalesce(typed.before, "") == PLAY))
    is_play, is_seek = used.event_type == PLAY, used.event_type == SEEK
    target = (used.position * MILLION).round().cast("int64")
    # The greatest mark up to an event tells the latest seek or end, and where it led: windows of one number
    # cost a third of those that look for a row.
    mark = ibis.row_number().over(in_order) * MOST_TARGETS + ibis.ifelse(is_seek, target, NO_TARGET)
    none = ibis.null("int64")
    moment = microseconds(used.time)
    marked = used.mutate(
        moment=moment, mark=ibis.ifelse(is_play, none, mark), seek=ibis.ifelse(is_play, none, moment)
    )
    so_far = ibis.cumulative_window(group_by=in_order.groupings, order_by=in_order.orderings)
    last = marked.mutate(mark=marked.mark.max().over(so_far), seek=marked.seek.max().over(so_far))
    led = ibis.coalesce(last.mark % MOST_TARGETS, NO_TARGET)
    is_fresh = ibis.coalesce(last.moment - last.seek <= int(STALE * MILLION), False)
    start = ibis.ifelse((led != NO_TARGET) & is_fresh, led / MILLION, last.position)
    return _paired(last.mutate(start_offset=start), in_order)


def _in_order(*group: str) -> WindowBuilder:
    """A window of a learner's events by time; at the same time pause, play, seek, stop. `spec 03 §1.4-1`"""
    return ibis.window(
        group_by=list(group), order_by=["time", "event_type", "position", "old_position", "duration"]
    )


def _paired(used: ibis.Table, in_order: WindowBuilder) -> ibis.Table:
    """The plays, numbered, with the next event: its type as `reason` (empty if there is none), its time in
    `ended`, and in end_offset where it says that the play ended, null where it is no end.
    """
    end = ibis.ifelse(used.event_type == SEEK, used.old_position, used.position)
    ends = used.mutate(end=end)
    following = ends.mutate(
        number=ibis.row_number().over(in_order),
        reason=ibis.coalesce(ends.event_type.lead().over(in_order), ""),
        ended=ends.time.lead().over(in_order),
        end_offset=ends.end.lead().over(in_order),
    )
    plays = following.filter(following.event_type == PLAY)
    return plays.select(
        *_LEARNER, "session", "is_mobile", "number", "start_offset", "reason", "ended", "duration",
        start_time=plays.time,
        end_offset=ibis.ifelse(plays.reason == PLAY, ibis.null("float64"), plays.end_offset),
    )  # fmt: skip


def _estimated(viewings: ibis.Table) -> ibis.Table:
    """Estimate ends of viewings interrupted by a play, from elapsed time and length. `spec 03 §4.1-4`"""
    is_estimated = (viewings.reason == PLAY) & viewings.longest.notnull()
    reached = ibis.least(viewings.start_offset + _elapsed(viewings), viewings.longest)
    return viewings.mutate(
        end_offset=ibis.ifelse(is_estimated, reached, viewings.end_offset), is_estimated=is_estimated
    )


def _cut(viewings: ibis.Table) -> ibis.Table:
    """Cut viewings that are longer than the elapsed time allows. `spec 03 §4.1-5`"""
    latest = viewings.start_offset + _elapsed(viewings) * FASTEST + SLACK
    # One that ends after its video is as wrong as it was: it stays, to be judged so.
    is_past = viewings.end_offset > viewings.longest + PAST_END
    is_cut = ibis.coalesce((viewings.end_offset > latest) & ~ibis.coalesce(is_past, False), False)
    return viewings.mutate(
        end_offset=ibis.ifelse(is_cut, latest, viewings.end_offset),
        is_estimated=viewings.is_estimated | is_cut,
    )


def _elapsed(viewings: ibis.Table) -> FloatingValue:
    """Elapsed seconds from the play to the event that ended the viewing; null if no event ended it."""
    elapsed: FloatingValue = (microseconds(viewings.ended) - microseconds(viewings.start_time)) / 1e6
    return elapsed


def _judged(viewings: ibis.Table) -> ibis.Table:
    """The viewings with `dropped`: the reason why a viewing does not count, else empty. `spec 03 §1.4-3`"""
    end, start = viewings.end_offset, viewings.start_offset
    dropped = ibis.cases(
        (viewings.reason == "", OPEN),
        (end.isnull(), REPLACED),
        (ibis.coalesce(end > viewings.longest + PAST_END, False), PAST),
        (end < start, INVERTED),
        (end - start < SHORTEST, SHORT),
        else_="",
    )
    return viewings.mutate(dropped=dropped, elapsed=_elapsed(viewings)).drop("ended", "longest")
