"""State of the service (spec 05 §4), definitions of its figures, and their age."""

import asyncio
import logging
from contextlib import suppress
from functools import cache
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Request, Response
from prometheus_client.metrics_core import Metric as Figure
from pydantic import Field
from typing_extensions import TypedDict

from pharos.data_api.access import Access, Caller, OfCallers, caller_or_nobody
from pharos.data_api.condition import Condition
from pharos.data_api.formats import as_json
from pharos.data_api.parameters import BODIES, Asked
from pharos.data_api.reading import HEALTH_S, Reading, ResultStore
from pharos.data_api.routing import Subject
from pharos.errors import PharosError
from pharos.result_store import store as result_store
from pharos.result_store.errors import ResultStoreError
from pharos.result_store.tables import RESULTS, Definition
from pharos.telemetry import metrics as telemetry

log = logging.getLogger(__name__)
subject = Subject("Definitions")

PREFIXES = ("", "/api/v0", "/api/v1")


def mount(app: FastAPI) -> None:
    """Add the operational addresses, with and without version."""
    for prefix in PREFIXES:
        for name, function in (("status", status), ("authenticated", authenticated), ("health", health)):
            app.router.add_api_route(
                f"{prefix}/{name}/",
                function,
                tags=["Operation"],
                operation_id=f"{name}{prefix.replace('/', '_')}",
                response_class=Response,
                response_model=None,
                responses=RESPONSES[name],
                route_class_override=OfCallers if function is authenticated else None,
            )
    app.add_api_route("/metrics", figures, include_in_schema=False)
    app.add_api_route(
        "/api-token-auth/",
        token_of,
        methods=["POST"],
        tags=["Operation"],
        operation_id="api_token_auth",
        response_class=Response,
        response_model=None,
        responses=RESPONSES["api-token-auth"],
        openapi_extra={"requestBody": {"content": {key: {"schema": LOGIN} for key in BODIES}}},
    )


LOGIN = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("username", "password")},
    "required": ["username", "password"],
    "example": {"username": "insights", "password": "0123456789abcdef0123456789abcdef01234567"},
}

RESPONSES: dict[str, dict[int | str, dict[str, Any]]] = {
    "status": {200: {"description": "Alive."}, 401: {"description": "Bad credentials."}},
    "authenticated": {
        200: {"description": "The credentials are good."},
        401: {"description": "No credentials, or bad ones."},
        429: {"description": "Too many requests."},
    },
    "health": {
        200: {"description": "All databases answer."},
        401: {"description": "Bad credentials."},
        503: {"description": "A database does not answer."},
    },
    "api-token-auth": {
        200: {"description": "The token.", "content": {"application/json": {"schema": {"type": "object"}}}},
        400: {"description": "A field is missing, or the credentials are bad."},
        413: {"description": "The body is too large."},
        415: {"description": "The body is neither a form nor JSON."},
        429: {"description": "Too many requests."},
        503: {"description": "The Result Store does not answer."},
    },
}


async def token_of(request: Request, asked: Asked) -> Response:
    """The token of a name and itself as password: there are no other accounts (spec 05 §3.1).

    For clients that log in before they ask; who has a token may use it at once.
    """
    access: Access = request.app.state.access
    access.count(None, request.client.host if request.client else "")
    given = {name: asked.text(name) for name in ("username", "password")}
    missing = {name: ["This field is required."] for name, value in given.items() if value is None}
    if missing:
        return _json(missing, 400)
    name, credential = str(given["username"]), str(given["password"])
    if not await access.owns(name, credential):
        return _json({"non_field_errors": ["Unable to log in with provided credentials."]}, 400)
    return _json({"token": credential})


CallerOrNobody = Annotated[Caller | None, Depends(caller_or_nobody)]


async def status(caller: CallerOrNobody) -> Response:  # noqa: ARG001 - bad credentials are refused here too
    """The service is alive. Needs no credentials."""
    return _json({})


async def authenticated() -> Response:
    """The credentials are good."""
    return _json({})


async def health(request: Request) -> Response:
    """Whether each database answers, how far the data reaches, and the kinds of problems it has.

    Problems of the data leave the service healthy; `pharos status` tells them in full.

    `schema` is `newer` while the tables are those of a later release, which serve this one as well.
    """
    stores: dict[str, ResultStore] = request.app.state.stores
    knows_tokens, *found = await asyncio.gather(_knows_tokens(request), *map(_state, stores.values()))
    if knows_tokens:
        with suppress(ResultStoreError):
            await caller_or_nobody(request)  # bad credentials are refused here too
    states = dict(zip(stores, found, strict=True))
    good = {version: state != GONE for version, state in states.items()}
    good["v0"] = good["v0"] and bool(knows_tokens)
    of_data: dict[str, object] | None = {}
    if all(good.values()):
        of_data = await _of_data(request)
        good["v0"] = of_data is not None
    detail = {
        "default_db_status": _word(good["v0"]),
        "analytics_db_status": _word(all(good.values())),
    }
    body: dict[str, object] = {"overall_status": _word(all(good.values())), "detailed_status": detail}
    body |= of_data or {}
    if NEWER in states.values():
        body["schema"] = NEWER
    return _json(body, 200 if all(good.values()) else 503)


async def figures(request: Request) -> Response:
    """What Prometheus asks: requests, how fresh the results are, how the jobs of the scheduler ended."""
    counted: telemetry.Metrics = request.app.state.metrics
    try:
        async with asyncio.timeout(HEALTH_S):
            further = await _figures_of_the_store(request)
    except (PharosError, TimeoutError) as error:
        log.error("metrics: %s", _reason(error))  # noqa: TRY400 - the message says it all
        further = [telemetry.gauge(STORE_UP, "Whether the Result Store answers.", {"": 0})]
    return Response(counted.text(further), headers={"Content-Type": telemetry.CONTENT_TYPE})


async def _figures_of_the_store(request: Request) -> list[Figure]:
    """The metrics from the Result Store. Raises PharosError."""
    store: ResultStore = request.app.state.stores["v0"]
    condition: Condition = request.app.state.condition
    published = await store.published.get()
    tried, done = await request.app.state.jobs.get()
    return [
        telemetry.gauge(STORE_UP, "Whether the Result Store answers.", {"": 1}),
        telemetry.gauge(
            "pharos_results_until_timestamp_seconds",
            "The results of the table describe the time before this moment.",
            {name: publication.until for name, publication in published.items()},
            "table",
        ),
        telemetry.gauge(
            "pharos_last_event_timestamp_seconds",
            "Newest event counted.",
            {"": max((p.last_event for p in published.values() if p.last_event), default=None)},
        ),
        telemetry.gauge(
            "pharos_job_last_start_timestamp_seconds",
            "When the newest attempt at the job began.",
            {name: run.started for name, run in tried.items()},
            "job",
        ),
        telemetry.gauge(
            "pharos_job_last_success_timestamp_seconds",
            "When the job last ended as it should.",
            {name: run.finished for name, run in done.items()},
            "job",
        ),
        telemetry.gauge(
            "pharos_job_last_exit_code",
            "How the newest attempt at the job ended; absent while it runs.",
            {name: run.exit_code for name, run in tried.items()},
            "job",
        ),
        *await condition.figures(),
    ]


STORE_UP = "pharos_result_store_up"


GONE, CURRENT, NEWER = "gone", "current", "newer"


async def _knows_tokens(request: Request) -> bool:
    """True if credentials can be checked; otherwise every other request fails."""
    try:
        async with asyncio.timeout(HEALTH_S):
            await request.app.state.tokens.get()
    except (PharosError, TimeoutError) as error:
        log.error("health, tokens: %s", _reason(error))  # noqa: TRY400 - the message says it all
        return False
    return True


async def _state(store: ResultStore) -> str:
    try:
        async with asyncio.timeout(HEALTH_S):
            is_newer, _ = await store.newer.get(), await store.published.get()
            return NEWER if is_newer else CURRENT
    except (PharosError, TimeoutError) as error:
        log.error("health: %s", _reason(error))  # noqa: TRY400 - the message says it all
        return GONE


async def _of_data(request: Request) -> dict[str, object] | None:
    """The last moment of the data and its problems; None if the Result Store does not answer."""
    condition: Condition = request.app.state.condition
    store: ResultStore = request.app.state.stores["v0"]
    try:
        async with asyncio.timeout(HEALTH_S):
            return await condition.of_health(await store.published.get())
    except (PharosError, TimeoutError) as error:
        log.error("health, data: %s", _reason(error))  # noqa: TRY400 - the message says it all
        return None


def _reason(error: PharosError | TimeoutError) -> str:
    return str(error) or f"no answer within {HEALTH_S} s"


def _word(good: object) -> str:
    return "OK" if good else "UNAVAILABLE"


def _json(body: object, status_code: int = 200) -> Response:
    return Response(as_json(body), status_code, {"Cache-Control": "no-store"}, media_type="application/json")


class Freshness(TypedDict):
    until: Annotated[str, Field(description="The figures describe the time before this moment, UTC.")]
    last_event: Annotated[str | None, Field(description="Newest event counted, UTC.")]
    published: Annotated[str | None, Field(description="When the figures last changed, UTC.")]
    fingerprint: Annotated[str, Field(description="Of inputs and code.")]
    version: Annotated[int, Field(description="Of the definition they were computed by.")]
    rows: int
    history_until: Annotated[
        str | None,
        Field(description="Rows of days up to this one were counted by edX Insights; null: all by Pharos."),
    ]


class ColumnMeaning(TypedDict):
    name: str
    type: str
    nullable: bool
    meaning: str


class Metric(TypedDict):
    table: Annotated[str, Field(description="Table of the Result Store.", examples=["course_activity"])]
    title: str
    version: Annotated[int, Field(description="Rises when a change of the code changes numbers.")]
    meaning: str
    formula: str
    edge_cases: list[str]
    source: str
    spec: str
    columns: list[ColumnMeaning]
    freshness: Annotated[Freshness | None, Field(description="null: not computed yet.")]


@subject.get("metrics/", versions=("v1",), one_statement=True)
def metrics(store: Reading) -> list[Metric]:
    """How every figure is counted, by which version of the rule, and up to which moment; by table."""
    return [_metric(table, store.published.get(name)) for name, table in sorted(RESULTS.items())]


def _metric(table: sa.Table, publication: result_store.Publication | None) -> Metric:
    return {**_meaning(table), "freshness": None if publication is None else _freshness(publication)}


@cache
def _meaning(table: sa.Table) -> Metric:
    """The description of the table, from its declaration alone."""
    definition: Definition = table.info["definition"]
    return {
        "table": str(table.name),
        "title": definition.title,
        "version": definition.version,
        "meaning": definition.meaning,
        "formula": definition.formula,
        "edge_cases": list(definition.edge_cases),
        "source": definition.source,
        "spec": definition.spec,
        "columns": [
            {
                "name": str(column.name),
                "type": column.type.__class__.__visit_name__.lower(),
                "nullable": bool(column.nullable),
                "meaning": column.comment or "",
            }
            for column in table.columns
        ],
        "freshness": None,
    }


def _freshness(publication: result_store.Publication) -> Freshness:
    last_event, published = publication.last_event, publication.published
    return {
        "until": f"{publication.until.isoformat()}Z",
        "last_event": f"{last_event.isoformat()}Z" if last_event else None,
        "published": f"{published.isoformat()}Z" if published else None,
        "fingerprint": publication.fingerprint,
        "version": publication.version,
        "rows": publication.row_count,
        "history_until": publication.history_until.isoformat() if publication.history_until else None,
    }
