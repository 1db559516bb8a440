"""The contract as a document: what every table and column of the Result Store means."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from pharos.result_store.tables import RESULTS, Definition


def markdown() -> str:
    """The text of `docs/metrics.md`: one section per result table."""
    return "\n".join(
        [
            "# Metrics",
            "",
            "Every figure has one definition, in the code (`src/pharos/result_store/tables`). This page, the",
            "Data API (`/api/v1/metrics/`) and the panels “How is this counted” are made from it.",
            "",
            *(line for name in sorted(RESULTS) for line in _section(RESULTS[name])),
        ]
    )


def _section(table: sa.Table) -> Iterator[str]:
    definition: Definition = table.info["definition"]
    yield from (f"## {definition.title}", "", f"Table `{table.name}`, version {definition.version}.", "")
    yield from (definition.meaning, "", f"**Formula.** {definition.formula}", "")
    yield from (f"- {case}" for case in definition.edge_cases)
    yield from ("", f"**Source.** {definition.source} Rule: spec {definition.spec}.", "")
    yield from ("| column | type | null | meaning |", "|---|---|---|---|")
    dialect = mysql.dialect()
    for column in table.columns:
        type_ = column.type.compile(dialect).partition(" CHARACTER SET")[0]
        yield f"| `{column.name}` | {type_} | {'yes' if column.nullable else 'no'} | {column.comment} |"
    key = ", ".join(table.info["key"])
    yield from ("", f"One row per {key}." if key else "No natural key.", "")
