"""Assigns submissions to learners; shared by all metrics of problems."""

from __future__ import annotations

import ibis


def of_learners(problem_submission: ibis.Table) -> ibis.Table:
    """The submissions that give answers, with the columns `learner` and `nameless`. `spec 02 §12.1.10`

    The two columns together identify a learner, even if renamed or retired. `learner` is the user's number in
    the LMS; if an event lacks it, the number that the user name has in other events of the course run. If no
    event has the number, `nameless` is the user name and `learner` is 0.
    """
    rows = problem_submission.filter(problem_submission.refused.isnull())
    numbered, others = rows.filter(rows.user_id.notnull()), rows.filter(rows.user_id.isnull())
    named = numbered.semi_join(others.select("course_id", "username").distinct(), ["course_id", "username"])
    numbers = named.group_by("course_id", "username").agg(learner=named.user_id.min())
    found = others.left_join(numbers, ["course_id", "username"]).select(others, learner=numbers.learner)
    return ibis.union(
        numbered.mutate(learner=numbered.user_id, nameless=ibis.literal("")),
        found.mutate(
            learner=ibis.coalesce(found.learner, 0),
            nameless=ibis.ifelse(found.learner.isnull(), found.username, ""),
        ),
    )
