"""Middleware of both services: gives each request an id, counts it, and logs it.

A request's own id (`X-Request-ID`) is kept, so that a request can be followed from the load balancer through
Insights to the Data API. Log lines and labels hold the route, `/courses/{course_id}/`, not the path, because
paths contain names of learners. `/metrics` is only for clients that connect to the service directly, not
through a proxy: do not expose it publicly.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable

from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pharos.remembering import remembering
from pharos.telemetry.logs import REQUEST_ID, REQUESTS, write
from pharos.telemetry.metrics import Metrics

HEADER = b"x-request-id"
ACCEPTED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
NO_ROUTE = "none"
FIGURES = "/metrics"
FORWARDED = frozenset({b"x-forwarded-for", b"forwarded", b"via"})  # every proxy sets one of them
KNOWN_PATHS = 4096
LONGEST_KNOWN = 512  # characters of a path that is remembered: a stranger may send 60,000


class Observed:
    """Middleware that counts, times and logs the requests of an application.

    `routes`: the application's routes, in the order of matching. `canonical`: maps a path to the spelling
    that the routes know.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        service: str,
        routes: Iterable[BaseRoute],
        canonical: Callable[[str], str] = str,
    ) -> None:
        self.app, self._metrics, self._service = app, metrics, service
        patterns = [(route.path_regex, route.path) for route in routes if isinstance(route, Route | Mount)]

        @remembering(KNOWN_PATHS, longest=LONGEST_KNOWN)
        def route_of(path: str) -> str:
            spelling = canonical(path)
            return next((route for pattern, route in patterns if pattern.match(spelling)), NO_ROUTE)

        self._route_of = route_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _given(scope) or uuid.uuid4().hex
        REQUEST_ID.set(request_id)  # for the rest of the task, which ends with the request
        began, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (HEADER, request_id.encode())]
                message = {**message, "headers": headers}
            await send(message)

        route = self._route_of(scope["path"])
        is_hidden = route == FIGURES and any(name in FORWARDED for name, _ in scope["headers"])
        try:
            await (PlainTextResponse("Not found.", 404) if is_hidden else self.app)(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.count(scope["method"], route, status, seconds)
            write(
                REQUESTS,
                "request",
                service=self._service,
                method=scope["method"],
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
            )


def _given(scope: Scope) -> str:
    """The client's request id, or `''` if it is missing or unsafe to log."""
    value = next((value for name, value in scope["headers"] if name == HEADER), b"")
    return value.decode() if ACCEPTED.fullmatch(value) else ""


def request_headers() -> dict[str, str]:
    """The id of the current request, for requests to other services; empty outside of a request."""
    request_id = REQUEST_ID.get()
    return {"X-Request-ID": request_id} if request_id else {}
