"""Creating, migrating and publishing into real databases of each kind."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from tests.mysql_8 import certificate_for_loopback, mysql_8

from pharos.errors import ConfigurationError
from pharos.result_store import store, tables
from pharos.result_store.connecting import engine_for
from pharos.result_store.errors import (
    ContractViolation,
    EmptyResult,
    StoreIsNewer,
    StoreNotReady,
    StoreRefuses,
    StoreUnreachable,
)
from pharos.result_store.store import Publication, WholeTable

TABLE = tables.course_enrollment_daily
COURSE = "course-v1:OrgX+ABC101+2031_T1"


def rows(days: int, *, course: str = COURSE, count: int = 1) -> pa.Table:
    return pa.table(
        {
            "course_id": [course] * days,
            "date": [date(2031, 3, 1) + timedelta(days=day) for day in range(days)],
            "count": pa.array([count] * days, pa.int64()),
            "cumulative_count": pa.array([count] * days, pa.int64()),
        }
    )


def publication(fingerprint: str = "f1") -> Publication:
    return Publication(
        fingerprint=fingerprint,
        until=datetime(2031, 3, 3),
        last_event=datetime(2031, 3, 2, 23, 59, 59, 123456),
        version=1,
    )


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    store.upgrade(store_url)
    engine = store.connect(store_url)
    yield engine
    engine.dispose()


def stored(engine: sa.Engine, table: sa.Table = TABLE) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(table).order_by(table.c.date))]


def test_upgrade_of_a_current_store_changes_nothing(engine: sa.Engine, store_url: str) -> None:
    store.publish(engine, TABLE, rows(2), publication())
    store.upgrade(store_url)
    assert len(stored(engine)) == 2


def test_upgrade_creates_the_database_and_its_folder(
    tmp_path: Path, mariadb_url: str, postgres_url: str
) -> None:
    for url in (
        f"sqlite:///{tmp_path}/new/folder/store.sqlite",
        mariadb_url.replace("/test", "/created_by_upgrade"),
        postgres_url.replace("/test", "/created_by_upgrade"),
    ):
        store.upgrade(url)
        store.connect(url).dispose()


def test_published_rows_are_read_back_with_what_they_stand_for(engine: sa.Engine) -> None:
    assert store.publish(engine, TABLE, rows(2, count=7), publication()) == 2
    assert [row[1:5] for row in stored(engine)] == [
        (COURSE, date(2031, 3, 1), 7, 7),
        (COURSE, date(2031, 3, 2), 7, 7),
    ]
    found = store.published(engine)
    assert found == {"course_enrollment_daily": publication()}
    assert found["course_enrollment_daily"].row_count == 2
    with engine.connect() as connection:
        markers = connection.execute(
            sa.select(tables.table_updates.c.update_id, tables.table_updates.c.target_table)
        ).all()
    assert markers == [("course_enrollment_daily:f1", "course_enrollment_daily")]


def test_publishing_replaces_all_rows(engine: sa.Engine) -> None:
    store.publish(engine, TABLE, rows(5), publication())
    store.publish(engine, TABLE, rows(2, course="a/b/c"), publication("f2"))
    assert {row[1] for row in stored(engine)} == {"a/b/c"}
    assert store.published(engine)["course_enrollment_daily"].fingerprint == "f2"


def test_equal_rows_are_not_written_again_but_stand_for_the_new_time(engine: sa.Engine) -> None:
    store.publish(engine, TABLE, rows(5), publication())
    before, first = stored(engine), store.published(engine)["course_enrollment_daily"]
    later = Publication(fingerprint="f2", until=datetime(2031, 3, 4), last_event=None, version=2)
    store.publish(engine, TABLE, rows(5), later)
    assert stored(engine) == before
    second = store.published(engine)["course_enrollment_daily"]
    assert second == later
    assert second.published == first.published


def test_rows_deleted_by_hand_come_back(engine: sa.Engine) -> None:
    store.publish(engine, TABLE, rows(5), publication())
    with engine.begin() as connection:
        connection.execute(sa.delete(TABLE).where(TABLE.c.date == date(2031, 3, 1)))
    store.publish(engine, TABLE, rows(5), publication())
    assert len(stored(engine)) == 5


def test_an_empty_result_does_not_wipe_a_table(engine: sa.Engine) -> None:
    store.publish(engine, TABLE, rows(0), publication())  # nothing was there, nothing is lost
    store.publish(engine, TABLE, rows(1), publication())
    with pytest.raises(EmptyResult, match="course_enrollment_daily: the new result has no rows"):
        store.publish(engine, TABLE, rows(0), publication("f2"))
    assert len(stored(engine)) == 1
    assert store.published(engine)["course_enrollment_daily"].fingerprint == "f1"
    store.publish(engine, TABLE, rows(0), publication("f2"), allow_empty=True)
    assert stored(engine) == []


def test_a_group_of_tables_is_published_whole_or_not_at_all(engine: sa.Engine) -> None:
    store.publish(engine, TABLE, rows(1), publication())
    modes = rows(3).append_column("mode", pa.array(["audit"] * 3))
    group = [
        WholeTable(table=tables.course_enrollment_mode_daily, rows=modes, publication=publication()),
        WholeTable(table=TABLE, rows=rows(0), publication=publication("f2")),
    ]
    with pytest.raises(EmptyResult):
        store.publish_together(engine, group)
    assert stored(engine, tables.course_enrollment_mode_daily) == []
    assert store.publish_together(engine, group[:1]) == 3


def test_ids_are_equal_only_if_every_character_is(engine: sa.Engine) -> None:
    ids = ["a/b/c", "A/b/c", "a/b/c ", "á/b/c", "a/b/😀"]
    store.publish(engine, TABLE, pa.concat_tables([rows(1, course=id_) for id_ in ids]), publication())
    with engine.connect() as connection:
        for id_ in ids:
            found = connection.execute(sa.select(TABLE.c.course_id).where(TABLE.c.course_id == id_))
            assert found.scalars().all() == [id_]


def test_a_reader_sees_old_or_new_rows_never_a_part(engine: sa.Engine) -> None:
    store.publish(engine, TABLE, rows(50), publication())
    seen, done = set(), threading.Event()

    def read() -> None:
        with engine.connect() as connection:
            while not done.is_set():
                seen.add(
                    tuple(connection.execute(sa.select(sa.func.count(), sa.func.max(TABLE.c.count))).one())
                )
                connection.rollback()

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        store.publish(engine, TABLE, rows(50 + number % 2, count=number), publication(str(number)))
    done.set()
    reader.join()
    assert seen <= {(50 + number % 2, number) for number in range(200)} | {(50, 1)}


def test_tables_of_the_original_are_taken_over(store_url: str) -> None:
    engine = engine_for(store_url)
    original = sa.Table(
        "course_enrollment_daily",
        sa.MetaData(),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("course_id", sa.String(255), nullable=False),
        sa.Column("date", sa.Date, nullable=False),
        sa.Column("count", sa.Integer),
        sa.Column("cumulative_count", sa.Integer),
        sa.Column("created", sa.TIMESTAMP, server_default=sa.func.now()),
    )
    original.create(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(original).values(course_id=COURSE, date=date(2031, 3, 1), count=3))
    store.upgrade(store_url)
    assert len(stored(engine)) == 1
    store.check(engine)
    store.publish(engine, TABLE, rows(4), publication())
    assert len(stored(engine)) == 4
    engine.dispose()


def test_a_store_without_tables_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite"
    with pytest.raises(StoreUnreachable, match="there is no such file"):
        store.connect(f"sqlite:///{path}")
    path.touch()
    with pytest.raises(StoreNotReady, match="Run `pharos store upgrade`"):
        store.connect(f"sqlite:///{path}")


def test_an_unreachable_store_is_named_without_its_password(free_port: int) -> None:
    for dialect in ("mysql+pymysql", "postgresql+psycopg"):
        with pytest.raises(StoreUnreachable) as error:
            store.connect(f"{dialect}://someone:geheim@127.0.0.1:{free_port}/reports")
        assert "geheim" not in str(error.value)
        assert f"127.0.0.1:{free_port}" in str(error.value)


@pytest.mark.parametrize("dialect", ["mysql+pymysql", "postgresql+psycopg"])
def test_a_server_that_accepts_and_says_nothing_is_given_up(
    dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a time limit of ours, its reader would wait for ever."""
    monkeypatch.setattr(store, "ANSWER_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"{dialect}://someone@127.0.0.1:{server.getsockname()[1]}/reports"
        for attempt in (store.connect, store.upgrade):
            with pytest.raises(StoreUnreachable, match="cannot be used"):
                attempt(url)


@pytest.mark.parametrize("url", ["nonsense", "oracle://host/x", "mysql://u:p@ss@host/x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"result_store\.url"):
        store.connect(url)


def test_an_address_needs_no_driver(store_url: str) -> None:
    """Hosts of databases hand out `mysql://` and `postgres://`."""
    plain = store_url.replace("mysql+pymysql:", "mysql:").replace("postgresql+psycopg:", "postgres:")
    store.upgrade(plain)
    store.connect(plain).dispose()


@pytest.mark.parametrize("way", ["TLS", "RSA"])
def test_mysql_8_is_published_to(mariadb_url: str, tmp_path: Path, way: str) -> None:
    """It knows no other way to sign in than `caching_sha2_password`, unless told to."""
    files = certificate_for_loopback(tmp_path) if way == "TLS" else (None, None)
    with mysql_8(mariadb_url, certificate=files[0], key=files[1]) as server:
        options = {"ssl_mode": "verify_identity", "ssl_ca": str(files[0])} if way == "TLS" else {}
        url = server.url(f"store_on_8_{way.lower()}", **options)
        store.upgrade(url)
        engine = store.connect(url)
        store.publish(engine, TABLE, rows(3), publication())
        assert len(stored(engine)) == 3
        engine.dispose()
        assert set(server.signed_in) == {way}


def test_rows_that_break_the_contract_change_nothing(engine: sa.Engine) -> None:
    store.publish(engine, TABLE, rows(1), publication())
    with pytest.raises(ContractViolation):
        store.publish(engine, TABLE, pa.concat_tables([rows(2), rows(1)]), publication("f2"))
    assert len(stored(engine)) == 1


def test_a_store_of_a_later_release_is_left_alone(engine: sa.Engine, store_url: str) -> None:
    store.publish(engine, TABLE, rows(2), publication())
    version = sa.table(store.VERSION_TABLE, sa.column("version_num"))
    with engine.begin() as connection:
        connection.execute(sa.update(version).values(version_num="9999"))
    for attempt in (store.upgrade, store.connect, lambda url: store.downgrade(url, "0002")):
        with pytest.raises(StoreIsNewer, match="9999"):
            attempt(store_url)
    assert len(stored(engine)) == 2


def test_a_store_of_a_later_release_is_read_as_long_as_it_has_all(engine: sa.Engine) -> None:
    assert store.check_readable(engine) is False
    version = sa.table(store.VERSION_TABLE, sa.column("version_num"))
    with engine.begin() as connection:
        connection.execute(sa.update(version).values(version_num="9999"))
        connection.execute(sa.text("ALTER TABLE video ADD COLUMN of_later INTEGER"))
        connection.execute(sa.text("CREATE TABLE of_later (id INTEGER)"))
    assert store.check_readable(engine) is True
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE video DROP COLUMN duration"))
    with pytest.raises(StoreIsNewer, match="9999"):
        store.check_readable(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE video"))
    with pytest.raises(StoreIsNewer, match="9999"):
        store.check_readable(engine)


def test_downgrade_keeps_the_rows_of_the_tables_that_stay(engine: sa.Engine, store_url: str) -> None:
    store.publish(engine, TABLE, rows(2), publication())
    store.downgrade(store_url, "0002")
    assert len(stored(engine)) == 2
    assert "enrollment_reconciliation" not in sa.inspect(engine).get_table_names()
    with pytest.raises(StoreNotReady, match="0002"):
        store.connect(store_url)
    with pytest.raises(ConfigurationError, match="0003"):
        store.downgrade(store_url, "0003")
    store.upgrade(store_url)
    assert len(stored(engine)) == 2


def test_what_is_committed_to_a_file_is_on_disk(tmp_path: Path) -> None:
    """In WAL mode anything less than FULL may lose the last commits in a power failure."""
    engine = engine_for(f"sqlite:///{tmp_path / 'store'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    engine.dispose()


def test_every_failure_of_the_store_names_its_cause(mariadb_url: str, tmp_path: Path) -> None:
    def told(url: str) -> str:
        with pytest.raises(StoreUnreachable) as error:
            store.connect(url)
        return str(error.value)

    assert "unknown database" in told(f"sqlite:///{tmp_path / 'missing.sqlite'}")
    assert "unknown database" in told(mariadb_url.replace("/test", "/no_such"))
    assert "wrong user name or password" in told(mariadb_url.replace(":pharos@", ":geheim@"))
    option = told(mariadb_url + "&no_such_option=1")
    assert "an option of the address is unknown" in option
    file = tmp_path / "full.sqlite"
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreRefuses, match="no SQLite database, or a damaged one"):
        store.connect(f"sqlite:///{file}")


@pytest.mark.parametrize("name", ["password", "sslpassword"])
def test_a_password_among_the_options_is_not_shown(name: str, free_port: int) -> None:
    for dialect in ("mysql", "postgresql"):
        with pytest.raises(StoreUnreachable) as error:
            store.connect(f"{dialect}://someone@127.0.0.1:{free_port}/reports?{name}=geheim")
        assert "geheim" not in str(error.value)
        assert "127.0.0.1" in str(error.value)


def test_a_locked_file_is_said_to_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pharos.result_store.connecting.LOCK_S", 0)
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    store.upgrade(url)
    engine, other = store.connect(url), sqlite3.connect(tmp_path / "store.sqlite")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreRefuses, match="locked by another program"):
        store.publish(engine, TABLE, rows(1), publication())
    other.close()
    engine.dispose()


def test_a_table_that_another_program_locks_does_not_hold_back_the_others(
    mariadb_url: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pharos.result_store.connecting.LOCK_S", 1)
    modes = rows(3).append_column("mode", pa.array(["audit"] * 3))
    changes = [
        store._whole(  # noqa: SLF001 - as `publish` makes them
            WholeTable(table=table, rows=new, publication=publication()), allow_empty=False
        )
        for table, new in ((TABLE, rows(2)), (tables.course_enrollment_mode_daily, modes))
    ]
    for server, lock in (
        (mariadb_url, f"LOCK TABLES {TABLE.name} READ"),
        (postgres_url, f"LOCK TABLE {TABLE.name} IN SHARE MODE"),
    ):
        url = server.replace("/test", f"/locked_{server[:5]}")
        store.upgrade(url)
        ours, other = engine_for(url), engine_for(url)
        with other.connect() as connection:
            connection.exec_driver_sql(lock)
            assert store.unreadable(ours) == {}
            written = store.publish_edition(ours, changes)
            assert written["course_enrollment_mode_daily"].rows == 3
            assert "locked by another program" in str(written[TABLE.name].problem)
            connection.exec_driver_sql(lock.replace("READ", "WRITE").replace("SHARE", "ACCESS EXCLUSIVE"))
            assert "locked by another program" in str(store.unreadable(ours)[TABLE.name])
        other.dispose()
        assert store.publish_edition(ours, changes)[TABLE.name].rows == 2
        ours.dispose()


def test_a_table_that_may_not_be_written_does_not_hold_back_the_others(
    mariadb_url: str, postgres_url: str
) -> None:
    for server, grant in (
        (mariadb_url, "GRANT {rights} ON `{database}`.`{table}` TO {user}"),
        (postgres_url, "GRANT {rights} ON {table} TO {user}"),
    ):
        name = f"limited_{server[:5]}"
        url = server.replace("/test", f"/{name}")
        store.upgrade(url)
        admin = engine_for(url)
        quick = {"user": name, "database": name}
        with admin.begin() as connection:
            if admin.dialect.name == "postgresql":
                connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
            else:
                connection.exec_driver_sql(f"CREATE USER {name} IDENTIFIED BY 'pharos'")
                temporary = f"GRANT CREATE TEMPORARY TABLES ON `{name}`.* TO {name}"
                connection.exec_driver_sql(temporary)
            for table in tables.metadata.tables:
                rights = "SELECT" if table == TABLE.name else "SELECT, INSERT, UPDATE, DELETE"
                connection.exec_driver_sql(grant.format(rights=rights, table=table, **quick))
                if admin.dialect.name == "postgresql" and "id" in tables.metadata.tables[table].c:
                    sequence = f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}"
                    connection.exec_driver_sql(sequence)
        limited = engine_for(admin.url.set(username=name).render_as_string(hide_password=False))
        modes = rows(3).append_column("mode", pa.array(["audit"] * 3))
        changes = [
            store._whole(  # noqa: SLF001 - as `publish` makes them
                WholeTable(table=table, rows=new, publication=publication()), allow_empty=False
            )
            for table, new in ((TABLE, rows(2)), (tables.course_enrollment_mode_daily, modes))
        ]
        written = store.publish_edition(limited, changes)
        assert written["course_enrollment_mode_daily"].rows == 3
        assert "access denied" in str(written[TABLE.name].problem)
        assert stored(admin) == []
        limited.dispose()
        admin.dispose()
