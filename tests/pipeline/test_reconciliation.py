"""Import, reconcile and fill gaps in whole runs over a small campus, whose database differs on purpose."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.pipeline.conftest import computing

from pharos.config import LMS, Logs, LogSource, Settings
from pharos.demo.campus import Campus
from pharos.demo.lms_database import ONLY_IN_DATABASE, OTHER_MODE, write_lms_database
from pharos.demo.log_files import write_logs
from pharos.lake.lake import Lake
from pharos.lms.tables import TABLES
from pharos.pipeline.reconciliation import reconciled
from pharos.pipeline.run import NOT_COMPARED, import_only, run_pipeline


@dataclass(frozen=True)
class Site:
    """A folder with the logs and the LMS database of a campus."""

    folder: Path
    end: datetime
    """The logs end here. Today, when the tests run: gaps are filled by tables that are of the time."""


@pytest.fixture(autouse=True)
def compared_metrics() -> Iterator[None]:
    """The results that this is about are computed, no others."""
    with computing("course_enrollment_daily", "enrollment_difference", "enrollment_reconciliation"):
        yield


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("campus")
    simulated = Campus(seed=3, learners=80, days=10, until=datetime.now(UTC).date())
    summary = write_logs(folder / "logs", simulated, lambda _done, _days: None)
    write_lms_database(folder / "lms.sqlite", simulated, summary.records)
    yield Site(folder, simulated.end.replace(tzinfo=None))
    shutil.rmtree(folder)


def settings(campus: Site, home: Path, *, fill: bool = False, database: Path | None = None) -> Settings:
    url = f"sqlite:///{database or campus.folder / 'lms.sqlite'}"
    return Settings(
        home=home,
        logs=Logs(sources={"campus": LogSource(paths=[str(campus.folder / "logs")])}),
        lms=LMS(database=SecretStr(url), fill_enrollment_gaps=fill),
    )


def run(settings: Settings, until: datetime) -> dict[str, tuple[int, int]]:
    """Learners enrolled on the last day by the store and by the LMS, by course."""
    run_pipeline(settings, until=until)
    with sqlite3.connect(settings.home / "result_store.sqlite") as store:
        ours = dict(
            store.execute(
                "SELECT course_id, count FROM course_enrollment_daily WHERE date = "
                "(SELECT max(date) FROM course_enrollment_daily)"
            ).fetchall()
        )
    store.close()
    assert settings.lms.database
    with sqlite3.connect(settings.lms.database.get_secret_value().removeprefix("sqlite:///")) as lms:
        query = "SELECT course_id, sum(is_active) FROM student_courseenrollment GROUP BY course_id"
        theirs = dict(lms.execute(query).fetchall())
    lms.close()
    return {course: (ours.get(course, 0), theirs.get(course, 0)) for course in {*ours, *theirs}}


def differences(home: Path) -> dict[str, int]:
    """Learners who differ, by reason, of all courses."""
    total: dict[str, int] = {}
    for course in reconciled(Lake(home / "lake")):
        for reason, count in course.differences.items():
            total[reason] = total.get(reason, 0) + count
    return total


def test_the_differences_made_on_purpose_are_found_and_no_others(campus: Site, tmp_path: Path) -> None:
    counts = run(settings(campus, tmp_path), campus.end)
    assert differences(tmp_path) == {"only_in_lms": ONLY_IN_DATABASE, "other_mode": OTHER_MODE}
    assert sum(lms - ours for ours, lms in counts.values()) == ONLY_IN_DATABASE


def test_filled_gaps_make_the_numbers_those_of_the_lms_and_can_be_taken_back(
    campus: Site, tmp_path: Path
) -> None:
    before = run(settings(campus, tmp_path), campus.end)
    filled = run(settings(campus, tmp_path, fill=True), campus.end)
    assert all(ours == lms for ours, lms in filled.values())
    assert filled != before
    assert differences(tmp_path) == {"only_in_lms": ONLY_IN_DATABASE, "other_mode": OTHER_MODE}  # still shown
    assert run(settings(campus, tmp_path, fill=True), campus.end) == filled  # nothing is counted twice
    assert run(settings(campus, tmp_path), campus.end) == before


def test_a_run_about_a_past_day_is_left_as_the_events_tell_it(campus: Site, tmp_path: Path) -> None:
    """The LMS's table is of today and knows nothing of the past."""
    past = campus.end - timedelta(days=3)
    counts = []
    for fill in (False, True):
        report = run_pipeline(settings(campus, tmp_path, fill=fill), until=past)
        assert report.remarks == [NOT_COMPARED]
        assert reconciled(Lake(tmp_path / "lake")) == []
        with sqlite3.connect(tmp_path / "result_store.sqlite") as store:
            counts.append(store.execute("SELECT * FROM course_enrollment_daily ORDER BY 1, 2, 3").fetchall())
        store.close()
    assert counts[0] == counts[1]


def test_a_run_after_a_change_in_the_lms_compares_anew(campus: Site, tmp_path: Path) -> None:
    database = tmp_path / "changed.sqlite"
    shutil.copy(campus.folder / "lms.sqlite", database)
    changed = settings(campus, tmp_path / "home", database=database)
    run(changed, campus.end)
    with sqlite3.connect(database) as lms:
        lms.execute(
            "DELETE FROM student_courseenrollment WHERE id = "
            "(SELECT min(id) FROM student_courseenrollment WHERE is_active AND mode != 'verified')"
        )
    lms.close()
    run(changed, campus.end)
    assert differences(tmp_path / "home").get("only_in_events") == 1


def test_without_the_database_nothing_is_compared(campus: Site, tmp_path: Path) -> None:
    plain = settings(campus, tmp_path).model_copy(update={"lms": LMS()})
    run_pipeline(plain)
    assert reconciled(Lake(tmp_path / "lake")) == []


def test_an_import_alone_computes_nothing(campus: Site, tmp_path: Path) -> None:
    report = import_only(settings(campus, tmp_path))
    imported = [state.table for state in report.imported]
    assert imported[: len(TABLES)] == list(TABLES)
    assert "course_list" in imported[len(TABLES) :], "what the tables say of courses"
    assert not (tmp_path / "result_store.sqlite").exists()
    assert reconciled(Lake(tmp_path / "lake")) == []
