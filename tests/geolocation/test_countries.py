"""The country of an address. `spec 01 §7.2, §10.34, §11.115-116`"""

from __future__ import annotations

from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from random import Random

import maxminddb
import pyarrow as pa
import pytest
from tests.geolocation import mmdb

from pharos import geolocation
from pharos.engine import Engine
from pharos.errors import ConfigurationError

SHIPPED = str(geolocation.SHIPPED)

PLACES: dict[str | None, str | None] = {
    "87.32.1.1": "IE",
    " 87.32.1.1\n": "IE",
    "::ffff:87.32.1.1": "IE",
    "2001:770::1": "IE",
    "2001:0770:0000::0001": "IE",
    "1.47.1.1": "TH",
    "10.0.0.5": "UNKNOWN",
    "172.16.0.1": "UNKNOWN",  # which the file that comes with Pharos has in Australia
    "192.168.1.1": "UNKNOWN",
    "fd00::1": "UNKNOWN",
    "127.0.0.1": "UNKNOWN",
    "::1": "UNKNOWN",
    "fe80::1%eth0": "UNKNOWN",
    "300.1.1.1": "UNKNOWN",
    "87.32.1": "UNKNOWN",
    "not an address": "UNKNOWN",
    "na\u00efve": "UNKNOWN",
    "": "UNKNOWN",
    None: None,
}


def test_countries_of_addresses() -> None:
    """§11.116: private addresses and what is none are UNKNOWN."""
    assert geolocation.codes(SHIPPED, None, list(PLACES)) == list(PLACES.values())
    assert geolocation.codes(SHIPPED, None, []) == []


def test_what_takes_the_place_of_an_address_is_in_its_country(tmp_path: Path) -> None:
    """§10.37: now, and whatever database is asked later; blank texts are no addresses."""
    kept = geolocation.in_place_of_addresses(SHIPPED, "SE", list(PLACES))
    assert geolocation.codes(SHIPPED, "SE", kept) == geolocation.codes(SHIPPED, "SE", list(PLACES))
    assert {text for address, text in zip(PLACES, kept, strict=True) if address} == {
        "country:IE", "country:TH", "country:UNKNOWN", "country:SE",
    }  # fmt: skip
    assert [text for address, text in zip(PLACES, kept, strict=True) if not address] == ["", None]
    assert geolocation.in_place_of_addresses(SHIPPED, None, [" \n"]) == [" \n"]
    assert geolocation.in_place_of_addresses(SHIPPED, None, kept) == kept, "the same again"
    other = mmdb.write(tmp_path / "other.mmdb", {"0.0.0.0/0": {"country_code": "XX"}})
    assert geolocation.codes(str(other), None, kept) == geolocation.codes(SHIPPED, "SE", kept)


def test_as_a_function_of_expressions(engine: Engine) -> None:
    """§11.116 on both engines, over more rows than go into one piece."""
    addresses = list(PLACES) * 5000
    function = engine.function(partial(geolocation.codes, SHIPPED, None))
    rows = engine.table(pa.table({"ip": pa.array(addresses, pa.string())}))
    found = engine.fetch(rows.select(ip=rows.ip, code=function(rows.ip)).distinct()).to_pylist()
    assert {row["ip"]: row["code"] for row in found} == PLACES


def test_random_addresses_are_found_where_the_library_finds_them() -> None:
    rng = Random(1)
    addresses = [str(IPv4Address(rng.getrandbits(32))) for _ in range(4000)]
    addresses += [
        str(IPv6Address(rng.randrange(0x2000, 0x2C10) << 112 | rng.getrandbits(112))) for _ in range(4000)
    ]
    addresses = [address for address in addresses if not ip_address(address).is_private]
    with maxminddb.open_database(SHIPPED) as reader:
        records = [reader.get(address) for address in addresses]
    expected = [record["country_code"] if isinstance(record, dict) else "UNKNOWN" for record in records]
    assert len(set(expected)) > 50
    assert geolocation.codes(SHIPPED, None, addresses) == expected


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("bits", [24, 28, 32])
def test_databases_of_every_form(bits: int, version: int, tmp_path: Path) -> None:
    """§11.115: whatever a vendor writes, and UNKNOWN for what is blank, null or missing."""
    networks: dict[str, mmdb.Record] = {
        "1.0.0.0/8": {"country": {"iso_code": "th"}},
        "2.0.0.0/9": {"country_code": "IE "},
        "3.0.0.0/32": {"registered_country": {"iso_code": "FR"}},
        "4.0.0.0/8": {"country": {"iso_code": " "}},
        "5.0.0.0/8": {"country": {}},
        "6.0.0.0/8": {"continent": {"code": "EU"}},
        "7.0.0.0/8": {"country_code": 7},
        "8.0.0.0/8": {"country": "DE"},
    }
    if version == 6:
        networks |= {"2a00::/12": {"country_code": "NL"}, "2001:db8::7/128": {"country_code": "XX"}}
    path = mmdb.write(tmp_path / "any.mmdb", networks, bits=bits, version=version)
    geolocation.check(path)
    outside = {"2a00::1": "NL", "2001:db8::7": "XX", "2001:db8::8": "UNKNOWN"}
    expected = {
        "1.255.0.1": "TH", "2.127.255.255": "IE", "2.128.0.0": "UNKNOWN", "3.0.0.0": "FR",
        "3.0.0.1": "UNKNOWN", "4.0.0.1": "UNKNOWN", "5.0.0.1": "UNKNOWN", "6.0.0.1": "UNKNOWN",
        "7.0.0.1": "UNKNOWN", "8.1.1.1": "DE", "0.0.0.1": "UNKNOWN", "::ffff:1.2.3.4": "TH",
        **(outside if version == 6 else dict.fromkeys(outside, "UNKNOWN")),
    }  # fmt: skip
    assert dict(zip(expected, geolocation.codes(str(path), None, list(expected)), strict=True)) == expected


def test_private_addresses_may_have_a_country() -> None:
    """§10.34"""
    private = ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "::ffff:10.1.1.1"]
    others = ["172.32.0.1", "192.169.1.1", "11.0.0.1", "87.32.1.1", "127.0.0.1", "::1", "none", ""]
    assert set(geolocation.codes(SHIPPED, "CH", private)) == {"CH"}
    assert geolocation.codes(SHIPPED, "CH", others) == geolocation.codes(SHIPPED, None, others)


def test_another_database_has_another_fingerprint(tmp_path: Path) -> None:
    path = mmdb.write(tmp_path / "any.mmdb", {"1.0.0.0/8": {"country_code": "TH"}})
    assert geolocation.fingerprint(path) != geolocation.fingerprint(geolocation.SHIPPED)


def test_the_shipped_database_is_one_of_countries() -> None:
    geolocation.check(geolocation.SHIPPED)
    assert (geolocation.SHIPPED.parent / "LICENSE.countries.txt").is_file()


def test_what_is_no_database_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mmdb"
    broken.write_text("no database")
    for path in (broken, tmp_path / "missing.mmdb"):
        with pytest.raises(ConfigurationError, match=rf"geolocation.database: {path}: cannot be read"):
            geolocation.check(path)
    networks = mmdb.write(tmp_path / "networks.mmdb", {"1.0.0.0/8": {"asn": "1"}}, kind="ASN")
    with pytest.raises(ConfigurationError, match="holds ASN, not countries"):
        geolocation.check(networks)
