"""The web application: puts the parts together. Pages are in `pages/`, access is decided in `access.py`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware

from pharos.config import Settings
from pharos.errors import ConfigurationError
from pharos.insights import error_pages, language
from pharos.insights.api import TIMEOUT_S, DataAPI, DataAPIError
from pharos.insights.directory import CourseDirectory
from pharos.insights.listing import Listing
from pharos.insights.pages import (
    age,
    course_home,
    course_list,
    course_shapes,
    courses,
    definitions,
    downloads,
    education,
    engagement,
    enrollment,
    gender,
    geography,
    landing,
    service,
    sign_in,
)
from pharos.insights.permissions import Permissions
from pharos.insights.rendering import Renderer
from pharos.insights.sessions import Sessions
from pharos.insights.shapes import Shapes
from pharos.insights.site import Site
from pharos.insights.static_files import StaticFiles
from pharos.lms.oauth import SignIn, public_url
from pharos.lms.rest import LMSClient
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
    downloads,
    enrollment,
    age,
    education,
    gender,
    geography,
    engagement,
    course_home,
)
YEAR_S = 365 * 24 * 3600


def create_app(settings: Settings) -> FastAPI:
    """Insights as an ASGI application. Raises ConfigurationError naming each setting that is missing."""
    if mistakes := _missing(settings):
        raise ConfigurationError(*mistakes)
    static = StaticFiles()
    renderer = Renderer(settings, static)
    language.languages()  # read now, so that no visitor waits for it

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        async with (
            httpx.AsyncClient(timeout=settings.lms.timeout_s) as lms_http,
            httpx.AsyncClient(timeout=TIMEOUT_S, event_hooks={"request": [_name_request]}) as api_http,
        ):
            app.state.site = _site(settings, renderer, lms_http, api_http)
            yield

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
    return app


async def _name_request(request: httpx.Request) -> None:
    """The Data API hears under which id Insights was asked."""
    request.headers.update(request_headers())


def _site(
    settings: Settings, renderer: Renderer, lms_http: httpx.AsyncClient, api_http: httpx.AsyncClient
) -> Site:
    insights = settings.insights
    base = insights.url.rstrip("/")
    api = DataAPI(insights, api_http)
    lms = LMSClient(settings.lms, lms_http)
    client_secret = insights.client_secret.get_secret_value() if insights.client_secret else ""
    secret_key = insights.secret_key.get_secret_value() if insights.secret_key else ""
    return Site(
        settings=settings,
        api=api,
        directory=CourseDirectory(lms, api),
        listing=Listing(),
        shapes=Shapes(api),
        permissions=Permissions(lms, insights.permissions_seconds),
        sessions=Sessions(secret_key, https=base.startswith("https:")),
        sign_in=SignIn(
            settings.lms,
            insights.client_id or "",
            client_secret,
            f"{base}/complete/edx-oauth2/",
            lms_http,
        ),
        renderer=renderer,
        log=logging.getLogger("pharos.insights"),
    )


def _add_request_state(app: FastAPI, settings: Settings) -> None:
    """Before each request: who, in which language, how fresh the numbers. After it: security headers."""
    headers = _security_headers(settings)

    @app.middleware("http")
    async def state(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        site: Site = app.state.site
        viewer = site.sessions.viewer(request)
        request.state.viewer = viewer
        request.state.language = language.chosen(request, viewer.language if viewer else None)
        request.state.definitions = {}
        if viewer is not None and not request.url.path.startswith("/static/"):
            with suppress(DataAPIError):  # the page says it where it needs them
                request.state.definitions = await site.api.definitions()
        try:
            response = await answer(request)
        except Exception as error:  # noqa: BLE001 - the last resort: whatever it is, a person gets a page
            response = error_pages.unexpected(request, error)
        for name, value in headers.items():
            response.headers[name] = value
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "private, no-cache"
        if language.PARAMETER in request.query_params:
            response.set_cookie(
                language.COOKIE, request.state.language.code, max_age=YEAR_S, path="/", samesite="lax"
            )
        return response


def _security_headers(settings: Settings) -> dict[str, str]:
    """No inline script or style, nothing from elsewhere; the sign-out form may end at the LMS."""
    lms = urlsplit(public_url(settings.lms))
    policy = [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        f"form-action 'self' {lms.scheme}://{lms.netloc}",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    headers = {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
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
