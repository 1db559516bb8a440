"""Identifies callers and decides what they may read (spec 05 §3). Credentials that cannot be checked are
refused.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any

import anyio.to_thread
import sqlalchemy as sa
from fastapi import Path, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from pharos.data_api.errors import APIError, Forbidden, NoRoute, Throttled, Unauthenticated
from pharos.data_api.jwt import SignedTokens
from pharos.data_api.organizations import beginnings, in_organizations
from pharos.data_api.reading import Recent
from pharos.data_api.tokens import Token, hashed
from pharos.limits import Limits
from pharos.result_store.column_types import exactly
from pharos.result_store.tables import ABOUT_LEARNERS
from pharos.telemetry.audit import AuditLog

log = logging.getLogger(__name__)

SCHEME = "Token"  # name of the way to authenticate, in the documentation
NOT_KEPT = "private, no-store"  # also no proxy on the way may cache it


@dataclass(frozen=True)
class Caller:
    """The sender of a request. `courses` and `organizations` limit its scope; None means everything."""

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
        """Cache key part: callers with the same scope share answers.

        Does not include `learners`: answers about learners must not be cached.
        """
        return self.courses, self.organizations

    def may_read(self, course_id: str) -> bool:
        """True if the course, or its organisation, is in the scope; ids are compared exactly."""
        return (
            self.reads_everything
            or course_id in (self.courses or ())
            or course_id.startswith(beginnings(self.organizations))
        )

    def sees(self, course_id: sa.Column[str]) -> sa.ColumnElement[bool]:
        """`may_read` as a condition of a query, the same on every database and in every collation.

        Databases may ignore case, accents or trailing blanks in comparisons. Rows found in this way by an
        index are then compared byte by byte.
        """
        if self.reads_everything:
            return sa.true()
        courses = sorted(self.courses or ())
        return sa.or_(
            sa.and_(course_id.in_(courses), exactly(course_id).in_(courses)),
            in_organizations(course_id, beginnings(self.organizations)),
        )


class Access:
    """Checks credentials and rates; one object for the whole application."""

    def __init__(
        self, tokens: Recent[list[Token]], signed: SignedTokens, *, of_people: int, of_tokens: int
    ) -> None:
        """Rates in requests per minute: `of_people` for a person or an address, `of_tokens` for a token
        without its own rate.
        """
        self._tokens, self._signed = tokens, signed
        self._of_people, self._of_tokens = of_people, of_tokens
        self._limits = Limits()

    async def caller(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Caller | None:
        """The caller with these credentials; None without any. Raises Unauthenticated for bad ones."""
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
        wait_s = self._limits.count(
            f"user {caller.name}" if caller else f"address {address}",
            (caller.requests_per_minute if caller else None) or self._of_people,
        )
        if wait_s:
            raise Throttled(wait_s)

    def at_hand(self, authorization: str) -> Caller | None:
        """The caller of a valid token, if the token is in memory; else None. Never waits."""
        scheme, _, credential = authorization.partition(" ")
        known = self._tokens.at_hand()
        if known is None or scheme.lower() != "token":
            return None
        try:
            return self._checked(credential.strip(), known)
        except Unauthenticated:
            return None

    def counts(self, caller: Caller) -> bool:
        """Count a request if the caller's rate allows it; True if it does."""
        try:
            self.count(caller, "")
        except Throttled:
            return False
        return True

    async def owns(self, name: str, credential: str) -> bool:
        """True if this is the valid token of that name."""
        try:
            return (await self._of_token(credential)).name == name
        except Unauthenticated:
            return False

    async def _of_token(self, credential: str) -> Caller:
        if not credential:
            raise Unauthenticated("Invalid token header. No credentials provided.")
        if " " in credential:
            raise Unauthenticated("Invalid token header. Token string should not contain spaces.")
        return self._checked(credential, await self._tokens.get())

    def _checked(self, credential: str, known: list[Token]) -> Caller:
        wanted, found = hashed(credential), None
        for token in known:  # all of them, so that the time taken says nothing
            if hmac.compare_digest(token.hash, wanted):
                found = token
        if found is None:
            raise Unauthenticated("Invalid token.")
        if not found.is_valid(datetime.now(UTC).replace(tzinfo=None)):
            text = "Token has expired." if found.revoked is None else "Invalid token."
            raise Unauthenticated(text, found.name)
        return Caller(
            found.name,
            found.courses,
            found.organizations,
            found.learners,
            found.requests_per_minute or self._of_tokens,
        )

    async def _of_signed(self, credential: str) -> Caller:
        claims = await self._signed.claims(credential)
        if claims.administrator:
            return Caller(claims.username)
        return Caller(claims.username, frozenset(), claims.organizations)


class OfCallers(APIRoute):
    """A route for known callers; if the address names a course, for callers who may read the course.

    The check comes before any other part of the request is read. Routes find the caller in
    `request.state.caller`.
    """

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of the parameters that are declared."""
        return frozenset(each.alias for each in get_flat_params(self.dependant))

    def is_about_learners(self, request: Request) -> bool:  # noqa: ARG002 - other routes look into it
        """True if the answer is about single learners."""
        return False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def checked(request: Request) -> Response:
            access: Access = request.app.state.access
            caller = await access.caller(request.headers, request.cookies)
            if caller is None:
                raise Unauthenticated
            request.state.caller = caller
            access.count(caller, "")
            if not self.is_about_learners(request):
                _check_courses(request, caller)
                return await answer(request)
            _check_learners(request, caller)
            _check_courses(request, caller)
            _check_organizations(request)
            await anyio.to_thread.run_sync(_note_reading, request, caller)
            response = await answer(request)
            response.headers["Cache-Control"] = NOT_KEPT
            return response

        return checked


class OfLearnerReaders(OfCallers):
    """A route about single learners, for callers with the right to them; all readings are audited."""

    def is_about_learners(self, request: Request) -> bool:  # noqa: ARG002
        return True


class OfTableReaders(OfCallers):
    """A route that returns the table named in its address."""

    def is_about_learners(self, request: Request) -> bool:
        return request.path_params.get("table") in ABOUT_LEARNERS


def _check_learners(request: Request, caller: Caller) -> None:
    """Raises NoRoute if data of single learners are not served, Forbidden without the right to them."""
    if not request.app.state.settings.learners:
        raise NoRoute
    if not caller.learners:
        raise Forbidden("This token may not read data of single learners.")


def _check_courses(request: Request, caller: Caller) -> None:
    """Raises Forbidden if path or query name a course that the caller may not read."""
    if not all(caller.may_read(course_id) for course_id in _courses(request)):
        raise Forbidden("This token may not read this course.")


def _check_organizations(request: Request) -> None:
    """Raises Forbidden if path or query name a course whose learners must not be shown."""
    if not all(request.app.state.privacy.allows(course_id) for course_id in _courses(request)):
        raise Forbidden("Data of single learners of this organisation are not shown.")


def _courses(request: Request) -> list[str]:
    """The courses in path and query."""
    named = [request.path_params.get("course_id"), *request.query_params.getlist("course_id")]
    return [course_id for course_id in named if course_id]


def _note_reading(request: Request, caller: Caller) -> None:
    """Write the reading to the audit log. Raises OSError if that fails; then nothing is read."""
    audit: AuditLog = request.app.state.audit
    audit.note(
        "read",
        who=caller.name,
        address=_address(request),
        path=request.url.path,
        query=request.url.query,
        mode=request.app.state.privacy.mode,
    )


def note_refusal(request: Request, error: APIError) -> None:
    """Write a refusal to the audit log, with the name of the caller or of the token that is no longer valid.

    If the log cannot be written, the error is only logged for the operator, and the request is refused all
    the same.
    """
    audit: AuditLog = request.app.state.audit
    caller: Caller | None = getattr(request.state, "caller", None)
    who = caller.name if caller else getattr(error, "name", "")
    try:
        audit.note_refusal(
            who=who,
            address=_address(request),
            path=request.url.path,
            query=request.url.query,
            reason=str(error.body.get("detail", "")),
        )
    except OSError as unwritten:
        log.error("audit log: %s", unwritten)  # noqa: TRY400 - the message says it all


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def caller_or_nobody(request: Request) -> Caller | None:
    """The caller, for routes that need no credentials; bad credentials are refused there, too."""
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
