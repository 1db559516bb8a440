"""Makes a function that returns items an endpoint: authenticated, negotiated, described, cached.

An endpoint function answers one question: typed parameters in, one store query, typed items out. The common
parts are here: permissions, the format of the answer, provenance headers, ETag, the description from the
contract.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from pharos.data_api.access import SCHEME, Caller, OfCallers, OfLearnerReaders
from pharos.data_api.cache import Kept, compressed, conditional, key_of, stamp
from pharos.data_api.errors import Busy, EditionGone, NoData
from pharos.data_api.formats import CSV, FORMATS, JSON, Format, attachment, chosen
from pharos.data_api.parameters import BODIES, check_characters
from pharos.data_api.paths import SUFFIX
from pharos.data_api.reading import Reading, edition_of, of_request
from pharos.result_store.store import Publication
from pharos.result_store.tables import ABOUT_LEARNERS, Definition

VERSIONS = ("v0", "v1")
TIME = "{time}"  # in a file name: the moment of the answer
TOTAL_S = 20  # until an answer is there
RETRY_S = 5
EDITION = "X-Pharos-Edition"
EDITIONS_TRIED = 5
_KEYWORD = inspect.Parameter.KEYWORD_ONLY


@dataclass(frozen=True)
class Output:
    """The format that a client requests."""

    format: Format
    fields: tuple[str, ...] | None
    attach: bool  # the Accept header was exactly text/csv


def _output(request: Request) -> Output:
    """The format that the request asks for. Raises NoData, NotAcceptable."""
    accept, asked = request.headers.get("accept", ""), request.query_params
    fields, format_, suffix = asked.get("fields", ""), asked.get("format"), request.scope.get(SUFFIX)
    names = tuple(name.strip() for name in fields.split(",") if name.strip()) if fields else None
    wanted = chosen(accept, suffix, format_ or None)
    return Output(wanted, names, wanted is CSV and accept == "text/csv" and not suffix and not format_)


OF_EVERY_ENDPOINT = {
    "format": f"One of {', '.join(f.name for f in FORMATS)}; or use a suffix.",
    "fields": "Columns of a CSV or Parquet answer, separated by commas.",
}


@dataclass(frozen=True)
class Endpoint:
    """An address, the function that answers it, and the properties of the answer."""

    path: str
    function: Callable[..., Any]
    reads: tuple[sa.Table, ...]
    file_name: str | None
    versions: tuple[str, ...]
    methods: tuple[str, ...]
    cached: bool
    may_be_empty: bool
    about_learners: bool
    one_statement: bool
    parameters: Mapping[str, str]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the tables."""
        return tuple(table.name for table in self.reads)

    @cached_property
    def wanted(self) -> frozenset[str]:
        """The names of the function's parameters."""
        return frozenset(inspect.signature(self.function).parameters)


Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass
class Subject:
    """The endpoints about one subject. `mount` adds them to an application, once per version."""

    name: str
    endpoints: list[Endpoint] = field(default_factory=list)

    def get(
        self,
        path: str,
        *,
        reads: Sequence[sa.Table] = (),
        file_name: str | None = None,
        versions: Sequence[str] = VERSIONS,
        post: bool = False,
        cached: bool = True,
        may_be_empty: bool = False,
        one_statement: bool = False,
        parameters: Mapping[str, str] | None = None,
    ) -> Callable[[Function], Function]:
        """Make a function the endpoint at `path` below `/api/{version}/`.

        `reads`: the tables from which the answer is made, the main one first; without, it is made from the
        publications. If one of them is about single learners, so is the answer: it needs the right to them,
        is written to the audit log, and is never cached. `file_name`: end of the name of the CSV of a course.
        `post`: it also answers POST. `parameters`: name and meaning of parameters in query or body. Without
        `may_be_empty` an empty list is 404 (spec 05 §2.5). `one_statement`: it reads at most one statement,
        which is `OfEdition`; without, all statements run in one snapshot, which costs four round trips to the
        database.
        """
        about_learners = any(table.name in ABOUT_LEARNERS for table in reads)

        def declare(function: Function) -> Function:
            methods = ("GET", "POST") if post else ("GET",)
            self.endpoints.append(
                Endpoint(
                    path,
                    function,
                    tuple(reads),
                    file_name,
                    tuple(versions),
                    methods,
                    cached and not about_learners,
                    may_be_empty,
                    about_learners,
                    one_statement,
                    parameters or {},
                )
            )
            return function

        return declare

    def mount(self, app: FastAPI) -> None:
        """Add the endpoints to an application."""
        for endpoint in self.endpoints:
            for version in endpoint.versions:
                for method in endpoint.methods:
                    app.router.add_api_route(
                        f"/api/{version}/{endpoint.path}",
                        _answering(endpoint),
                        methods=[method],
                        tags=[self.name],
                        operation_id=f"{version}_{method.lower()}_{endpoint.function.__name__}",
                        summary=_summary(endpoint),
                        description=_description(endpoint),
                        response_model=inspect.signature(endpoint.function, eval_str=True).return_annotation,
                        response_class=JSONResponse,
                        responses=_responses(endpoint),
                        openapi_extra=_extra(endpoint, method),
                        route_class_override=OfLearnerReaders if endpoint.about_learners else OfCallers,
                    )


def _answering(endpoint: Endpoint) -> Callable[..., Any]:
    """The function that FastAPI calls: it has the endpoint's own parameters and the common ones."""
    wanted = inspect.signature(endpoint.function, eval_str=True).parameters

    async def answer(request: Request, **own: Any) -> Response:
        if not endpoint.parameters:  # lists of ids have checks of their own
            check_characters(request)
        try:
            async with asyncio.timeout(TOTAL_S):
                return conditional(request, await _answered(endpoint, request, own))
        except TimeoutError:
            raise Busy(f"There was no answer within {TOTAL_S} seconds.", RETRY_S) from None

    parameters = [inspect.Parameter("request", _KEYWORD, annotation=Request)]
    parameters += [
        parameter.replace(kind=_KEYWORD) for name, parameter in wanted.items() if name not in AT_HAND
    ]
    answer.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    answer.__name__ = endpoint.function.__name__
    return answer


async def _answered(endpoint: Endpoint, request: Request, own: Mapping[str, Any]) -> Response:
    """The answer from the current edition.

    If no data is found, the known edition may be outdated: the publications are read again, and the answer is
    tried again if there is a newer edition.
    """
    store = of_request(request)
    published = await store.published.get()
    for _ in range(EDITIONS_TRIED):
        try:
            return await _answered_from(published, endpoint, request, own)
        except (NoData, EditionGone):
            current = await store.published.renewed()
            if edition_of(current) == edition_of(published):
                raise
            published = current
    raise Busy("Results are published faster than they can be read.", RETRY_S)


async def _answered_from(
    published: Publications, endpoint: Endpoint, request: Request, own: Mapping[str, Any]
) -> Response:
    """The answer from these publications, cached or newly made. Raises NoData, EditionGone."""
    caller: Caller = request.state.caller
    cache, names = request.app.state.cache, endpoint.names
    check_edition(request, published)
    made_from = stamp(published, names) if endpoint.cached and request.method == "GET" else ""
    key = key_of(request.scope, caller)
    if made_from:
        await cache.settled(key)
        if found := cache.get(key, published):
            return found  # type: ignore[no-any-return]
    output = _output(request)
    privacy = request.app.state.privacy if endpoint.about_learners else None
    reading = Reading(of_request(request), published, privacy)
    at_hand = {"request": request, "store": reading, "caller": caller}
    given = {**own, **{name: value for name, value in at_hand.items() if name in endpoint.wanted}}
    with cache.making(key) if made_from else nullcontext():
        async with request.app.state.turns.of(caller.name):
            made = await asyncio.get_running_loop().run_in_executor(
                request.app.state.workers, lambda: _made(endpoint, output, reading, given)
            )
        check_edition(request, reading.published)
        made.headers.update(provenance(reading.published, endpoint.reads))
        made.headers["Allow"] = allowed(endpoint.methods)
        note_unknown_parameters(request, made, endpoint.parameters)
        if made_from:
            if reading.published is not published:
                made_from = stamp(reading.published, names)
            made.headers.setdefault("Cache-Control", NOT_UNASKED)
            made.headers["ETag"] = f'"{hashlib.sha256(f"{key} {made_from}".encode()).hexdigest()[:32]}"'
            cache.put(key, Kept.of(made, names, made_from))
    return made


AT_HAND = ("request", "store", "caller")  # parameters of endpoint functions that come from no parameter


def _made(endpoint: Endpoint, output: Output, reading: Reading, own: Mapping[str, Any]) -> Response:
    """The answer, formatted and compressed. Raises NoData."""
    with nullcontext() if endpoint.one_statement else reading.snapshot():
        items = endpoint.function(**own)
    if items is None or (items == [] and not endpoint.may_be_empty):
        raise NoData
    return compressed(_rendered(endpoint, output, items, own.get("course_id")))


def _rendered(endpoint: Endpoint, output: Output, items: Any, course_id: str | None) -> Response:
    response = Response(
        output.format.render(items, output.fields), media_type=None, headers={"Vary": "Accept, Authorization"}
    )
    response.headers["Content-Type"] = output.format.content_type
    if output.attach and endpoint.file_name and course_id:
        response.headers["Content-Disposition"] = attachment(
            f"{_stem(course_id)}--{endpoint.file_name}.csv".replace(TIME, datetime.now(UTC).isoformat())
        )
    if isinstance(items, Mapping) and (links := _links(items)):
        response.headers["Link"] = links
    return response


def _links(page: Mapping[str, Any]) -> str:
    names = {"next": "next", "previous": "prev"}
    return ", ".join(f'<{page[key]}>; rel="{rel}"' for key, rel in names.items() if page.get(key))


def _stem(course_id: str) -> str:
    """`{org}-{course}-{run}` of a course id in any form."""
    pieces = course_id.rpartition(":")[2] if ":" in course_id.partition("+")[0] else course_id
    return "-".join(pieces.replace("/", "+").split("+")[:3])


METHODS = ("GET", "POST", "HEAD", "OPTIONS")  # in the order in which the original names them
UNKNOWN = "X-Pharos-Unknown-Parameters"


def allowed(methods: Iterable[str]) -> str:
    """The value of the header Allow."""
    return ", ".join(method for method in METHODS if method in {*methods, "HEAD", "OPTIONS"})


def note_unknown_parameters(request: Request, response: Response, more: Collection[str] = ()) -> None:
    """Add a header with the query's parameters that have no effect, such as misspelt ones.

    `more`: names that the route reads without declaring them.
    """
    known: frozenset[str] = request.scope["route"].parameters
    unknown = [
        name
        for name in request.query_params
        if name not in known and name not in OF_EVERY_ENDPOINT and name not in more
    ]
    if unknown:
        response.headers[UNKNOWN] = ", ".join(quote(name, safe="") for name in unknown)[:MOST_NAMED]


MOST_NAMED = 500  # characters of names

Publications = dict[str, Publication]
NOT_UNASKED = "private, no-cache"  # a client may keep it, but asks each time whether it is still right


def check_edition(request: Request, published: Mapping[str, Publication]) -> None:
    """Raises EditionGone if the request asks for an edition that is not the published one."""
    asked, current = request.headers.get(EDITION), str(edition_of(published))
    if asked and asked != current:
        raise EditionGone(current)


def publications_of(published: Mapping[str, Publication], tables: Sequence[sa.Table]) -> Publications:
    """The publication records of the tables. Empty if the first table, the main one, was not published by
    Pharos.
    """
    found = {table.name: published[table.name] for table in tables if table.name in published}
    return found if tables and tables[0].name in found else {}


def provenance(published: Mapping[str, Publication], tables: Sequence[sa.Table]) -> dict[str, str]:
    """Headers about the origin of the figures: edition, the moment up to which they count, and the computing
    code.
    """
    publications = publications_of(published, tables)
    if not publications:
        return {}
    known = publications.values()
    headers = {
        EDITION: str(edition_of(published)),
        "X-Pharos-As-Of": f"{min(p.until for p in known).isoformat()}Z",
        "X-Pharos-Source": ", ".join(
            f"{name}; version={p.version}; fingerprint={p.fingerprint}" for name, p in publications.items()
        ),
        "Cache-Control": NOT_UNASKED,
    }
    events = [p.last_event for p in known if p.last_event is not None]
    if events:
        headers["X-Pharos-Last-Event"] = f"{max(events).isoformat()}Z"
    histories = [p.history_until for p in known if p.history_until is not None]
    if histories:  # days up to this one were counted by the program before
        headers["X-Pharos-History-Until"] = max(histories).isoformat()
    changed = [p.published for p in known if p.published is not None]
    if changed:
        headers["Last-Modified"] = format_datetime(max(changed).replace(tzinfo=UTC), usegmt=True)
    return headers


# --- Descriptions ----------------------------------------------------------------------------------------


def _definitions(endpoint: Endpoint) -> list[Definition]:
    return [table.info["definition"] for table in endpoint.reads]


def _summary(endpoint: Endpoint) -> str:
    return endpoint.function.__name__.replace("_", " ").capitalize()


def _description(endpoint: Endpoint) -> str:
    """The docstring of the function and the definitions of its figures from the contract."""
    parts = [inspect.cleandoc(endpoint.function.__doc__ or "")]
    for definition in _definitions(endpoint):
        parts.append(f"**{definition.title}.** {definition.meaning} {definition.formula}")
        parts.append("\n".join(f"- {case}" for case in definition.edge_cases))
    return "\n\n".join(part for part in parts if part)


def _extra(endpoint: Endpoint, method: str) -> dict[str, Any]:
    """The parameters that are read outside FastAPI; lists of courses take them from query or body."""
    in_query = {**OF_EVERY_ENDPOINT, **(endpoint.parameters if method == "GET" else {})}
    described: dict[str, Any] = {
        "security": [{SCHEME: []}],
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string"}, "description": text}
            for name, text in in_query.items()
        ],
    }
    if method == "GET":
        return described
    one_or_more = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    schema = {
        "type": "object",
        "properties": {
            name: {**one_or_more, "description": text} for name, text in endpoint.parameters.items()
        },
    }
    return described | {"requestBody": {"content": {key: {"schema": schema} for key in BODIES}}}


def _responses(endpoint: Endpoint) -> dict[int | str, dict[str, Any]]:
    kinds = [CSV, *(f for f in FORMATS if f not in (CSV, JSON))]
    table = {f.content_type.split(";")[0]: {"schema": {"type": "string"}} for f in kinds}
    example = examples().get(endpoint.function.__name__)
    answers: dict[int | str, dict[str, Any]] = {
        200: {"description": "The answer.", "content": {JSON.accept: {"example": example}, **table}},
        304: {"description": "Not changed since the client's copy."},
        **documented_errors(),
    }
    if "recent_date" in endpoint.parameters:
        answers[400]["content"]["text/html"] = {"schema": {"type": "string"}}  # of this mistake only
    if "POST" in endpoint.methods:
        answers[413] = _error("The body is too large.")
        answers[415] = _error("The body is neither a form nor JSON.")
    return answers


@cache
def examples() -> dict[str, Any]:
    """An example answer of each endpoint, by the name of its function; from spec 05 if it has one."""
    found: dict[str, Any] = json.loads((files("pharos.data_api") / "examples.json").read_bytes())
    return found


ERRORS: Mapping[int, str] = {
    400: "A parameter or the body has an impossible value.",
    401: "No credentials, or bad ones.",
    403: "The caller may not read this.",
    404: "No such data.",
    406: "No format the client accepts.",
    429: "Too many requests; Retry-After says when to ask again.",
    503: "The Result Store does not answer.",
}


def documented_errors() -> dict[int | str, dict[str, Any]]:
    """The error answers, for the documentation of an endpoint."""
    return {status: _error(text) for status, text in ERRORS.items()}


def _error(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": ERROR_SCHEMA}}}


ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "detail": {"type": "string"},
        "error_code": {"type": "string"},
        "developer_message": {"type": "string"},
        "status": {"type": "integer"},
    },
    "additionalProperties": False,
    "minProperties": 1,
}
