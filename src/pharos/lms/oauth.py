"""OAuth2 at the LMS: signing people in, and the service account's token. Knows no pages and no cookies.

Sign-in is the authorization-code flow with PKCE (RFC 7636, S256) and state; the access token is a JWT whose
claims say who signed in. It is believed only with a signature of the LMS's key set, the right issuer and
audience, and unexpired (spec 06 §4.1 B).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from pharos.config import LMS
from pharos.lms.errors import LMSRefused, LMSUnreachable, SignInFailed
from pharos.lms.patience import PASSING

SCOPE = "user_id profile email"
# Asymmetric only: with a public key set, an HMAC algorithm would take the public key for the secret.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
LEEWAY_S = 60
KEYS_LIFE_S = 3600
KEYS_RETRY_S = 10
TOKEN_MARGIN_S = 30


@dataclass(frozen=True)
class Person:
    """Who signed in, as the LMS's claims say."""

    username: str
    user_id: int | None
    name: str
    email: str
    language: str | None
    """The language of the profile, like `es-419`."""
    staff: bool
    """Global staff; renewed at each sign-in."""
    superuser: bool


@dataclass(frozen=True)
class Attempt:
    """A sign-in under way: what must come back (state) and what proves that it is ours (verifier)."""

    state: str
    verifier: str

    @classmethod
    def new(cls) -> Attempt:
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        """RFC 7636 S256 of the verifier."""
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class KeyRing:
    """The LMS's public keys, fetched when needed and again when a token names a key not among them."""

    def __init__(self, lms: LMS, http: httpx.AsyncClient) -> None:
        self._source = lms.jwt_keys or f"{base_url(lms)}/oauth2/jwks"
        self._http = http
        self._keys: KeySet | None = None
        self._fetched_at = -float("inf")

    async def keys(self, *, renew: bool = False) -> KeySet:
        """The keys. Raises LMSUnreachable when there are none to be had."""
        age_s = time.monotonic() - self._fetched_at
        if self._keys is None or age_s > KEYS_LIFE_S or (renew and age_s > KEYS_RETRY_S):
            self._keys = KeySet.import_key_set(await self._fetch())
            self._fetched_at = time.monotonic()
        return self._keys

    async def _fetch(self) -> Any:
        try:
            if self._source.startswith(("http://", "https://")):
                answer = await self._http.get(self._source)
                answer.raise_for_status()
                return answer.json()
            return json.loads(await asyncio.to_thread(Path(self._source).read_text, "utf-8"))
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise LMSUnreachable(self._source, type(error).__name__) from error


class SignIn:
    """The sign-in of one OAuth2 client (that of Insights) at the LMS."""

    def __init__(
        self, lms: LMS, client_id: str, client_secret: str, redirect_uri: str, http: httpx.AsyncClient
    ) -> None:
        self._lms = lms
        self._client_id, self._client_secret = client_id, client_secret
        self._redirect_uri = redirect_uri
        self._http = http
        self._ring = KeyRing(lms, http)

    def address(self, attempt: Attempt) -> str:
        """Where to send the browser."""
        query = {
            "client_id": self._client_id,
            "response_type": "code",
            "redirect_uri": self._redirect_uri,
            "scope": SCOPE,
            "state": attempt.state,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return f"{public_url(self._lms)}/oauth2/authorize?{urlencode(query)}"

    async def person(self, code: str, attempt: Attempt) -> Person:
        """Who the code belongs to. Raises SignInFailed; LMSUnreachable when the LMS does not answer."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "code_verifier": attempt.verifier,
            "token_type": "jwt",
        }
        try:
            answer = await _token(self._lms, form, self._http)
        except LMSRefused as error:
            raise SignInFailed(f"the LMS did not accept the code (status {error.status})") from error
        return person_of(await self._claims(str(answer.get("access_token", ""))))

    async def _claims(self, token: str) -> Mapping[str, Any]:
        keys = await self._ring.keys()
        try:
            return verified(token, keys, self._lms)
        except SignInFailed:
            renewed = await self._ring.keys(renew=True)
            if renewed is keys:
                raise
            return verified(token, renewed, self._lms)


def verified(token: str, keys: KeySet, lms: LMS) -> Mapping[str, Any]:
    """The claims of a JWT that the LMS signed for us and that is still good. Raises SignInFailed."""
    requirements = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_S,
        iss={"essential": True, "value": lms.jwt_issuer or f"{base_url(lms)}/oauth2"},
        aud={"essential": True, "value": lms.jwt_audience},
        exp={"essential": True},
    )
    try:
        decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
        requirements.validate(decoded.claims)
    except (JoseError, ValueError, TypeError) as error:
        raise SignInFailed(f"the LMS's token is not valid: {error}") from error
    return decoded.claims


def person_of(claims: Mapping[str, Any]) -> Person:
    """The person that verified claims describe (spec 06 §4.1.4). Raises SignInFailed without a name."""
    username = claims.get("preferred_username")
    if not isinstance(username, str) or not username:
        raise SignInFailed("the LMS's token names nobody (no preferred_username)")
    locale = claims.get("locale")
    user_id = claims.get("user_id")
    return Person(
        username=username,
        user_id=user_id if isinstance(user_id, int) else None,
        name=str(claims.get("name") or ""),
        email=str(claims.get("email") or ""),
        language=locale.replace("_", "-").lower() if isinstance(locale, str) and locale else None,
        staff=claims.get("administrator") is True,
        superuser=claims.get("superuser") is True,
    )


class ServiceToken:
    """The service account's access token (client credentials), kept until shortly before it expires."""

    def __init__(self, lms: LMS, http: httpx.AsyncClient) -> None:
        self._lms, self._http = lms, http
        self._token = ""
        self._good_until = -float("inf")
        self._asking = asyncio.Lock()

    async def token(self, *, refused: str | None = None) -> str:
        """The token; another one than that which the LMS has refused.

        Questions that run at the same time share one request. Raises LMSUnreachable or LMSRefused.
        """
        async with self._asking:
            if refused == self._token or time.monotonic() > self._good_until:
                await self._renew()
            return self._token

    async def _renew(self) -> None:
        secret = self._lms.client_secret
        form = {
            "grant_type": "client_credentials",
            "client_id": self._lms.client_id or "",
            "client_secret": secret.get_secret_value() if secret else "",
            "token_type": "jwt",
        }
        answer = await _token(self._lms, form, self._http)
        try:
            self._good_until = time.monotonic() + float(answer.get("expires_in", 0)) - TOKEN_MARGIN_S
        except (TypeError, ValueError):
            self._good_until = -float("inf")
        self._token = str(answer["access_token"])


async def _token(lms: LMS, form: Mapping[str, str], http: httpx.AsyncClient) -> dict[str, Any]:
    """The LMS's answer to a request for a token; holds `access_token`."""
    address = f"{base_url(lms)}/oauth2/access_token"
    try:
        answer = await http.post(address, data=form)
        if answer.is_client_error and answer.status_code not in PASSING:
            raise LMSRefused(address, answer.status_code)
        answer.raise_for_status()
        body = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise LMSUnreachable(address, type(error).__name__) from error
    if not isinstance(body, dict) or "access_token" not in body:
        raise LMSUnreachable(address, "no access token in the answer")
    return body


def base_url(lms: LMS) -> str:
    """The LMS as this server reaches it, without a final slash."""
    return (lms.url or "").rstrip("/")


def public_url(lms: LMS) -> str:
    """The LMS as browsers reach it, without a final slash."""
    return (lms.public_url or lms.url or "").rstrip("/")
