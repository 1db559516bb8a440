"""The counted population: everything by default; operators can exclude staff and libraries."""

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
    """The rows without those of staff; needs a `user_id`. `spec 01 §10.26, 06 §18.4, 07 §3.6`

    Excluded are staff and superusers of the LMS. If the rows have a `course_id`, excluded too are members of
    the team of that course run, of all course runs of its organisation or of all course runs, and testers.
    Present roles count, also for old rows. Roles count in either place where the LMS keeps them. A table that
    was never imported excludes no rows.
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
    """The rows without those of content libraries; needs a `course_id`. `spec 01 §10.5`"""
    return rows.filter(~is_library(rows.course_id))


def enrollment_events(events: ibis.Table, *, from_browsers: bool) -> ibis.Table:
    """Rows of the fact `enrollment_event`, without its columns about how the events were written.

    Unless `from_browsers`, events that only browsers have sent are left out: any signed-in user can send any
    event.
    """
    counted = events if from_browsers else events.filter(~events.is_from_browser)
    return counted.drop("is_from_browser", "is_mode_changed", "events")


def _team(roles: ibis.Table) -> ibis.Table:
    """Team members: (user_id, org, course_id); an unset org or course_id is the empty text."""
    team = roles.filter(roles.role.isin(TEAM_ROLES))
    return team.select(
        "user_id",
        org=ibis.coalesce(team.org, ""),
        course_id=course_run(ibis.coalesce(team.course_id, "")),
    )


def _authz_team(rules: ibis.Table, users: ibis.Table) -> ibis.Table:
    """Team members from openedx-authz: rows that give a user name a role in a scope.

    A scope is a course run (`course-v1^course-v1:Org+Course+Run`), an organisation
    (`course-v1^course-v1:Org+*`) or everything (`course-v1^course-v1:*`). Rows with another scope are
    ignored. Columns: as `_team`.
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
