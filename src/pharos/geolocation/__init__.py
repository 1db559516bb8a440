"""From network addresses to countries, by a database file in MaxMind's format (`.mmdb`) of any vendor.

The file that comes with Pharos has its licence beside it; `geolocation.database` names another.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import ibis
import maxminddb
from ibis.expr.types import StringValue

from pharos.errors import ConfigurationError

SHIPPED = Path(__file__).with_name("countries.mmdb")
UNKNOWN = "UNKNOWN"

CountryOf = Callable[[StringValue], StringValue]
"""Gives the ISO 3166 alpha-2 code of an address, or UNKNOWN; null for null."""


def check(database: Path) -> None:
    """Raises ConfigurationError unless the file is a database of countries that can be read."""
    try:
        with maxminddb.open_database(database) as reader:
            kind = reader.metadata().database_type
    except (OSError, maxminddb.InvalidDatabaseError, ValueError) as error:
        raise ConfigurationError(f"geolocation.database: {database}: cannot be read: {error}") from error
    if "country" not in kind.lower() and "city" not in kind.lower() and "location" not in kind.lower():
        raise ConfigurationError(f"geolocation.database: {database}: holds {kind}, not countries")


def fingerprint(database: Path) -> str:
    """Changes when the database does."""
    stat = database.stat()
    return f"{database.name} {stat.st_size} {_built(str(database))}"


def country_of(database: Path) -> CountryOf:
    """The function that looks addresses up, for expressions on any engine; see `CountryOf`."""
    path = str(database)

    def country_of_address(address: str | None) -> str | None:
        return country(path, address)

    # A function of single values: vectorised ones get whole columns on one engine and values on the other.
    function: CountryOf = ibis.udf.scalar.python(country_of_address, signature=(("string",), "string"))
    return function


def country(database: str, address: str | None) -> str | None:
    """The country of one address; UNKNOWN if the database has none, or it is private or no address."""
    if address is None:
        return None
    text = address.strip()
    try:
        found = _reader(database).get(_unwrapped(text) if ":" in text else text)
    except ValueError:  # no address, or IPv6 in a database of IPv4 alone
        return UNKNOWN
    return _code(found) or UNKNOWN


def _unwrapped(address: str) -> str:
    """The IPv4 address that an IPv6 address only wraps, or the address itself. Raises ValueError."""
    mapped = ipaddress.IPv6Address(address).ipv4_mapped
    return address if mapped is None else str(mapped)


def _code(found: object) -> str | None:
    """The code in a record: vendors write `{"country_code": "IE"}` or `{"country": {"iso_code": "IE"}}`."""
    if not isinstance(found, dict):
        return None
    nested = found.get("country") or found.get("registered_country")
    code = found.get("country_code") or (nested.get("iso_code") if isinstance(nested, dict) else nested)
    return code.strip().upper() or None if isinstance(code, str) else None


@lru_cache(maxsize=2)
def _reader(database: str) -> maxminddb.Reader:
    """One open reader per process and file: it runs where the engine runs."""
    return maxminddb.open_database(database)


@lru_cache(maxsize=2)
def _built(database: str) -> int:
    with maxminddb.open_database(database) as reader:
        return reader.metadata().build_epoch
