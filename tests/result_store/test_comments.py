"""Who reads the database by SQL finds the contract's texts in it."""

from __future__ import annotations

import logging
from datetime import date

import pytest
import sqlalchemy as sa

from pharos.result_store import comments, store, tables
from pharos.result_store.connecting import engine_for

TABLE_CHARACTERS, COLUMN_CHARACTERS = 2048, 1024  # that MySQL allows


@pytest.fixture
def server_url(store_url: str) -> str:
    if store_url.startswith("sqlite"):
        pytest.skip("SQLite has no comments")
    return store_url


def found(engine: sa.Engine, table: sa.Table) -> dict[str | None, str | None]:
    """The comments of a table, under no name, and of its columns."""
    inspector = sa.inspect(engine)
    texts: dict[str | None, str | None] = {None: inspector.get_table_comment(table.name)["text"]}
    return texts | {column["name"]: column["comment"] for column in inspector.get_columns(table.name)}


def expected(table: sa.Table) -> dict[str | None, str | None]:
    texts: dict[str | None, str | None] = {None: table.comment}
    return texts | {column.name: column.comment for column in table.columns}


def test_comments_fit_every_database() -> None:
    for table in tables.metadata.sorted_tables:
        assert len(table.comment or "") <= TABLE_CHARACTERS, table.name
        for column in table.columns:
            assert len(column.comment or "") <= COLUMN_CHARACTERS, column
    assert (tables.video.comment or "").startswith("Videos")


def test_a_store_explains_itself(server_url: str) -> None:
    store.upgrade(server_url)
    engine = engine_for(server_url)
    for table in tables.metadata.sorted_tables:
        assert found(engine, table) == expected(table)
    engine.dispose()


def test_an_upgrade_writes_comments_that_are_missing_or_old(server_url: str) -> None:
    """Also into a table of the original, which is otherwise left as it is."""
    engine = engine_for(server_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE course_enrollment_daily (id integer PRIMARY KEY, course_id varchar(100) NOT NULL "
            "DEFAULT 'it''s, one', date date NOT NULL, count integer, other integer)"
        )
        connection.exec_driver_sql(
            "INSERT INTO course_enrollment_daily VALUES (1, 'a/b/c', '2031-03-01', 3, 4)"
        )
    store.upgrade(server_url)
    with engine.begin() as connection:
        stored = sa.text("SELECT course_id, date, count, other FROM course_enrollment_daily")
        assert connection.execute(stored).one() == ("a/b/c", date(2031, 3, 1), 3, 4)
        connection.exec_driver_sql("INSERT INTO course_enrollment_daily (id, date) VALUES (2, '2031-03-01')")
    columns = {column["name"]: column for column in sa.inspect(engine).get_columns("course_enrollment_daily")}
    assert columns["course_id"]["nullable"] is False
    assert str(columns["course_id"]["type"]).startswith("VARCHAR(100)")
    assert columns["count"]["comment"] == tables.course_enrollment_daily.c["count"].comment
    assert columns["other"]["comment"] is None
    engine.dispose()


def test_a_table_that_is_not_ours_to_change_is_told(
    server_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.upgrade(server_url)
    monkeypatch.setattr(tables.video, "comment", "\0" + "x" * 3_000)  # neither database takes it
    engine = engine_for(server_url)
    with caplog.at_level(logging.WARNING), engine.begin() as connection:
        comments.refresh(connection)
        assert connection.execute(sa.select(tables.video)).all() == []
    assert "video: no comments could be written" in caplog.text
    engine.dispose()
