"""The sign-in over real HTTP, as a browser and an application see it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from pharos.demo.campus import Campus
from pharos.demo.lms import create_app
from pharos.demo.lms_sign_in import Client

INSIGHTS = Client("insights", "secret-of-insights")
SERVICE = Client("service", "secret-of-service")
CALLBACK = "http://127.0.0.1:5000/complete/edx-oauth2/"
VERIFIER = "a-long-random-verifier-of-at-least-43-characters"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
AUTHORIZE = {
    "client_id": INSIGHTS.id,
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "state": "xyz",
    "scope": "user_id profile email",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture
def browser(campus: Campus, serve: Callable[[Any], str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serve(create_app(campus, insights=INSIGHTS, service=SERVICE))) as client:
        yield client


def sign_in(
    browser: httpx.Client, username: str, password: str | None = None, target: str = "/"
) -> httpx.Response:
    form = {"username": username, "password": password or f"{username}-demo", "next": target}
    return browser.post("/login", data=form)


def code_for(browser: httpx.Client, username: str, **changes: str) -> str:
    sign_in(browser, username)
    answer = browser.get("/oauth2/authorize", params={**AUTHORIZE, **changes})
    assert answer.status_code == 302
    address = urlsplit(answer.headers["location"])
    assert address.geturl().startswith(CALLBACK)
    values = parse_qs(address.query)
    assert values["state"] == ["xyz"]
    return values["code"][0]


def redeem(browser: httpx.Client, code: str, /, **changes: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "client_id": INSIGHTS.id,
        "client_secret": INSIGHTS.secret,
        "code_verifier": VERIFIER,
        "token_type": "jwt",
    }
    return browser.post("/oauth2/access_token", data={**form, **changes})


def claims(browser: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    keys = KeySet.import_key_set(browser.get("/oauth2/jwks").json())
    return jwt.decode(answer.json()["access_token"], keys, algorithms=["RS256"]).claims


def test_authorize_asks_a_stranger_to_sign_in_and_comes_back(browser: httpx.Client) -> None:
    asked = browser.get("/oauth2/authorize", params=AUTHORIZE)
    assert asked.status_code == 302
    page = browser.get(asked.headers["location"])
    assert "Sign in" in page.text
    target = parse_qs(urlsplit(asked.headers["location"]).query)["next"][0]
    answer = sign_in(browser, "ines", target=target)
    assert answer.status_code == 303
    assert browser.get(answer.headers["location"]).headers["location"].startswith(f"{CALLBACK}?code=")


def test_token_says_who_signed_in(browser: httpx.Client, campus: Campus) -> None:
    for person in campus.personas:
        answer = redeem(browser, code_for(browser, person.username))
        assert answer.status_code == 200
        assert answer.json()["token_type"] == "JWT"
        found = claims(browser, answer)
        assert found["iss"] == f"{str(browser.base_url).rstrip('/')}/oauth2"
        assert found["aud"] == "openedx"
        assert found["exp"] == found["iat"] + answer.json()["expires_in"]
        assert found["scopes"] == ["user_id", "profile", "email"]
        assert (found["preferred_username"], found["user_id"], found["name"], found["email"]) == (
            *(person.username, person.user_id, person.name, person.email),
        )
        assert (found["superuser"], found["administrator"]) == (person.superuser, person.global_staff)


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"code": "wrong"}, 400, "invalid_grant"),
        ({"code_verifier": "wrong"}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:6000/complete/edx-oauth2/"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
    ],
)
def test_bad_request_for_a_token_is_refused(
    browser: httpx.Client, changes: dict[str, str], status: int, error: str
) -> None:
    answer = redeem(browser, code_for(browser, "ines"), **changes)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_code_is_good_once(browser: httpx.Client) -> None:
    code = code_for(browser, "ines")
    assert redeem(browser, code).status_code == 200
    assert redeem(browser, code).json() == {"error": "invalid_grant"}


def test_code_without_challenge_needs_no_verifier(browser: httpx.Client) -> None:
    assert redeem(browser, code_for(browser, "ines", code_challenge=""), code_verifier="").status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "https://evil.example/complete/edx-oauth2/"},
        {"redirect_uri": "http://127.0.0.1:5000/elsewhere/"},
    ],
)
def test_unknown_client_or_callback_is_not_redirected(browser: httpx.Client, changes: dict[str, str]) -> None:
    sign_in(browser, "ines")
    assert browser.get("/oauth2/authorize", params={**AUTHORIZE, **changes}).status_code == 400


def test_wrong_password_shows_the_page_again(browser: httpx.Client) -> None:
    answer = sign_in(browser, "ines", "wrong")
    assert answer.status_code == 401
    assert "Username or password is wrong" in answer.text
    assert not browser.cookies


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example/"])
def test_sign_in_does_not_lead_to_other_sites(browser: httpx.Client, target: str) -> None:
    assert sign_in(browser, "ines", target=target).headers["location"] == "/"


def test_signing_out_ends_the_session(browser: httpx.Client) -> None:
    sign_in(browser, "ines")
    browser.get("/logout")
    assert browser.get("/oauth2/authorize", params=AUTHORIZE).headers["location"].startswith("/login?")


def test_service_gets_a_token_with_credentials_in_form_or_header(browser: httpx.Client) -> None:
    form = {"grant_type": "client_credentials", "token_type": "jwt"}
    by_form = browser.post(
        "/oauth2/access_token", data={**form, "client_id": SERVICE.id, "client_secret": SERVICE.secret}
    )
    by_header = browser.post("/oauth2/access_token", data=form, auth=(SERVICE.id, SERVICE.secret))
    for answer in (by_form, by_header):
        assert claims(browser, answer)["administrator"] is True
