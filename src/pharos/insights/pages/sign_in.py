"""Signing in and out at the LMS (spec 06 §4, spec 07 §1)."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from pharos.insights.audit import note_sign_in
from pharos.insights.sessions import LONGEST_PAGE, Session
from pharos.insights.site import TheSite
from pharos.lms.errors import SignInCancelled, SignInMisconfigured, SignInOver
from pharos.lms.oauth import public_url

router = APIRouter()
HOME = "/courses/"
PATHS = ("/login/", "/complete/", "/logout")


@router.get("/login/")
async def login(request: Request) -> Response:
    """Redirect to the beginning of the sign-in, with its parameters."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/login/edx-oauth2/{query}", 302)


@router.get("/login/edx-oauth2/")
async def begin(request: Request, site: TheSite) -> Response:
    """Redirect to the LMS."""
    attempt, browser = site.attempts.begin(request, _local(request.query_params.get("next")))
    response = RedirectResponse(site.sign_in.address(attempt), 302)
    site.attempts.expect(response, browser)
    return response


@router.get("/complete/edx-oauth2/")
async def complete(request: Request, site: TheSite) -> Response:
    """The return from the LMS: finishes the sign-in. Raises SignInFailed, LMSUnreachable."""
    state = request.query_params.get("state", "")
    request.state.wanted = site.attempts.page_of(state)
    pending = site.attempts.pending(request, state)
    earlier: Session | None = request.state.session
    if earlier is not None and earlier.was_begun_by(state):  # this address again, after it has done its work
        return RedirectResponse(pending.page, 302)
    signed_in = await site.exchanges.person(_code(request), pending.attempt)
    session = Session.of(signed_in, state)
    if earlier is not None:
        await site.admission.sign_outs.add(earlier)
    site.permissions.forget(session.viewer)
    site.log.info("signed in (global staff: %s)", session.viewer.global_staff)
    await note_sign_in(request, session.viewer.username)
    response = RedirectResponse(pending.page, 302)
    site.sessions.write(response, session)
    return response


@router.api_route("/logout/", methods=["GET", "POST"])
async def logout(request: Request, site: TheSite) -> Response:
    """Ends the session. A POST, from our own button, also ends the session at the LMS.

    A GET with `no_redirect` comes from a hidden frame of the LMS, when the LMS has ended its session.
    """
    if "no_redirect" in request.query_params:
        response = Response()
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; frame-ancestors 'self' {public_url(site.settings.lms)}"
        )
    elif request.method == "POST":
        insights = site.settings.insights
        # The LMS follows an address that is part of the client's redirect address (spec 07 §1.8).
        query = {"client_id": insights.client_id or "", "redirect_url": insights.url.rstrip("/") + "/"}
        response = RedirectResponse(f"{site.lms_url}/logout?{urlencode(query)}", 303)
    else:
        response = RedirectResponse("/", 302)
    return await _ended(request, site, response)


@router.get("/logout_then_login/")
async def logout_then_login(request: Request, site: TheSite) -> Response:
    """Sign in again, so that new rights apply at once."""
    query = urlencode({"next": _local(request.query_params.get("next"))})
    return await _ended(request, site, RedirectResponse(f"/login/?{query}", 302))


async def _ended(request: Request, site: TheSite, response: Response) -> Response:
    session: Session | None = request.state.session
    if session is not None:
        site.permissions.forget(session.viewer)
        await site.admission.sign_outs.add(session)
    site.sessions.end(response)
    return response


def _code(request: Request) -> str:
    """The code in the LMS's answer. Raises SignInFailed if there is none."""
    error, code = request.query_params.get("error", ""), request.query_params.get("code", "")
    if error == "access_denied":
        raise SignInCancelled("the person did not agree at the LMS (access_denied)")
    if error:
        raise SignInMisconfigured(
            f"the LMS refused ({error[:80]!r}); check the client's redirect address, grant type and scopes "
            "(user_id, profile, email) at the LMS"
        )
    if not code:
        raise SignInOver("the answer holds no code")
    return code


def _local(path: str | None) -> str:
    """The path if it is on this site, else the home page: an open redirect would lend our name to other
    sites.
    """
    if (
        path
        and len(path) <= LONGEST_PAGE
        and path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and path.isprintable()
    ):
        return path
    return HOME
