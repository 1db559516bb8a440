"""Who and what may be left out. `spec 01 §10.5, §10.26`"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from pharos.engine import Engine
from pharos.lms.tables import TABLES
from pharos.metrics.population import without_libraries, without_staff

ROWS = [
    {"course_id": course, "user_id": user}
    for course in ("course-v1:U+C+R", "library-v1:U+L")
    for user in (1, 2, 3, 4)
]


def user(number: int, *, staff: bool | None = False, superuser: bool | None = False) -> dict[str, Any]:
    return {
        "id": number, "username": f"u{number}", "email": None, "is_active": True, "is_staff": staff,
        "is_superuser": superuser,
    }  # fmt: skip


def counted(engine: Engine, users: list[dict[str, Any]]) -> set[int]:
    rows = engine.table(pa.Table.from_pylist(ROWS))
    known = engine.table(pa.Table.from_pylist(users, TABLES["auth_user"].schema))
    found: set[int] = set(engine.fetch(without_staff(rows, known))["user_id"].to_pylist())
    return found


def test_staff_and_superusers_are_left_out(engine: Engine) -> None:
    users = [user(1), user(2, staff=True), user(3, superuser=True), user(5, staff=True)]
    assert counted(engine, users) == {1, 4}  # 4 is not known to the LMS
    assert counted(engine, [user(1, staff=None, superuser=None)]) == {1, 2, 3, 4}
    assert counted(engine, []) == {1, 2, 3, 4}


def test_libraries_are_left_out(engine: Engine) -> None:
    found = engine.fetch(without_libraries(engine.table(pa.Table.from_pylist(ROWS))))
    assert set(found["course_id"].to_pylist()) == {"course-v1:U+C+R"}
