from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from tests import edxapp
from tests.edxapp import BEGIN, COURSE
from tests.mysql_8 import certificate_for_loopback, mysql_8

from pharos.database_addresses import database_address
from pharos.engine.base import Copied
from pharos.engine.database import scanned
from pharos.errors import ConfigurationError
from pharos.lms.errors import LMSDatabaseFailed
from pharos.lms.tables import TABLES


@pytest.fixture
def url(store_url: str) -> str:
    """An LMS database, of each kind in turn."""
    return edxapp.create(store_url)


def copied(url: str, table: str, target: Path, **options: Any) -> list[dict[str, Any]]:
    with scanned(database_address(url)) as database:
        database.copy(table, TABLES[table].schema, target / "copy.parquet", **options)
    rows: list[dict[str, Any]] = pq.read_table(target / "copy.parquet").to_pylist()
    return rows


def test_columns_are_read_by_name_in_our_types(url: str, tmp_path: Path) -> None:
    assert copied(url, "student_courseenrollment", tmp_path) == [
        {
            "id": number * 10, "user_id": number, "course_id": COURSE, "created": BEGIN,
            "is_active": number != 2, "mode": "verified" if number == 1 else "audit",
        }
        for number in (1, 2, 3)
    ]  # fmt: skip
    assert copied(url, "auth_userprofile", tmp_path) == [
        {
            "user_id": 1, "name": "Zoë Ψ", "gender": "f", "year_of_birth": 1990, "level_of_education": "b"
        },
        {"user_id": 2, "name": "", "gender": "", "year_of_birth": None, "level_of_education": None},
    ]  # fmt: skip
    assert copied(url, "grades_persistentcoursegrade", tmp_path) == [
        {
            "user_id": 1, "course_id": COURSE, "percent_grade": 0.825, "letter_grade": "B",
            "passed_timestamp": BEGIN + timedelta(days=1), "modified": BEGIN + timedelta(days=2),
        }
    ]  # fmt: skip


def test_only_rows_with_the_value_that_is_wanted(url: str, tmp_path: Path) -> None:
    """Further preferences stay where they are; a value of theirs that is too long is no malformed row."""
    assert copied(url, "user_api_userpreference", tmp_path) == [
        {"user_id": 1, "key": "pref-lang", "value": "es-419"}
    ]


def test_every_table_is_there_and_has_the_schema_we_want(url: str, tmp_path: Path) -> None:
    with scanned(database_address(url)) as database:
        for name, table in TABLES.items():
            assert database.columns(name) >= set(table.schema.names), name
            assert database.columns(name) == set(edxapp.TABLES.tables[name].columns.keys())
            copied = database.copy(name, table.schema, tmp_path / "copy.parquet")
            stored = pq.read_table(tmp_path / "copy.parquet")
            assert (copied.rows, copied.malformed) == (stored.num_rows, 0), name
            assert stored.schema.names == table.schema.names
            assert stored.schema.types == table.schema.types
            assert stored.num_rows > 0, name


def test_only_rows_since_a_moment(url: str, tmp_path: Path) -> None:
    rows = copied(url, "courseware_studentmodule", tmp_path, since=("modified", BEGIN + timedelta(hours=3)))
    assert [row["id"] for row in rows] == [3, 4]  # half-open: the moment itself belongs to it


def test_a_table_that_is_not_there_has_no_columns(url: str) -> None:
    with scanned(database_address(url)) as database:
        assert database.columns("no_such_table") == set()
        assert database.columns("auth_user")


def test_a_probe_reads_a_row_of_each_table_or_says_why_not(url: str) -> None:
    edxapp.change(url, "ALTER TABLE auth_user DROP COLUMN is_staff")
    with scanned(database_address(url)) as database:
        for table in TABLES.values():
            if table.name != "auth_user":
                database.probe(table.name, table.schema)
        with pytest.raises(LMSDatabaseFailed, match=r"auth_user.*is_staff"):
            database.probe("auth_user", TABLES["auth_user"].schema)
        with pytest.raises(LMSDatabaseFailed, match="no_such_table"):
            database.probe("no_such_table", TABLES["auth_user"].schema)


def test_a_probe_needs_the_right_to_read_the_columns(mariadb_url: str) -> None:
    """An account that sees the table, but may not read all of it."""
    edxapp.change(
        mariadb_url,
        "CREATE DATABASE IF NOT EXISTS probed",
        "CREATE TABLE IF NOT EXISTS probed.auth_user AS SELECT 1 id, 'zoe' username",
        "CREATE USER IF NOT EXISTS probing IDENTIFIED BY 'probes'",
        "GRANT SELECT (id) ON probed.auth_user TO probing",
    )
    place = mariadb_url.partition("@")[2].partition("/")[0]
    with (
        scanned(database_address(f"mysql://probing:probes@{place}/probed")) as database,
        pytest.raises(LMSDatabaseFailed, match="auth_user"),
    ):
        database.probe("auth_user", pa.schema([("id", pa.int64()), ("username", pa.string())]))


@pytest.mark.parametrize("store_url", ["mariadb", "postgres"], indirect=True)
def test_what_is_read_is_of_one_moment(store_url: str, tmp_path: Path) -> None:
    """What happens between reading two tables must not tear apart what belongs together."""
    url = edxapp.create(store_url)
    with scanned(database_address(url)) as database:
        database.copy("auth_user", TABLES["auth_user"].schema, tmp_path / "users.parquet")
        edxapp.change(store_url, sa.delete(edxapp.auth_userprofile), sa.delete(edxapp.auth_user))
        schema = TABLES["auth_userprofile"].schema
        assert database.copy("auth_userprofile", schema, tmp_path / "profiles.parquet").rows == 2


def test_rows_that_do_not_fit_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    """SQLite stores anything anywhere; servers do the same once a column has another type than ours."""
    store = f"sqlite:///{tmp_path / 'lms.sqlite'}"
    url = edxapp.create(store)
    edxapp.change(
        store,
        "UPDATE auth_userprofile SET year_of_birth = 'nineteen' WHERE user_id = 1",
        "UPDATE student_courseenrollment SET created = 'yesterday' WHERE id = 10",
        "UPDATE student_courseenrollment SET is_active = 'maybe' WHERE id = 20",
    )
    with scanned(database_address(url)) as database:
        profiles = database.copy("auth_userprofile", TABLES["auth_userprofile"].schema, tmp_path / "profiles")
        enrolled = TABLES["student_courseenrollment"].schema
        enrollments = database.copy("student_courseenrollment", enrolled, tmp_path / "enrollments")
    assert profiles == Copied(rows=2, malformed=1)
    assert pq.read_table(tmp_path / "profiles")["year_of_birth"].to_pylist() == [None, None]
    assert enrollments == Copied(rows=2, malformed=2)
    assert pq.read_table(tmp_path / "enrollments")["id"].to_pylist() == [10, 30]  # 20 has no state at all
    assert pq.read_table(tmp_path / "enrollments")["created"].to_pylist() == [None, BEGIN]


def test_values_beyond_their_limits_are_unknown_and_counted(store_url: str, tmp_path: Path) -> None:
    """They would fit no column of the results, and end a run."""
    url = edxapp.create(store_url)
    wide = {"mysql": "MODIFY gender VARCHAR(20), MODIFY year_of_birth BIGINT",
            "postgresql": "ALTER gender TYPE VARCHAR(20), ALTER year_of_birth TYPE BIGINT"}  # fmt: skip
    kind = database_address(url).kind
    if kind in wide:
        edxapp.change(store_url, f"ALTER TABLE auth_userprofile {wide[kind]}")
    edxapp.change(
        store_url,
        "UPDATE auth_userprofile SET gender = 'twelveletter' WHERE user_id = 1",
        "UPDATE auth_userprofile SET year_of_birth = 99999999999 WHERE user_id = 2",
    )
    with scanned(database_address(url)) as database:
        table = TABLES["auth_userprofile"]
        found = database.copy(table.name, table.schema, tmp_path / "profiles")
    assert found == Copied(rows=2, malformed=2)
    rows = sorted(pq.read_table(tmp_path / "profiles").to_pylist(), key=lambda row: row["user_id"])
    assert [(row["gender"], row["year_of_birth"], row["level_of_education"]) for row in rows] == [
        (None, 1990, "b"), ("", None, None),
    ]  # fmt: skip


def test_a_moment_of_zeros_is_none(mariadb_url: str, tmp_path: Path) -> None:
    """Old rows of MySQL hold `0000-00-00 00:00:00`."""
    edxapp.change(
        mariadb_url,
        "DROP TABLE IF EXISTS old_enrollment",
        "CREATE TABLE old_enrollment (id INT, created DATETIME(6))",
        "SET SESSION sql_mode = ''",
        "INSERT INTO old_enrollment VALUES (1, '0000-00-00 00:00:00'), (2, '2013-00-00 00:00:00')",
        "INSERT INTO old_enrollment VALUES (3, '2013-08-20 00:00:00')",
    )
    schema = pa.schema([("id", pa.int64()), ("created", pa.timestamp("us"))])
    with scanned(database_address(mariadb_url.partition("?")[0])) as database:
        assert database.copy("old_enrollment", schema, tmp_path / "copy.parquet").rows == 3
    created = pq.read_table(tmp_path / "copy.parquet")["created"].to_pylist()
    assert created[0] is None
    assert created[2] is not None


def test_a_database_that_cannot_be_opened(url: str, free_port: int, tmp_path: Path) -> None:
    address = database_address(url)
    wrong = {
        "sqlite": f"sqlite:///{tmp_path / 'nothing.sqlite'}",
        "mysql": f"mysql://pharos:secret@127.0.0.1:{address.port}/test",
        "postgresql": f"postgresql://pharos:secret@127.0.0.1:{free_port}/test",
    }[address.kind]
    with pytest.raises(LMSDatabaseFailed) as caught, scanned(database_address(wrong)):
        pass
    assert "secret" not in str(caught.value)
    assert "check lms.database" in str(caught.value)


def opened(url: str) -> None:
    with scanned(database_address(url)):
        pass


def test_every_failure_to_open_names_its_own_cause(
    mariadb_url: str, postgres_url: str, free_port: int, tmp_path: Path
) -> None:
    edxapp.change(mariadb_url, "CREATE USER IF NOT EXISTS nobody IDENTIFIED BY 'secret'")
    mysql, postgres = (url.partition("@")[2].partition("/")[0] for url in (mariadb_url, postgres_url))
    causes = {
        f"mysql://pharos:secret@{mysql}/test": "wrong user name or password",
        f"mysql://nobody:secret@{mysql}/test": "access denied",
        f"mysql://pharos:pharos@{mysql}/none": "unknown database",
        f"mysql://pharos:secret@127.0.0.1:{free_port}/test": "no server answers there",
        "mysql://pharos:secret@none.invalid/test": "unknown host",
        f"postgres://nobody:secret@{postgres}/test": "wrong user name or password",
        f"postgres://pharos:secret@{postgres}/none": "unknown database",
        f"postgres://pharos:secret@127.0.0.1:{free_port}/test": "no server answers there",
        "postgres://pharos:secret@none.invalid/test": "unknown host",
        f"postgres://pharos:secret@{postgres}/test?sslmode=require": "TLS failed",
        f"sqlite:///{tmp_path / 'none'}": "unknown database",
    }
    for url, cause in causes.items():
        with pytest.raises(LMSDatabaseFailed) as caught:
            opened(url)
        assert f": {cause} (" in str(caught.value), url
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("store_url", ["mariadb", "postgres"], indirect=True)
def test_a_table_that_may_not_be_read_is_told_from_one_that_is_not_there(
    store_url: str, tmp_path: Path
) -> None:
    """MySQL shows neither; an account without the right would lose tables that need not be there."""
    url = edxapp.create(store_url)
    database = database_address(url).database
    account = f"some_{database}"
    if url.startswith("mysql"):
        edxapp.change(
            store_url,
            f"CREATE USER {account} IDENTIFIED BY 'secret'",
            f"GRANT SELECT ON {database}.auth_user TO {account}",
        )
    else:
        edxapp.change(store_url, f"CREATE ROLE {account} LOGIN", f"GRANT SELECT ON auth_user TO {account}")
    place = url.partition("@")[2]
    scheme = url.partition(":")[0]
    with scanned(database_address(f"{scheme}://{account}:secret@{place}")) as lms:
        assert lms.copy("auth_user", TABLES["auth_user"].schema, tmp_path / "users").rows == 3
        with pytest.raises(LMSDatabaseFailed, match=r"table casbin_rule: access denied \("):
            lms.copy("casbin_rule", TABLES["casbin_rule"].schema, tmp_path / "rules")
        assert lms.copy("auth_user", TABLES["auth_user"].schema, tmp_path / "users").rows == 3


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    url = edxapp.create(f"sqlite:///{tmp_path / 'lms.sqlite'}")
    with (
        pytest.raises(LMSDatabaseFailed, match=r"a disk is full \(.*/dev/full"),
        scanned(database_address(url)) as database,
    ):
        database.copy("auth_user", TABLES["auth_user"].schema, Path("/dev/full"))


def test_a_locked_file_is_named(tmp_path: Path) -> None:
    url = edxapp.create(f"sqlite:///{tmp_path / 'lms.sqlite'}")
    hold = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('BEGIN EXCLUSIVE'); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(tmp_path / "lms.sqlite")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        try:
            with (
                pytest.raises(LMSDatabaseFailed, match="locked by another program"),
                scanned(database_address(url)) as database,
            ):
                database.copy("auth_user", TABLES["auth_user"].schema, tmp_path / "users")
        finally:
            other.communicate()


# --- MySQL 8 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "way"),
    [
        (None, "TLS"),
        ("preferred", "TLS"),
        ("required", "TLS"),
        ("verify_ca", "TLS"),
        ("verify_identity", "TLS"),
        ("disabled", "RSA"),
    ],
)
def test_mysql_8_with_tls_is_read(mariadb_url: str, tmp_path: Path, mode: str | None, way: str) -> None:
    certificate, key = certificate_for_loopback(tmp_path)
    options = {} if mode is None else {"ssl_mode": mode}
    if mode and mode.startswith("verify"):
        options["ssl_ca"] = str(certificate)
    with mysql_8(some_users(mariadb_url), certificate=certificate, key=key) as server:
        users = copied(server.url("users", **options), "auth_user", tmp_path)
        assert [user["username"] for user in users] == ["zoe"]
        assert set(server.signed_in) == {way}


def test_mysql_8_without_tls_is_read_and_the_password_hidden(mariadb_url: str, tmp_path: Path) -> None:
    """The client must not take the server for one with TLS, and send the password as it is."""
    with mysql_8(some_users(mariadb_url)) as server:
        assert copied(server.url("users"), "auth_user", tmp_path)
        assert set(server.signed_in) == {"RSA"}
        with pytest.raises(LMSDatabaseFailed, match="TLS failed"):
            opened(server.url("users", ssl_mode="required"))
        with pytest.raises(LMSDatabaseFailed, match="wrong user name or password") as caught:
            opened(server.url("users", password="wrong-secret"))
        assert "wrong-secret" not in str(caught.value)


@pytest.mark.parametrize("mode", ["verify_ca", "verify_identity"])
def test_a_server_nobody_vouches_for_is_refused(mariadb_url: str, tmp_path: Path, mode: str) -> None:
    """Also where no certificates are named: then those of the system count, which do not know the server."""
    certificate, key = certificate_for_loopback(tmp_path)
    (tmp_path / "other").mkdir()
    other, _ = certificate_for_loopback(tmp_path / "other")
    with mysql_8(some_users(mariadb_url), certificate=certificate, key=key) as server:
        for options in ({}, {"ssl_ca": str(other)}):
            with pytest.raises(LMSDatabaseFailed, match="TLS failed"):
                opened(server.url("users", ssl_mode=mode, **options))
        assert server.signed_in == []


def some_users(mariadb_url: str) -> str:
    """A database `users` on the server; the address of the server."""
    edxapp.change(
        mariadb_url,
        "CREATE DATABASE IF NOT EXISTS users",
        "CREATE OR REPLACE TABLE users.auth_user AS SELECT 1 id, 'zoe' username, 'z@x' email, "
        "1 is_active, 0 is_staff, 0 is_superuser",
    )
    return mariadb_url


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "lms.sqlite").write_text("not a database, but long enough to be looked at" * 40)
    address = database_address(f"sqlite:///{tmp_path / 'lms.sqlite'}")
    with pytest.raises(LMSDatabaseFailed, match=r"lms\.sqlite"), scanned(address) as database:
        database.copy("auth_user", TABLES["auth_user"].schema, tmp_path / "copy.parquet")


def test_reading_changes_nothing_and_needs_no_right_to(mariadb_url: str, tmp_path: Path) -> None:
    edxapp.change(
        mariadb_url,
        "CREATE DATABASE IF NOT EXISTS readonly",
        "CREATE TABLE IF NOT EXISTS readonly.auth_user AS SELECT 1 id, 'zoe' username, 'z@x' email, "
        "1 is_active, 0 is_staff, 0 is_superuser",
        "CREATE USER IF NOT EXISTS reader IDENTIFIED BY 'reads'",
        "GRANT SELECT ON readonly.* TO reader",
    )
    place = mariadb_url.partition("@")[2].partition("/")[0]
    with scanned(database_address(f"mysql://reader:reads@{place}/readonly")) as database:
        assert database.copy("auth_user", TABLES["auth_user"].schema, tmp_path / "users").rows == 1
    [row] = pq.read_table(tmp_path / "users").to_pylist()
    assert row == {
        "id": 1, "username": "zoe", "email": "z@x", "is_active": True, "is_staff": False,
        "is_superuser": False,
    }  # fmt: skip


def test_tls_is_demanded_when_the_url_says_so(mariadb_url: str) -> None:
    """The server of the tests has no certificate: whoever insists on TLS must not be connected."""
    url = f"{mariadb_url.partition('?')[0]}?ssl_mode=required"
    with pytest.raises(LMSDatabaseFailed, match=r"(?i)ssl|tls"), scanned(database_address(url)):
        pass


def test_without_its_package_a_kind_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duckdb.__version__", "9.9.9")
    with pytest.raises(ConfigurationError, match=r"pip install duckdb-extension-mysql-scanner==9\.9\.9"), \
            scanned(database_address("mysql://u@h/e")):  # fmt: skip
        pass


def test_a_connection_that_breaks_costs_one_table(mariadb_url: str, tmp_path: Path) -> None:
    edxapp.change(mariadb_url, "DROP DATABASE IF EXISTS broken", "CREATE DATABASE broken")
    store = mariadb_url.replace("/test", "/broken")
    schema = TABLES["auth_user"].schema
    with scanned(database_address(edxapp.create(store))) as database:
        database.copy("auth_user", schema, tmp_path / "users")
        with edxapp.open_database(store).connect() as connection:
            others = (
                "SELECT id FROM information_schema.processlist WHERE db = 'broken' AND id <> connection_id()"
            )
            for number in connection.execute(sa.text(others)).scalars().all():
                connection.execute(sa.text(f"KILL {number}"))
        with pytest.raises(LMSDatabaseFailed, match="table auth_user"):
            database.copy("auth_user", schema, tmp_path / "users")
        assert database.copy("auth_user", schema, tmp_path / "users").rows == 3
