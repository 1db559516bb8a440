"""Status of each learner in a course run: never started, active, slowing down, quiet, passed or left.

`spec 90 §6.1-4, §9-6..8`. The number of inactive days is not stored, because it would change every row every
day. A row holds the last active day; readers count the days from there to the last day of the table.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import ibis

from pharos.facts.interaction import ACTIVE as ANY
from pharos.facts.interaction import OUTSIDE
from pharos.metrics.engagement import WEEK
from pharos.metrics.learner_names import named
from pharos.metrics.metric import metric
from pharos.result_store import tables
from pharos.result_store.tables.learner_status import STATUSES

NEVER_STARTED, ACTIVE, SLOWING, QUIET, PASSED, LEFT = STATUSES
# The rules, each named after its reason.
UNENROLLED, GRADE, NO_ACTIVITY, PAUSE, FEWER_DAYS, RECENT = (
    "unenrolled", "passing grade", "no activity", "pause", "fewer days", "recent activity",
)  # fmt: skip
BUSY_DAYS = 4  # active days in a week that may be compared with the week after
SHORT_PAUSE = 3  # days; the rule FEWER_DAYS needs at least this pause

_LEARNER = ["course_id", "user_id"]


class Pauses(NamedTuple):
    """Numbers of days without activity after which a learner counts as slowing down, and as quiet."""

    slowing: int = 7
    quiet: int = 14
    courses: tuple[tuple[str, int, int], ...] = ()
    """Course runs with days of their own: (course id, slowing, quiet)."""


def _days(pauses: Pauses, course_id: ibis.StringValue) -> tuple[ibis.IntegerValue, ibis.IntegerValue]:
    """Both numbers of days, for the course run of each row."""
    own = [(course_id == name, slowing, quiet) for name, slowing, quiet in pauses.courses]
    return (
        _first_of([(is_it, slowing) for is_it, slowing, _ in own], pauses.slowing),
        _first_of([(is_it, quiet) for is_it, _, quiet in own], pauses.quiet),
    )


def _first_of(branches: list[tuple[ibis.BooleanValue, int]], otherwise: int) -> ibis.IntegerValue:
    found: ibis.IntegerValue = (
        ibis.cases(*branches, else_=otherwise) if branches else ibis.literal(otherwise)
    ).cast("int64")
    return found


@metric(tables.learner_activity, by="course_id")
def learner_activity(counted_interaction: ibis.Table, learner_name: ibis.Table, pauses: Pauses) -> ibis.Table:
    """First and last day with activity of each learner, and the day on which the last pause ended.

    It is stored because a day's events change it only in their own course runs, while the status of all
    learners is computed anew each day.
    """
    days = _active_days(counted_interaction, learner_name)
    in_order = ibis.window(group_by=_LEARNER, order_by="date")
    before = days.date.lag().over(in_order)
    slowing, _ = _days(pauses, days.course_id)
    is_return = before.isnull() | (days.date.delta(before, unit="day") >= slowing)
    marked = days.mutate(returned=ibis.ifelse(is_return, days.date, ibis.null("date")))
    return marked.group_by(_LEARNER).agg(
        first_date=marked.date.min(), last_date=marked.date.max(), returned_date=marked.returned.max()
    )


def _active_days(interactions: ibis.Table, learner_name: ibis.Table) -> ibis.Table:
    """The distinct active days: (course_id, user_id, date).

    An event without a number belongs to the learner with its name. A day on which the learner only looked at
    the course's public page does not count.
    """
    events = interactions.filter(interactions.action.isin([ANY, OUTSIDE]))
    signed = ibis.ifelse(events.action == OUTSIDE, -events["count"], events["count"])
    sums = events.group_by("course_id", "user_id", "username", "date").agg(inside=signed.sum())
    days = sums.filter(sums.inside > 0).drop("inside")
    numbered = days.filter(days.user_id > 0).select("course_id", "user_id", "date")
    others = named(days.filter(days.user_id.isnull() | (days.user_id == 0)))
    of_names = learner_name.filter(learner_name.user_id > 0)
    owners = of_names.group_by("course_id", "username").agg(owner=of_names.user_id.min())
    shown = others.inner_join(learner_name, ["course_id", "user_id", "event_username"]).select(
        others.course_id, others.date, learner_name.username
    )
    found = shown.inner_join(owners, ["course_id", "username"])
    return ibis.union(
        numbered, found.select("course_id", "date", user_id=found.owner).select(numbered.columns)
    ).distinct()


@metric(tables.learner_status, by="course_id")
def learner_status(
    course_enrollment_summary: ibis.Table,
    learner_activity: ibis.Table,
    counted_interaction_of_two_weeks: ibis.Table,
    learner_name: ibis.Table,
    grades_persistentcoursegrade: ibis.Table,
    pauses: Pauses,
    last_day: date,
) -> ibis.Table:
    """The status of everybody who was ever enrolled; the first rule that applies decides."""
    learners = _learners(course_enrollment_summary, grades_persistentcoursegrade, last_day)
    learners = learners.left_join(learner_activity, _LEARNER).select(
        learners, *(learner_activity[name] for name in ("first_date", "last_date", "returned_date"))
    )
    weeks = _days_by_week(counted_interaction_of_two_weeks, learner_name, last_day)
    found = learners.left_join(weeks, _LEARNER).select(learners, weeks.days_week, weeks.days_before)
    return _judged(found, pauses, last_day)


def _learners(summary: ibis.Table, grades: ibis.Table, last_day: date) -> ibis.Table:
    """(course_id, user_id, is_enrolled, enrolled_date, left_date, passed_date)"""
    passing = grades.filter(
        grades.passed_timestamp.cast("date") <= ibis.literal(last_day), grades.letter_grade != ""
    )
    passed = passing.group_by(_LEARNER).agg(passed_date=passing.passed_timestamp.min().cast("date"))
    learners = summary.select(
        *_LEARNER,
        is_enrolled=summary.current_enrollment_is_active,
        enrolled_date=summary.first_enrollment_time.cast("date"),
        left_date=summary.last_unenrollment_time.cast("date"),
    )
    return learners.left_join(passed, _LEARNER).select(learners, passed.passed_date)


def _days_by_week(interactions: ibis.Table, learner_name: ibis.Table, last_day: date) -> ibis.Table:
    """(course_id, user_id, days_week, days_before): active days of the last week and the one before."""
    days = _active_days(interactions, learner_name)
    is_last_week = days.date > ibis.literal(last_day - WEEK)
    return days.group_by(_LEARNER).agg(
        days_week=days.count(where=is_last_week), days_before=days.count(where=~is_last_week)
    )


def _judged(learners: ibis.Table, pauses: Pauses, last_day: date) -> ibis.Table:
    """The columns of the table; numbers that the deciding rule does not use are null."""
    slowing, quiet = _days(pauses, learners.course_id)
    pause = ibis.literal(last_day).delta(learners.last_date, unit="day")
    has_fewer_days = (
        (learners.days_before >= BUSY_DAYS)
        & (learners.days_week * 2 <= learners.days_before)
        & (pause >= SHORT_PAUSE)
    )
    none = ibis.null("int64")
    rules = (
        (~learners.is_enrolled, LEFT, UNENROLLED, learners.left_date, none),
        (learners.passed_date.notnull(), PASSED, GRADE, learners.passed_date, none),
        (learners.last_date.isnull(), NEVER_STARTED, NO_ACTIVITY, learners.enrolled_date, none),
        (pause >= quiet, QUIET, PAUSE, _after(learners.last_date, quiet), quiet),
        (pause >= slowing, SLOWING, PAUSE, _after(learners.last_date, slowing), slowing),
        (ibis.coalesce(has_fewer_days, False), SLOWING, FEWER_DAYS, ibis.null("date"), none),
    )
    status, rule, since, days = zip(*(parts for _, *parts in rules), strict=True)
    holds = [condition for condition, *_ in rules]

    def decided(values: tuple[object, ...], otherwise: object) -> ibis.Value:
        return ibis.cases(*zip(holds, values, strict=True), else_=otherwise)

    judged = learners.mutate(
        status=decided(status, ACTIVE),
        rule=decided(rule, RECENT),
        since=decided(since, learners.returned_date),
        pause_days=decided(days, slowing),
    )
    is_compared = judged.rule == FEWER_DAYS
    return judged.select(
        *_LEARNER,
        "status",
        "rule",
        "since",
        "enrolled_date",
        "first_date",
        "last_date",
        "pause_days",
        days_week=ibis.ifelse(is_compared, judged.days_week, none),
        days_before=ibis.ifelse(is_compared, judged.days_before, none),
    )


def _after(day: ibis.DateValue, days: ibis.IntegerValue) -> ibis.DateValue:
    """The day that is `days` days later."""
    return (day + days.as_interval("D")).cast("date")


@metric(tables.learner_status_count, by="course_id")
def learner_status_count(learner_status: ibis.Table) -> ibis.Table:
    """Learners by status; a status without learners has no row."""
    return learner_status.group_by("course_id", "status").agg(count=learner_status.count())
