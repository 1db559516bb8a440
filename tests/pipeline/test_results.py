"""What results are computed from: facts, snapshots, and what an operator wants counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from tests import lines
from tests.pipeline.conftest import UNTIL, Installation, log

from pharos.engine import open_engine
from pharos.lake import lms_tables
from pharos.lake.lake import Lake
from pharos.lms.tables import TABLES
from pharos.pipeline.run import run_pipeline

LIBRARY = "library-v1:UniX+Lib"


def know_staff(installation: Installation, *users: int, teams: Mapping[int, str] | None = None) -> None:
    """Import the LMS's tables of users and of course teams (user -> course run), as far as this is about."""
    roles = [
        {"user_id": user, "org": "UniX", "course_id": course, "role": "staff"}
        for user, course in (teams or {}).items()
    ]
    known = pa.Table.from_pylist(
        [
            {"id": user, "username": f"u{user}", "email": None, "is_active": True, "is_staff": user in users,
             "is_superuser": False}
            for user in range(1, 9)
        ]
    )  # fmt: skip
    lake = Lake(installation.settings.lake)
    with lake.locked():
        engine = open_engine(installation.settings.engine, lake.staging / "spill")
        moment = UNTIL
        lms_tables.replace(lake, engine, "auth_user", known, "a test", moment, problem=None)
        schema = TABLES["student_courseaccessrole"].schema
        rows = pa.Table.from_pylist(roles, schema)
        lms_tables.replace(lake, engine, "student_courseaccessrole", rows, "a test", moment, problem=None)
        engine.close()


def test_staff_and_libraries_count_unless_they_shall_not(tmp_path: Path) -> None:
    """§10.5, §10.26; what changes is computed again, and nothing is left of it when it is taken back."""
    staff = "2024-03-05 09:00"
    more = [
        lines.enrollment(staff, "activated", user=8, course="course-v1:UniX+CS1+2023"),
        lines.event(staff, "seek_video", user=8, course="course-v1:UniX+CS1+2023"),
        lines.event(staff, "seek_video", user=1, course=LIBRARY),
    ]
    fresh = Installation(tmp_path / "without")
    fresh.run(log())
    expected = fresh.tables()

    everything = Installation(tmp_path / "home")
    everything.run([*log(), *more])
    counted = everything.tables()
    assert counted["course_enrollment_daily"] != expected["course_enrollment_daily"]
    assert any(LIBRARY in row for row in counted["course_activity"])

    fewer = Installation(tmp_path / "home", counting={"staff": False, "libraries": False})
    know_staff(fewer, 8)
    fewer.run([*log(), *more])
    found = fewer.tables()
    assert found.pop("total_events_daily") == counted["total_events_daily"], "all events are all events"
    expected.pop("total_events_daily")
    assert found == expected

    everything.run([*log(), *more])
    assert everything.tables() == counted


def test_a_course_team_counts_where_it_learns_and_not_where_it_teaches(tmp_path: Path) -> None:
    """§10.26; the results follow the roles: who is added to a team, or taken off it."""
    teacher, course, other = 9, "course-v1:UniX+CS1+2023", "course-v1:UniX+CS0+2023"
    learns = [
        lines.enrollment("2024-03-05 09:00", "activated", user=teacher, course=other),
        lines.event("2024-03-05 09:10", "play_video", user=teacher, course=other, source="browser"),
    ]
    teaches = [
        lines.enrollment("2024-03-05 10:00", "activated", user=teacher, course=course),
        lines.event("2024-03-05 10:10", "play_video", user=teacher, course=course, source="browser"),
    ]
    fresh = Installation(tmp_path / "fresh")
    fresh.run([*log(), *learns])
    expected = fresh.tables()
    everybody = Installation(tmp_path / "everybody")
    everybody.run([*log(), *learns, *teaches])
    all_of_them = everybody.tables()
    assert all_of_them["course_enrollment_daily"] != expected["course_enrollment_daily"]

    home = Installation(tmp_path / "home", counting={"staff": False})
    home.run([*log(), *learns, *teaches])
    assert home.tables() == all_of_them, "nobody is known to be staff"
    know_staff(home, teams={teacher: course})
    assert {name for name, _ in home.run([*log(), *learns, *teaches]).why} >= {"course_enrollment_daily"}
    found = home.tables()
    assert found.pop("total_events_daily") == all_of_them["total_events_daily"]
    expected.pop("total_events_daily")
    assert found == expected
    assert home.run([*log(), *learns, *teaches]).why == [], "nothing has changed"

    know_staff(home)
    home.run([*log(), *learns, *teaches])
    assert home.tables() == all_of_them


@pytest.mark.parametrize("seed", [1, 2])
def test_order_pieces_and_repetition_change_no_table(seed: int, tmp_path: Path) -> None:
    """The same lines in another order, in three files, and some of them twice."""
    usual = Installation(tmp_path / "usual")
    usual.run(log())
    rng, shuffled = Random(seed), log()
    shuffled += rng.sample(shuffled, 20)
    rng.shuffle(shuffled)
    other = Installation(tmp_path / "other")
    cuts = sorted(rng.sample(range(1, len(shuffled)), 2))
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, None], strict=True)):
        file = lines.write(tmp_path / f"piece-{number}" / "tracking.log", shuffled[start:end])
        run_pipeline(other.settings, logs=[str(file)], until=UNTIL)
    assert other.tables() == usual.tables()
