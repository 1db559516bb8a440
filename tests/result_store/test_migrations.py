"""Every migration goes up and down, with data in the tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from pharos.result_store import store, tables


def _migrate(engine: sa.Engine, revision: str, direction: Callable[..., None]) -> None:
    with engine.begin() as connection:
        configuration = store.migrations()
        configuration.attributes["connection"] = connection
        direction(configuration, revision)


def test_down_and_up_again_keeps_the_rows_of_older_tables(store_url: str) -> None:
    store.upgrade(store_url)
    engine = store.engine_for(store_url)
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
    assert sa.inspect(engine).get_table_names() == [store.VERSION_TABLE]
    engine.dispose()


def test_each_step_down_and_up_keeps_the_rows_of_the_tables_that_stay(store_url: str) -> None:
    store.upgrade(store_url)
    engine = store.engine_for(store_url)
    with engine.begin() as connection:
        for table in tables.metadata.sorted_tables:
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
