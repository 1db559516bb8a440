"""Checks signed tokens (JWT) of the LMS and reads their claims.

A token is accepted if one of the LMS's public keys (`lms.jwt_keys`) or its secret (`lms.jwt_secret`) signed
it, each with the algorithms of its own kind: a public key is never used as a secret. The key id of a token's
header is ignored: by default there is none (spec 07 §1.3), so each key is tried.
"""

from __future__ import annotations

import json
import math
import time
import warnings
from enum import StrEnum
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, OctKey

from pharos.config import LMS
from pharos.errors import ConfigurationError
from pharos.lms.errors import LMSError
from pharos.lms.keys import READ_S, KeyRing

ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "oct": ("HS256",),
}
SIGNED = frozenset(name for names in ALGORITHMS.values() for name in names)
CLOCK_LEEWAY_S = 30  # of the clocks of two servers


class Fault(StrEnum):
    """The first check of a token that failed."""

    FORM = "is no signed token"
    SIGNATURE = "is signed by no key we have"
    ISSUER = "has another issuer"
    AUDIENCE = "is meant for another audience"
    EXPIRED = "has expired"
    NOT_YET = "is of the future"


class TokenRefused(LMSError):
    """A token failed a check."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault, detail)
        self.fault, self.detail = fault, detail

    def __str__(self) -> str:
        return f"the token {self.fault}" + (f": {self.detail}" if self.detail else "")


class Tokens:
    """Checks tokens for one service. Raises ConfigurationError for unusable keys.

    `audience`: the required audience in `aud`; None accepts any. Without keys and secret every token is
    refused.
    """

    def __init__(self, lms: LMS, audience: str | None, patience_s: float = READ_S) -> None:
        self._issuer, self._audience, self._patience_s = issuer_of(lms), audience, patience_s
        self._ring = KeyRing(lms.jwt_keys) if lms.jwt_keys else None
        self._secret = _secret_of(lms)

    async def claims(self, token: str) -> dict[str, Any]:
        """The claims of a token with correct signature, issuer, audience and times. Raises TokenRefused."""
        algorithm, _ = _opened(token)
        claims = await self._signed(token, algorithm)
        self.check(claims)
        return claims

    def straight(self, token: str) -> dict[str, Any]:
        """As `claims`, without the signature: only for an answer of the LMS's own token endpoint.

        OpenID Connect Core 3.1.3.7 no. 6: the connection vouches for the token. See `is_straight`.
        """
        _, claims = _opened(token)
        self.check(claims)
        return claims

    def check(self, claims: dict[str, Any]) -> None:
        """Check issuer, audience and times. Raises TokenRefused."""
        expires, issued, not_before = (_seconds(claims.get(name)) for name in ("exp", "iat", "nbf"))
        if expires is None or issued is None or ("nbf" in claims and not_before is None):
            raise TokenRefused(Fault.FORM, "exp, iat or nbf is no number")
        if self._issuer is None or claims.get("iss") != self._issuer:
            wanted = f"{claims.get('iss')!r} instead of {self._issuer!r}; see lms.jwt_issuer"
            raise TokenRefused(Fault.ISSUER, wanted)
        named = claims.get("aud")
        audiences = named if isinstance(named, list) else [named]
        if self._audience is not None and self._audience not in audiences:
            raise TokenRefused(Fault.AUDIENCE, f"{named!r} instead of {self._audience!r}")
        now = time.time()
        if expires <= now:
            raise TokenRefused(Fault.EXPIRED, f"{now - expires:.0f} s ago")
        ahead_s = max(issued, issued if not_before is None else not_before) - now
        if ahead_s > CLOCK_LEEWAY_S:
            raise TokenRefused(Fault.NOT_YET, f"by {ahead_s:.0f} s")

    async def _signed(self, token: str, algorithm: str) -> dict[str, Any]:
        claims = None
        if algorithm in ALGORITHMS["oct"]:
            claims = _verified(token, algorithm, (self._secret,) if self._secret else ())
        elif self._ring is not None:
            keys = await self._ring.keys(self._patience_s)
            claims = _verified(token, algorithm, keys)
            if claims is None:
                claims = _verified(token, algorithm, await self._ring.newer(keys, self._patience_s))
        if claims is None:
            raise TokenRefused(Fault.SIGNATURE, self._what_is_missing(algorithm))
        return claims

    def _what_is_missing(self, algorithm: str) -> str:
        if algorithm in ALGORITHMS["oct"]:
            return f"{algorithm}; lms.jwt_secret is {'another' if self._secret else 'not set'}"
        return f"{algorithm}; lms.jwt_keys {'does not hold its key' if self._ring else 'is not set'}"


def issuer_of(lms: LMS) -> str | None:
    """The issuer that tokens must name: `lms.jwt_issuer`, else the default of an LMS at its address."""
    public = lms.public_url or lms.url
    return lms.jwt_issuer or (f"{public.rstrip('/')}/oauth2" if public else None)


def is_straight(lms: LMS) -> bool:
    """True if sign-in accepts tokens because they come directly from the LMS: no key or secret is set.

    Raises ConfigurationError if the connection to the LMS is then neither encrypted nor within this machine.
    """
    if lms.jwt_keys or lms.jwt_secret:
        return False
    parts = urlsplit(lms.url or "")
    if parts.scheme == "https" or _is_loopback(parts.hostname or ""):
        return True
    raise ConfigurationError(
        "lms.jwt_keys: needed to sign people in, because lms.url is neither https nor on this machine; set "
        "it to the LMS's public keys (JWT_PUBLIC_SIGNING_JWK_SET in its JWT_AUTH), or set lms.jwt_secret"
    )


def checked_by(lms: LMS) -> str:
    """A text for people about the check of tokens. Raises ConfigurationError as `is_straight`."""
    if is_straight(lms):
        return "taken straight from the LMS, unchecked: neither lms.jwt_keys nor lms.jwt_secret is set"
    given = {"lms.jwt_keys": lms.jwt_keys, "lms.jwt_secret": lms.jwt_secret}
    return f"checked with {' and '.join(name for name, value in given.items() if value)}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _secret_of(lms: LMS) -> Key | None:
    if not lms.jwt_secret:  # an empty one would let anybody sign
        return None
    try:
        with warnings.catch_warnings():  # its length is the LMS's choice
            warnings.simplefilter("ignore")
            return OctKey.import_key(lms.jwt_secret.get_secret_value())
    except ValueError as error:
        raise ConfigurationError(
            "lms.jwt_secret: is a key, no secret; keys belong into lms.jwt_keys"
        ) from error


def _opened(token: str) -> tuple[str, dict[str, Any]]:
    """Algorithm and claims of a token, unchecked. Raises TokenRefused if the text is not a token."""
    try:
        parts = jws.extract_compact(token.encode("ascii"))
        header, claims = parts.headers(), json.loads(parts.payload or b"")
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise TokenRefused(Fault.FORM, str(error)[:200]) from error
    algorithm = str(header.get("alg"))
    if not isinstance(claims, dict) or algorithm not in SIGNED:
        raise TokenRefused(Fault.FORM, f"algorithm {algorithm[:20]!r}")
    return algorithm, claims


def _verified(token: str, algorithm: str, keys: tuple[Key, ...]) -> dict[str, Any] | None:
    """The claims if one of the keys signed the token with this algorithm."""
    for key in keys:
        if algorithm not in _algorithms(key):
            continue
        try:
            return dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
    return None


def _algorithms(key: Key) -> tuple[str, ...]:
    """The algorithm that the key names, if its kind has it; without a name, all algorithms of its kind."""
    of_kind = ALGORITHMS.get(key.key_type, ())
    named = key.get("alg")
    return tuple(a for a in of_kind if a == named) if named else of_kind


def _seconds(value: object) -> float | None:
    """A moment of a token, in seconds since 1970; None if the value is not a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
