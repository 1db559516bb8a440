"""The user name shown for each learner; internally, learners are identified by their number in the LMS.

The original identifies learners by the user name in the event: a renamed learner becomes two learners, and a
retired one is lost. `spec 03 §4.2-26`
"""

from __future__ import annotations

import ibis

from pharos.engine.functions import storable
from pharos.metrics.metric import metric
from pharos.result_store import tables

LONGEST_OF_AN_ACCOUNT = 30  # characters; retired ones have more, but no account was created with them
LONGEST = 150  # characters of a user name in the Result Store
_PAIR = ["course_id", "user_id", "event_username"]


@metric(tables.event_name, by="course_id")
def event_name(counted_interaction: ibis.Table, counted_activity_item: ibis.Table) -> ibis.Table:
    """Pairs of number and user name in the events of a course run."""
    pairs = ("course_id", "user_id", "username", "date")
    rows = named(ibis.union(counted_interaction.select(pairs), counted_activity_item.select(pairs)))
    return rows.group_by(_PAIR).agg(last_date=rows.date.max())


@metric(tables.learner_name, by="course_id")
def learner_name(event_name: ibis.Table, auth_user: ibis.Table) -> ibis.Table:
    """The user name for each pair of `event_name`.

    It is stored because the LMS gains learners every day, while few course runs have a learner whose name
    changed.
    """
    numbered, others = event_name.filter(event_name.user_id > 0), event_name.filter(event_name.user_id == 0)
    shown = _of_numbers(numbered, auth_user)
    in_order = ["course_id", "user_id"]
    of_numbers = numbered.inner_join(shown, in_order).select(numbered, shown.username)
    by_name = ["course_id", "event_username"]
    known = of_numbers.semi_join(others, by_name)
    owners = known.group_by(by_name).agg(username=known.username.argmin(known.user_id))
    found = others.left_join(owners, by_name).select(others, owners.username)
    is_an_account = found.username.notnull() | (found.event_username.length() <= LONGEST_OF_AN_ACCOUNT)
    kept = found.filter(is_an_account)
    of_names = kept.mutate(username=ibis.coalesce(kept.username, kept.event_username))
    columns = [*_PAIR, "username"]
    names = ibis.union(of_numbers.select(columns), of_names.select(columns))
    return names.mutate(username=names.username.left(LONGEST))


def with_names(rows: ibis.Table, learner_name: ibis.Table) -> ibis.Table:
    """The rows of a fact that belong to learners, with the `username` to show."""
    rows = named(rows)
    found = rows.inner_join(learner_name, _PAIR).select(rows, learner_name.username)
    return found.drop("user_id", "event_username")


def named(rows: ibis.Table) -> ibis.Table:
    """The rows that have a user name, as `event_username`; `user_id` is 0 if the event has none."""
    rows = rows.filter(rows.username.notnull(), rows.username != "")
    return rows.mutate(
        user_id=ibis.coalesce(rows.user_id, 0), event_username=storable(rows.username)
    ).drop("username")  # fmt: skip


def _of_numbers(pairs: ibis.Table, auth_user: ibis.Table) -> ibis.Table:
    """(course_id, user_id, username): the present name in the LMS, else the newest one in the course run."""
    learner = ["course_id", "user_id"]
    # The greatest day and name, as one text: the order of two names on one day is unknown.
    dated = pairs.mutate(told=pairs.last_date.cast("string") + pairs.event_username)
    newest = dated.group_by(learner).agg(told=dated.told.max())
    told = newest.mutate(told=newest.told.substr(len("2026-01-31")))
    accounts = auth_user.select(account="id", now="username")
    found = told.left_join(accounts, told.user_id == accounts.account)
    return found.select(*learner, username=ibis.coalesce(storable(found.now), found.told))
