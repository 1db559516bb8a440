"""Renews the catalogs of Insights from its sources; with --check says what is missing or unused.

The words of the pages come from its code and templates, those of the panels "how is this counted" from the
definitions of the results that its reports show. New messages arrive in every catalog with an empty
translation, for a translator to fill; messages that are no longer used leave.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from pharos.insights import language, navigation
from pharos.result_store.tables import RESULTS, Definition

ROOM = Path(language.__file__).parent
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
KEYWORDS = {"noop": None, "text": None, "html": None, "texts": (1, 2), "htmls": (1, 2), "_": None}


def messages() -> Catalog:
    """All messages of the pages, with where they are used."""
    catalog = Catalog(project="Pharos", charset="utf-8")
    found = extract_from_dir(ROOM, METHODS, keywords=KEYWORDS, options_map={"**.html": {"silent": "false"}})
    for file, _, message, _, _ in found:
        catalog.add(message, locations=[(file, 0)])
    return catalog


def definitions() -> Catalog:
    """All texts of the definitions that reports show, with the tables they define."""
    catalog = Catalog(project="Pharos", charset="utf-8")
    for table in sorted(navigation.tables_shown()):
        definition: Definition = RESULTS[table].info["definition"]
        texts = (definition.title, definition.meaning, definition.formula, definition.source)
        for text in (*texts, *definition.edge_cases):
            catalog.add(text, locations=[(table, 0)])
    return catalog


SOURCES: dict[str, Callable[[], Catalog]] = {
    language.MESSAGES: messages,
    language.DEFINITIONS: definitions,
}


def catalog_path(code: str, name: str) -> Path:
    """Where the catalog of a language lies."""
    return language.CATALOGS / code / "LC_MESSAGES" / f"{name}.po"


def catalog_of(code: str, name: str) -> Catalog:
    """The catalog of a language; empty if there is none yet."""
    locale = language.AVAILABLE[code][0]
    path = catalog_path(code, name)
    if not path.is_file():
        return Catalog(locale=locale, project="Pharos", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def renew(code: str, name: str, template: Catalog) -> None:
    """Bring the catalog to the messages of the template."""
    catalog = catalog_of(code, name)
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.header_comment = (
        f"# {catalog.locale.english_name if catalog.locale else code}: {name} of Insights."
    )
    catalog.version, catalog.msgid_bugs_address = "", ""
    catalog.last_translator, catalog.language_team = "", ""
    catalog_path(code, name).parent.mkdir(parents=True, exist_ok=True)
    with catalog_path(code, name).open("wb") as file:
        write_po(file, catalog, width=110, sort_output=True, include_lineno=False)


def problems(code: str, name: str, template: Catalog) -> list[str]:
    """A line for each message that is missing, unused, untranslated or translated with other values."""
    catalog = catalog_of(code, name)
    wanted = {message.id for message in template if message.id}
    there = {message.id for message in catalog if message.id}
    lines = [f"{code}: missing {message!r}" for message in sorted(map(str, wanted - there))]
    lines += [f"{code}: unused {message!r}" for message in sorted(map(str, there - wanted))]
    for message in catalog:
        if not message.id:
            continue
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(strings) or message.fuzzy:
            lines.append(f"{code}: not translated {message.id!r}")
        lines += [f"{code}: {error} in {message.id!r}" for error in message.check(catalog)]
    return lines


def main() -> int:
    """Renew, or with --check only look."""
    codes = [code for code in language.AVAILABLE if code != language.DEFAULT]
    found = []
    for name, source in SOURCES.items():
        template = source()
        for code in codes:
            if "--check" in sys.argv:
                found += problems(code, name, template)
            else:
                renew(code, name, template)
    if "--check" in sys.argv:
        print("\n".join(found) or "all messages are translated")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
