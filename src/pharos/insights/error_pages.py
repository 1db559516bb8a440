"""Error pages: the problem, the safe data, the next step. They work without the LMS and the Data API."""

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
from pharos.insights.api import DataAPIBusy, DataAPIError, LearnersNotShown
from pharos.insights.audit import note_refusal
from pharos.insights.language import Language, noop
from pharos.insights.permissions import AccessUnknown
from pharos.insights.rendering import Link, Page
from pharos.insights.reports import State
from pharos.insights.site import site_of
from pharos.lms.errors import (
    ClocksDiffer,
    LMSError,
    SignInCancelled,
    SignInMisconfigured,
    SignInOver,
)

log = logging.getLogger(__name__)
Handler = Callable[[Request, Exception], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class ErrorPage(Page):
    """A page about an error."""

    template: ClassVar[str] = "error.html"
    state: State
    code: str
    """A line for support; empty where support cannot help."""


@dataclass(frozen=True)
class Failure:
    """The texts and actions of the page for one kind of error."""

    status: int
    title: str
    what: str
    text: str
    actions: tuple[tuple[str, str], ...]
    """Address, empty for the page itself, and its name."""
    kind: str = ""
    """Begins the line for support; empty where support cannot help."""


TRY_AGAIN = ("", noop("Try again"))
SIGN_IN_AGAIN = ("/login/", noop("Sign in again"))
REFUSED = (401, 403)
YOUR_COURSES = ("/courses/", noop("Your courses"))
FAILURES: dict[type[Exception], Failure] = {
    AccessDenied: Failure(
        403,
        noop("Access Denied"),
        noop("You cannot see this page"),
        noop(
            "Reports are open to the team of a course: its staff and admins. If you were given that role "
            "just now, sign out and in again; if not, ask an admin of the course."
        ),
        (("/logout_then_login/", noop("Sign out and in again")), YOUR_COURSES),
    ),
    AccessUnknown: Failure(
        503,
        noop("Permissions Retrieval Failed"),
        noop("The learning platform does not say which courses are yours"),
        noop(
            "It did not answer, so nothing can be shown until it does. Your data is safe. "
            "This is usually over within minutes."
        ),
        (TRY_AGAIN,),
        "LMS-PERMISSIONS",
    ),
    SignInOver: Failure(
        401,
        noop("Sign-in failed"),
        noop("This sign-in is over"),
        noop(
            "It took longer than ten minutes, was begun in another browser, or was finished before. Nothing "
            "is wrong: sign in again, and you come to the page you wanted."
        ),
        (SIGN_IN_AGAIN,),
        "SIGN-IN-OVER",
    ),
    SignInCancelled: Failure(
        401,
        noop("Sign-in failed"),
        noop("You cancelled the sign-in"),
        noop(
            "You did not let the learning platform tell us who you are, so you are not signed in. Nothing "
            "was stored."
        ),
        (SIGN_IN_AGAIN,),
    ),
    ClocksDiffer: Failure(
        401,
        noop("Sign-in failed"),
        noop("A clock is wrong"),
        noop(
            "The clocks of this site and of the learning platform differ, so its answer is not valid now. "
            "Your operator has to set them; please send them the line below."
        ),
        (SIGN_IN_AGAIN,),
        "SIGN-IN-CLOCK",
    ),
    SignInMisconfigured: Failure(
        401,
        noop("Sign-in failed"),
        noop("This site and the learning platform are not set up for each other"),
        noop(
            "The fault is not yours, and trying again will not help. Your operator has to mend the settings; "
            "please send them the line below. The log says what is wrong."
        ),
        (SIGN_IN_AGAIN,),
        "SIGN-IN-SETTINGS",
    ),
    LMSError: Failure(
        503,
        noop("The learning platform does not answer"),
        noop("The learning platform does not answer"),
        noop("Signing in needs it. Please try again in a minute."),
        (TRY_AGAIN,),
        "LMS",
    ),
    LearnersNotShown: Failure(
        404,
        noop("Learners"),
        noop("Single learners are not shown here"),
        noop(
            "The pages show numbers of all learners of a course together. Your operator can say whether "
            "single learners may be shown, too."
        ),
        (YOUR_COURSES,),
        "LEARNERS",
    ),
    DataAPIBusy: Failure(
        503,
        noop("Please wait a moment"),
        noop("More is asked for than can be answered at once"),
        noop("Many people look at their numbers just now. Nothing is broken; please try again in a minute."),
        (TRY_AGAIN,),
        "BUSY",
    ),
    DataAPIError: Failure(
        503,
        noop("Numbers could not be loaded"),
        noop("These numbers could not be loaded"),
        noop(
            "They come from the Data API, which gave no usable answer. Nothing is lost: what has been "
            "counted stays counted. Please try again in a minute."
        ),
        (TRY_AGAIN,),
        "DATA-API",
    ),
}
NO_SUCH_PAGE = Failure(
    404,
    noop("Page Not Found"),
    noop("There is no such page"),
    noop("The address may be mistyped, or the course is gone. Search the list for its name."),
    (YOUR_COURSES,),
)
TOO_MANY = Failure(
    429,
    noop("Please wait a moment"),
    noop("You have asked for very many pages within a minute"),
    noop(
        "So that everybody gets answers, each person may ask for a certain number a minute. "
        "Please go on in a minute; if a program asks in your name, let it ask more slowly."
    ),
    (TRY_AGAIN,),
)
OUR_FAULT = Failure(
    500,
    noop("An Error Occurred"),
    noop("Something went wrong on our side"),
    noop("The fault has been written to the log. Your data is safe."),
    (TRY_AGAIN,),
    "INSIGHTS",
)


def add_to(app: FastAPI) -> None:
    """Register handlers that turn every error of the application into a page."""
    app.add_exception_handler(SignInNeeded, _sign_in_needed)
    app.add_exception_handler(HTTPException, _http)
    for kind, failure in FAILURES.items():
        app.add_exception_handler(kind, _handler(failure))


def too_many(request: Request, wait_s: int) -> Response:
    """The page for a person with too many requests."""
    response = _page(request, TOO_MANY)
    response.headers["Retry-After"] = str(wait_s)
    return response


def unexpected(request: Request, error: Exception) -> Response:
    """The page for a bug in Pharos; the log has its traceback."""
    log.error("unexpected", exc_info=error)
    return _page(request, OUR_FAULT, error)


async def _sign_in_needed(request: Request, _: Exception) -> Response:
    return RedirectResponse(f"/login/?next={quote(_here(request), safe='/')}", 302)


async def _http(request: Request, error: Exception) -> Response:
    status = cast("HTTPException", error).status_code
    if status != NO_SUCH_PAGE.status:  # other statuses are caused by programs
        return Response(status_code=status, headers=cast("HTTPException", error).headers)
    return _page(request, NO_SUCH_PAGE, error)


def _handler(failure: Failure) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        if failure.status in REFUSED:
            await note_refusal(request, str(error) or type(error).__name__)
        response = _page(request, failure, error)
        if isinstance(error, DataAPIBusy):
            response.headers["Retry-After"] = str(error.wait_s)
        return response

    return handle


def _page(request: Request, failure: Failure, error: Exception | None = None) -> Response:
    words: Language = request.state.language
    actions = tuple(Link(_target(request, href), words.text(name)) for href, name in failure.actions)
    page = ErrorPage(
        title=words.text(failure.title),
        question=words.text(failure.title),
        state=State(words.text(failure.what), words.text(failure.text), actions),
        code=_code(failure.kind, error) if failure.kind and error else "",
    )
    response = site_of(request).renderer.render(request, page, failure.status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _target(request: Request, href: str) -> str:
    """The address of an action: empty means this page; signing in returns to the wanted page."""
    if not href:
        return _here(request)
    wanted = {"/login/": request.state.wanted, "/logout_then_login/": _here(request)}.get(href)
    return f"{href}?next={quote(wanted, safe='/')}" if wanted else href


def _code(kind: str, error: Exception) -> str:
    """A line for support; the log has it, too, beside the error."""
    code = f"{kind} {secrets.token_hex(3)} · {datetime.now(UTC):%d %b %Y %H:%M:%S} UTC"
    log.error("%s: %s", code, error or type(error).__name__)
    return code


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
