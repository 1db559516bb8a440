"""Errors as pages: what happened, what is safe, what to do. Works without the LMS and the Data API."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, cast
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from pharos.insights.access import AccessDenied, SignInNeeded
from pharos.insights.api import DataAPIError
from pharos.insights.language import Language
from pharos.insights.permissions import AccessUnknown
from pharos.insights.rendering import Link, Page
from pharos.insights.reports import State
from pharos.insights.site import site_of
from pharos.lms.errors import LMSError, SignInFailed

log = logging.getLogger(__name__)
Handler = Callable[[Request, Exception], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class ErrorPage(Page):
    """Something is not as it should be."""

    template: ClassVar[str] = "error.html"
    state: State
    code: str
    """A line for support; empty where support cannot help."""


def add_to(app: FastAPI) -> None:
    """Every error of the application becomes a page."""
    handlers: dict[type[Exception] | int, Handler] = {
        SignInNeeded: _sign_in_needed,
        AccessDenied: _access_denied,
        AccessUnknown: _access_unknown,
        SignInFailed: _sign_in_failed,
        DataAPIError: _data_api_failed,
        LMSError: _lms_failed,
        HTTPException: _http,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _sign_in_needed(request: Request, _: Exception) -> Response:
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/login/?next={quote(path, safe='/')}", 302)


async def _access_denied(request: Request, _: Exception) -> Response:
    words = _words(request)
    return _page(
        request,
        403,
        words.text("Access Denied"),
        words.text("You cannot see this page"),
        words.text(
            "Reports are open to the team of a course: its staff and admins. If you were given that role "
            "just now, sign out and in again; if not, ask an admin of the course."
        ),
        Link("/logout_then_login/", words.text("Sign out and in again")),
        Link("/courses/", words.text("Your courses")),
    )


async def _access_unknown(request: Request, error: Exception) -> Response:
    words = _words(request)
    return _page(
        request,
        500,
        words.text("Permissions Retrieval Failed"),
        words.text("The learning platform does not say which courses are yours"),
        words.text(
            "It did not answer, so nothing can be shown until it does. Your data is safe. "
            "This is usually over within minutes."
        ),
        Link(_here(request), words.text("Try again")),
        code=_code("LMS-PERMISSIONS", error),
    )


async def _sign_in_failed(request: Request, error: Exception) -> Response:
    words = _words(request)
    log.warning("%s", error)
    return _page(
        request,
        401,
        words.text("Sign-in failed"),
        words.text("You are not signed in"),
        words.text(
            "The learning platform’s answer could not be used. This happens when the sign-in took longer "
            "than ten minutes, was cancelled, or was begun in another browser."
        ),
        Link("/login/", words.text("Sign in again")),
        code=_code("SIGN-IN", error),
    )


async def _lms_failed(request: Request, error: Exception) -> Response:
    words = _words(request)
    return _page(
        request,
        503,
        words.text("The learning platform does not answer"),
        words.text("The learning platform does not answer"),
        words.text("Signing in needs it. Please try again in a minute."),
        Link("/login/", words.text("Try again")),
        code=_code("LMS", error),
    )


async def _data_api_failed(request: Request, error: Exception) -> Response:
    words = _words(request)
    return _page(
        request,
        503,
        words.text("Numbers could not be loaded"),
        words.text("These numbers could not be loaded"),
        words.text(
            "They come from the Data API, which gave no usable answer. Nothing is lost: what has been "
            "counted stays counted. Please try again in a minute."
        ),
        Link(_here(request), words.text("Try again")),
        code=_code("DATA-API", error),
    )


async def _http(request: Request, error: Exception) -> Response:
    status = cast("HTTPException", error).status_code
    if status != 404:  # noqa: PLR2004 - others come from machines, which read no pages
        return Response(status_code=status, headers=cast("HTTPException", error).headers)
    words = _words(request)
    return _page(
        request,
        404,
        words.text("Page Not Found"),
        words.text("There is no such page"),
        words.text("The address may be mistyped, or the course is gone. Search the list for its name."),
        Link("/courses/", words.text("Your courses")),
    )


def unexpected(request: Request, error: Exception) -> Response:
    """The page for a fault of ours; the log has its trace."""
    log.error("unexpected", exc_info=error)
    words = _words(request)
    return _page(
        request,
        500,
        words.text("An Error Occurred"),
        words.text("Something went wrong on our side"),
        words.text("The fault has been written to the log. Your data is safe."),
        Link(_here(request), words.text("Try again")),
        code=_code("INSIGHTS", error),
    )


def _page(
    request: Request, status: int, title: str, what: str, text: str, *actions: Link, code: str = ""
) -> Response:
    page = ErrorPage(title=title, question=title, state=State(what, text, actions), code=code)
    response = site_of(request).renderer.render(request, page, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _code(kind: str, error: Exception) -> str:
    """A line for support, also in the log beside what happened."""
    code = f"{kind} {secrets.token_hex(3)} · {datetime.now(UTC):%d %b %Y %H:%M:%S} UTC"
    log.error("%s: %s", code, error or type(error).__name__)
    return code


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _words(request: Request) -> Language:
    words: Language = request.state.language
    return words
