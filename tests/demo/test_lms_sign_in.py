"""The sign-in over real HTTP, as a browser and an application see it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jws, jwt
from joserfc.jwk import OctKey

from pharos.demo.campus import Campus
from pharos.demo.lms import create_app
from pharos.demo.lms_sign_in import Client
from pharos.demo.releases import Release

INSIGHTS = Client.of_insights("insights", "secret-of-insights", "http://127.0.0.1:5000")
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
def app(campus: Campus) -> FastAPI:
    return create_app(campus, insights=INSIGHTS, service=SERVICE)


@pytest.fixture
def browser(app: FastAPI, serve: Callable[[Any], str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serve(app)) as client:
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
        "asymmetric_jwt": "true",
    }
    return browser.post("/oauth2/access_token", data={**form, **changes})


def claims(app: FastAPI, answer: httpx.Response) -> dict[str, Any]:
    token = answer.json()["access_token"]
    asymmetric, [key] = header_of(token)["alg"] != "HS256", app.state.sign_in.keys
    secret = OctKey.import_key(app.state.sign_in.secret)
    return dict(jwt.decode(token, key if asymmetric else secret, algorithms=["RS512", "HS256"]).claims)


def header_of(token: str) -> dict[str, Any]:
    return dict(jws.extract_compact(token.encode()).headers())


def test_authorize_asks_a_stranger_to_sign_in_and_comes_back(browser: httpx.Client) -> None:
    asked = browser.get("/oauth2/authorize", params=AUTHORIZE)
    assert asked.status_code == 302
    page = browser.get(asked.headers["location"])
    assert "Sign in" in page.text
    target = parse_qs(urlsplit(asked.headers["location"]).query)["next"][0]
    answer = sign_in(browser, "ines", target=target)
    assert answer.status_code == 303
    assert browser.get(answer.headers["location"]).headers["location"].startswith(f"{CALLBACK}?code=")


def test_token_says_who_signed_in(app: FastAPI, browser: httpx.Client, campus: Campus) -> None:
    for person in campus.personas:
        answer = redeem(browser, code_for(browser, person.username))
        assert answer.status_code == 200
        assert answer.json()["token_type"] == "JWT"
        found = claims(app, answer)
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
        {"redirect_uri": "http://127.0.0.1:6000/complete/edx-oauth2/"},
        {"redirect_uri": CALLBACK.rstrip("/")},
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


def test_service_gets_a_token_with_credentials_in_form_or_header(app: FastAPI, browser: httpx.Client) -> None:
    form = {"grant_type": "client_credentials", "token_type": "jwt"}
    by_form = browser.post(
        "/oauth2/access_token", data={**form, "client_id": SERVICE.id, "client_secret": SERVICE.secret}
    )
    by_header = browser.post("/oauth2/access_token", data=form, auth=(SERVICE.id, SERVICE.secret))
    for answer in (by_form, by_header):
        assert claims(app, answer)["administrator"] is True
        assert "refresh_token" not in answer.json()


# --- As an LMS whose settings are the defaults: spec 07 §1, §7 no. 17 ---


def test_a_jwt_is_signed_for_everybody_only_when_asked_and_never_names_its_key(browser: httpx.Client) -> None:
    for changes, algorithm in (
        ({}, "RS512"),
        ({"asymmetric_jwt": "1"}, "RS512"),
        ({"asymmetric_jwt": ""}, "HS256"),
    ):
        answer = redeem(browser, code_for(browser, "ines"), **changes).json()
        assert header_of(answer["access_token"]) == {"alg": algorithm, "typ": "JWT"}


def test_an_old_lms_signs_with_its_secret_whatever_is_asked(
    campus: Campus, serve: Callable[[Any], str]
) -> None:
    app = create_app(campus, insights=INSIGHTS, service=SERVICE, release=Release.OLIVE)
    with httpx.Client(base_url=serve(app)) as browser:
        answer = redeem(browser, code_for(browser, "ines"))
        assert header_of(answer.json()["access_token"])["alg"] == "HS256"
        assert claims(app, answer)["preferred_username"] == "ines"


def test_a_token_is_opaque_unless_a_jwt_is_asked_for(browser: httpx.Client) -> None:
    answer = redeem(browser, code_for(browser, "ines"), token_type="").json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 36_000)
    assert "." not in answer["access_token"]
    own = browser.get(
        "/api/user/v1/preferences/ines/", headers={"Authorization": f"Bearer {answer['access_token']}"}
    )
    assert own.status_code == 200


@pytest.mark.parametrize(
    "path", ["/oauth2/jwks", "/oauth2/jwks.json", "/.well-known/jwks.json", "/oauth2/user_info"]
)
def test_there_is_no_address_of_keys_or_people(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_no_claim_tells_the_language_and_each_scope_its_own(app: FastAPI, browser: httpx.Client) -> None:
    found = claims(app, redeem(browser, code_for(browser, "ines", scope="read")))
    assert not {"locale", "user_id", "email", "name", "administrator", "superuser"} & set(found)
    assert (found["grant_type"], found["filters"], found["is_restricted"]) == (
        "authorization-code",
        ["user:me"],
        False,
    )
    assert len(found["sub"]) == 32


def test_a_scope_the_client_may_not_have_is_refused(browser: httpx.Client) -> None:
    sign_in(browser, "ines")
    answer = browser.get("/oauth2/authorize", params={**AUTHORIZE, "scope": "user_id grades:read"})
    assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == ["invalid_scope"]


def test_each_refresh_token_is_good_once_and_brings_the_rights_of_now(
    app: FastAPI, browser: httpx.Client, campus: Campus
) -> None:
    token = redeem(browser, code_for(browser, "marek")).json()["refresh_token"]
    again = {"grant_type": "refresh_token", "refresh_token": token}
    answer = redeem(browser, "", **again)
    assert claims(app, answer)["administrator"] is True
    assert answer.json()["refresh_token"] != token
    assert redeem(browser, "", **again).json() == {"error": "invalid_grant"}
    person = next(person for person in campus.personas if person.username == "marek")
    object.__setattr__(person, "global_staff", False)
    try:
        later = redeem(browser, "", **again | {"refresh_token": answer.json()["refresh_token"]})
        assert claims(app, later)["administrator"] is False
    finally:
        object.__setattr__(person, "global_staff", True)


def test_the_preferences_are_for_oneself_and_for_staff(browser: httpx.Client, campus: Campus) -> None:
    person = next(person for person in campus.personas if person.username == "ines")
    object.__setattr__(person, "language", "pt-br")
    try:
        for asking, status in (("ines", 200), ("marek", 200), ("tomas", 403)):
            token = redeem(browser, code_for(browser, asking)).json()["access_token"]
            answer = browser.get("/api/user/v1/preferences/ines/", headers={"Authorization": f"JWT {token}"})
            assert answer.status_code == status
            assert status == 403 or answer.json()["pref-lang"] == "pt-br"
    finally:
        object.__setattr__(person, "language", None)
    assert browser.get("/api/user/v1/preferences/ines/").status_code == 401


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ({"client_id": "insights", "redirect_url": "http://127.0.0.1:5000/"}, "http://127.0.0.1:5000/"),
        ({"client_id": "insights", "redirect_url": CALLBACK}, CALLBACK),
        ({"client_id": "insights", "redirect_url": "http://127.0.0.1:5000/courses/"}, "/"),
        ({"redirect_url": "http://127.0.0.1:5000/"}, "/"),
        ({"client_id": "service", "redirect_url": "http://127.0.0.1:5000/"}, "/"),
        ({"redirect_url": "//evil.example/"}, "/"),
    ],
)
def test_signing_out_leads_only_to_a_part_of_the_redirect_address_of_the_client(
    browser: httpx.Client, query: dict[str, str], target: str
) -> None:
    assert browser.get("/logout", params=query).headers["location"] == target


def test_signing_out_with_an_unknown_client_is_a_fault(browser: httpx.Client) -> None:
    assert browser.get("/logout", params={"client_id": "nobody"}).status_code == 500


def test_a_rotation_keeps_the_key_before(app: FastAPI) -> None:
    before = app.state.sign_in.keys[0]
    app.state.sign_in.rotate()
    assert [key.thumbprint() for key in app.state.sign_in.keys][1:] == [before.thumbprint()]
    assert len(json.loads(app.state.sign_in.public_keys)["keys"]) == 2
    assert '"d"' not in app.state.sign_in.public_keys
