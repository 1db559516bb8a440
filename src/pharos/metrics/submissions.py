"""Whose submissions are whose: what the metrics of problems have in common."""

from __future__ import annotations

import ibis


def of_learners(problem_submission: ibis.Table) -> ibis.Table:
    """The submissions that tell answers, with the columns `learner` and `nameless`. `spec 02 §12.1.10`

    Together they are one learner, also if renamed or retired: `learner` is the number in the LMS; of an event
    without one that of the user name in the course run's other events. Where no event tells the number,
    `nameless` is the user name and `learner` is 0.
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
