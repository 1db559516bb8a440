"""Who and what counts: everybody and everything, unless an operator wants staff or libraries left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pharos.facts.course import course_run, is_library

if TYPE_CHECKING:
    from ibis.expr.types import StringValue

TEAM_ROLES = ("staff", "limited_staff", "instructor", "data_researcher", "ccx_coach", "beta_testers")
"""What makes somebody one of a course team, or its tester, in the LMS.

Others let somebody do something elsewhere: create courses, use a library, help learners.
"""


def without_staff(
    rows: ibis.Table, auth_user: ibis.Table, student_courseaccessrole: ibis.Table
) -> ibis.Table:
    """Rows with a `user_id`, but for those of staff. `spec 01 §10.26, 06 §18.4`

    Left out are staff and superusers of the LMS; and where rows have a `course_id`, those who are in the team
    of that course run, or of all course runs of its organisation, or of all there are, and its testers: now,
    whatever they were at the time of the row. Nobody is left out by a table that was never imported.
    """
    staff = auth_user.filter(auth_user.is_staff | auth_user.is_superuser)
    team = _team(student_courseaccessrole)
    of_all = team.filter(team.course_id == "", team.org == "")
    rows = rows.anti_join(staff.select(user_id=staff.id).union(of_all.select("user_id")), "user_id")
    if "course_id" not in rows.columns:
        return rows
    of_runs = team.filter(team.course_id != "")
    of_organisations = team.filter(team.course_id == "", team.org != "")
    columns = rows.columns
    rows = rows.mutate(org=_organisation(rows.course_id))
    return (
        rows.anti_join(of_runs, ["user_id", "course_id"])
        .anti_join(of_organisations, ["user_id", "org"])
        .select(columns)
    )


def without_libraries(rows: ibis.Table) -> ibis.Table:
    """Rows with a `course_id`, but for those of content libraries. `spec 01 §10.5`"""
    return rows.filter(~is_library(rows.course_id))


def _team(roles: ibis.Table) -> ibis.Table:
    """(user_id, org, course_id) of those whose role is in a team; what is not said is the empty text."""
    team = roles.filter(roles.role.isin(TEAM_ROLES))
    return team.select(
        "user_id",
        org=ibis.coalesce(team.org, ""),
        course_id=course_run(ibis.coalesce(team.course_id, "")),
    )


def _organisation(course_id: StringValue) -> StringValue:
    """The organisation that a valid id names; empty if none. `spec 01 §1.6 R-ORG`"""
    return course_id.re_extract(r"^(?:[a-z0-9-]+:)?([^+/]+)[+/]", 1)
