from __future__ import annotations

from pathlib import Path

import pytest

from pharos import geolocation
from pharos.errors import ConfigurationError

DATABASE = str(geolocation.SHIPPED)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("87.32.1.1", "IE"),
        (" 87.32.1.1\n", "IE"),
        ("::ffff:87.32.1.1", "IE"),
        ("2001:770::1", "IE"),
        ("1.47.1.1", "TH"),
        ("10.0.0.5", "UNKNOWN"),
        ("127.0.0.1", "UNKNOWN"),
        ("::1", "UNKNOWN"),
        ("fe80::1%eth0", "UNKNOWN"),
        ("300.1.1.1", "UNKNOWN"),
        ("not an address", "UNKNOWN"),
        ("", "UNKNOWN"),
        (None, None),
    ],
)
def test_country_of_an_address(address: str | None, code: str | None) -> None:
    assert geolocation.country(DATABASE, address) == code


def test_the_shipped_database_is_one_of_countries() -> None:
    geolocation.check(geolocation.SHIPPED)
    assert (geolocation.SHIPPED.parent / "LICENSE.countries.txt").is_file()


def test_what_is_no_database_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mmdb"
    broken.write_text("no database")
    for path in (broken, tmp_path / "missing.mmdb"):
        with pytest.raises(ConfigurationError, match=rf"geolocation.database: {path}: cannot be read"):
            geolocation.check(path)
