"""Everybody who was ever enrolled, with profile and engagement of a week. `spec 03 §2.7, 2.10, 5.87-93`"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Any

from tests.metrics.conftest import Compute, columns, day
from tests.metrics.naive import Enrollment
from tests.metrics.naive_engagement import Act
from tests.metrics.test_engagement import EXAMPLE, RATIO, UNTIL, WEEK

from pharos.result_store.contract import columns as columns_of
from pharos.result_store.tables import module_engagement_roster

TABLE, TOKENS = "module_engagement_roster", "module_engagement_roster_token"
Row = dict[str, Any]
NAMES = {1: "ana", 2: "bo", 3: "cy", 4: "di", 5: "ed", 6: "fay", 7: "gus"}


def roster(compute: Compute, until: datetime = UNTIL, **given: Any) -> dict[str, Row]:
    """The rows by user name."""
    names = [column.name for column in columns_of(module_engagement_roster)]
    rows = compute(TABLE, until, **{"shows_profiles": True} | given)
    return {row[1]: dict(zip(names, row, strict=True)) for row in rows}


def joined(*users: int, on: str = "03-01", course: str = "C") -> list[Row]:
    """Rows of `enrollment_event`: they enroll."""
    return [enrollment(user, on, "activated", course=course) for user in users]


def enrollment(user: int, on: str, kind: str, mode: str = "audit", course: str = "C") -> Row:
    time = datetime.combine(day(on), datetime.min.time()).replace(hour=9)
    return Enrollment(course, user, time, kind, mode).fact()


def accounts(names: dict[int, str]) -> list[Row]:
    return [{"id": user, "username": name, "email": f"{name}@example.com"} for user, name in names.items()]


def facts(acts: list[Act]) -> list[Row]:
    return [act.fact() for act in acts]


def test_the_worked_example(compute: Compute) -> None:
    """§2.10, with the segments of §4.2-20"""
    events = [*joined(*NAMES), enrollment(5, "03-12", "deactivated")]
    found = roster(compute, enrollment_event=events, auth_user=accounts(NAMES), interaction=facts(EXAMPLE))
    told = ("segments", RATIO, "attempt_ratio_order")
    assert {name: tuple(row[column] for column in told) for name, row in found.items()} == {
        "ana": ("highly_engaged", 3.0, 12),
        "bo": ("highly_engaged", 1.0, 4),
        "cy": ("struggling", None, -3),
        "di": ("", None, 0),
        "ed": ("unenrolled,highly_engaged", 2.0, 6),
        "fay": ("disengaging", None, 0),
        "gus": ("inactive", None, 0),
    }  # fmt: skip
    assert [(row["start_date"], row["end_date"]) for row in found.values()] == [WEEK] * 5 + [(None, None)] * 2
    assert found["ed"] | {"segments": ""} == dict.fromkeys(found["ed"]) | {
        "course_id": "C", "username": "ed", "start_date": WEEK[0], "end_date": WEEK[1],
        "email": "ed@example.com", "enrollment_mode": "audit", "enrollment_date": day("03-01"),
        "problem_attempts": 6, "problems_attempted": 3, "problems_completed": 3, RATIO: 2.0,
        "videos_viewed": 3, "discussion_contributions": 4, "segments": "", "attempt_ratio_order": 6,
        "user_id": 5,
    }  # fmt: skip


def test_all_segments_of_the_two_weeks(compute: Compute) -> None:
    """§5.88: each with and without enrollment"""
    days = {1: ("03-05", "03-10"), 2: ("03-05",), 3: ("03-10",), 4: (), 5: ("02-28",)}
    acts = [
        Act(user, NAMES[user], date(2024, *map(int, on.split("-"))), "video viewed v")
        for user, when in days.items()
        for on in when
    ]
    known = dict(list(NAMES.items())[:5])
    enrolled = joined(*days, on="02-20")
    expected = {"ana": "", "bo": "disengaging", "cy": "", "di": "inactive", "ed": "inactive"}
    for events in (enrolled, enrolled + [enrollment(user, "03-02", "deactivated") for user in days]):
        found = roster(compute, enrollment_event=events, auth_user=accounts(known), interaction=facts(acts))
        prefix = "unenrolled" if events is not enrolled else ""
        assert {name: row["segments"] for name, row in found.items()} == {
            name: ",".join(filter(None, (prefix, segment))) for name, segment in expected.items()
        }


def test_who_is_there(compute: Compute) -> None:
    """§5.87, 90: everybody with an enrollment event whom the LMS knows; nobody else."""
    events = [
        *joined(1, on="03-03"), enrollment(1, "03-05", "deactivated"), enrollment(1, "03-07", "activated"),
        enrollment(1, "03-09", "mode_changed", "verified"),
        enrollment(2, "03-04", "activated"), enrollment(2, "03-04", "deactivated", "honor"),
        *joined(3, course="D"), *joined(9),
    ]  # fmt: skip
    acts = [Act(8, "eve", day("03-10"), "video viewed v")]
    known = NAMES | {8: "eve"}
    found = compute(
        TABLE, UNTIL, enrollment_event=events, auth_user=accounts(known), interaction=facts(acts),
        shows_profiles=False,
    )  # fmt: skip
    names = ("course_id", "username", "enrollment_mode", "enrollment_date", "email")
    assert columns(found, TABLE, *names) == [
        ("C", "ana", "verified", day("03-03"), None),
        ("C", "bo", "honor", None, None),
        ("D", "cy", "audit", day("03-01"), None),
    ]


def test_without_the_lms(compute: Compute) -> None:
    """Who has a user name in the events is there, each name once."""
    acts = [Act(1, "ana", day("03-05"), " active"), Act(2, "ana", day("03-05"), " active")]
    acts += [Act(3, "cy", day("03-10"), "problem attempted p", 4)]
    found = roster(compute, enrollment_event=joined(1, 2, 3, 4), interaction=facts(acts))
    assert [(name, row["user_id"], row["attempt_ratio_order"]) for name, row in found.items()] == [
        ("ana", 1, 0),
        ("cy", 3, -4),
    ]


def test_profiles_and_cohorts(compute: Compute) -> None:
    """§5.87, 90, 91: cleaned texts; cohorts of the course, no other groups; without a profile null."""
    profiles = [
        {"user_id": 1, "name": "Ána\tB\nC\\D" + "é" * 32_766, "gender": "f", "year_of_birth": 1990,
         "level_of_education": "b"},
    ]  # fmt: skip
    groups = [
        {"id": 1, "name": "Team A", "course_id": "C", "group_type": "cohort"},
        {"id": 2, "name": "Another", "course_id": "C", "group_type": "random"},
        {"id": 3, "name": "Elsewhere", "course_id": "D", "group_type": "cohort"},
    ]
    members = [{"course_user_group_id": group, "user_id": user} for group, user in ((1, 1), (2, 1), (3, 2))]
    given: dict[str, Any] = {
        "enrollment_event": joined(1, 2), "auth_user": accounts(NAMES), "auth_userprofile": profiles,
        "course_groups_courseusergroup": groups, "course_groups_cohortmembership": members,
    }  # fmt: skip
    found = roster(compute, **given)
    ana, bo = found["ana"], found["bo"]
    assert ana["name"] == ("Ána B CD" + "é" * 32_766)[:20_000]
    assert (ana["gender"], ana["year_of_birth"], ana["level_of_education"]) == ("f", 1990, "b")
    assert (ana["cohort"], bo["cohort"]) == ("Team A", None)
    assert (bo["name"], bo["gender"]) == (None, None)
    hidden = roster(compute, **given | {"shows_profiles": False})["ana"]
    assert (hidden["name"], hidden["email"], hidden["gender"]) == (None, None, None)


def test_words_to_find_learners_by(compute: Compute) -> None:
    """§2.8: words of name and user name, whole addresses; of two fields the less private."""
    users = [
        {"id": 1, "username": "Ana_Perez", "email": "Ana@example.com"},
        {"id": 2, "username": "bo", "email": None},
    ]
    profiles = [{"user_id": 1, "name": "Ána-Lía Pérez"}, {"user_id": 2, "name": "王小明"}]
    given: dict[str, Any] = {
        "enrollment_event": joined(1, 2), "auth_user": users, "auth_userprofile": profiles,
        "shows_profiles": True,
    }  # fmt: skip
    assert sorted(compute(TOKENS, UNTIL, **given)) == [
        ("C", "ana", "Ana_Perez", "name"),
        ("C", "ana-lia", "Ana_Perez", "name"),
        ("C", "ana@example.com", "Ana_Perez", "email"),
        ("C", "ana_perez", "Ana_Perez", "username"),
        ("C", "bo", "bo", "username"),
        ("C", "lia", "Ana_Perez", "name"),
        ("C", "perez", "Ana_Perez", "name"),
        ("C", "小明", "bo", "name"),
        ("C", "明", "bo", "name"),
        ("C", "王小明", "bo", "name"),
    ]
    assert {row[3] for row in compute(TOKENS, UNTIL, **given | {"shows_profiles": False})} == {"username"}


def test_a_run_in_the_middle_of_a_day(compute: Compute) -> None:
    """The day of `until` counts: the week ends after it."""
    acts = [Act(1, "ana", day("03-15"), "video viewed v")]
    found = roster(
        compute, datetime(2024, 3, 15, 12), enrollment_event=joined(1, on="03-15"),
        auth_user=accounts({1: "ana"}), interaction=facts(acts),
    )  # fmt: skip
    assert (found["ana"]["end_date"], found["ana"]["segments"]) == (day("03-16"), "")


def test_learners_who_are_enrolled_are_as_many_as_enrollment_counts(compute: Compute) -> None:
    """Pages lead from the number of enrolled learners to the roster without the segment of who left."""
    changes = [enrollment(2, "03-05", "deactivated"), enrollment(3, "03-06", "mode_changed", "verified")]
    back = [enrollment(4, "03-05", "deactivated"), enrollment(4, "03-09", "activated")]
    events = [*joined(*NAMES), *changes, *back]
    found = roster(compute, enrollment_event=events, auth_user=accounts(NAMES))
    enrolled = [row for row in found.values() if "unenrolled" not in row["segments"].split(",")]
    last_days = compute("course_enrollment_mode_daily", UNTIL, enrollment_event=events)
    last = max(row[0] for row in last_days)
    counted = {row[2]: row[3] for row in last_days if row[0] == last}
    assert counted == Counter(row["enrollment_mode"] for row in enrolled)
    assert sum(counted.values()) == 6
