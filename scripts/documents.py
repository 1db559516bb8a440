"""Writes the parts of docs/ that are made from the code; with --check says which are out of date instead.

A generated part stands between the lines `<!-- generated: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import sqlalchemy as sa

from pharos import config
from pharos.lake import schema
from pharos.result_store import data_problems
from pharos.result_store.tables import Definition, kept_in_lake, metadata

DOCS = Path(__file__).parents[1] / "docs"
PART = re.compile(r"(<!-- generated: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def settings() -> str:
    """The table of all settings."""
    rows = [
        f"| `{key}` | {f'`{default}`' if default else ''} | {meaning.replace('|', chr(92) + '|')} |"
        for key, default, meaning in config.described()
    ]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows])


def metrics() -> str:
    """A section for each table of the Result Store: what it counts, how, and its columns."""
    return "\n\n".join(
        _metric(table, table.info["definition"])
        for table in [*metadata.tables.values(), *kept_in_lake.tables.values()]
        if "definition" in table.info
    )


def _metric(table: sa.Table, definition: Definition) -> str:
    lines = [
        f"## {definition.title}",
        f"`{table.name}`, version {definition.version}"
        + (", kept in the lake" if table.metadata is kept_in_lake else ""),
        definition.meaning,
        f"**How it is counted.** {definition.formula}",
        "\n".join(f"- {case}" for case in definition.edge_cases),
        f"**Which time.** {definition.window}" if definition.window else "",
        f"**Computed from.** {definition.source}",
        f"**About single learners**, named by `{definition.persons}`." if definition.persons else "",
        "\n".join(["**What differs.**", "", *(f"- {text}" for text in definition.differences)])
        if definition.differences
        else "",
        "\n".join(
            [
                "| column | type | meaning |",
                "|---|---|---|",
                *(
                    f"| `{column.name}` | {column.type} | {column.comment or ''} |"
                    for column in table.columns
                ),
            ]
        ),
    ]
    return "\n\n".join(filter(None, lines))


def events() -> str:
    """The table of the lake's event columns."""
    rows = [
        f"| `{column.name}` | {column.type} | {column.metadata[b'meaning'].decode()} |"
        for column in schema.EVENTS
    ]
    return "\n".join(["| column | type | meaning |", "|---|---|---|", *rows])


def problems() -> str:
    """The table of what can be wrong with the data."""
    rows = [f"| {kind} | {meaning} |" for kind, meaning in data_problems.KINDS.items()]
    return "\n".join(["| kind | means |", "|---|---|", *rows])


PARTS = {"settings": settings, "metrics": metrics, "events": events, "problems": problems}


def main() -> None:
    outdated = []
    for path in sorted(DOCS.rglob("*.md")):
        written = path.read_text(encoding="utf-8")
        current = PART.sub(lambda part: f"{part[1]}{PARTS[part[2]]()}\n{part[3]}", written)
        if current != written:
            outdated.append(path.relative_to(DOCS).as_posix())
            if "--check" not in sys.argv:
                path.write_text(current, encoding="utf-8")
    if outdated and "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(outdated)}; run `make docs`")
    print(f"written: {', '.join(outdated)}" if outdated else "the generated documents are up to date")


if __name__ == "__main__":
    main()
