"""Who and what may be left out. `spec 01 §10.5, §10.26`"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from pharos.engine import Engine
from pharos.lms.tables import TABLES
from pharos.metrics.population import AUTHZ_ROLES, TEAM_ROLES, without_libraries, without_staff

RUN, OTHER_RUN, LEGACY, ELSEWHERE = "course-v1:U+C+R", "course-v1:U+C+S", "U/C/R", "course-v1:Uni+C+R"
ROWS = [
    {"course_id": course, "user_id": user}
    for course in (RUN, OTHER_RUN, LEGACY, ELSEWHERE, "library-v1:U+L")
    for user in (1, 2, 3, 4)
]


def user(number: int, *, staff: bool | None = False, superuser: bool | None = False) -> dict[str, Any]:
    return {
        "id": number, "username": f"u{number}", "email": None, "is_active": True, "is_staff": staff,
        "is_superuser": superuser,
    }  # fmt: skip


def role(user: int, role: str = "staff", *, org: str = "", course: str = "") -> dict[str, Any]:
    return {"user_id": user, "org": org or None, "course_id": course, "role": role}


def kept(
    engine: Engine,
    users: list[dict[str, Any]],
    roles: list[dict[str, Any]] | None = None,
    rows: list[dict[str, Any]] = ROWS,
    rules: list[dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    found = without_staff(
        engine.table(pa.Table.from_pylist(rows)),
        engine.table(pa.Table.from_pylist(users, TABLES["auth_user"].schema)),
        engine.table(pa.Table.from_pylist(roles or [], TABLES["student_courseaccessrole"].schema)),
        engine.table(pa.Table.from_pylist(rules or [], TABLES["casbin_rule"].schema)),
    )
    counted: list[dict[str, Any]] = engine.fetch(found).to_pylist()
    return counted


def counted(engine: Engine, users: list[dict[str, Any]]) -> set[int]:
    return {row["user_id"] for row in kept(engine, users)}


def rule(user: str, role: str, scope: str, kind: str = "g") -> dict[str, Any]:
    return {"ptype": kind, "v0": user, "v1": role, "v2": scope}


def not_counted(
    engine: Engine, *roles: dict[str, Any], rules: list[dict[str, Any]] | None = None
) -> set[tuple[Any, Any]]:
    """(user, course run) of those left out because of their roles."""
    found = kept(engine, [user(number) for number in (1, 2, 3, 4)], list(roles), rules=rules)
    assert len(found) == len({tuple(row.values()) for row in found}), "a row twice"
    assert all(row.keys() == ROWS[0].keys() for row in found)
    return {(row["user_id"], row["course_id"]) for row in ROWS if row not in found}


def test_staff_and_superusers_are_left_out(engine: Engine) -> None:
    users = [user(1), user(2, staff=True), user(3, superuser=True), user(5, staff=True)]
    assert counted(engine, users) == {1, 4}  # 4 is not known to the LMS
    assert counted(engine, [user(1, staff=None, superuser=None)]) == {1, 2, 3, 4}
    assert counted(engine, []) == {1, 2, 3, 4}


def test_course_teams_and_testers_are_left_out_of_their_course_runs(engine: Engine) -> None:
    """In others they are learners, like everybody."""
    roles = [role(number % 3 + 1, name, org="U", course=RUN) for number, name in enumerate(TEAM_ROLES)]
    assert not_counted(engine, *roles) == {(1, RUN), (2, RUN), (3, RUN)}
    assert not_counted(engine, role(1, org="U", course=LEGACY)) == {(1, LEGACY)}
    assert not_counted(engine, role(1, org="U", course=f"{RUN}+branch@draft")) == {(1, RUN)}, "an older name"


def test_a_role_for_an_organisation_is_one_for_all_its_course_runs(engine: Engine) -> None:
    library = "library-v1:U+L"
    of_all = {(2, RUN), (2, OTHER_RUN), (2, LEGACY), (2, library)}
    assert not_counted(engine, role(2, "instructor", org="U")) == of_all
    assert not_counted(engine, role(2, org="Uni")) == {(2, ELSEWHERE)}


def test_a_role_for_everything_is_one_everywhere(engine: Engine) -> None:
    assert not_counted(engine, role(3)) == {(3, row["course_id"]) for row in ROWS}
    assert kept(engine, [], [role(3), role(4, course=RUN)], [{"user_id": 3}, {"user_id": 4}]) == [
        {"user_id": 4}
    ], "where there is no course run, a role for one says nothing"


def test_roles_count_where_newer_releases_keep_them(engine: Engine) -> None:
    """spec 07 §3.6: in casbin_rule, by user name, in scopes of a course run, an organisation, everything."""
    of_run = [
        rule(f"user^u{number % 3 + 1}", f"role^{name}", f"course-v1^{RUN}")
        for number, name in enumerate(AUTHZ_ROLES)
    ]
    assert not_counted(engine, rules=of_run) == {(1, RUN), (2, RUN), (3, RUN)}
    of_all = {(2, RUN), (2, OTHER_RUN), (2, LEGACY), (2, "library-v1:U+L")}
    organisation = rule("user^u2", "role^course_staff", "course-v1^course-v1:U+*")
    assert not_counted(engine, rules=[organisation]) == of_all
    assert not_counted(engine, role(2, org="U"), rules=[organisation]) == of_all  # in both places
    everything = rule("user^u3", "role^course_admin", "course-v1^course-v1:*")
    assert not_counted(engine, rules=[everything]) == {(3, row["course_id"]) for row in ROWS}


def test_other_rules_make_nobody_staff(engine: Engine) -> None:
    rules = [
        rule("user^u1", "role^library_admin", "lib^*"),
        rule("user^u1", "role^course_staff", "course-v1^course-v1:U+C+*"),  # no scope that is known
        rule("user^u1", "role^course_staff", ""),
        rule("u1", "role^course_staff", f"course-v1^{RUN}"),
        rule("user^nobody", "role^course_staff", f"course-v1^{RUN}"),
        rule("role^course_staff", "act^courses.view_course", "course-v1^*", kind="p"),
    ]
    assert not_counted(engine, rules=rules) == set()


def test_other_roles_make_nobody_staff(engine: Engine) -> None:
    names = ("course_creator_group", "org_course_creator_group", "library_user", "support")
    roles = [
        given
        for name in names
        for given in (role(1, name), role(2, name, org="U"), role(3, name, course=RUN))
    ]
    assert not_counted(engine, *roles) == set()


def test_libraries_are_left_out(engine: Engine) -> None:
    found = engine.fetch(without_libraries(engine.table(pa.Table.from_pylist(ROWS))))
    assert set(found["course_id"].to_pylist()) == {RUN, OTHER_RUN, LEGACY, ELSEWHERE}
