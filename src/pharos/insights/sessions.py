"""Cookies: the signed-in person, and the browser that began a sign-in.

They are encrypted and signed with `insights.secret_key` and stored on no server: any replica can read them.
`admission` decides if a session has ended early.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from fastapi import Request, Response

from pharos.lms.errors import SignInOver
from pharos.lms.oauth import Attempt, SignedIn

SESSION_S = 12 * 3600
ATTEMPT_S = 10 * 60
LONGEST_PAGE = 1000  # characters of the address a sign-in ends on; it travels through the LMS


@dataclass(frozen=True)
class Viewer:
    """The person looking at a page."""

    username: str
    language: str | None
    """Language of the LMS account."""
    global_staff: bool
    """Staff or superuser of the whole LMS, as it said last."""


@dataclass(frozen=True)
class Session:
    """A signed-in browser. Times are seconds since 1970."""

    id: str
    viewer: Viewer
    began: float
    asked: float
    """When the LMS last said whether the viewer is global staff."""
    refresh_token: str | None = field(repr=False)
    """For asking again; kept of global staff only."""
    attempt: str
    """Digest of the state of the sign-in that began it."""

    @classmethod
    def of(cls, signed_in: SignedIn, state: str = "", earlier: Session | None = None) -> Session:
        """A new session, or the earlier one with present rights."""
        person, now = signed_in.person, time.time()
        language = earlier.viewer.language if earlier else person.language
        viewer = Viewer(person.username, language, person.staff or person.superuser)
        return cls(
            id=earlier.id if earlier else secrets.token_urlsafe(16),
            viewer=viewer,
            began=earlier.began if earlier else now,
            asked=now,
            refresh_token=signed_in.refresh_token if viewer.global_staff else None,
            attempt=earlier.attempt if earlier else _digest(state),
        )

    @property
    def ends(self) -> float:
        """The latest end of the session, in seconds since 1970."""
        return self.began + SESSION_S

    def was_begun_by(self, state: str) -> bool:
        """True if the sign-in with this state began the session."""
        return hmac.compare_digest(self.attempt, _digest(state))


class Sessions:
    """Reads and writes the cookie of a session."""

    def __init__(self, secret_key: str, *, https: bool) -> None:
        self._cookie = Cookie("pharos_session", https=https)
        self._box = _box(secret_key, "session")

    def read(self, request: Request) -> Session | None:
        """The session of the browser; None if there is none, or it has expired or is not valid."""
        values = _open(self._box, self._cookie.of(request), SESSION_S)
        try:
            session = Session(**{**values, "viewer": Viewer(**values["viewer"])}) if values else None
        except (TypeError, KeyError):  # written by a version with other fields
            return None
        return session if session is not None and time.time() < session.ends else None

    def write(self, response: Response, session: Session) -> None:
        """Set the session's cookie in the browser."""
        self._cookie.set(response, _seal(self._box, asdict(session)), round(session.ends - time.time()))

    def end(self, response: Response) -> None:
        """Delete the session's cookie in the browser."""
        self._cookie.delete(response)


@dataclass(frozen=True)
class Pending:
    """A sign-in that this browser began, and its target page."""

    attempt: Attempt
    page: str


class Attempts:
    """Sign-ins in progress.

    The state that travels through the LMS holds the target page of a sign-in, so several tabs can sign in at
    once. A cookie ties the state to the browser; the PKCE verifier is derived from both.
    """

    def __init__(self, secret_key: str, *, https: bool) -> None:
        self._cookie = Cookie("pharos_sign_in", https=https)
        self._key = secret_key.encode()
        self._box = _box(secret_key, "sign-in")

    def begin(self, request: Request, page: str) -> tuple[Attempt, str]:
        """A sign-in with this target page, and the browser's mark, which `expect` sets as a cookie."""
        browser = self._cookie.of(request) or secrets.token_urlsafe(32)
        state = _seal(self._box, {"page": page[:LONGEST_PAGE], "browser": _digest(browser)})
        return self._attempt(state, browser), browser

    def expect(self, response: Response, browser: str) -> None:
        """Let the browser return with an answer within ten minutes."""
        self._cookie.set(response, browser, ATTEMPT_S)

    def pending(self, request: Request, state: str) -> Pending:
        """The sign-in of this browser with this state. Raises SignInOver."""
        values, browser = _open(self._box, state, ATTEMPT_S), self._cookie.of(request)
        if values is None:
            raise SignInOver("the answer belongs to no sign-in of the last ten minutes (state)")
        if not hmac.compare_digest(str(values.get("browser")), _digest(browser)):
            raise SignInOver("the sign-in was begun in another browser")
        return Pending(self._attempt(state, browser), str(values.get("page")))

    def page_of(self, state: str) -> str | None:
        """The target page of a sign-in, even if it has expired or belongs to another browser; None if not
        ours.
        """
        values = _open(self._box, state, None)
        return str(values["page"]) if values and "page" in values else None

    def _attempt(self, state: str, browser: str) -> Attempt:
        proof = hmac.new(self._key, f"{browser}.{state}".encode(), hashlib.sha256).digest()
        return Attempt(state, base64.urlsafe_b64encode(proof).rstrip(b"=").decode())


@dataclass(frozen=True)
class Cookie:
    """A cookie without access for scripts and other sites; over https only, if Insights has https."""

    base: str
    https: bool

    @property
    def name(self) -> str:
        """The name, with `__Host-` if secure: browsers accept this prefix only if secure and not from a
        sibling domain.
        """
        return f"__Host-{self.base}" if self.https else self.base

    def of(self, request: Request) -> str:
        """The cookie's value; empty if it is missing."""
        return request.cookies.get(self.name, "")

    def set(self, response: Response, value: str, seconds: int) -> None:
        response.set_cookie(
            self.name, value, max_age=seconds, path="/", secure=self.https, httponly=True, samesite="lax"
        )

    def delete(self, response: Response) -> None:
        response.delete_cookie(self.name, path="/", secure=self.https, httponly=True, samesite="lax")


def _box(secret_key: str, purpose: str) -> Fernet:
    key = hashlib.sha256(f"pharos {purpose} {secret_key}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def _seal(box: Fernet, values: dict[str, Any]) -> str:
    return box.encrypt(json.dumps(values).encode()).decode("ascii")


def _open(box: Fernet, text: str, max_age_s: int | None) -> dict[str, Any] | None:
    """The sealed value; None if it is too old, damaged or not sealed by us."""
    try:
        written = base64.urlsafe_b64encode(base64.urlsafe_b64decode(text)).decode()
        values = json.loads(box.decrypt(text, max_age_s)) if written == text else None
    except (InvalidToken, ValueError):
        return None
    return values if isinstance(values, dict) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
