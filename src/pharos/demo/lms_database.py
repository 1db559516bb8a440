"""The LMS's database of a simulated campus, as SQLite: the tables Pharos imports (spec 04 §2.4, spec 07 §3).

Column names and order are those of a current Open edX release. Rows agree with the events, except for the few
enrollments in `_reconcilable`, which differ on purpose, as in real databases.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain
from json import dumps
from pathlib import Path
from typing import Any

from pharos.demo import lms_course_tables, lms_progress_tables
from pharos.demo.activities import Record
from pharos.demo.campus import Campus
from pharos.demo.lms_rows import at, numbered, time_text
from pharos.demo.payloads import COURSE_VERSION, EDITED, GRADING_POLICY_HASH, letter, shown
from pharos.demo.people import SERVICE_USER_ID
from pharos.demo.releases import NEWEST, Release

NEVER_COMPLETED = 3
"""Learners with a row that is not active, and no event: they never finished enrolling."""
ONLY_IN_DATABASE = 2
"""Learners enrolled by a script that emits no events."""
OTHER_MODE = 1
"""Learners whose mode a script changed without an event."""

_POLICIES = (  # by default courses keep their roles where they were; libraries do not
    ("p", "role^library_admin", "act^content_libraries.view_library", "lib^*", "allow", None, None),
    ("p", "role^library_user", "act^content_libraries.view_library", "lib^*", "allow", None, None),
)

_VARIANTS = {"es": "es-419", "pt": "pt-br", "zh": "zh-cn", "de": "de-de"}
"""Codes of the languages that the LMS's pages are translated into."""

_SCHEMA = """
CREATE TABLE auth_user (id integer PRIMARY KEY, password varchar(128) NOT NULL, last_login datetime(6),
    is_superuser bool NOT NULL, username varchar(150) NOT NULL UNIQUE, first_name varchar(150) NOT NULL,
    last_name varchar(150) NOT NULL, email varchar(254) NOT NULL UNIQUE, is_staff bool NOT NULL, is_active
    bool NOT NULL, date_joined datetime(6) NOT NULL);
CREATE TABLE auth_userprofile (id integer PRIMARY KEY, name varchar(255) NOT NULL, meta longtext NOT NULL,
    courseware varchar(255) NOT NULL, language varchar(255) NOT NULL, location varchar(255) NOT NULL,
    year_of_birth integer, gender varchar(6), level_of_education varchar(6), mailing_address longtext,
    city longtext, country varchar(2), goals longtext, bio varchar(3000), profile_image_uploaded_at
    datetime(6), user_id integer NOT NULL UNIQUE REFERENCES auth_user (id), phone_number varchar(50),
    state varchar(2));
CREATE TABLE user_api_userpreference (id integer PRIMARY KEY, "key" varchar(255) NOT NULL, value longtext NOT
    NULL, user_id integer NOT NULL REFERENCES auth_user (id), UNIQUE (user_id, "key"));
CREATE TABLE student_courseenrollment (id integer PRIMARY KEY, course_id varchar(255) NOT NULL, created
    datetime(6), is_active bool NOT NULL, mode varchar(100) NOT NULL, user_id integer NOT NULL REFERENCES
    auth_user (id), UNIQUE (user_id, course_id));
CREATE TABLE student_courseaccessrole (id integer PRIMARY KEY, org varchar(64) NOT NULL, course_id
    varchar(255) NOT NULL, role varchar(64) NOT NULL, user_id integer NOT NULL REFERENCES auth_user (id));
CREATE TABLE casbin_rule (id integer PRIMARY KEY, ptype varchar(255) NOT NULL, v0 varchar(255), v1
    varchar(255), v2 varchar(255), v3 varchar(255), v4 varchar(255), v5 varchar(255));
CREATE TABLE grades_persistentcoursegrade (created datetime(6) NOT NULL, modified datetime(6) NOT NULL, id
    integer PRIMARY KEY, user_id integer NOT NULL, course_id varchar(255) NOT NULL,
    course_edited_timestamp datetime(6), course_version varchar(255) NOT NULL, grading_policy_hash
    varchar(255) NOT NULL, percent_grade double NOT NULL, letter_grade varchar(255) NOT NULL,
    passed_timestamp datetime(6), UNIQUE (course_id, user_id));
CREATE TABLE courseware_studentmodule (id integer PRIMARY KEY, module_type varchar(32) NOT NULL, module_id
    varchar(255) NOT NULL, course_id varchar(255) NOT NULL, state longtext, grade double, max_grade
    double, done varchar(8) NOT NULL, created datetime(6) NOT NULL, modified datetime(6) NOT NULL,
    student_id integer NOT NULL REFERENCES auth_user (id), UNIQUE (student_id, module_id, course_id));
CREATE TABLE certificates_generatedcertificate (id integer PRIMARY KEY, course_id varchar(255) NOT NULL,
    verify_uuid varchar(32) NOT NULL, grade varchar(5) NOT NULL, "key" varchar(32) NOT NULL, distinction
    bool NOT NULL, status varchar(32) NOT NULL, mode varchar(32) NOT NULL, name varchar(255) NOT NULL,
    created_date datetime(6) NOT NULL, modified_date datetime(6) NOT NULL, download_uuid varchar(32) NOT
    NULL, download_url varchar(128) NOT NULL, error_reason varchar(512) NOT NULL, user_id integer NOT NULL
    REFERENCES auth_user (id), UNIQUE (user_id, course_id));
"""


def write_lms_database(
    path: Path, campus: Campus, records: Sequence[Record], release: Release = NEWEST
) -> None:
    """Write the database at `path`, replacing an existing one. `records` come from `write_logs`."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.executescript(_SCHEMA + lms_course_tables.SCHEMA + lms_progress_tables.SCHEMA)
            _insert(connection, "auth_user", _users(campus, records))
            _insert(connection, "auth_userprofile", _profiles(campus))
            _insert(connection, "user_api_userpreference", numbered(_preferences(campus)))
            _insert(connection, "student_courseenrollment", numbered(_enrollments(campus, records)))
            _insert(connection, "student_courseaccessrole", numbered(_roles(campus, release)))
            _insert(connection, "casbin_rule", numbered(_authz(campus, release)))
            _insert(connection, "grades_persistentcoursegrade", _grades(campus, records))
            _insert(connection, "courseware_studentmodule", numbered(_modules(campus, records)))
            _insert(connection, "certificates_generatedcertificate", numbered(_certificates(campus, records)))
            further = lms_course_tables.tables(campus), lms_progress_tables.tables(campus, records)
            for table, rows in chain(*further):
                _insert(connection, table, rows)
    finally:
        connection.close()


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    columns = len(connection.execute(f"PRAGMA table_info({table})").fetchall())
    marks = ", ".join("?" * columns)
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own names


def _users(campus: Campus, records: Sequence[Record]) -> Iterator[tuple[Any, ...]]:
    joined = time_text(campus.start - timedelta(days=30))
    service = (SERVICE_USER_ID, "insights", "service@campus.example", False, True)
    people = [
        (person.user_id, person.username, person.email, person.superuser, person.global_staff)
        for person in campus.personas
    ]
    for user_id, username, email, superuser, staff in [service, *people]:
        yield user_id, "!", None, superuser, username, "", "", email, staff, True, joined
    first: dict[int, int] = {}
    seen: dict[int, int] = {}
    for record in records:
        user_id = record.learner.user_id
        if record.created_us >= 0:
            first[user_id] = min(record.created_us, first.get(user_id, record.created_us))
            seen[user_id] = max(record.seen_us, seen.get(user_id, 0))
    for learner in campus.people:
        joined_us = first.get(learner.user_id)
        yield (
            learner.user_id,
            "!",
            None if joined_us is None else at(campus, seen[learner.user_id]),
            False,
            learner.username,
            "",
            "",
            learner.email,
            False,
            True,
            joined if joined_us is None else at(campus, joined_us - 60_000_000),
        )


def _profiles(campus: Campus) -> Iterator[tuple[Any, ...]]:
    after = (None, None, None)
    for person in campus.personas:
        about = (None, None, None, None, None, None)
        head = (person.user_id, person.name, "", "course.xml", "en", "")
        yield (*head, *about, *after, person.user_id, None, None)
    for learner in campus.people:
        profile = (learner.year_of_birth, learner.gender, learner.education, None, None, learner.country)
        head = (learner.user_id, learner.name, "", "course.xml", learner.language, "")
        yield (*head, *profile, *after, learner.user_id, None, None)


def _preferences(campus: Campus) -> Iterator[tuple[Any, ...]]:
    """Key, value and account: a third of the learners chose the language of the pages."""
    for person in campus.personas:
        if person.language is not None:
            yield "pref-lang", person.language, person.user_id
    for learner in campus.people:
        yield "account_privacy", "all_users", learner.user_id
        if learner.user_id % 3 == 0:
            yield "pref-lang", _VARIANTS.get(learner.language, learner.language), learner.user_id


def _enrollments(campus: Campus, records: Sequence[Record]) -> Iterator[tuple[Any, ...]]:
    differences = _reconcilable(campus, records)
    for record in records:
        if record.created_us >= 0:
            key = (record.learner.user_id, record.course_id)
            active, mode = differences.pop(key, (record.active, record.mode))
            yield record.course_id, at(campus, record.created_us), active, mode, record.learner.user_id
    for (user_id, course_id), (active, mode) in differences.items():
        yield course_id, time_text(campus.start + timedelta(days=campus.days / 2)), active, mode, user_id


def _reconcilable(campus: Campus, records: Sequence[Record]) -> dict[tuple[int, str], tuple[bool, str]]:
    """(active, mode) by learner and course for which the database differs from the events."""
    course = campus.courses[-1]
    strangers = [
        learner.user_id for learner in campus.people if len(campus.courses) - 1 not in learner.interests
    ]
    inactive = strangers[:NEVER_COMPLETED]
    scripted = strangers[NEVER_COMPLETED : NEVER_COMPLETED + ONLY_IN_DATABASE]
    changed = [record for record in records if record.active and record.mode == "audit"][:OTHER_MODE]
    return {
        **{(user_id, course.id): (False, "audit") for user_id in inactive},
        **{(user_id, course.id): (True, "audit") for user_id in scripted},
        **{(record.learner.user_id, record.course_id): (True, "verified") for record in changed},
    }


def _roles(campus: Campus, release: Release) -> Iterator[tuple[Any, ...]]:
    """Course teams: a role without a course run applies to all of an organisation."""
    if release.keeps_roles_in_authz:
        return
    for person in campus.personas:
        for organization in person.organizations:
            yield organization, "", "staff", person.user_id
        for course_id in person.courses:
            course = campus.course(course_id)
            yield course.org if course else "", course_id, "staff", person.user_id


def _authz(campus: Campus, release: Release) -> Iterator[tuple[Any, ...]]:
    """Roles of content libraries; and course teams, if the release stores them here. spec 07 §3.6"""
    yield from _POLICIES
    if not release.keeps_roles_in_authz:
        return
    for person in campus.personas:
        for scope in (*(f"course-v1:{name}+*" for name in person.organizations), *person.courses):
            who, what = f"user^{person.username}", "role^course_staff"
            yield "g", who, what, f"course-v1^{scope}", None, None, None


def _grades(campus: Campus, records: Sequence[Record]) -> Iterator[tuple[Any, ...]]:
    graded = [record for record in records if record.graded_us >= 0]
    for number, record in enumerate(graded, start=1):
        modified = at(campus, record.graded_us)
        yield (
            at(campus, min(state.first_us for state in record.answered.values())),
            modified,
            number,
            record.learner.user_id,
            record.course_id,
            EDITED.removesuffix("+00:00"),
            COURSE_VERSION,
            GRADING_POLICY_HASH,
            record.percent,
            letter(record.percent),
            None if record.passed_us < 0 else at(campus, record.passed_us),
        )


def _modules(campus: Campus, records: Sequence[Record]) -> Iterator[tuple[Any, ...]]:
    for record in records:
        course, user_id = record.text.course, record.learner.user_id
        for place, us in record.opened.items():
            _, sequential = course.sequentials[place]
            opened = at(campus, us)
            state = dumps({"position": len(sequential.children)})
            yield "sequential", sequential.id, course.id, state, None, None, "na", opened, opened, user_id
        for index, answered in record.answered.items():
            text = record.text.problems[index]
            right = answered.earned == text.problem.points
            state = (
                f'{{"attempts": {answered.attempts}, "done": true, "seed": '
                f'{text.variants[user_id % len(text.variants)].seed}, "student_answers": '
                f'{{{", ".join(answer.internal for answer in answered.answers)}}}, "correct_map": '
                f"{{{', '.join(answer.correct_map for answer in answered.answers)}}}, "
                f'"score": {{"raw_earned": {shown(answered.earned)}, '
                f'"raw_possible": {text.problem.points}}}}}'
            )
            yield (
                "problem",
                text.block.id,
                course.id,
                state,
                answered.earned,
                float(text.problem.points),
                "f" if right else "i",
                at(campus, answered.first_us),
                at(campus, answered.last_us),
                user_id,
            )


def _certificates(campus: Campus, records: Sequence[Record]) -> Iterator[tuple[Any, ...]]:
    for record in records:
        if record.certificate_us >= 0:
            made, grade = at(campus, record.certificate_us), f"{record.percent:.2f}"
            who = (record.mode, record.learner.name)
            yield (
                *(record.course_id, "", grade, "", False, "downloadable", *who, made, made),
                *("", "", "", record.learner.user_id),
            )
