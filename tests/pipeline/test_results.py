"""What results are computed from: facts, snapshots, and what an operator wants counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import ibis
import pyarrow.parquet as pq
import pytest
from tests import lines
from tests.pipeline.conftest import UNTIL, Installation, day_of, few, log

from pharos.metrics import activity
from pharos.metrics.metric import Metric
from pharos.pipeline import results
from pharos.pipeline.graph import METRICS, in_order
from pharos.pipeline.results import KeyTwice
from pharos.pipeline.run import compute_only, run_pipeline
from pharos.result_store import contract

LIBRARY = "library-v1:UniX+Lib"
SEEN, LOCATIONS = "last_address_by_learner_day", "course_enrollment_location_current"


def know_staff(installation: Installation, *users: int, teams: Mapping[int, str] | None = None) -> None:
    """Import the LMS's tables of users and of course teams (user -> course run), as far as this is about."""
    roles = [
        {"user_id": user, "org": "UniX", "course_id": course, "role": "staff"}
        for user, course in (teams or {}).items()
    ]
    known = [
        {"id": user, "username": f"u{user}", "email": None, "is_active": True, "is_staff": user in users,
         "is_superuser": False}
        for user in range(1, 10)
    ]  # fmt: skip
    installation.know(auth_user=known, student_courseaccessrole=roles)


@few
def test_two_rows_of_a_key_end_the_run_and_leave_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(counted_interaction_of_complete_weeks: ibis.Table) -> ibis.Table:
        rows = activity.course_activity.function(counted_interaction_of_complete_weeks)
        return rows.union(rows.mutate(count=rows["count"] + 1))

    def metrics() -> list[Metric]:
        return [replace(one, function=twice) if one.name == "course_activity" else one for one in in_order()]

    installation = Installation(tmp_path)
    installation.run(log()[:60])
    before = installation.rows_of("course_activity")
    assert before
    monkeypatch.setattr(results, "in_order", metrics)
    with pytest.raises(KeyTwice, match=r"course_activity: two rows have the key {'course_id'"):
        installation.run(log())
    assert installation.rows_of("course_activity") == before


def test_staff_and_libraries_count_unless_they_shall_not(tmp_path: Path) -> None:
    """§10.5, §10.26; what changes is computed again, and nothing is left of it when it is taken back."""
    staff = "2024-03-05 09:00"
    more = [
        lines.enrollment(staff, "activated", user=8, course="course-v1:UniX+CS1+2023"),
        lines.event(staff, "seek_video", user=8, course="course-v1:UniX+CS1+2023"),
        lines.event(staff, "seek_video", user=1, course=LIBRARY),
    ]
    fresh = Installation(tmp_path / "without")
    know_staff(fresh)
    fresh.run(log())
    expected = fresh.tables()

    everything = Installation(tmp_path / "home")
    know_staff(everything)
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


@few
def test_enrollments_that_only_browsers_sent_count_unless_they_shall_not(tmp_path: Path) -> None:
    sent = [
        lines.enrollment("2024-03-05 09:00", "activated", user=8, event_source="browser"),
        lines.enrollment("2024-03-05 09:01", "activated", user=9, event_source="browser"),
        lines.enrollment("2024-03-05 09:01", "activated", user=9),
    ]
    fresh = Installation(tmp_path / "without")
    fresh.run([*log(), sent[2]])
    expected = fresh.tables()
    home = Installation(tmp_path / "home")
    home.run([*log(), *sent])
    counted = home.tables()
    assert counted["course_enrollment_daily"] != expected["course_enrollment_daily"]
    strict = Installation(tmp_path / "home", counting={"browser_enrollments": False})
    assert "course_enrollment_daily" in {name for name, _ in strict.run([*log(), *sent]).why}
    found = strict.tables()
    assert found.pop("total_events_daily") != expected.pop("total_events_daily"), "events are events"
    assert found == expected
    assert strict.run([*log(), *sent]).why == []


@few
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
    know_staff(fresh)
    fresh.run([*log(), *learns])
    expected = fresh.tables()
    everybody = Installation(tmp_path / "everybody")
    know_staff(everybody)
    everybody.run([*log(), *learns, *teaches])
    all_of_them = everybody.tables()
    assert all_of_them["course_enrollment_daily"] != expected["course_enrollment_daily"]

    home = Installation(tmp_path / "home", counting={"staff": False})
    know_staff(home)
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


IRISH, THAI, SWEDISH = "87.32.1.1", "1.47.1.1", "2a00:801::1"
ADDRESSES = {1: IRISH, 2: THAI, 3: SWEDISH, 4: "10.0.0.5"}


def located_log(days: Iterable[str]) -> list[str]:
    """On each of these days everybody enrolls, from two places one after the other; some more odd lines."""
    written = []
    for day in days:
        for user, ip in ADDRESSES.items():
            at = {"ip": ip, "context": {"user_id": user, "course_id": lines.COURSE, "client": {"ip": ip}}}
            written += [
                lines.event(f"{day} 09:00", "seek_video", user=user, ip=ADDRESSES[user % 4 + 1]),
                lines.enrollment(f"{day} 10:00", "activated", user=user, **at),
                lines.event(f"{day} 10:00", "odd", user=user, unknown="member", **at),
            ]
        written.append(lines.event(f"{day} 23:00", "seek_video", user=1, ip=""))
    return written


def found_under(home: Path) -> set[str]:
    """Which addresses any file under a home holds, in a column of Parquet or in its bytes."""
    texts = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    texts += [str(pq.ParquetFile(path).read().to_pylist()).encode() for path in home.rglob("*.parquet")]
    return {ip for ip in ADDRESSES.values() if any(ip.encode() in text for text in texts)}


def keep_since(day: date) -> dict[str, int]:
    """Settings under which addresses of this day and later ones are kept."""
    return {"address_retention_days": (datetime.now(UTC).date() - day).days}


@few
@pytest.mark.slow
def test_forgotten_addresses_change_no_number(tmp_path: Path) -> None:
    """§10.37: nothing under home holds one of them, and every table is as it was; also computed anew.

    The exchange of addresses for countries is tried on each engine in tests/lake/test_addresses.py.
    """
    old = ("2024-03-02", "2024-03-03")
    log = [*located_log(old), lines.event("2024-03-10 09:00", "seek_video", user=1, ip="203.0.113.9")]
    keeping = Installation(tmp_path)
    forgetting = Installation(tmp_path, geolocation=keep_since(date(2024, 3, 6)))

    keeping.run(log)
    before = keeping.tables()
    assert {row[2] for row in before[LOCATIONS]} == {"UNKNOWN", "TH", "SE", "AU"}
    assert found_under(keeping.settings.home) == set(ADDRESSES.values())
    why = dict(forgetting.run(log).why)
    assert why.keys() == {SEEN, LOCATIONS}
    assert why[SEEN] == f"{len(old)} of 3 days: events changed"
    assert found_under(forgetting.settings.home) == set()
    assert forgetting.tables() == before
    forgetting.run(log, full=True)
    assert forgetting.tables() == before


@few
def test_addresses_that_come_late_are_forgotten_before_anything_is_computed(tmp_path: Path) -> None:
    """§10.37: they count as they would have; younger ones stay."""
    forgetting = Installation(tmp_path, geolocation=keep_since(date(2024, 3, 6)))
    forgetting.run(located_log(["2024-03-02"]))
    assert forgetting.run(located_log(["2024-03-02"])).why == []
    late = [lines.event("2024-03-02 11:00", "late", user=3, ip=IRISH), *located_log(["2024-03-03"])]
    log = [*located_log(["2024-03-02"]), *late]
    forgetting.run(log)
    assert found_under(forgetting.settings.home) == set()
    log += located_log(["2024-03-10"])
    forgetting.run(log)
    assert found_under(forgetting.settings.home) == set(ADDRESSES.values())
    assert found_under(forgetting.settings.lake / "events" / "date=2024-03-02") == set()
    fresh = Installation(tmp_path / "fresh")
    fresh.run(log)
    assert forgetting.tables() == fresh.tables()


@few
def test_forgotten_addresses_do_not_come_back(tmp_path: Path) -> None:
    """§10.37: when they are kept again, those of then are gone, and the numbers go on."""
    log, days = located_log(["2024-03-02"]), keep_since(date(2024, 3, 6))
    forgetting, keeping = Installation(tmp_path, geolocation=days), Installation(tmp_path)
    keeping.run(log)
    before = keeping.tables()
    compute_only(forgetting.settings, until=UNTIL)
    assert (forgetting.tables(), found_under(forgetting.settings.home)) == (before, set())
    parts = forgetting.parts()
    assert keeping.run(log).why == []
    keeping.run(log, full=True)
    assert (keeping.tables(), keeping.parts()) == (before, parts)


def test_order_pieces_and_repetition_change_no_table(tmp_path: Path) -> None:
    """The same lines in another order, in three files, and some of them twice."""
    usual = Installation(tmp_path / "usual")
    usual.run(log())
    rng, shuffled = Random(1), log()
    shuffled += rng.sample(shuffled, 20)
    rng.shuffle(shuffled)
    other = Installation(tmp_path / "other")
    cuts = sorted(rng.sample(range(1, len(shuffled)), 2))
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, None], strict=True)):
        file = lines.write(tmp_path / f"piece-{number}" / "tracking.log", shuffled[start:end])
        run_pipeline(other.settings, logs=[str(file)], until=UNTIL)
    assert other.tables() == usual.tables()


@few
def test_the_week_so_far_of_a_site_has_days_of_two_weeks_of_iso(tmp_path: Path) -> None:
    """From Sunday 10 March on, up to Monday; day after day, at once, and after a change of the setting."""
    table = "course_activity_current_week"
    only_on_sunday = lines.event("2024-03-10 20:00", "play_video", user=9, course="course-v1:UniX+CS1+2023")
    events = sorted([*log(), only_on_sunday], key=day_of)
    by_day = Installation(tmp_path / "days", counting={"week_start": "sunday"})
    for end in (UNTIL - timedelta(days=2), UNTIL - timedelta(days=1), UNTIL):
        by_day.run([line for line in events if day_of(line) < str(end.date())], end)
    at_once = Installation(tmp_path / "once", counting={"week_start": "sunday"})
    at_once.run(events)
    Installation(tmp_path / "changed").run(events)
    changed = Installation(tmp_path / "changed", counting={"week_start": "sunday"})
    changed.run(events)
    names = [column.name for column in contract.columns(METRICS[table].table)]
    for home in (by_day, at_once, changed):
        rows = [dict(zip(names, row, strict=True)) for row in home.tables()[table]]
        active = {row["course_id"]: row["count"] for row in rows if row["label"] == "ACTIVE"}
        assert active == {"course-v1:UniX+CS0+2023": 2, "course-v1:UniX+CS1+2023": 3}
        weeks = {(row["interval_start"][:10], row["interval_end"][:10]) for row in rows}
        assert weeks == {("2024-03-10", "2024-03-17")}
