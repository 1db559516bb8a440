"""Every migration goes up and down, with data in the tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from pharos.result_store import store, tables
from pharos.result_store.connecting import engine_for


def _migrate(engine: sa.Engine, revision: str, direction: Callable[..., None]) -> None:
    with engine.begin() as connection:
        configuration = store.migrations()
        configuration.attributes["connection"] = connection
        direction(configuration, revision)


def _differences(engine: sa.Engine) -> list[object]:
    """Where the tables are not those of the contract; comments are left out."""
    options = {
        "version_table": store.VERSION_TABLE,
        "include_object": lambda _, __, kind, *___: kind != "comment",
    }
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        found = compare_metadata(context, tables.metadata)
    return [
        difference
        for difference in found
        if "comment" not in str(difference) and not _is_of_clustered(engine, difference)
    ]


def _is_of_clustered(engine: sa.Engine, difference: Any) -> bool:
    """Whether it is the unique key of a table by day: in SQLite the table is clustered instead."""
    if engine.dialect.name != "sqlite" or difference[0] != "add_constraint":
        return False
    is_by_day: bool = tables.metadata.tables[difference[1].table.name].info["by_day"]
    return is_by_day


def test_migrations_lead_to_the_contract(store_url: str) -> None:
    store.upgrade(store_url)
    engine = engine_for(store_url)
    assert _differences(engine) == []
    engine.dispose()


def test_down_and_up_again_keeps_the_rows_of_older_tables(store_url: str) -> None:
    engine = engine_for(store_url)
    _migrate(engine, "head", command.upgrade)
    by_migrations = set(sa.inspect(engine).get_table_names())
    store.upgrade(store_url)
    by_contract = set(sa.inspect(engine).get_table_names()) - by_migrations
    with engine.begin() as connection:
        for table in (tables.course_enrollment_daily, tables.course_enrollment_gender_daily):
            connection.execute(sa.insert(table).values(course_id="a/b/c", date=date(2031, 3, 1), count=3))
    _migrate(engine, "0001", command.downgrade)
    assert "course_enrollment_gender_daily" not in sa.inspect(engine).get_table_names()
    _migrate(engine, "head", command.upgrade)
    with engine.connect() as connection:
        counts = sa.select(tables.course_enrollment_daily.c["count"])
        assert connection.execute(counts).scalars().all() == [3]
        gone = sa.select(sa.func.count()).select_from(tables.course_enrollment_gender_daily)
        assert connection.scalar(gone) == 0
    _migrate(engine, "base", command.downgrade)
    assert set(sa.inspect(engine).get_table_names()) == {store.VERSION_TABLE} | by_contract
    engine.dispose()


def test_each_step_down_and_up_keeps_the_rows_of_the_tables_that_stay(store_url: str) -> None:
    store.upgrade(store_url)
    engine = engine_for(store_url)
    with engine.begin() as connection:
        for table in tables.metadata.sorted_tables:
            if table is not tables.days:  # it holds all days already
                connection.execute(sa.insert(table).values(_some_row(table)))
    script = ScriptDirectory.from_config(store.migrations())
    for revision in script.walk_revisions():
        if revision.down_revision is None:
            break
        before = _counted(engine)
        _migrate(engine, str(revision.down_revision), command.downgrade)
        down = _counted(engine)
        assert down.items() <= before.items(), revision.revision
        _migrate(engine, revision.revision, command.upgrade)
        assert down.items() <= _counted(engine).items(), revision.revision
        assert before.keys() == _counted(engine).keys()
        _migrate(engine, str(revision.down_revision), command.downgrade)
    assert down[tables.course_enrollment_daily.name] == 1
    engine.dispose()


def _counted(engine: sa.Engine) -> dict[str, int]:
    with engine.connect() as connection:
        names = [name for name in sa.inspect(connection).get_table_names() if name != store.VERSION_TABLE]
        counts = {
            name: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) for name in names
        }
    return {name: count or 0 for name, count in counts.items()}


def _some_row(table: sa.Table) -> dict[str, object]:
    """A value for every column that needs one."""
    values: dict[type, object] = {str: "x", int: 1, float: 1.5, bool: True}
    values |= {date: date(2031, 3, 1), datetime: datetime(2031, 3, 1)}
    return {
        column.name: values[column.type.python_type]
        for column in table.columns
        if column.name != "id" and column.server_default is None
    }


class Killed(Exception):
    """Stands for the end of the process: nothing after it is done, and nothing is undone on MySQL."""


def _killed_again_and_again(engine: sa.Engine, revision: str, direction: Callable[..., None]) -> int:
    """Migrate, ended after every two statements that change something; how often that was."""
    done = 0

    def count(_: object, __: object, statement: str, *___: object) -> None:
        nonlocal done
        if statement.split(maxsplit=1)[0] in ("CREATE", "DROP", "ALTER", "UPDATE", "INSERT", "DELETE"):
            done += 1
            if done > 2:
                raise Killed

    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        for times in range(1000):
            done = 0
            try:
                _migrate(engine, revision, direction)
            except Killed:
                continue
            return times
        raise AssertionError("it never ends")
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)


def test_an_interrupted_migration_goes_on_where_it_was(mariadb_url: str) -> None:
    """On MySQL a statement cannot be taken back; on the others an interrupted migration never was."""
    server, url = sa.create_engine(mariadb_url), mariadb_url.replace("/test", "/interrupted")
    with server.begin() as connection:
        connection.execute(sa.text("CREATE DATABASE interrupted CHARACTER SET utf8mb4"))
    server.dispose()
    engine = engine_for(url)
    assert _killed_again_and_again(engine, "0003", command.upgrade) > 20
    with engine.begin() as connection:
        row = {"course_id": "a/b/c", "date": date(2031, 3, 1), "count": 3}
        connection.execute(sa.insert(tables.course_enrollment_daily), row)
    assert _killed_again_and_again(engine, "head", command.upgrade) > 3
    store.check(engine)
    assert _differences(engine) == []
    assert _counted(engine)["course_enrollment_daily"] == 1
    assert _killed_again_and_again(engine, "0001", command.downgrade) > 5
    assert _counted(engine)["course_enrollment_daily"] == 1
    store.upgrade(url)
    store.check(engine)
    engine.dispose()
