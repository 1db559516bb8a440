"""Cookies: who is signed in, and a sign-in under way. Signed, not stored: any replica reads them.

A cookie's content is signed with `insights.secret_key`; it holds no secret and no personal data beyond what
the page itself shows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fastapi import Request, Response
from itsdangerous import BadData, URLSafeTimedSerializer

from pharos.lms.oauth import Attempt, Person

SESSION_S = 12 * 3600
ATTEMPT_S = 10 * 60


@dataclass(frozen=True)
class Viewer:
    """The person looking at a page."""

    username: str
    language: str | None
    """Language of the LMS profile."""
    global_staff: bool
    """Staff or superuser of the whole LMS, as it said at sign-in."""

    @classmethod
    def of(cls, person: Person) -> Viewer:
        return cls(person.username, person.language, person.staff or person.superuser)


@dataclass(frozen=True)
class PendingSignIn:
    """A sign-in under way and the page it shall end on."""

    attempt: Attempt
    next: str


class Sessions:
    """Reads and writes the two cookies."""

    def __init__(self, secret_key: str, *, https: bool) -> None:
        # A cookie named __Host-… is taken by browsers only when secure and never from a sibling domain.
        prefix = "__Host-" if https else ""
        self._https = https
        self._session, self._pending = f"{prefix}pharos_session", f"{prefix}pharos_sign_in"
        self._sessions = URLSafeTimedSerializer(secret_key, salt="session")
        self._attempts = URLSafeTimedSerializer(secret_key, salt="sign-in")

    def viewer(self, request: Request) -> Viewer | None:
        """Who is signed in; None for nobody, and for a cookie that is expired or not ours."""
        values = _read(self._sessions, request.cookies.get(self._session), SESSION_S)
        try:
            return Viewer(**values) if values is not None else None
        except TypeError:  # written by a version with other fields
            return None

    def begin(self, response: Response, viewer: Viewer) -> None:
        """The viewer is signed in from now on."""
        self._set(response, self._session, self._sessions.dumps(asdict(viewer)), SESSION_S)

    def end(self, response: Response) -> None:
        """Nobody is signed in from now on."""
        for name in (self._session, self._pending):
            response.delete_cookie(name, path="/", secure=self._https, httponly=True, samesite="lax")

    def pending(self, request: Request) -> PendingSignIn | None:
        """The sign-in this browser began in the last ten minutes."""
        values = _read(self._attempts, request.cookies.get(self._pending), ATTEMPT_S)
        if values is None:
            return None
        return PendingSignIn(Attempt(values["state"], values["verifier"]), values["next"])

    def expect(self, response: Response, pending: PendingSignIn) -> None:
        """Remembers a sign-in that goes to the LMS now."""
        values = {"next": pending.next, **asdict(pending.attempt)}
        self._set(response, self._pending, self._attempts.dumps(values), ATTEMPT_S)

    def _set(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._https, httponly=True, samesite="lax"
        )


def _read(serializer: URLSafeTimedSerializer, text: str | None, max_age_s: int) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        values = serializer.loads(text, max_age=max_age_s)
    except BadData:
        return None
    return values if isinstance(values, dict) else None
