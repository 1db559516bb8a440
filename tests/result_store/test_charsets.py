"""Tables of the original on MariaDB, in the character sets of ten years."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from tests.conftest import _create_database, _numbers
from tests.result_store.test_store import publication

from pharos.check.here import result_stores
from pharos.config import ResultStoreSettings, Settings
from pharos.result_store import store, tables
from pharos.result_store.connecting import engine_for

TABLE, ENGAGEMENT = tables.course_enrollment_mode_daily, tables.module_engagement
CHINESE, EMOJI = "course-v1:清华+数学+2024", "modé 😀"


def make(engine: sa.Engine, charset: str) -> None:
    """A table with a unique key, and one whose index is too long where a character takes four bytes."""
    key = "UNIQUE KEY one (course_id, date, mode)" if charset == "latin1" else "KEY one (course_id)"
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE course_enrollment_mode_daily (id BIGINT AUTO_INCREMENT PRIMARY KEY,"
            " date DATE NOT NULL, course_id VARCHAR(255) NOT NULL, mode VARCHAR(255) NOT NULL,"
            " count INTEGER, cumulative_count INTEGER, created TIMESTAMP DEFAULT CURRENT_TIMESTAMP,"
            f" {key}) ROW_FORMAT={'COMPACT' if charset == 'latin1' else 'DYNAMIC'} CHARACTER SET {charset}"
        )
        connection.exec_driver_sql(
            "CREATE TABLE module_engagement (id BIGINT AUTO_INCREMENT PRIMARY KEY,"
            " course_id VARCHAR(255) NOT NULL, username VARCHAR(255) NOT NULL, date DATE NOT NULL,"
            " entity_type VARCHAR(10) NOT NULL, entity_id VARCHAR(255) NOT NULL,"
            " event VARCHAR(30) NOT NULL, count INTEGER NOT NULL,"
            " created TIMESTAMP DEFAULT CURRENT_TIMESTAMP,"
            " UNIQUE KEY long_one (course_id, username, date, entity_type, entity_id, event))"
            f" ROW_FORMAT=DYNAMIC CHARACTER SET {charset}"
        )
        connection.exec_driver_sql(
            "INSERT INTO course_enrollment_mode_daily (date, course_id, mode, count)"
            " VALUES ('2015-03-01', 'Ünix/é/2015', 'honor', 3)"
        )
        connection.exec_driver_sql(
            "INSERT INTO module_engagement (course_id, username, date, entity_type, entity_id, event, count)"
            " VALUES ('Ünix/é/2015', 'zoë', '2015-03-01', 'video', 'v', 'viewed', 2)"
        )


@pytest.fixture(params=["latin1", "utf8mb3"])
def engine(request: pytest.FixtureRequest, mariadb_url: str) -> Iterator[sa.Engine]:
    engine = engine_for(_create_database(mariadb_url, f"charset_{next(_numbers)}"))
    make(engine, request.param)
    yield engine
    engine.dispose()


def url_of(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_texts_of_every_script_can_be_published_after_the_upgrade(engine: sa.Engine) -> None:
    store.upgrade(url_of(engine))
    assert store.unconverted(engine) == {}
    with engine.connect() as connection:
        before = connection.execute(sa.select(TABLE.c.course_id, TABLE.c["count"])).all()
        users = connection.execute(sa.select(ENGAGEMENT.c.username)).scalars().all()
        index = connection.exec_driver_sql("SHOW INDEX FROM module_engagement").mappings().all()
    assert (before, users) == ([("Ünix/é/2015", 3)], ["zoë"])
    columns = [row["Column_name"] for row in index if row["Key_name"] == "long_one"]
    assert columns == ["course_id", "username", "date", "entity_type", "entity_id", "event"]
    courses = [CHINESE, CHINESE.upper(), CHINESE.title()]
    rows = pa.table(
        {
            "date": [date(2031, 3, 1)] * 3,
            "course_id": courses,
            "mode": [EMOJI] * 3,
            "count": [1, 2, 3],
            "cumulative_count": [1, 2, 3],
        }
    )
    store.publish(engine, TABLE, rows, publication())
    with engine.connect() as connection:
        found = connection.execute(sa.select(TABLE.c.course_id, TABLE.c.mode)).all()
    assert sorted(found) == sorted((course, EMOJI) for course in courses)
    assert store.altered(engine) == {}


def test_where_it_may_not_convert_the_statement_is_named(engine: sa.Engine) -> None:
    """The store works on, and an administrator is told what to do."""
    name = f"no_alter_{next(_numbers)}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE USER {name} IDENTIFIED BY 'secret'")
        connection.exec_driver_sql(
            f"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, INDEX, DROP ON {engine.url.database}.* TO {name}"
        )
    limited = engine.url.set(username=name, password="secret").render_as_string(hide_password=False)
    store.upgrade(url_of(engine))
    with engine.begin() as connection:
        for table in (TABLE, ENGAGEMENT):
            connection.exec_driver_sql(f"DROP TABLE {table.name}")
    make(engine, "latin1")
    store.upgrade(limited)
    statements = store.unconverted(engine)
    assert set(statements) == {TABLE.name, ENGAGEMENT.name}
    settings = Settings(result_store=ResultStoreSettings(url=SecretStr(limited)))
    told = [finding.text for finding in result_stores(settings) if not finding.is_good]
    assert [text for text in told if statements[TABLE.name] in text]
    with engine.begin() as connection:
        for statement in statements.values():
            connection.exec_driver_sql(statement)
    assert store.unconverted(engine) == {}
