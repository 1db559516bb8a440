"""Values that do not fit the tables of the Result Store, on every kind of database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests import edxapp, lines
from tests.pipeline.conftest import Installation, log

from pharos.lake.lake import Lake
from pharos.lake.snapshots import states
from pharos.result_store import tables
from pharos.result_store.connecting import engine_for

COURSE = "course-v1:UniX+CS1+2023"
LONG_ID = f"course-v1:UniX+{'x' * 300}+2023"


def odd_log() -> list[str]:
    """Modes that are one key in the store, and an id that no column holds."""
    modes = ["a\0", "a\ufffd", "m" * 150, "m" * 120, "audit", "audit"]
    courses = [COURSE] * 5 + [LONG_ID]
    return [
        lines.enrollment(f"2024-03-04 0{user}:00", "activated", user=user + 20, mode=mode, course=course)
        for user, (mode, course) in enumerate(zip(modes, courses, strict=True))
    ]


def lms(folder: Path) -> str:
    """An LMS database without types, changed by hand."""
    url = edxapp.create(f"sqlite:///{folder / 'lms.sqlite'}")
    made = datetime(2024, 3, 4, 1)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for user, (gender, year) in enumerate([("nonconformist", 99999999999), ("f\0", -5), ("m", 1990)], 20):
            values = {"id": user + 1000, "user_id": user, "gender": gender, "year_of_birth": year}
            edxapp.insert(connection, edxapp.auth_userprofile, **values)
        modes = ["a\0", "a\ufffd", "m" * 150, "m" * 150, "n" * 150]
        rows = [*((user, mode, COURSE) for user, mode in enumerate(modes, 20)), (25, "audit", LONG_ID)]
        for user, mode, course in rows:
            values = {"id": user + 1000, "user_id": user, "mode": mode, "course_id": course}
            edxapp.insert(connection, edxapp.student_courseenrollment, created=made, is_active=True, **values)
    engine.dispose()
    return url


def test_no_value_ends_a_run_or_holds_back_a_table(store_url: str, tmp_path: Path) -> None:
    home = Installation(
        tmp_path / "home",
        result_store={"url": store_url},
        lms={"database": lms(tmp_path), "fill_enrollment_gaps": True},
    )
    report = home.run([*log(), *odd_log()], None)
    assert report.not_published == {}
    malformed = {
        each.table: each.snapshot.malformed for each in states(Lake(home.settings.lake)) if each.snapshot
    }
    # Once more the gender with NUL, beside the year of its row; four modes are changed, one id is too long.
    assert (malformed["auth_userprofile"], malformed["student_courseenrollment"]) == (3, 5)
    database = engine_for(store_url)

    def values(column: sa.Column[Any], *conditions: sa.ColumnElement[bool]) -> set[Any]:
        with database.connect() as connection:
            return set(connection.execute(sa.select(column).where(*conditions)).scalars())

    modes = tables.course_enrollment_mode_daily.c
    assert values(modes.mode) == {"audit", "verified", "a\ufffd", "m" * 100, "n" * 100}
    with database.connect() as connection:
        last = sa.select(modes["mode"], modes["count"]).where(
            modes.course_id == COURSE, modes.date == sa.select(sa.func.max(modes.date)).scalar_subquery()
        )
        counts = {row[0]: row[1] for row in connection.execute(last)}
    assert (counts["a\ufffd"], counts["m" * 100]) == (2, 2), "two modes that become one are counted as one"
    assert LONG_ID not in values(tables.course_enrollment_location_current.c.course_id)
    assert values(tables.course_enrollment_gender_daily.c.gender) == {None, "m", "f", "f\ufffd"}
    assert values(tables.course_enrollment_birth_year_daily.c.birth_year) == {None, 1990}
    database.dispose()
