"""Tokens signed by the LMS (JWT), checked against its public keys (spec 05 §3.1).

The original accepts every signature when no key is configured. Here: no key, no access; each key is used
with its own algorithm only; `none` never.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from pharos.config import LMS
from pharos.data_api.errors import Unauthenticated

KEYS_FRESH_FOR_S = 3600
KEYS_ASKED_AGAIN_AFTER_S = 60
ALGORITHMS = {"RSA": ("RS256", "RS512"), "oct": ("HS256",)}
SUPPORTED_MAJOR_VERSION = 1


@dataclass(frozen=True)
class Claims:
    """What a checked token says of a person."""

    username: str
    administrator: bool  # of the LMS: reads every course
    organizations: frozenset[str]  # the `content_org` filters of the token


class SignedTokens:
    """Checks tokens. Without the address or file of the LMS's keys every token is refused."""

    def __init__(self, lms: LMS, audience: str | None = None) -> None:
        self._lms, self._audience = lms, audience
        self._source = lms.jwt_keys or (f"{lms.url.rstrip('/')}/oauth2/jwks" if lms.url else None)
        self._issuer = lms.jwt_issuer or (f"{lms.url.rstrip('/')}/oauth2" if lms.url else None)
        self._lock = threading.Lock()
        self._keys: list[Key] = []
        self._asked: float | None = None

    def claims(self, credential: str) -> Claims:
        """Raises Unauthenticated, in the original's words, unless all that is checked is right."""
        payload = self._verified(credential)
        now = time.time()
        if not isinstance(payload.get("exp"), int | float) or not isinstance(payload.get("iat"), int | float):
            raise Unauthenticated("Error decoding token.")
        if payload["exp"] <= now:
            raise Unauthenticated("Token has expired.")
        if self._issuer is None or payload.get("iss") != self._issuer:
            raise Unauthenticated("Error decoding token.")
        if self._audience is not None and self._audience not in _audiences(payload):
            raise Unauthenticated("Error decoding token.")
        return _person(payload)

    def _verified(self, credential: str) -> dict[str, Any]:
        for attempt in (1, 2):
            for key in self._known_keys(refresh=attempt == 2):  # noqa: PLR2004 - a new key may be there now
                allowed = _algorithms(key)
                try:
                    return dict(jwt.decode(credential, key, algorithms=allowed).claims)
                except (JoseError, ValueError, TypeError):
                    continue
        raise Unauthenticated("Error decoding token.")

    def _known_keys(self, *, refresh: bool) -> list[Key]:
        if self._source is None:
            return []
        with self._lock:
            age = None if self._asked is None else time.monotonic() - self._asked
            if age is None or age > (KEYS_ASKED_AGAIN_AFTER_S if refresh else KEYS_FRESH_FOR_S):
                self._asked = time.monotonic()
                self._keys = _read_keys(self._source, self._lms.timeout_s) or self._keys
            return self._keys


def _read_keys(source: str, timeout_s: float) -> list[Key]:
    """The keys of the set; none if it cannot be read: then nobody gets in by one."""
    try:
        if source.startswith(("http://", "https://")):
            text = httpx.get(source, timeout=timeout_s, follow_redirects=True).raise_for_status().text
        else:
            text = Path(source).read_text(encoding="utf-8")
        return [key for key in KeySet.import_key_set(json.loads(text)).keys if _algorithms(key)]
    except (httpx.HTTPError, OSError, ValueError, JoseError, KeyError, TypeError):
        return []


def _algorithms(key: Key) -> list[str]:
    """The algorithm the key names, if its type allows it; else those of its type."""
    of_type = list(ALGORITHMS.get(key.key_type, ()))
    named = key.get("alg")
    return [a for a in of_type if a == named] if named else of_type


def _audiences(payload: dict[str, Any]) -> list[object]:
    named = payload.get("aud")
    return named if isinstance(named, list) else [named]


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
