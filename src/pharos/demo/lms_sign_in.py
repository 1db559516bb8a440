"""Sign-in of the LMS stand-in: OAuth2 (RFC 6749, PKCE of RFC 7636), tokens, the sign-in page, preferences.

It behaves like an LMS with default settings (spec 07 §1): tokens are opaque unless the client requests a JWT,
JWTs are signed with a secret unless the client requests an asymmetric key, no token has a key id or a
language, and the public keys are not served. Sessions, codes and keys are in memory: a stop signs everybody
out.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, OctKey, RSAKey

from pharos.demo.campus import Campus
from pharos.demo.people import SERVICE_USER_ID, Persona
from pharos.demo.releases import NEWEST, Release

AUDIENCE = "openedx"
CODE_SECONDS = 60
OPAQUE_SECONDS = 36_000
COOKIE = "campus_session"
FREE_SCOPES = ("read", "write", "email", "profile")
USER_ID = "user_id"


@dataclass(frozen=True)
class Client:
    """An application registered at the LMS."""

    id: str
    secret: str
    redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    """Those it may ask for besides the ones free to everybody."""

    @classmethod
    def of_insights(cls, client_id: str, secret: str, url: str) -> Client:
        """Insights at this address, registered as docs/operations/install.md says."""
        return cls(client_id, secret, (f"{url.rstrip('/')}/complete/edx-oauth2/",), (USER_ID,))


@dataclass(frozen=True)
class _Grant:
    """The data for which a code was issued."""

    username: str
    redirect_uri: str
    challenge: str
    method: str
    scope: str
    expires: float


class SignIn:
    """Signed-in persons, issued codes and refresh tokens, and the keys that sign the tokens."""

    def __init__(
        self,
        campus: Campus,
        *,
        insights: Client,
        service: Client,
        token_seconds: int,
        release: Release = NEWEST,
    ) -> None:
        self._campus = campus
        self._insights, self._service = insights, service
        self._token_seconds, self._release = token_seconds, release
        self.secret = secrets.token_urlsafe(24)
        self.keys = [RSAKey.generate_key(2048, {"use": "sig"})]
        """The first one signs; the others are those before it, as after a rotation."""
        self._sessions: dict[str, str] = {}
        self._grants: dict[str, _Grant] = {}
        self._refreshing: dict[str, tuple[str, str]] = {}
        self._opaque: dict[str, dict[str, Any]] = {}
        page = files("pharos.demo").joinpath("content/sign_in.html").read_text(encoding="utf-8")
        self._page = Environment(autoescape=True).from_string(page)

    @property
    def public_keys(self) -> str:
        """`JWT_PUBLIC_SIGNING_JWK_SET` in the settings of the LMS: a JSON text."""
        return json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]})

    def rotate(self) -> None:
        """Sign with a new key from now on; the public set keeps the previous one."""
        self.keys = [RSAKey.generate_key(2048, {"use": "sig"}), self.keys[0]]

    def router(self) -> APIRouter:
        router = APIRouter()
        router.get("/")(self._home)
        router.get("/login")(self._ask)
        router.post("/login")(self._start_session)
        router.api_route("/logout", methods=["GET", "POST"])(self._end_session)
        for slash in ("", "/"):
            router.get(f"/oauth2/authorize{slash}")(self._authorize)
            router.post(f"/oauth2/access_token{slash}")(self._access_token)
        router.get("/api/user/v1/preferences/{username}/")(self._preferences)
        return router

    def claims(self, request: Request) -> dict[str, Any]:
        """The claims of a request's token; 401 without a valid one."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        found = self._opaque.get(token) if kind.lower() == "bearer" else self._signed_claims(kind, token)
        if found is None or found["exp"] <= time.time():
            raise HTTPException(401, "Authentication credentials were not provided or are not valid.")
        return found

    def _signed_claims(self, kind: str, token: str) -> dict[str, Any] | None:
        known: list[tuple[Key, str]] = [(key, "RS512") for key in self.keys]
        for key, algorithm in [*known, (OctKey.import_key(self.secret), "HS256")]:
            try:
                return dict(jwt.decode(token if kind.lower() == "jwt" else "", key, [algorithm]).claims)
            except (JoseError, ValueError):
                continue
        return None

    # --- Pages -----------------------------------------------------------------------------------------

    def _home(self, request: Request) -> Response:
        return self._sign_in_page(self._signed_in(request), "/")

    def _ask(self, request: Request, target: Annotated[str, Query(alias="next")] = "/") -> Response:
        return self._sign_in_page(self._signed_in(request), target)

    def _start_session(
        self,
        username: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        target: Annotated[str, Form(alias="next")] = "/",
    ) -> Response:
        person = self._persona(username)
        if person is None or not secrets.compare_digest(person.password, password):
            return self._sign_in_page(None, target, failed=True)
        session = secrets.token_urlsafe(24)
        self._sessions[session] = username
        answer = RedirectResponse(_local(target), 303)
        answer.set_cookie(COOKIE, session, httponly=True, samesite="lax")
        return answer

    def _end_session(self, request: Request, redirect_url: str = "/", client_id: str = "") -> Response:
        """Redirects only to a part of the client's redirect address (spec 07 §1.8)."""
        self._sessions.pop(request.cookies.get(COOKIE, ""), None)
        if client_id and client_id not in {self._insights.id, self._service.id}:
            return HTMLResponse("<h1>Server Error (500)</h1>", 500)
        allowed = self._insights.redirect_uris if client_id == self._insights.id else ()
        is_allowed = any(redirect_url in uri for uri in allowed)
        answer = RedirectResponse(redirect_url if is_allowed else _local(redirect_url), 302)
        answer.delete_cookie(COOKIE)
        return answer

    def _persona(self, username: str) -> Persona | None:
        return next((person for person in self._campus.personas if person.username == username), None)

    def _signed_in(self, request: Request) -> Persona | None:
        return self._persona(self._sessions.get(request.cookies.get(COOKIE, ""), ""))

    def _sign_in_page(self, person: Persona | None, target: str, *, failed: bool = False) -> Response:
        text = self._page.render(
            personas=self._campus.personas, person=person, target=_local(target), failed=failed
        )
        return HTMLResponse(text, 401 if failed else 200)

    # --- OAuth2 ----------------------------------------------------------------------------------------

    def _authorize(
        self,
        request: Request,
        client_id: str = "",
        redirect_uri: str = "",
        response_type: str = "",
        state: str = "",
        scope: str = "read",
        code_challenge: str = "",
        code_challenge_method: str = "plain",
    ) -> Response:
        if client_id != self._insights.id:
            return HTMLResponse("<h1>Error: invalid_request</h1><p>Invalid client_id.</p>", 400)
        if redirect_uri not in self._insights.redirect_uris:
            return HTMLResponse("<h1>Error: invalid_request</h1><p>Mismatching redirect URI.</p>", 400)
        if response_type != "code":
            return _back(redirect_uri, error="unsupported_response_type", state=state)
        person = self._signed_in(request)
        if person is None:
            target = f"{request.url.path}?{request.url.query}"
            return RedirectResponse(f"/login?{urlencode({'next': target})}", 302)
        if not {*scope.split()} <= {*FREE_SCOPES, *self._insights.scopes}:
            return _back(redirect_uri, error="invalid_scope", state=state)
        code = secrets.token_urlsafe(24)
        self._grants[code] = _Grant(
            person.username,
            redirect_uri,
            code_challenge,
            code_challenge_method,
            scope,
            time.monotonic() + CODE_SECONDS,
        )
        return _back(redirect_uri, code=code, state=state)

    async def _access_token(self, request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}
        client_id, secret = _credentials(request, form)
        client = next((item for item in (self._insights, self._service) if item.id == client_id), None)
        if client is None or not secrets.compare_digest(client.secret, secret):
            return _refused("invalid_client", 401)
        match form.get("grant_type"):
            case "authorization_code" if client is self._insights:
                grant = self._grants.pop(form.get("code", ""), None)
                if grant is None or not _fits(grant, form):
                    return _refused("invalid_grant", 400)
                return self._token(request, form, grant.username, grant.scope)
            case "refresh_token" if client is self._insights:
                known = self._refreshing.pop(form.get("refresh_token", ""), None)  # each is good once
                return self._token(request, form, *known) if known else _refused("invalid_grant", 400)
            case "client_credentials" if client is self._service:
                return self._token(request, form, client.id, " ".join(FREE_SCOPES))
        return _refused("unsupported_grant_type", 400)

    def _token(self, request: Request, form: Mapping[str, str], username: str, scope: str) -> Response:
        """The answer of the token endpoint: opaque, or a JWT if requested (spec 07 §1.2, §1.3)."""
        is_service = username == self._service.id
        person = service_account(username) if is_service else self._persona(username)
        if person is None:
            return _refused("invalid_grant", 400)
        claims = self._claims(request, person, scope.split(), is_service=is_service)
        if form.get("token_type", "").lower() != "jwt":
            token, seconds, kind = secrets.token_urlsafe(24), OPAQUE_SECONDS, "Bearer"
            self._opaque[token] = claims | {"exp": claims["iat"] + seconds}
        else:
            seconds, kind = self._token_seconds, "JWT"
            asymmetric = bool(form.get("asymmetric_jwt")) and self._release.signs_for_everybody
            key: Key = self.keys[0] if asymmetric else OctKey.import_key(self.secret)
            algorithm = "RS512" if asymmetric else "HS256"
            token = jwt.encode({"alg": algorithm, "typ": "JWT"}, claims, key, algorithms=[algorithm])
        answer = {"access_token": token, "expires_in": seconds, "token_type": kind, "scope": scope}
        if not is_service:
            answer["refresh_token"] = secrets.token_urlsafe(24)
            self._refreshing[str(answer["refresh_token"])] = username, scope
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def _claims(
        self, request: Request, person: Persona, scopes: list[str], *, is_service: bool
    ) -> dict[str, Any]:
        """The claims of a token (spec 07 §1.5); they do not include a language."""
        now = int(time.time())
        given, _, family = person.name.partition(" ")
        profile = {
            "name": person.name,
            "given_name": given,
            "family_name": family,
            "administrator": person.global_staff,
            "superuser": person.superuser,
        }
        return {
            "iss": f"{str(request.base_url).rstrip('/')}/oauth2",
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + self._token_seconds,
            "preferred_username": person.username,
            "sub": hashlib.md5(person.username.encode(), usedforsecurity=False).hexdigest(),
            "version": "1.2.0",
            "grant_type": "client-credentials" if is_service else "authorization-code",
            "scopes": scopes,
            "filters": [] if is_service else ["user:me"],
            "is_restricted": False,
            "email_verified": True,
            **({"user_id": person.user_id} if USER_ID in scopes else {}),
            **({"email": person.email} if "email" in scopes else {}),
            **(profile if "profile" in scopes else {}),
        }

    def _preferences(self, request: Request, username: str) -> Any:
        """A person's preferences at the LMS; only for the person and for global staff (spec 07 §1.7)."""
        claims = self.claims(request)
        if claims["preferred_username"] != username and not claims.get("administrator"):
            raise HTTPException(403, "You do not have permission to perform this action.")
        person = self._persona(username)
        if person is None:
            raise HTTPException(404, "Not found.")
        chosen = {"pref-lang": person.language} if person.language else {}
        return {"account_privacy": "private", **chosen}


def service_account(client_id: str) -> Persona:
    """The person of the service's tokens: global staff, named by the client's id."""
    return Persona(
        SERVICE_USER_ID, client_id, "", "Service Account", "service@campus.example", "", global_staff=True
    )


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Client id and secret, from the form or from HTTP basic authentication."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        client_id, _, secret = base64.b64decode(value).decode(errors="replace").partition(":")
        return client_id, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def _fits(grant: _Grant, form: dict[str, str]) -> bool:
    """True if the token request matches the request for which the code was issued."""
    if time.monotonic() > grant.expires or form.get("redirect_uri") != grant.redirect_uri:
        return False
    verifier = form.get("code_verifier", "")
    if not grant.challenge:
        return True
    if grant.method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return secrets.compare_digest(verifier, grant.challenge)


def _local(target: str) -> str:
    """The target if it is on this site, else the start page."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def _back(redirect_uri: str, **values: str) -> Response:
    joint = "&" if "?" in redirect_uri else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{urlencode(values)}", 302)


def _refused(error: str, status: int) -> Response:
    return JSONResponse({"error": error}, status)
