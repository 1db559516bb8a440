"""A store of the original with ten years of rows: left alone, adopted, published to, and given back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests import lines, problems
from tests.pipeline.conftest import DAYS, UNTIL, Installation, Tables, computing, day_of, log
from tests.pipeline.test_publishing import replace_events

from pharos.errors import ConfigurationError
from pharos.pipeline import adoption
from pharos.pipeline.graph import METRICS
from pharos.pipeline.run import compute_only
from pharos.result_store import store, tables
from pharos.result_store.adoption import day_column, has_lasting_rows
from pharos.result_store.connecting import engine_for

OLD, SHARED, LATER = "Old/Course/2015", "course-v1:UniX+CS1+2023", "course-v1:UniX+CS7+2023"
FIRST = date(2024, 3, 3)  # the log begins on the day before
MADE = datetime(2024, 3, 6, 4, 5, 6)

DAILY, GENDER = tables.course_enrollment_daily, tables.course_enrollment_gender_daily
BIRTH, SUMMARY = tables.course_enrollment_birth_year_daily, tables.course_meta_summary_enrollment
WEEKLY = tables.course_activity
ADOPTED = [WEEKLY, BIRTH, DAILY, GENDER, SUMMARY]
COMPUTED = [table.name for table in (*ADOPTED, tables.video_timeline)]

NINE_DAYS = [line for line in log() if day_of(line) in DAYS[:-1]]
NEW_COURSE = lines.enrollment("2024-03-11 20:00", "activated", user=9, course=LATER)

Row = dict[str, Any]


def history() -> dict[str, list[Row]]:
    """Rows of ten years, to some days beyond the beginning of the log."""
    days = [
        *(date(2014, 1, 1) + timedelta(days=90 * n) for n in range(41)),
        *(FIRST + timedelta(days=n) for n in (-1, 0, 1)),
    ]
    courses = (OLD, SHARED, LATER)
    by_day = [
        {"course_id": course, "date": day, "count": 50 + n, "cumulative_count": 60 + n}
        for course in courses
        for n, day in enumerate(days)
    ]
    weeks = [datetime(2024, 3, 4) - timedelta(days=7 * n) for n in range(500)]
    as_of = {"date": FIRST + timedelta(days=2)}
    return {
        DAILY.name: by_day,
        GENDER.name: [row | {"gender": gender} for row in by_day for gender in ("f", None)],
        WEEKLY.name: [
            {
                "course_id": SHARED,
                "label": "ACTIVE",
                "count": 5,
                "interval_start": week,
                "interval_end": week + timedelta(days=7),
            }
            for week in weeks
        ],
        BIRTH.name: [
            as_of | {"course_id": c, "birth_year": 1990, "count": 3, "cumulative_count": 4} for c in courses
        ],
        SUMMARY.name: [
            {
                "course_id": c,
                "enrollment_mode": "honor",
                "count": 3,
                "cumulative_count": 4,
                "count_change_7_days": 0,
            }
            for c in courses
        ],
    }


def original(table: sa.Table) -> sa.Table:
    """The table as the original's pipeline makes it: an id, plain columns, `created`."""
    own = [
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        *(
            sa.Column(column.name, _plain(column.type), nullable=column.nullable)
            for column in table.columns
            if column.name not in {"id", "created"}
        ),
        sa.Column("created", sa.TIMESTAMP, server_default=sa.func.now()),
    ]
    return sa.Table(table.name, sa.MetaData(), *own)


def _plain(type_: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    return sa.String(type_.length) if isinstance(type_, sa.String) else type_


class Adopted(Installation):
    """A home whose store the original has filled, in any kind of database."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, result_store={"url": url})
        self.database = engine_for(url)

    def fill(self) -> None:
        for table in ADOPTED:
            old = original(table)
            old.create(self.database)
            with self.database.begin() as connection:
                connection.execute(sa.insert(old), [{"created": MADE} | row for row in history()[table.name]])
        store.upgrade(self.settings.store_url)

    def rows(self, table: sa.Table, *, whole: bool = False) -> list[tuple[Any, ...]]:
        """The rows, without row numbers and moments unless they are wanted."""
        columns = [column for column in table.columns if whole or column.name not in {"id", "created"}]
        with self.database.connect() as connection:
            return sorted((tuple(row) for row in connection.execute(sa.select(*columns))), key=repr)

    def everything(self) -> Tables:
        return {table.name: self.rows(table, whole=True) for table in ADOPTED}

    def found(self) -> Tables:
        return {table.name: self.rows(table) for table in ADOPTED}


def expected(fresh: Installation, kept: tuple[str, ...]) -> Tables:
    """History before the first day, or of these course runs; results of a home without history since."""
    found = {}
    engine = engine_for(fresh.settings.store_url)
    for table in ADOPTED:
        names = [column.name for column in table.columns if column.name not in {"id", "created"}]
        day = day_column(table)
        theirs = [
            tuple(row.get(name) for name in names)
            for row in history()[table.name]
            if (_is_before(row[day]) if day else row["course_id"] in kept)
        ]
        with engine.connect() as connection:
            rows = connection.execute(sa.select(*(table.c[name] for name in names))).mappings()
            ours = [tuple(row.values()) for row in rows if not (day and _is_before(row[day]))]
        found[table.name] = sorted([*theirs, *ours], key=repr)
    engine.dispose()
    return found


@dataclass(frozen=True)
class Expected:
    """The tables after runs on nine days of the log, on all, and with an event of another course run."""

    nine_days: Tables
    all_days: Tables
    with_new_course: Tables
    before_new_course: Tables


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    fresh = Installation(tmp_path_factory.mktemp("fresh"))
    runs = (
        (NINE_DAYS, UNTIL - timedelta(days=1), (OLD, LATER)),
        (log(), UNTIL, (OLD, LATER)),
        ([*log(), NEW_COURSE], UNTIL, (OLD,)),
        ([*log(), NEW_COURSE], UNTIL - timedelta(days=2), (OLD, LATER)),
    )
    found = []
    with computing(*COMPUTED):
        for written, until, kept in runs:
            fresh.run(written, until)
            found.append(expected(fresh, kept))
    return Expected(*found)


def _is_before(day: date | datetime) -> bool:
    return day < (datetime(2024, 3, 4) if isinstance(day, datetime) else FIRST)


@pytest.fixture
def home(store_url: str, tmp_path: Path) -> Iterator[Adopted]:
    """On each kind of database."""
    home = Adopted(tmp_path / "home", store_url)
    home.fill()
    with computing(*COMPUTED):
        yield home
    home.database.dispose()


@pytest.fixture
def file_home(tmp_path: Path) -> Iterator[Adopted]:
    """The store is a file."""
    home = Adopted(tmp_path / "home", f"sqlite:///{tmp_path}/store.sqlite")
    home.fill()
    with computing(*COMPUTED):
        yield home
    home.database.dispose()


def test_history_stays_beside_the_results_and_comes_back_as_it_was(home: Adopted, right: Expected) -> None:
    before = home.everything()
    report = home.run(NINE_DAYS, UNTIL - timedelta(days=1))
    assert set(report.not_published) == {table.name for table in ADOPTED}
    assert "pharos store adopt" in report.not_published[DAILY.name]
    assert home.everything() == before, "left alone"

    adopted = adoption.adopt(home.settings)
    assert [(each.table.name, each.first_day) for each in adopted] == [
        ("course_activity", date(2024, 3, 4)),
        ("course_enrollment_birth_year_daily", None),
        ("course_enrollment_daily", FIRST),
        ("course_enrollment_gender_daily", FIRST),
        ("course_meta_summary_enrollment", None),
    ]
    assert home.everything() == before, "served as it is until the next run"
    assert adoption.adopt(home.settings) == []

    assert home.run(NINE_DAYS, UNTIL - timedelta(days=1)).not_published == {}
    assert home.found() == right.nine_days
    published = store.published(home.database)
    assert published[DAILY.name].history_until == FIRST - timedelta(days=1)
    assert published[WEEKLY.name].history_until == date(2024, 3, 3)
    assert published[SUMMARY.name].history_until is None
    assert published[DAILY.name].row_count == len(home.rows(DAILY))
    assert store.altered(home.database) == {}
    with home.database.connect() as connection:
        of_history = sa.select(DAILY.c.created).where(DAILY.c.date < FIRST).distinct()
        assert connection.execute(of_history).scalars().all() == [MADE]
    assert home.run(NINE_DAYS, UNTIL - timedelta(days=1)).written == 0

    assert home.run(log()).written < len(home.rows(DAILY)), "one more day, by difference"
    assert home.found() == right.all_days
    home.run([*log(), NEW_COURSE])  # of a course run that only the original had
    assert home.found() == right.with_new_course
    home.run([*log(), NEW_COURSE], UNTIL - timedelta(days=2))  # the course run is not there yet
    assert home.found() == right.before_new_course
    assert store.altered(home.database) == {}

    assert [each.table.name for each in adoption.undo(home.settings)] == [table.name for table in ADOPTED]
    assert home.everything() == before, "the very rows"
    assert adoption.undo(home.settings) == []
    assert store.foreign(home.database) == {table.name for table in ADOPTED}


def test_what_was_lost_by_hand_comes_back_and_moments_of_the_past_leave_the_history(
    file_home: Adopted, right: Expected
) -> None:
    file_home.run(log())
    adoption.adopt(file_home.settings)
    file_home.run(log(), datetime(2024, 3, 2, 12))
    assert {row[1] < FIRST for row in file_home.rows(DAILY)} == {True}
    file_home.run(log())
    assert file_home.found() == right.all_days
    for statement in (sa.delete(DAILY).where(DAILY.c.date < date(2016, 1, 1)), sa.delete(SUMMARY)):
        with file_home.database.begin() as connection:
            connection.execute(statement)
    assert set(store.altered(file_home.database)) == {DAILY.name, SUMMARY.name}
    file_home.run(log())
    assert file_home.found() == right.all_days


def test_a_long_history_does_not_hide_that_all_results_are_lost(file_home: Adopted, tmp_path: Path) -> None:
    file_home.run(log(), None)
    adoption.adopt(file_home.settings)
    file_home.run(log(), None)
    fewer = Installation(tmp_path / "fewer")
    fewer.run(log()[:3], None)  # of one learner in one course
    replace_events(file_home, fewer)
    assert "has lost" in compute_only(file_home.settings).not_published[DAILY.name]
    report = compute_only(file_home.settings, accepted=[DAILY.name])
    assert DAILY.name not in report.not_published
    assert {row[1] for row in file_home.rows(DAILY) if row[1] < FIRST}, "only results may be lost"
    assert store.altered(file_home.database) == {}


def test_the_first_day_is_a_day_that_the_lake_can_count(tmp_path: Path) -> None:
    home = Installation(tmp_path)
    with pytest.raises(ConfigurationError, match="lake is empty"):
        adoption.adopt(home.settings)
    home.run(log())
    with pytest.raises(ConfigurationError, match="first whole day is 2024-03-03"):
        adoption.adopt(home.settings, date(2024, 3, 2))
    assert adoption.adopt(home.settings, date(2024, 3, 8)) == []


def test_a_store_with_a_history_does_not_go_back_to_releases_that_do_not_know_it(file_home: Adopted) -> None:
    file_home.run(log())
    adoption.adopt(file_home.settings)
    with pytest.raises(ConfigurationError, match="pharos store adopt --undo"):
        store.downgrade(file_home.settings.store_url, "0009")
    adoption.undo(file_home.settings)
    store.downgrade(file_home.settings.store_url, "0009")


def test_a_table_without_days_and_course_runs_is_ours_until_the_adoption_is_undone(
    file_home: Adopted,
) -> None:
    table = tables.video_timeline
    with file_home.database.begin() as connection:
        theirs = {"pipeline_video_id": "a/b/c|v", "segment": 0, "num_users": 3, "num_views": 4}
        connection.execute(sa.insert(table).values(theirs))
    file_home.run(log(), None)
    adoption.adopt(file_home.settings)
    assert file_home.run(log(), None).not_published == {}
    assert file_home.rows(table) == []
    adoption.undo(file_home.settings)
    assert len(file_home.rows(table)) == 1


@pytest.mark.parametrize("is_adopted", [True, False])
def test_tables_of_older_forms_take_results(store_url: str, tmp_path: Path, *, is_adopted: bool) -> None:
    """Columns that are missing, too narrow or not null, and a count of answers by its old name."""
    answers, ids = tables.answer_distribution, "id INTEGER PRIMARY KEY"
    home = Adopted(tmp_path / "home", store_url)
    dialect = home.database.dialect.name
    ids += {"sqlite": "", "postgresql": " GENERATED BY DEFAULT AS IDENTITY"}.get(dialect, " AUTO_INCREMENT")
    strict = "" if dialect == "sqlite" else " NOT NULL"  # it cannot take this back
    moment = "TIMESTAMP" if dialect == "postgresql" else "DATETIME"
    made = "created TIMESTAMP DEFAULT CURRENT_TIMESTAMP"
    course = "course_id VARCHAR(255) NOT NULL"
    with home.database.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE answer_distribution ({ids}, {course}, module_id VARCHAR(255),"
            f" part_id VARCHAR(255), correct BOOLEAN NOT NULL, count INTEGER{strict}, value_id VARCHAR(255),"
            " answer_value_text TEXT, variant INTEGER, problem_display_name TEXT, question_text TEXT,"
            f" {made})"
        )
        connection.exec_driver_sql(
            "INSERT INTO answer_distribution (course_id, module_id, part_id, correct, count)"
            " VALUES ('Old/Course/2015', 'm', 'p', TRUE, 7)"
        )
        connection.exec_driver_sql(
            f"CREATE TABLE course_enrollment_birth_year_daily ({ids}, date DATE NOT NULL, {course},"
            f" birth_year INTEGER{strict}, count INTEGER, {made})"
        )
        connection.exec_driver_sql(
            f"CREATE TABLE course_activity ({ids}, {course}, label VARCHAR(4), count INTEGER,"
            f" interval_start {moment}, interval_end {moment}, {made})"
        )
    asked = problems.payload({problems.PART: problems.part("7", correct=True, kind=problems.TEXT)})
    answered = [lines.event("2024-03-05 10:00", "problem_check", event=asked)]
    with computing(answers.name, BIRTH.name, WEEKLY.name):
        refused = home.run([*log(), *answered]).not_published
        assert set(refused) == {answers.name}
        assert len(home.rows(BIRTH)) == 2
        assert {row[3] for row in home.rows(WEEKLY)} > {"ACTIVE", "PLAYED_VIDEO"}
        with home.database.connect() as connection:
            before = connection.exec_driver_sql("SELECT * FROM answer_distribution").mappings().all()
        if not is_adopted:
            assert home.run([*log(), *answered], accepted=(answers.name,)).not_published == {}
            assert OLD not in {row[0] for row in home.rows(answers)}
            home.database.dispose()
            return
        adoption.adopt(home.settings)
        assert home.run([*log(), *answered]).not_published == {}
        rows = {row[0]: row for row in home.rows(answers)}
        assert len(rows) == 2
        assert rows[OLD][3:6] == (True, None, 7), "whose last answer it was"
        assert store.altered(home.database) == {}
        adoption.undo(home.settings)
    with home.database.connect() as connection:
        after = connection.exec_driver_sql("SELECT * FROM answer_distribution").mappings().all()
    assert after == before
    home.database.dispose()


def test_every_other_published_table_has_days_or_course_runs() -> None:
    without = {m.name for m in METRICS.values() if m.is_published and not has_lasting_rows(m.table)}
    assert without == {"video_timeline"}
