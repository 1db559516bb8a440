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
CREDITS = 30  # seconds at the end that need not be watched
WATCHED = 0.95  # of a video: who watched there has reached its end
TENTH, COMPLETE = 10, 95  # percent of a video that learners have covered
DROP = 20  # a video of unknown length ends where so many times more learners watched before than after
EVENT, VIEWING = "event", "viewing"  # what is not counted
OUTSIDE = "outside a viewing"

# Places: where clearly more learners than in the surroundings watch again or leave. Counted in segments.
PEAK, DROP_OFF, SKIPPED = "peak", "drop", "skipped"
NEAR, FAR = 4, 12  # the surroundings of a segment: from 20 to 60 seconds before and after it
WIDEST = 6  # a place reaches at most so far on both sides of its middle
AROUND = 1  # segments before and after whose leaving learners are added
AGAIN = 1000  # thousandths of a second that somebody watches again
CLEARLY = 5  # standard deviations of a number that comes about by chance
FEWEST, SHARE = 5, 20  # learners of a place; and they are at least one in so many
OPENING, SHORTEST_SKIP = 24, 2  # an opening ends within two minutes; ten seconds are skipped or more

_VIDEO = ("course_id", "encoded_module_id")


@metric(tables.video_segment, by="course_id")
def video_segment(viewing: ibis.Table) -> ibis.Table:
    """Learners and viewings of each five-second segment of a video, with figures of the whole video.

    Estimated viewings do not count. Segments without viewings, or after the end of the video, have no row.
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
    # Segments after the last one are kept if nobody watched the last one: a viewing may end a second late.
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
    """The part of each video that a learner has watched, in thousandths of a second. `spec 03 §4.1-7, 8`

    A part watched twice is covered once. Estimated viewings do not count.
    """
    counted = viewing.filter(viewing.dropped == "", ~viewing.is_estimated)
    parts = counted.select(
        *_VIDEO, "user_id", start=thousandths(counted.start_offset), end=thousandths(counted.end_offset)
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
    """Learners of each video by the share of it that they have covered."""
    percent = video_learner.covered_percent
    rows = video_learner.mutate(
        covered_percent=ibis.ifelse(percent >= COMPLETE, COMPLETE, percent // TENTH * TENTH)
    )
    return rows.group_by("pipeline_video_id", *_VIDEO, "covered_percent").agg(num_users=rows.count())


@metric(tables.video_place, by="course_id")
def video_place(viewing: ibis.Table, video_segment: ibis.Table) -> ibis.Table:
    """Places of a video that stand out from their surroundings: peaks, drops and skipped openings.

    In a peak more learners watch again, in a drop more learners leave. A learner has left in the last place
    watched; the last twentieth of a video (of one over ten minutes, the last 30 seconds) does not count as
    leaving.
    """
    counted = viewing.filter(viewing.dropped == "", ~viewing.is_estimated)
    again, segments = _again(counted), _all_segments(video_segment)
    peaks = _places(_valued(segments, _counted(again).rename(value="num_users")), reach=0)
    before_end = segments.filter(segments.segment < segments.completion)
    leaving = _last_segments(counted)
    drops = _places(_valued(before_end, leaving.rename(value="learners")), reach=AROUND)
    found = ibis.union(
        _of_peaks(peaks, counted, again),
        _of_drops(drops, leaving),
        _of_openings(_valued(segments, video_segment.rename(value="num_users"))),
    )
    found = found.filter(found.learners >= FEWEST, found.learners * SHARE >= found.of_learners)
    return found.select(
        *_VIDEO, "kind", "learners", "of_learners", "expected",
        pipeline_video_id=found.course_id + "|" + found.encoded_module_id,
        start_second=found["first"] * SEGMENT,
        end_second=(found["last"] + 1) * SEGMENT,
    )  # fmt: skip


@metric(tables.video_event_use, by="course_id")
def video_event_use(counted_video_event: ibis.Table, viewing: ibis.Table) -> ibis.Table:
    """Counts of video events and viewings that are used, and of unused ones by reason. `spec 03 §1.4`"""
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


def thousandths(seconds: FloatingValue) -> IntegerValue:
    """Seconds as an integer number of thousandths, whose sums do not depend on the order of rows."""
    return (seconds * 1000).round().cast("int64")


def _segment(seconds: FloatingValue) -> IntegerValue:
    """Number of the segment that holds a position, from 0."""
    return seconds.floor().cast("int64") // SEGMENT


def _users(rows: ibis.Table, where: ibis.expr.types.BooleanValue) -> IntegerValue:
    """The learners of the segment for which the condition holds; 0 if there is none."""
    return ibis.ifelse(where, rows.num_users, 0).max()


def _counted(viewings: ibis.Table) -> ibis.Table:
    """The watched segments: (course_id, encoded_module_id, segment, num_users, num_views).

    A viewing counts in every segment from its start to its end, both included; a learner counts once in each.
    Viewings are first added up by video and then spread over segments.
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
    """Numbers of viewings that touch the same segments.

    Columns: course_id, encoded_module_id, first, last, fresh, n. From the segment `fresh` on, the learner has
    not watched the video before; if no segment is new, `fresh` is after `last`.
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
    """Gains and losses of a video at each segment: (course_id, encoded_module_id, segment, users, views)."""
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

    If one viewing lacks the length, the length is unknown: then the video ends where viewing drops. `spec 03
    §1.7`
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


# --- Places


def _again(viewings: ibis.Table) -> ibis.Table:
    """The parts that learners watch a second time, if at least a second long, with the columns of viewings.

    Such a part is the beginning of a viewing, up to the farthest end of viewings that start earlier.
    """
    parts = viewings.select(
        *_VIDEO, "user_id", start=thousandths(viewings.start_offset), end=thousandths(viewings.end_offset)
    )
    before = ibis.window(group_by=[*_VIDEO, "user_id"], order_by=["start", "end"], preceding=(None, 1))
    seen = parts.mutate(end=ibis.least(parts.end, ibis.coalesce(parts.end.max().over(before), 0)))
    again = seen.filter(seen.end - seen.start >= AGAIN)
    return again.select(*_VIDEO, "user_id", start_offset=again.start / 1000, end_offset=again.end / 1000)


def _all_segments(video_segment: ibis.Table) -> ibis.Table:
    """(course_id, encoded_module_id, segment, completion): all segments up to the last watched one."""
    rows = video_segment
    videos = rows.group_by(*_VIDEO).agg(final=rows.segment.max(), duration=rows.duration.max())
    completion = ibis.greatest(videos.duration - CREDITS, videos.duration * COMPLETE // 100) // SEGMENT
    return videos.select(*_VIDEO, completion=completion, segment=ibis.range(videos.final + 1).unnest())


def _last_segments(viewings: ibis.Table) -> ibis.Table:
    """(course_id, encoded_module_id, segment, learners): learners by the last segment they watched."""
    learners = viewings.group_by(*_VIDEO, "user_id").agg(segment=_segment(viewings.end_offset.max()))
    return learners.group_by(*_VIDEO, "segment").agg(learners=learners.count())


def _valued(segments: ibis.Table, values: ibis.Table) -> ibis.Table:
    """The segments with their `value`, 0 if they have none."""
    joined = segments.left_join(values, [*_VIDEO, "segment"])
    return joined.select(*_VIDEO, segments.segment, value=ibis.coalesce(values.value, 0).cast("int64"))


def _places(segments: ibis.Table, *, reach: int) -> ibis.Table:
    """(course_id, encoded_module_id, first, last, expected) where the value stands out.

    `height` is the sum of the values up to `reach` segments before and after. A place is around the first
    highest segment within FAR; its height is twice the mean of the surroundings or more, and above it by
    CLEARLY times its square root. A place ends before the height falls below the middle of both, at the
    latest after WIDEST; segments at its edges where the value is less than twice the mean are no part of it.
    """
    by_video = {"group_by": list(_VIDEO), "order_by": "segment"}
    near = ibis.window(**by_video, preceding=reach, following=reach)
    rows = segments.mutate(height=segments.value.sum().over(near).cast("int64"))
    before = ibis.window(**by_video, preceding=(FAR, NEAR))
    after = ibis.window(**by_video, following=(NEAR, FAR))
    higher = ibis.window(**by_video, preceding=(FAR, 1)), ibis.window(**by_video, following=(1, FAR))
    rows = rows.mutate(
        around=(
            ibis.coalesce(rows.height.sum().over(before), 0) + ibis.coalesce(rows.height.sum().over(after), 0)
        ).cast("int64"),
        n=rows.height.count().over(before) + rows.height.count().over(after),
        is_top=(rows.height > ibis.coalesce(rows.height.max().over(higher[0]), 0))
        & (rows.height >= ibis.coalesce(rows.height.max().over(higher[1]), 0)),
    )
    # Of whole numbers, so that all engines agree: the mean of the surroundings is around / n.
    total = rows.height * rows.n
    least = ibis.greatest(rows.around, rows.n)
    excess = total - rows.around
    tops = rows.filter(
        rows.is_top,
        rows.n > 0,
        total >= rows.around * 2,
        excess * excess >= least * rows.n * CLEARLY * CLEARLY,
        excess > 0,
    ).select(*_VIDEO, "around", "n", middle="segment", top="height")
    return _edges(tops, rows.select(*_VIDEO, "segment", "value", "height"), reach)


def _edges(tops: ibis.Table, rows: ibis.Table, reach: int) -> ibis.Table:
    """The places around these highest segments."""
    near = rows.inner_join(tops, list(_VIDEO)).select(rows, tops.middle, tops.top, tops.around, tops.n)
    near = near.filter((near.segment - near.middle).abs() <= WIDEST)
    is_low = near.height * near.n * 2 < near.top * near.n + near.around
    place = [*_VIDEO, "middle", "around", "n"]
    outer = ibis.window(group_by=place)
    low, high = near.middle - WIDEST - 1, near.middle + WIDEST + 1
    limited = near.mutate(
        low=ibis.ifelse(is_low & (near.segment < near.middle), near.segment, low).max().over(outer),
        high=ibis.ifelse(is_low & (near.segment > near.middle), near.segment, high).min().over(outer),
    )
    inside = limited.filter(
        limited.segment > limited.low,
        limited.segment < limited.high,
        limited.value > 0,
        limited.value * limited.n * (2 * reach + 1) >= limited.around * 2,
    )
    found = inside.group_by(place).agg(first=inside.segment.min(), last=inside.segment.max())
    return found.select(*_VIDEO, "first", "last", "around", n=found.n * (2 * reach + 1))


def _of_peaks(peaks: ibis.Table, viewings: ibis.Table, again: ibis.Table) -> ibis.Table:
    """The peaks with `learners`, who watch part of it again, and `of_learners`, who watch part of it."""
    columns = (*_VIDEO, "user_id", "start_offset", "end_offset")
    parts = ibis.union(
        viewings.select(*columns, is_again=ibis.literal(value=False)),
        again.select(*columns, is_again=ibis.literal(value=True)),
    )
    inside = parts.inner_join(peaks, list(_VIDEO)).select(parts, *(peaks[name] for name in _EDGES))
    inside = inside.filter(
        _segment(inside.start_offset) <= inside["last"], _segment(inside.end_offset) >= inside["first"]
    )
    counted = inside.group_by(*_VIDEO, *_EDGES).agg(
        learners=inside.user_id.nunique(where=inside.is_again), of_learners=inside.user_id.nunique()
    )
    return _kind(counted, PEAK, counted.around, counted.n)


def _of_drops(drops: ibis.Table, leaving: ibis.Table) -> ibis.Table:
    """The drops with `learners`, who leave in the place, and `of_learners`, who have not left before it."""
    rows = leaving.inner_join(drops, list(_VIDEO)).select(leaving, *(drops[name] for name in _EDGES))
    here = rows.filter(rows.segment >= rows["first"])
    counted = here.group_by(*_VIDEO, *_EDGES).agg(
        learners=here.learners.sum(where=here.segment <= here["last"]), of_learners=here.learners.sum()
    )
    return _kind(counted, DROP_OFF, counted.around * (counted["last"] - counted["first"] + 1), counted.n)


def _of_openings(segments: ibis.Table) -> ibis.Table:
    """Openings that at least a quarter of the later viewers skip: such segments up to the first other one.

    The very first segment may be watched: a video starts to play before the learner skips.
    """
    later = ibis.window(group_by=list(_VIDEO), order_by="segment", following=(1, None))
    rows = segments.mutate(later=ibis.coalesce(segments.value.max().over(later), 0))
    rows = rows.mutate(skips=(rows.value * 4 <= rows.later * 3) & (rows.later > 0))
    starts = rows.filter(~rows.skips, rows.segment > 0)
    ends = starts.group_by(*_VIDEO).agg(end=starts.segment.min())
    opening = rows.filter(rows.skips).inner_join(ends.filter(ends.end <= OPENING), list(_VIDEO))
    opening = opening.filter(opening.segment < opening.end)
    found = opening.group_by(*_VIDEO).agg(
        first=opening.segment.min(),
        last=opening.segment.max(),
        of_learners=opening.later.max(),
        least=opening.value.min(),
    )
    found = found.filter(found["last"] - found["first"] + 1 >= SHORTEST_SKIP)
    none = ibis.literal(0, "int64")
    return _kind(found.mutate(learners=found.of_learners - found.least), SKIPPED, none, none + 1)


_EDGES = ("first", "last", "around", "n")


def _kind(places: ibis.Table, kind: str, total: IntegerValue, parts: IntegerValue) -> ibis.Table:
    """The rows with the kind, and with the number of learners expected from the surroundings, rounded."""
    return places.select(
        *_VIDEO, "first", "last",
        kind=ibis.literal(kind),
        learners=places.learners.cast("int64"),
        of_learners=places.of_learners.cast("int64"),
        expected=((total * 2 + parts) // (parts * 2)).cast("int64"),
    )  # fmt: skip
