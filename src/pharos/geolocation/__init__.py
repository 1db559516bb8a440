"""Maps network addresses to countries, by a database file in MaxMind's format (`.mmdb`) of any vendor.

The file shipped with Pharos has its licence beside it; `geolocation.database` chooses another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import maxminddb
from ibis.expr.types import StringValue

from pharos.errors import ConfigurationError
from pharos.geolocation.countries import IN_PLACE, UNKNOWN, Countries

SHIPPED = Path(__file__).with_name("countries.mmdb")

CountryOf = Callable[[StringValue], StringValue]
"""`codes` as a function of expressions."""


def check(database: Path) -> None:
    """Raises ConfigurationError unless the file is a readable database of countries."""
    try:
        with maxminddb.open_database(database) as reader:
            kind = reader.metadata().database_type
    except (OSError, maxminddb.InvalidDatabaseError, ValueError) as error:
        raise ConfigurationError(f"geolocation.database: {database}: cannot be read: {error}") from error
    if "country" not in kind.lower() and "city" not in kind.lower() and "location" not in kind.lower():
        raise ConfigurationError(f"geolocation.database: {database}: holds {kind}, not countries")


def fingerprint(database: Path) -> str:
    """A fingerprint of the database file."""
    stat = database.stat()
    return f"{database.name} {stat.st_size} {_built(str(database))}"


def codes(database: str, private: str | None, addresses: Sequence[str | None]) -> list[str | None]:
    """The countries of addresses, see `Countries.of`; the file is opened once per process.

    `private` is the country of private addresses; None: unknown.
    """
    return _countries(database, private or UNKNOWN).of(addresses)


def in_place_of_addresses(
    database: str, private: str | None, addresses: Sequence[str | None]
) -> list[str | None]:
    """The replacements for addresses to be forgotten: texts that keep the country.

    `codes` returns the same country for a replacement, with any database. Blank texts are not addresses and
    stay. See `codes`.
    """
    found = codes(database, private, addresses)
    return [
        f"{IN_PLACE}{code}" if address and address.strip() else address
        for address, code in zip(addresses, found, strict=True)
    ]


@lru_cache(maxsize=2)
def _countries(database: str, private: str) -> Countries:
    return Countries(database, private)


@lru_cache(maxsize=2)
def _built(database: str) -> int:
    with maxminddb.open_database(database) as reader:
        return reader.metadata().build_epoch
