"""Country codes and names. The table is part of the product, so names do not change with a library.

Names are the English ones of ISO 3166 in the form django-countries 7.6 (MIT licence) gives them, which the
original served.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

from typing_extensions import TypedDict

UNKNOWN_NAME = "UNKNOWN"


class Country(TypedDict):
    alpha2: str | None
    alpha3: str | None
    name: str


UNKNOWN: Country = {"alpha2": None, "alpha3": None, "name": UNKNOWN_NAME}


def country(code: str | None) -> Country:
    """The country of an alpha-2, alpha-3 or numeric code in any case; UNKNOWN for every other text."""
    return _by_code().get((code or "").strip().upper(), UNKNOWN)


@cache
def _by_code() -> dict[str, Country]:
    found: dict[str, Country] = {}
    text = (files("pharos.data_api") / "countries.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        entry: Country = {"alpha2": row["alpha2"], "alpha3": row["alpha3"], "name": row["name"]}
        found |= dict.fromkeys(
            (row["alpha2"], row["alpha3"], row["numeric"], str(int(row["numeric"]))), entry
        )
    return found
