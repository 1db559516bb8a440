"""Tokens signed by the LMS: tests 32-35 of spec 05 §16. Everything that cannot be checked is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import Key, OctKey, RSAKey

from pharos.config import LMS
from pharos.data_api.errors import Unauthenticated
from pharos.data_api.jwt import Claims, SignedTokens

ISSUER = "https://lms.example.org/oauth2"
RSA = RSAKey.generate_key(2048, parameters={"kid": "one"})
OTHER_RSA = RSAKey.generate_key(2048)
SECRET = OctKey.import_key("a secret of the issuer, long enough", parameters={"alg": "HS256"})


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


def checker(tmp_path: Path, *keys: Key) -> SignedTokens:
    path = tmp_path / "jwks.json"
    public = [key.as_dict(private=isinstance(key, OctKey)) for key in keys]
    path.write_text(json.dumps({"keys": public}))
    return SignedTokens(LMS(jwt_keys=str(path), jwt_issuer=ISSUER))


def refusal(tokens: SignedTokens, credential: str) -> str:
    with pytest.raises(Unauthenticated) as error:
        tokens.claims(credential)
    return error.value.detail


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (RSA, "RS512"), (SECRET, "HS256")])
def test_right_signatures(tmp_path: Path, key: Key, algorithm: str) -> None:
    tokens = checker(tmp_path, RSA, SECRET)
    assert tokens.claims(signed(key, algorithm)) == Claims("staff", True, frozenset())


def test_wrong_signatures(tmp_path: Path) -> None:
    tokens = checker(tmp_path, RSA, SECRET)
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


def test_without_keys_every_token_is_refused(tmp_path: Path) -> None:
    """The original accepts them all."""
    missing = SignedTokens(LMS(jwt_keys=str(tmp_path / "missing.json"), jwt_issuer=ISSUER))
    for tokens in (SignedTokens(LMS()), checker(tmp_path), missing):
        for credential in (signed(RSA, "RS256"), signed(SECRET, "HS256"), unsigned()):
            assert refusal(tokens, credential) == "Error decoding token."


def test_a_public_key_is_no_secret(tmp_path: Path) -> None:
    tokens = checker(tmp_path, RSA)
    assert refusal(tokens, handmade("HS256", RSA.as_pem(private=False))) == "Error decoding token."
    secret = b"a secret of the issuer, long enough"
    assert checker(tmp_path, SECRET).claims(handmade("HS256", secret)).username == "staff"


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"exp": 1}, "Token has expired."),
        ({"iss": "https://elsewhere.example.org"}, "Error decoding token."),
        ({"iss": None}, "Error decoding token."),
        ({"exp": None}, "Error decoding token."),
        ({"iat": None}, "Error decoding token."),
        ({"preferred_username": None}, "JWT must include a preferred_username or username claim!"),
        ({"version": "2.0.0"}, "Invalid token."),
        ({"version": "x"}, "Invalid token."),
    ],
)
def test_claims_that_are_not_right(tmp_path: Path, changes: dict[str, Any], detail: str) -> None:
    assert refusal(checker(tmp_path, RSA), signed(RSA, "RS512", **changes)) == detail


@pytest.mark.parametrize(
    ("audience", "accepted"),
    [("api", True), (["x", "api"], True), ("other", False), (["other"], False), (None, False)],
)
def test_the_audience_counts_if_it_is_set(tmp_path: Path, audience: object, accepted: bool) -> None:
    checker(tmp_path, RSA)
    lms = LMS(jwt_keys=str(tmp_path / "jwks.json"), jwt_issuer=ISSUER)
    credential = signed(RSA, "RS512", aud=audience)
    if accepted:
        assert SignedTokens(lms, "api").claims(credential).username == "staff"
    else:
        assert refusal(SignedTokens(lms, "api"), credential) == "Error decoding token."
    assert SignedTokens(lms).claims(credential).username == "staff"


def test_rights_of_people(tmp_path: Path) -> None:
    tokens = checker(tmp_path, RSA)
    learner = {"administrator": False, "username": "ann", "preferred_username": None, "version": None}
    assert tokens.claims(signed(RSA, "RS256", **learner)) == Claims("ann", False, frozenset())
    filtered = tokens.claims(signed(RSA, "RS256", filters=["content_org:OrgX", "user:me"], **learner))
    assert filtered.organizations == {"OrgX"}


def test_keys_are_read_over_http_and_new_ones_found(
    serve: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pharos.data_api.jwt.KEYS_ASKED_AGAIN_AFTER_S", 0)
    keys = [OTHER_RSA]
    app = FastAPI()
    app.add_api_route("/jwks", lambda: {"keys": [key.as_dict(private=False) for key in keys]})
    tokens = SignedTokens(LMS(jwt_keys=f"{serve(app)}/jwks", jwt_issuer=ISSUER))
    assert refusal(tokens, signed(RSA, "RS512")) == "Error decoding token."
    keys.append(RSA)
    assert tokens.claims(signed(RSA, "RS512")).username == "staff"
