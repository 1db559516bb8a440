"""Whose token is believed: spec 06 §4.1 B, RFC 7636."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from pharos.config import LMS
from pharos.lms.errors import LMSError, LMSRefused, LMSUnreachable, NotInLMS, SignInFailed
from pharos.lms.oauth import Attempt, KeyRing, person_of, verified

SETTINGS = LMS(url="https://lms.example/")
KEY = RSAKey.generate_key(2048, auto_kid=True)
OTHER = RSAKey.generate_key(2048, auto_kid=True)
KEYS = KeySet([KEY])
CLAIMS: dict[str, Any] = {
    "iss": "https://lms.example/oauth2",
    "aud": "openedx",
    "exp": int(time.time()) + 600,
    "preferred_username": "ann",
}


def signed(claims: dict[str, Any], key: Any = KEY, **header: str) -> str:
    full = {"alg": "RS512", "kid": KEY.kid, **header}
    return jwt.encode(full, claims, key, algorithms=["RS512", "RS256", "HS256"])


def test_a_good_token_says_who() -> None:
    claims = {**CLAIMS, "administrator": True, "superuser": False, "user_id": 7, "locale": "es_419"}
    person = person_of(verified(signed(claims), KEYS, SETTINGS))
    assert (person.username, person.user_id, person.language) == ("ann", 7, "es-419")
    assert (person.staff, person.superuser) == (True, False)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://other.example/oauth2"},
        {"aud": "other"},
        {"exp": int(time.time()) - 3600},
        {"iss": None},
        {"aud": None},
        {"exp": None},
    ],
)
def test_wrong_or_missing_claims_are_refused(change: dict[str, Any]) -> None:
    claims = {name: value for name, value in (CLAIMS | change).items() if value is not None}
    with pytest.raises(SignInFailed):
        verified(signed(claims), KEYS, SETTINGS)


def test_foreign_signatures_are_refused() -> None:
    with pytest.raises(SignInFailed):
        verified(signed(CLAIMS, OTHER), KEYS, SETTINGS)
    header, payload, _ = signed(CLAIMS).split(".")
    for token in (
        f"{header}.{payload}.",
        f"{header}.{payload}.AAAA",
        "eyJhbGciOiJub25lIn0." + payload + ".",
        "",
        "x",
    ):
        with pytest.raises(SignInFailed):
            verified(token, KEYS, SETTINGS)


def test_the_public_key_is_no_shared_secret() -> None:
    """With an HMAC algorithm allowed, anybody could sign with the public key."""
    text = ".".join(_b64(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": KEY.kid}, CLAIMS))
    signature = hmac.digest(KEY.as_pem(private=False), text.encode(), "sha256")
    with pytest.raises(SignInFailed):
        verified(f"{text}.{_b64(signature)}", KEYS, SETTINGS)


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize("value", ["true", 1, "yes", None])
def test_only_true_makes_staff(value: object) -> None:
    assert not person_of({"preferred_username": "ann", "administrator": value, "superuser": value}).staff


def test_a_token_without_a_name_signs_nobody_in() -> None:
    with pytest.raises(SignInFailed):
        person_of({"preferred_username": ""})


def test_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    attempt = Attempt("s", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert attempt.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_keys_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"

    async def read() -> KeySet:
        async with httpx.AsyncClient() as http:
            return await KeyRing(LMS(jwt_keys=str(file)), http).keys()

    def keys() -> KeySet:
        with ThreadPoolExecutor(1) as other:  # a browser's driver may hold the loop of this thread
            return other.submit(lambda: asyncio.run(read())).result()

    with pytest.raises(LMSUnreachable, match=r"keys\.json"):
        keys()
    file.write_text(json.dumps(KEYS.as_dict(private=False)))
    assert keys().keys[0].kid == KEY.kid


@pytest.mark.parametrize(
    "error",
    [
        LMSUnreachable("https://l/x", "ReadTimeout"),
        LMSRefused("https://l/x", 403),
        NotInLMS("https://l/x"),
        SignInFailed("why"),
    ],
)
def test_errors_say_what_and_where(error: LMSError) -> None:
    assert "{" not in str(error)
    assert any(str(argument) in str(error) for argument in error.args)
