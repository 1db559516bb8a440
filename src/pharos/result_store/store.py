"""The Result Store: creating and migrating it, and publishing results into it.

The tables are declared in `tables`; this module must not know any table by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL

from pharos.database_causes import plain
from pharos.errors import ConfigurationError
from pharos.result_store import adoption, charsets, checksums, comments, contract, editions, publications
from pharos.result_store.connecting import engine_for, is_missing, is_of_one_table, shown, translated
from pharos.result_store.editions import Change, Written
from pharos.result_store.errors import (
    ResultStoreError,
    StoreIsNewer,
    StoreNotReady,
    StoreUnreachable,
    TableUnreadable,
)
from pharos.result_store.publications import Publication as Publication  # noqa: PLC0414 - given on
from pharos.result_store.staging import columns_of
from pharos.result_store.tables import RESULTS, metadata
from pharos.result_store.tables.base import form

MIGRATIONS = "pharos.result_store:migrations"
VERSION_TABLE = "pharos_schema_version"
ADOPTING = "0010"  # first version that knows of adoptions
ANSWER_S = 60  # that a database may be silent before it is given up, unless rows are written
MOST_CHECKED = 500_000  # rows whose checksums each run compares: SQLite reads 0.3 million a second
LARGEST_CHECKED = 1_000_000  # rows of a larger table whose turn it is


@dataclass(frozen=True, kw_only=True)
class WholeTable:
    """A table, all rows it must hold, and their publication record."""

    table: sa.Table
    rows: pa.Table
    publication: Publication


def connect(url: str, *, wait_s: float | None = None) -> sa.Engine:
    """An engine for a store that answers and has this release's tables.

    `wait_s`: time limit of a statement in seconds, by default `ANSWER_S`; publishing needs more. Raises
    StoreUnreachable, StoreNotReady or StoreIsNewer.
    """
    engine = engine_for(url, wait_s=ANSWER_S)
    try:
        check(engine)
    except ResultStoreError:
        engine.dispose()
        raise
    if wait_s is None:
        return engine
    engine.dispose()
    return engine_for(url, wait_s=wait_s)


def check(engine: sa.Engine) -> None:
    """Raise StoreUnreachable, StoreNotReady or StoreIsNewer unless the store has this release's tables."""
    database = engine.url.database
    if engine.dialect.name == "sqlite" and database and not Path(database).is_file():
        raise StoreUnreachable(shown(engine.url), "there is no such file")
    with translated(engine) as connection:
        found = _version(connection)
    if found != _newest():
        raise StoreNotReady(shown(engine.url), found, _newest())


def check_readable(engine: sa.Engine) -> bool:
    """True if the store is of a later release but has every table and column that this release reads.

    False if it is of this release. Raises StoreUnreachable, StoreNotReady, or StoreIsNewer if a table or
    column is gone.
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
    """Create the database and its tables, or upgrade them to this release. A current store is not changed.

    Tables that the original's pipeline has created are kept. Raises StoreUnreachable, StoreIsNewer.
    """
    engine = engine_for(url)
    _create_database(engine.url)
    try:
        with translated(engine) as connection, connection.begin():
            _version(connection)  # raises, where Alembic would only say that it knows no such revision
            command.upgrade(_migrations_on(connection), "head")
            _create_missing(connection)
            comments.refresh(connection)
        with translated(engine) as connection, connection.begin():
            charsets.convert(connection)
    finally:
        engine.dispose()


def _create_missing(connection: sa.Connection) -> None:
    """Create the missing tables: new ones of this release, and tables that somebody dropped."""
    there = set(sa.inspect(connection).get_table_names())
    for table in metadata.sorted_tables:
        if table.name not in there:
            form(table, connection.dialect.name).create(connection)


def downgrade(url: str, version: str) -> None:
    """Return the tables to an earlier version; tables that exist in that version keep their rows.

    Additions of later versions are dropped. Raises StoreUnreachable, StoreIsNewer, ConfigurationError if the
    store is older than that version, or holds adopted rows that the version would overwrite.
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
            if found and version < ADOPTING <= found and adoption.read(connection):
                raise ConfigurationError(
                    f"{shown(engine.url)} keeps rows of another program, which version {version} would take "
                    "for its own. Before going back: pharos store adopt --undo"
                )
            command.downgrade(_migrations_on(connection), version)
    finally:
        engine.dispose()


def published(engine: sa.Engine) -> dict[str, Publication]:
    """The record of each published table, by table name. Raises StoreUnreachable."""
    with translated(engine) as connection:
        return publications.published(connection)


def publish_edition(engine: sa.Engine, changes: Sequence[Change]) -> dict[str, Written]:
    """Write the differences of all tables in one transaction; return the outcome of each table.

    Raises StoreAltered, StoreUnreachable; then nothing is written.
    """
    with translated(engine) as connection:
        return editions.publish(connection, changes)


def publish(
    engine: sa.Engine,
    table: sa.Table,
    rows: pa.Table,
    publication: Publication,
    *,
    allow_empty: bool = False,
) -> int:
    """Replace the rows of one table; return its number of rows.

    `rows` has the table's columns without `id` and `created`, in any order. Nothing is written if the table
    already has these rows. Raises ContractViolation, EmptyResult, StoreUnreachable; then the table is as it
    was.
    """
    return publish_together(
        engine, [WholeTable(table=table, rows=rows, publication=publication)], allow_empty=allow_empty
    )


def publish_together(engine: sa.Engine, results: Sequence[WholeTable], *, allow_empty: bool = False) -> int:
    """Like `publish`, for several tables in one transaction, all or none; return the number of all rows."""
    for result in results:
        contract.conform(result.table, result.rows)
    changes = [_whole(result, allow_empty=allow_empty) for result in results]
    with translated(engine) as connection:
        written = editions.publish(connection, changes, together=True)
    return sum(found.rows for found in written.values())


def _whole(result: WholeTable, *, allow_empty: bool) -> Change:
    """The change that replaces all rows. The stamp column is taken out, so checksums equal those of a run."""
    name: str | None = result.table.info.get("stamp")
    rows, stamp = result.rows, None
    values = pc.unique(rows[name]).to_pylist() if name is not None else []
    if name is not None and len(values) == 1:
        stamp, rows = (name, values[0]), rows.drop_columns(name)
    return Change(
        table=result.table,
        publication=result.publication,
        new=partial(_once, rows),
        stamp=stamp,
        is_whole=True,
        allow_empty=allow_empty,
    )


def _once(rows: pa.Table) -> Iterator[pa.Table]:
    yield rows


def altered(engine: sa.Engine, *, most: int | None = None, turn: int | None = None) -> dict[str, str]:
    """The tables that were changed since they were published: table -> the difference.

    Tables without read permission are left out, see `unreadable`. Raises StoreUnreachable.

    Without `most`, the rows of all tables are counted and their checksums compared. With `most`, this is done
    for the smallest tables that together have at most so many rows; with `turn`, also for one larger table, a
    different one for each turn. For the rest it is only checked that they exist and have rows.
    """
    found: dict[str, str] = {}
    with translated(engine) as connection:
        denied = _unreadable(connection)
        readable = [name for name in metadata.tables if name not in denied]
        there = sa.inspect(connection).get_multi_columns(filter_names=readable)
        columns = {name: {column["name"] for column in parts} for (_, name), parts in there.items()}
        known = publications.published(connection)
        compared = known.keys() if most is None else _compared(known, most, turn)
        for name, publication in known.items():
            table = metadata.tables.get(name)
            if table is None or name in denied:
                continue
            lacking = set(table.columns.keys()) - columns.get(name, set())
            if name not in columns:
                found[name] = "the table is gone"
            elif lacking:
                found[name] = f"columns are gone: {', '.join(sorted(lacking))}"
            elif publication.row_count and not _has_rows(connection, table):
                found[name] = f"the table is empty; {publication.row_count:,} rows were published"
            elif name in compared:
                found |= _recounted(connection, table, publication)
    return found


def _compared(known: Mapping[str, Publication], most: int, turn: int | None) -> set[str]:
    """The tables whose checksums are compared, see `altered`."""
    rows, compared, larger = 0, set(), []
    for name in sorted(known, key=lambda name: (known[name].row_count, name)):
        rows += known[name].row_count
        if rows <= most:
            compared.add(name)
        elif known[name].row_count <= LARGEST_CHECKED:
            larger.append(name)
    return compared | {larger[turn % len(larger)]} if larger and turn is not None else compared


def foreign(engine: sa.Engine) -> set[str]:
    """Result tables that have rows but no publication record: rows of another program, not yet adopted.

    Tables without read permission are left out, see `unreadable`.
    """
    with translated(engine) as connection:
        known = publications.published(connection).keys() | adoption.read(connection).keys()
        known |= _unreadable(connection).keys()
        return {name for name, table in RESULTS.items() if name not in known and _has_rows(connection, table)}


def unreadable(engine: sa.Engine) -> dict[str, TableUnreadable]:
    """The result tables without read permission, and the reasons. Raises StoreUnreachable."""
    with translated(engine) as connection:
        return _unreadable(connection)


def unconverted(engine: sa.Engine) -> dict[str, str]:
    """Tables whose character set cannot hold every character -> the statement that converts each."""
    with translated(engine) as connection:
        return charsets.conversions(connection)


def _unreadable(connection: sa.Connection) -> dict[str, TableUnreadable]:
    """See `unreadable`. Missing tables are not included."""
    found = {}
    for name, table in RESULTS.items():
        try:
            _has_rows(connection, table)
        except sa.exc.DBAPIError as error:
            if not is_of_one_table(error, connection.dialect.name):
                raise
            connection.rollback()  # PostgreSQL answers nothing more in this transaction
            if not is_missing(error, connection.dialect.name):
                found[name] = TableUnreadable(name, plain(error.orig or error))
    return found


def _has_rows(connection: sa.Connection, table: sa.Table) -> bool:
    return connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None


def _recounted(connection: sa.Connection, table: sa.Table, publication: Publication) -> dict[str, str]:
    """The difference between the table and its recorded checksum: table -> text; empty if they are equal."""
    known = checksums.parsed(publication.content)
    if known is None:  # published by an earlier release
        return {}
    now = checksums.of(connection, table, columns_of(table, table.info.get("stamp")))
    if now == known:
        return {}
    if now.rows != known.rows:
        return {table.name: f"it has {now.rows:,} rows; {known.rows:,} were published"}
    return {table.name: "rows are not as they were published"}


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
    """Version of the tables; None if the database has no tables of Pharos. Raises StoreIsNewer."""
    found = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE}
    ).get_current_revision()
    if found is not None and found not in _revisions():
        raise StoreIsNewer(shown(connection.engine.url), found, _newest())
    return found


def _create_database(url: URL) -> None:
    """Make the file's folder; or create a missing database on its server, if the server permits it."""
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
        ),
        wait_s=ANSWER_S,
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
