"""Declares result tables: columns in the original's form, and the definition of their figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from pharos.result_store.column_types import Exact, row_number

metadata = MetaData()
kept_in_lake = MetaData()  # results that are only inputs of other results, or read in the lake
MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_row_format": "DYNAMIC",  # or MySQL 5 refuses the indexes
}


Personal = Literal["user name", "number", "name", "address"]
PERSONAL: Mapping[str, Personal] = {
    "username": "user name",
    "event_username": "user name",
    "user_username": "user name",
    "user_id": "number",
    "lms_user_id": "number",
    "enterprise_user_id": "number",
    "id": "number",  # rows are numbered in the order of the user names
    "name": "name",
    "email": "address",
    "user_email": "address",
    "enterprise_sso_uid": "address",
    "mailing_address": "address",
    "token": "address",  # words to find learners by, those of e-mail addresses too
}
"""Columns of tables about learners that say who the learner is; `privacy.mode` decides which are shown."""

CLUSTERED = ("course_id", "date", "id")
"""Primary key, in SQLite, of a table by day: rows lie in its order, and need no further index."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    """The definition of a result table's figures; code, API, documentation and pages all show these texts."""

    title: str
    version: int  # raised whenever a change of the code changes numbers
    meaning: str  # one sentence
    formula: str
    edge_cases: tuple[str, ...]
    window: str = ""  # which days or weeks it holds
    source: str  # its inputs
    spec: str  # where the rule is written down
    differences: tuple[str, ...] = ()  # from pages of the LMS and from the original, where they show
    persons: str = ""  # column that names the learner a row is about; empty: rows are about no single learner


def result(
    name: str,
    definition: Definition,
    *columns: Column[Any],
    key: tuple[str, ...],
    indexes: tuple[tuple[str, ...], ...],
    key_is_indexed: bool = True,
    is_published: bool = True,
    by_day: bool = False,
    stamp: str | None = None,
    may_shrink: bool = False,
    groups_vary: bool = False,
) -> Table:
    """A result table in the original's form: `id` first, `created` last, plain indexes.

    `key`: columns whose combined values are unique, checked when publishing (null is a value). The database
    checks it as well, unless the key is too long for an index of MySQL. A table that is not published stays
    in the lake: a file with these columns, without `id` and `created`.

    `by_day`: a table with a row per course run, day and group; these are the largest. SQLite clusters them by
    these columns (see `form`): 28 million rows take 2.5 GB instead of 6.

    `stamp`: a column with the same value in all rows: the last day of the run, if it is a date, or the
    midnight after it.

    `may_shrink`: many rows may disappear although no input is missing.

    `groups_vary`: the groups of a course run come and go, such as present modes of learners: only the loss of
    whole course runs indicates a missing input.
    """
    unique = [UniqueConstraint(*key, name=f"uq_{name}")] if key_is_indexed else []
    if by_day:
        unique = [constraint.ddl_if(callable_=_is_server) for constraint in unique]
    return Table(
        name,
        metadata if is_published else kept_in_lake,
        Column("id", row_number, primary_key=True, comment="Row number; no meaning."),
        *columns,
        Column(
            "created",
            DateTime,
            server_default=func.now(),
            nullable=False,
            comment="When the row was published, UTC.",
        ),
        *unique,
        *(Index(f"ix_{name}_{'_'.join(index)}", *index) for index in indexes),
        comment=f"{definition.title}. {definition.meaning} {definition.formula}",
        info={
            "definition": definition,
            "key": key,
            "by_day": by_day,
            "stamp": stamp,
            "may_shrink": may_shrink,
            "groups_vary": groups_vary,
        },
        **MYSQL,
    )


def column(
    name: str, type_: TypeEngine[Any], meaning: str, *, nullable: bool = True, older_name: str = ""
) -> Column[Any]:
    """A column. `older_name`: what it is called in tables of older releases of the original."""
    info = {"older_name": older_name} if older_name else {}
    return Column(name, type_, nullable=nullable, comment=meaning, info=info)


def course_id() -> Column[Any]:
    return column("course_id", Exact(255), "Course run, as written in the events.", nullable=False)


def day(meaning: str = "UTC day.") -> Column[Any]:
    return column("date", Date(), meaning, nullable=False)


def module_id(meaning: str = "Usage id of the problem.") -> Column[Any]:
    return column("module_id", Exact(255), meaning, nullable=False)


def _is_server(*_: Any, dialect: Dialect, **__: Any) -> bool:
    """True if the database is a server; see `form` for SQLite."""
    return dialect.name != "sqlite"


def form(table: Table, dialect: str) -> Table:
    """The table as it is created in a database: as in the contract, except tables by day in SQLite.

    SQLite clusters these tables by their key. Rows that somebody else inserts without an id get a random id.
    """
    if dialect != "sqlite" or not table.info.get("by_day"):
        return table
    columns = [
        Column(
            column.name,
            column.type,
            nullable=column.nullable,
            server_default=text("(random())") if column.name == "id" else column.server_default,
        )
        for column in table.columns
    ]
    return Table(table.name, MetaData(), *columns, PrimaryKeyConstraint(*CLUSTERED), sqlite_with_rowid=False)
