"""The web application: puts the parts together. Pages are in `pages/`, access is decided in `access.py`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.middleware.gzip import GZipMiddleware

from pharos.config import Settings
from pharos.errors import ConfigurationError
from pharos.http_client import DeadlineClient
from pharos.insights import error_pages, language, waiting
from pharos.insights.admission import Admission
from pharos.insights.api import TIMEOUT_S, DataAPI, DataAPIError, Definition
from pharos.insights.directory import CourseDirectory
from pharos.insights.exchanges import Exchanges
from pharos.insights.listing import Listing
from pharos.insights.pages import (
    age,
    course_flow,
    course_home,
    course_list,
    course_map,
    course_shapes,
    courses,
    definitions,
    downloads,
    education,
    embed,
    engagement,
    enrollment,
    gender,
    geography,
    graded,
    landing,
    learner,
    learner_files,
    learners,
    outcomes,
    portfolio,
    problem,
    problem_responses,
    service,
    sign_in,
    switch,
    ungraded,
    video,
    video_map,
    videos,
)
from pharos.insights.permissions import Permissions
from pharos.insights.policy import content_policy
from pharos.insights.rendering import Renderer
from pharos.insights.sessions import Attempts, Session, Sessions, Viewer
from pharos.insights.shapes import Shapes
from pharos.insights.site import Site
from pharos.insights.static_files import StaticFiles
from pharos.limits import Limits, Turns
from pharos.lms.oauth import SignIn
from pharos.lms.rest import LMSClient
from pharos.lms.tokens import Tokens, checked_by
from pharos.prefix import Prefix, prefix_of
from pharos.telemetry import logs
from pharos.telemetry.audit import AuditLog
from pharos.telemetry.metrics import Metrics
from pharos.telemetry.requests import Observed, request_headers

# From the most special address to the most general one: the first that matches answers.
PAGES = (
    landing,
    sign_in,
    service,
    definitions,
    courses,
    course_list,
    course_shapes,
    portfolio,
    switch,
    problem,
    graded,
    ungraded,
    outcomes,
    course_map,
    course_flow,
    problem_responses,
    video,
    videos,
    video_map,
    learner_files,
    learner,
    learners,
    downloads,
    enrollment,
    age,
    education,
    gender,
    geography,
    engagement,
    embed,
    course_home,
)
YEAR_S = 365 * 24 * 3600
ASKED_BY_MACHINES = ("/static/", "/status/", "/health/", "/metrics")
AT_ONCE = 4  # pages of one person; further requests wait


def create_app(settings: Settings) -> FastAPI:
    """Insights as an ASGI application. Raises ConfigurationError naming each setting that is missing."""
    if mistakes := _missing(settings):
        raise ConfigurationError(*mistakes)
    prefix = _prefix(settings)
    how = checked_by(settings.lms)
    Tokens(settings.lms, settings.lms.jwt_audience)  # mistakes in the keys are told now
    static = StaticFiles()
    renderer = Renderer(settings, static)
    language.languages()  # read now, so that no visitor waits for it

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        async with (
            DeadlineClient(settings.lms.timeout_s) as lms_http,
            DeadlineClient(TIMEOUT_S, event_hooks={"request": [_name_request]}) as api_http,
        ):
            site = app.state.site = _site(settings, renderer, lms_http, api_http)
            logs.write(site.log, "tokens of sign-ins", how=how)
            yield
            await site.admission.sign_outs.close()

    app = FastAPI(lifespan=running, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.static = static
    app.state.metrics = Metrics()
    for page in PAGES:
        app.include_router(page.router)
    error_pages.add_to(app)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)
    _add_request_state(app, settings)
    app.add_middleware(
        Observed,
        metrics=app.state.metrics,
        service="insights",
        routes=[route for page in PAGES for route in page.router.routes],
    )
    app.add_middleware(Prefix, prefix=prefix)
    return app


def _prefix(settings: Settings) -> str:
    """The path of `insights.url`. Raises ConfigurationError for invalid addresses."""
    for name, address in (
        ("lms.url", settings.lms.url),
        ("lms.public_url", settings.lms.public_url),
        ("insights.data_api_url", settings.insights.data_api_url),
    ):
        prefix_of(name, address, ())
    paths = [route.path for page in PAGES for route in page.router.routes if isinstance(route, APIRoute)]
    return prefix_of("insights.url", settings.insights.url, {path.split("/")[1] for path in paths})


async def _name_request(request: httpx.Request) -> None:
    """Pass the request's id on to the Data API."""
    request.headers.update(request_headers())


def _site(
    settings: Settings, renderer: Renderer, lms_http: httpx.AsyncClient, api_http: httpx.AsyncClient
) -> Site:
    insights = settings.insights
    base = insights.url.rstrip("/")
    api = DataAPI(insights, api_http, settings.counting.week_start)
    lms = LMSClient(settings.lms, lms_http)
    client_secret = insights.client_secret.get_secret_value() if insights.client_secret else ""
    secret_key = insights.secret_key.get_secret_value() if insights.secret_key else ""
    https = base.startswith("https:")
    redirect_uri = f"{base}/complete/edx-oauth2/"
    signing_in = SignIn(settings.lms, insights.client_id or "", client_secret, redirect_uri, lms_http)
    return Site(
        settings=settings,
        api=api,
        directory=CourseDirectory(lms, api),
        listing=Listing(),
        shapes=Shapes(api),
        permissions=Permissions(lms, insights.permissions_seconds),
        sessions=Sessions(secret_key, https=https),
        attempts=Attempts(secret_key, https=https),
        sign_in=signing_in,
        exchanges=Exchanges(signing_in),
        admission=Admission(api, signing_in),
        renderer=renderer,
        log=logging.getLogger("pharos.insights"),
        audit=AuditLog(insights.audit_log or settings.home / "insights_audit.jsonl"),
        limits=Limits(),
        turns=Turns(AT_ONCE),
    )


def _add_request_state(app: FastAPI, settings: Settings) -> None:
    """Before each request: set person, language and freshness. After it: add security headers."""
    headers = _security_headers(settings)
    https = settings.insights.url.startswith("https:")

    @app.middleware("http")
    async def state(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        site: Site = app.state.site
        waiting.begin()
        session = None
        try:
            session = await _prepared(request, site)
            response = await _in_turn(site, request, answer)
        except Exception as error:  # noqa: BLE001 - the last resort: whatever it is, a person gets a page
            response = error_pages.unexpected(request, error)
        if session is not None and session != request.state.session:
            site.sessions.write(response, session)
        if "Content-Security-Policy" not in response.headers:  # a page with its own says who may frame it
            response.headers["X-Frame-Options"] = "DENY"
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        if language.PARAMETER in request.query_params:
            response.set_cookie(
                language.COOKIE,
                request.state.language.code,
                max_age=YEAR_S,
                path="/",
                secure=https,
                httponly=True,
                samesite="lax",
            )
        return response


async def _prepared(request: Request, site: Site) -> Session | None:
    """Fill the state of a request for the page; return the session if it is valid.

    `session` is that of the cookie; `viewer` is its person, if it is valid; `unknown` is the error if its
    validity cannot be determined.
    """
    state, path = request.state, request.url.path
    state.session = state.viewer = state.unknown = state.wanted = None
    state.definitions = {}
    state.language = language.chosen(request, None)
    counting = None
    if not path.startswith(ASKED_BY_MACHINES):
        state.session = site.sessions.read(request)
    if state.session is not None and not path.startswith(sign_in.PATHS):
        (counting, state.unknown), state.definitions = await asyncio.gather(
            _counting(site, state.session), _definitions(site)
        )
    if counting is not None:
        state.viewer = counting.viewer
        state.language = language.chosen(request, counting.viewer.language)
    return counting


async def _counting(site: Site, session: Session) -> tuple[Session | None, DataAPIError | None]:
    """The session if it is valid, else None; and the error if its validity cannot be determined."""
    try:
        return await site.admission.admitted(session), None
    except DataAPIError as error:
        return None, error


async def _definitions(site: Site) -> dict[str, Definition]:
    try:
        return await site.api.definitions()
    except DataAPIError:  # the page says it where it needs them
        return {}


async def _in_turn(
    site: Site, request: Request, answer: Callable[[Request], Awaitable[Response]]
) -> Response:
    """The answer, within the person's limits: pages per minute, and pages at once."""
    viewer: Viewer | None = request.state.viewer
    if viewer is None:
        return await answer(request)
    if wait_s := site.limits.count(viewer.username, site.settings.insights.requests_per_minute):
        return error_pages.too_many(request, wait_s)
    async with site.turns.of(viewer.username):
        return await answer(request)


def _security_headers(settings: Settings) -> dict[str, str]:
    """The headers of every answer."""
    headers = {
        "Content-Security-Policy": content_policy(settings),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }
    if settings.insights.url.startswith("https:"):
        headers["Strict-Transport-Security"] = f"max-age={YEAR_S}"
    return headers


def _missing(settings: Settings) -> list[str]:
    needed = {
        "lms.url": settings.lms.url,
        "insights.client_id": settings.insights.client_id,
        "insights.client_secret": settings.insights.client_secret,
        "insights.secret_key": settings.insights.secret_key,
    }
    return [f"{key}: Insights needs this setting" for key, value in needed.items() if not value]
