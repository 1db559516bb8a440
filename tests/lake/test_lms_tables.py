from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from tests import edxapp
from tests.edxapp import BEGIN

from pharos.config import EngineSettings
from pharos.database_addresses import database_address
from pharos.engine import Engine, open_engine
from pharos.lake import lms_tables, snapshots
from pharos.lake.lake import Lake
from pharos.lake.lms_tables import OVERLAP
from pharos.lake.snapshots import TableState
from pharos.lms.tables import TABLES

MODULES = "courseware_studentmodule"


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    lake = Lake(tmp_path / "lake")
    with lake.locked():
        yield lake


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Engine]:
    """The default engine, for what does not depend on the engine."""
    engine = open_engine(EngineSettings(threads=2), tmp_path / "scratch")
    yield engine
    engine.close()


@pytest.fixture
def store(tmp_path: Path) -> str:
    """SQLAlchemy URL of an LMS database in a file."""
    store = f"sqlite:///{tmp_path / 'lms.sqlite'}"
    edxapp.create(store)
    return store


def bring(lake: Lake, engine: Engine, store: str, table: str) -> TableState:
    address = database_address(store.partition("?")[0])
    [state] = lms_tables.import_tables(lake, engine, address, tables=[TABLES[table]])
    return state


def ids(lake: Lake, engine: Engine, table: str = MODULES) -> list[int]:
    return sorted(engine.fetch(lms_tables.read(engine, lake, table))["id"].to_pylist())


def test_every_table_is_imported_with_its_times_and_numbers(lake: Lake, engine: Engine, store: str) -> None:
    done: list[tuple[int, int]] = []
    states = lms_tables.import_tables(
        lake, engine, database_address(store), lambda *numbers: done.append(numbers)
    )
    assert [state.table for state in states] == list(TABLES)
    assert done == [(number, len(TABLES)) for number in range(len(TABLES) + 1)]
    rows = {state.table: state.snapshot.rows for state in states if state.snapshot}
    assert rows == dict.fromkeys(TABLES, 1) | {
        "auth_user": 3,
        "auth_userprofile": 2,
        "student_courseenrollment": 3,
        "learning_sequences_coursesection": 2,
        "learning_sequences_learningsequence": 2,
        "learning_sequences_coursesectionsequence": 2,
        MODULES: 4,
    }
    for state in states:
        assert state.problem is None
        assert state.snapshot
        assert state.snapshot.started <= state.snapshot.finished
        assert state.snapshot.source == store
        table = lms_tables.read(engine, lake, state.table)
        assert list(table.columns) == TABLES[state.table].schema.names
        assert engine.fetch(table).num_rows == state.snapshot.rows
    assert snapshots.states(lake) == states


def test_a_table_never_imported_is_empty_and_has_its_columns(lake: Lake, engine: Engine) -> None:
    for name, table in TABLES.items():
        rows = engine.fetch(lms_tables.read(engine, lake, name))
        assert rows.num_rows == 0
        assert rows.column_names == table.schema.names
        assert snapshots.fingerprint(lake, name) == snapshots.NEVER


def test_tables_without_rows_are_imported(lake: Lake, engine: Engine, store: str) -> None:
    for name in TABLES:
        edxapp.change(store, f"DELETE FROM {name}")  # noqa: S608 - our own names
    states = lms_tables.import_tables(lake, engine, database_address(store))
    assert [state.problem for state in states] == [None] * len(TABLES)
    snapshots = [state.snapshot for state in states if state.snapshot is not None]
    assert [(found.rows, found.malformed) for found in snapshots] == [(0, 0)] * len(TABLES)


def test_nothing_personal_that_nobody_uses_is_copied(lake: Lake, embedded: Engine, store: str) -> None:
    lms_tables.import_tables(lake, embedded, database_address(store))
    everything = b"".join(path.read_bytes() for path in (lake.root / "lms").rglob("*") if path.is_file())
    columns = {name for path in (lake.root / "lms").rglob("*.parquet") for name in pq.read_schema(path).names}
    assert not columns & {
        "password",
        "goals",
        "mailing_address",
        "bio",
        "phone_number",
        "state",
        "first_name",
        "body",
        "author_username",
    }
    assert b"secret" not in everything


def test_the_fingerprint_changes_with_the_rows_and_only_with_them(
    lake: Lake, engine: Engine, store: str
) -> None:
    bring(lake, engine, store, "auth_userprofile")
    before = snapshots.fingerprint(lake, "auth_userprofile")
    bring(lake, engine, store, "auth_userprofile")
    assert snapshots.fingerprint(lake, "auth_userprofile") == before
    edxapp.change(store, "UPDATE auth_userprofile SET bio = 'not read'")
    bring(lake, engine, store, "auth_userprofile")
    assert snapshots.fingerprint(lake, "auth_userprofile") == before
    edxapp.change(store, "UPDATE auth_userprofile SET gender = 'o' WHERE user_id = 2")
    bring(lake, engine, store, "auth_userprofile")
    assert snapshots.fingerprint(lake, "auth_userprofile") != before
    assert len(list((lake.root / "lms" / "auth_userprofile").glob("*.parquet"))) == 1


def test_the_order_of_the_rows_is_no_change(lake: Lake, engine: Engine, store: str) -> None:
    bring(lake, engine, store, "auth_user")
    before = snapshots.fingerprint(lake, "auth_user")
    edxapp.change(store, "UPDATE auth_user SET id = -id", "UPDATE auth_user SET id = -id")
    edxapp.change(store, "ALTER TABLE auth_user RENAME TO old",
                  "CREATE TABLE auth_user AS SELECT * FROM old ORDER BY id DESC")  # fmt: skip
    bring(lake, engine, store, "auth_user")
    assert snapshots.fingerprint(lake, "auth_user") == before


# --- Tables read by changes ------------------------------------------------------------------------------


def test_changes_are_taken_over_on_every_kind_of_database(
    lake: Lake, embedded: Engine, store_url: str
) -> None:
    edxapp.create(store_url)
    bring(lake, embedded, store_url, MODULES)
    modules = edxapp.courseware_studentmodule
    edxapp.change(
        store_url,
        modules.insert().values(**edxapp.student_module(9, created=BEGIN, done="na")),
        modules.update().where(modules.c.id == 4).values(grade=0.25, modified=BEGIN + timedelta(hours=8)),
    )
    state = bring(lake, embedded, store_url, MODULES)
    rows = embedded.fetch(lms_tables.read(embedded, lake, MODULES)).sort_by("id").to_pylist()
    assert [(row["id"], row["grade"]) for row in rows] == [(1, 0.5), (2, 1.0), (3, 1.5), (4, 0.25), (9, 4.5)]
    assert state.snapshot
    assert (state.snapshot.rows, state.snapshot.newest) == (5, BEGIN + timedelta(hours=9))


def test_incremental_is_full(lake: Lake, engine: Engine, store: str, tmp_path: Path) -> None:
    bring(lake, engine, store, MODULES)
    add(store, 9)
    bring(lake, engine, store, MODULES)
    other = Lake(tmp_path / "other")
    with other.locked():
        bring(other, engine, store, MODULES)
    assert snapshots.fingerprint(lake, MODULES) == snapshots.fingerprint(other, MODULES)


def test_only_what_is_new_is_read(lake: Lake, embedded: Engine, store: str) -> None:
    """A change without a new moment is not seen: proof that old rows are not read again."""
    bring(lake, embedded, store, MODULES)
    edxapp.change(store, f"UPDATE {MODULES} SET grade = 77 WHERE id = 1")  # noqa: S608
    bring(lake, embedded, store, MODULES)
    grades = embedded.fetch(lms_tables.read(embedded, lake, MODULES))["grade"].to_pylist()
    assert 77 not in grades


def test_what_has_not_changed_is_not_written_again(lake: Lake, engine: Engine, store: str) -> None:
    bring(lake, engine, store, MODULES)
    [file] = (lake.root / "lms" / MODULES).glob("*.parquet")
    before = file.stat()
    long_ago(lake, MODULES)
    state = bring(lake, engine, store, MODULES)
    assert file.stat().st_ino == before.st_ino
    assert state.snapshot
    assert (state.snapshot.rows, state.snapshot.compared) == (4, state.snapshot.started)


def test_what_became_visible_late_is_read(lake: Lake, embedded: Engine, store: str) -> None:
    bring(lake, embedded, store, MODULES)
    newest = BEGIN + timedelta(hours=4)
    add(store, 8, modified=newest - OVERLAP)
    add(store, 9, modified=newest - OVERLAP - timedelta(seconds=1))
    bring(lake, embedded, store, MODULES)
    assert ids(lake, embedded) == [1, 2, 3, 4, 8]


def test_a_clock_that_is_ahead_hides_nothing(lake: Lake, embedded: Engine, store: str) -> None:
    add(store, 5, modified=datetime(2099, 1, 1))
    bring(lake, embedded, store, MODULES)
    now = (snapshots.state(lake, MODULES).attempted or BEGIN) + timedelta(seconds=1)
    add(store, 6, modified=now)
    bring(lake, embedded, store, MODULES)
    assert ids(lake, embedded) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("at_once", [1, 500_000])
def test_deleted_rows_go_when_the_ids_are_compared(
    lake: Lake, engine: Engine, store: str, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(lms_tables, "IDS_AT_ONCE", at_once)
    bring(lake, engine, store, MODULES)
    edxapp.change(store, f"DELETE FROM {MODULES} WHERE id = 2")  # noqa: S608
    bring(lake, engine, store, MODULES)
    assert ids(lake, engine) == [1, 2, 3, 4]
    long_ago(lake, MODULES)
    state = bring(lake, engine, store, MODULES)
    assert ids(lake, engine) == [1, 3, 4]
    assert state.snapshot
    assert state.snapshot.compared == state.snapshot.started


def test_of_rows_that_never_change_only_later_ones_are_read(
    lake: Lake, embedded: Engine, store_url: str
) -> None:
    """grades_visibleblocks has no time of change; its ids grow."""
    edxapp.create(store_url)
    table, blocks = "grades_visibleblocks", edxapp.grades_visibleblocks
    bring(lake, embedded, store_url, table)
    edxapp.change(
        store_url,
        blocks.insert().values(edxapp.harmless_row(blocks, id=2, hashed="new")),
        blocks.insert().values(edxapp.harmless_row(blocks, id=0, hashed="not seen before ids are compared")),
    )
    bring(lake, embedded, store_url, table)
    assert ids(lake, embedded, table) == [1, 2]
    [file] = (lake.root / "lms" / table).glob("*.parquet")
    before = file.stat().st_ino
    bring(lake, embedded, store_url, table)
    assert file.stat().st_ino == before  # nothing new, nothing written


def test_another_database_is_read_whole(lake: Lake, embedded: Engine, store: str, tmp_path: Path) -> None:
    bring(lake, embedded, store, MODULES)
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    edxapp.create(other)
    edxapp.change(other, f"DELETE FROM {MODULES} WHERE id < 3")  # noqa: S608
    bring(lake, embedded, other, MODULES)
    assert ids(lake, embedded) == [3, 4]


# --- What changed between two imports of enrollments -----------------------------------------------------

ENROLLMENTS = "student_courseenrollment"


def seen(lake: Lake, engine: Engine, last_day: date | None = None) -> list[tuple[int, bool, str, datetime]]:
    """Learner, whether enrolled, mode, and when the import ended, of each validation."""
    day = last_day or datetime.now(UTC).date()
    rows = engine.fetch(lms_tables.validations(engine, lake, day)).to_pylist()
    return sorted(
        (row["user_id"], row["is_active"], row["mode"], row["dump_end"].replace(tzinfo=None)) for row in rows
    )


def test_states_that_changed_are_kept_with_the_time_they_were_seen(
    lake: Lake, engine: Engine, store: str
) -> None:
    """spec 01 §9.2.1"""
    first = bring(lake, engine, store, ENROLLMENTS).snapshot
    before = lms_tables.validations_fingerprint(lake)
    edxapp.change(
        store,
        "UPDATE student_courseenrollment SET mode = 'honor' WHERE id = 10",
        "UPDATE student_courseenrollment SET is_active = 1 WHERE id = 20",
        "DELETE FROM student_courseenrollment WHERE id = 30",
    )
    second = bring(lake, engine, store, ENROLLMENTS).snapshot
    assert first
    assert second
    assert seen(lake, engine) == [
        (1, True, "honor", second.finished),
        (1, True, "verified", first.finished),
        (2, False, "audit", first.finished),
        (2, True, "audit", second.finished),
    ]
    assert lms_tables.validations_fingerprint(lake) != before
    third = bring(lake, engine, store, ENROLLMENTS).snapshot  # nothing has changed
    assert third
    assert {when for *_, when in seen(lake, engine)} == {first.finished, third.finished}
    assert "enrollment_validation" not in {state.table for state in snapshots.states(lake)}


def test_a_crash_in_between_keeps_them_once(lake: Lake, embedded: Engine, store: str) -> None:
    bring(lake, embedded, store, ENROLLMENTS)
    record = lake.root / "lms" / ENROLLMENTS / "snapshot.json"
    rows = next(record.parent.glob("*.parquet"))
    before, data = record.read_bytes(), rows.read_bytes()
    edxapp.change(store, "UPDATE student_courseenrollment SET mode = 'honor' WHERE id = 10")
    bring(lake, embedded, store, ENROLLMENTS)
    record.write_bytes(before)  # as if it had ended before the new snapshot counted
    rows.write_bytes(data)
    bring(lake, embedded, store, ENROLLMENTS)
    assert [user for user, *_ in seen(lake, embedded)] == [1, 1, 2, 3]


def test_a_run_about_a_past_day_has_none(lake: Lake, embedded: Engine, store: str) -> None:
    assert seen(lake, embedded) == []
    bring(lake, embedded, store, ENROLLMENTS)
    today = datetime.now(UTC).date()
    assert len(seen(lake, embedded, today - timedelta(days=1))) == 3
    assert seen(lake, embedded, today - timedelta(days=2)) == []


def test_another_database_says_nothing_of_this_one(
    lake: Lake, embedded: Engine, store: str, tmp_path: Path
) -> None:
    bring(lake, embedded, store, ENROLLMENTS)
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    edxapp.create(other)
    edxapp.change(other, "UPDATE student_courseenrollment SET mode = 'honor' WHERE id = 10")
    bring(lake, embedded, other, ENROLLMENTS)
    assert len(seen(lake, embedded)) == 3


# --- Tolerance -------------------------------------------------------------------------------------------


def test_what_is_missing_is_named_and_the_rest_goes_on(lake: Lake, embedded: Engine, store_url: str) -> None:
    url = edxapp.create(store_url)
    lms_tables.import_tables(lake, embedded, database_address(url))
    edxapp.change(
        store_url,
        "DROP TABLE auth_userprofile",
        "ALTER TABLE student_courseenrollment RENAME COLUMN mode TO track",
        sa.insert(edxapp.auth_user).values(edxapp.harmless_row(edxapp.auth_user, id=4, username="new")),
    )
    states = {state.table: state for state in lms_tables.import_tables(lake, embedded, database_address(url))}
    profiles, enrollments = states["auth_userprofile"], states["student_courseenrollment"]
    assert str(profiles.problem).endswith("table auth_userprofile does not exist")
    assert str(enrollments.problem).endswith("table student_courseenrollment has no column mode")
    for state in (profiles, enrollments):  # the last good snapshot, with its age
        assert state.snapshot
        assert state.attempted
        assert state.snapshot.finished < state.attempted
    assert embedded.fetch(lms_tables.read(embedded, lake, "auth_userprofile")).num_rows == 2
    assert ids(lake, embedded, "student_courseenrollment") == [10, 20, 30]
    assert ids(lake, embedded, "auth_user") == [1, 2, 3, 4]
    assert states["auth_user"].problem is None


def test_a_table_that_not_every_lms_has_may_be_missing(lake: Lake, embedded: Engine, store: str) -> None:
    """Older releases, and features that are off; but what was there once does not go without a word."""
    edxapp.change(store, "DROP TABLE casbin_rule")
    state = bring(lake, embedded, store, "casbin_rule")
    assert (state.snapshot, state.problem) == (None, None)
    assert snapshots.problems([state]) == {}
    assert embedded.fetch(lms_tables.read(embedded, lake, "casbin_rule")).num_rows == 0
    bring(lake, embedded, store, "edxval_video")
    edxapp.change(store, "DROP TABLE edxval_video")
    state = bring(lake, embedded, store, "edxval_video")
    assert "table edxval_video does not exist" in str(state.problem)
    assert ids(lake, embedded, "edxval_video") == [3]


def test_a_database_that_is_down_leaves_everything_as_it_is(
    lake: Lake, embedded: Engine, store: str, tmp_path: Path
) -> None:
    bring(lake, embedded, store, "auth_user")
    (tmp_path / "lms.sqlite").unlink()
    states = lms_tables.import_tables(lake, embedded, database_address(store))
    assert all("there is no such file" in str(state.problem) for state in states)
    assert ids(lake, embedded, "auth_user") == [1, 2, 3]
    assert snapshots.states(lake) == states


def test_a_snapshot_of_an_older_release_lacks_a_column(lake: Lake, engine: Engine, store: str) -> None:
    bring(lake, engine, store, "auth_user")
    path = lake.root / "lms" / "auth_user" / "snapshot.json"
    state = snapshots.state(lake, "auth_user")
    assert state.snapshot
    older = msgspec.structs.replace(
        state.snapshot, columns=[name for name in state.snapshot.columns if name != "email"]
    )
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(state, snapshot=older)))
    rows = engine.fetch(lms_tables.read(engine, lake, "auth_user"))
    assert rows["email"].to_pylist() == [None, None, None]
    assert rows.column_names == TABLES["auth_user"].schema.names


def test_a_damaged_record_means_importing_again(lake: Lake, embedded: Engine, store: str) -> None:
    bring(lake, embedded, store, "auth_user")
    (lake.root / "lms" / "auth_user" / "snapshot.json").write_text("{")
    assert "import again" in str(snapshots.state(lake, "auth_user").problem)
    assert bring(lake, embedded, store, "auth_user").problem is None
    assert ids(lake, embedded, "auth_user") == [1, 2, 3]


def test_what_a_crash_left_does_not_count(lake: Lake, embedded: Engine, store: str) -> None:
    """A data file that was written but never named by the record is as good as not there."""
    bring(lake, embedded, store, "auth_user")
    (lake.root / "lms" / "auth_user" / "9-crash.parquet").write_bytes(b"half a file")
    assert ids(lake, embedded, "auth_user") == [1, 2, 3]
    bring(lake, embedded, store, "auth_user")
    assert len(list((lake.root / "lms" / "auth_user").glob("*.parquet"))) == 1


def add(store: str, number: int, **values: object) -> None:
    row = edxapp.harmless_row(edxapp.courseware_studentmodule, **edxapp.student_module(number, **values))
    edxapp.change(store, edxapp.courseware_studentmodule.insert().values(row))


def long_ago(lake: Lake, table: str) -> None:
    """Make the last comparison of ids old."""
    state = snapshots.state(lake, table)
    assert state.snapshot
    assert state.snapshot.compared
    older = msgspec.structs.replace(
        state.snapshot, compared=state.snapshot.compared - lms_tables.COMPARE_EVERY
    )
    path = lake.root / "lms" / table / "snapshot.json"
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(state, snapshot=older)))
