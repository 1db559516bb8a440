"""Tokens signed by the LMS: tests 32-35 of spec 05 §16. Everything that cannot be checked is refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import Key, OctKey, RSAKey
from tests.apart import run

from pharos.config import LMS, Settings
from pharos.data_api.app import create_app
from pharos.data_api.errors import Unauthenticated
from pharos.data_api.jwt import Claims, SignedTokens
from pharos.errors import ConfigurationError

ISSUER = "https://lms.example.org/oauth2"
RSA = RSAKey.generate_key(2048, parameters={"kid": "one"})
OTHER_RSA = RSAKey.generate_key(2048)
TEXT = "a secret of the issuer, long enough"
SECRET = OctKey.import_key(TEXT)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {
        "iss": ISSUER,
        "iat": now,
        "exp": now + 60,
        "preferred_username": "staff",
        "administrator": True,
        "version": "1.2.0",
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def signed(key: Key, algorithm: str, **changes: Any) -> str:
    return jwt.encode({"alg": algorithm}, claims(**changes), key, algorithms=[algorithm])


def settings(*keys: Key, secret: str | None = None) -> LMS:
    public = json.dumps({"keys": [key.as_dict(private=False) for key in keys]}) if keys else None
    return LMS(jwt_keys=public, jwt_secret=secret, jwt_issuer=ISSUER)


def checker(*keys: Key, secret: str | None = None) -> SignedTokens:
    return SignedTokens(settings(*keys, secret=secret))


def accepted(tokens: SignedTokens, credential: str) -> Claims:
    return run(tokens.claims(credential))


def refusal(tokens: SignedTokens, credential: str) -> str:
    with pytest.raises(Unauthenticated) as error:
        accepted(tokens, credential)
    return error.value.detail


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (RSA, "RS512"), (SECRET, "HS256")])
def test_right_signatures(key: Key, algorithm: str) -> None:
    tokens = checker(RSA, secret=TEXT)
    assert accepted(tokens, signed(key, algorithm)) == Claims("staff", True, frozenset())


def test_wrong_signatures() -> None:
    tokens = checker(RSA, secret=TEXT)
    wrong_secret = OctKey.import_key("another secret that nobody gave us")
    good = signed(RSA, "RS512")
    for credential in (
        signed(wrong_secret, "HS256"),
        signed(OTHER_RSA, "RS512"),
        good[:-4] + "AAAA",
        good.rpartition(".")[0] + ".",
        unsigned(),
        "nonsense",
        "a.b.c",
    ):
        assert refusal(tokens, credential) == "Error decoding token."


def part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def handmade(algorithm: str, secret: bytes = b"") -> str:
    """A token as an attacker makes it, past the checks of a library."""
    head = part(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    text = f"{head}.{part(json.dumps(claims()).encode())}"
    signature = hmac.new(secret, text.encode(), hashlib.sha256).digest() if secret else b""
    return f"{text}.{part(signature)}"


def unsigned() -> str:
    return handmade("none")


@pytest.mark.parametrize(
    "lms", [LMS(), LMS(url="https://lms.example.org"), LMS(url="http://127.0.0.1:8000"), settings()]
)
def test_without_keys_every_token_is_refused(lms: LMS) -> None:
    """The original accepts them all; Insights takes those that come straight from the LMS. Here none."""
    for credential in (signed(RSA, "RS256"), signed(SECRET, "HS256"), unsigned()):
        assert refusal(SignedTokens(lms), credential) == "Error decoding token."


def test_keys_that_cannot_be_used_are_told_at_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"lms\.jwt_keys"):
        create_app(Settings(home=tmp_path, lms=LMS(jwt_keys=str(tmp_path / "missing.json"))))


def test_a_public_key_is_no_secret() -> None:
    assert refusal(checker(RSA), handmade("HS256", RSA.as_pem(private=False))) == "Error decoding token."
    assert accepted(checker(secret=TEXT), handmade("HS256", TEXT.encode())).username == "staff"


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"exp": 1}, "Token has expired."),
        ({"iss": "https://elsewhere.example.org"}, "Error decoding token."),
        ({"iss": None}, "Error decoding token."),
        ({"exp": None}, "Error decoding token."),
        ({"iat": None}, "Error decoding token."),
        ({"iat": int(time.time()) + 36_000, "exp": int(time.time()) + 72_000}, "Error decoding token."),
        ({"nbf": int(time.time()) + 36_000}, "Error decoding token."),
        ({"preferred_username": None}, "JWT must include a preferred_username or username claim!"),
        ({"version": "2.0.0"}, "Invalid token."),
        ({"version": "x"}, "Invalid token."),
    ],
)
def test_claims_that_are_not_right(changes: dict[str, Any], detail: str) -> None:
    assert refusal(checker(RSA), signed(RSA, "RS512", **changes)) == detail


@pytest.mark.parametrize(
    ("audience", "is_right"),
    [("api", True), (["x", "api"], True), ("other", False), (["other"], False), (None, False)],
)
def test_the_audience_counts_if_it_is_set(audience: object, is_right: bool) -> None:
    lms = settings(RSA)
    credential = signed(RSA, "RS512", aud=audience)
    if is_right:
        assert accepted(SignedTokens(lms, "api"), credential).username == "staff"
    else:
        assert refusal(SignedTokens(lms, "api"), credential) == "Error decoding token."
    assert accepted(SignedTokens(lms), credential).username == "staff"


def test_rights_of_people() -> None:
    tokens = checker(RSA)
    learner = {"administrator": False, "username": "ann", "preferred_username": None, "version": None}
    assert accepted(tokens, signed(RSA, "RS256", **learner)) == Claims("ann", False, frozenset())
    filtered = accepted(tokens, signed(RSA, "RS256", filters=["content_org:OrgX", "user:me"], **learner))
    assert filtered.organizations == {"OrgX"}


def test_an_lms_that_never_answers_does_not_hold_up_those_with_other_credentials(
    tmp_path: Path, serve: Callable[[Any], str]
) -> None:
    """Forty requests with junk for tokens wait for the keys; the health page answers meanwhile."""
    asked, is_asked = [], threading.Event()

    async def hang() -> None:
        asked.append(1)
        is_asked.set()
        await asyncio.sleep(3)

    lms = FastAPI()
    lms.add_api_route("/keys", hang)
    app = create_app(Settings(home=tmp_path, lms=LMS(jwt_keys=f"{serve(lms)}/keys", jwt_issuer=ISSUER)))
    address = serve(app)
    junk = {"Authorization": f"JWT {signed(OTHER_RSA, 'RS512')}"}

    async def scene() -> list[str]:
        done: list[str] = []
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:

            async def ask(name: str, path: str, **headers: str) -> None:
                answer = await client.get(path, headers=headers)
                done.append(f"{name} {answer.status_code}")

            waiting = [asyncio.create_task(ask("junk", "/api/v1/programs/", **junk)) for _ in range(40)]
            await asyncio.to_thread(is_asked.wait, 30)
            await ask("status", "/status/")
            await asyncio.gather(*waiting)
            await ask("later", "/api/v1/programs/", **junk)
        return done

    done = run(scene())
    assert done[0] == "status 200"
    assert done[1:41] == ["junk 401"] * 40
    assert done[41] == "later 401"
    assert len(asked) == 1
