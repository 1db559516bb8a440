"""The Result Store: creating and migrating it, and publishing results into it.

Publishing replaces a whole table in one transaction: a reader sees the old rows or the new ones. What may be
in a table is said by `tables`; this module must not know any table by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL

from pharos.errors import ConfigurationError
from pharos.result_store import bulk, contract
from pharos.result_store.connecting import engine_for, shown, translated
from pharos.result_store.errors import (
    EmptyResult,
    ResultStoreError,
    StoreIsNewer,
    StoreNotReady,
    StoreUnreachable,
)
from pharos.result_store.tables import metadata, publications, table_updates

MIGRATIONS = "pharos.result_store:migrations"
VERSION_TABLE = "pharos_schema_version"


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What a published table holds. The last three are known only of a published one, and not compared."""

    fingerprint: str  # of inputs and code
    until: datetime  # the result describes the time before; UTC, naive
    last_event: datetime | None  # newest event counted; UTC, naive
    version: int  # of the definition
    row_count: int = field(default=0, compare=False)
    content: str = field(default="", compare=False)  # SHA-256 of the rows
    published: datetime | None = field(default=None, compare=False)  # when the rows last changed; UTC, naive


@dataclass(frozen=True, kw_only=True)
class Result:
    """A table, the rows it shall hold, and what they are."""

    table: sa.Table
    rows: pa.Table
    publication: Publication


def connect(url: str) -> sa.Engine:
    """An engine for a store that answers and has this release's tables.

    Raises StoreUnreachable, StoreNotReady or StoreIsNewer.
    """
    engine = engine_for(url)
    try:
        check(engine)
    except ResultStoreError:
        engine.dispose()
        raise
    return engine


def check(engine: sa.Engine) -> None:
    """Raises StoreUnreachable, StoreNotReady or StoreIsNewer unless it has this release's tables."""
    database = engine.url.database
    if engine.dialect.name == "sqlite" and database and not Path(database).is_file():
        raise StoreUnreachable(shown(engine.url), "there is no such file")
    with translated(engine) as connection:
        found = _version(connection)
    if found != _newest():
        raise StoreNotReady(shown(engine.url), found, _newest())


def check_readable(engine: sa.Engine) -> bool:
    """Whether the store is of a later release, but has all that this one reads: so it may go on reading.

    Raises StoreUnreachable, StoreNotReady, or StoreIsNewer if a table or column is gone.
    """
    try:
        check(engine)
    except StoreIsNewer:
        with translated(engine) as connection:
            found = sa.inspect(connection).get_multi_columns(filter_names=list(metadata.tables))
        columns = {table: {column["name"] for column in parts} for (_, table), parts in found.items()}
        if any(
            set(table.columns.keys()) - columns.get(name, set()) for name, table in metadata.tables.items()
        ):
            raise
        return True
    return False


def upgrade(url: str) -> None:
    """Create the database and its tables, or bring them to this release. Does nothing to a current store.

    Tables that the original's pipeline has created are kept. Raises StoreUnreachable, StoreIsNewer.
    """
    engine = engine_for(url)
    _create_database(engine.url)
    try:
        with translated(engine) as connection, connection.begin():
            _version(connection)  # raises, where Alembic would only say that it knows no such revision
            command.upgrade(_migrations_on(connection), "head")
    finally:
        engine.dispose()


def downgrade(url: str, version: str) -> None:
    """Bring the tables back to those of an earlier version; the tables that are left keep their rows.

    What later versions have added is dropped. Raises StoreUnreachable, StoreIsNewer, ConfigurationError if
    the store is not of that version or a later one.
    """
    engine = engine_for(url)
    try:
        with translated(engine) as connection, connection.begin():
            found = _version(connection)
            earlier = _revisions()[: _revisions().index(found) + 1] if found else []
            if version not in earlier:
                raise ConfigurationError(
                    f"{shown(engine.url)} has version {found} and cannot go back to {version}; "
                    f"versions before: {', '.join(earlier) or 'none'}"
                )
            command.downgrade(_migrations_on(connection), version)
    finally:
        engine.dispose()


def published(engine: sa.Engine) -> dict[str, Publication]:
    """What each published table holds, by table name. Raises StoreUnreachable."""
    with translated(engine) as connection:
        rows = connection.execute(sa.select(publications)).mappings().all()
    return {
        row["table_name"]: Publication(**{name: value for name, value in row.items() if name != "table_name"})
        for row in rows
    }


def publish(
    engine: sa.Engine,
    table: sa.Table,
    rows: pa.Table,
    publication: Publication,
    *,
    allow_empty: bool = False,
) -> int:
    """Replace the rows of one table; the number of rows it now has.

    `rows` has the table's columns without `id` and `created`, in any order. The same rows as published before
    are not written again, only what they stand for. Raises ContractViolation, EmptyResult, StoreUnreachable;
    then the table is as it was.
    """
    return publish_together(
        engine, [Result(table=table, rows=rows, publication=publication)], allow_empty=allow_empty
    )


def publish_together(engine: sa.Engine, results: Sequence[Result], *, allow_empty: bool = False) -> int:
    """As `publish`, several tables in one transaction: no reader sees new rows in one and old in another."""
    checked = [(result, contract.conform(result.table, result.rows)) for result in results]
    with translated(engine) as connection, connection.begin():
        for result, rows in checked:
            _replace(connection, result, rows, allow_empty=allow_empty)
    return sum(rows.num_rows for _, rows in checked)


def _replace(connection: sa.Connection, result: Result, rows: pa.Table, *, allow_empty: bool) -> None:
    """Delete, not truncate: that would end the transaction on MySQL and show readers an empty table."""
    table, now = result.table, datetime.now(UTC).replace(tzinfo=None)
    this = publications.c.table_name == table.name
    connection.execute(sa.update(publications).where(this).values(version=publications.c.version))  # locks it
    before = connection.execute(sa.select(publications).where(this)).first()
    in_store = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    if rows.num_rows == 0 and in_store > 0 and not allow_empty:
        raise EmptyResult(table.name)
    content = contract.digest(rows)
    if before is None or (before.content, before.row_count) != (content, in_store):
        connection.execute(sa.delete(table))
        bulk.insert(connection, table, rows, created=now.replace(microsecond=0))
        changed = now
    else:
        changed = before.published
    _mark(connection, result, row_count=rows.num_rows, content=content, published=changed)


def _mark(connection: sa.Connection, result: Result, **facts: object) -> None:
    name, publication = result.table.name, result.publication
    connection.execute(sa.delete(publications).where(publications.c.table_name == name))
    connection.execute(
        sa.insert(publications).values(
            table_name=name,
            fingerprint=publication.fingerprint,
            until=publication.until,
            last_event=publication.last_event,
            version=publication.version,
            **facts,
        )
    )
    connection.execute(sa.delete(table_updates).where(table_updates.c.target_table == name))
    connection.execute(
        sa.insert(table_updates).values(
            update_id=f"{name}:{publication.fingerprint}"[:128],
            target_table=name,
            inserted=datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        )
    )


def migrations() -> Config:
    """The migrations, for Alembic's commands; they run on the connection in its attributes."""
    configuration = Config()
    configuration.set_main_option("script_location", MIGRATIONS)
    configuration.set_main_option("path_separator", "os")
    return configuration


def _migrations_on(connection: sa.Connection) -> Config:
    configuration = migrations()
    configuration.attributes["connection"] = connection
    return configuration


@cache
def _revisions() -> list[str]:
    """All versions that this release knows, the oldest first."""
    script = ScriptDirectory.from_config(migrations())
    return [found.revision for found in script.walk_revisions()][::-1]


def _newest() -> str:
    return _revisions()[-1]


def _version(connection: sa.Connection) -> str | None:
    """Version of the tables; None if there are none of ours. Raises StoreIsNewer."""
    found = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE}
    ).get_current_revision()
    if found is not None and found not in _revisions():
        raise StoreIsNewer(shown(connection.engine.url), found, _newest())
    return found


def _create_database(url: URL) -> None:
    """Make the file's folder, or the database on its server if the server lets us and it is missing."""
    if url.get_backend_name() == "sqlite":
        if url.database:
            try:
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreUnreachable(shown(url), f"{error.filename}: {error.strerror}") from error
        return
    name = url.database
    if not name:
        raise StoreUnreachable(shown(url), "the address names no database")
    server = engine_for(
        url.set(database="postgres" if url.get_backend_name() == "postgresql" else "").render_as_string(
            hide_password=False
        )
    ).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with translated(server) as connection:
            if name not in sa.inspect(connection).get_schema_names() and not _exists(connection, name):
                quoted = connection.dialect.identifier_preparer.quote(name)
                charset = "" if connection.dialect.name == "postgresql" else " CHARACTER SET utf8mb4"
                connection.execute(sa.text(f"CREATE DATABASE {quoted}{charset}"))
    finally:
        server.dispose()


def _exists(connection: sa.Connection, database: str) -> bool:
    if connection.dialect.name != "postgresql":
        return False
    found = connection.execute(sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": database})
    return found.first() is not None
