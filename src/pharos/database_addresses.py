"""Addresses of databases, as operators write them: one form for the LMS and the Result Store.

Opens no connection. No error shows an address, as it may hold a password.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field

import sqlalchemy as sa

from pharos.errors import ConfigurationError

LAST_PORT = 65_535
PORTS = {"mysql": 3306, "postgresql": 5432}
# What each kind of server is told about TLS, by the names its own clients use.
TLS_OPTIONS = {
    "mysql": ("ssl_mode", "ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_cipher"),
    "postgresql": ("sslmode", "sslrootcert", "sslcert", "sslkey"),
    "sqlite": (),
}
SSL_MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")
EXAMPLES = "mysql://user:password@host/openedx, postgresql://user:password@host/openedx or sqlite:///file"
_KINDS = {"mariadb": "mysql", "postgres": "postgresql"}
_DRIVERS = {"mysql": "mysql+pymysql", "postgresql": "postgresql+psycopg", "sqlite": "sqlite"}
_ENCODE = "in user and password write % as %25, @ as %40, / as %2F, : as %3A, ? as %3F, # as %23"
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class DatabaseAddress:
    """A database of the kind mysql (also MariaDB), postgresql or sqlite (`database` is the file)."""

    kind: str
    database: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    tls: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The address without user and password, for people and records."""
        place = f"{self.host}:{self.port}/" if self.host else "/"
        return f"{self.kind}://{place}{self.database}"


def database_address(url: str, setting: str = "lms.database") -> DatabaseAddress:
    """Parse a URL like `mysql://user:password@host:3306/openedx?ssl_mode=verify_identity`.

    `postgres://` and `mariadb://` are accepted; a driver's name (`mysql+pymysql`) is ignored. Raises
    ConfigurationError, which names the setting.
    """
    parts = _parsed(url, setting)
    kind = parts.get_backend_name()
    mistakes = [
        f"{setting}: no such option: {name}; {kind} takes {', '.join(TLS_OPTIONS[kind]) or 'none'}"
        for name in parts.query
        if name not in TLS_OPTIONS[kind]
    ]
    if not parts.database:
        mistakes.append(f"{setting}: names no database; write {EXAMPLES}")
    if kind != "sqlite" and not parts.host:
        mistakes.append(f"{setting}: names no host; write {EXAMPLES}")
    if mistakes:
        raise ConfigurationError(*mistakes)
    return DatabaseAddress(
        kind=kind,
        database=str(parts.database),
        host=parts.host or "",
        port=parts.port or PORTS.get(kind, 0),
        user=parts.username or "",
        password=parts.password or "",
        tls={name: str(value) for name, value in parts.query.items()},
    )


def sqlalchemy_url(url: str, setting: str) -> sa.URL:
    """The same address for SQLAlchemy, with Pharos's driver and the TLS options in that driver's form.

    Other options are not changed. Raises ConfigurationError, which names the setting.
    """
    parts = _parsed(url, setting)
    kind = parts.get_backend_name()
    options = dict(parts.query)
    if kind == "mysql" and (mode := options.pop("ssl_mode", None)) is not None:
        options |= _pymysql_tls(str(mode).lower(), options)
    return parts.set(drivername=_DRIVERS[kind], query=options)


def system_certificates() -> str:
    """The file with the certificates that this system trusts; used if the address names none."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.openssl_cafile


def _parsed(url: str, setting: str) -> sa.URL:
    """The parts of an address of a supported kind. Raises ConfigurationError."""
    try:
        parts = sa.make_url(url)
        kind = _KINDS.get(parts.get_backend_name(), parts.get_backend_name())
        parts = parts.set(drivername=kind)
    except (sa.exc.ArgumentError, ValueError, TypeError):
        raise ConfigurationError(f"{setting}: is no address of a database; write {EXAMPLES}") from None
    if kind not in TLS_OPTIONS:
        raise ConfigurationError(f"{setting}: {kind} is no kind of database Pharos knows; write {EXAMPLES}")
    if kind == "sqlite":
        if not parts.database:
            raise ConfigurationError(f"{setting}: names no file; write {EXAMPLES}")
        return parts
    if parts.port is not None and not 0 < parts.port <= LAST_PORT:
        raise ConfigurationError(f"{setting}: {parts.port} is no port; ports are 1 to {LAST_PORT}")
    account = url.partition("://")[2].rpartition("@")[0]
    is_torn = any("@" in part or "/" in part for part in (parts.host or "", parts.database or ""))
    if is_torn or _NO_ESCAPE.search(account):
        raise ConfigurationError(f"{setting}: cannot be taken apart; {_ENCODE}")
    mode = str(parts.query.get("ssl_mode", SSL_MODES[0])).lower()
    if kind == "mysql" and mode not in SSL_MODES:
        raise ConfigurationError(f"{setting}: ssl_mode is one of {', '.join(SSL_MODES)}")
    return parts


def _pymysql_tls(mode: str, options: dict[str, str | tuple[str, ...]]) -> dict[str, str]:
    """TLS options for PyMySQL through SQLAlchemy; PyMySQL uses TLS exactly if there is any TLS option."""
    if mode in ("disabled", "preferred"):
        return {}
    if mode == "required":
        return {"ssl_check_hostname": "false"}
    trusted = {} if {"ssl_ca", "ssl_capath"} & options.keys() else {"ssl_ca": system_certificates()}
    return trusted | {"ssl_check_hostname": str(mode == "verify_identity").lower()}
