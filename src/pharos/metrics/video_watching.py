"""Viewing by week, speed, device, captions, track and cohort, and next activity after a video."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pharos.engine.functions import microseconds
from pharos.metrics.metric import metric
from pharos.metrics.roster import cohorts_of
from pharos.metrics.videos import thousandths
from pharos.result_store import tables

if TYPE_CHECKING:
    from ibis.expr.types import IntegerValue, StringValue

SPEED, DEVICE, CAPTIONS, TRACK, COHORT = "speed", "device", "captions", "track", "cohort"
NEXT, NEXT_VIDEO, NEXT_PROBLEM = "next", "next_video", "next_problem"
VIDEO, PROBLEM, NOTHING = "video", "problem", "nothing"
MOBILE, BROWSER, SHOWN = "mobile", "browser", "shown"

SOON = 30 * 60 * 1_000_000  # microseconds: later activity is not the next one
MOST_NEXT = 3  # videos, and problems, that most go to
LONG_ENOUGH = 10_000  # thousandths of a second of a viewing that tells a speed
SLOWEST, FASTEST = 40, 250  # percent of the clock: beyond, a pause or jump was not recorded
SPEEDS = ((63, "0.5"), (88, "0.75"), (113, "1"), (138, "1.25"), (175, "1.5"))
"""Speeds of players, each with the first percent of the clock that is nearer to the next one."""
DOUBLE = "2"

_VIDEO = ("course_id", "encoded_module_id")


@metric(tables.video_week, by="course_id")
def video_week(viewing: ibis.Table) -> ibis.Table:
    """Learners and seconds of each video by the week in which viewings began.

    Estimated viewings do not count.
    """
    rows = _counted(viewing)
    weeks = rows.group_by("pipeline_video_id", *_VIDEO, "week").agg(
        num_users=rows.user_id.nunique(), watched_ms=rows.watched_ms.sum()
    )
    return weeks.mutate(watched_seconds=_seconds(weeks.watched_ms)).drop("watched_ms")


@metric(tables.video_watching, by="course_id")
def video_watching(
    viewing: ibis.Table,
    counted_video_caption: ibis.Table,
    counted_problem_submission: ibis.Table,
    course_enrollment_summary: ibis.Table,
    course_groups_courseusergroup: ibis.Table,
    course_groups_cohortmembership: ibis.Table,
) -> ibis.Table:
    """Learners and seconds of each video by speed, device, captions, track, cohort and next activity."""
    rows = _counted(viewing)
    parts = rows.group_by(*_VIDEO, "user_id", "is_mobile", "speed").agg(watched_ms=rows.watched_ms.sum())
    device = ibis.ifelse(parts.is_mobile, MOBILE, BROWSER)
    cohorts = cohorts_of(course_groups_courseusergroup, course_groups_cohortmembership)
    found = ibis.union(
        _watched(parts.filter(parts.speed != ""), SPEED, parts.speed),
        _watched(parts, DEVICE, device),
        _by_track(parts, course_enrollment_summary),
        _by_cohort(parts, cohorts),
        _with_captions(parts, counted_video_caption),
        _next(viewing, counted_problem_submission),
    )
    return found.mutate(pipeline_video_id=found.course_id + "|" + found.encoded_module_id)


def _counted(viewing: ibis.Table) -> ibis.Table:
    """The viewings that count, with the Monday of their week, their speed and their length."""
    counted = viewing.filter(viewing.dropped == "", ~viewing.is_estimated)
    rows = counted.select(
        *_VIDEO, "user_id", "is_mobile", "elapsed",
        pipeline_video_id=counted.course_id + "|" + counted.encoded_module_id,
        week=counted.start_time.truncate("W").cast("date"),
        watched_ms=thousandths(counted.end_offset) - thousandths(counted.start_offset),
    )  # fmt: skip
    return rows.mutate(speed=_speed(rows)).drop("elapsed")


def _speed(rows: ibis.Table) -> StringValue:
    """The player's speed nearest to that of the viewing; empty if the viewing is too short or implausible."""
    percent = rows.watched_ms * 100 // ibis.greatest(thousandths(rows.elapsed), 1)
    is_told = (rows.watched_ms >= LONG_ENOUGH) & percent.between(SLOWEST, FASTEST)
    nearest = ibis.cases(*((percent < limit, speed) for limit, speed in SPEEDS), else_=DOUBLE)
    speed: StringValue = ibis.ifelse(ibis.coalesce(is_told, False), nearest, "")
    return speed


def _watched(parts: ibis.Table, kind: str, value: StringValue) -> ibis.Table:
    """Learners and seconds by the value."""
    rows = parts.mutate(value=value)
    found = rows.group_by(*_VIDEO, "value").agg(
        num_users=rows.user_id.nunique(), watched_ms=rows.watched_ms.sum()
    )
    return _rows(found, kind, _seconds(found.watched_ms))


def _by_track(parts: ibis.Table, summary: ibis.Table) -> ibis.Table:
    """By the enrollment mode of the last day, or of the day when the learner left; others are left out."""
    modes = summary.select("course_id", "user_id", track=summary.current_enrollment_mode)
    joined = parts.inner_join(modes, ["course_id", "user_id"]).select(parts, modes.track)
    return _watched(joined, TRACK, joined.track)


def _by_cohort(parts: ibis.Table, cohorts: ibis.Table) -> ibis.Table:
    """By the cohort of the last day; learners without a cohort are left out."""
    joined = parts.inner_join(cohorts, ["course_id", "user_id"]).select(parts, cohorts.cohort)
    return _watched(joined, COHORT, joined.cohort)


def _with_captions(parts: ibis.Table, captions: ibis.Table) -> ibis.Table:
    """Viewers who have shown captions or transcript."""
    shown = captions.select("course_id", "user_id", encoded_module_id=captions.video).distinct()
    learners = parts.select(*_VIDEO, "user_id").distinct()
    viewers = learners.inner_join(shown, [*_VIDEO, "user_id"]).select(learners)
    found = viewers.group_by(*_VIDEO).agg(num_users=viewers.count())
    return _rows(found.mutate(value=ibis.literal(SHOWN)), CAPTIONS)


def _next(viewing: ibis.Table, submissions: ibis.Table) -> ibis.Table:
    """Learners by their next activity within half an hour after their last play of a video.

    Every play counts here, even without an event that ends it.
    """
    of_learner = {"group_by": ["course_id", "user_id"], "order_by": ["start", "kind", "block", "end"]}
    acts = _acts(viewing, submissions)
    placed = acts.mutate(
        place=ibis.row_number().over(ibis.window(**of_learner)),
        next_kind=acts.kind.lead().over(ibis.window(**of_learner)),
        next_block=acts.block.lead().over(ibis.window(**of_learner)),
        next_start=acts.start.lead().over(ibis.window(**of_learner)),
    )
    plays = placed.filter(placed.kind == VIDEO)
    last = plays.place.max().over(ibis.window(group_by=["course_id", "user_id", "block"]))
    marked = plays.mutate(is_last=plays.place == last)
    left = marked.filter(marked.is_last)
    is_soon = ibis.coalesce(left.next_start - left.end <= SOON, False)
    told = left.select(
        "course_id", "user_id",
        encoded_module_id=left.block,
        value=ibis.ifelse(is_soon, left.next_kind, NOTHING),
        block=ibis.ifelse(is_soon, left.next_block, ""),
    )  # fmt: skip
    kinds = told.group_by(*_VIDEO, "value").agg(num_users=told.count())
    return ibis.union(_rows(kinds, NEXT), _most(told, VIDEO, NEXT_VIDEO), _most(told, PROBLEM, NEXT_PROBLEM))


def _acts(viewing: ibis.Table, submissions: ibis.Table) -> ibis.Table:
    """(course_id, user_id, kind, block, start, end) of plays and submissions, in microseconds."""
    started = microseconds(viewing.start_time)
    # Where nothing ended a play, it lasted as long as the video, as far as is known.
    lasted = thousandths(ibis.coalesce(viewing.elapsed, viewing.duration, 0.0)) * 1000
    plays = viewing.select(
        "course_id", "user_id",
        kind=ibis.literal(VIDEO), block=viewing.encoded_module_id, start=started, end=started + lasted,
    )  # fmt: skip
    tries = submissions.filter(
        submissions.refused.isnull(), submissions.user_id.notnull(), submissions.problem_id.notnull()
    )
    moment = microseconds(tries.time)
    answers = tries.select(
        "course_id", "user_id",
        kind=ibis.literal(PROBLEM), block=tries.problem_id, start=moment, end=moment,
    )  # fmt: skip
    return ibis.union(plays, answers)


def _most(told: ibis.Table, value: str, kind: str) -> ibis.Table:
    """The blocks of the kind to which most learners go; ties are ordered by id."""
    rows = told.filter(told.value == value)
    blocks = rows.group_by(*_VIDEO, "block").agg(num_users=rows.count())
    rank = ibis.row_number().over(
        ibis.window(group_by=list(_VIDEO), order_by=[blocks.num_users.desc(), blocks.block])
    )
    ranked = blocks.mutate(rank=rank)
    return _rows(ranked.filter(ranked.rank < MOST_NEXT).rename(value="block"), kind)


def _rows(found: ibis.Table, kind: str, seconds: IntegerValue | None = None) -> ibis.Table:
    """The rows with their kind; seconds are null for kinds without seconds."""
    return found.select(
        *_VIDEO, "value",
        kind=ibis.literal(kind),
        num_users=found.num_users.cast("int64"),
        watched_seconds=ibis.null("int64") if seconds is None else seconds,
    )  # fmt: skip


def _seconds(thousandths_of: IntegerValue) -> IntegerValue:
    """Seconds, rounded by integer arithmetic, which is the same on every engine."""
    return ((thousandths_of + 500) // 1000).cast("int64")
