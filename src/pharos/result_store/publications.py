"""The record of each published table: one row per table, written together with the table's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import sqlalchemy as sa

from pharos.result_store import checksums
from pharos.result_store.checksums import Checksum
from pharos.result_store.tables import publications, table_updates


@dataclass(frozen=True, kw_only=True)
class Publication:
    """The record of a published table. The last five fields are filled in by publishing and not compared."""

    fingerprint: str  # of the rows, see `pharos.pipeline.publishing`
    until: datetime  # the result describes the time before; UTC, naive
    last_event: datetime | None  # newest event counted; UTC, naive
    version: int  # of the definition
    row_count: int = field(default=0, compare=False)
    content: str = field(default="", compare=False)  # checksum of the rows, see `checksums`
    published: datetime | None = field(default=None, compare=False)  # when the rows last changed; UTC, naive
    edition: int = field(
        default=0, compare=False
    )  # number of the run that published last; one for all tables
    history_until: date | None = field(default=None, compare=False)  # last day of rows of another program


def published(connection: sa.Connection) -> dict[str, Publication]:
    """The record of each published table, by table name."""
    rows = connection.execute(sa.select(publications)).mappings().all()
    return {
        row["table_name"]: Publication(**{name: value for name, value in row.items() if name != "table_name"})
        for row in rows
    }


def begin(connection: sa.Connection) -> int:
    """Lock out other publishers until the transaction ends; return the number of the new edition."""
    connection.execute(sa.update(publications).values(version=publications.c.version))
    last: int | None = connection.scalar(sa.select(sa.func.max(publications.c.edition)))
    return (last or 0) + 1


def checksum(known: Mapping[str, Publication], table: sa.Table) -> Checksum | None:
    """The checksum of a table when it was published; None if unknown."""
    return checksums.parsed(known[table.name].content) if table.name in known else None


def put(
    connection: sa.Connection, table: sa.Table, publication: Publication, content: Checksum, *, edition: int,
    before: Publication | None, is_changed: bool, history_until: date | None = None,
) -> None:  # fmt: skip
    """Write the record of a published table. `is_changed`: rows were written."""
    now = datetime.now(UTC).replace(tzinfo=None)
    changed = now if is_changed or before is None or before.published is None else before.published
    connection.execute(sa.delete(publications).where(publications.c.table_name == table.name))
    connection.execute(
        sa.insert(publications).values(
            table_name=table.name,
            fingerprint=publication.fingerprint,
            until=publication.until,
            last_event=publication.last_event,
            version=publication.version,
            row_count=content.rows,
            content=str(content),
            published=changed,
            edition=edition,
            history_until=history_until,
        )
    )
    connection.execute(sa.delete(table_updates).where(table_updates.c.target_table == table.name))
    connection.execute(
        sa.insert(table_updates).values(
            update_id=f"{table.name}:{publication.fingerprint}"[:128],
            target_table=table.name,
            inserted=now.replace(microsecond=0),
        )
    )
