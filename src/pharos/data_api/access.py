"""Who asks, and what they may read (spec 05 §3). What cannot be checked is refused."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import anyio.to_thread
import sqlalchemy as sa
from fastapi import Path, Request, Response
from fastapi.routing import APIRoute

from pharos.data_api.audit import AuditLog
from pharos.data_api.errors import Forbidden, NoRoute, Throttled, Unauthenticated
from pharos.data_api.jwt import SignedTokens
from pharos.data_api.limits import Limits
from pharos.data_api.reading import Recent
from pharos.data_api.tokens import Token, hashed
from pharos.keys import organisation

SCHEME = "Token"  # name of the way to authenticate, in the documentation
COURSE_KINDS = ("course-v1", "ccx-v1", "library-v1")


@dataclass(frozen=True)
class Caller:
    """Whoever sent a request. `courses` and `organizations`: what they may read, None is everything."""

    name: str
    courses: frozenset[str] | None = None
    organizations: frozenset[str] | None = None
    learners: bool = False
    requests_per_minute: int | None = None

    @property
    def reads_everything(self) -> bool:
        return self.courses is None and self.organizations is None

    @property
    def scope(self) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        """Callers of equal scope get equal answers."""
        return self.courses, self.organizations

    def sees(self, course_id: sa.Column[str]) -> sa.ColumnElement[bool]:
        """`may_read` as a condition of a query; organisations by the beginning of the id."""
        if self.reads_everything:
            return sa.true()
        starts = [f"{org}/" for org in self.organizations or ()]
        starts += [f"{kind}:{org}+" for org in self.organizations or () for kind in COURSE_KINDS]
        return sa.or_(
            course_id.in_(self.courses or ()), *(course_id.startswith(s, autoescape=True) for s in starts)
        )

    def may_read(self, course_id: str) -> bool:
        """Whether they may read the results of this course."""
        return (
            self.reads_everything
            or course_id in (self.courses or ())
            or organisation(course_id) in (self.organizations or ())
        )


class Access:
    """Checks credentials and rates. One for the whole application."""

    def __init__(self, tokens: Recent[list[Token]], signed: SignedTokens, limits: Limits) -> None:
        self._tokens, self._signed, self._limits = tokens, signed, limits

    async def caller(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Caller | None:
        """Whose credentials these are, None if there are none. Raises Unauthenticated for bad ones."""
        scheme, _, credential = headers.get("authorization", "").partition(" ")
        match scheme.lower():
            case "token":
                return await self._of_token(credential.strip())
            case "jwt":
                return await self._of_signed(credential.strip())
        if headers.get("use-jwt-cookie", "").lower() == "true":
            parts = [cookies.get(f"edx-jwt-cookie-{part}") for part in ("header-payload", "signature")]
            if all(parts):
                return await self._of_signed(".".join(str(part) for part in parts))
        return None

    def count(self, caller: Caller | None, address: str) -> None:
        """Count a request. Raises Throttled beyond the caller's rate."""
        self._limits.count(
            f"user {caller.name}" if caller else f"address {address}",
            caller.requests_per_minute if caller else None,
        )

    def at_hand(self, authorization: str) -> Caller | None:
        """The caller of a good token, if that can be said without waiting; else None."""
        scheme, _, credential = authorization.partition(" ")
        known = self._tokens.at_hand()
        if known is None or scheme.lower() != "token":
            return None
        try:
            return self._checked(credential.strip(), known)
        except Unauthenticated:
            return None

    def counts(self, caller: Caller) -> bool:
        """Count a request of the caller if their rate allows it, and say whether it does."""
        try:
            self.count(caller, "")
        except Throttled:
            return False
        return True

    async def owns(self, name: str, credential: str) -> bool:
        """Whether this is the valid token of that name."""
        try:
            return (await self._of_token(credential)).name == name
        except Unauthenticated:
            return False

    async def _of_token(self, credential: str) -> Caller:
        if not credential:
            raise Unauthenticated("Invalid token header. No credentials provided.")
        if " " in credential:
            raise Unauthenticated("Invalid token header. Token string should not contain spaces.")
        known = self._tokens.at_hand()
        if known is None:
            known = await anyio.to_thread.run_sync(self._tokens.get)
        return self._checked(credential, known)

    def _checked(self, credential: str, known: list[Token]) -> Caller:
        wanted, found = hashed(credential), None
        for token in known:  # all of them, so that the time taken says nothing
            if hmac.compare_digest(token.hash, wanted):
                found = token
        if found is None:
            raise Unauthenticated("Invalid token.")
        if not found.is_valid(datetime.now(UTC).replace(tzinfo=None)):
            raise Unauthenticated("Token has expired." if found.revoked is None else "Invalid token.")
        return Caller(
            found.name,
            found.courses,
            found.organizations,
            found.learners,
            found.requests_per_minute or self._limits.of_tokens,
        )

    async def _of_signed(self, credential: str) -> Caller:
        claims = await anyio.to_thread.run_sync(self._signed.claims, credential)
        if claims.administrator:
            return Caller(claims.username)
        return Caller(claims.username, frozenset(), claims.organizations)


class OfCallers(APIRoute):
    """A route for known callers; if a course is in its address, for those who may read the course.

    Checked before anything else of the request is looked at. Routes find who asks in `request.state.caller`.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def checked(request: Request) -> Response:
            access: Access = request.app.state.access
            caller = await access.caller(request.headers, request.cookies)
            if caller is None:
                raise Unauthenticated
            access.count(caller, "")
            await self.admit(caller, request)
            request.state.caller = caller
            return await answer(request)

        return checked

    async def admit(self, caller: Caller, request: Request) -> None:
        """Raises Forbidden if the caller may not have this answer."""
        course_id = request.path_params.get("course_id")
        if course_id is not None and not caller.may_read(course_id):
            raise Forbidden("This token may not read this course.")


class OfLearnerReaders(OfCallers):
    """A route for callers who may read data of single learners, where these are served. All is noted down."""

    async def admit(self, caller: Caller, request: Request) -> None:
        if not request.app.state.settings.learners:
            raise NoRoute
        if not caller.learners:
            raise Forbidden("This token may not read data of single learners.")
        await super().admit(caller, request)
        audit: AuditLog = request.app.state.audit
        address = request.client.host if request.client else ""
        await anyio.to_thread.run_sync(audit.note, caller.name, address, request.url.path, request.url.query)


async def caller_or_nobody(request: Request) -> Caller | None:
    """For routes that need no credentials: bad ones are refused there too."""
    access: Access = request.app.state.access
    return await access.caller(request.headers, request.cookies)


CourseID = Annotated[
    str,
    Path(
        description="Course run; `/` and `+` may be percent-encoded.",
        examples=["course-v1:edX+DemoX+Demo_Course"],
        max_length=255,
    ),
]
