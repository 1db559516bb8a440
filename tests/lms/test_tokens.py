"""Whose token is believed: spec 06 §4.1 B, spec 07 §1.3, and all ways to make a false one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey
from tests.apart import run

from pharos.config import LMS
from pharos.errors import ConfigurationError
from pharos.lms.tokens import Fault, TokenRefused, Tokens, checked_by, is_straight

ISSUER = "https://lms.example/oauth2"
OLD, NEW, OTHER = (RSAKey.generate_key(2048) for _ in range(3))
EC = ECKey.generate_key("P-256")
SECRET = "a secret of the LMS"
OF_SECRET = OctKey.import_key(SECRET)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {"iss": ISSUER, "aud": "openedx", "iat": now, "exp": now + 3600, "preferred_username": "ann"}
    return {name: value for name, value in (whole | changes).items() if value is not None}


def signed(
    key: Key = NEW, algorithm: str = "RS512", head: dict[str, Any] | None = None, **changes: Any
) -> str:
    header = {"alg": algorithm, **(head or {})}
    return jwt.encode(header, claims(**changes), key, algorithms=[algorithm])


def public(*keys: Key) -> str:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]})


def lms(**settings: Any) -> LMS:
    return LMS(url="https://lms.example/", **({"jwt_keys": public(OLD, NEW)} | settings))


def answer(token: str, settings: LMS | None = None, audience: str | None = "openedx") -> dict[str, Any]:
    return run(Tokens(settings or lms(), audience).claims(token))


def fault(token: str, settings: LMS | None = None, audience: str | None = "openedx") -> Fault:
    with pytest.raises(TokenRefused) as error:
        answer(token, settings, audience)
    return error.value.fault


@pytest.mark.parametrize("key", [OLD, NEW])
@pytest.mark.parametrize("algorithm", ["RS256", "RS512"])
@pytest.mark.parametrize("head", [{}, {"kid": "openedx"}, {"kid": "../../etc/passwd"}, {"kid": ""}])
def test_every_key_of_a_set_is_tried_whatever_the_key_id(
    key: Key, algorithm: str, head: dict[str, Any]
) -> None:
    assert answer(signed(key, algorithm, head))["preferred_username"] == "ann"


def test_the_secret_signs_with_its_own_algorithm_alone() -> None:
    with_secret = lms(jwt_keys=None, jwt_secret=SECRET)
    assert answer(signed(OF_SECRET, "HS256"), with_secret)["preferred_username"] == "ann"
    assert fault(signed(NEW), with_secret) is Fault.SIGNATURE
    assert (
        fault(signed(OctKey.import_key("another secret, as long"), "HS256"), with_secret) is Fault.SIGNATURE
    )
    both = lms(jwt_secret=SECRET)
    for token in (signed(OF_SECRET, "HS256"), signed(NEW)):
        assert answer(token, both)["preferred_username"] == "ann"


@pytest.mark.parametrize("settings", [{"jwt_keys": None}, {"jwt_keys": None, "jwt_secret": ""}])
def test_without_key_and_secret_no_token_from_elsewhere_is_believed(settings: dict[str, Any]) -> None:
    for token in (signed(NEW), signed(OF_SECRET, "HS256"), handmade({"alg": "HS256"}, b"")):
        assert fault(token, lms(**settings)) is Fault.SIGNATURE


def part(value: object) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def handmade(header: dict[str, Any], secret: bytes | None = None, **changes: Any) -> str:
    """A token as an attacker makes it, past the checks of a library."""
    text = f"{part(header)}.{part(claims(**changes))}"
    hashes = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}
    digest = hashes.get(str(header.get("alg")), hashlib.sha256)
    return f"{text}.{part(hmac.new(secret, text.encode(), digest).digest()) if secret is not None else ''}"


PUBLIC_KEYS = [
    NEW.as_pem(private=False),
    NEW.as_pem(private=False).strip(),
    NEW.as_der(private=False),
    public(OLD, NEW).encode(),
    json.dumps(NEW.as_dict(private=False)).encode(),
    str(NEW.as_dict(private=False)["n"]).encode(),
]
FORGED = [
    *(handmade({"alg": name}) for name in ("none", "None", "NONE", "nOnE", "", "RS512", "HS256", "HS512")),
    *(handmade({"alg": name}, key) for name in ("HS256", "HS384", "HS512") for key in PUBLIC_KEYS),
    *(handmade({"alg": "HS256", "kid": kid}, b"") for kid in ("/dev/null", "' OR '1'='1", "../jwks.json")),
    handmade({"alg": "HS256", "kid": "one"}, b"one"),
    handmade({"alg": ["RS512", "none"]}),
    handmade({"alg": None}),
    handmade({}),
    signed(OTHER),
    signed(OTHER, head={"jwk": OTHER.as_dict(private=False)}),
    signed(OTHER, head={"jku": "https://evil.example/keys"}),
    signed(OTHER, head={"x5u": "https://evil.example/cert"}),
    signed(OTHER, head={"kid": "openedx"}),
    signed(EC, "ES256"),
    signed(NEW)[:-4] + "AAAA",
    signed(NEW).rpartition(".")[0] + ".",
    ".".join([signed(NEW).split(".")[0], part(claims(preferred_username="root")), signed(NEW).split(".")[2]]),
    signed(NEW) + ".x",
    "",
    ".",
    "..",
    "a.b.c",
    "ü.ü.ü",
    "x" * 100_000,
    f"{part({'alg': 'RS512'})}.{part(b'[1]')}.{part(b'x')}",
    f"{part({'alg': 'RS512'})}.{part(b'not json')}.{part(b'x')}",
    f"{part({'alg': 'RS512', 'crit': ['b64'], 'b64': False})}.{part(claims())}.{part(b'x')}",
    f"{part({'alg': 'dir', 'enc': 'A256GCM'})}.x.x.x.x",
]


@pytest.mark.parametrize("token", FORGED)
def test_a_forged_token_is_refused(token: str) -> None:
    assert fault(token) in {Fault.FORM, Fault.SIGNATURE}
    assert fault(token, lms(jwt_secret=SECRET)) in {Fault.FORM, Fault.SIGNATURE}


def test_a_key_signs_with_the_algorithm_it_names() -> None:
    named = RSAKey.import_key(NEW.as_dict(private=False) | {"alg": "RS256"})
    settings = lms(jwt_keys=public(named))
    assert answer(signed(NEW, "RS256"), settings)
    assert fault(signed(NEW, "RS512"), settings) is Fault.SIGNATURE


NOW = int(time.time())
WRONG = [
    ({"iss": "https://other.example/oauth2"}, Fault.ISSUER),
    ({"iss": "https://lms.example"}, Fault.ISSUER),
    ({"iss": [ISSUER]}, Fault.ISSUER),
    ({"iss": None}, Fault.ISSUER),
    ({"aud": "other"}, Fault.AUDIENCE),
    ({"aud": ["other", "openedx2"]}, Fault.AUDIENCE),
    ({"aud": {"openedx": 1}}, Fault.AUDIENCE),
    ({"aud": None}, Fault.AUDIENCE),
    ({"exp": NOW - 1}, Fault.EXPIRED),
    ({"exp": 0}, Fault.EXPIRED),
    ({"exp": None}, Fault.FORM),
    ({"exp": "9999999999"}, Fault.FORM),
    ({"exp": True}, Fault.FORM),
    ({"exp": float("inf")}, Fault.FORM),
    ({"exp": float("nan")}, Fault.FORM),
    ({"exp": 10**400}, Fault.FORM),
    ({"iat": None}, Fault.FORM),
    ({"iat": NOW + 36_000}, Fault.NOT_YET),
    ({"nbf": NOW + 36_000}, Fault.NOT_YET),
    ({"nbf": "soon"}, Fault.FORM),
    ({"nbf": [NOW]}, Fault.FORM),
]


@pytest.mark.parametrize(("changes", "expected"), WRONG)
def test_wrong_or_missing_claims_are_refused(changes: dict[str, Any], expected: Fault) -> None:
    assert fault(signed(NEW, **changes)) is expected
    with pytest.raises(TokenRefused) as error:
        Tokens(lms(jwt_keys=None), "openedx").straight(signed(NEW, **changes))
    assert error.value.fault is expected


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["x", "openedx"]},
        {"nbf": NOW - 5},
        {"iat": NOW + 5},
        {"iat": NOW - 90_000},
        {"exp": NOW + 36_000.5},
    ],
)
def test_what_is_not_wrong_is_believed(changes: dict[str, Any]) -> None:
    assert answer(signed(NEW, **changes))["preferred_username"] == "ann"


def test_the_audience_counts_if_it_is_given() -> None:
    assert answer(signed(NEW, aud="other"), audience=None)


def test_the_issuer_is_the_public_address_unless_named() -> None:
    inside = {"url": "http://lms:8000", "public_url": "https://lms.example/"}
    assert answer(signed(NEW), LMS(jwt_keys=public(NEW), **inside))
    named = LMS(jwt_keys=public(NEW), jwt_issuer="other", **inside)
    assert fault(signed(NEW), named) is Fault.ISSUER
    assert answer(signed(NEW, iss="other"), named)
    assert fault(signed(NEW), LMS(jwt_keys=public(NEW))) is Fault.ISSUER


@pytest.mark.parametrize(
    ("url", "straight"),
    [
        ("https://lms.example", True),
        ("http://127.0.0.1:8000", True),
        ("http://127.8.8.8", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://lms:8000", False),
        ("http://lms.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost.evil.example", False),
        ("http://10.0.0.1", False),
        (None, False),
    ],
)
def test_a_token_is_taken_straight_only_over_https_or_within_this_machine(
    url: str | None, straight: bool
) -> None:
    if straight:
        assert is_straight(LMS(url=url))
        assert "unchecked" in checked_by(LMS(url=url))
    else:
        with pytest.raises(ConfigurationError, match=r"lms\.jwt_keys"):
            is_straight(LMS(url=url))
    for settings in ({"jwt_keys": public(NEW)}, {"jwt_secret": SECRET}):
        assert not is_straight(LMS(url=url, **settings))
        assert checked_by(LMS(url=url, **settings)) == f"checked with lms.{next(iter(settings))}"


def test_a_key_is_no_secret() -> None:
    with pytest.raises(ConfigurationError, match=r"lms\.jwt_secret: is a key"):
        Tokens(lms(jwt_keys=None, jwt_secret=NEW.as_pem(private=False).decode()), "openedx")


def test_a_straight_token_needs_no_signature_but_an_algorithm() -> None:
    tokens = Tokens(lms(jwt_keys=None), "openedx")
    for token in (signed(OTHER), signed(OF_SECRET, "HS256")):
        assert tokens.straight(token)["preferred_username"] == "ann"
    for token in (handmade({"alg": "none"}), "opaque", ""):
        with pytest.raises(TokenRefused):
            tokens.straight(token)


def test_a_refusal_says_what_is_wrong_and_no_secret() -> None:
    for token in (
        FORGED[0],
        signed(OTHER),
        signed(NEW, iss="x"),
        signed(NEW, exp=1),
        signed(NEW, iat=NOW * 2),
    ):
        with pytest.raises(TokenRefused) as error:
            answer(token, lms(jwt_secret=SECRET))
        assert str(error.value).startswith("the token ")
        assert SECRET not in str(error.value)
