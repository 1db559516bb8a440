"""Creates, lists and revokes tokens of the Data API. Only their hashes are stored, in the Result Store."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from pharos.errors import PharosError
from pharos.result_store.connecting import translated
from pharos.result_store.tables import tokens

TOKEN_BYTES = 20  # 40 hexadecimal characters, as the original's
SHORTEST = 20  # characters of a given token: its hash is only as safe as it is hard to guess


class TokenNameTaken(PharosError):
    """A valid token already has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"There is a valid token named {self.name!r}. Choose another name, or revoke that one first."


class TokenTooWeak(PharosError):
    """A given token is too short, or holds spaces."""

    def __str__(self) -> str:
        return f"A token needs {SHORTEST} or more characters without spaces. Let a new one be made."


class NoSuchToken(PharosError):
    """No valid token has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"There is no valid token named {self.name!r}. `pharos token list` shows those there are."


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token as stored. `courses` and `organizations` limit what it may read; None means everything."""

    name: str
    hash: str  # SHA-256, hexadecimal
    courses: frozenset[str] | None
    organizations: frozenset[str] | None
    learners: bool  # may read data of single learners
    requests_per_minute: int | None  # None: the rate of the settings
    created: datetime  # UTC, naive, as all below
    expires: datetime | None
    revoked: datetime | None

    def is_valid(self, now: datetime) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)


def create_token(
    engine: sa.Engine,
    name: str,
    *,
    courses: Iterable[str] = (),
    organizations: Iterable[str] = (),
    learners: bool = False,
    requests_per_minute: int | None = None,
    expires: datetime | None = None,
    token: str | None = None,
) -> str:
    """Create a token and return it in clear: it cannot be shown again. `token` sets a given value.

    Without `courses` and `organizations` it may read all courses; data of single learners only with
    `learners`. `expires`: UTC, naive. The name of a revoked or expired token may be used again. Raises
    TokenNameTaken, TokenTooWeak, StoreUnreachable.
    """
    clear = secrets.token_hex(TOKEN_BYTES) if token is None else token
    if len(clear) < SHORTEST or not clear.isprintable() or " " in clear:
        raise TokenTooWeak
    if any(existing.name == name and existing.is_valid(_now()) for existing in list_tokens(engine)):
        raise TokenNameTaken(name)
    with translated(engine) as connection, connection.begin():
        connection.execute(sa.delete(tokens).where(tokens.c.name == name))
        connection.execute(
            sa.insert(tokens).values(
                name=name,
                hash=hashed(clear),
                courses="\n".join(sorted(courses)) or None,
                organizations="\n".join(sorted(organizations)) or None,
                learners=learners,
                requests_per_minute=requests_per_minute,
                created=_now(),
                expires=expires,
            )
        )
    return clear


def list_tokens(engine: sa.Engine) -> list[Token]:
    """All tokens, revoked and expired ones too, oldest first. Raises StoreUnreachable."""
    with translated(engine) as connection:
        rows = connection.execute(sa.select(tokens).order_by(tokens.c.id)).mappings().all()
    return [
        Token(
            name=row["name"],
            hash=row["hash"],
            courses=_lines(row["courses"]),
            organizations=_lines(row["organizations"]),
            learners=row["learners"],
            requests_per_minute=row["requests_per_minute"],
            created=row["created"],
            expires=row["expires"],
            revoked=row["revoked"],
        )
        for row in rows
    ]


def revoke_token(engine: sa.Engine, name: str) -> None:
    """Refuse the token from now on. Raises NoSuchToken, StoreUnreachable."""
    with translated(engine) as connection, connection.begin():
        done = connection.execute(
            sa.update(tokens).where(tokens.c.name == name, tokens.c.revoked.is_(None)).values(revoked=_now())
        )
    if done.rowcount == 0:
        raise NoSuchToken(name)


def hashed(token: str) -> str:
    """The stored form of a token. A plain hash is enough: tokens are long and random, unlike passwords."""
    return hashlib.sha256(token.encode()).hexdigest()


def _lines(text: str | None) -> frozenset[str] | None:
    return frozenset(text.splitlines()) if text else None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
