"""Sign-in of the LMS stand-in: OAuth2 (RFC 6749, PKCE of RFC 7636), signed tokens, the sign-in page.

Sessions, codes and the key pair live in memory: stopping the stand-in signs everybody out.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from pharos.demo.campus import Campus
from pharos.demo.people import SERVICE_USER_ID, Persona

AUDIENCE = "openedx"
CALLBACK_PATH = "/complete/edx-oauth2/"  # spec 06 §4.1
CODE_SECONDS = 60
COOKIE = "campus_session"


@dataclass(frozen=True)
class Client:
    """An application registered at the LMS."""

    id: str
    secret: str


@dataclass(frozen=True)
class _Grant:
    """What a code stands for."""

    username: str
    redirect_uri: str
    challenge: str
    method: str
    scope: str
    expires: float


class SignIn:
    """Who is signed in, which codes are out, and the key that signs the tokens."""

    def __init__(self, campus: Campus, *, insights: Client, service: Client, token_seconds: int) -> None:
        self._personas = {person.username: person for person in campus.personas}
        self._insights, self._service = insights, service
        self._token_seconds = token_seconds
        self._key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
        self._sessions: dict[str, str] = {}
        self._grants: dict[str, _Grant] = {}
        page = files("pharos.demo").joinpath("content/sign_in.html").read_text(encoding="utf-8")
        self._page = Environment(autoescape=True).from_string(page)

    def router(self) -> APIRouter:
        router = APIRouter()
        router.get("/")(self._home)
        router.get("/login")(self._ask)
        router.post("/login")(self._start_session)
        router.get("/logout")(self._end_session)
        router.get("/oauth2/authorize")(self._authorize)
        router.get("/oauth2/authorize/")(self._authorize)
        router.post("/oauth2/access_token")(self._access_token)
        router.post("/oauth2/access_token/")(self._access_token)
        router.get("/oauth2/jwks")(self._jwks)
        return router

    def claims(self, request: Request) -> dict[str, Any]:
        """The claims of the token a request shows; 401 without a valid one."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            decoded = jwt.decode(
                token if kind.lower() in {"jwt", "bearer"} else "", self._key, algorithms=["RS256"]
            )
            jwt.JWTClaimsRegistry(exp={"essential": True}).validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise HTTPException(
                401, "Authentication credentials were not provided or are not valid."
            ) from error
        return decoded.claims

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
        person = self._personas.get(username)
        if person is None or not secrets.compare_digest(person.password, password):
            return self._sign_in_page(None, target, failed=True)
        session = secrets.token_urlsafe(24)
        self._sessions[session] = username
        answer = RedirectResponse(_local(target), 303)
        answer.set_cookie(COOKIE, session, httponly=True, samesite="lax")
        return answer

    def _end_session(self, request: Request, redirect_url: str = "/") -> Response:
        self._sessions.pop(request.cookies.get(COOKIE, ""), None)
        answer = RedirectResponse(redirect_url if _is_loopback(redirect_url) else "/", 303)
        answer.delete_cookie(COOKIE)
        return answer

    def _signed_in(self, request: Request) -> Persona | None:
        return self._personas.get(self._sessions.get(request.cookies.get(COOKIE, ""), ""))

    def _sign_in_page(self, person: Persona | None, target: str, *, failed: bool = False) -> Response:
        text = self._page.render(
            personas=list(self._personas.values()), person=person, target=_local(target), failed=failed
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
        scope: str = "",
        code_challenge: str = "",
        code_challenge_method: str = "plain",
    ) -> Response:
        if client_id != self._insights.id:
            return HTMLResponse("<h1>Error: invalid_request</h1><p>Invalid client_id.</p>", 400)
        if not (_is_loopback(redirect_uri) and urlsplit(redirect_uri).path == CALLBACK_PATH):
            return HTMLResponse("<h1>Error: invalid_request</h1><p>Mismatching redirect URI.</p>", 400)
        if response_type != "code":
            return _back(redirect_uri, error="unsupported_response_type", state=state)
        person = self._signed_in(request)
        if person is None:
            target = f"{request.url.path}?{request.url.query}"
            return RedirectResponse(f"/login?{urlencode({'next': target})}", 302)
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
                return self._token(request, self._personas[grant.username], grant.scope)
            case "client_credentials" if client is self._service:
                return self._token(request, _service_account(client.id), "read")
        return _refused("unsupported_grant_type", 400)

    def _jwks(self) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    def _token(self, request: Request, person: Persona, scope: str) -> Response:
        """A signed token that says who the person is (claims: spec 06 §4.1)."""
        now = int(time.time())
        given, _, family = person.name.partition(" ")
        claims = {
            "iss": f"{str(request.base_url).rstrip('/')}/oauth2",
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + self._token_seconds,
            "version": "1.2.0",
            "scopes": scope.split(),
            "preferred_username": person.username,
            "user_id": person.user_id,
            "name": person.name,
            "given_name": given,
            "family_name": family,
            "email": person.email,
            "email_verified": True,
            "locale": "en",
            "administrator": person.global_staff,
            "superuser": person.superuser,
        }
        token = jwt.encode({"alg": "RS256", "typ": "JWT", "kid": self._key.kid}, claims, self._key)
        return JSONResponse(
            {"access_token": token, "expires_in": self._token_seconds, "token_type": "JWT", "scope": scope},
            headers={"Cache-Control": "no-store"},
        )


def _service_account(client_id: str) -> Persona:
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
    """Is this the request the code was given for?"""
    if time.monotonic() > grant.expires or form.get("redirect_uri") != grant.redirect_uri:
        return False
    verifier = form.get("code_verifier", "")
    if not grant.challenge:
        return True
    if grant.method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return secrets.compare_digest(verifier, grant.challenge)


def _is_loopback(address: str) -> bool:
    """Addresses of this machine are trusted whatever their port (RFC 8252 §7.3)."""
    return urlsplit(address).hostname in {"127.0.0.1", "localhost", "::1"}


def _local(target: str) -> str:
    """The target if it stays on this site, else the start page."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def _back(redirect_uri: str, **values: str) -> Response:
    joint = "&" if "?" in redirect_uri else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{urlencode(values)}", 302)


def _refused(error: str, status: int) -> Response:
    return JSONResponse({"error": error}, status)
