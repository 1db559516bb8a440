"""Report files: where they lie, what is in them, when they are written. `spec 02 §4.8, 5.5, 7, §11.28-45`"""

from __future__ import annotations

import csv
import hashlib
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.pipeline.conftest import Installation, few
from tests.problems import NUMBER, PART, context, line, part, payload

from pharos.config import DataAPISettings, EngineSettings
from pharos.data_api.report_files import Reports
from pharos.engine import open_engine
from pharos.lake import lms_tables
from pharos.lake.lake import Lake
from pharos.lms.tables import ALL
from pharos.pipeline.run import compute_only

pytestmark = few

UNTIL = datetime(2024, 3, 12)
BIO, OTHER = "course-v1:Uni+BIO+2020", "course-v1:Uni+CS+2020"


def submission(
    course: str = BIO, /, *, user: int = 1, minute: int = 0, answer: Any = "7", **more: Any
) -> str:
    """A line: the learner answered this."""
    one = payload({PART: part(answer, kind=NUMBER, **more)}, problem=f"{course}|aaa")
    return line(
        f"2024-03-02 10:{minute:02}", one, username=f"user{user}", context=context(user=user, course=course)
    )


def sha1(course: str) -> str:
    return hashlib.sha1(course.encode(), usedforsecurity=False).hexdigest()


def lines_of(installation: Installation, name: str) -> list[list[str]]:
    """The lines of a report without its header."""
    text = (installation.settings.home / "reports" / name).read_bytes().decode()
    assert text.endswith("\r\n")
    return list(csv.reader(text.splitlines(keepends=True)))[1:]


def files(installation: Installation) -> dict[str, int]:
    """Names of all files in the folder of the reports, with the times of their last change."""
    folder = installation.settings.home / "reports"
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()
    }


def test_both_reports(installation: Installation) -> None:
    """§4.8, 5.5: paths, order and cells; learners by number under their newest name."""
    log = [
        submission(user=1, answer="7", variant=17),
        submission(user=2, minute=1, answer="7"),
        submission(user=3, minute=2, answer="=1+1", correct=True),
        submission(user=3, minute=3, answer="None", correct=True),
    ]
    report = installation.run(log)
    assert report.reports == {"answer_distribution": 1, "problem_response": 1}
    assert sha1(BIO) == "c7e265f08e435ab00dd6a1e04c44a2059715cd20"
    problem = f"{BIO}|aaa"
    assert lines_of(installation, f"{sha1(BIO)}/Uni_BIO_2020_answer_distribution.csv") == [
        [problem, PART, "0", "1", "1", "", "7", "17", "Cells", "Q?"],
        [problem, PART, "0", "1", "1", "", "7", "", "Cells", "Q?"],
        [problem, PART, "1", "0", "1", "", "None", "", "Cells", "Q?"],
        [problem, PART, "1", "1", "0", "", "=1+1", "", "Cells", "Q?"],
    ]
    rows = lines_of(installation, "Uni_BIO_2020_problem_response.csv")
    assert [[row[0], row[2], *row[5:10]] for row in rows] == [
        ["user1", PART, "0.0", "1.0", "False", "7", "1"],
        ["user2", PART, "0.0", "1.0", "False", "7", "1"],
        ["user3", PART, "1.0", "1.0", "True", "None", "2"],
    ]
    assert rows[2][10:] == ["2024-03-02T10:02:00Z", "2024-03-02T10:03:00Z"]


def test_only_what_changed_is_written(installation: Installation) -> None:
    """§11.45, with a better rule: a report is new if it would be another one, and only then."""
    log = [submission(user=user) for user in (1, 2)] + [submission(OTHER)]
    assert installation.run(log).reports["problem_response"] == 2
    before = files(installation)
    assert installation.run(log).reports == {"answer_distribution": 0, "problem_response": 0}
    assert files(installation) == before
    assert installation.run([*log, submission(OTHER, user=2)]).reports["problem_response"] == 1
    changed = {name for name, time in files(installation).items() if time != before[name]}
    assert changed == {
        f"{sha1(OTHER)}/Uni_CS_2020_answer_distribution.csv",
        "Uni_CS_2020_problem_response.csv",
    }
    (installation.settings.home / "reports" / "Uni_BIO_2020_problem_response.csv").unlink()
    assert installation.run([*log, submission(OTHER, user=2)]).reports["problem_response"] == 1
    assert set(files(installation)) == set(before)


@pytest.mark.parametrize("damage", [b"", b'{"files": {"cour', b"\xff", b"[]", b'{"files": {"a": 1}}', b"{}"])
def test_a_damaged_memory_of_the_files_is_told_and_made_anew(
    installation: Installation, caplog: pytest.LogCaptureFixture, damage: bytes
) -> None:
    log = [submission(user=user) for user in (1, 2)] + [submission(OTHER)]
    installation.run(log)
    before = set(files(installation))
    memory = installation.settings.lake / "reports" / "problem_response.json"
    memory.write_bytes(damage)
    assert installation.run(log).reports == {"answer_distribution": 0, "problem_response": 2}
    assert f"{memory}: is damaged" in caplog.text
    assert set(files(installation)) == before
    assert installation.run(log).reports == {"answer_distribution": 0, "problem_response": 0}


def test_other_settings_make_other_files(tmp_path: Path) -> None:
    """§11.38-39"""
    Installation(tmp_path).run([submission()])
    again = Installation(tmp_path, reports={"fields": ["course_id", "sort_idx"]})
    assert again.run([submission()]).reports["problem_response"] == 1
    assert lines_of(again, "Uni_BIO_2020_problem_response.csv") == [[BIO, "-1"]]


def test_courses_without_rows_have_no_file(installation: Installation) -> None:
    """§7: and files of a course that has lost its rows go; what is not ours stays."""
    folder = installation.settings.home / "reports"
    installation.run([submission(), submission(OTHER, minute=1)])
    (folder / "Other_problem_response.csv").write_text("of somebody else")
    installation.run([submission(), submission(OTHER, minute=1)], datetime(2024, 3, 2, 10, 0, 30))
    assert set(files(installation)) == {
        f"{sha1(BIO)}/Uni_BIO_2020_answer_distribution.csv", "Uni_BIO_2020_problem_response.csv",
        "Other_problem_response.csv",
    }  # fmt: skip


def test_the_data_api_finds_what_is_written(installation: Installation) -> None:
    """§7, §11.41, 50: writer and reader mean the same file, also where names are alike."""
    courses = [
        BIO, "Uni/BIO/2020", "course-v1:Un\u00ed+BIO+2020", "course-v1:Un\u00e1+BIO+2020",
        "ccx-v1:Uni+BIO+2020+ccx@5", "course-v1:A+B+C_D", "course-v1:A+B_C+D", OTHER,
    ]  # fmt: skip
    installation.run([submission(each, user=number) for number, each in enumerate(courses, 1)])
    settings = DataAPISettings(report_names=["problem_response", "answer_distribution"])
    reports = Reports(installation.settings.home / "reports", settings)
    for number, each in enumerate(courses, 1):
        found = reports.file(each, "problem_response", lambda: courses)
        assert found is not None
        assert lines_of(installation, found.name)[0][0] == f"user{number}"
        assert reports.file(each, "answer_distribution", lambda: courses) is not None


def test_learners_have_the_name_that_the_lms_has_now(installation: Installation) -> None:
    """§12.1.10: also if nothing but the name is new."""
    installation.run([submission(user=1), submission(OTHER, user=2)])
    lake = Lake(installation.settings.lake)
    engine = open_engine(EngineSettings(), lake.staging)
    users = pa.Table.from_pylist(
        [{"id": 1, "username": "renamed"}, {"id": 2, "username": "user2"}],
        pa.schema([("id", pa.int64()), ("username", pa.string())]),
    )
    schema = ALL["auth_user"].schema
    for name in schema.names[2:]:
        users = users.append_column(name, pa.nulls(2, schema.field(name).type))
    lms_tables.replace(lake, engine, "auth_user", users, "a test", UNTIL - timedelta(days=1))
    engine.close()
    assert compute_only(installation.settings, until=UNTIL).reports["problem_response"] == 1
    assert lines_of(installation, "Uni_BIO_2020_problem_response.csv")[0][0] == "renamed"
    assert lines_of(installation, "Uni_CS_2020_problem_response.csv")[0][0] == "user2"


def test_many_courses_and_rows(installation: Installation) -> None:
    """§11.40: one file for each course, in the order of the names."""
    log = [
        submission(f"course-v1:Uni+C{course}+2020", user=user, minute=user % 60)
        for course in range(10)
        for user in range(1, 101)
    ]
    assert installation.run(log).reports == {"answer_distribution": 10, "problem_response": 10}
    for course in range(10):
        rows = lines_of(installation, f"Uni_C{course}_2020_problem_response.csv")
        names = [row[0] for row in rows]
        assert names == sorted(names)
        assert len(names) == 100


def test_no_submissions_no_files(installation: Installation) -> None:
    """§11.40"""
    installation.run([line("2024-03-02 10:00", {})])
    assert not (installation.settings.home / "reports").exists()


def test_in_pieces_as_at_once(installation: Installation, fresh: Installation) -> None:
    """§13: however submissions arrive, tables and files are those of one run, course by course."""
    log = [
        submission(
            course, user=user, minute=minute, answer=str((user * minute) % 4), variant=minute % 3 or ""
        )
        for course in (BIO, OTHER)
        for user in range(1, 5)
        for minute in range(0, 50, 7)
    ]
    shuffled = log.copy()
    random.Random(5).shuffle(shuffled)
    for size in (9, 30, len(log)):
        installation.run(shuffled[:size])
    fresh.run(log)
    assert installation.parts() == fresh.parts()
    assert installation.tables() == fresh.tables()
    assert files(installation).keys() == files(fresh).keys()
    for name in files(fresh):
        assert lines_of(installation, name) == lines_of(fresh, name), name
    why = dict(installation.run([*shuffled, submission(OTHER, user=9, minute=59)]).why)
    assert why["answer_distribution"] == why["problem_response"] == "1 of 2 course runs: inputs changed"
