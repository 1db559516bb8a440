"""Where the LMS database is and how to sign in there, read from one URL. Opens nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from pharos.errors import ConfigurationError

PORTS = {"mysql": 3306, "postgresql": 5432}
# What each kind of server is told about TLS, by the names its own clients use.
TLS_OPTIONS = {
    "mysql": ("ssl_mode", "ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_cipher"),
    "postgresql": ("sslmode", "sslrootcert", "sslcert", "sslkey"),
    "sqlite": (),
}
EXAMPLES = "mysql://user:password@host/edxapp, postgresql://user:password@host/edxapp or sqlite:///file"


@dataclass(frozen=True)
class DatabaseAddress:
    """A database of one of the kinds mysql (also MariaDB), postgresql, sqlite (`database` is the file)."""

    kind: str
    database: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    tls: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """For people and records: without user and password."""
        place = f"{self.host}:{self.port}/" if self.host else "/"
        return f"{self.kind}://{place}{self.database}"


def database_address(url: str) -> DatabaseAddress:
    """The address a URL means, like `mysql://user:password@host:3306/edxapp?ssl_mode=verify_identity`.

    A driver's name (`mysql+pymysql`) is ignored. Raises ConfigurationError without showing the URL, which may
    hold a password.
    """
    try:
        parts = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigurationError(f"lms.database: is no database URL; write {EXAMPLES}") from None
    kind = {"mariadb": "mysql", "postgres": "postgresql"}.get(
        parts.get_backend_name(), parts.get_backend_name()
    )
    if kind not in TLS_OPTIONS:
        raise ConfigurationError(
            f"lms.database: {kind} is no kind of database Pharos reads; write {EXAMPLES}"
        )
    mistakes = [
        f"lms.database: no such option: {name}; {kind} takes {', '.join(TLS_OPTIONS[kind]) or 'none'}"
        for name in parts.query
        if name not in TLS_OPTIONS[kind]
    ]
    if not parts.database:
        mistakes.append(f"lms.database: names no database; write {EXAMPLES}")
    if kind != "sqlite" and not parts.host:
        mistakes.append(f"lms.database: names no host; write {EXAMPLES}")
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
