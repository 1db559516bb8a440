"""The roster: everybody ever enrolled in a course, with profile, engagement, and words for searching.

`spec 03 §2.7-2.8`
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt

from pharos.engine.functions import storable
from pharos.metrics.engagement import (
    DISENGAGING,
    HIGHLY_ENGAGED,
    INACTIVE,
    RATIO,
    STRUGGLING,
    UNENROLLED,
    WEEK,
    by_day,
)
from pharos.metrics.learner_names import LONGEST
from pharos.metrics.metric import metric
from pharos.result_store import tables
from pharos.result_store.folding import tokens, words

if TYPE_CHECKING:
    from ibis.expr.types import StringValue

LONGEST_FIELD = 20_000  # characters of a text of a profile
LONGEST_EMAIL, LONGEST_SHORT = 254, 255
COHORT = "cohort"  # the kind of groups that are cohorts
COUNTS = (
    "problem_attempts", "problems_attempted", "problems_completed", "videos_viewed",
    "discussion_contributions",
)  # fmt: skip

_LEARNER = ["course_id", "user_id"]
_NAMED = ["course_id", "username"]


def _joined_tokens(text: str) -> str:
    return " ".join(sorted(tokens(text)))


def _first_word(text: str) -> str:
    return "".join(words(text)[:1])


_tokens = ibis.udf.scalar.python(_joined_tokens, signature=((dt.string,), dt.string))
_word = ibis.udf.scalar.python(_first_word, signature=((dt.string,), dt.string))


@metric(tables.module_engagement_roster, by="course_id")
def module_engagement_roster(
    enrollment_change_point: ibis.Table,
    learner_name: ibis.Table,
    auth_user: ibis.Table,
    auth_userprofile: ibis.Table,
    course_groups_courseusergroup: ibis.Table,
    course_groups_cohortmembership: ibis.Table,
    counted_interaction_of_two_weeks: ibis.Table,
    module_engagement_summary: ibis.Table,
    module_engagement_user_segments: ibis.Table,
    users_are_known: bool,
    shows_profiles: bool,
    last_day: date,
) -> ibis.Table:
    """Learners by course run. Without the LMS's users, only learners whose user name is known from events.

    Unless `shows_profiles`, the only data of the LMS are the user name and the cohort.
    """
    learners = _enrolled(enrollment_change_point)
    known = _of_the_lms(learners, auth_user) if users_are_known else _of_events(learners, learner_name)
    learners = _with_profiles(known, auth_userprofile)
    if not shows_profiles:
        learners = learners.mutate({name: ibis.null(learners[name].type()) for name in PERSONAL})
    cohorts = cohorts_of(course_groups_courseusergroup, course_groups_cohortmembership)
    learners = learners.left_join(cohorts, _LEARNER).select(learners, cohorts.cohort)
    learners = _with_engagement(learners, module_engagement_summary)
    end = last_day + timedelta(days=1)
    week_before = counted_interaction_of_two_weeks.filter(
        counted_interaction_of_two_weeks.date < ibis.literal(end - WEEK)
    )
    before = by_day(week_before, learner_name).select(_NAMED).distinct()
    return _with_segments(learners, before, module_engagement_user_segments)


PERSONAL = ("email", "name", "gender", "year_of_birth", "level_of_education")
NOT_READ = ("language", "location", "mailing_address", "city", "country", "goals")
"""Fields of the original's roster that Pharos does not read from the LMS."""


def _enrolled(points: ibis.Table) -> ibis.Table:
    """The enrollment of every learner with an enrollment event.

    Columns: course_id, user_id, enrolled, enrollment_mode, enrollment_date. The state is that of the last
    day; the date is the first day at the end of which the learner was enrolled.
    """
    first = points.group_by(_LEARNER).agg(enrollment_date=points.date.min(where=points.enrolled == 1))
    now = points.filter(points.end.isnull())
    return now.inner_join(first, _LEARNER).select(
        *(now[name] for name in _LEARNER), now.enrolled, first.enrollment_date, enrollment_mode=now["mode"]
    )


def _of_the_lms(learners: ibis.Table, auth_user: ibis.Table) -> ibis.Table:
    """The learners with `username` and `email`; learners unknown to the LMS are left out."""
    found = learners.inner_join(auth_user, learners.user_id == auth_user.id)
    return found.select(
        learners,
        username=storable(auth_user.username).left(LONGEST),
        email=storable(auth_user.email).left(LONGEST_EMAIL),
    )


def _of_events(learners: ibis.Table, learner_name: ibis.Table) -> ibis.Table:
    """The learners with their user name from events; one learner per user name."""
    numbered = learner_name.filter(learner_name.user_id > 0)
    names = numbered.group_by(_LEARNER).agg(username=numbered.username.max())
    owners = names.group_by(_NAMED).agg(user_id=names.user_id.min())
    return learners.inner_join(owners, _LEARNER).select(learners, owners.username, email=ibis.null("string"))


def _with_profiles(learners: ibis.Table, profiles: ibis.Table) -> ibis.Table:
    """The learners with the columns of their profile; null without a profile. `spec 03 §2.7, 4.2-37`"""
    cleaned = profiles.select(
        "user_id",
        "year_of_birth",
        name=_cleaned(profiles.name),
        gender=_cleaned(profiles.gender),
        level_of_education=_cleaned(profiles.level_of_education),
    )
    found = learners.left_join(cleaned, "user_id")
    rows = found.select(
        learners, cleaned.year_of_birth, cleaned.name, cleaned.gender, cleaned.level_of_education
    )
    return rows.mutate({name: ibis.null("string") for name in NOT_READ})


def _cleaned(text: StringValue) -> StringValue:
    return storable(text.re_replace("[\t\n\r]", " ").replace("\\", "")).left(LONGEST_FIELD)


def cohorts_of(groups: ibis.Table, members: ibis.Table) -> ibis.Table:
    """(course_id, user_id, cohort); for a learner in several cohorts, the first by name."""
    cohorts = groups.filter(groups.group_type == COHORT)
    found = cohorts.inner_join(members, cohorts.id == members.course_user_group_id)
    rows = found.select(cohorts.course_id, members.user_id, cohorts.name)
    return rows.group_by(_LEARNER).agg(cohort=storable(rows.name).left(LONGEST_SHORT).min())


def _with_engagement(learners: ibis.Table, summary: ibis.Table) -> ibis.Table:
    """The learners with the figures of the week: zeros and null dates for learners without activity."""
    found = learners.left_join(summary, _NAMED).select(
        learners, summary.start_date, summary.end_date, summary[RATIO], *(summary[name] for name in COUNTS)
    )
    rows = found.mutate({name: ibis.coalesce(found[name], 0) for name in COUNTS})
    tries = rows.problem_attempts
    return rows.mutate(attempt_ratio_order=ibis.ifelse(rows[RATIO].isnull(), -tries, tries))


def _with_segments(learners: ibis.Table, before: ibis.Table, segments: ibis.Table) -> ibis.Table:
    """The learners with their segments, joined by commas. `before`: learners active in the week before."""
    active = before.mutate(was_active=ibis.literal(value=True))
    outstanding = segments.group_by(_NAMED).agg(
        is_high=(segments.segment == HIGHLY_ENGAGED).cast("int64").max(),
        is_struggling=(segments.segment == STRUGGLING).cast("int64").max(),
    )
    found = learners.left_join(active, _NAMED).select(learners, active.was_active)
    found = found.left_join(outstanding, _NAMED).select(found, outstanding.is_high, outstanding.is_struggling)
    is_idle, was_active = found.start_date.isnull(), ibis.coalesce(found.was_active, False)
    conditions = {
        UNENROLLED: found.enrolled == 0,
        INACTIVE: is_idle & ~was_active,
        DISENGAGING: is_idle & was_active,
        HIGHLY_ENGAGED: ibis.coalesce(found.is_high, 0) == 1,
        STRUGGLING: ibis.coalesce(found.is_struggling, 0) == 1,
    }
    text = ibis.literal("")
    for name, holds in conditions.items():
        text += ibis.ifelse(holds, f"{name},", "")
    return found.mutate(segments=text.re_replace(",$", "")).drop(
        "enrolled", "was_active", "is_high", "is_struggling"
    )


FIELDS = ("name", "username", "email")


@metric(tables.module_engagement_roster_token, by="course_id")
def module_engagement_roster_token(module_engagement_roster: ibis.Table) -> ibis.Table:
    """Search words by learner; a word of several fields is stored for the first of `FIELDS`, the least
    private.
    """
    learners = module_engagement_roster
    texts = {
        "name": _tokens(ibis.coalesce(learners.name, "")),
        "username": _tokens(learners.username),
        "email": _word(ibis.coalesce(learners.email, "")),
    }
    rows = ibis.union(
        *(
            learners.select(*_NAMED, place=ibis.literal(place), token=texts[field].split(" ").unnest())
            for place, field in enumerate(FIELDS)
        )
    )
    first = rows.filter(rows.token != "").group_by([*_NAMED, "token"]).agg(place=rows.place.min())
    return first.mutate(field=first.place.cases(*enumerate(FIELDS))).drop("place")
