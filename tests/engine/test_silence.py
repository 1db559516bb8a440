"""A database of the LMS that accepts connections and says nothing ends in words, not in waiting."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests import edxapp
from tests.wires import Wire

from pharos.database_addresses import DatabaseAddress, database_address
from pharos.engine import database, jdbc
from pharos.engine.database import scanned
from pharos.lms.errors import LMSDatabaseFailed
from pharos.lms.tables import TABLES
from pharos.result_store.connecting import engine_for

USERS = TABLES["auth_user"].schema
SILENT_S = 2  # shorter, and a busy machine is taken for a silent server


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ANSWER_S", SILENT_S)
    monkeypatch.setattr(database, "ROWS_S", SILENT_S)


@pytest.fixture
def server_url(store_url: str) -> str:
    """An LMS database on a server."""
    if store_url.startswith("sqlite"):
        pytest.skip("a file cannot be silent")
    return edxapp.create(store_url)


@pytest.fixture
def wire(server_url: str) -> Iterator[tuple[Wire, str]]:
    """A way to the database that can be frozen, and the address at its end."""
    url = sa.make_url(server_url)
    way = Wire((url.host or "", url.port or 0))
    yield way, url.set(port=way.port).render_as_string(hide_password=False)
    way.close()


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_a_server_that_accepts_and_says_nothing(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = database_address(f"{kind}://u@127.0.0.1:{server.getsockname()[1]}/edxapp")
        with pytest.raises(LMSDatabaseFailed, match=r"no answer within 2 s"), scanned(address):
            pass


def test_a_server_that_freezes_while_it_is_read(wire: tuple[Wire, str], tmp_path: Path) -> None:
    way, url = wire
    with scanned(database_address(url)) as opened:
        assert opened.copy("auth_user", USERS, tmp_path / "users").rows == 3
        way.freeze()
        with pytest.raises(LMSDatabaseFailed, match=r"table auth_user.*no answer within 2 s"):
            opened.copy("auth_user", USERS, tmp_path / "users")
        # The second fails at once, whether or not it already knows that the connection is gone.
        with pytest.raises(LMSDatabaseFailed, match=r"table auth_user.*(no answer|the connection broke)"):
            opened.copy("auth_user", USERS, tmp_path / "users")
        with pytest.raises(LMSDatabaseFailed, match="no answer"):
            opened.probe("auth_userprofile", TABLES["auth_userprofile"].schema)


def test_connections_of_others_to_the_same_server_stay(wire: tuple[Wire, str], tmp_path: Path) -> None:
    """As those of the Result Store, which may be on the same server."""
    way, url = wire
    engine = engine_for(url)
    with engine.connect() as other:
        assert other.scalar(sa.text("SELECT 1")) == 1
        with scanned(database_address(url)) as opened:
            way.freeze()
            with pytest.raises(LMSDatabaseFailed, match="no answer"):
                opened.copy("auth_user", USERS, tmp_path / "users")
        way.go_on()
        assert other.scalar(sa.text("SELECT 1")) == 1
    engine.dispose()


def test_drivers_of_spark_are_told_how_long_to_wait() -> None:
    for kind, driver, factor in (
        ("mysql", "org.mariadb.jdbc.Driver", 1000),
        ("postgresql", "org.postgresql.Driver", 1),
    ):
        url = jdbc._url(DatabaseAddress(kind, "edxapp", "db", 1), driver)  # noqa: SLF001 - what Spark is given
        assert f"connectTimeout={jdbc.CONNECT_S * factor}" in url
        assert f"socketTimeout={jdbc.SILENT_S * factor}" in url
