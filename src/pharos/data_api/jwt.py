"""Tokens signed by the LMS (JWT) as credentials of the Data API (spec 05 §3.1).

The original accepts every signature if no key is configured. Here every token is refused if neither
`lms.jwt_keys` nor `lms.jwt_secret` is set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pharos.config import LMS
from pharos.data_api.errors import Unauthenticated
from pharos.lms.tokens import Fault, TokenRefused, Tokens

SUPPORTED_MAJOR_VERSION = 1


@dataclass(frozen=True)
class Claims:
    """The claims of a checked token."""

    username: str
    administrator: bool  # of the LMS: reads every course
    organizations: frozenset[str]  # the `content_org` filters of the token


class SignedTokens:
    """Checks tokens. Raises ConfigurationError for unusable keys."""

    def __init__(self, lms: LMS, audience: str | None = None) -> None:
        self._tokens = Tokens(lms, audience)

    async def claims(self, credential: str) -> Claims:
        """The claims. Raises Unauthenticated, in the original's words, if any check fails."""
        try:
            return _person(await self._tokens.claims(credential))
        except TokenRefused as error:
            expired = error.fault is Fault.EXPIRED
            raise Unauthenticated("Token has expired." if expired else "Error decoding token.") from error


def _person(payload: dict[str, Any]) -> Claims:
    version = str(payload.get("version", "1.0.0")).split(".")[0]
    if not version.isdigit() or int(version) > SUPPORTED_MAJOR_VERSION:
        raise Unauthenticated("Invalid token.")
    username = payload.get("preferred_username") or payload.get("username")
    if not isinstance(username, str) or not username:
        raise Unauthenticated("JWT must include a preferred_username or username claim!")
    filters = payload.get("filters")
    organizations = frozenset(
        text.removeprefix("content_org:")
        for text in (filters if isinstance(filters, list) else [])
        if isinstance(text, str) and text.startswith("content_org:")
    )
    return Claims(username, payload.get("administrator") is True, organizations)
