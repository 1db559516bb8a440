"""The database against a naive replay of the logs, made without any code of the package."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pharos.demo.campus import Campus
from pharos.demo.lms_database import NEVER_COMPLETED, ONLY_IN_DATABASE, OTHER_MODE


@pytest.fixture(scope="module")
def history(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Server events in the order of their time."""
    return sorted(
        (event for event in events if event["event_source"] == "server"), key=lambda event: str(event["time"])
    )


@pytest.fixture
def database(database_file: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(database_file)
    yield connection
    connection.close()


def test_enrollments_are_those_of_the_events_but_for_the_declared_differences(
    history: list[dict[str, Any]], database: sqlite3.Connection
) -> None:
    replayed: dict[tuple[int, str], tuple[bool, str]] = {}
    for event in history:
        name, data = event["event_type"], event["event"]
        if not name.startswith("edx.course.enrollment.") or ".upgrade." in name:
            continue
        key = (data["user_id"], data["course_id"])
        active = name.endswith(".activated") or (name.endswith("mode_changed") and replayed[key][0])
        replayed[key] = (active, data["mode"])
    rows = database.execute("SELECT user_id, course_id, is_active, mode FROM student_courseenrollment")
    stored = {(user, course): (bool(active), mode) for user, course, active, mode in rows}
    assert replayed.keys() <= stored.keys()
    only_stored = [state for key, state in stored.items() if key not in replayed]
    assert only_stored.count((False, "audit")) == NEVER_COMPLETED
    assert only_stored.count((True, "audit")) == ONLY_IN_DATABASE
    assert len(only_stored) == NEVER_COMPLETED + ONLY_IN_DATABASE
    different = [(replayed[key], stored[key]) for key in replayed if replayed[key] != stored[key]]
    assert different == [((True, "audit"), (True, "verified"))] * OTHER_MODE


def test_problem_states_are_those_of_the_last_submissions(
    history: list[dict[str, Any]], database: sqlite3.Connection
) -> None:
    replayed = {}
    for event in history:
        if event["event_type"] == "problem_check":
            data = event["event"]
            key = (event["context"]["user_id"], data["problem_id"])
            replayed[key] = (data["grade"], data["max_grade"], data["attempts"])
    rows = database.execute(
        "SELECT student_id, module_id, grade, max_grade, json_extract(state, '$.attempts') "
        "FROM courseware_studentmodule WHERE module_type = 'problem'"
    )
    assert {(user, module): tuple(rest) for user, module, *rest in rows} == replayed


def test_grades_are_those_of_the_last_grade_events(
    history: list[dict[str, Any]], database: sqlite3.Connection
) -> None:
    replayed, passed = {}, set()
    for event in history:
        data = event["event"]
        if event["event_type"] == "edx.grades.course.grade_calculated":
            replayed[int(data["user_id"]), data["course_id"]] = (data["percent_grade"], data["letter_grade"])
        elif event["event_type"] == "edx.course.grade.passed.first_time":
            passed.add((data["user_id"], data["course_id"]))
    rows = database.execute(
        "SELECT user_id, course_id, percent_grade, letter_grade, passed_timestamp "
        "FROM grades_persistentcoursegrade"
    ).fetchall()
    assert {(user, course): (percent, letter) for user, course, percent, letter, _ in rows} == replayed
    assert {(user, course) for user, course, *_, at in rows if at is not None} == passed


def test_certificates_are_those_of_the_events(
    history: list[dict[str, Any]], database: sqlite3.Connection
) -> None:
    issued = {
        (event["event"]["user_id"], event["event"]["course_id"])
        for event in history
        if event["event_type"] == "edx.certificate.created"
    }
    rows = database.execute("SELECT user_id, course_id FROM certificates_generatedcertificate")
    assert set(rows) == issued


def test_every_learner_has_an_account_and_a_profile(campus: Campus, database: sqlite3.Connection) -> None:
    rows = database.execute(
        "SELECT user.id, username, profile.name, country, gender, year_of_birth, level_of_education "
        "FROM auth_user user JOIN auth_userprofile profile ON profile.user_id = user.id WHERE user.id > 100"
    ).fetchall()
    assert set(rows) == {
        (
            *(learner.user_id, learner.username, learner.name, learner.country),
            *(learner.gender, learner.year_of_birth, learner.education),
        )
        for learner in campus.people
    }


def test_cohort_members_are_enrolled(database: sqlite3.Connection) -> None:
    strangers = database.execute(
        "SELECT count(*) FROM course_groups_courseusergroup_users member "
        "JOIN course_groups_courseusergroup cohort ON cohort.id = member.courseusergroup_id "
        "LEFT JOIN student_courseenrollment enrollment ON enrollment.user_id = member.user_id "
        "AND enrollment.course_id = cohort.course_id WHERE enrollment.id IS NULL"
    ).fetchone()
    assert strangers == (0,)
    assert database.execute("SELECT count(*) FROM course_groups_courseusergroup_users").fetchone()[0] > 0
