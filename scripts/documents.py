"""Writes the parts of docs/ that are made from the code; with --check says which are out of date instead.

A generated part stands between the lines `<!-- generated: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import sqlalchemy as sa

from pharos import config
from pharos.lake import schema
from pharos.result_store import data_problems
from pharos.result_store.tables import Definition, kept_in_lake, metadata

CHECKOUT = Path(__file__).parents[1]
DOCS, SOURCE = CHECKOUT / "docs", CHECKOUT / "src" / "pharos"
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


def rooms() -> str:
    """The table of the rooms of `src/pharos`, the highest first: what each is, and what it imports.

    What a room is says the first sentence of its docstring; what it imports, the import graph.
    """
    graph = grimp.build_graph("pharos", exclude_type_checking_imports=True)
    children = graph.find_children("pharos") - {"pharos.__main__"}
    imports: dict[str, set[str]] = {child.removeprefix("pharos."): set() for child in children}
    for module in graph.modules:
        room = module.split(".")[1] if "." in module else ""
        used = {name.split(".")[1] for name in graph.find_modules_directly_imported_by(module) if "." in name}
        if room in imports:
            imports[room] |= used - {room}
    order = [
        *TopologicalSorter({room: sorted(used) for room, used in sorted(imports.items())}).static_order()
    ]
    rows = [
        f"| `{room}{'' if _is_module(room) else '/'}` | {_sentence(room)} | "
        f"{', '.join(f'`{name}`' for name in reversed(order) if name in imports[room]) or 'nothing'} |"
        for room in reversed(order)
    ]
    return "\n".join(["| room | what it is | imports |", "|---|---|---|", *rows])


def _is_module(room: str) -> bool:
    return (SOURCE / f"{room}.py").is_file()


def _sentence(room: str) -> str:
    """The first sentence of a docstring, without its full stop."""
    path = SOURCE / f"{room}.py" if _is_module(room) else SOURCE / room / "__init__.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.split(r"\.(?:\s|$)", " ".join(text.split("\n\n")[0].split()), maxsplit=1)[0].replace("|", "\\|")


PARTS = {"rooms": rooms, "settings": settings, "metrics": metrics, "events": events, "problems": problems}


def wrong_words() -> list[str]:
    """Words of the glossary that stand there twice, and names in it that the code does not have."""
    rows = re.findall(
        r"^\| ([^|]+) \| [^|]+ \| ?([^|]*)\|$", (DOCS / "glossary.md").read_text("utf-8"), re.MULTILINE
    )
    words = [word for word, _ in rows]
    twice = [f"{word}: is there twice" for word in sorted({word for word in words if words.count(word) > 1})]
    names = [(word, name) for word, code in rows for name in re.findall(r"`([\w.]+)`", code)]
    return twice + [f"{word}: the code has no {name}" for word, name in names if not _exists(name)]


def _exists(name: str) -> bool:
    """Whether a module, or something in one, has this dotted name."""
    place, _, last = name.rpartition(".")
    try:
        return hasattr(importlib.import_module(place), last) or bool(importlib.import_module(name))
    except ModuleNotFoundError:
        return False


def main() -> None:
    if wrong := wrong_words():
        sys.exit("docs/glossary.md: " + "; ".join(wrong))
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
