"""Signing in and out at the LMS (spec 06 §4)."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from pharos.insights.sessions import PendingSignIn, Viewer
from pharos.insights.site import TheSite
from pharos.lms.errors import SignInFailed
from pharos.lms.oauth import Attempt

router = APIRouter()
HOME = "/courses/"


@router.get("/login/")
async def login(request: Request) -> Response:
    """To the beginning of the sign-in, with its parameters."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/login/edx-oauth2/{query}", 302)


@router.get("/login/edx-oauth2/")
async def begin(request: Request, site: TheSite) -> Response:
    """To the LMS."""
    pending = PendingSignIn(Attempt.new(), _local(request.query_params.get("next")))
    response = RedirectResponse(site.sign_in.address(pending.attempt), 302)
    site.sessions.end(response)
    site.sessions.expect(response, pending)
    return response


@router.get("/complete/edx-oauth2/")
async def complete(request: Request, site: TheSite) -> Response:
    """Back from the LMS: who is it? Raises SignInFailed."""
    pending = site.sessions.pending(request)
    if pending is None:
        raise SignInFailed("this browser began no sign-in in the last ten minutes")
    if not secrets.compare_digest(
        request.query_params.get("state", "").encode(), pending.attempt.state.encode()
    ):
        raise SignInFailed("the answer belongs to another sign-in (state differs)")
    code = request.query_params.get("code")
    if not code:
        reason = request.query_params.get("error", "no code")
        raise SignInFailed(f"the LMS did not agree ({reason[:80]!r})")
    viewer = Viewer.of(await site.sign_in.person(code, pending.attempt))
    site.permissions.forget(viewer)
    site.log.info("signed in (global staff: %s)", viewer.global_staff)
    response = RedirectResponse(pending.next, 302)
    site.sessions.end(response)
    site.sessions.begin(response, viewer)
    return response


@router.api_route("/logout/", methods=["GET", "POST"])
async def logout(request: Request, site: TheSite) -> Response:
    """Ends the session. A POST, from our own button, ends that at the LMS as well.

    A GET with `no_redirect` is the LMS telling us, from a hidden frame, that it ended its session.
    """
    if "no_redirect" in request.query_params:
        response = Response()
    elif request.method == "POST":
        home = site.settings.insights.url.rstrip("/") + "/"
        response = RedirectResponse(f"{site.lms_url}/logout?{urlencode({'redirect_url': home})}", 303)
    else:
        response = RedirectResponse("/", 302)
    return _ended(request, site, response)


@router.get("/logout_then_login/")
async def logout_then_login(request: Request, site: TheSite) -> Response:
    """Signs in anew, so that new rights count at once."""
    return _ended(request, site, RedirectResponse("/login/", 302))


def _ended(request: Request, site: TheSite, response: Response) -> Response:
    if request.state.viewer is not None:
        site.permissions.forget(request.state.viewer)
    site.sessions.end(response)
    return response


def _local(path: str | None) -> str:
    """The path if it leads within this site: an open redirect would lend our name to others."""
    if path and path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable():
        return path
    return HOME
