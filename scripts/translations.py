"""Renews the catalogs of Insights from its code and templates; with --check says what is missing or unused.

New messages arrive in every catalog with an empty translation, for a translator to fill; messages that are
no longer used leave.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from pharos.insights import language

ROOM = Path(language.__file__).parent
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
KEYWORDS = {"noop": None, "text": None, "html": None, "texts": (1, 2), "htmls": (1, 2), "_": None}


def extracted() -> Catalog:
    """All messages of the pages, with where they are used."""
    catalog = Catalog(project="Pharos", charset="utf-8")
    found = extract_from_dir(ROOM, METHODS, keywords=KEYWORDS, options_map={"**.html": {"silent": "false"}})
    for file, _, message, _, _ in found:
        catalog.add(message, locations=[(file, 0)])
    return catalog


def catalog_path(code: str) -> Path:
    """Where the catalog of a language lies."""
    return language.CATALOGS / code / "LC_MESSAGES" / "messages.po"


def catalog_of(code: str) -> Catalog:
    """The catalog of a language; empty if there is none yet."""
    locale = language.AVAILABLE[code][0]
    path = catalog_path(code)
    if not path.is_file():
        return Catalog(locale=locale, project="Pharos", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def renew(code: str, template: Catalog) -> None:
    """Bring the catalog to the messages of the template."""
    catalog = catalog_of(code)
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.header_comment = (
        f"# {catalog.locale.english_name if catalog.locale else code}: words of Insights."
    )
    catalog.version, catalog.msgid_bugs_address = "", ""
    catalog.last_translator, catalog.language_team = "", ""
    catalog_path(code).parent.mkdir(parents=True, exist_ok=True)
    with catalog_path(code).open("wb") as file:
        write_po(file, catalog, width=110, sort_output=True, include_lineno=False)


def problems(code: str, template: Catalog) -> list[str]:
    """A line for each message that is missing, unused, untranslated or translated with other values."""
    catalog = catalog_of(code)
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
    template = extracted()
    codes = [code for code in language.AVAILABLE if code != language.DEFAULT]
    if "--check" in sys.argv:
        found = [line for code in codes for line in problems(code, template)]
        print("\n".join(found) or "all messages are translated")
        return 1 if found else 0
    for code in codes:
        renew(code, template)
    return 0


if __name__ == "__main__":
    sys.exit(main())
