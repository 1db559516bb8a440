"""What a run writes into the Result Store, and when it refuses to."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests import lines
from tests.conftest import SPARK
from tests.pipeline.conftest import DAYS, UNTIL, Installation, computing, day_of, few, log
from tests.pipeline.test_results import know_staff

from pharos.config import EngineSettings, load
from pharos.pipeline import parted
from pharos.pipeline.run import compute_only
from pharos.result_store import store
from pharos.result_store.connecting import engine_for

# Results that stand on what is carried over days, by a learner's enrollments, submissions and viewings.
CARRIED = ("course_enrollment_daily", "course_enrollment_mode_daily", "item_answer", "video_coverage")
DAILY, MODES = "course_enrollment_daily", "course_enrollment_mode_daily"
SUMMARY, LOCATION = "course_meta_summary_enrollment", "course_enrollment_location_current"


def change_by_hand(installation: Installation, statement: str) -> None:
    with sqlite3.connect(installation.settings.home / "result_store.sqlite") as connection:
        connection.execute(statement)
    connection.close()


@few
@pytest.mark.parametrize(
    "statement",
    [
        f"DELETE FROM {DAILY}",  # noqa: S608
        f"DROP TABLE {DAILY}",
        f"UPDATE {DAILY} SET count = count + 1 WHERE date = '2024-03-05'",  # noqa: S608
        f"UPDATE {MODES} SET mode = 'honor' WHERE mode = 'audit' AND date = '2024-03-05'",  # noqa: S608
        f"DELETE FROM {MODES} WHERE date = '2024-03-04'",  # noqa: S608
        (
            "INSERT INTO course_activity (course_id, interval_start, interval_end, label, count) VALUES"
            " ('x/y/z', '2024-02-26 00:00:00.000000', '2024-03-04 00:00:00.000000', 'ACTIVE', 1)"
        ),
    ],
)
def test_what_was_changed_by_hand_is_made_right_by_the_next_run(
    statement: str, installation: Installation
) -> None:
    """Also if nothing else is new."""
    installation.run(log())
    right = installation.tables()
    change_by_hand(installation, statement)
    report = installation.run(log())
    assert installation.tables() == right
    assert report.why == []
    assert len(report.published) == 1, "the other tables are not touched"
    assert installation.run(log()).written == 0


@few
def test_a_new_day_writes_what_differs(installation: Installation) -> None:
    """A row for each group of the new day, rows of the day that changed, and stamps; nothing of the past."""
    *older, newest = DAYS
    installation.run([line for line in log() if day_of(line) in older], UNTIL - timedelta(days=1))
    before = installation.tables()
    report = installation.run(log())
    after = installation.tables()
    new_rows = {name: set(after[name]) - set(before[name]) for name in after}
    assert {row[1] for row in new_rows[DAILY]} == {newest}
    stamped = ("course_enrollment_location_current", "course_activity_current_week")
    changed = sum(len(set(after[name]) ^ set(before[name])) for name in after if name not in stamped)
    assert changed <= report.written <= changed + 2 * sum(len(after[name]) for name in stamped)


@few
def test_a_published_state_that_is_forgotten_is_compared_with_the_store(installation: Installation) -> None:
    """Manifests of published results are a short cut: without them equal rows stay as well."""
    installation.run(log())
    for path in (installation.settings.lake / "results").rglob("published-*"):
        path.unlink()
    report = installation.run([*log(), lines.enrollment(f"{DAYS[-1]} 22:00", "activated", user=9)])
    assert set(report.published) >= {DAILY, MODES}
    fresh = Installation(installation.folder / "fresh")
    fresh.run([*log(), lines.enrollment(f"{DAYS[-1]} 22:00", "activated", user=9)])
    assert installation.tables() == fresh.tables()
    assert "course_activity" not in report.published


@few
def test_a_store_of_another_home_is_brought_to_this_ones_numbers(tmp_path: Path) -> None:
    """A restored backup is the same: what is published is not what this lake remembers."""
    home = Installation(tmp_path / "home")
    home.run(log()[:20])
    old = (home.settings.home / "result_store.sqlite").read_bytes()
    home.run(log())
    right = home.tables()
    for path in home.settings.home.glob("result_store.sqlite-*"):
        path.unlink()
    (home.settings.home / "result_store.sqlite").write_bytes(old)
    home.run(log())
    assert home.tables() == right


@few
def test_numbers_are_not_replaced_by_none_unless_somebody_says_yes(tmp_path: Path) -> None:
    """All but one learner of a course become staff: the tables would lose many rows."""
    course = "course-v1:UniX+CS1+2023"
    home = Installation(tmp_path, counting={"staff": False})
    home.run(log())
    right = home.tables()
    know_staff(home, teams=dict.fromkeys((1, 3), course) | dict.fromkeys((2, 4), "course-v1:UniX+CS0+2023"))
    report = compute_only(home.settings, until=None)
    assert len(report.not_published) > 3
    refusal = report.not_published[DAILY]
    assert "the old rows stay" in refusal
    assert f"pharos run --accept-loss {DAILY}" in refusal
    assert home.tables()[DAILY][: len(right[DAILY])] == right[DAILY][: len(home.tables()[DAILY])]
    report = compute_only(home.settings, until=None, accepted=[DAILY])
    assert report.published[DAILY] == 0
    assert DAILY not in report.not_published
    assert home.tables()[DAILY] == []
    assert home.tables()[MODES]


@few
def test_a_table_that_may_not_be_read_or_changed_is_named_and_holds_back_no_other(
    mariadb_url: str, postgres_url: str, tmp_path: Path
) -> None:
    for server in (mariadb_url, postgres_url):
        name = f"blind_{server[:5]}"
        url = server.replace("/test", f"/{name}")
        store.upgrade(url)
        admin = engine_for(url)
        is_postgres = admin.dialect.name == "postgresql"
        with admin.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {LOCATION} DROP COLUMN cumulative_count")
            if is_postgres:
                connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
                connection.exec_driver_sql(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}")
            else:
                connection.exec_driver_sql(f"CREATE USER {name} IDENTIFIED BY 'pharos'")
                connection.exec_driver_sql(f"GRANT CREATE TEMPORARY TABLES ON {name}.* TO {name}")
            for table in sa.inspect(connection).get_table_names():
                rights = "INSERT" if table == DAILY else "SELECT, INSERT, UPDATE, DELETE"
                place = table if is_postgres else f"{name}.{table}"
                connection.exec_driver_sql(f"GRANT {rights} ON {place} TO {name}")
        limited = admin.url.set(username=name).render_as_string(hide_password=False)
        installation = Installation(tmp_path / name, result_store={"url": limited})
        for _ in range(2):
            report = installation.run(log())
            assert set(report.not_published) == {DAILY, LOCATION}
            assert "cannot be read" in report.not_published[DAILY]
            assert "access denied" in report.not_published[DAILY]
            assert "access denied" in report.not_published[LOCATION], "it may not add the column"
        assert MODES in store.published(admin)
        assert DAILY not in store.published(admin)
        admin.dispose()


@few
def test_the_refusal_names_the_input_that_shrank(tmp_path: Path) -> None:
    home = Installation(tmp_path)
    home.run(log(), None)
    fewer = Installation(tmp_path / "fewer")
    fewer.run(log()[:3], None)  # of one learner in one course
    replace_events(home, fewer)
    report = compute_only(home.settings)
    refusal = report.not_published[DAILY]
    assert "filled_enrollment_event had 40 rows then and has 1 now" in refusal


@few
def test_late_events_may_merge_rows_and_more_staff_may_not(tmp_path: Path) -> None:
    """A mode that lasted until today ends in 2024, once another server's log comes: years of days go."""
    late = log()[5::7]
    early = [line for line in log() if line not in late]
    home, fresh = Installation(tmp_path / "home"), Installation(tmp_path / "fresh")
    home.run(early, None)
    before = len(home.rows_of(MODES))
    assert home.run([*early, *late], None).not_published == {}
    assert len(home.rows_of(MODES)) < 0.9 * before
    fresh.run(log(), None)
    assert home.tables() == fresh.tables()

    unlike = Installation(tmp_path / "unlike", counting={"staff": False})
    unlike.run(early, None)
    know_staff(unlike, 1, 2, 3)
    assert "who is staff" in unlike.run([*early, *late], None).not_published[DAILY]


ROSTER, WORDS = "module_engagement_roster", "module_engagement_roster_token"


@pytest.fixture
def with_roster(tmp_path: Path) -> Iterator[Installation]:
    """A home that publishes names and e-mail addresses of thirty learners."""
    home = Installation(tmp_path, data_api={"learners": True})
    users = [
        {"id": n, "username": f"u{n}", "email": f"mail{n}@x.org", "is_active": True, "is_staff": False,
         "is_superuser": False}
        for n in range(1, 31)
    ]  # fmt: skip
    everybody = [lines.enrollment(f"2024-03-02 09:{n:02}", "activated", user=n) for n in range(1, 31)]
    with computing(ROSTER, WORDS):
        home.run(everybody[:1], None)
        home.know(
            auth_user=users,
            auth_userprofile=[{"user_id": n, "name": f"Anna{n} Maria{n} Berg{n}"} for n in range(1, 31)],
            course_groups_cohortmembership=[{"user_id": n, "course_user_group_id": 1} for n in range(1, 31)],
        )
        home.run(everybody, None)
        assert (len(home.rows_of(ROSTER)), len(home.rows_of(WORDS))) == (30, 150)
        yield home


def test_a_result_made_of_another_goes_with_it(with_roster: Installation) -> None:
    with_roster.know(auth_user=[{"id": 1, "username": "u1", "is_staff": False, "is_superuser": False}])
    refused = compute_only(with_roster.settings).not_published
    assert "auth_user had 30 rows then and has 1 now" in refused[ROSTER]
    assert "made from module_engagement_roster, which was not published" in refused[WORDS]
    assert len(with_roster.rows_of(WORDS)) == 150
    assert compute_only(with_roster.settings, accepted=[ROSTER]).not_published == {}
    assert (len(with_roster.rows_of(ROSTER)), len(with_roster.rows_of(WORDS))) == (1, 4)


def test_names_that_may_no_longer_be_shown_leave_the_words_to_find_learners_by(
    with_roster: Installation,
) -> None:
    """Whatever else has fewer rows; else names and addresses would stay in the store for good."""
    home, members = with_roster, [{"user_id": 1, "course_user_group_id": 1}]
    home.settings = load(home.folder / "home", None, data_api={"learners": False})
    home.know(course_groups_cohortmembership=members)
    assert compute_only(home.settings).not_published == {}
    assert {row[-1] for row in home.rows_of(WORDS)} == {"username"}
    assert len(home.rows_of(WORDS)) == 30


def test_names_that_learners_took_back_leave_the_words_and_lost_profiles_do_not(
    with_roster: Installation,
) -> None:
    home, nameless = with_roster, [{"user_id": n, "name": ""} for n in range(1, 31)]
    home.know(
        auth_userprofile=[{"user_id": 1, "name": "Anna"}],
        course_groups_cohortmembership=[{"user_id": n, "course_user_group_id": 1} for n in range(1, 30)],
    )
    refusal = compute_only(home.settings).not_published[WORDS]
    assert "Fewer rows than then: auth_userprofile had 30 rows then and has 1 now; course_groups" in refusal
    home.know(auth_userprofile=nameless)
    assert compute_only(home.settings).not_published == {}
    assert len(home.rows_of(WORDS)) == 60


@few
def test_a_named_moment_is_no_yes_unless_it_is_past(tmp_path: Path) -> None:
    """Jobs that name the day they describe: tables that are made from less are guarded there, too."""
    home, fewer = Installation(tmp_path), Installation(tmp_path / "fewer")
    home.run(log(), UNTIL)
    right = home.rows_of(DAILY)
    fewer.run(log()[:3], UNTIL)
    replace_events(home, fewer)
    for until in (UNTIL, UNTIL + timedelta(days=1)):
        assert "now" in compute_only(home.settings, until=until).not_published[DAILY]
        assert home.rows_of(DAILY) == right
    assert compute_only(home.settings, until=UNTIL - timedelta(days=1)).not_published == {}


def test_groups_that_come_and_go_are_no_loss_and_course_runs_are(tmp_path: Path) -> None:
    """The modes and states that learners have now, on a small site: two of three may be gone tomorrow."""
    course, other = "course-v1:UniX+CS1+2023", "course-v1:UniX+CS0+2023"
    first = [
        lines.enrollment(f"2024-03-0{user} 09:00", "activated", user=user, course=course, mode=mode)
        for user, mode in enumerate(("audit", "honor", "verified"), 1)
    ]
    second = [
        lines.enrollment(f"2024-03-04 1{user}:00", "mode_changed", user=user, course=course, mode="verified")
        for user in (1, 2)
    ]
    there = lines.enrollment("2024-03-02 09:00", "activated", user=1, course=other)
    home, without = Installation(tmp_path), Installation(tmp_path / "without")
    with computing(SUMMARY, "learner_status_count"):
        home.run([*first, there], datetime(2024, 3, 4))
        assert len(home.rows_of(SUMMARY)) == 4
        assert home.run([*first, there, *second], datetime(2024, 3, 20)).not_published == {}
        assert len(home.rows_of(SUMMARY)) == 2
        without.run(first, datetime(2024, 3, 20))
        replace_events(home, without)
        refused = compute_only(home.settings, until=datetime(2024, 3, 20)).not_published
    assert "1 of 2 course runs" in refused[SUMMARY]
    assert "1 of 4 rows" in refused["learner_status"]
    assert "made from learner_status" in refused["learner_status_count"]


def replace_events(home: Installation, other: Installation) -> None:
    """Replace the events of a lake by those of another one."""
    for part in ("events", "ledger", "quarantine"):
        shutil.rmtree(home.settings.lake / part, ignore_errors=True)
        if (other.settings.lake / part).exists():
            shutil.copytree(other.settings.lake / part, home.settings.lake / part)


@few
def test_the_history_of_another_program_stays_until_somebody_says_otherwise(tmp_path: Path) -> None:
    """Tables of the original with its rows: they are served, and not replaced by last month's numbers."""
    home = Installation(tmp_path)
    store.upgrade(home.settings.store_url)
    change_by_hand(
        home,
        "INSERT INTO course_enrollment_daily (course_id, date, count, cumulative_count)"
        " VALUES ('a/b/c', '2015-03-01', 7, 9)",
    )
    report = home.run(log())
    assert "pharos run --accept-loss course_enrollment_daily" in report.not_published[DAILY]
    assert set(report.not_published) == {DAILY}
    assert ("a/b/c", "2015-03-01", 7, 9) in home.rows_of(DAILY)
    report = home.run(log(), accepted=(DAILY,))
    assert report.not_published == {}
    assert ("a/b/c", "2015-03-01", 7, 9) not in home.tables()[DAILY]


@pytest.mark.slow
def test_any_way_to_a_state_gives_its_tables(tmp_path: Path) -> None:
    """Pieces of a log in any order, moments before and after, deleted files: as a fresh run says at once."""
    home = Installation(tmp_path / "home")
    for step, known in enumerate(some_way(home, seed=1, rounds=2, steps=3)):
        fresh = Installation(tmp_path / f"fresh-{step}")
        fresh.run(known, UNTIL)
        assert home.tables() == fresh.tables()
        assert home.parts() == fresh.parts()
    engine = store.connect(home.settings.store_url)
    assert store.altered(engine) == {}
    engine.dispose()


@few
@pytest.mark.slow
@pytest.mark.parametrize("engine_settings", [SPARK], indirect=True)
def test_any_way_to_a_state_gives_its_tables_on_spark(
    engine_settings: EngineSettings, tmp_path: Path
) -> None:
    """As a fresh run of the embedded engine says at once; of the results that stand on carried states."""
    home = Installation(tmp_path / "home", engine=engine_settings.model_dump())
    fresh = Installation(tmp_path / "fresh")
    with computing(*CARRIED):
        for known in some_way(home, seed=5, rounds=1, steps=1):
            fresh.run(known, UNTIL)
            assert home.tables() == fresh.tables()


def some_way(home: Installation, seed: int, *, rounds: int, steps: int) -> Iterator[list[str]]:
    """Run on more and more of a log in any order, until any moments, with files deleted in between.

    Yields the lines of each round, after a run on them until the end.
    """
    rng = random.Random(seed)
    everything = log()
    rng.shuffle(everything)
    seen = 0
    for _ in range(rounds):
        for _ in range(steps):
            seen = rng.randint(seen, len(everything))
            until = datetime.fromisoformat(rng.choice(DAYS)) + timedelta(hours=rng.choice((0, 3, 14)))
            home.run(everything[:seen], until if rng.random() < 0.5 else UNTIL)
            if rng.random() < 0.5:
                paths = [path for path in home.paths() if path.suffix == ".parquet"]
                for path in rng.sample(paths, min(3, len(paths))):
                    path.unlink()
        seen = rng.randint(seen, len(everything))
        home.run(everything[:seen], UNTIL)
        yield everything[:seen]


@few
def test_files_are_merged_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run a line: files would be as many as runs."""
    monkeypatch.setattr(parted, "MOST_FILES", 3)
    monkeypatch.setattr(parted, "MERGED_AT_ONCE", 2)
    home = Installation(tmp_path / "home")
    for size in range(24, len(log()) + 1, 24):
        home.run(log()[:size])
    folders = [*(home.settings.lake / "facts").iterdir(), *(home.settings.lake / "results").iterdir()]
    for folder in folders:
        table = parted.load(folder)
        assert len(set(table.parts["file"].to_pylist()) - {""}) <= 4, folder
    fresh = Installation(tmp_path / "fresh")
    fresh.run(log())
    assert home.tables() == fresh.tables()
    assert home.parts() == fresh.parts()
