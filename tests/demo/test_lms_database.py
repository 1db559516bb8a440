"""The database against a naive replay of the logs, made without any code of the package."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pharos.demo.campus import Campus
from pharos.demo.lms_database import NEVER_COMPLETED, ONLY_IN_DATABASE, OTHER_MODE, write_lms_database
from pharos.demo.releases import Release


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
        "SELECT count(*) FROM course_groups_cohortmembership member "
        "JOIN course_groups_courseusergroup cohort ON cohort.id = member.course_user_group_id "
        "LEFT JOIN student_courseenrollment enrollment ON enrollment.user_id = member.user_id "
        "AND enrollment.course_id = cohort.course_id WHERE enrollment.id IS NULL"
    ).fetchone()
    assert strangers == (0,)
    assert database.execute("SELECT count(*) FROM course_groups_cohortmembership").fetchone()[0] > 0


def test_points_of_subsections_are_those_of_the_last_events(
    history: list[dict[str, Any]], database: sqlite3.Connection
) -> None:
    replayed = {}
    for event in history:
        if event["event_type"] == "edx.grades.subsection.grade_calculated":
            data = event["event"]
            numbers = ("weighted_total_earned", "weighted_total_possible", "weighted_graded_earned",
                       "weighted_graded_possible", "visible_blocks_hash")  # fmt: skip
            key = int(data["user_id"]), data["course_id"], data["block_id"]
            replayed[key] = tuple(data[name] for name in numbers)
    rows = database.execute(
        "SELECT user_id, course_id, usage_key, earned_all, possible_all, earned_graded, possible_graded, "
        "visible_blocks_hash FROM grades_persistentsubsectiongrade"
    )
    assert {row[:3]: row[3:] for row in rows} == replayed
    hashes = {row[-1] for row in replayed.values()}
    assert hashes <= {found for (found,) in database.execute("SELECT hashed FROM grades_visibleblocks")}


def test_visible_blocks_name_the_problems_and_their_points(
    history: list[dict[str, Any]], database: sqlite3.Connection
) -> None:
    named = {
        block["locator"]: block["raw_possible"]
        for (text,) in database.execute("SELECT blocks_json FROM grades_visibleblocks")
        for block in json.loads(text)["blocks"]
    }
    checks = [event["event"] for event in history if event["event_type"] == "problem_check"]
    assert checks
    assert all(named[check["problem_id"]] == check["max_grade"] for check in checks)


def test_whoever_answered_completed_the_problem(
    history: list[dict[str, Any]], database: sqlite3.Connection
) -> None:
    answered = {
        (event["context"]["user_id"], event["event"]["problem_id"])
        for event in history
        if event["event_type"] == "problem_check"
    }
    rows = database.execute(
        "SELECT user_id, block_key, block_type, completion FROM completion_blockcompletion"
    )
    completed = {(user, block): (kind, share) for user, block, kind, share in rows}
    assert {pair for pair, (kind, _) in completed.items() if kind == "problem"} == answered
    assert {kind for kind, _ in completed.values()} == {"problem", "video", "html"}
    assert {share for _, share in completed.values()} == {1.0}


def test_the_forum_has_the_posts_of_the_events(
    history: list[dict[str, Any]], database: sqlite3.Connection
) -> None:
    told = Counter(
        (event["context"]["course_id"], event["event_type"].split(".")[2], event["context"]["user_id"])
        for event in history
        if event["event_type"] in {f"edx.forum.{kind}.created" for kind in ("thread", "response", "comment")}
    )
    threads = database.execute("SELECT course_id, 'thread', author_id FROM forum_commentthread").fetchall()
    answers = database.execute(
        "SELECT course_id, iif(parent_id IS NULL, 'response', 'comment'), author_id FROM forum_comment"
    ).fetchall()
    assert Counter([*threads, *answers]) == told
    assert {kind for _, kind, _ in told} == {"thread", "response", "comment"}
    torn = (
        "SELECT count(*) FROM forum_comment answer LEFT JOIN forum_commentthread thread "
        "ON thread.id = answer.comment_thread_id WHERE thread.course_id IS NOT answer.course_id"
    )
    assert database.execute(torn).fetchone() == (0,)


def test_the_outline_is_that_of_the_campus(campus: Campus, database: sqlite3.Connection) -> None:
    """The query is that of spec 07 §3.5."""
    for course in campus.courses:
        rows = database.execute(
            "SELECT s.usage_key, s.title, q.usage_key, q.title FROM learning_sequences_learningcontext c "
            "JOIN learning_sequences_coursesection s ON s.course_context_id = c.id "
            "JOIN learning_sequences_coursesectionsequence l ON l.section_id = s.id "
            "JOIN learning_sequences_learningsequence q ON q.id = l.sequence_id "
            "WHERE c.context_key = ? ORDER BY l.ordering",
            [course.id],
        ).fetchall()
        assert rows == [
            (chapter.id, chapter.name, sequential.id, sequential.name)
            for chapter in course.root.children
            for sequential in chapter.children
        ]
        [title] = database.execute(
            "SELECT display_name FROM course_overviews_courseoverview WHERE id = ?", [course.id]
        ).fetchall()
        assert title == (course.name,)


def test_videos_of_events_are_found_with_their_duration(
    events: list[dict[str, Any]], database: sqlite3.Connection
) -> None:
    seconds = dict(
        database.execute(
            "SELECT encoded.url, video.duration FROM edxval_encodedvideo encoded "
            "JOIN edxval_profile profile ON profile.id = encoded.profile_id AND profile_name = 'youtube' "
            "JOIN edxval_video video ON video.id = encoded.video_id"
        ).fetchall()
    )
    loaded = [json.loads(event["event"]) for event in events
              if event["event_type"] == "load_video" and event["event_source"] == "browser"]  # fmt: skip
    by_youtube = [event for event in loaded if event["code"] != "html5"]
    assert by_youtube
    assert all(seconds[event["code"]] == event["duration"] for event in by_youtube)
    languages = database.execute("SELECT DISTINCT language_code FROM edxval_videotranscript").fetchall()
    assert {language for (language,) in languages} == {"en", "es"}


def test_tags_are_those_of_the_events(events: list[dict[str, Any]], database: sqlite3.Connection) -> None:
    tagged: dict[str, Any] = {}
    for event in events:
        if event["event_type"] == "problem_check" and event["event_source"] == "server":
            asides = event["context"]["asides"]
            tagged[event["event"]["problem_id"]] = asides.get("tagging_aside", {}).get("saved_tags", {})
    stored: dict[str, dict[str, Any]] = {}
    rows = database.execute(
        "SELECT object_id, taxonomy.name, tag.value FROM oel_tagging_objecttag object "
        "JOIN oel_tagging_taxonomy taxonomy ON taxonomy.id = object.taxonomy_id "
        "JOIN oel_tagging_tag tag ON tag.id = object.tag_id ORDER BY object.id"
    )
    for block, taxonomy, value in rows:
        stored.setdefault(block, {}).setdefault(taxonomy, []).append(value)
    for block, tags in tagged.items():
        expected = {name: [tag] if isinstance(tag, str) else tag for name, tag in tags.items()}
        assert stored.get(block, {}) == expected


@pytest.mark.parametrize("release", [Release.VERAWOOD, Release.WILLOW])
def test_course_teams_are_where_the_release_keeps_them(
    campus: Campus, tmp_path: Path, release: Release
) -> None:
    write_lms_database(tmp_path / "lms.sqlite", campus, [], release)
    database = sqlite3.connect(tmp_path / "lms.sqlite")
    roles = set(database.execute(
        "SELECT username, course_id FROM student_courseaccessrole role "
        "JOIN auth_user person ON person.id = role.user_id"
    ))  # fmt: skip
    rules = set(database.execute("SELECT v0, v1, v2 FROM casbin_rule WHERE ptype = 'g'"))
    database.close()
    team = {(person.username, course) for person in campus.personas for course in person.courses}
    assert team
    if release is Release.VERAWOOD:
        assert (roles, rules) == (team, set())
    else:
        granted = {(f"user^{name}", "role^course_staff", f"course-v1^{course}") for name, course in team}
        assert (roles, rules) == (set(), granted)
