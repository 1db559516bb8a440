"""The Data API as an ASGI application: wiring only. `create_app` opens no connection."""

from __future__ import annotations

import html
import logging
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files

import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

import pharos
from pharos.config import Settings
from pharos.data_api.access import Access, note_refusal
from pharos.data_api.cache import Cache, KeptAnswers, accepts_gzip
from pharos.data_api.condition import Condition
from pharos.data_api.docs import Documented, docs
from pharos.data_api.errors import (
    APIError,
    Detailed,
    Forbidden,
    IllegalParameter,
    NoRoute,
    PlainText,
    Unauthenticated,
)
from pharos.data_api.formats import as_json
from pharos.data_api.jwt import SignedTokens
from pharos.data_api.paths import HEADERS, Paths, canonical
from pharos.data_api.privacy import Privacy
from pharos.data_api.reading import WORKERS, Recent, ResultStore
from pharos.data_api.report_files import DOWNLOADS, Reports
from pharos.data_api.routes import (
    activity,
    course_flow,
    demographics,
    engagement,
    enrollment,
    exports,
    items,
    languages,
    learner_status,
    learners,
    operations,
    problems,
    programs,
    reports,
    sign_outs,
    summaries,
    videos,
)
from pharos.data_api.routing import allowed
from pharos.data_api.streaming import Streams
from pharos.data_api.tokens import list_tokens
from pharos.limits import Turns
from pharos.prefix import Prefix, prefix_of
from pharos.result_store import data_problems, store
from pharos.result_store.errors import ResultStoreError, StoreNotReady, StoreUnreachable, TableMissing
from pharos.result_store.job_runs import JobRun, latest, latest_done
from pharos.telemetry.audit import AuditLog
from pharos.telemetry.metrics import Metrics
from pharos.telemetry.requests import Observed, request_headers

log = logging.getLogger(__name__)
ALTERED_ROWS, ALTERED_S = (
    100_000,
    300.0,
)  # of tables whose checksum the health compares, and how often: 50 ms each

SUBJECTS = (
    summaries.subject,
    programs.subject,
    enrollment.subject,
    demographics.subject,
    languages.subject,
    activity.subject,
    problems.subject,
    items.subject,
    videos.subject,
    engagement.subject,
    learners.subject,
    learner_status.subject,
    course_flow.subject,
    reports.subject,
    operations.subject,
)
GZIP_FROM_BYTES = 1000
GZIP_LEVEL = 3  # a third of the time of 9 for a tenth more bytes


def create_app(settings: Settings) -> FastAPI:
    """The application. Raises StoreUnreachable if a store's address is invalid; it does not connect yet."""
    app = Documented(
        title="Pharos Data API",
        version=pharos.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        lifespan=_until_the_end,
    )
    ours = settings.data_api
    first = ResultStore(settings.store_url)
    second = ResultStore(ours.v1_url.get_secret_value()) if ours.v1_url else first
    app.state.settings = ours
    app.state.metrics = Metrics()
    app.state.stores = {"v0": first, "v1": second}
    app.state.problems = Recent(lambda: first.told(data_problems.read))
    altered = Recent(lambda: first.told(partial(store.altered, most=ALTERED_ROWS)), fresh_for_s=ALTERED_S)
    app.state.condition = Condition(app.state.problems, altered, settings.alerts.silent_hours)
    app.state.cache = Cache()
    app.state.workers = ThreadPoolExecutor(WORKERS, "answers")
    app.state.turns = Turns(WORKERS)
    app.state.audit = AuditLog(ours.audit_log or settings.home / "data_api_audit.jsonl")
    app.state.exports = Streams("exports", app.state.metrics)
    app.state.downloads = Streams("downloads", app.state.metrics)
    app.state.tokens = Recent(lambda: first.told(list_tokens))
    app.state.jobs = Recent(lambda: first.told(_jobs))
    app.state.reports = Reports(settings.home / "reports", ours)
    app.state.account_url = ours.account_url
    app.state.privacy = Privacy(settings.privacy)
    app.state.access = Access(
        app.state.tokens,
        SignedTokens(settings.lms, ours.jwt_audience),
        of_people=ours.requests_per_minute,
        of_tokens=ours.token_requests_per_minute,
    )
    for subject in SUBJECTS:
        subject.mount(app)
    exports.mount(app)
    operations.mount(app)
    sign_outs.mount(app)
    app.add_api_route(f"{DOWNLOADS}{{file_name:path}}", reports.download, include_in_schema=False)
    app.add_api_route("/docs/", docs, include_in_schema=False)
    app.add_api_route("/", lambda: RedirectResponse("/docs/", 302), include_in_schema=False)
    app.mount("/static", StaticFiles(directory=str(files("pharos.data_api") / "static")))
    app.add_middleware(KeptAnswers, cache=app.state.cache, access=app.state.access, stores=app.state.stores)
    app.add_middleware(Paths)
    app.add_middleware(Compressing, minimum_size=GZIP_FROM_BYTES, compresslevel=GZIP_LEVEL)
    if ours.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=ours.cors_origins,
            allow_credentials=True,
            allow_methods=["GET", "HEAD", "OPTIONS", "POST"],
            allow_headers=["authorization", "content-type", "use-jwt-cookie"],
        )
    app.add_middleware(
        Observed,
        metrics=app.state.metrics,
        service="data-api",
        routes=app.routes,
        canonical=lambda path: canonical(path)[0],
    )
    taken = {str(getattr(route, "path", "/")).split("/")[1] for route in app.routes}
    prefix = prefix_of("data_api.public_url", ours.public_url, taken)
    app.add_middleware(Prefix, prefix=prefix)
    app.add_exception_handler(APIError, _answer_api_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_bad_parameter)
    app.add_exception_handler(ResultStoreError, _answer_no_store)
    app.add_exception_handler(Exception, _answer_fault)
    return app


class Compressing(GZipMiddleware):
    """Gzip middleware that skips streams, which are compressed in their own threads, and Parquet."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_plain = scope["type"] == "http" and (
            scope["path"].startswith(DOWNLOADS)
            or "/tables/" in scope["path"]
            or not accepts_gzip(Headers(scope=scope).get("accept-encoding", ""))  # `gzip;q=0` refuses it
        )
        await (self.app if is_plain else super().__call__)(scope, receive, send)


@asynccontextmanager
async def _until_the_end(app: FastAPI) -> AsyncIterator[None]:
    yield
    state = app.state
    state.workers.shutdown()
    used = (state.exports, state.downloads, state.tokens, state.jobs, state.problems)
    for each in (*used, *set(state.stores.values())):
        each.close()


def _jobs(store: sa.Engine) -> tuple[dict[str, JobRun], dict[str, JobRun]]:
    """The newest attempt of each job, and its newest successful attempt."""
    return latest(store, datetime.now(UTC).replace(tzinfo=None)), latest_done(store)


def _answer(body: object, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(as_json(body), status, headers, media_type="application/json")


def _answer_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, APIError)  # noqa: S101 - for the type checker
    if isinstance(error, Unauthenticated | Forbidden):
        note_refusal(request, error)
    if isinstance(error, PlainText):
        text = html.escape(error.detail, quote=False)
        return Response(text + "\n", error.status, media_type="text/html")
    return _answer(error.body, error.status, error.headers)


def _answer_http_error(request: Request, error: Exception) -> Response:
    """The answer if no route matches the path, or the route does not allow the method."""
    assert isinstance(error, HTTPException)  # noqa: S101
    headers = dict(error.headers or {})
    if error.status_code == 405:  # noqa: PLR2004
        headers["Allow"] = allowed(_methods(request))
        if request.method == "OPTIONS":
            return _answer({"name": request.url.path, "renders": RENDERS}, 200, headers)
        return _answer({"detail": f'Method "{request.method}" not allowed.'}, 405, headers)
    if error.status_code == 404:  # noqa: PLR2004
        return _answer({"status": 404}, 404)
    return _answer(Detailed(str(error.detail)).body, error.status_code, headers)


def _methods(request: Request) -> set[str]:
    """The methods of all routes of the address."""
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] != Match.NONE]
    return {method for route in routes for method in getattr(route, "methods", None) or ()}


RENDERS = ["application/json", "text/html", "text/csv"]


def _answer_bad_parameter(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    if any(e["loc"][0] == "path" and e["type"] == "string_pattern_mismatch" for e in error.errors()):
        return _answer(NoRoute().body, 404)  # as the original, whose addresses have patterns
    problems = "; ".join(f"{'.'.join(str(p) for p in e['loc'][1:])}: {e['msg']}" for e in error.errors())
    return _answer(IllegalParameter(problems).body, 400)


def _answer_no_store(_: Request, error: Exception) -> Response:
    """The answer if the store fails. Address and reason go only to the operator's log."""
    log.error("%s", error)
    match error:
        case StoreUnreachable():
            detail = "The Result Store does not answer."
        case TableMissing() | StoreNotReady():
            detail = "The Result Store lacks a table or column. Its operator finds more in the log."
        case _:
            detail = "The Result Store refuses this question. Its operator finds more in the log."
    return _answer({"status": 503, "detail": detail}, 503)


def _answer_fault(request: Request, error: Exception) -> Response:
    route = getattr(request.scope.get("route"), "path", "")  # not the path: names may stand in it
    log.error("%s %s failed", request.method, route, exc_info=error)
    return _answer({"status": 500}, 500, {**HEADERS, **request_headers()})  # outside of `Paths`
