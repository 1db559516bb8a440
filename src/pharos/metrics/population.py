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
AUTHZ_ROLES = (
    "course_admin",
    "course_staff",
    "course_limited_staff",
    "course_data_researcher",
    "course_beta_tester",
    "course_editor",
    "course_auditor",
    "ccx_coach",
)
"""The same as openedx-authz names them, which keeps roles in `casbin_rule`. `spec 07 §3.6`"""


def without_staff(
    rows: ibis.Table,
    auth_user: ibis.Table,
    student_courseaccessrole: ibis.Table,
    casbin_rule: ibis.Table,
) -> ibis.Table:
    """Rows with a `user_id`, but for those of staff. `spec 01 §10.26, 06 §18.4, 07 §3.6`

    Left out are staff and superusers of the LMS; and where rows have a `course_id`, those who are in the team
    of that course run, or of all course runs of its organisation, or of all there are, and its testers: now,
    whatever they were at the time of the row. Roles count wherever the LMS keeps them. Nobody is left out by
    a table that was never imported.
    """
    staff = auth_user.filter(auth_user.is_staff | auth_user.is_superuser)
    team = _team(student_courseaccessrole)
    team = team.union(_authz_team(casbin_rule, auth_user).cast(team.schema())).distinct()
    of_all = team.filter(team.course_id == "", team.org == "")
    rows = rows.anti_join(staff.select(user_id=staff.id).union(of_all.select("user_id")), "user_id")
    if "course_id" not in rows.columns:
        return rows
    of_runs = team.filter(team.course_id != "")
    of_organisations = team.filter(team.course_id == "", team.org != "")
    columns = rows.columns
    rows = rows.mutate(org=organisation(rows.course_id))
    return (
        rows.anti_join(of_runs, ["user_id", "course_id"])
        .anti_join(of_organisations, ["user_id", "org"])
        .select(columns)
    )


def without_libraries(rows: ibis.Table) -> ibis.Table:
    """Rows with a `course_id`, but for those of content libraries. `spec 01 §10.5`"""
    return rows.filter(~is_library(rows.course_id))


def enrollment_events(events: ibis.Table, *, from_browsers: bool) -> ibis.Table:
    """Rows of the fact `enrollment_event` without what it says of how the events were written.

    Unless `from_browsers`, those are left out that only browsers have sent: anybody who is signed in can send
    any event.
    """
    counted = events if from_browsers else events.filter(~events.is_from_browser)
    return counted.drop("is_from_browser", "is_mode_changed", "events")


def _team(roles: ibis.Table) -> ibis.Table:
    """(user_id, org, course_id) of those whose role is in a team; what is not said is the empty text."""
    team = roles.filter(roles.role.isin(TEAM_ROLES))
    return team.select(
        "user_id",
        org=ibis.coalesce(team.org, ""),
        course_id=course_run(ibis.coalesce(team.course_id, "")),
    )


def _authz_team(rules: ibis.Table, users: ibis.Table) -> ibis.Table:
    """The same of openedx-authz: rows that give a person, by the user name, a role in a scope.

    A scope is a course run (`course-v1^course-v1:Org+Course+Run`), an organisation
    (`course-v1^course-v1:Org+*`) or everything (`course-v1^course-v1:*`). Others say nothing here.
    """
    grants = rules.filter(rules.ptype == "g", rules.v1.isin([f"role^{name}" for name in AUTHZ_ROLES]))
    named = grants.select(
        username=grants.v0.re_extract(r"^user\^(.*)$", 1), scope=grants.v2.re_extract(r"^[^^]*\^(.*)$", 1)
    )
    team = named.join(users, "username").select(
        user_id=users.id,
        org=named.scope.re_extract(r"^[a-z0-9-]+:([^+*]+)[+][*]$", 1),
        course_id=ibis.ifelse(named.scope.endswith("*"), "", course_run(named.scope)),
        is_everything=named.scope.re_search(r"^[a-z0-9-]+:[*]$"),
    )
    is_known = (team.course_id != "") | (team.org != "") | team.is_everything
    return team.filter(is_known).drop("is_everything")


def organisation(course_id: StringValue) -> StringValue:
    """The organisation that a valid id names; empty if none. `spec 01 §1.6 R-ORG`"""
    return course_id.re_extract(r"^(?:[a-z0-9-]+:)?([^+/]+)[+/]", 1)
