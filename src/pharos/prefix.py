"""A path before all addresses of a service, as a proxy gives it: `https://example.org/insights`.

Inside a service addresses begin at the root. A request loses the path, whether the proxy has left it on or
not; redirects get it, and pages where they are made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pharos.errors import ConfigurationError

LINKS = re.compile(r'(\s(?:href|src|action|formaction)=")/(?!/)')


def prefix_of(setting: str, url: str | None, taken: Iterable[str]) -> str:
    """The path of a public address, without its final slash; empty for an address without.

    Raises ConfigurationError if the address is none, or its path cannot be told from a path of the service
    (`taken`: their first parts).
    """
    if url is None:
        return ""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address or parts.query or parts.fragment:
        raise ConfigurationError(f"{setting}: {url} is no address; write https://host or https://host/path")
    prefix = parts.path.rstrip("/")
    if prefix and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", prefix):
        raise ConfigurationError(f"{setting}: the path {prefix} may hold letters, digits and -._~ only")
    if prefix.split("/")[1:2] and prefix.split("/")[1] in taken:
        raise ConfigurationError(
            f"{setting}: the path {prefix} begins as addresses of the service do; take one like /insights"
        )
    return prefix


def with_prefix(html: str, prefix: str) -> str:
    """The page with the path before each address that begins at the root. Text cannot look like one: its
    quotation marks are escaped.
    """
    return LINKS.sub(rf"\g<1>{prefix}/", html) if prefix else html


class Prefix:
    """Takes the path from requests and puts it before redirects."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._prefix:
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [self._led(*header) for header in message["headers"]]}
            await send(message)

        await self._app(self._without(scope), receive, sent)

    def _without(self, scope: Scope) -> Scope:
        path = str(scope["path"])
        if path != self._prefix and not path.startswith(f"{self._prefix}/"):
            return scope
        raw = scope.get("raw_path") or b""
        start = len(self._prefix)
        return {**scope, "path": path[start:] or "/", "raw_path": raw[start:] or b"/"}

    def _led(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        """The header; a redirect to an address of the service gets the path prefix."""
        if name.lower() == b"location" and value.startswith(b"/"):
            return name, self._prefix.encode() + value
        return name, value
