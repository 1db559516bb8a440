from __future__ import annotations

import pytest

from pharos.errors import ConfigurationError
from pharos.lms.database import DatabaseAddress, database_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (
            "mysql://reader:p%40ss@replica.example/edxapp?ssl_mode=verify_identity&ssl_ca=ca.pem",
            DatabaseAddress(
                "mysql", "edxapp", "replica.example", 3306, "reader", "p@ss",
                {"ssl_mode": "verify_identity", "ssl_ca": "ca.pem"},
            ),
        ),
        ("mysql+pymysql://u@h:33/e", DatabaseAddress("mysql", "e", "h", 33, "u")),
        ("mariadb://u@h/e", DatabaseAddress("mysql", "e", "h", 3306, "u")),
        ("postgresql://u@[::1]/e", DatabaseAddress("postgresql", "e", "::1", 5432, "u")),
        ("sqlite:///lms.sqlite", DatabaseAddress("sqlite", "lms.sqlite")),
        ("sqlite:////var/lms.sqlite", DatabaseAddress("sqlite", "/var/lms.sqlite")),
    ],
)  # fmt: skip
def test_a_url_names_a_database(url: str, address: DatabaseAddress) -> None:
    assert database_address(url) == address


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("edxapp", "is no database URL"),
        ("mysql://u:secret@h:port/e", "is no database URL"),
        ("oracle://u:secret@h/e", "oracle is no kind of database"),
        ("mysql://u:secret@h", "names no database"),
        ("mysql:///e", "names no host"),
        ("mysql://u:secret@h/e?sslmode=require", "no such option: sslmode; mysql takes ssl_mode"),
        ("sqlite:///e?ssl_mode=required", "no such option: ssl_mode; sqlite takes none"),
    ],
)
def test_a_mistake_in_the_url_is_named_and_the_password_is_not_shown(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        database_address(url)
    assert str(caught.value).startswith("lms.database: ")
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_address_shows_neither_user_nor_password() -> None:
    address = database_address("mysql://reader:secret@h/edxapp")
    assert str(address) == "mysql://h:3306/edxapp"
    assert "secret" not in repr(address)
