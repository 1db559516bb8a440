"""Signing in at an LMS: spec 06 §4.1, spec 07 §1, RFC 7636."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from tests.apart import run
from tests.lms.test_tokens import NEW, NOW, OF_SECRET, OTHER, SECRET, public, signed

from pharos.config import LMS
from pharos.errors import ConfigurationError
from pharos.lms.errors import (
    ClocksDiffer,
    LMSError,
    LMSRefused,
    LMSUnreachable,
    NotInLMS,
    SignInCancelled,
    SignInFailed,
    SignInMisconfigured,
    SignInOver,
)
from pharos.lms.oauth import Attempt, SignedIn, SignIn, person_of

CALLBACK = "https://insights.example/complete/edx-oauth2/"
ATTEMPT = Attempt("state", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")


class TokenEndpoint:
    """An LMS whose token endpoint answers with what a test puts here; it keeps what it was asked."""

    def __init__(self) -> None:
        self.body: object = {"access_token": signed(), "refresh_token": "next"}
        self.status, self.preferences = 200, {"pref-lang": "es_419"}
        self.asked: dict[str, str] = {}
        self.app = FastAPI()
        self.app.add_api_route("/oauth2/access_token", self._token, methods=["POST"])
        self.app.add_api_route("/api/user/v1/preferences/{username}/", self._preferences)

    async def _token(self, request: Request) -> Response:
        self.asked = {key: str(value) for key, value in (await request.form()).items()}
        if isinstance(self.body, str):
            return Response(self.body, self.status)
        return JSONResponse(self.body, self.status)

    async def _preferences(self, request: Request, username: str) -> Response:
        assert username == "ann"
        assert request.headers["authorization"].startswith("JWT ey")
        return JSONResponse(self.preferences)


@pytest.fixture
def lms() -> TokenEndpoint:
    return TokenEndpoint()


@pytest.fixture
def ask(lms: TokenEndpoint, serve: Callable[[Any], str]) -> Callable[..., SignedIn]:
    """The answer to a code, or with `again` to a refresh token; further settings of the LMS by keyword."""
    url = serve(lms.app)

    def asked(*, again: bool = False, **settings: Any) -> SignedIn:
        given = {"url": url, "public_url": "https://lms.example", "jwt_keys": public(NEW)} | settings

        async def scene() -> SignedIn:
            async with httpx.AsyncClient(timeout=0.5) as http:
                sign_in = SignIn(LMS(**given), "insights", "secret", CALLBACK, http)
                answer: Awaitable[SignedIn] = (
                    sign_in.again("last") if again else sign_in.person("code", ATTEMPT)
                )
                return await answer

        return run(scene())

    return asked


def test_an_asymmetric_jwt_is_asked_for_and_the_person_known(
    lms: TokenEndpoint, ask: Callable[..., SignedIn]
) -> None:
    lms.body = {"access_token": signed(user_id=7, administrator=True), "refresh_token": "next"}
    found = ask()
    assert lms.asked == {
        "grant_type": "authorization_code",
        "code": "code",
        "redirect_uri": CALLBACK,
        "client_id": "insights",
        "client_secret": "secret",
        "code_verifier": ATTEMPT.verifier,
        "token_type": "jwt",
        "asymmetric_jwt": "true",
    }
    assert (found.person.username, found.person.user_id, found.person.staff) == ("ann", 7, True)
    assert found.refresh_token == "next"
    assert "next" not in repr(found)


def test_the_language_is_the_preference_of_the_account(
    lms: TokenEndpoint, ask: Callable[..., SignedIn]
) -> None:
    lms.body = {"access_token": signed(locale="fr")}
    assert ask().person.language == "es-419"
    nothing: list[Any] = [{}, {"pref-lang": None}, {"pref-lang": ""}, {"pref-lang": 7}, []]
    for lms.preferences in nothing:
        assert ask().person.language is None


def test_rights_are_asked_for_again_with_the_refresh_token(
    lms: TokenEndpoint, ask: Callable[..., SignedIn]
) -> None:
    lms.body = {"access_token": signed(superuser=True), "refresh_token": "third"}
    found = ask(again=True)
    assert (lms.asked["grant_type"], lms.asked["refresh_token"]) == ("refresh_token", "last")
    assert lms.asked["asymmetric_jwt"] == "true"
    assert (found.person.superuser, found.refresh_token) == (True, "third")


def test_an_lms_that_signs_with_its_secret_is_served_by_each_way_allowed(
    lms: TokenEndpoint, ask: Callable[..., SignedIn]
) -> None:
    lms.body = {"access_token": signed(OF_SECRET, "HS256")}
    assert ask(jwt_keys=None, jwt_secret=SECRET).person.username == "ann"
    assert "asymmetric_jwt" not in lms.asked, "or a newer LMS would sign with a key that is not known here"
    assert ask(jwt_secret=SECRET).person.username == "ann"
    assert lms.asked["asymmetric_jwt"] == "true"
    assert ask(jwt_keys=None).person.username == "ann"  # straight, from this machine
    with pytest.raises(SignInMisconfigured, match=r"lms\.jwt_secret is not set"):
        ask()
    with pytest.raises(SignInMisconfigured, match=r"lms\.jwt_secret is another"):
        ask(jwt_secret="another secret, as long as it must be")


def test_without_keys_and_over_plain_http_nobody_could_be_signed_in() -> None:
    http = httpx.AsyncClient()
    with pytest.raises(ConfigurationError, match=r"lms\.jwt_keys"):
        SignIn(LMS(url="http://lms:8000"), "insights", "secret", CALLBACK, http)


@pytest.mark.parametrize(
    ("token", "expected", "advice"),
    [
        (signed(OTHER), SignInMisconfigured, "lms.jwt_keys does not hold its key"),
        (signed(iss="https://lms.internal/oauth2"), SignInMisconfigured, "set lms.jwt_issuer"),
        (signed(aud="change-me"), SignInMisconfigured, "set lms.jwt_audience"),
        (signed(iat=NOW + 9000), ClocksDiffer, "set the clocks"),
        (signed(nbf=NOW + 9000), ClocksDiffer, "set the clocks"),
        (signed(exp=NOW - 9000), ClocksDiffer, "set the clocks"),
        ("0a1b2c3d4e5f", SignInMisconfigured, "opaque"),
        (signed(preferred_username=""), SignInMisconfigured, "names nobody"),
    ],
)
def test_a_token_that_is_not_believed_says_whose_fault_it_is(
    lms: TokenEndpoint,
    ask: Callable[..., SignedIn],
    token: str,
    expected: type[SignInFailed],
    advice: str,
) -> None:
    lms.body = {"access_token": token}
    with pytest.raises(expected) as error:
        ask()
    assert advice in str(error.value)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "invalid_grant"}, SignInOver),
        (400, "no json", SignInOver),
        (400, {"error": "unsupported_grant_type"}, SignInMisconfigured),
        (401, {"error": "invalid_client"}, SignInMisconfigured),
        (403, "<html>", SignInMisconfigured),
        (404, {}, SignInMisconfigured),
        (500, "Traceback", LMSUnreachable),
        (503, {}, LMSUnreachable),
        (429, {}, LMSUnreachable),
        (200, "no json", LMSUnreachable),
        (200, [], LMSUnreachable),
        (200, {"refresh_token": "x"}, LMSUnreachable),
        (302, {}, LMSUnreachable),
    ],
)
def test_an_answer_without_a_token_says_whose_fault_it_is(
    lms: TokenEndpoint, ask: Callable[..., SignedIn], status: int, body: object, expected: type[LMSError]
) -> None:
    lms.status, lms.body = status, body
    with pytest.raises(expected):
        ask()


@pytest.mark.parametrize("value", ["true", 1, "yes", None])
def test_only_true_makes_staff(value: object) -> None:
    assert not person_of({"preferred_username": "ann", "administrator": value, "superuser": value}).staff


def test_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    assert ATTEMPT.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    "error",
    [
        LMSUnreachable("https://l/x", "ReadTimeout"),
        LMSRefused("https://l/x", 403),
        LMSRefused("https://l/x", 400, "invalid_client"),
        NotInLMS("https://l/x"),
        SignInFailed("why"),
        SignInMisconfigured("why"),
        ClocksDiffer("why"),
        SignInCancelled("why"),
        SignInOver("why"),
    ],
)
def test_errors_say_what_and_where(error: LMSError) -> None:
    assert "{" not in str(error)
    assert any(str(argument) in str(error) for argument in error.args)
