"""Creates tables in migrations, skipping tables that exist.

MySQL commits each statement by itself: an interrupted upgrade leaves some of the tables, and the next upgrade
creates the rest. Tables with rows were written by the original's pipeline; they are used as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from pharos.result_store.column_types import row_number
from pharos.result_store.tables import metadata

MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_row_format": "DYNAMIC"}


def table(name: str, *parts: sa.schema.SchemaItem, indexes: Sequence[Sequence[str]] = ()) -> None:
    """A table and its indexes, named after their columns."""
    database, there = op.get_bind(), set()
    if sa.inspect(database).has_table(name):
        if database.execute(sa.select(sa.literal(1)).select_from(sa.table(name)).limit(1)).first():
            return
        there = {index["name"] for index in sa.inspect(database).get_indexes(name)}
    else:
        op.create_table(name, *_with_comments(name, parts), comment=_comment(name), **MYSQL)
    for columns in indexes:
        index = f"ix_{name}_{'_'.join(columns)}"
        if index not in there:
            op.create_index(index, name, list(columns))


def _comment(name: str) -> str | None:
    ours = metadata.tables.get(name)
    return None if ours is None else ours.comment


def _with_comments(name: str, parts: Sequence[sa.schema.SchemaItem]) -> Sequence[sa.schema.SchemaItem]:
    """The columns with the comments of the present contract, so that `comments.refresh` has little to do."""
    ours = metadata.tables.get(name)
    for part in parts:
        if isinstance(part, sa.Column) and ours is not None and part.name in ours.c:
            part.comment = ours.c[part.name].comment
    return parts


def result(
    name: str, *columns: sa.Column[Any], key: Sequence[str], indexes: Sequence[Sequence[str]] = ()
) -> None:
    """A result table in the original's form."""
    table(
        name,
        sa.Column("id", row_number, primary_key=True),
        *columns,
        sa.Column("created", sa.DateTime, server_default=sa.func.now(), nullable=False),
        *([sa.UniqueConstraint(*key, name=f"uq_{name}")] if key else []),
        indexes=indexes,
    )


def drop(*names: str) -> None:
    """Drop these tables, if they exist."""
    there = sa.inspect(op.get_bind()).get_table_names()
    for name in names:
        if name in there:
            op.drop_table(name)
