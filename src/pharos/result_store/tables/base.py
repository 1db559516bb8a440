"""How a result table is declared: its columns in the original's form, and the definition of its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Date, DateTime, Index, MetaData, Table, UniqueConstraint, func
from sqlalchemy.types import TypeEngine

from pharos.result_store.columns import Exact, row_number

metadata = MetaData()
kept_in_lake = MetaData()  # results that only others are computed from, and that are read in the lake
MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_row_format": "DYNAMIC",  # or MySQL 5 refuses the indexes
}


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What a result table counts, in the words that code, API, documentation and pages all show."""

    title: str
    version: int  # raised whenever a change of the code changes numbers
    meaning: str  # one sentence
    formula: str
    edge_cases: tuple[str, ...]
    window: str = ""  # which days or weeks it holds
    source: str  # what it is computed from
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
) -> Table:
    """A result table in the original's form: `id` first, `created` last, plain indexes.

    `key`: columns whose values together occur once, checked when publishing (null is a value). The database
    checks it as well, unless the key is too long for an index of MySQL. A table that is not published stays
    in the lake: a file with these columns, but for `id` and `created`.
    """
    unique = [UniqueConstraint(*key, name=f"uq_{name}")] if key_is_indexed else []
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
        comment=definition.meaning,
        info={"definition": definition, "key": key},
        **MYSQL,
    )


def column(name: str, type_: TypeEngine[Any], meaning: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, type_, nullable=nullable, comment=meaning)


def course_id() -> Column[Any]:
    return column("course_id", Exact(255), "Course run, as written in the events.", nullable=False)


def day(meaning: str = "UTC day.") -> Column[Any]:
    return column("date", Date(), meaning, nullable=False)


def module_id(meaning: str = "Usage id of the problem.") -> Column[Any]:
    return column("module_id", Exact(255), meaning, nullable=False)
