"""OAuth2 at the LMS: sign-in of people, and the service account's token. Knows no pages and no cookies.

Sign-in is the authorization-code flow with PKCE (RFC 7636, S256) and state; the access token is a JWT whose
claims identify the person. `lms.tokens` checks it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from pharos.config import LMS
from pharos.lms.errors import (
    ClocksDiffer,
    LMSRefused,
    LMSUnreachable,
    SignInMisconfigured,
    SignInOver,
)
from pharos.lms.patience import PASSING
from pharos.lms.tokens import Fault, TokenRefused, Tokens, is_straight

log = logging.getLogger(__name__)
SCOPE = "user_id profile email"
TOKEN_MARGIN_S = 30
KEYS_PATIENCE_S = 1.5  # somebody is waiting for a page
LANGUAGE_PATIENCE_S = 1.0


@dataclass(frozen=True)
class Person:
    """A signed-in person, from the LMS's claims."""

    username: str
    user_id: int | None
    name: str
    email: str
    language: str | None
    """The language of the account, like `es-419`; None if the LMS does not tell."""
    staff: bool
    """Global staff."""
    superuser: bool


@dataclass(frozen=True)
class SignedIn:
    """A person, and the refresh token with which their rights can be read again."""

    person: Person
    refresh_token: str | None = field(repr=False)


@dataclass(frozen=True)
class Attempt:
    """A sign-in in progress: the LMS must return `state`; `verifier` proves that the attempt is ours."""

    state: str
    verifier: str

    @property
    def challenge(self) -> str:
        """RFC 7636 S256 of the verifier."""
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class SignIn:
    """The sign-in of one OAuth2 client (that of Insights) at the LMS.

    Raises ConfigurationError if its tokens could not be checked.
    """

    def __init__(
        self, lms: LMS, client_id: str, client_secret: str, redirect_uri: str, http: httpx.AsyncClient
    ) -> None:
        self._lms, self._http = lms, http
        self._client = {"client_id": client_id, "client_secret": client_secret} | kind_of_token(lms)
        self._redirect_uri = redirect_uri
        self._tokens = Tokens(lms, lms.jwt_audience, KEYS_PATIENCE_S)
        self._is_straight = is_straight(lms)

    def address(self, attempt: Attempt) -> str:
        """The address at the LMS to which the browser is sent."""
        query = {
            "client_id": self._client["client_id"],
            "response_type": "code",
            "redirect_uri": self._redirect_uri,
            "scope": SCOPE,
            "state": attempt.state,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return f"{public_url(self._lms)}/oauth2/authorize?{urlencode(query)}"

    async def person(self, code: str, attempt: Attempt) -> SignedIn:
        """The person to whom the code belongs. Raises SignInFailed; LMSUnreachable if the LMS does not
        answer.
        """
        answer = await self._answer(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._redirect_uri,
                "code_verifier": attempt.verifier,
            }
        )
        found = await self._signed_in(answer)
        language = await self._language(found.person.username, str(answer["access_token"]))
        return replace(found, person=replace(found.person, language=language))

    async def again(self, refresh_token: str) -> SignedIn:
        """The same person with present rights. The refresh token is used up; the result holds the next one.

        The language is not read again. Raises the errors of `person`.
        """
        return await self._signed_in(
            await self._answer({"grant_type": "refresh_token", "refresh_token": refresh_token})
        )

    async def _answer(self, form: Mapping[str, str]) -> dict[str, Any]:
        try:
            return await _token(self._lms, {**form, **self._client}, self._http)
        except LMSRefused as error:
            if error.status == HTTPStatus.BAD_REQUEST and error.reason in {"", "invalid_grant"}:
                raise SignInOver(
                    "the LMS takes this code or refresh token no more (invalid_grant)"
                ) from error
            raise SignInMisconfigured(
                f"the LMS refused to give a token (status {error.status} {error.reason}); check "
                "insights.client_id, insights.client_secret and the client's redirect address at the LMS"
            ) from error

    async def _signed_in(self, answer: Mapping[str, Any]) -> SignedIn:
        token, refresh = str(answer["access_token"]), answer.get("refresh_token")
        try:
            claims = self._tokens.straight(token) if self._is_straight else await self._tokens.claims(token)
        except TokenRefused as error:
            is_late = error.fault in {Fault.EXPIRED, Fault.NOT_YET}
            raise (ClocksDiffer if is_late else SignInMisconfigured)(_advice(error)) from error
        return SignedIn(person_of(claims), refresh if isinstance(refresh, str) and refresh else None)

    async def _language(self, username: str, token: str) -> str | None:
        """The person's language at the LMS, read with their own token (spec 07 §1.7)."""
        address = f"{base_url(self._lms)}/api/user/v1/preferences/{quote(username, safe='')}/"
        try:
            async with asyncio.timeout(LANGUAGE_PATIENCE_S):
                answer = await self._http.get(address, headers={"Authorization": f"JWT {token}"})
            found = answer.raise_for_status().json().get("pref-lang")
        except (httpx.HTTPError, TimeoutError, ValueError, AttributeError) as error:
            log.warning("the LMS did not tell the language of an account (%s)", type(error).__name__)
            return None
        return found.replace("_", "-").lower() if isinstance(found, str) and found else None


def _advice(error: TokenRefused) -> str:
    """The error, and a hint to the operator for each reason why a token is refused."""
    setting = {
        Fault.FORM: "the LMS gave an opaque or damaged token; it needs a signing key (JWT_AUTH)",
        Fault.SIGNATURE: "set the key or secret the LMS signs with, or none of them",
        Fault.ISSUER: "set lms.jwt_issuer to JWT_ISSUER of the LMS",
        Fault.AUDIENCE: "set lms.jwt_audience to JWT_AUDIENCE of the LMS",
    }.get(error.fault, "set the clocks of this server and of the LMS")
    return f"{error}; {setting}"


def person_of(claims: Mapping[str, Any]) -> Person:
    """The person in checked claims (spec 06 §4.1.4). Raises SignInFailed without a name."""
    username = claims.get("preferred_username")
    if not isinstance(username, str) or not username:
        raise SignInMisconfigured("the LMS's token names nobody (no preferred_username)")
    user_id = claims.get("user_id")
    return Person(
        username=username,
        user_id=user_id if isinstance(user_id, int) else None,
        name=str(claims.get("name") or ""),
        email=str(claims.get("email") or ""),
        language=None,  # no token has it (spec 07 §1.5)
        staff=claims.get("administrator") is True,
        superuser=claims.get("superuser") is True,
    )


class ServiceToken:
    """The service account's access token (client credentials), cached until shortly before it expires."""

    def __init__(self, lms: LMS, http: httpx.AsyncClient) -> None:
        self._lms, self._http = lms, http
        self._token = ""
        self._good_until = -float("inf")
        self._asking = asyncio.Lock()

    async def token(self, *, refused: str | None = None) -> str:
        """The token; a new one if the LMS has refused `refused`.

        Simultaneous callers share one request. Raises LMSUnreachable or LMSRefused.
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
            raise LMSRefused(address, answer.status_code, _reason(answer))
        answer.raise_for_status()
        body = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise LMSUnreachable(address, type(error).__name__) from error
    if not isinstance(body, dict) or "access_token" not in body:
        raise LMSUnreachable(address, "no access token in the answer")
    return body


def _reason(answer: httpx.Response) -> str:
    """The OAuth2 error code of an answer, like `invalid_grant`; empty if it has none."""
    try:
        return str(answer.json()["error"])[:80]
    except (ValueError, TypeError, KeyError):
        return ""


def kind_of_token(lms: LMS) -> dict[str, str]:
    """Parameters of a token request: a JWT, signed with a key unless only the secret is configured.

    An LMS that does not know `asymmetric_jwt` signs with its secret (spec 07 §1.2).
    """
    needs_secret = lms.jwt_secret and not lms.jwt_keys
    return {"token_type": "jwt"} | ({} if needs_secret else {"asymmetric_jwt": "true"})


def base_url(lms: LMS) -> str:
    """The LMS's address for this server, without a final slash."""
    return (lms.url or "").rstrip("/")


def public_url(lms: LMS) -> str:
    """The LMS's address for browsers, without a final slash."""
    return (lms.public_url or lms.url or "").rstrip("/")
