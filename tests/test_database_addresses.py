from __future__ import annotations

import pytest
import sqlalchemy

from pharos.database_addresses import (
    DatabaseAddress,
    database_address,
    sqlalchemy_url,
    system_certificates,
)
from pharos.errors import ConfigurationError


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
        ("postgres://u@h/e", DatabaseAddress("postgresql", "e", "h", 5432, "u")),
        ("mysql://u%40realm:p%25%2F%40%3A@h/e", DatabaseAddress("mysql", "e", "h", 3306, "u@realm", "p%/@:")),
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
        ("edxapp", "is no address of a database"),
        ("mysql://u:secret@h:port/e", "is no address of a database"),
        ("oracle://u:secret@h/e", "oracle is no kind of database"),
        ("mysql://u:secret@h", "names no database"),
        ("sqlite://", "names no file"),
        ("mysql:///e", "names no host"),
        ("mysql://u:secret@h:65536/e", "65536 is no port; ports are 1 to 65535"),
        ("mysql://u:secret@h:0/e", "0 is no port"),
        ("mysql://u:secret@h/e?sslmode=require", "no such option: sslmode; mysql takes ssl_mode"),
        ("mysql://u:se@cret@h/e", "write % as %25, @ as %40"),
        ("mysql://u:se@cret/more@h/e", "write % as %25, @ as %40"),
        ("mysql://u:100%secret@h/e", "write % as %25"),
        ("mysql://u:secret@h/e?ssl_mode=maybe", "ssl_mode is one of disabled, preferred, required"),
        ("mysql://u:secret", "is no address of a database"),
        ("mysql:u:secret@h/e", "is no address of a database"),
        ("sqlite:///e?ssl_mode=required", "no such option: ssl_mode; sqlite takes none"),
    ],
)
def test_a_mistake_in_the_url_is_named_and_the_password_is_not_shown(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        database_address(url)
    assert str(caught.value).startswith("lms.database: ")
    assert says in str(caught.value)
    assert "cret" not in str(caught.value)


def test_an_address_shows_neither_user_nor_password() -> None:
    address = database_address("mysql://reader:secret@h/edxapp")
    assert str(address) == "mysql://h:3306/edxapp"
    assert "secret" not in repr(address)


@pytest.mark.parametrize(
    ("url", "driver", "options"),
    [
        ("mysql://u:p%40@h/e", "mysql+pymysql", {}),
        ("mariadb://u:p@h/e?charset=utf8mb4", "mysql+pymysql", {"charset": "utf8mb4"}),
        ("mysql+mysqldb://u:p@h/e?ssl_mode=DISABLED", "mysql+pymysql", {}),
        ("mysql://u:p@h/e?ssl_mode=required", "mysql+pymysql", {"ssl_check_hostname": "false"}),
        (
            "mysql://u:p@h/e?ssl_mode=verify_ca",
            "mysql+pymysql",
            {"ssl_ca": system_certificates(), "ssl_check_hostname": "false"},
        ),
        (
            "mysql://u:p@h/e?ssl_mode=verify_identity&ssl_ca=ca.pem",
            "mysql+pymysql",
            {"ssl_ca": "ca.pem", "ssl_check_hostname": "true"},
        ),
        ("postgres://u:p@h/e?sslmode=require", "postgresql+psycopg", {"sslmode": "require"}),
        ("postgresql+psycopg2://u:p@h/e", "postgresql+psycopg", {}),
        ("sqlite:////var/a@b%25.sqlite", "sqlite", {}),
    ],
)
def test_the_result_store_takes_the_same_addresses(url: str, driver: str, options: dict[str, str]) -> None:
    found = sqlalchemy_url(url, "result_store.url")
    assert (found.drivername, dict(found.query)) == (driver, options)
    assert found.set(drivername="x", query={}) == sqlalchemy.make_url(url).set(drivername="x", query={})


def test_a_mistake_in_the_address_of_the_result_store_names_its_setting() -> None:
    with pytest.raises(ConfigurationError, match=r"^result_store\.url: oracle is no kind"):
        sqlalchemy_url("oracle://u:secret@h/e", "result_store.url")
    with pytest.raises(ConfigurationError, match=r"^result_store\.url: names no file"):
        sqlalchemy_url("sqlite://", "result_store.url")  # that would be a store in memory
